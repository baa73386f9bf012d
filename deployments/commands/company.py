"""`drehkreuz import FOLDER [--check]` and `drehkreuz export FOLDER`: the company folder in and out."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from actions import access_log
from actions.company import ImportReport, export_folder, import_folder
from actions.company.files import FILES
from kit.database import ALL, Role, engine, unit_of_work
from kit.postgres import database_for_home
from models import schema
from models.watching import AccessKind

ERRORS_SHOWN = 200
PLAIN_SECONDS = 2.0


class PlainProgress:
    """For logs and pipes: a line when a phase begins, and one now and then while it lasts."""

    def __init__(self) -> None:
        self._phase, self._told, self._bytes = "", 0.0, 0

    def read(self, file: str, size: int) -> None:
        self._bytes += size
        self.step(f"lesen: {file}, {self._bytes / 1e6:.0f} MB")

    def step(self, what: str) -> None:
        phase = what.partition(":")[0]
        if phase != self._phase or time.monotonic() - self._told >= PLAIN_SECONDS:
            self._phase, self._told = phase, time.monotonic()
            print(what, file=sys.stderr, flush=True)


class BarProgress:
    """A bar over the bytes of the folder, then the steps after it."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("lesen", total=total or None)

    def read(self, file: str, size: int) -> None:
        self._bar.update(self._task, advance=size, description=f"lesen: {file}")

    def step(self, what: str) -> None:
        self._bar.update(self._task, description=what)


@contextmanager
def _progress(total: int) -> Iterator[PlainProgress | BarProgress]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainProgress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield BarProgress(bar, total)


def _size(folder: Path) -> int:
    return sum((folder / file.name).stat().st_size for file in FILES if (folder / file.name).is_file())


def _print(report: ImportReport) -> None:
    for error in report.errors[:ERRORS_SHOWN]:
        print(error, file=sys.stderr)
    if report.error_count > ERRORS_SHOWN:
        print(f"… und {report.error_count - ERRORS_SHOWN} weitere Fehler", file=sys.stderr)
    for line in report.lines():
        print(line, file=sys.stdout if report.ok else sys.stderr)


def import_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Ordner mit den CSV-Dateien", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="nur prüfen, nichts schreiben")] = False,
) -> None:
    """Liest den Firmenordner ein: alles wird zuerst geprüft, dann ganz oder gar nicht übernommen."""
    with database_for_home():
        schema.upgrade()
        with _progress(_size(folder)) as progress, unit_of_work("import", bulk=True) as session:
            report = import_folder(session, folder, check_only=check, progress=progress)
    _print(report)
    if not report.ok:
        raise typer.Exit(1)


def export_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Zielordner, wird angelegt", show_default=False)],
) -> None:
    """Schreibt den Firmenordner, wie »import« ihn liest; ein Import daraus ergibt denselben Bestand."""
    with database_for_home():
        schema.upgrade()
        picture = engine(Role.APP).execution_options(isolation_level="REPEATABLE READ")
        with Session(picture, info={"actor": "export", "scope": ALL}) as session:
            counts = export_folder(session, folder)
        with unit_of_work("cli:export") as session:
            access_log.read(session, access_log.Reader(None, "cli:export"), AccessKind.EXPORT, str(folder.resolve()))
    width = max(map(len, counts))
    for name, count in counts.items():
        print(f"  {name:<{width}}  {count:>8} Zeilen")
    print(f"{folder}: geschrieben.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_command)
    app.command("export")(export_command)
