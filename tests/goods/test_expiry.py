"""What ends is told in time and once."""

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets import replacement
from actions.expiry import ledger
from kit.errors import ConflictError
from models.assets import Asset, ExpiryNotice, Licence, Owner, Replacement, ReplacementReason
from models.catalogue import ProductKind
from models.contracts import ContractKind
from models.parties import Customer
from models.service_desk import Message, Ticket, TicketKind, TicketState
from models.work import ServiceEntry
from rules.expiry import NoticeState, months_later, rental_end
from tests import factories as make
from tests.goods import world

TODAY = dt.date(2026, 11, 2)


def asset(session: Session, of: Customer, number: str, **values: object) -> Asset:
    row = Asset(customer_id=of.id, inventory_no=number, **{"asset_class": "firewall", "model": "Torwart 800"} | values)
    session.add(row)
    session.flush()
    return row


def round_of(session: Session, day: dt.date = TODAY) -> ledger.Told:
    ledger.write_ahead(session, day)
    told = ledger.Told()
    for customer in ledger.customers_due(session, day):
        one = ledger.tell(session, customer, day)
        told.notices += one.notices
        told.replacements += one.replacements
    return told


@pytest.mark.promise("S23")
@pytest.mark.promise("S24")
def test_warranties_and_licences_are_told_in_time_and_once(session: Session) -> None:
    customer = world.house_and_customer(session)
    software = world.product(session, "LIC", kind=ProductKind.SOFTWARE, serial_tracked=False, warranty_months=None)
    for number in range(3):
        asset(session, customer, f"A{number}", warranty_until=TODAY + dt.timedelta(days=59))
    asset(session, customer, "SPÄTER", warranty_until=TODAY + dt.timedelta(days=61))
    asset(session, customer, "VORBEI", warranty_until=TODAY - dt.timedelta(days=400))
    session.add(Licence(customer_id=customer.id, product_id=software.id, count=Decimal(7), expires_on=TODAY))
    session.flush()
    told = round_of(session)
    assert len(told.notices) == 2
    assert round_of(session).notices == []
    subjects = session.scalars(sa.select(Ticket.subject).order_by(Ticket.subject)).all()
    assert subjects == ["Garantie läuft ab: 3 ab 31.12.2026", "Lizenzen laufen ab am 02.11.2026"]
    assert any("7 Stück" in text for text in session.scalars(sa.select(Message.text)))
    assert len(round_of(session, TODAY + dt.timedelta(days=2)).notices) == 1
    states = session.scalars(sa.select(ExpiryNotice.state)).all()
    assert states.count(NoticeState.PAST) == 1


def test_an_end_that_moved_is_not_told_for_its_old_day(session: Session) -> None:
    customer = world.house_and_customer(session)
    row = asset(session, customer, "A1", warranty_until=TODAY + dt.timedelta(days=100))
    ledger.write_ahead(session, TODAY)
    row.warranty_until = TODAY + dt.timedelta(days=500)
    session.flush()
    assert round_of(session, TODAY + dt.timedelta(days=60)).notices == []
    assert set(session.scalars(sa.select(ExpiryNotice.state))) == {NoticeState.VOID, NoticeState.PLANNED}


def test_days_without_a_round_are_made_up(session: Session) -> None:
    customer = world.house_and_customer(session)
    asset(session, customer, "A1", warranty_until=TODAY + dt.timedelta(days=70))
    assert [ledger.write_ahead(session, TODAY) for _ in range(2)] == [1, 0]
    assert len(round_of(session, TODAY + dt.timedelta(days=25)).notices) == 1


@pytest.mark.promise("S142")
def test_a_rented_firewall_is_exchanged_before_its_firmware_ends(session: Session) -> None:
    customer = world.house_and_customer(session)
    rental = make.contract(session, customer, kind=ContractKind.RENTAL)
    ours = asset(
        session,
        customer,
        "FW1",
        owner=Owner.HOUSE,
        contract_id=rental.id,
        firmware_supported_until=TODAY + dt.timedelta(days=170),
    )
    asset(session, customer, "FW2", firmware_supported_until=TODAY + dt.timedelta(days=170))
    told = round_of(session)
    assert (len(told.replacements), len(told.notices)) == (1, 1)
    made = session.scalars(sa.select(Replacement)).one()
    assert (made.asset_id, made.reason) == (ours.id, ReplacementReason.TECHNOLOGY)
    ticket = session.get_one(Ticket, made.ticket_id)
    assert ticket.kind is TicketKind.REPLACEMENT
    assert round_of(session).replacements == []


def test_rented_devices_end_after_five_years(session: Session) -> None:
    customer = world.house_and_customer(session)
    bought = months_later(TODAY, -60 + 5)
    asset(session, customer, "PC1", owner=Owner.HOUSE, bought_on=bought)
    asset(session, customer, "PC2", owner=Owner.CUSTOMER, bought_on=bought)
    assert len(round_of(session).replacements) == 1
    assert session.scalars(sa.select(ExpiryNotice.ends_on)).one() == rental_end(bought)


@pytest.mark.promise("S123")
@pytest.mark.promise("S141")
def test_the_defect_of_a_rented_device_is_replaced_at_the_houses_cost(session: Session) -> None:
    customer = world.house_and_customer(session)
    rental = make.contract(session, customer, kind=ContractKind.RENTAL)
    old = asset(session, customer, "FW1", owner=Owner.HOUSE, contract_id=rental.id)
    made = replacement.start(session, old.id, ReplacementReason.DEFECT, text="bootet nicht", actor="test")
    assert replacement.start(session, old.id, ReplacementReason.DEFECT, actor="test").id == made.id
    ticket = session.get_one(Ticket, made.ticket_id)
    entry = make.entry(session, customer, make.employee(session), ticket)
    session.refresh(entry)
    assert (entry.billable, bool(entry.non_billable_reason)) == (False, True)
    new = asset(session, customer, "FW2")
    replacement.finish(session, old.id, "FW2", "test")
    assert (new.owner, new.contract_id, old.replaced_by_id, old.retired_on is not None) == (
        Owner.HOUSE,
        rental.id,
        new.id,
        True,
    )
    assert ticket.state is TicketState.RESOLVED
    assert session.scalars(sa.select(ServiceEntry.billable)).all() == [False]


def test_the_customers_own_device_is_not_replaced_at_the_houses_cost(session: Session) -> None:
    customer = world.house_and_customer(session)
    with pytest.raises(ConflictError, match="gehört dem Kunden"):
        replacement.start(session, asset(session, customer, "A").id, ReplacementReason.DEFECT, actor="test")


def test_a_mandate_that_was_not_used_for_three_years_is_told(session: Session) -> None:
    customer = world.house_and_customer(
        session, mandate_reference="M-1", mandate_signed_on=months_later(TODAY, -35), mandate_kind="core"
    )
    told = round_of(session)
    assert len(told.notices) == 1
    assert "M-1" in str(session.scalars(sa.select(Message.text)).one())
    assert customer.mandate_reference == "M-1"
