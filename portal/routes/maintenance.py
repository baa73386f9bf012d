"""Wartung: tickets of the round, their results and proof, the work on them."""

import secrets
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from actions.maintenance.results import Item, Report, add_evidence, finish_ticket, record_all, record_result
from actions.maintenance.work import Work, capture_work, work_terms
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.maintenance import CheckEvidence, CheckOutcome
from models.parties import Customer
from models.service_desk import Ticket, TicketEvent, TicketKind, TicketState
from models.watching import AccessKind
from models.work import Place
from portal.archived import archived_file
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import maintenance as queries
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/wartung")
NAV = (
    NavEntry(
        Section.MAINTENANCE, "Wartungstickets", "/wartung", "tool", ("wartung.sehen",), order=10, shortcut="m", bottom=True
    ),
)
See = Annotated[Person, Depends(need("wartung.sehen"))]
Do = Annotated[Person, Depends(need("wartung.ausfuehren"))]
LIST = Crumb("Wartung", "/wartung")


class ResultForm(Form):
    """Ergebnis einer Prüfung."""

    outcome: CheckOutcome
    reason: str = Field(default="", max_length=1000)
    note: str = Field(default="", max_length=4000)
    all_dates: Literal["ja", ""] = ""


class WorkForm(Form):
    """Leistung zu einem Wartungsticket."""

    key: str = Field(min_length=8, max_length=60, pattern=r"^[A-Za-z0-9-]+$")
    minutes: int = Field(ge=1, le=1440)
    place: Place = Place.REMOTE
    trips: int = Field(default=0, ge=0, le=20)
    text: str = Field(min_length=1, max_length=5000)


@router.get("")
def list_tickets(
    request: Request, person: See, session: StaffSession, *, wer: str = "", stand: str = "", seite: int = 1
) -> Response:
    """Open maintenance tickets; a technician sees the own ones first."""
    mine = wer == "ich" or (not wer and person.roles == ("technician",))
    rows = queries.tickets(session, employee_id=person.employee_id if mine else None, state=stand, number=seite)
    query = {"wer": "ich" if mine else "alle", "stand": stand}
    return page(request, "maintenance.html", crumbs=(LIST,), tickets=rows, mine=mine, query=query, today=clock.today())


def _ticket(session: Session, number: str) -> Ticket:
    ticket = session.scalar(sa.select(Ticket).where(Ticket.number == number, Ticket.kind == TicketKind.MAINTENANCE))
    if ticket is None:
        raise NotFoundError(f"Wartungsticket {number}: gibt es nicht.")
    return ticket


def _show(
    request: Request,
    person: Person,
    session: Session,
    ticket: Ticket,
    *,
    form: Filled[Any] | None = None,
    at: int = 0,
    work: Filled[Any] | None = None,
    status_code: int = 200,
) -> Response:
    dates = queries.dates_of_ticket(session, ticket.id)
    open_ = ticket.state in queries.OPEN
    missing = [row for row in dates if row.result is None]
    shown = at if any(row.due.id == at for row in dates) else missing[0].due.id if missing else 0
    return page(
        request,
        "maintenance_ticket.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(ticket.number)),
        ticket=ticket,
        customer=session.get_one(Customer, ticket.customer_id),
        dates=dates,
        missing=len(missing),
        shown=shown,
        later=[row for row in missing if row.due.id != shown],
        several=len({row.plan.id for row in dates}) > 1,
        notes=queries.notes_of(session, ticket.id),
        names=queries.employee_names(session),
        suggested=dates[-1].due.technician_id if dates else None,
        slot=dates[-1].due.slot_at if dates else None,
        outcomes=[(outcome.value, outcome) for outcome in CheckOutcome],
        terms=work_terms(session, ticket.id, clock.today()),
        form=form or blank(ResultForm, outcome="done"),
        at=at if form else 0,
        work=work or blank(WorkForm, key=secrets.token_hex(8), place="remote", minutes=dates[-1].plan.minutes if dates else ""),
        may_do=person.may("wartung.ausfuehren") and open_,
        incidents=_incidents(session, [row.result.incident_id for row in dates if row.result and row.result.incident_id]),
    )


def _incidents(session: Session, ids: list[int]) -> dict[int, str]:
    return dict(session.execute(sa.select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids))).tuples().all())


@router.get("/tickets/{number}")
def show_ticket(request: Request, person: See, session: StaffSession, number: str, *, termin: int = 0) -> Response:
    """One ticket with its dates, checklist and proof; of the dates without result one is open to be filled in."""
    return _show(request, person, session, _ticket(session, number), at=termin)


