"""What the test suite knows of promises and tools.

`@pytest.mark.promise("S56")` says which promise a test proves; the outcome goes to `.cache/promises.json`, where
`drehkreuz promises` reads it. `@pytest.mark.needs("java")` skips a test by name when the machine has no such tool; what was
skipped is counted at the end.
"""

import ctypes.util
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).resolve().parents[1] / ".cache" / "promises.json"

TOOLS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "java": ("java",),
    "poppler": ("pdftotext",),
}
APT = {
    "chromium": "chromium",
    "java": "default-jdk-headless",
    "poppler": "poppler-utils",
    "pango": "libpango-1.0-0 libpangoft2-1.0-0",
}

PROMISE, MISSING = "promise", "missing tool"
LONG = (
    "tests/deployments/test_services.py",
    "tests/crash/",
    "tests/documents/",
    "tests/company/",
    "tests/stories/",
    "tests/billing/",
    "tests/upgrade/",
    "tests/deployments/",
    "tests/outage/",
    "tests/scale/",
    "tests/portal/test_browser.py",
    "tests/goods/",
)


def has(tool: str) -> bool:
    """Whether this machine has the tool. What is not known here is for the test itself to find."""
    if tool == "pango":
        return ctypes.util.find_library("pangoft2-1.0") is not None
    if tool == "s3":
        return (Path(sys.executable).parent / "weed").exists()
    return tool not in TOOLS or any(shutil.which(name) for name in TOOLS[tool])


def promises_of(item: pytest.Item) -> list[str]:
    """The promises that a test proves."""
    return [str(name) for mark in item.iter_markers("promise") for name in mark.args]


class Promises:
    """Collects outcomes; writes them when the session ends.

    With several processes each marks what it runs, and the one that reports (and only that one) writes.
    """

    def __init__(self, *, writes: bool = True) -> None:
        self.writes = writes
        self.tests: dict[str, list[str]] = {}
        self.outcomes: dict[str, str] = {}
        self.missing: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if names := promises_of(item):
                self.tests[item.nodeid] = names
                item.user_properties.extend((PROMISE, name) for name in names)
            for mark in item.iter_markers("needs"):
                for tool in mark.args:
                    if not has(tool):
                        item.user_properties.append((MISSING, tool))
                        item.add_marker(pytest.mark.skip(reason=f"braucht {tool}"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if names := [str(value) for name, value in report.user_properties if name == PROMISE]:
            self.tests[report.nodeid] = names
            if report.when == "call" or report.outcome != "passed":
                self.outcomes[report.nodeid] = report.outcome
        if report.when == "setup" and report.skipped:
            self.missing.update(str(value) for name, value in report.user_properties if name == MISSING)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for tool, count in sorted(self.missing.items()):
            hint = f"apt-get install {APT[tool]}" if tool in APT else ""
            terminalreporter.write_line(f"{count} Tests übersprungen, es fehlt {tool}. {hint}", yellow=True)

    def pytest_sessionfinish(self) -> None:
        if not self.writes:
            return
        known: dict[str, Any] = {}
        if RESULTS.exists():
            known = json.loads(RESULTS.read_text(encoding="utf-8"))
        known = {test: kept for test, kept in known.items() if (RESULTS.parents[1] / test.partition("::")[0]).exists()}
        for test, names in self.tests.items():
            outcome = self.outcomes.get(test) or known.get(test, {}).get("outcome", "")
            known[test] = {"promises": names, "outcome": outcome}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


class LongestFirst:
    """The order of files for several processes: what takes minutes begins first, so that nobody waits for a last long file."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=_turn)  # stable: within a file and among the others nothing changes


def _turn(item: pytest.Item) -> int:
    path = item.nodeid.partition("::")[0]
    return next((turn for turn, start in enumerate(LONG) if path.startswith(start)), len(LONG))


def pytest_configure(config: pytest.Config) -> None:
    """Join the session."""
    worker = hasattr(config, "workerinput")
    config.pluginmanager.register(Promises(writes=not worker), "drehkreuz-promises")
    if worker:
        config.pluginmanager.register(LongestFirst(), "drehkreuz-longest-first")
