"""Kunden: the record that all departments see, Kontingente as of today, statistics, and the account managers' watch list."""

import datetime as dt
from decimal import Decimal
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from actions.customers import fit, standing, statistics
from kit import clock
from kit.errors import NotFoundError
from models.parties import Customer, PortalLevel
from portal import chart
from portal.modules import NavEntry, Section
from portal.pages import Crumb, page
from portal.paging import sliced
from portal.queries import customers
from portal.security.person import Person, StaffSession, need
from rules.month import Month

router = APIRouter()
NAV = (
    NavEntry(Section.CUSTOMERS, "Kunden", "/kunden", "building", ("stamm.sehen",), order=10, shortcut="k"),
    NavEntry(Section.CUSTOMERS, "Kontingente im Blick", "/kontingente", "hourglass", ("vertrag.sehen",), order=20),
    NavEntry(Section.CUSTOMERS, "Auswertung", "/auswertung", "chart-bar", ("vertrag.sehen",), order=30),
)
See = Annotated[Person, Depends(need("stamm.sehen"))]
SeeContracts = Annotated[Person, Depends(need("vertrag.sehen"))]
LIST = Crumb("Kunden", "/kunden")
PERIODS = (("3", "3 Monate"), ("6", "6 Monate"), ("12", "12 Monate"), ("24", "24 Monate"))


def found(session: Session, number: str) -> Customer:
    """The customer of that number. Raises: NotFoundError."""
    customer = session.scalar(sa.select(Customer).where(Customer.number == number))
    if customer is None:
        raise NotFoundError(f"Kunde {number}: gibt es nicht.")
    return customer


def crumbs(customer: Customer, *more: Crumb) -> tuple[Crumb, ...]:
    """The way to a page of this customer."""
    return (LIST, Crumb(customer.name, f"/kunden/{customer.number}" if more else ""), *more)


@router.get("/kunden")
def list_customers(
    request: Request, person: See, session: StaffSession, *, suche: str = "", betreuung: str = "", seite: int = 1
) -> Response:
    """All customers by name; account managers find their own with one click."""
    return page(
        request,
        "customers.html",
        crumbs=(LIST,),
        rows=customers.listed(session, seite, text=suche, manager=betreuung),
        managers=customers.account_managers(session),
        query={"suche": suche, "betreuung": betreuung},
        may_edit=person.may("stamm.pflegen"),
    )


@router.get("/kunden/{number}")
def show_customer(request: Request, person: See, session: StaffSession, number: str) -> Response:
    """The record: addresses, people, agreements, contracts, what happened lately, and where the Kontingente stand today."""
    customer = found(session, number)
    parts = customers.parts(session, customer)
    return page(
        request,
        "customer.html",
        crumbs=crumbs(customer),
        customer=customer,
        parts=parts,
        gaps=customers.missing(parts),
        standings=standing.as_of(session, customer.id, clock.today()),
        lately=customers.lately(session, customer.id),
        lines={c.id: customers.contract_lines(session, c) for c in parts.contracts},
        today=clock.today(),
        no_portal=PortalLevel.NONE,
        may_edit=person.may("stamm.pflegen"),
        may_contracts=person.may("vertrag.sehen"),
        may_open=person.may("dokument.sehen"),
    )


def _day(text: str) -> dt.date:
    try:
        return min(dt.date.fromisoformat(text), clock.today())
    except ValueError:
        return clock.today()


@router.get("/kontingente/{number}/{contract}")
def show_account(
    request: Request, person: See, session: StaffSession, *, number: str, contract: str, stand: str = "", seite: int = 0
) -> Response:
    """Where the time went: every booking with ticket, technician and balance, as of any day (S117)."""
    customer = found(session, number)
    day = _day(stand)
    account = standing.account(session, customer.id, contract, day)
    if account is None:
        raise NotFoundError(f"Kontingent {contract}: hat dieser Kunde nicht.")
    history = _balances(account, day)
    last_page = max(1, -(-len(account.lines) // 50))
    return page(
        request,
        "customer_account.html",
        crumbs=crumbs(customer, Crumb(f"Kontingent {contract}")),
        customer=customer,
        account=account,
        day=day,
        chart=chart.bars(history),
        lines=sliced(account.lines, seite or last_page),
        query={"stand": stand},
        may_contracts=person.may("vertrag.sehen"),
    )


def _balances(account: standing.Account, day: dt.date) -> list[tuple[str, Decimal]]:
    """Balance in hours at the end of the last twelve months, the day's own last."""
    month = Month.of(day)
    points = []
    for each in month.plus(-11).until(month):
        until = min(each.last_day, day)
        if until < day and not any(line.day <= until for line in account.lines):
            continue  # before the contract or its opening balance
        minutes = account.standing.opening + sum(line.minutes for line in account.lines if line.day <= until)
        points.append((f"{each.number:02}/{each.year % 100:02}", Decimal(minutes) / 60))
    return points


def _period(monate: str) -> int:
    return int(monate) if monate in dict(PERIODS) else 12


@router.get("/kunden/{number}/statistik")
def show_statistics(
    request: Request, person: SeeContracts, session: StaffSession, *, number: str, monate: str = "12"
) -> Response:
    """What the service of this customer costs and where it goes (S78), and the Kontingent that would fit (S116)."""
    del person
    customer = found(session, number)
    last = Month.of(clock.today())
    found_statistics = statistics.statistics(session, last, months=_period(monate), customer_id=customer.id)
    needs, suggested = fit.needs_without_contract(session, customer.id, last)
    return page(
        request,
        "customer_statistics.html",
        crumbs=crumbs(customer, Crumb("Statistik")),
        customer=customer,
        told=found_statistics,
        chart=chart.bars([(f"{m.number:02}/{m.year % 100:02}", net) for m, net in found_statistics.by_month]),
        periods=PERIODS,
        query={"monate": monate},
        needs=needs,
        suggested=suggested,
        has_kontingent=bool(standing.as_of(session, customer.id, clock.today())),
    )


@router.get("/auswertung")
def show_house(request: Request, person: SeeContracts, session: StaffSession, *, monate: str = "12") -> Response:
    """The same over all customers; work that nobody pays for by reason (S160)."""
    del person
    told = statistics.statistics(session, Month.of(clock.today()), months=_period(monate))
    return page(
        request,
        "house_statistics.html",
        crumbs=(Crumb("Auswertung"),),
        told=told,
        chart=chart.bars([(f"{m.number:02}/{m.year % 100:02}", net) for m, net in told.by_month]),
        periods=PERIODS,
        query={"monate": monate},
    )


@router.get("/kontingente")
def watch(request: Request, person: SeeContracts, session: StaffSession, *, wessen: str = "", seite: int = 1) -> Response:
    """Every Kontingent with its verdict: too tight and too generous first (S170-S172)."""
    own = wessen == "meine" or (wessen == "" and person.roles == ("account_manager",))
    rows = fit.watch_list(session, Month.of(clock.today()).plus(-1), account_manager_id=person.employee_id if own else None)
    return page(
        request,
        "kontingente.html",
        crumbs=(Crumb("Kontingente im Blick"),),
        rows=sliced(rows, seite),
        explanation=fit.explanation,
        counts={name: sum(row.advice.fit.value == name for row in rows) for name in ("too_tight", "too_generous")},
        query={"wessen": "meine" if own else "alle"},
    )
