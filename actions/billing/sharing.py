"""Several visits of one month at once: who takes how much, when a step is over for all, and who is asked to help.

Each visit takes rows that no other holds, in small portions towards the end, and leaves a step only when the rows of the others
are done too. A visit whose process dies lets its rows go; whoever waits for them takes them over.
"""

import math

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit import clock
from kit.database import notify
from kit.settings import settings
from models.billing import BillingItem, Invoice, InvoiceState, ReportState, ServiceReport
from models.plumbing import OutboxEvent
from rules.month import Month

DEPLOYMENT = "monthly_billing"
PORTIONS = 4
"""A visit takes at most this share of what still waits, so that nobody is left alone with the last large batch."""
SMALLEST = 8
WORTH_A_VISIT = 100
"""Documents that are worth a visit of their own: half a minute of work against the few seconds that a run costs to start."""

NUMBERED_REPORT = (ServiceReport.state == ReportState.NUMBERED, ServiceReport.fault.is_(None))
NUMBERED_INVOICE = (Invoice.state == InvoiceState.NUMBERED, Invoice.fault.is_(None))


def portion(waiting: int, most: int) -> int:
    """How many of the waiting documents one transaction takes: at most `most`, fewer towards the end."""
    return max(1, min(most, max(SMALLEST, math.ceil(waiting / PORTIONS))))


def reports_waiting(session: Session, run_id: int) -> int:
    """Numbered reports without pages, whoever works on them."""
    return _count(session, ServiceReport, run_id, *NUMBERED_REPORT)


def invoices_waiting(session: Session, run_id: int) -> int:
    """Numbered invoices without pages, whoever works on them."""
    return _count(session, Invoice, run_id, *NUMBERED_INVOICE)


def _count(
    session: Session, entity: type[ServiceReport] | type[Invoice], run_id: int, *conditions: sa.ColumnElement[bool]
) -> int:
    in_run = sa.select(BillingItem.id).where(BillingItem.run_id == run_id)
    statement = sa.select(sa.func.count()).select_from(entity).where(entity.item_id.in_(in_run), *conditions)
    return int(session.scalar(statement) or 0)


def left_by_others(
    session: Session, entity: type[ServiceReport] | type[Invoice], run_id: int, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Wait until the other visits are done with their rows; whether one of these was left undone.

    The database waits for their transactions, row by row, and looks again at what they made of each row: no polling.
    """
    in_run = sa.select(BillingItem.id).where(BillingItem.run_id == run_id)
    statement = (
        sa.select(entity.id).where(entity.item_id.in_(in_run), *conditions).order_by(entity.id).limit(1).with_for_update()
    )
    return session.scalar(statement) is not None


def ask_for_help(session: Session, month: Month, documents: int) -> int:
    """Let further visits of a big month start on other workers; returns how many. Again on the same day asks for none.

    How many at most is a setting: one machine spreads its pages over its own cores and needs no second visit.
    """
    wanted = min(settings().billing_helpers, documents // WORTH_A_VISIT)
    if wanted < 1:
        return 0
    now = clock.now()
    rows = [
        {
            "deployment": DEPLOYMENT,
            "parameters": {"month": str(month)},
            "key": f"billing-help:{month}:{clock.local(now).date()}:{number}",
            "attempt": 0,
            "created_at": now,
        }
        for number in range(1, wanted + 1)
    ]
    asked = session.scalars(insert(OutboxEvent).on_conflict_do_nothing().returning(OutboxEvent.id), rows).all()
    if asked:
        notify(session, "outbox_event")
    return len(asked)
