"""What a delivery records: whose device it is, under which contract, and what becomes of it when less came than was told."""

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets import coverage, recording
from actions.goods import checking, differences, scanning, shipping
from kit import clock
from models.assets import Asset, Licence, Owner
from models.catalogue import Product, ProductKind
from models.contracts import Contract, ContractKind, ContractLine
from models.goods import Delivery, GoodsReceipt, GoodsReceiptLine, Supplier
from models.parties import Customer
from tests import factories as make
from tests.goods import world

UNTRACKED = {"serial_tracked": False, "warranty_months": None}


def came(session: Session, product: Product, count: int, serials: list[str], note: str = "LS-1") -> Delivery:
    """The product is ordered, told and recorded."""
    customer = session.scalars(sa.select(Customer)).first() or world.house_and_customer(session)
    supplier = session.scalars(sa.select(Supplier)).first() or world.supplier(session)
    world.order(session, supplier, customer, product, count, number=f"B-{note}")
    world.told(session, world.line(product.code, count, serials, number=f"B-{note}"), note=note)
    delivery = world.deliveries(session, note)[0]
    recording.record(session, delivery.id)
    return delivery


def asset(session: Session, serial: str) -> Asset:
    return session.scalars(sa.select(Asset).where(Asset.serial == serial)).one()


def counted(session: Session, delivery: Delivery, count: int) -> None:
    """Somebody counts the only position and ends the check."""
    row = session.scalars(sa.select(GoodsReceiptLine).where(GoodsReceiptLine.receipt_id == delivery.receipt_id)).one()
    scanning.set_count(session, delivery.receipt_id, row.id, Decimal(count))
    checking.finish(session, delivery.receipt_id, "test")
    recording.record(session, delivery.id)


@pytest.mark.promise("S119")
@pytest.mark.promise("S139")
def test_the_first_rented_device_makes_its_contract_and_claims_nothing_else(session: Session) -> None:
    world.price(session, "FW")
    firewall = world.product(session, "FW-1", name="Miet-Firewall", kind=ProductKind.RENTAL, price_code="FW")
    came(session, firewall, 1, ["F1"])
    contract, line = session.scalars(sa.select(Contract)).one(), session.scalars(sa.select(ContractLine)).one()
    assert contract.kind is ContractKind.RENTAL
    assert line.covered_asset_classes == ["firewall"]
    assert (asset(session, "F1").owner, asset(session, "F1").contract_id) == (Owner.HOUSE, contract.id)
    came(session, world.product(session, "NB-1"), 1, ["N1"], note="LS-2")
    assert (asset(session, "N1").owner, asset(session, "N1").contract_id) == (Owner.CUSTOMER, None)


def test_a_contract_for_everything_is_not_narrowed_by_a_further_device(session: Session) -> None:
    customer = world.house_and_customer(session)
    rental = make.contract(session, customer, kind=ContractKind.RENTAL, starts_on=dt.date(2025, 1, 1))
    session.add(
        ContractLine(customer_id=customer.id, contract_id=rental.id, line="1", text="Miete", unit_price=Decimal(900),
                     quantity=Decimal(1), vat_rate=Decimal(19), covered_asset_classes=[])
    )  # fmt: skip
    session.flush()
    world.price(session, "FW")
    firewall = world.product(session, "FW-1", name="Miet-Firewall", kind=ProductKind.RENTAL, price_code="FW")
    came(session, firewall, 1, ["F1"])
    assert session.scalars(sa.select(ContractLine.covered_asset_classes)).all() == [[], []]
    assert asset(session, "F1").contract_id == rental.id


def test_a_rented_device_without_a_price_gets_its_contract_with_the_price(session: Session) -> None:
    firewall = world.product(session, "FW-1", name="Miet-Firewall", kind=ProductKind.RENTAL, price_code="FW")
    delivery = came(session, firewall, 1, ["F1"])
    assert (asset(session, "F1").owner, asset(session, "F1").contract_id) == (Owner.HOUSE, None)
    assert recording.missing(session, delivery.id)
    world.price(session, "FW")
    recording.retry_unpriced(session)
    recording.record(session, delivery.id)
    session.expire_all()
    assert asset(session, "F1").contract_id == session.scalars(sa.select(Contract.id)).one()


def test_the_address_decides_which_rental_contract_holds(session: Session) -> None:
    customer = world.house_and_customer(session)
    site = make.site(session, customer)
    rental = make.contract(session, customer, kind=ContractKind.RENTAL, starts_on=dt.date(2025, 1, 1), site_id=site.id)
    delivery = came(session, world.product(session, "NB-1"), 1, ["N1"])
    assert asset(session, "N1").owner is Owner.CUSTOMER
    shipping.send_to(session, delivery.id, site.code)
    assert (asset(session, "N1").owner, asset(session, "N1").contract_id) == (Owner.HOUSE, rental.id)
    assert asset(session, "N1").site_id == site.id
    shipping.send_to(session, delivery.id, "")
    assert (asset(session, "N1").owner, asset(session, "N1").contract_id) == (Owner.CUSTOMER, None)


