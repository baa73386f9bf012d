"""What all commands share: a database for the time of the command, JSON alone on stdout, tables for people."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.orm import Session

from kit.database import unit_of_work
from kit.postgres import database_for_home
from models import schema

PERSON_NEEDED = 3
"""Exit code: done, with items that need a person."""
DAY: dict[str, Any] = {"formats": ["%Y-%m-%d"], "metavar": "JJJJ-MM-TT"}
"""How an option or argument takes a day."""


@contextmanager
def open_session(actor: str) -> Iterator[Session]:
    """The home's database at the newest schema, and one transaction on it."""
    with database_for_home():
        schema.upgrade()
        with unit_of_work(actor) as session:
            yield session


def print_json(value: Any) -> None:
    """JSON alone on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "Keine Einträge."
) -> None:
    """A table for people; numbers to the right."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not cells:
        print(f"{title}: {empty}")
        return
    table = Table(title=title, title_justify="left", pad_edge=False, box=None, header_style="bold")
    for position, heading in enumerate(headings):
        numeric = all(_numeric(row[position]) for row in cells)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


def _numeric(text: str) -> bool:
    return bool(text) and text.lstrip("+-−").replace(".", "").replace(",", "").isdigit()


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """A function (done, total): a bar on a terminal, a line now and then elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        told = -1

        def line(done: int, total: int) -> None:
            nonlocal told
            step = done * 10 // total if total else told  # nothing is known of it yet: nothing to tell
            if step > told:
                told = step
                print(f"{what}: {done} von {total}", file=sys.stderr, flush=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
