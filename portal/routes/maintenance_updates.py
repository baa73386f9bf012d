"""The option "laufende Aktualisierung" of a contract: shown, then booked; it creates the maintenance schedule (S140)."""

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

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


def _customer(session: Session, number: str) -> Customer:
    found = session.scalar(sa.select(Customer).where(Customer.number == number))
    if found is None:
        raise NotFoundError(f"Kunde {number}: gibt es nicht.")
    return found


def _contracts(session: Session, customer_id: int) -> list[tuple[int, str]]:
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
    request: Request, session: Session, customer: Customer, form: Filled[Any], *, booking: Booking | None = None,
    status_code: int = 200,
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
        form=form,
        booking=booking,
        contracts=_contracts(session, customer.id),
        subjects=[(key, SUBJECTS[key]) for key in UPDATES],
        assets=[(row.id, f"{row.inventory_no} · {row.model or row.asset_class}") for row in assets],
        technicians=queries.technician_choices(session),
    )


@router.get("/{number}")
def show_updates(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """Which contract gets the option, and for what."""
    del person
    return _page(request, session, _customer(session, number), blank(UpdatesForm, subject="firewall"))


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
            if form.value.contract not in dict(_contracts(session, customer.id)):
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
