"""Abrechnung: the months, and how far a released month is."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from actions.billing import corrections, overview, withdraw
from kit import clock
from kit.errors import ConflictError, NotFoundError
from kit.settings import settings
from models.billing import BillingRun, RunState
from portal.filters import month as month_name
from portal.modules import NavEntry, Section
from portal.pages import Crumb, fragment, go, is_partial, page
from portal.queries import billing, people
from portal.security.person import Person, StaffSession, need
from rules.month import Month

router = APIRouter(prefix="/abrechnung")
NAV = (
    NavEntry(
        Section.BILLING, "Monate", "/abrechnung", "receipt-euro", ("abrechnung.sehen",), order=10, shortcut="a", bottom=True
    ),
)
See = Annotated[Person, Depends(need("abrechnung.sehen"))]
Release = Annotated[Person, Depends(need("abrechnung.freigeben"))]
LIST = Crumb("Abrechnung", "/abrechnung")
BUSY = (RunState.RELEASED, RunState.RUNNING)


def month_of(month: str) -> Month:
    """The month in the address; there is no page for what is none."""
    try:
        return Month.parse(month)
    except ValueError:
        raise HTTPException(404) from None


Monat = Annotated[Month, Depends(month_of)]


def crumbs(month: Month, *more: Crumb) -> tuple[Crumb, ...]:
    """The way to a page of the month."""
    return (LIST, Crumb(month_name(month), f"/abrechnung/{month}"), *more)


def released(session: StaffSession, month: Month) -> BillingRun:
    """The released run of the month. Raises: NotFoundError."""
    run = billing.run_of(session, str(month))
    if run is None:
        raise NotFoundError(f"Rechnungslauf {month}: ist noch nicht freigegeben.")
    return run


@router.get("")
def list_months(request: Request, person: See, session: StaffSession) -> Response:
    """Released months, and the one that comes next."""
    del person
    runs = [run for run in overview.runs(session) if run.state != RunState.OPEN.value]
    known = {run.month for run in runs}
    current = Month.of(clock.today())
    due = current.plus(-1)
    return page(
        request,
        "runs.html",
        crumbs=(LIST,),
        runs=runs,
        names=people.names(session),
        due=None if str(due) in known else due,
        others=[month for back in range(-1, 12) if str(month := due.plus(-back)) not in known and month != due],
    )


@router.get("/monat")
def choose_month(person: See, monat: str = "") -> Response:
    """From the choice of a month to its page."""
    del person
    return RedirectResponse(f"/abrechnung/{month_of(monat)}", 303)


@router.get("/{month}")
def show_month(
    request: Request, person: See, session: StaffSession, month: Monat, *, seite: int = 1, suche: str = ""
) -> Response:
    """Progress and parts of a released month; an open one begins with its preview."""
    run = billing.run_of(session, str(month))
    if run is None:
        return RedirectResponse(f"/abrechnung/{month}/vorschau", 303)
    held = billing.blocked(session, run.id)
    values: dict[str, Any] = {
        "run": run,
        "month": month,
        "progress": billing.progress(session, run.id),
        "busy": run.state in BUSY,
        "grace": settings().report_grace_days,
        "blocked_parts": sum(1 for part in held if part.others),
    }
    if is_partial(request):
        return fragment("run.html", "stand", person=person, **values)
    return page(
        request,
        "run.html",
        crumbs=crumbs(month),
        blocked=held,
        blocked_count=sum(part.count for part in held),
        names=people.names(session),
        parts=billing.parts(session, run.id, seite, suche),
        query={"suche": suche},
        proposals=billing.open_proposals(session, str(month)),
        letters=billing.letters_to_print(session, run.id),
        **values,
    )


@router.post("/{month}/besuch")
def visit(
    request: Request,
    person: Annotated[Person, Depends(need("abrechnung.freigeben", "abrechnung.uebergeben"))],
    session: StaffSession,
    month: Monat,
) -> Response:
    """Start the next visit of the run: what can go on goes on, what is done stays."""
    del person
    released(session, month)
    corrections.visit_again(session, str(month), f"portal:{secrets.token_hex(6)}")
    return go(request, f"/abrechnung/{month}", "Der Lauf ist angestoßen. Der Stand erneuert sich hier von selbst.")


@router.get("/{month}/zurueckziehen/{number}")
def ask_withdraw(request: Request, person: Release, session: StaffSession, month: Monat, number: str) -> Response:
    """Ask before a customer is taken out of the month."""
    del person
    released(session, month)
    return page(
        request,
        "withdraw.html",
        crumbs=crumbs(month, Crumb(f"{number} zurückziehen")),
        month=month,
        number=number,
    )


@router.post("/{month}/zurueckziehen/{number}")
def do_withdraw(request: Request, person: Release, session: StaffSession, month: Monat, number: str) -> Response:
    """Take the customer out as long as nothing of it has a number."""
    del person
    try:
        freed = withdraw.withdraw_customer(session, month, number)
    except ConflictError as refusal:
        return go(request, f"/abrechnung/{month}", str(refusal), "danger")
    return go(request, f"/abrechnung/{month}", f"{number} ist zurückgezogen, {freed} Leistungen sind wieder frei.", "warning")
