"""Writing what was checked: new rows first, then the changed ones, each file in one or two statements.

New rows are a mass load: the batch's own audit entry tells of them. Changed rows keep their entry in the audit trail each,
with what stood there before; a bank account must not change without a trace because it came in a file.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from actions.company import files as f
from actions.company.findings import FileReport
from actions.company.spec import File
from actions.company.staging import Staged
from actions.company.tables import CHANGED, ID, LINE, current, differs, resolved, same_key, stage, table_of, targets
from kit import clock
from models.service_desk import Ticket, TicketEvent
from models.work import EntryState


def _derived(file: File) -> dict[str, ColumnElement[Any]]:
    """Columns of the model that follow from a row without standing in it."""
    if file is not f.ENTRIES:
        return {}
    approved = resolved(file).c.approved_at.is_not(None)
    return {"state": sa.case((approved, EntryState.APPROVED.value), else_=EntryState.CAPTURED.value)}


def _quiet(session: Session, quiet: bool) -> None:
    session.execute(sa.select(sa.func.set_config("drehkreuz.bulk", "1" if quiet else "", True)))


def write(session: Session, staged: Staged, *, mass: bool = True) -> FileReport:
    """Write one file's rows. Returns what became of them. Not `mass`: new rows stand in the audit trail one by one too."""
    file, rows = staged.file, stage(staged.file)
    counts = sa.select(sa.func.count(), sa.func.count(rows.c[ID]), sa.func.count().filter(rows.c[CHANGED]))
    total, known, changed = session.execute(counts).one()
    if file is f.TICKETS and changed:
        _tell_tickets(session)
    _quiet(session, mass)
    if total > known:
        _insert(session, file)
    _quiet(session, False)
    if changed:
        _update(session, file)
    _quiet(session, mass)
    return FileReport(file.name, total, total - known, changed, known - changed, staged.sha256)


def _itself(file: File) -> list[str]:
    """Columns that name a record of the same file: filled when all of them are there."""
    return [column.target for column in file.columns if column.ref is not None and column.ref.model is file.model]


def _insert(session: Session, file: File) -> None:
    table, rows, derived = table_of(file.model), resolved(file), _derived(file)
    names = [name for name in targets(file) if name not in _itself(file)]
    new = (
        sa.select(*(rows.c[name] for name in names), *(value.label(name) for name, value in derived.items()))
        .where(rows.c[ID].is_(None))
        .order_by(rows.c[LINE])
    )
    session.execute(sa.insert(table).from_select([*names, *derived], new))
    if not _itself(file):
        return
    # the new rows have ids now: point those that name one of their kind
    staged, stored = stage(file), current(file)
    fresh = sa.update(staged).where(staged.c[ID].is_(None), same_key(file, staged, stored))
    session.execute(fresh.values({staged.c[ID]: stored.c[ID]}))
    named = {table.c[name]: rows.c[name] for name in _itself(file)}
    wanted = sa.or_(*(rows.c[name].is_not(None) for name in _itself(file)))
    session.execute(sa.update(table).where(table.c.id == rows.c[ID], ~rows.c[CHANGED], wanted, _differs(named)).values(named))


def _differs(named: dict[Any, Any]) -> ColumnElement[bool]:
    return sa.or_(*(old.is_distinct_from(new) for old, new in named.items()))


def _update(session: Session, file: File) -> None:
    table, rows, derived = table_of(file.model), resolved(file), _derived(file)
    values: dict[Any, Any] = {table.c[name]: rows.c[name] for name in targets(file)}
    values |= {table.c[name]: value for name, value in derived.items()}
    session.execute(sa.update(table).where(table.c.id == rows.c[ID], rows.c[CHANGED]).values(values))


def _tell_tickets(session: Session) -> None:
    """A ticket's history tells when an import changed its state or its assignee."""
    rows, stored, ticket = stage(f.TICKETS), current(f.TICKETS), Ticket.__table__
    actor = session.info.get("actor", "import")
    detail = sa.func.jsonb_build_object(
        "state", sa.func.jsonb_build_array(stored.c.state, rows.c.state),
        "assignee", sa.func.jsonb_build_array(stored.c.assignee, rows.c.assignee),
    )  # fmt: skip
    moved = (
        sa.select(ticket.c.customer_id, ticket.c.id, sa.literal(clock.now()), sa.literal(actor), sa.literal("imported"), detail)
        .join(stored, stored.c[ID] == ticket.c.id)
        .join(rows, rows.c[ID] == ticket.c.id)
        .where(rows.c[CHANGED], differs(f.TICKETS, rows, stored, ("state", "assignee")))
    )
    columns = ["customer_id", "ticket_id", "at", "actor", "what", "detail"]
    session.execute(sa.insert(table_of(TicketEvent)).from_select(columns, moved))
