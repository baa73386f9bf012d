"""Wartung of the whole house: the next round before it runs, promise coverage, load, closing days."""

import datetime as dt
import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from actions.maintenance import closing_days
from actions.maintenance.coverage import KINDS, coverage
from actions.maintenance.load import year_load
from actions.maintenance.load_chart import load_svg
from actions.maintenance.planbook import Plan
from actions.maintenance.round import Range, checked_range, preview_round
from kit import clock
from kit.errors import DrehkreuzError, UsageError
from models.maintenance import CompanyDay
from models.parties import Customer
from models.plumbing import OutboxEvent
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.paging import sliced
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/wartung")
NAV = (
    NavEntry(Section.MAINTENANCE, "Nächste Runde", "/wartung/runde", "player-play", ("wartung.planen",), order=30),
    NavEntry(Section.MAINTENANCE, "Abdeckung", "/wartung/abdeckung", "shield-check", ("wartung.sehen",), order=40),
    NavEntry(Section.MAINTENANCE, "Auslastung", "/wartung/auslastung", "chart-bar", ("wartung.sehen",), order=50),
    NavEntry(Section.MAINTENANCE, "Betriebsruhe", "/wartung/betriebsruhe", "home", ("wartung.planen",), order=60),
)
See = Annotated[Person, Depends(need("wartung.sehen"))]
Decide = Annotated[Person, Depends(need("wartung.planen"))]
LIST = Crumb("Wartung", "/wartung")
ROUND_ROWS = 500
WAITS = "älter als der Nachholzeitraum; mit Zeitraum von Hand nachholen"


class ClosingForm(Form):
    """Betriebsruhetag."""

    day: dt.date
    name: str = Field(default="", max_length=80)
    save: Literal["ja", ""] = ""


class RoundForm(Form):
    """Zeitraum einer Runde von Hand."""

    first: dt.date | None = None
    last: dt.date | None = None


# ---------------------------------------------------------------- the next round


@router.get("/runde")
def show_round(request: Request, person: Decide, session: StaffSession, *, first: str = "", last: str = "") -> Response:
    """The tickets that the next round, or one over a range, would create."""
    del person
    today = clock.today()
    form = filled(RoundForm, FormData({"first": first, "last": last}))
    chosen = form.value or RoundForm()
    made, skipped, held = 0, 0, 0
    rows: list[tuple[Plan, list[dt.date], str, str]] = []
    span, refused = (
        Range(today, today, None),
        "" if form.value else "Der Zeitraum ist nicht lesbar; bitte wählen Sie zwei Tage.",
    )
    try:
        span = checked_range(today, chosen.first, chosen.last)
    except UsageError as refusal:
        refused = str(refusal)
    for part in () if refused else preview_round(session, span):
        made, skipped, held = made + len(part.tickets), skipped + len(part.skips), held + len(part.held)
        if len(rows) < ROUND_ROWS:
            rows += [(t.plan, t.dates, "Ticket", "") for t in part.tickets]
            rows += [(s.plan, [s.row.on], "ausgelassen", s.reason) for s in part.skips]
            rows += [(plan, [on], "wartet", WAITS) for plan, on in part.held]
    crumbs = (LIST, Crumb("Nächste Runde"))
    return page(
        request, "maintenance_round.html", crumbs=crumbs, rows=rows[:ROUND_ROWS], made=made, skipped=skipped, held=held,
        first=first, last=last, more=made + skipped + held > ROUND_ROWS, refused=refused,
        status_code=422 if refused else 200,
    )  # fmt: skip


@router.post("/runde")
def start_round(request: Request, person: Decide, session: StaffSession, data: Data) -> Response:
    """Ask for a round; the relay starts it."""
    form = filled(RoundForm, data)
    if form.value is None:
        return go(request, "/wartung/runde", "Der Zeitraum ist nicht lesbar.", "danger")
    try:
        checked_range(clock.today(), form.value.first, form.value.last)
    except UsageError as refusal:
        return go(request, "/wartung/runde", str(refusal), "danger")
    dates = {"first": form.value.first, "last": form.value.last}
    parameters = {name: day.isoformat() for name, day in dates.items() if day is not None}
    key = f"maintenance_round:{person.employee_id}:{secrets.token_hex(6)}"
    session.add(OutboxEvent(deployment="maintenance_round", parameters=parameters, key=key))
    return go(request, "/wartung", "Die Runde ist angestoßen; die Tickets erscheinen gleich.")


# ---------------------------------------------------------------- coverage, load, closing days


@router.get("/abdeckung")
def show_coverage(request: Request, person: See, session: StaffSession, *, art: str = "", seite: int = 1) -> Response:
    """What is promised and does not happen."""
    del person
    gaps = coverage(session, clock.today())
    counts = {kind: sum(gap.kind == kind for gap in gaps) for kind in KINDS}
    shown = [gap for gap in gaps if gap.kind == art] if art in KINDS else gaps
    crumbs = (LIST, Crumb("Abdeckung"))
    rows = sliced(shown, seite)
    names = select(Customer.number, Customer.name).where(Customer.number.in_({gap.customer for gap in rows.rows}))
    return page(
        request, "maintenance_coverage.html", crumbs=crumbs, gaps=rows, counts=counts, kinds=KINDS,
        names=dict(session.execute(names).tuples().all()), query={"art": art},
    )  # fmt: skip


@router.get("/auslastung")
def show_load(request: Request, person: See, session: StaffSession) -> Response:
    """The year ahead, by week and technician."""
    del person
    today = clock.today()
    load = year_load(session, today, today + dt.timedelta(days=364))
    overbooked = sorted((c for c in load.cells.values() if c.share > 1), key=lambda c: c.week)
    nobody = sum(c.dates for c in load.cells.values() if c.technician_id is None)
    crumbs = (LIST, Crumb("Auslastung"))
    chart = Markup(load_svg(load))  # noqa: S704 - our own drawing, every text escaped in it
    return page(request, "maintenance_load.html", crumbs=crumbs, chart=chart, load=load, overbooked=overbooked, nobody=nobody)


@router.get("/betriebsruhe")
def show_closing_days(request: Request, person: Decide, session: StaffSession) -> Response:
    """The house's own closing days from today on."""
    del person
    return _closing_page(request, session, blank(ClosingForm))


def _closing_page(
    request: Request,
    session: Session,
    form: Filled[Any],
    shifted: list[closing_days.ShiftedDate] | None = None,
    status_code: int = 200,
) -> Response:
    days = session.scalars(select(CompanyDay).where(CompanyDay.day >= clock.today()).order_by(CompanyDay.day)).all()
    crumbs = (LIST, Crumb("Betriebsruhe"))
    return page(
        request, "maintenance_closing.html", status_code=status_code, crumbs=crumbs, days=days, form=form, shifted=shifted
    )


@router.post("/betriebsruhe")
def change_closing_day(request: Request, person: Decide, session: StaffSession, data: Data) -> Response:
    """Show which dates would move; with `save` do it. Without a name the house opens again on that day."""
    del person
    form = filled(ClosingForm, data)
    if form.value is None:
        return _closing_page(request, session, form, status_code=422)
    act = closing_days.set_company_day if form.value.save else closing_days.preview_company_day
    try:
        with session.begin_nested():
            shifted = act(session, form.value.day, form.value.name or None, clock.today())
    except DrehkreuzError as refusal:
        form.complain("", str(refusal))
        return _closing_page(request, session, form, status_code=422)
    if form.value.save:
        return go(request, "/wartung/betriebsruhe", f"Gespeichert; {len(shifted)} Termine sind gerückt.")
    return _closing_page(request, session, form, shifted)
