"""What waits for people: tasks, approvals, proposals, post; and the turnover of the last months."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import inbox
from models.billing import (
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Invoice,
    ItemState,
    ProposalState,
)
from models.goods import Delivery, DeliveryState, GoodsDifference
from models.handover import HandOverState, SapDocument
from models.parties import Customer, StaffRole
from models.plumbing import InboxItem, InboxState, MailState, OutboxMail, RunNotice
from models.service_desk import Message, Ticket, TicketKind, TicketState
from models.watching import AccessNotice
from models.work import EntryState, ServiceEntry
from portal.paging import Page, paged
from rules.month import Month

OPEN_STATES = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts for the cards of the overview."""

    approvals: int
    returned: int
    proposals: int
    unclear: int
    bounced: int
    sap_failed: int
    goods_parked: int
    goods_differences: int
    to_pick: int
    to_ship: int
    run_notices: int
    access_notices: int


def waiting(session: Session) -> Waiting:
    """All counts in one statement."""

    def count(column: Any, *conditions: Any) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count(column)).where(*conditions).scalar_subquery()

    captured = (ServiceEntry.state == EntryState.CAPTURED, ServiceEntry.reported_elsewhere.is_(None))
    row = session.execute(
        sa.select(
            count(ServiceEntry.id, *captured),
            count(ServiceEntry.id, *captured, ServiceEntry.returned_reason.is_not(None)),
            count(CorrectionProposal.id, CorrectionProposal.state == ProposalState.PROPOSED),
            count(OutboxMail.id, OutboxMail.state == MailState.UNCLEAR),
            count(OutboxMail.id, OutboxMail.state == MailState.BOUNCED),
            count(SapDocument.id, SapDocument.state == HandOverState.FAILED),
            count(InboxItem.id, InboxItem.channel == inbox.CHANNEL, InboxItem.state == InboxState.PARKED),
            count(GoodsDifference.id, GoodsDifference.resolved_at.is_(None)),
            count(Delivery.id, Delivery.state.in_([DeliveryState.PICKING, DeliveryState.PICKED])),
            count(Delivery.id, Delivery.state == DeliveryState.PACKED),
            count(RunNotice.id, RunNotice.settled_at.is_(None)),
            count(AccessNotice.id, AccessNotice.settled_at.is_(None)),
        )
    ).one()
    return Waiting(*row)


def own_returned(session: Session, employee_id: int) -> int:
    """Entries that came back to this technician."""
    return session.scalars(
        sa.select(sa.func.count(ServiceEntry.id)).where(
            ServiceEntry.technician_id == employee_id,
            ServiceEntry.state == EntryState.CAPTURED,
            ServiceEntry.returned_reason.is_not(None),
        )
    ).one()


def _for_roles(roles: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """The service head sees every task, everybody else those of the own roles."""
    return sa.true() if StaffRole.SERVICE_HEAD in roles else Ticket.role.in_(roles)


def tasks(session: Session, roles: tuple[str, ...], *, number: int = 1, closed: bool = False, per_page: int = 50) -> Page[Any]:
    """Tasks that wait for the roles, oldest first; or those that are closed, newest first."""
    state = Ticket.state.not_in(OPEN_STATES) if closed else Ticket.state.in_(OPEN_STATES)
    statement = (
        sa.select(Ticket.number, Ticket.subject, Ticket.role, Ticket.state, Ticket.received_at, Ticket.closed_at, Customer.name)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.kind == TicketKind.TASK, state, _for_roles(roles))
        .order_by(Ticket.received_at.desc() if closed else Ticket.received_at, Ticket.id)
    )
    return paged(session, statement, number, per_page)


def task(session: Session, roles: tuple[str, ...], number: str) -> tuple[Ticket, Customer, list[Message]] | None:
    """One task with its notes, if it waits for one of the roles."""
    row = session.execute(
        sa.select(Ticket, Customer)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.number == number, Ticket.kind == TicketKind.TASK, _for_roles(roles))
    ).one_or_none()
    if row is None:
        return None
    notes = session.scalars(sa.select(Message).where(Message.ticket_id == row[0].id).order_by(Message.at)).all()
    return row[0], row[1], list(notes)


@dataclass(frozen=True, slots=True)
class MonthState:
    """How far the run of a month is, for the card."""

    month: Month
    state: str
    parts: int
    done: int
    blocked: int


def month_state(session: Session, month: Month) -> MonthState:
    """The run of this month; open and empty when nobody has released it."""
    run = session.scalar(sa.select(BillingRun).where(BillingRun.month == str(month)))
    if run is None:
        return MonthState(month, "open", 0, 0, 0)
    parts, done, blocked = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(BillingItem.state == ItemState.DONE),
            sa.func.coalesce(sa.func.sum(sa.func.jsonb_array_length(BillingItem.blocked)), 0),
        ).where(BillingItem.run_id == run.id, BillingItem.state != ItemState.WITHDRAWN)
    ).one()
    return MonthState(month, run.state.value, parts, done, int(blocked))


def turnover(session: Session, last: Month, months: int = 12) -> list[tuple[Month, Decimal]]:
    """Net of all issued invoices by month (cancellations count against it), oldest month first."""
    first = last.plus(1 - months)
    found = dict(
        session.execute(
            sa.select(Invoice.month, sa.func.sum(Invoice.net))
            .where(Invoice.number.is_not(None), Invoice.month.between(str(first), str(last)))
            .group_by(Invoice.month)
        )
        .tuples()
        .all()
    )
    return [(month, found.get(str(month), Decimal(0))) for month in first.until(last)]
