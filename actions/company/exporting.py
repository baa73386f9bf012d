"""The export: the company folder as it stands, byte for byte the same for the same data.

Comma, LF, UTF-8 without BOM, every file present, rows in order of their keys. Nothing derived is written, with the one
exception that the format wants: `reported_elsewhere` shows our own report's number, so that a system that reads the folder
never bills that work again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.company.files import FILES
from actions.company.spec import File
from actions.company.tables import current, in_order
from kit.errors import DrehkreuzError

_BATCH = 2_000
_NEEDS_QUOTES = frozenset(',"\r\n')


class ExportError(DrehkreuzError):
    """The folder cannot be written."""


def export_folder(session: Session, folder: Path | str) -> dict[str, int]:
    """Write the company folder. Existing files of these names are replaced, all together at the end.

    Args:
        session: reads; with isolation REPEATABLE READ the files are one moment's picture. Without, they still fit together:
            what is named is read after what names it.
        folder: made when missing.

    Returns:
        Rows per file.

    Raises:
        ExportError: the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = {file.name: _write(session, file, folder / f".{file.name}.new") for file in reversed(FILES)}
        for file in FILES:
            (folder / f".{file.name}.new").replace(folder / file.name)
    except OSError as error:
        raise ExportError(
            f"Export: {folder} lässt sich nicht schreiben ({error.strerror}). Prüfen Sie Rechte und freien Platz."
        ) from error
    finally:
        for file in FILES:
            with suppress(OSError):
                (folder / f".{file.name}.new").unlink()
    return {file.name: counts[file.name] for file in FILES}


def _write(session: Session, file: File, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(",".join(file.by_name) + "\n")
        for line in export_rows(session, file):
            out.write(line)
            count += 1
        out.flush()
        os.fsync(out.fileno())
    return count


def export_rows(session: Session, file: File) -> Iterator[str]:
    """The lines of one file, without the header."""
    stored = current(file)
    wanted = sa.select(*(stored.c[name] for name in file.by_name)).order_by(*in_order(file, stored))
    writers = [column.cell.write for column in file.columns]
    for row in session.execute(wanted.execution_options(yield_per=_BATCH)):
        yield ",".join(_field(write, value) for write, value in zip(writers, row, strict=True)) + "\n"


def _field(write: Callable[[Any], str], value: Any) -> str:
    if value is None:
        return ""
    text = write(value)
    if _NEEDS_QUOTES.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
