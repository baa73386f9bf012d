"""The plugin of the suite: promises are written down, tests without their tool are skipped by name and counted."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deployments import pytest_plugin

ROOT = Path(__file__).resolve().parents[2]

SUITE = """
import pytest

@pytest.mark.promise("S1", "S2")
def test_kept():
    pass

@pytest.mark.promise("S3")
def test_broken():
    assert False

@pytest.mark.needs("chromium")
def test_with_a_browser():
    pass
"""


def test_promises_and_missing_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    runner = (
        "import sys, pytest\n"
        "from pathlib import Path\n"
        "from deployments import pytest_plugin as plugin\n"
        f"plugin.RESULTS = Path({str(tmp_path)!r}) / '.cache' / 'promises.json'\n"
        "plugin.TOOLS = {'chromium': ('no-such-browser',)}\n"
        f"sys.exit(pytest.main(['-q', '-p', 'deployments.pytest_plugin', '-c', '/dev/null', '--rootdir', {str(tmp_path)!r}, {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", runner], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 Tests übersprungen, es fehlt chromium. apt-get install chromium" in done.stdout
    told = json.loads((tmp_path / ".cache" / "promises.json").read_text())
    assert told == {
        "test_suite.py::test_kept": {"promises": ["S1", "S2"], "outcome": "passed"},
        "test_suite.py::test_broken": {"promises": ["S3"], "outcome": "failed"},
    }


def test_several_processes_write_together_and_what_shares_papers_stays_with_one(tmp_path: Path) -> None:
    suite = SUITE.replace("@pytest.mark.needs", "@pytest.mark.skipif(True, reason='') #")
    (tmp_path / "test_suite.py").write_text(suite)
    papers = tmp_path / "tests" / "documents"
    papers.mkdir(parents=True)
    for name in ("more", "others", "others_again"):
        (papers / f"test_{name}.py").write_text(suite.replace("S3", "S4"))
    runner = (
        "import sys, pytest\n"
        "from pathlib import Path\n"
        "from deployments import pytest_plugin as plugin\n"
        f"plugin.RESULTS = Path({str(tmp_path)!r}) / '.cache' / 'promises.json'\n"
        "sys.exit(pytest.main(['-v', '-n', '2', '--dist', 'loadfile', '-p', 'deployments.pytest_plugin', '-p', 'tests.distribution', "
        f"'-c', '/dev/null', '--import-mode=importlib', '--rootdir', {str(tmp_path)!r}, {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", runner], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads((tmp_path / ".cache" / "promises.json").read_text())
    files = ["test_suite.py", *(f"tests/documents/test_{name}.py" for name in ("more", "others", "others_again"))]
    assert {test: kept["outcome"] for test, kept in told.items()} == {
        f"{file}::{test}": outcome for file in files for test, outcome in (("test_kept", "passed"), ("test_broken", "failed"))
    }
    ran = re.findall(r"\[(gw\d)\].* (?:PASSED|FAILED|SKIPPED) \S*/(documents/test|test_suite)", done.stdout)
    assert len(ran) == 4 * 3, done.stdout
    by_papers, by_the_rest = ({process for process, where in ran if where == of} for of in ("documents/test", "test_suite"))
    assert len(by_papers) == len(by_the_rest) == 1
    assert by_papers != by_the_rest


@pytest.mark.parametrize(("tool", "there"), [("chromium", False), ("java", True), ("datev-specs", True)])
def test_has(tool: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin.shutil, "which", lambda name: "/usr/bin/java" if name == "java" else None)
    assert pytest_plugin.has(tool) is there
