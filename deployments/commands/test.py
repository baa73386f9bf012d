"""`drehkreuz test [ARGS]`: the whole suite; with arguments only pytest, with these arguments."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from deployments.instance import ROOT
from kit.process import usable_cores

CHECKS = (
    ("ruff", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
    ("import-linter", ["lint-imports"]),
    ("deptry", ["deptry", "."]),
)

MOST_PROCESSES = 4
"""Each has a database of its own; more would need more memory than they save time."""
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _check(title: str, command: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run([_program(command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    good = done.returncode == 0
    print(f"{title}: {'in Ordnung' if good else 'beanstandet'} ({time.monotonic() - started:.1f} s)", flush=True)
    if not good:
        print(done.stdout + done.stderr, flush=True)
    return good


def _shared() -> list[str]:
    """The suite on one process more than there are cores, a file at a time: many tests wait for servers."""
    cores = usable_cores()
    processes = min(cores + 1, MOST_PROCESSES) if cores > 1 else 0
    return ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"] if processes else []


def _pytest(arguments: list[str]) -> int:
    """Pytest, and hundreds of processes that tests start: each reads what the first one compiled."""
    command = [sys.executable, "-m", "pytest", "-p", "deployments.pytest_plugin", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def run_tests(
    context: typer.Context,
    given: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]", help="Argumente für pytest", show_default=False)
    ] = None,
) -> None:
    """Prüft alles: Stil, Typen, Schichten, Abhängigkeiten, dann alle Tests. Mit ARGS nur pytest mit diesen Argumenten."""
    arguments = [*(given or []), *context.args]
    if arguments:
        raise typer.Exit(_pytest(arguments))
    with ThreadPoolExecutor(min(usable_cores(), len(CHECKS))) as threads:
        good = list(threads.map(lambda check: _check(*check), CHECKS))
    complaints = [title for (title, _), fine in zip(CHECKS, good, strict=True) if not fine]
    if complaints:
        print(f"Beanstandet: {', '.join(complaints)}", flush=True)
    code = _pytest(_shared())
    raise typer.Exit(code or int(bool(complaints)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
    app.command("test", context_settings=settings)(run_tests)
