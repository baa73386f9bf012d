"""Aufgaben: a person answers what a process had asked (see `actions.people`)."""

from sqlalchemy.orm import Session

from kit import clock
from models.service_desk import Ticket, TicketEvent, TicketState


def close_task(session: Session, ticket: Ticket, actor: str) -> None:
    """Somebody says that it is done; a second time changes nothing."""
    if ticket.state is TicketState.CLOSED:
        return
    now = clock.now()
    ticket.state, ticket.closed_at = TicketState.CLOSED, now
    session.add(TicketEvent(customer_id=ticket.customer_id, ticket_id=ticket.id, at=now, actor=actor, what="closed", detail={}))
    session.flush()
