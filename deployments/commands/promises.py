"""`drehkreuz promises [--json]`: promise -> tests that prove it -> last result."""

import json
import re
import subprocess
import sys
from typing import Annotated, Any

import typer

from deployments.commands.shared import print_json, print_table
from kit.errors import DrehkreuzError

GERMAN = {"passed": "bestanden", "failed": "gescheitert", "skipped": "übersprungen", "": "noch nicht gelaufen"}


def _collected() -> dict[str, dict[str, Any]]:
    """Ask pytest which tests carry which promise; the plugin writes it down beside the last results."""
    from deployments.instance import ROOT
    from deployments.pytest_plugin import RESULTS

    command = [sys.executable, "-m", "pytest", "-p", "deployments.pytest_plugin", "--collect-only", "-q", "-m", "promise"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 5}:  # 5: no test at all
        raise DrehkreuzError(f"Tests: pytest kann sie nicht lesen.\n{done.stdout[-2000:]}{done.stderr[-500:]}")
    found: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    present = {line.strip() for line in done.stdout.splitlines() if "::" in line}
    return {test: entry for test, entry in found.items() if test in present}


def _order(name: str) -> tuple[str, int]:
    match = re.match(r"([A-Z]+)(\d+)", name)
    return (match[1], int(match[2])) if match else (name, 0)


def promises_command(as_json: Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")] = False) -> None:
    """Zeigt zu jeder Zusage die Tests, die sie beweisen, und deren letztes Ergebnis."""
    by_promise: dict[str, list[dict[str, str]]] = {}
    for test, entry in sorted(_collected().items()):
        for name in entry["promises"]:
            by_promise.setdefault(name, []).append({"test": test, "outcome": entry["outcome"]})
    ordered = sorted(by_promise, key=_order)
    if as_json:
        print_json([{"promise": name, "tests": by_promise[name]} for name in ordered])
        return
    rows = [
        (name, GERMAN.get(proof["outcome"], proof["outcome"]), proof["test"]) for name in ordered for proof in by_promise[name]
    ]
    print_table("Zusagen", ("Zusage", "Ergebnis", "Test"), rows)
    print(f"\n{len(ordered)} Zusagen, {len(rows)} Beweise")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("promises")(promises_command)
