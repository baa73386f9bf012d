"""The shipping gate is in the database: whatever a program does, nothing leaves unrecorded (S22)."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.assets import recording
from actions.goods import checking, scanning, shipping
from kit import clock
from kit.errors import ConflictError
from models.assets import Asset
from models.goods import Delivery, DeliveryLine, DeliveryState, GoodsSerial
from models.service_desk import Ticket, TicketState
from tests import factories as make
from tests.goods import world

pytestmark = pytest.mark.promise("S22")


def told(session: Session, serials: list[str] | None = None, count: int = 2) -> Delivery:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), count)
    world.told(session, world.line("NB-1", count, world.serials("S", count) if serials is None else serials))
    return world.deliveries(session)[0]


def picked(session: Session, delivery: Delivery) -> None:
    session.execute(sa.update(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id).values(picked=DeliveryLine.quantity))


def shipped_by_force(session: Session, delivery: Delivery) -> str:
    statement = (
        sa.update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(state=DeliveryState.SHIPPED, number="LS-X", shipped_at=clock.now())
    )
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(statement)
    return str(refusal.value.orig)


def test_the_database_refuses_while_a_device_is_not_recorded(session: Session) -> None:
    delivery = told(session)
    picked(session, delivery)
    assert "shipping gate" in shipped_by_force(session, delivery)
    recording.record(session, delivery.id)
    session.execute(sa.delete(Asset).where(Asset.serial == "S00002"))
    assert "NB-1" in shipped_by_force(session, delivery)


def test_the_database_refuses_what_is_not_picked_or_empty(session: Session) -> None:
    delivery = told(session)
    recording.record(session, delivery.id)
    assert "shipping gate" in shipped_by_force(session, delivery)
    session.execute(sa.update(DeliveryLine).values(quantity=0))
    assert "empty" in shipped_by_force(session, delivery)


def test_what_has_left_stays_recorded(session: Session) -> None:
    delivery = told(session)
    for serial in ("S00001", "S00002"):
        assert scanning.pick(session, delivery.id, serial, "test").ok
    shipping.pack(session, delivery.id, 1, "test")
    shipping.ship(session, delivery.id, "test")
    for statement in (
        sa.delete(Asset).where(Asset.serial == "S00001"),
        sa.update(Asset).where(Asset.serial == "S00001").values(delivery_line_id=None),
        sa.update(DeliveryLine).values(quantity=1),
        sa.update(Delivery).values(state=DeliveryState.PACKED),
    ):
        with pytest.raises(DBAPIError, match="frozen"), session.begin_nested():
            session.execute(statement)
    shipping.ship(session, delivery.id, "test")
    assert session.get_one(Ticket, delivery.ticket_id).state is TicketState.CLOSED


def test_an_untold_serial_opens_the_gate_once_it_is_read(session: Session) -> None:
    delivery = told(session, serials=["S00001"])
    line = world.lines(session, delivery)[0]
    scanning.pick(session, delivery.id, "S00001", "test")
    assert not scanning.pick(session, delivery.id, "NEU-1", "test").ok
    assert scanning.pick(session, delivery.id, "NB-1", "test").line_id == line.id
    assert scanning.pick(session, delivery.id, "NEU-1", "test", line.id).ok
    shipping.pack(session, delivery.id, 1, "test")
    shipping.ship(session, delivery.id, "test")
    serials = session.scalars(sa.select(Asset.serial).where(Asset.delivery_line_id == line.id).order_by(Asset.id)).all()
    assert serials == ["S00001", "NEU-1"]


def test_a_serial_that_is_not_there_is_nobodys_asset(session: Session) -> None:
    delivery = told(session)
    recording.record(session, delivery.id)
    scanning.count(session, delivery.receipt_id, "S00001", "test")
    found = checking.finish(session, delivery.receipt_id, "test")
    assert len(found) == 1
    assert session.scalars(sa.select(Asset.serial)).all() == ["S00001"]
    assert session.scalars(sa.select(GoodsSerial.missing).order_by(GoodsSerial.id)).all() == [False, True]
    assert [int(line.quantity) for line in world.lines(session, delivery)] == [1]


def test_nothing_there_closes_the_ticket_and_leaves_the_order_open(session: Session) -> None:
    delivery = told(session, count=1)
    row = session.scalars(sa.select(GoodsSerial.receipt_line_id)).one()
    scanning.set_count(session, delivery.receipt_id, row, Decimal(0))
    checking.finish(session, delivery.receipt_id, "test")
    session.refresh(delivery)
    assert delivery.state is DeliveryState.VOID
    assert session.get_one(Ticket, delivery.ticket_id).state is TicketState.CLOSED
    assert world.told(session, world.line("NB-1", 1, ["S9"]), note="LS-2").tickets


def test_equal_pieces_of_two_orders_may_be_exchanged_at_the_shelf(session: Session) -> None:
    first, second = world.house_and_customer(session), make.customer(session)
    supplier, notebook = world.supplier(session), world.product(session, "NB-1")
    world.order(session, supplier, first, notebook, 1, line="1", customer_order="KA-1")
    world.order(session, supplier, second, notebook, 1, line="2", customer_order="KA-2")
    world.told(session, world.line("NB-1", 2, ["S1", "S2"], number=""))
    mine, theirs = world.deliveries(session)
    for delivery in (mine, theirs):
        recording.record(session, delivery.id)
    assert scanning.pick(session, mine.id, "S2", "test").ok
    assert scanning.pick(session, theirs.id, "S1", "test").ok
    assert not scanning.pick(session, theirs.id, "S2", "test").ok
    for delivery in (mine, theirs):
        shipping.pack(session, delivery.id, 1, "test")
        shipping.ship(session, delivery.id, "test")
    owners = dict(session.execute(sa.select(Asset.serial, Asset.customer_id)).tuples().all())
    assert owners == {"S2": first.id, "S1": second.id}


@pytest.mark.promise("S35")
def test_goods_go_only_to_sites_that_take_them(session: Session) -> None:
    delivery = told(session)
    from models.parties import Customer

    customer = session.get_one(Customer, delivery.customer_id)
    good, closed = make.site(session, customer), make.site(session, customer, receives_goods=False)
    shipping.send_to(session, delivery.id, good.code)
    assert delivery.site_id == good.id
    with pytest.raises(ConflictError, match="nimmt keine Ware"):
        shipping.send_to(session, delivery.id, closed.code)
