"""Kommissionieren und Packen: exactly one ticket per goods receipt and customer order (S20, U27)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from actions.numbers import next_numbers
from kit import clock
from models.parties import StaffRole
from models.service_desk import Message, MessageDirection, Ticket, TicketEvent, TicketKind, TicketState

AUTHOR = "Drehkreuz"


@dataclass(frozen=True, slots=True)
class PickTicket:
    """For which customer's order of which receipt."""

    customer_id: int
    customer_order: str
    receipt_id: int
    delivery_note: str
    supplier: str

    @property
    def key(self) -> str:
        return f"pick:{self.receipt_id}:{self.customer_id}:{self.customer_order}"


def open_pick_tickets(session: Session, wanted: Sequence[PickTicket]) -> list[Ticket]:
    """Open the tickets, in order. What is in them the pages and the pick list show from the delivery itself."""
    if not wanted:
        return []
    now = clock.now()
    numbers = next_numbers(session, "T", clock.local(now).year, len(wanted))
    tickets = [
        Ticket(
            customer_id=each.customer_id,
            number=number,
            kind=TicketKind.PICK_AND_PACK,
            state=TicketState.NEW,
            subject=f"Kommissionieren und Packen: {each.customer_order or 'ohne Auftragsnummer'}, "
            f"Lieferschein {each.delivery_note} von {each.supplier}",
            received_at=now,
            role=StaffRole.MATERIALS.value,
            dedup_key=each.key,
        )
        for each, number in zip(wanted, numbers, strict=True)
    ]
    session.add_all(tickets)
    session.flush()
    for ticket in tickets:
        note(session, ticket, "opened")
    return tickets


def note(session: Session, ticket: Ticket, what: str, actor: str = AUTHOR, text: str = "") -> None:
    """Write a line of the ticket's history, and an internal note when there is something to read."""
    now = clock.now()
    session.add(TicketEvent(customer_id=ticket.customer_id, ticket_id=ticket.id, at=now, actor=actor, what=what, detail={}))
    if text:
        session.add(
            Message(
                customer_id=ticket.customer_id,
                ticket_id=ticket.id,
                direction=MessageDirection.INTERNAL,
                author=actor,
                at=now,
                text=text,
            )
        )
    session.flush()