@pytest.mark.promise("S22")
@pytest.mark.promise("S23")
def test_a_device_that_an_agent_told_first_is_completed_once_its_serial_is_settled(session: Session) -> None:
    customer = world.house_and_customer(session)
    session.add(Asset(customer_id=customer.id, inventory_no="A1", asset_class="notebook", serial="N1", bought_on=world.DAY))
    session.flush()
    delivery = came(session, world.product(session, "NB-1"), 1, ["N1"])
    assert scanning.pick(session, delivery.id, "N1", "test").ok
    shipping.pack(session, delivery.id, 1, "test")
    with pytest.raises(shipping.GateClosedError, match="noch nicht als Asset erfasst"):
        shipping.ship(session, delivery.id, "test")
    difference = differences.open_of(session, delivery.receipt_id)[0]
    differences.resolve(session, difference.id, "Das Gerät stand schon im Inventar", "test")
    shipping.ship(session, delivery.id, "test")
    known = asset(session, "N1")
    assert (known.inventory_no, known.bought_on, known.delivery_line_id) == (
        "A1",
        world.DAY,
        world.lines(session, delivery)[0].id,
    )
    assert known.warranty_until is not None
    assert known.delivered_on is not None


@pytest.mark.promise("S24")
def test_fewer_licences_than_told_are_fewer_licences(session: Session) -> None:
    licence = world.product(session, "LIC-1", kind=ProductKind.SOFTWARE, licence_months=12, **UNTRACKED)
    delivery = came(session, licence, 10, [])
    assert session.scalars(sa.select(Licence.count)).one() == 10
    counted(session, delivery, 7)
    assert session.scalars(sa.select(Licence.count)).one() == 7
    assert not recording.missing(session, delivery.id)


def test_no_licence_at_all_leaves_none_behind(session: Session) -> None:
    licence = world.product(session, "LIC-1", kind=ProductKind.SOFTWARE, licence_months=12, **UNTRACKED)
    counted(session, came(session, licence, 10, []), 0)
    assert session.scalars(sa.select(Licence)).all() == []


def test_a_service_that_did_not_come_is_not_billed(session: Session) -> None:
    world.price(session, "MEP", "4.90")
    managed = world.product(session, "MEP", kind=ProductKind.MANAGED_SERVICE, price_code="MEP", **UNTRACKED)
    delivery = came(session, managed, 7, [])
    counted(session, delivery, 4)
    assert session.scalars(sa.select(ContractLine.quantity)).one() == 4
    second = came(session, managed, 3, [], note="LS-2")
    counted(session, second, 0)
    assert session.scalars(sa.select(ContractLine.quantity).order_by(ContractLine.id)).all() == [4, 0]


@pytest.mark.promise("S83")
def test_from_the_first_day_together_every_delivered_device_is_an_asset(session: Session) -> None:
    customer = world.house_and_customer(session)
    delivery = came(session, world.product(session, "NB-1"), 2, ["N1", "N2"])
    came(session, world.cable(session), 5, [], note="LS-2")
    assert coverage.unrecorded(session) == []
    session.delete(asset(session, "N2"))
    session.flush()
    (gap,) = coverage.unrecorded(session, customer=customer.number)
    assert (gap.product, gap.delivery_note, gap.delivered, gap.recorded) == ("Notebook NB-1", "LS-1", 2, 1)
    received = session.scalars(sa.select(GoodsReceipt.received_at).where(GoodsReceipt.id == delivery.receipt_id)).one()
    customer.customer_since = clock.local(received).date()
    session.flush()
    assert len(coverage.unrecorded(session)) == 1  # the day itself counts
    customer.customer_since += dt.timedelta(days=1)
    session.flush()
    assert coverage.unrecorded(session) == []  # before the co-operation began


@pytest.mark.promise("S139")
def test_a_rented_device_with_a_setup_fee_has_a_monthly_and_a_single_line(session: Session) -> None:
    world.price(session, "FW", "49.00")
    world.price(session, "FW-EIN", "190.00")
    came(session, world.product(session, "FW-1", name="Miet-Firewall", kind=ProductKind.RENTAL, price_code="FW"), 1, ["F1"])
    setup = world.product(session, "FW-EIN", name="Einrichtung", kind=ProductKind.SERVICE, price_code="FW-EIN", **UNTRACKED)
    came(session, setup, 1, [], note="LS-2")
    sold = session.execute(sa.select(ContractLine.text, ContractLine.unit_price, ContractLine.one_time)).tuples().all()
    assert sorted(sold) == [("Einrichtung", Decimal("190.00"), True), ("Miet-Firewall", Decimal("49.00"), False)]
