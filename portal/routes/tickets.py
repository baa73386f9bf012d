"""Tickets: the list with its filters, and one ticket of whatever kind with everything that hangs on it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from kit import clock
from kit.errors import NotFoundError
from models.service_desk import Attachment, TicketKind
from models.watching import AccessKind
from portal.archived import archived_file
from portal.labels import label
from portal.modules import NavEntry, Section
from portal.pages import Crumb, page
from portal.queries import people, tickets
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/tickets")
NAV = (NavEntry(Section.SERVICE_DESK, "Tickets", "/tickets", "headset", ("stamm.sehen",), order=10, shortcut="i"),)
See = Annotated[Person, Depends(need("stamm.sehen"))]
LIST = Crumb("Tickets", "/tickets")


@router.get("")
def list_tickets(
    request: Request, person: See, session: StaffSession, *,
    suche: str = "", art: str = "", stand: str = "", wer: str = "", kunde: str = "", seite: int = 1,
) -> Response:  # fmt: skip
    """Open tickets of everybody, the newest first; by text, kind, state, customer, or one's own."""
    state = stand if stand in tickets.STATES else "offen"
    wanted = tickets.Wanted(
        text=suche,
        kind=art,
        state=state,
        customer=kunde.strip(),
        assignee_id=(person.employee_id or 0) if wer == "ich" else None,
    )
    return page(
        request,
        "tickets.html",
        crumbs=(LIST,),
        tickets=tickets.listed(session, wanted, seite),
        kinds=[(kind.value, label(kind)) for kind in tickets.KINDS],
        states=list(tickets.STATES.items()),
        state=state,
        query={"suche": suche, "art": art, "stand": "" if state == "offen" else state, "wer": wer, "kunde": kunde},
        now=clock.now(),
    )


@router.get("/anhang/{attachment_id}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_attachment(person: See, session: StaffSession, attachment_id: int) -> Response:
    """A file of a ticket from the archive, its hash checked; who may not open the ticket's page gets none of its files."""
    row = session.get(Attachment, attachment_id)
    if row is None or not tickets.may_open(session, row.ticket_id, person.roles):
        raise NotFoundError("Diesen Anhang gibt es nicht, oder er gehört zu einer Aufgabe, die nicht bei Ihren Rollen liegt.")
    return archived_file(session, row.archive_key, row.file_name, row.content_type)


@router.get("/{number:path}")
def show_ticket(request: Request, person: See, session: StaffSession, number: str) -> Response:
    """One ticket. A task is shown where it is done, to whom it waits for; a technician sees the own work on it."""
    everything = person.may("leistung.sehen")
    sheet = tickets.sheet(session, number, only_technician=None if everything else person.employee_id or 0)
    if sheet is None:
        raise NotFoundError(f"Ticket {number}: gibt es nicht.")
    if sheet.ticket.kind is TicketKind.TASK:
        return RedirectResponse(f"/aufgaben/{quote(number)}", 303)
    return page(
        request,
        "ticket.html",
        crumbs=(LIST, Crumb(number)),
        sheet=sheet,
        open=sheet.ticket.state in tickets.OPEN,
        names=people.names(session),
        now=clock.now(),
    )
