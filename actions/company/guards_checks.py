"""What agreed checks ask of tickets and work: proof before a ticket ends, nothing charged that a contract covers.

Triggers of the database hold the same rules; here they become sentences with a line.
"""

from typing import Any

import sqlalchemy as sa

from actions.company import files as f
from actions.company.cells import quoted
from actions.company.checking import Bench
from actions.company.tables import CHANGED, ID, LINE, stage
from models.contracts import Contract, ContractKind
from models.maintenance import AgreedCheck, DueDate
from models.service_desk import Ticket
from models.work import ServiceEntry

_DONE = ("resolved", "closed")
_BERLIN = "Europe/Berlin"


def check_proof(bench: Bench) -> None:
    """A ticket of agreed checks ends only when each of them has its result (S110)."""
    rows, ticket, due = stage(f.TICKETS), Ticket.__table__, DueDate.__table__
    open_checks = sa.select(sa.func.count()).where(due.c.ticket_id == ticket.c.id, due.c.outcome.is_(None)).scalar_subquery()
    found = (
        sa.select(rows.c[LINE], rows.c.number, rows.c.state, open_checks.label("open"))
        .join(ticket, ticket.c.id == rows.c[ID])
        .where(rows.c[CHANGED], rows.c.state.in_(_DONE), ticket.c.state.not_in(_DONE), open_checks > 0)
    )
    bench.errors(
        f.TICKETS, "state", found,
        lambda row: f"{row.state} ist nicht möglich: zum Ticket {quoted(row.number)} fehlt das Ergebnis "
        f"von {row.open} Prüfungen; erfassen Sie es in Drehkreuz",
    )  # fmt: skip


def check_charged_work(bench: Bench) -> None:
    """Work on agreed checks: none charged that a flat contract covers, after catching up never more than agreed (U25)."""
    _covered(bench)
    _more_than_agreed(bench)


def _written() -> tuple[sa.Table, sa.FromClause, sa.ColumnElement[bool]]:
    """Charged rows that would be written, with the stored ticket they name."""
    rows = stage(f.ENTRIES)
    ticket = Ticket.__table__
    return (
        rows,
        ticket,
        sa.and_(ticket.c.number == rows.c.ticket, rows.c.billable, sa.or_(rows.c[ID].is_(None), rows.c[CHANGED])),
    )


def _covered(bench: Bench) -> None:
    rows, ticket, written = _written()
    due, check, contract = DueDate.__table__, AgreedCheck.__table__, Contract.__table__
    covering = (
        sa.select(sa.func.min(contract.c.number))
        .join(check, check.c.contract_id == contract.c.id)
        .join(due, due.c.agreed_check_id == check.c.id)
        .where(
            due.c.ticket_id == ticket.c.id,
            contract.c.kind != ContractKind.KONTINGENT,
            rows.c.work_date >= contract.c.starts_on,
            sa.or_(contract.c.ends_on.is_(None), rows.c.work_date <= contract.c.ends_on),
        )
        .scalar_subquery()
    )
    found = sa.select(rows.c[LINE], covering.label("contract")).select_from(sa.join(rows, ticket, written))
    bench.errors(
        f.ENTRIES, "billable", found.where(covering.is_not(None)),
        lambda row: f"yes ist nicht möglich: die Prüfung deckt der Vertrag {quoted(row.contract)} ab; erlaubt ist no mit Grund",
    )  # fmt: skip


def _more_than_agreed(bench: Bench) -> None:
    rows, ticket, written = _written()
    due, check, entry = DueDate.__table__, AgreedCheck.__table__, ServiceEntry.__table__
    arrived = sa.cast(sa.func.timezone(_BERLIN, Ticket.__table__.c.received_at), sa.Date)
    agreed: sa.Subquery = (
        sa.select(due.c.ticket_id, sa.func.sum(check.c.duration_minutes).label("minutes"))
        .join(check, check.c.id == due.c.agreed_check_id)
        .join(Ticket.__table__, Ticket.__table__.c.id == due.c.ticket_id)
        .group_by(due.c.ticket_id)
        .having(sa.func.bool_or(due.c.due_on < arrived), sa.func.count() == sa.func.count(check.c.duration_minutes))
        .subquery()
    )
    in_file = (
        sa.select(rows.c.ticket, sa.func.sum(rows.c.minutes).label("minutes"))
        .where(rows.c.billable)
        .group_by(rows.c.ticket)
        .subquery()
    )
    elsewhere = ~sa.exists(sa.select(sa.literal(1)).where(rows.c.id == entry.c.key))
    stored = (
        sa.select(entry.c.ticket_id, sa.func.sum(entry.c.minutes).label("minutes"))
        .join(agreed, agreed.c.ticket_id == entry.c.ticket_id)
        .where(entry.c.billable, elsewhere)
        .group_by(entry.c.ticket_id)
        .subquery()
    )
    charged: sa.ColumnElement[Any] = in_file.c.minutes + sa.func.coalesce(stored.c.minutes, 0)
    found = (
        sa.select(rows.c[LINE], rows.c.ticket, agreed.c.minutes.label("agreed"), charged.label("charged"))
        .select_from(sa.join(rows, ticket, written))
        .join(agreed, agreed.c.ticket_id == ticket.c.id)
        .join(in_file, in_file.c.ticket == rows.c.ticket)
        .outerjoin(stored, stored.c.ticket_id == ticket.c.id)
        .where(charged > agreed.c.minutes)
    )
    bench.errors(
        f.ENTRIES, "minutes", found,
        lambda row: f"das nachgeholte Ticket {quoted(row.ticket)} hätte {row.charged} berechnete Minuten, vereinbart sind "
        f"{row.agreed}; erlaubt ist der Rest mit billable no und Grund",
    )  # fmt: skip
