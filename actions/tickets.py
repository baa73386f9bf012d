"""Tickets as lists and pages show them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import NotFoundError
from models.parties import Customer, Employee
from models.service_desk import Message, Ticket


def _row(ticket: Ticket, customer: str, assignee: str | None) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "kind": ticket.kind.value,
        "state": ticket.state.value,
        "customer": customer,
        "subject": ticket.subject,
        "received_at": clock.local(ticket.received_at).isoformat(),
        "assignee": assignee,
    }


def _select() -> sa.Select[Any]:
    return (
        sa.select(Ticket, Customer.number, Employee.email)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Employee, Employee.id == Ticket.assignee_id)
    )


def listed(session: Session, *, state: str = "", kind: str = "", customer: str = "") -> list[dict[str, Any]]:
    """Tickets in order of arrival, as `tickets list --json` prints them."""
    statement = _select().order_by(Ticket.received_at, Ticket.number)
    if state:
        statement = statement.where(Ticket.state == state)
    if kind:
        statement = statement.where(Ticket.kind == kind)
    if customer:
        statement = statement.where(Customer.number == customer)
    return [_row(*row) for row in session.execute(statement).tuples()]


def shown(session: Session, number: str) -> dict[str, Any]:
    """One ticket with its messages. Raises: NotFoundError."""
    row = session.execute(_select().where(Ticket.number == number)).first()
    if row is None:
        raise NotFoundError(f"Ticket {number}: gibt es nicht.")
    ticket, customer, assignee = row.tuple()
    messages = session.scalars(sa.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.at, Message.id))
    return {
        **_row(ticket, customer, assignee),
        "priority": ticket.priority.value,
        "topic": ticket.topic,
        "messages": [
            {"at": clock.local(m.at).isoformat(), "direction": m.direction.value, "author": m.author, "text": m.text}
            for m in messages
        ],
    }
