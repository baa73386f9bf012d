"""One record by hand: a form of the portal is a file with one row, so both are read, checked and refused by the same code.

What an import allows, a page allows; what an import refuses (a booked contract's hours, a price that a report states), a
page refuses in the same words. Unlike a mass load, every change stands in the audit trail row by row.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable

from actions.company.findings import WHOLE_LINE, Findings
from actions.company.importing import LOCK, check_staged, reason
from actions.company.spec import File
from actions.company.staging import FILE_ORDER, Staged, analyse, copy_rows, staged_rows
from actions.company.tables import ID, current, stage
from actions.company.writing import write
from kit.database import lock
from kit.errors import ConflictError
from models.plumbing import AuditEntry


class ChangedMeanwhileError(ConflictError):
    """Somebody saved the record while it was open here. `now`: what stands there; `by`, `at`: who and when, by the trail."""

    def __init__(self, title: str, now: dict[str, str], by: str, at: dt.datetime | None) -> None:
        super().__init__(f"{title}: Jemand hat diese Angaben inzwischen geändert.")
        self.now, self.by, self.at = now, by, at


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a form. `errors` by column ("" = the whole row); nothing was written when there are any."""

    created: bool = False
    changed: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.errors


class _OneRecord:
    """The form's values in the shape of a file's records."""

    def __init__(self, cells: list[str]) -> None:
        self._cells = cells

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The one row, on line 1."""
        yield 1, self._cells


def stored_row(session: Session, file: File, row_id: int) -> dict[str, str] | None:
    """A stored record as its row in the company folder, column by column; None when there is none."""
    known = current(file)
    row = session.execute(sa.select(*(known.c[name] for name in file.by_name)).where(known.c[ID] == row_id)).one_or_none()
    if row is None:
        return None
    return {c.name: "" if value is None else c.cell.write(value) for c, value in zip(file.columns, row, strict=True)}


def mark(row: Mapping[str, str]) -> str:
    """A short hash of a row as somebody saw it: whoever saves later finds out whether it is still that row."""
    return hashlib.sha256("\x1f".join(f"{name}={row[name]}" for name in sorted(row)).encode()).hexdigest()[:16]


def save_row(session: Session, file: File, values: Mapping[str, str], *, row_id: int | None = None, seen: str = "") -> Saved:
    """Check one record like a row of the file and write it; with errors nothing is written.

    Args:
        session: an open unit of work; the caller commits.
        file: what kind of record it is.
        values: texts by column; what is missing counts as empty.
        row_id: the record that was opened; None for a new one.
        seen: its `mark` when it was opened.

    Raises:
        ChangedMeanwhileError: somebody saved it meanwhile.
        ConflictError: it is gone, a new record has the key of an old one, or the database refuses.
    """
    lock(session, LOCK)
    _unchanged(session, file, row_id, seen)
    findings = Findings(FILE_ORDER)
    staged = Staged(file, present=frozenset(file.by_name))
    table = stage(file)
    session.execute(DropTable(table, if_exists=True))
    session.execute(CreateTable(table))
    record = _OneRecord([values.get(name, "") for name in file.by_name])
    copy_rows(session, table, staged_rows(staged, record, list(file.columns), findings))
    analyse(session, file)
    check_staged(session, [staged], findings)
    errors: dict[str, str] = {}
    for found in findings.errors:
        errors.setdefault("" if found.column == WHOLE_LINE else found.column, found.text)
    if not errors:
        errors = _same_record(session, file, row_id)
    if errors:
        session.execute(DropTable(table))
        return Saved(errors=errors)
    try:
        report = write(session, staged, mass=False)
    except DBAPIError as error:
        raise ConflictError(f"{file.title}: Die Datenbank nimmt das so nicht an ({reason(error)}).") from error
    session.execute(DropTable(table))
    return Saved(report.created > 0, report.changed > 0, hints=tuple(hint.text for hint in findings.hints))


def _unchanged(session: Session, file: File, row_id: int | None, seen: str) -> None:
    if row_id is None:
        return
    stored = stored_row(session, file, row_id)
    if stored is None:
        raise ConflictError(f"{file.title}: Diesen Eintrag gibt es nicht mehr; jemand hat ihn inzwischen entfernt.")
    if seen and mark(stored) != seen:
        of = sa.and_(AuditEntry.table_name == file.model.__tablename__, AuditEntry.row_id == row_id)
        told = sa.select(AuditEntry.actor, AuditEntry.at).where(of).order_by(AuditEntry.id.desc()).limit(1)
        by, at = session.execute(told).tuples().first() or ("", None)
        raise ChangedMeanwhileError(file.title, stored, by, at)


def _same_record(session: Session, file: File, row_id: int | None) -> dict[str, str]:
    """A new record must not overwrite one that has its key; an open one must not turn into another by a new key."""
    met = session.scalar(sa.select(stage(file).c[ID]))
    if met == row_id:
        return {}
    name = next((c for c in reversed(file.key) if c != file.owner), file.key[-1])
    if row_id is None:
        return {name: "gibt es schon; öffnen Sie den vorhandenen Eintrag oder vergeben Sie einen anderen Schlüssel"}
    return {name: "ist der Schlüssel dieses Eintrags und bleibt, wie er ist; legen Sie sonst einen neuen an"}
