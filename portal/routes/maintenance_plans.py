"""Wartungspläne: series and single dates, each change shown before it is saved."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.changes import (
    Change,
    EditPlan,
    EndSeries,
    MoveSeries,
    PauseSeries,
    ResumeSeries,
    change_plan,
    preview_change,
)
from actions.maintenance.dates import DateChange, DropDate, MoveDate, RestoreDate, assign_date, change_date, preview_date
from actions.maintenance.planbook import Plan, load_plans
from actions.maintenance.undo import history, preview_undo, undo
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.maintenance import AgreedCheck, DueDate
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import maintenance as queries
from portal.security.person import Person, StaffSession, need
from rules.cadence import Shift
from rules.cadence_choices import CHOICES, rule_of, words_of
from rules.cadence_text import CadenceError
from rules.catch_up import CatchUp
from rules.due_ledger import DueState

router = APIRouter(prefix="/wartung")
NAV = (NavEntry(Section.MAINTENANCE, "Pläne", "/wartung/plaene", "calendar-month", ("wartung.sehen",), order=20),)
See = Annotated[Person, Depends(need("wartung.sehen"))]
Decide = Annotated[Person, Depends(need("wartung.planen"))]
LIST = Crumb("Pläne", "/wartung/plaene")


class PlanForm(Form):
    """Änderung eines Plans; which fields count follows from `art`."""

    art: Literal["aussetzen", "weiter", "beenden", "verlegen", "bedingungen"]
    first: dt.date | None = None
    last: dt.date | None = None
    reason: str = Field(default="", max_length=300)
    cadence: str = Field(default="", max_length=200)
    technician: int | None = None
    minutes: int | None = Field(default=None, ge=1, le=1440)
    opens: dt.time | None = None
    closes: dt.time | None = None
    catch_up: CatchUp | None = None
    shift: Shift | None = None
    shown: str = Field(default="", max_length=64)

    def change(self) -> Change:
        """What is wanted. Raises: ValueError with a German sentence for a missing field."""
        if self.art == "bedingungen":
            if (self.opens is None) != (self.closes is None):
                raise ValueError("Bitte beide Zeiten des Wartungsfensters angeben, oder keine.")
            values: dict[str, Any] = {
                "technician_id": self.technician, "duration_minutes": self.minutes, "window_opens": self.opens,
                "window_closes": self.closes,
            }  # fmt: skip
            return EditPlan(values | {n: v for n, v in (("catch_up", self.catch_up), ("shift", self.shift)) if v is not None})
        if self.art == "beenden":
            return EndSeries(_needed(self.last, "Bitte den letzten Tag angeben."))
        first = _needed(self.first, "Bitte den Tag angeben, ab dem es gilt.")
        if self.art == "aussetzen":
            return PauseSeries(first, self.last, self.reason)
        return ResumeSeries(first) if self.art == "weiter" else MoveSeries(first, rule_of(self.cadence))


class DateForm(Form):
    """Änderung eines Termins."""

    art: Literal["verlegen", "auslassen", "ansetzen", "einteilen"]
    to: dt.date | None = None
    reason: str = Field(default="", max_length=300)
    technician: int | None = None

    def change(self) -> DateChange:
        """What is wanted. Raises: ValueError with a German sentence for a missing field."""
        if self.art == "ansetzen":
            return RestoreDate()
        if self.art == "auslassen":
            return DropDate(self.reason)
        return MoveDate(_needed(self.to, "Bitte den neuen Tag angeben."), self.reason)


def _needed(value: dt.date | None, complaint: str) -> dt.date:
    if value is None:
        raise ValueError(complaint)
    return value


# ---------------------------------------------------------------- plans


@router.get("/plaene")
def list_plans(
    request: Request, person: See, session: StaffSession, *, kunde: str = "", stand: str = "", seite: int = 1
) -> Response:
    """Plans by customer, with their next date."""
    del person
    rows = queries.plans(session, clock.today(), customer=kunde.strip(), state=stand, number=seite)
    return page(request, "maintenance_plans.html", crumbs=(LIST,), plans=rows, query={"kunde": kunde, "stand": stand})


def _plan(session: Session, plan_id: int) -> Plan:
    found = load_plans(session, [plan_id], load_catalogue(session))
    if not found:
        raise NotFoundError("Wartungsplan: gibt es nicht.")
    return found[0]


def _plan_page(
    request: Request, person: Person, session: Session, plan_id: int, *, form: Filled[Any] | None = None, status_code: int = 200
) -> Response:
    plan = _plan(session, plan_id)
    row = plan.row
    today = clock.today()
    known = blank(
        PlanForm, technician=row.technician_id or "", minutes=row.duration_minutes or "", opens=row.window_opens or "",
        closes=row.window_closes or "", catch_up=row.catch_up.value, shift=row.shift.value, cadence=words_of(row.cadence),
        first=today,
    )  # fmt: skip
    return page(
        request,
        "maintenance_plan.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(plan.title)),
        plan=plan,
        dates=queries.dates_of_plan(session, plan_id, today),
        today=today,
        form=form or known,
        technicians=queries.technician_choices(session),
        names=queries.employee_names(session),
        catch_ups=[(v.value, v) for v in CatchUp],
        shifts=[(v.value, v) for v in Shift],
        may_plan=person.may("wartung.planen"),
        intervals=list(CHOICES),
        changes=history(session, plan_id),
        follower=session.scalar(select(AgreedCheck.id).where(AgreedCheck.follows_id == plan_id)),
    )


@router.get("/plaene/{plan_id}")
def show_plan(request: Request, person: See, session: StaffSession, plan_id: int) -> Response:
    """One plan with its dates and what can be changed."""
    return _plan_page(request, person, session, plan_id)


@router.post("/plaene/{plan_id}/vorschau")
def preview_plan(request: Request, person: Decide, session: StaffSession, plan_id: int, data: Data) -> Response:
    """What the change would do, with the button that does exactly that."""
    form = filled(PlanForm, data)
    try:
        if form.value is None:
            return _plan_page(request, person, session, plan_id, form=form, status_code=422)
        preview = preview_change(session, plan_id, form.value.change(), clock.today())
    except (CadenceError, DrehkreuzError, ValueError) as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        form.complain("", str(refusal))
        return _plan_page(request, person, session, plan_id, form=form, status_code=422)
    return page(
        request,
        "maintenance_change.html",
        crumbs=(LIST, Crumb(_plan(session, plan_id).title, f"/wartung/plaene/{plan_id}"), Crumb("Vorschau")),
        preview=preview,
        fields={name: value for name, value in form.raw.items() if value not in (None, "")},
        back=f"/wartung/plaene/{plan_id}",
    )


@router.post("/plaene/{plan_id}/aendern")
def save_plan(request: Request, person: Decide, session: StaffSession, plan_id: int, data: Data) -> Response:
    """Carry out the change that was shown."""
    form = filled(PlanForm, data)
    back = f"/wartung/plaene/{plan_id}"
    if form.value is None or not form.value.shown:
        return _plan_page(request, person, session, plan_id, form=form, status_code=422)
    try:
        with session.begin_nested():
            done = change_plan(session, plan_id, form.value.change(), clock.today(), shown=form.value.shown)
    except (CadenceError, DrehkreuzError, ValueError) as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        return go(request, back, str(refusal), "danger")
    return go(request, back, f"{' '.join(done.sentences)} {done.summary}")


@router.get("/plaene/{plan_id}/zuruecknehmen")
def show_undo(request: Request, person: Decide, session: StaffSession, plan_id: int) -> Response:
    """What undoing the last change would do."""
    del person
    back = f"/wartung/plaene/{plan_id}"
    crumbs = (LIST, Crumb(_plan(session, plan_id).title, back), Crumb("Zurücknehmen"))
    try:
        preview = preview_undo(session, plan_id, clock.today())
    except DrehkreuzError as refusal:
        return go(request, back, str(refusal), "danger")
    return page(
        request, "maintenance_change.html", crumbs=crumbs, preview=preview, fields={}, back=back, act=f"{back}/zuruecknehmen"
    )


@router.post("/plaene/{plan_id}/zuruecknehmen")
def save_undo(request: Request, person: Decide, session: StaffSession, plan_id: int, data: Data) -> Response:
    """Undo the change as it was shown."""
    del person
    back = f"/wartung/plaene/{plan_id}"
    try:
        with session.begin_nested():
            done = undo(session, plan_id, clock.today(), shown=str(data.get("shown") or ""))
    except NotFoundError:
        raise
    except DrehkreuzError as refusal:
        return go(request, back, str(refusal), "danger")
    return go(request, back, f"{' '.join(done.sentences)} {done.summary}")


# ---------------------------------------------------------------- single dates


def _date_page(
    request: Request, person: Person, session: Session, due_id: int, *, form: Filled[Any] | None = None, status_code: int = 200
) -> Response:
    due = session.get(DueDate, due_id)
    if due is None:
        raise NotFoundError("Termin: gibt es nicht.")
    plan = _plan(session, due.agreed_check_id)
    return page(
        request,
        "maintenance_date.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(plan.title, f"/wartung/plaene/{plan.id}"), Crumb(f"{due.due_on:%d.%m.%Y}")),
        due=due,
        plan=plan,
        form=form or blank(DateForm, technician=due.technician_id or ""),
        planned=due.state is DueState.PLANNED,
        skipped=due.state is DueState.SKIPPED and due.due_on >= clock.today(),
        technicians=queries.technician_choices(session),
        names=queries.employee_names(session),
        may_plan=person.may("wartung.planen"),
        preview=None,
    )


@router.get("/termine/{due_id}")
def show_date(request: Request, person: See, session: StaffSession, due_id: int) -> Response:
    """One date."""
    return _date_page(request, person, session, due_id)


@router.post("/termine/{due_id}/vorschau")
def preview_one(request: Request, person: Decide, session: StaffSession, due_id: int, data: Data) -> Response:
    """What the change of one date would do."""
    form = filled(DateForm, data)
    try:
        if form.value is None:
            return _date_page(request, person, session, due_id, form=form, status_code=422)
        preview = preview_date(session, due_id, form.value.change(), clock.today())
    except (DrehkreuzError, ValueError) as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        form.complain("", str(refusal))
        return _date_page(request, person, session, due_id, form=form, status_code=422)
    return page(
        request,
        "maintenance_date_change.html",
        crumbs=(LIST, Crumb("Termin", f"/wartung/termine/{due_id}"), Crumb("Vorschau")),
        preview=preview,
        fields={name: value for name, value in form.raw.items() if value not in (None, "")},
        back=f"/wartung/termine/{due_id}",
    )


@router.post("/termine/{due_id}/aendern")
def save_one(request: Request, person: Decide, session: StaffSession, due_id: int, data: Data) -> Response:
    """Carry it out."""
    form = filled(DateForm, data)
    if form.value is None:
        return _date_page(request, person, session, due_id, form=form, status_code=422)
    try:
        with session.begin_nested():
            if form.value.art == "einteilen":
                due = assign_date(session, due_id, form.value.technician)
                return go(
                    request, f"/wartung/plaene/{due.agreed_check_id}", f"Der Termin am {due.due_on:%d.%m.%Y} ist eingeteilt."
                )
            done = change_date(session, due_id, form.value.change(), clock.today())
    except (DrehkreuzError, ValueError) as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        return go(request, f"/wartung/termine/{due_id}", str(refusal), "danger")
    plan_id = session.scalars(select(DueDate.agreed_check_id).where(DueDate.id == due_id)).one()
    return go(request, f"/wartung/plaene/{plan_id}", done.sentence)
