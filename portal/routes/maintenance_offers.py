"""An offer and its acceptance: what the customer ticked, what it does before it is saved, and taking it back (S139, S140)."""

import datetime as dt
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from actions.maintenance.accepting import Acceptance, Effects, accept, preview_acceptance, preview_withdrawal, withdraw
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.contracts import Contract, ContractLine
from models.offers import Offer
from models.parties import Customer
from models.plumbing import ArchivedObject
from portal.forms import Data, Filled, Form, blank, filled
from portal.pages import Crumb, go, page
from portal.queries import maintenance as queries
from portal.routes.maintenance_updates import running_contracts
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/wartung/angebote")
Agree = Annotated[Person, Depends(need("wartung.vereinbaren"))]


class AcceptForm(Form):
    """Annahme eines Angebots."""

    by: str = Field(min_length=2, max_length=120)
    on: dt.date
    starts_on: dt.date
    setup: Literal["ja", ""] = ""
    updates: Literal["ja", ""] = ""
    contract: int | None = None
    technician: int | None = None
    save: Literal["ja", ""] = ""

    def acceptance(self) -> Acceptance:
        """What the customer has signed."""
        return Acceptance(
            by=self.by, on=self.on, setup=bool(self.setup), updates=bool(self.updates), starts_on=self.starts_on,
            contract_id=self.contract, technician_id=self.technician,
        )  # fmt: skip


def _offer(session: Session, number: str) -> tuple[Offer, Customer]:
    offer = session.scalar(sa.select(Offer).where(Offer.number == number))
    if offer is None:
        raise NotFoundError(f"Angebot {number}: gibt es nicht.")
    return offer, session.get_one(Customer, offer.customer_id)


def _crumbs(customer: Customer, number: str, *more: Crumb) -> tuple[Crumb, ...]:
    return (
        Crumb("Bedarfsanalysen", "/bedarf"), Crumb(customer.name, f"/bedarf/{customer.number}"),
        Crumb("Laufende Aktualisierung", f"/wartung/aktualisierung/{customer.number}"),
        Crumb(number, f"/wartung/angebote/{number}"), *more,
    )  # fmt: skip


def _page(
    request: Request, session: Session, number: str, form: Filled[Any] | None = None, *,
    effects: Effects | None = None, status_code: int = 200,
) -> Response:  # fmt: skip
    offer, customer = _offer(session, number)
    today = clock.today().isoformat()
    return page(
        request,
        "maintenance_offer.html",
        status_code=status_code,
        crumbs=_crumbs(customer, number),
        offer=offer,
        customer=customer,
        paper=session.scalars(sa.select(ArchivedObject).where(ArchivedObject.key == offer.archive_key)).one(),
        contract=session.get(Contract, offer.contract_id) if offer.contract_id else None,
        positions=session.scalars(sa.select(ContractLine).where(ContractLine.id.in_(offer.line_ids)).order_by(ContractLine.id)),
        contracts=running_contracts(session, customer.id),
        technicians=queries.technician_choices(session),
        form=form or blank(AcceptForm, on=today, starts_on=today),
        effects=effects,
    )


@router.get("/{number}")
def show_offer(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """One offer; open, with the form of its acceptance, else with what came of it."""
    del person
    return _page(request, session, number)


@router.post("/{number}")
def save_acceptance(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """Show what accepting does; with `save` do it. A second time is refused, it is accepted."""
    del person
    form = filled(AcceptForm, data)
    if form.value is None:
        return _page(request, session, number, form, status_code=422)
    told = form.value.acceptance()
    try:
        with session.begin_nested():
            if form.value.save:
                done = accept(session, number, told, clock.today())
                return go(request, f"/wartung/angebote/{number}", f"Angenommen. {' '.join(done.sentences)}")
            effects = preview_acceptance(session, number, told, clock.today())
    except DrehkreuzError as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        form.complain("", str(refusal))
        return _page(request, session, number, form, status_code=422)
    return _page(request, session, number, form, effects=effects)


@router.get("/{number}/zuruecknehmen")
def show_withdrawal(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """What taking the acceptance back would do."""
    del person
    back = f"/wartung/angebote/{number}"
    _, customer = _offer(session, number)
    try:
        effects = preview_withdrawal(session, number)
    except DrehkreuzError as refusal:
        return go(request, back, str(refusal), "danger")
    return page(
        request, "maintenance_offer_back.html", crumbs=_crumbs(customer, number, Crumb("Zurücknehmen")), effects=effects,
        back=back, number=number,
    )  # fmt: skip


@router.post("/{number}/zuruecknehmen")
def save_withdrawal(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """Take the acceptance back."""
    del person
    try:
        with session.begin_nested():
            done = withdraw(session, number)
    except NotFoundError:
        raise
    except DrehkreuzError as refusal:
        return go(request, f"/wartung/angebote/{number}", str(refusal), "danger")
    return go(request, f"/wartung/angebote/{number}", f"Zurückgenommen. {' '.join(done.sentences)}")