@router.post("/tickets/{number}/ergebnis/{due_id}")
def save_result(request: Request, person: Do, session: StaffSession, number: str, due_id: int, *, data: Data) -> Response:
    """Write the result of a date, or of all that have none yet, with screenshots."""
    ticket = _ticket(session, number)
    row = next((row for row in queries.dates_of_ticket(session, ticket.id) if row.due.id == due_id), None)
    if row is None:
        raise NotFoundError(f"Wartungsticket {number}: Diesen Termin gibt es darin nicht.")
    form = filled(ResultForm, data)
    if form.value is None:
        return _show(request, person, session, ticket, form=form, at=due_id, status_code=422)
    readings = {r.key: str(data.get(f"reading_{r.key}") or "") for r in (row.plan.entry.readings if row.plan.entry else ())}
    items = [
        Item(text, {"ja": True, "nein": False}.get(str(data.get(f"item_{place}") or "")))
        for place, text in enumerate(row.plan.checklist)
    ]
    report = Report(
        outcome=form.value.outcome,
        technician_id=person.employee_id or 0,
        reason=form.value.reason,
        note=form.value.note,
        readings=readings,
        items=items,
    )
    try:
        with session.begin_nested():
            result = record_result(session, due_id, report)
            if form.value.all_dates:
                record_all(session, ticket.id, report)
            for file in data.getlist("dateien"):
                if isinstance(file, UploadFile) and file.filename:
                    add_evidence(session, result.id, file.filename, file.file.read())
    except DrehkreuzError as refusal:
        form.complain("reason" if "Grund" in str(refusal) else "", str(refusal))
        return _show(request, person, session, ticket, form=form, at=due_id, status_code=422)
    message = "Das Ergebnis ist gespeichert."
    if report.outcome is CheckOutcome.FAILED:
        message += " Ein Störungsticket ist angelegt."
    return go(request, f"/wartung/tickets/{number}", message)


@router.post("/tickets/{number}/leistung")
def save_work(request: Request, person: Do, session: StaffSession, number: str, data: Data) -> Response:
    """Capture the work; where it is charged follows from what was agreed. Sent twice it stays one entry."""
    ticket = _ticket(session, number)
    form = filled(WorkForm, data)
    if form.value is None:
        return _show(request, person, session, ticket, work=form, status_code=422)
    work = Work(
        key=f"W-{form.value.key}",
        technician_id=person.employee_id or 0,
        work_date=clock.today(),
        minutes=form.value.minutes,
        text=form.value.text,
        place=form.value.place,
        trips=form.value.trips,
    )
    entries = capture_work(session, ticket.id, work)
    told = ", ".join(f"{e.minutes} Minuten {'berechenbar' if e.billable else 'nicht berechenbar'}" for e in entries)
    return go(request, f"/wartung/tickets/{number}", f"Leistung erfasst: {told}.")


@router.post("/tickets/{number}/uebernehmen")
def take(request: Request, person: Do, session: StaffSession, number: str) -> Response:
    """Take the ticket over."""
    ticket = _ticket(session, number)
    if ticket.assignee_id != person.employee_id:
        session.add(
            TicketEvent(
                customer_id=ticket.customer_id,
                ticket_id=ticket.id,
                at=clock.now(),
                actor=person.actor,
                what="assigned",
                detail={},
            )
        )
    ticket.assignee_id = person.employee_id
    ticket.state = TicketState.OPEN if ticket.state is TicketState.NEW else ticket.state
    session.flush()
    return go(request, f"/wartung/tickets/{number}", f"Ticket {number} liegt jetzt bei Ihnen.")


@router.post("/tickets/{number}/abschliessen")
def finish(request: Request, person: Do, session: StaffSession, number: str) -> Response:
    """Resolve it; refused with the names of the dates that have no result."""
    del person
    ticket = _ticket(session, number)
    try:
        with session.begin_nested():
            finish_ticket(session, ticket.id)
    except DrehkreuzError as refusal:
        return go(request, f"/wartung/tickets/{number}", str(refusal), "danger")
    return go(request, "/wartung", f"Ticket {number} ist abgeschlossen.")


@router.get("/belege/{evidence_id}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_evidence(person: See, session: StaffSession, evidence_id: int) -> Response:
    """A screenshot from the archive, its hash checked."""
    del person
    row = session.get(CheckEvidence, evidence_id)
    if row is None:
        raise NotFoundError("Diesen Beleg gibt es nicht.")
    return archived_file(session, row.archive_key, row.file_name, row.content_type)
