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
    """Collects outcomes; writes them when the session ends."""

    def __init__(self) -> None:
        self.tests: dict[str, list[str]] = {}
        self.outcomes: dict[str, str] = {}
        self.missing: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if names := promises_of(item):
                self.tests[item.nodeid] = names
            for mark in item.iter_markers("needs"):
                for tool in mark.args:
                    if not has(tool):
                        self.missing[tool] += 1
                        item.add_marker(pytest.mark.skip(reason=f"braucht {tool}"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self.tests:
            return
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for tool, count in sorted(self.missing.items()):
            hint = f"apt-get install {APT[tool]}" if tool in APT else ""
            terminalreporter.write_line(f"{count} Tests übersprungen, es fehlt {tool}. {hint}", yellow=True)

    def pytest_sessionfinish(self) -> None:
        known: dict[str, Any] = {}
        if RESULTS.exists():
            known = json.loads(RESULTS.read_text(encoding="utf-8"))
        known = {test: kept for test, kept in known.items() if (RESULTS.parents[1] / test.partition("::")[0]).exists()}
        for test, names in self.tests.items():
            outcome = self.outcomes.get(test) or known.get(test, {}).get("outcome", "")
            known[test] = {"promises": names, "outcome": outcome}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Join the session."""
    config.pluginmanager.register(Promises(), "drehkreuz-promises")
