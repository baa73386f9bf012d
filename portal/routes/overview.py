"""Übersicht: what waits for the person who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from kit import clock
from portal import chart
from portal.filters import MONTHS
from portal.modules import NavEntry, Section
from portal.pages import Crumb, page
from portal.queries import desk
from portal.security.person import Person, StaffSession, need
from rules.month import Month

router = APIRouter()
NAV = (
    NavEntry(
        Section.OVERVIEW, "Übersicht", "/uebersicht", "layout-dashboard", ("uebersicht.sehen",), shortcut="u", bottom=True
    ),
)


@router.get("/")
def home(person: Annotated[Person, Depends(need("uebersicht.sehen", "kunde.start"))]) -> Response:
    """To the first page of whoever it is."""
    return RedirectResponse("/uebersicht" if person.staff else "/start", 303)


@router.get("/uebersicht")
def overview(request: Request, person: Annotated[Person, Depends(need("uebersicht.sehen"))], session: StaffSession) -> Response:
    """Cards by right, tasks by role, the turnover of a year."""
    month = Month.of(clock.today()).plus(-1)
    may_bill = person.may("abrechnung.sehen")
    months = desk.turnover(session, month) if may_bill else []
    return page(
        request,
        "overview.html",
        crumbs=(Crumb("Übersicht"),),
        waiting=desk.waiting(session),
        returned=desk.own_returned(session, person.employee_id or 0),
        run=desk.month_state(session, month) if may_bill else None,
        tasks=desk.tasks(session, person.roles, per_page=8),
        turnover=chart.bars([(MONTHS[m.number - 1][:3], net) for m, net in months]) if any(n for _, n in months) else None,
        today=clock.today(),
        hour=clock.local(clock.now()).hour,
    )
