"""The plugin of the suite: promises are written down, tests without their tool are skipped by name and counted."""

import json
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


def test_several_processes_write_together(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE.replace("@pytest.mark.needs", "@pytest.mark.skipif(True, reason='') #"))
    (tmp_path / "test_more.py").write_text(SUITE.replace("S3", "S4"))
    runner = (
        "import sys, pytest\n"
        "from pathlib import Path\n"
        "from deployments import pytest_plugin as plugin\n"
        f"plugin.RESULTS = Path({str(tmp_path)!r}) / '.cache' / 'promises.json'\n"
        "sys.exit(pytest.main(['-q', '-n', '2', '--dist', 'loadfile', '-p', 'deployments.pytest_plugin', '-c', '/dev/null', "
        f"'--rootdir', {str(tmp_path)!r}, {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", runner], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads((tmp_path / ".cache" / "promises.json").read_text())
    assert {test: kept["outcome"] for test, kept in told.items()} == {
        "test_suite.py::test_kept": "passed",
        "test_suite.py::test_broken": "failed",
        "test_more.py::test_kept": "passed",
        "test_more.py::test_broken": "failed",
    }


@pytest.mark.parametrize(("tool", "there"), [("chromium", False), ("java", True), ("datev-specs", True)])
def test_has(tool: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin.shutil, "which", lambda name: "/usr/bin/java" if name == "java" else None)
    assert pytest_plugin.has(tool) is there
