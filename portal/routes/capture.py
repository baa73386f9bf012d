"""Leistung erfassen: who, when, how long, what, where, charged or not and why (S17, S158)."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from actions import capture
from kit import clock
from kit.errors import DrehkreuzError
from models.work import Place, WorkKind
from portal.forms import Data, Filled, Form, blank, filled
from portal.labels import LABELS
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/erfassen")
NAV = (
    NavEntry(
        Section.SERVICE_DESK,
        "Leistung erfassen",
        "/erfassen",
        "plus",
        ("leistung.erfassen",),
        order=25,
        shortcut="e",
        bottom=True,
    ),
)
Do = Annotated[Person, Depends(need("leistung.erfassen"))]

PLACES = {"reason": "Begründung", "work_date": "Zukunft", "ticket": "Ticket"}
"""Which field a refusal speaks of, by its word."""


class WorkForm(Form):
    """One piece of work."""

    key: str = Field(pattern=r"^[0-9a-f]{12}$")
    ticket: str = Field(min_length=1, max_length=100)
    work_date: dt.date
    start: str = Field(default="", pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^$")
    minutes: int = Field(ge=1, le=1440)
    place: Place = Place.REMOTE
    trips: int = Field(default=0, ge=0, le=50)
    kind: WorkKind = WorkKind.STANDARD
    text: str = Field(min_length=1, max_length=5000)
    billable: Literal["ja", "nein"]
    reason: str = Field(default="", max_length=500)


def _page(request: Request, session: Session, person: Person, form: Filled[WorkForm], status_code: int = 200) -> Response:
    return page(
        request,
        "capture.html",
        status_code=status_code,
        crumbs=(Crumb("Leistung erfassen"),),
        form=form,
        tickets=capture.open_tickets(session, person.employee_id or 0),
        places=[(place.value, LABELS[Place][place.value]) for place in Place],
        kinds=[(kind.value, LABELS[WorkKind][kind.value]) for kind in WorkKind],
        reasons=capture.REASONS,
        today=clock.today(),
    )


@router.get("")
def empty(request: Request, person: Do, session: StaffSession, *, ticket: str = "") -> Response:
    """The form, ready for today; on an alarm it proposes what a false one costs: nothing (U26)."""
    alarm = capture.is_alarm(session, ticket)
    form = blank(
        WorkForm, key=uuid.uuid4().hex[:12], ticket=ticket, work_date=clock.today().isoformat(), place="remote", trips=0,
        kind="standard", billable="nein" if alarm else "ja", reason=capture.FALSE_ALARM if alarm else "",
    )  # fmt: skip
    return _page(request, session, person, form)


def _started(form: WorkForm) -> dt.datetime | None:
    if not form.start:
        return None
    at = dt.time.fromisoformat(form.start)
    return dt.datetime.combine(form.work_date, at, clock.BERLIN)


@router.post("")
def save(request: Request, person: Do, session: StaffSession, data: Data) -> Response:
    """Write it down; sent twice it stays one entry."""
    form = filled(WorkForm, data)
    if form.value is None:
        return _page(request, session, person, form, 422)
    told = form.value
    work = capture.Work(
        key=f"E-{told.key}", ticket=told.ticket.split(" ")[0], technician_id=person.employee_id or 0, work_date=told.work_date,
        minutes=told.minutes, text=told.text, started_at=_started(told), place=told.place, trips=told.trips, kind=told.kind,
        billable=told.billable == "ja", reason=told.reason,
    )  # fmt: skip
    try:
        with session.begin_nested():
            entries = capture.capture(session, work)
    except DrehkreuzError as refusal:
        form.complain(next((name for name, word in PLACES.items() if word in str(refusal)), ""), str(refusal))
        return _page(request, session, person, form, 422)
    minutes = sum(entry.minutes for entry in entries)
    return go(
        request, f"/leistungen/{entries[0].key}", f"Erfasst: {minutes} Minuten auf {work.ticket}. Sie warten auf Freigabe."
    )
