"""Plans, rounds and ledgers for the tests of maintenance; a test names only what matters to it."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.ledger import horizon, write_ahead
from actions.maintenance.round import Range, create_due
from models.maintenance import AgreedCheck, DueDate
from models.parties import Customer
from models.service_desk import Ticket
from tests import factories as make


def plan(session: Session, of: Customer | None = None, **values: Any) -> AgreedCheck:
    """A weekly backup check on Mondays from 5 January 2026, 15 minutes, caught up by the latest."""
    of = of or make.customer(session)
    row = AgreedCheck(
        customer_id=of.id,
        **{
            "check": "Kontrolle der Datensicherung",
            "cadence": "FREQ=WEEKLY;BYDAY=MO",
            "starts_on": dt.date(2026, 1, 5),
            "duration_minutes": 15,
        }
        | values,
    )
    session.add(row)
    session.flush()
    return row


def write(session: Session, today: dt.date, until: dt.date | None = None) -> int:
    """Write every ledger ahead; returns the dates written."""
    dates, after = 0, 0
    while (part := write_ahead(session, today, until or horizon(today), after=after)).plans:
        dates, after = dates + part.dates, part.last_id
    return dates


def round_on(session: Session, today: dt.date, first: dt.date | None = None, last: dt.date | None = None) -> int:
    """One whole round; returns the tickets created."""
    write(session, today, horizon(max(today, last or today)))
    span, tickets, after = Range(today, last or today, first), 0, 0
    while (part := create_due(session, span, after=after)).plans:
        tickets, after = tickets + len(part.tickets), part.last_id
    return tickets


def ledger(session: Session, of: AgreedCheck) -> dict[dt.date, str]:
    """Day -> state."""
    rows = session.execute(
        sa.select(DueDate.due_on, DueDate.state).where(DueDate.agreed_check_id == of.id).order_by(DueDate.due_on)
    )
    return {on: state.value for on, state in rows}


def tickets(session: Session, of: AgreedCheck) -> list[tuple[str, list[dt.date]]]:
    """Every ticket of a plan with the dates it covers."""
    rows = session.execute(
        sa.select(
            Ticket.dedup_key, sa.func.array_agg(sa.dialects.postgresql.aggregate_order_by(DueDate.due_on, DueDate.due_on))
        )
        .join(DueDate, DueDate.ticket_id == Ticket.id)
        .where(DueDate.agreed_check_id == of.id)
        .group_by(Ticket.dedup_key)
        .order_by(Ticket.dedup_key)
    )
    return [(key or "", list(days)) for key, days in rows]
