"""When a process cannot go on alone it asks a person: a task ticket, once per question, for the role that can solve it."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.numbers import next_numbers
from kit import clock
from kit.database import lock
from models.service_desk import Message, MessageDirection, Ticket, TicketEvent, TicketKind, TicketState


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `key` makes it one question however often a process comes by."""

    key: str
    customer_id: int | None
    role: str
    subject: str
    text: str


def ask(session: Session, question: Question) -> str | None:
    """Open the task unless it is there already; returns its number, None for a question without customer.

    A question that no customer stands behind shows where its row is listed (Postausgang, doctor).
    """
    if question.customer_id is None:
        return None
    asked = sa.select(Ticket.number).where(Ticket.dedup_key == question.key)
    if (known := session.scalar(asked)) is not None:
        return known
    lock(session, f"question:{question.key}")  # two visits at once: the second one finds what the first one asked
    if (known := session.scalar(asked)) is not None:
        return known
    now = clock.now()
    ticket = Ticket(
        customer_id=question.customer_id,
        number=next_numbers(session, "T", clock.local(now).year, 1)[0],
        kind=TicketKind.TASK,
        state=TicketState.NEW,
        subject=question.subject[:300],
        received_at=now,
        role=question.role,
        dedup_key=question.key,
    )
    session.add(ticket)
    session.flush()
    session.add(_note(ticket, now, question.text))
    session.add(
        TicketEvent(customer_id=ticket.customer_id, ticket_id=ticket.id, at=now, actor="Drehkreuz", what="opened", detail={})
    )
    session.flush()
    return ticket.number


def _note(ticket: Ticket, at: dt.datetime, text: str) -> Message:
    return Message(
        customer_id=ticket.customer_id,
        ticket_id=ticket.id,
        direction=MessageDirection.INTERNAL,
        author="Drehkreuz",
        at=at,
        text=text,
    )


def answered(session: Session, key: str, why: str = "") -> None:
    """Close the task of a question that has solved itself; `why` is told on it."""
    ticket = session.scalar(sa.select(Ticket).where(Ticket.dedup_key == key, Ticket.state != TicketState.CLOSED))
    if ticket is not None:
        now = clock.now()
        ticket.state, ticket.closed_at = TicketState.CLOSED, now
        if why:
            session.add(_note(ticket, now, why))
        session.add(
            TicketEvent(
                customer_id=ticket.customer_id, ticket_id=ticket.id, at=now, actor="Drehkreuz", what="solved", detail={}
            )
        )
        session.flush()
