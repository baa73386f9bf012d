"""The option "laufende Aktualisierung": offered on paper, shown, then booked; it creates the maintenance schedule (S140)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from actions.maintenance import offers
from actions.maintenance.options import UPDATES, Booking, book_updates, preview_updates
from actions.maintenance.planbook import CONTRACT_NAMES
from kit import clock
from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.assets import Asset
from models.contracts import Contract, ContractKind
from models.parties import Customer
from portal.forms import Data, Filled, Form, blank, filled
from portal.pages import Crumb, go, page
from portal.queries import maintenance as queries
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/wartung/aktualisierung")
Agree = Annotated[Person, Depends(need("wartung.vereinbaren"))]
SUBJECTS = {"firewall": "Firewall", "server": "Server", "client": "Arbeitsplätze", "network": "Switches und WLAN"}


class UpdatesForm(Form):
    """Option laufende Aktualisierung."""

    contract: int
    subject: str = Field(max_length=40)
    asset: int | None = None
    technician: int | None = None
    save: Literal["ja", ""] = ""


Amount = Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]


class OfferForm(Form):
    """An offer with its options; amounts net, by the month or once. German commas are read."""

    title: str = Field(min_length=3, max_length=120)
    monthly: Amount
    setup: Amount | None = None
    updates: Amount | None = None
    offered: str = Field(default="firewall", max_length=40)
    valid_until: dt.date

    @field_validator("monthly", "setup", "updates", mode="before")
    @classmethod
    def _comma(cls, value: object) -> object:
        return value.replace(".", "").replace(",", ".") if isinstance(value, str) and "," in value else value


def _empty_offer() -> Filled[OfferForm]:
    until = clock.today() + dt.timedelta(days=30)
    return blank(OfferForm, offered="firewall", valid_until=until.isoformat())


def _customer(session: Session, number: str) -> Customer:
    found = session.scalar(sa.select(Customer).where(Customer.number == number))
    if found is None:
        raise NotFoundError(f"Kunde {number}: gibt es nicht.")
    return found


def running_contracts(session: Session, customer_id: int) -> list[tuple[int, str]]:
    """Running contracts that include work: a Kontingent includes none."""
    today = clock.today()
    rows = session.scalars(
        sa.select(Contract)
        .where(
            Contract.customer_id == customer_id,
            Contract.kind != ContractKind.KONTINGENT,
            sa.or_(Contract.ends_on.is_(None), Contract.ends_on >= today),
        )
        .order_by(Contract.number)
    )
    return [(row.id, f"{CONTRACT_NAMES[row.kind]} {row.number}") for row in rows]


def _page(
    request: Request, session: Session, customer: Customer, form: Filled[Any] | None = None, *,
    booking: Booking | None = None, offer: Filled[Any] | None = None, status_code: int = 200,
) -> Response:  # fmt: skip
    assets = session.scalars(sa.select(Asset).where(Asset.customer_id == customer.id).order_by(Asset.inventory_no).limit(500))
    crumbs = (
        Crumb("Bedarfsanalysen", "/bedarf"),
        Crumb(customer.name, f"/bedarf/{customer.number}"),
        Crumb("Laufende Aktualisierung"),
    )
    return page(
        request,
        "maintenance_updates.html",
        status_code=status_code,
        crumbs=crumbs,
        customer=customer,
        form=form or blank(UpdatesForm, subject="firewall"),
        booking=booking,
        offer=offer or _empty_offer(),
        offers=offers.offers_of(session, customer.id),
        contracts=running_contracts(session, customer.id),
        subjects=[(key, SUBJECTS[key]) for key in UPDATES],
        assets=[(row.id, f"{row.inventory_no} · {row.model or row.asset_class}") for row in assets],
        technicians=queries.technician_choices(session),
    )


@router.get("/{number}")
def show_updates(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """Which contract gets the option, and for what."""
    del person
    return _page(request, session, _customer(session, number))


@router.post("/{number}")
def book(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """Show the schedule that the option would create; with `save` create it. Twice is once."""
    del person
    customer = _customer(session, number)
    form = filled(UpdatesForm, data)
    if form.value is None:
        return _page(request, session, customer, form, status_code=422)
    try:
        with session.begin_nested():
            if form.value.contract not in dict(running_contracts(session, customer.id)):
                raise ConflictError(f"Kunde {number}: Diesen laufenden Vertrag gibt es nicht.")
            terms = (form.value.contract, form.value.subject, clock.today())
            asset, technician = form.value.asset, form.value.technician
            booking = preview_updates(session, *terms, asset_id=asset, technician_id=technician)
            if form.value.save:
                plan = book_updates(session, *terms, asset_id=asset, technician_id=technician)
                return go(request, f"/wartung/plaene/{plan.id}", f"Gebucht. {booking.sentence}")
    except DrehkreuzError as refusal:
        form.complain("", str(refusal))
        return _page(request, session, customer, form, status_code=422)
    return _page(request, session, customer, form, booking=booking)


@router.post("/{number}/angebot")
def offer(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """Number the offer, set it, keep it; then it is opened from the list."""
    del person
    customer = _customer(session, number)
    form = filled(OfferForm, data)
    if form.value is None:
        return _page(request, session, customer, offer=form, status_code=422)
    told = form.value
    asked = offers.Asked(told.title, told.monthly, told.setup, told.updates, told.offered, told.valid_until)
    try:
        with session.begin_nested():
            made = offers.make_offer(session, customer, asked)
    except DrehkreuzError as refusal:
        form.complain("", str(refusal))
        return _page(request, session, customer, offer=form, status_code=422)
    return go(request, f"/wartung/aktualisierung/{number}", f"Angebot {made.reference} liegt im Archiv.")
