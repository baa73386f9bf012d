"""An accepted offer becomes what the customer ticked, as it was shown, and can be taken back until something came of it (S140)."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.accepting import Acceptance, accept, preview_acceptance, preview_withdrawal, withdraw
from actions.maintenance.offers import Asked, make_offer
from kit import clock
from kit.errors import ConflictError, DrehkreuzError, UsageError
from models.contracts import Contract, ContractKind, ContractLine
from models.maintenance import AgreedCheck, DueDate
from models.offers import Offer
from models.parties import Customer
from tests import factories as make
from tests.maintenance.making import round_on

D = dt.date
TODAY, STARTS = D(2026, 1, 12), D(2026, 2, 1)
ASKED = Asked("Miet-Firewall Falkenau F40", Decimal(49), Decimal(290), Decimal("35.50"), "firewall", D(2026, 2, 28))


@pytest.fixture(autouse=True)
def _on_that_day(home: Path) -> None:
    clock.set_today(TODAY)


@pytest.fixture
def customer(session: Session) -> Customer:
    make.house(session)
    return make.customer(session)


def offered(session: Session, customer: Customer, asked: Asked = ASKED) -> Offer:
    make_offer(session, customer, asked)
    return session.scalars(sa.select(Offer).order_by(Offer.id.desc()).limit(1)).one()


def signed(**values: Any) -> Acceptance:
    return Acceptance(**{"by": "Karla Kontakt", "on": TODAY, "setup": False, "updates": False, "starts_on": STARTS} | values)


def held(session: Session) -> tuple[list[tuple[str, Decimal, bool]], list[str], int]:
    """Contract lines, plans, dates."""
    lines = session.execute(
        sa.select(ContractLine.text, ContractLine.unit_price, ContractLine.one_time).order_by(ContractLine.id)
    )
    plans = session.scalars(sa.select(AgreedCheck.check)).all()
    dates = session.scalar(sa.select(sa.func.count()).select_from(DueDate)) or 0
    return [tuple(line) for line in lines], list(plans), dates


@pytest.mark.promise("S139", "S140")
@pytest.mark.parametrize("setup", [False, True])
@pytest.mark.parametrize("updates", [False, True])
def test_only_what_was_ticked_is_booked_and_what_was_shown(
    session: Session, customer: Customer, *, setup: bool, updates: bool
) -> None:
    offer = offered(session, customer)
    told = signed(setup=setup, updates=updates)
    shown = preview_acceptance(session, offer.number, told, TODAY)
    assert held(session) == ([], [], 0), "showing books nothing"
    assert accept(session, offer.number, told, TODAY) == shown
    lines, plans, dates = held(session)
    assert [(price, once) for _, price, once in lines] == [
        (Decimal(49), False), *([(Decimal(290), True)] if setup else []), *([(Decimal("35.50"), False)] if updates else []),
    ]  # fmt: skip
    contract = session.scalars(sa.select(Contract)).one()
    assert (contract.kind, contract.starts_on, contract.number) == (ContractKind.RENTAL, STARTS, "MI-2026-000001")
    covered = session.scalars(sa.select(ContractLine.covered_asset_classes).order_by(ContractLine.id)).all()
    assert covered[0] == ["firewall"], "a rented firewall makes no other work free of charge"
    assert plans == (["Firewall: Firmware und Regeln prüfen – MI-2026-000001"] if updates else [])
    assert dates == len(shown.dates)
    assert all(day >= STARTS for day in shown.dates)
    assert bool(shown.dates) is updates


@pytest.mark.promise("S140")
def test_a_running_contract_takes_it_in_without_being_narrowed(session: Session, customer: Customer) -> None:
    running = make.contract(
        session, customer, kind=ContractKind.MANAGED, starts_on=D(2025, 1, 1), kontingent_hours_per_month=None,
        kontingent_hour_price=None,
    )  # fmt: skip
    session.add(
        ContractLine(
            customer_id=customer.id, contract_id=running.id, line="1", text="Alles", unit_price=Decimal(500),
            vat_rate=Decimal(19), covered_asset_classes=[],
        )
    )  # fmt: skip
    offer = offered(session, customer)
    told = accept(session, offer.number, signed(updates=True, contract_id=running.id), TODAY)
    assert told.sentences[0] == f"Vertrag {running.number} wird ergänzt, ab 01.02.2026."
    assert [line.line for line in session.scalars(sa.select(ContractLine).order_by(ContractLine.id))] == ["1", "2", "3"]
    assert not any(session.scalars(sa.select(ContractLine.covered_asset_classes)))
    withdraw(session, offer.number)
    assert [line.line for line in session.scalars(sa.select(ContractLine))] == ["1"]
    assert session.get_one(Contract, running.id) is running, "what was there before stays"


def test_an_acceptance_is_taken_back_as_it_was_shown_and_can_be_given_again(session: Session, customer: Customer) -> None:
    offer = offered(session, customer)
    accept(session, offer.number, signed(setup=True, updates=True), TODAY)
    shown = preview_withdrawal(session, offer.number)
    assert len(held(session)[0]) == 3, "showing takes nothing away"
    assert withdraw(session, offer.number) == shown
    assert held(session) == ([], [], 0)
    assert session.scalar(sa.select(sa.func.count()).select_from(Contract)) == 0
    with pytest.raises(ConflictError, match="nicht angenommen"):
        withdraw(session, offer.number)
    accept(session, offer.number, signed(), TODAY)
    with pytest.raises(ConflictError, match=r"seit dem 12\.01\.2026 angenommen"):
        accept(session, offer.number, signed(), TODAY)


def test_what_something_came_of_is_not_taken_back(session: Session, customer: Customer) -> None:
    offer = offered(session, customer)
    accept(session, offer.number, signed(updates=True), TODAY)
    clock.set_today(D(2026, 2, 5))
    assert round_on(session, D(2026, 2, 5)) == 1
    with pytest.raises(ConflictError, match="läuft schon"), session.begin_nested():
        withdraw(session, offer.number)
    other = offered(session, customer)
    accept(session, other.number, signed(on=D(2026, 2, 5), starts_on=D(2026, 2, 5)), D(2026, 2, 5))
    contract = session.get_one(Contract, other.contract_id)
    make_line = ContractLine(
        customer_id=customer.id, contract_id=contract.id, line="9", text="Zusatz", unit_price=Decimal(1), vat_rate=Decimal(19)
    )
    session.add(make_line)
    session.flush()
    with pytest.raises(ConflictError, match="wird schon verwendet"), session.begin_nested():
        withdraw(session, other.number)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"by": " "}, "wer für den Kunden unterschrieben"),
        ({"on": D(2026, 1, 13)}, "zwischen dem 12.01.2026 und heute"),
        ({"on": D(2026, 1, 11)}, "zwischen dem 12.01.2026 und heute"),
        ({"starts_on": D(2026, 1, 11)}, "nicht vor der Unterschrift"),
        ({"contract_id": 999_999}, "kann es nicht ergänzen"),
    ],
)
def test_what_cannot_be_signed_is_refused(session: Session, customer: Customer, values: dict[str, Any], why: str) -> None:
    offer = offered(session, customer)
    with pytest.raises(DrehkreuzError, match=why):
        preview_acceptance(session, offer.number, signed(**values), TODAY)


def test_an_offer_binds_as_long_as_it_says_and_only_to_what_it_offers(session: Session, customer: Customer) -> None:
    bare = offered(session, customer, Asked("Miet-Switch", Decimal(5), None, None, "network", TODAY))
    with pytest.raises(UsageError, match="»Aktualisierung« steht nicht darin"):
        accept(session, bare.number, signed(updates=True), TODAY)
    with pytest.raises(UsageError, match=r"galt bis zum 12\.01\.2026"):
        accept(session, bare.number, signed(on=D(2026, 1, 13)), D(2026, 1, 13))
    late = signed(on=TODAY)
    assert accept(session, bare.number, late, D(2026, 1, 20)).sentences, "signed in time, entered later"
