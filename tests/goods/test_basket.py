"""Whatever lands in the basket is kept first; what one file tells of several deliveries, what a later one settles."""

import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import booking, differences, inbox, orders, reading, scanning
from models.goods import DeliveryLine, GoodsReceipt, GoodsReceiptLine, GoodsSerial
from models.plumbing import InboxItem, InboxState
from models.service_desk import Ticket, TicketState
from tasks import goods_receipt as tasks
from tests.goods import world

TWO_MESSAGES = (
    "UNB+UNOC:3+4012345000108:14+4012345000016:14+261102:0618+7712'"
    "UNH+1+DESADV:D:96A:UN'BGM+351+LS-1+9'RFF+ON:B-1'NAD+SU+L-FALKE::92'CPS+1'LIN+1++KAB-1:IN'QTY+12:3'UNT+8+1'"
    "UNH+2+DESADV:D:01B:UN'BGM+351+LS-2+9'RFF+ON:B-2'NAD+SU+L-FALKE::92'CPS+1'LIN+1++KAB-1:IN'QTY+12:2'UNT+8+2'"
    "UNZ+2+7712'"
)


def stock(session: Session, count: int = 5) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    cable = world.cable(session)
    world.order(session, supplier, customer, cable, count, number="B-1")
    world.order(session, supplier, customer, cable, 2, number="B-2", customer_order="KA-2")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("delivery_note", "LS\x00", "delivery_note enthält Steuerzeichen"),
        ("note", "a\x1bb", "note enthält Steuerzeichen"),
        ("lines", [{"product": "KAB-1", "quantity": 1, "serials": ["S\x00"]}], "lines.1.serials.1 enthält Steuerzeichen"),
        ("lines", [{"product": "KAB-1", "quantity": 1, "outstanding": 1e300}], "lines.1.outstanding ist keine mögliche Menge"),
        ("lines", [{"product": "KAB-1", "quantity": 1, "outstanding": -1}], "lines.1.outstanding darf nicht negativ sein"),
        ("lines", [{"product": "KAB-1", "quantity": "NaN"}], "lines.1.quantity ist keine mögliche Menge"),
        ("lines", [{"product": "KAB-1", "quantity": {}}], "lines.1.quantity ist keine Zahl"),
    ],
)
def test_what_no_database_can_keep_is_refused_in_words_and_kept_as_bytes(
    session: Session, field: str, value: object, said: str
) -> None:
    stock(session)
    told = {"supplier": "L-FALKE", "delivery_note": "LS-1", "lines": [{"product": "KAB-1", "quantity": 1}]} | {field: value}
    raw = json.dumps(told).encode()
    received = inbox.receive(session, raw)
    assert said in received.fault
    booked = booking.book(session, received.item_id)
    assert booked is not None
    assert said in booked.parked
    assert session.get_one(InboxItem, received.item_id).raw == raw


def test_a_fault_of_the_reader_itself_loses_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    stock(session)

    def broken(*_: object, **__: object) -> list[reading.Told]:
        session.execute(sa.text("SELECT 1/0"))
        raise AssertionError

    monkeypatch.setattr(inbox, "read", broken)
    received = inbox.receive(session, b"anything")
    assert received.new
    assert "Unerwarteter Fehler" in received.fault
    assert session.get_one(InboxItem, received.item_id).state is InboxState.WAITING


@pytest.mark.promise("S20")
@pytest.mark.promise("S21")
def test_several_advices_in_one_interchange_are_several_receipts(session: Session) -> None:
    stock(session)
    received = inbox.receive(session, TWO_MESSAGES.encode(), file_name="sammel.edi")
    booked = booking.book(session, received.item_id)
    assert booked is not None
    assert [each.key for each in (booked, *booked.others)] == ["L-FALKE/LS-1", "L-FALKE/LS-2"]
    assert session.scalars(sa.select(GoodsReceipt.delivery_note).order_by(GoodsReceipt.id)).all() == ["LS-1", "LS-2"]
    assert len([*booked.tickets, *booked.others[0].tickets]) == 2
    alone = world.told(session, world.line("KAB-1", 2, number="B-2"), note="LS-2")
    assert alone.again
    assert not inbox.receive(session, TWO_MESSAGES.encode(), file_name="anders.edi").new


@pytest.mark.promise("U27")
def test_a_rest_that_comes_later_settles_the_earlier_question(session: Session) -> None:
    stock(session)
    first = world.told(session, world.line("KAB-1", 3), note="LS-1")
    task = session.scalars(sa.select(Ticket).where(Ticket.number == first.question)).one()
    assert [int(order.open) for order in orders.still_open(session) if order.number == "B-1"] == [2]
    second = world.told(session, world.line("KAB-1", 1), note="LS-2")
    assert second.question
    assert task.state is not TicketState.CLOSED
    world.told(session, world.line("KAB-1", 1), note="LS-3")
    assert task.state is TicketState.CLOSED
    assert differences.open_of(session, second.receipt_id or 0) == []


def test_differences_that_no_customer_stands_behind_are_told_to_the_operator(session: Session) -> None:
    world.house_and_customer(session)
    world.supplier(session)
    booked = world.told(session, world.line("", 1, article="FREMD-1"))
    assert (booked.question, booked.unasked) == ("", 1)
    done = tasks.Done(booked=[booked])
    assert "1 Abweichungen klären" in str(tasks.tell(done))


def test_the_bin_is_on_the_line_however_it_was_told(session: Session) -> None:
    stock(session)
    world.told(session, world.line("KAB-1", 5, bin="R1-F3"))
    delivery = world.deliveries(session)[0]
    delivery.pick_list_key = "goods-pick-list/alt"
    line = world.lines(session, delivery)[0]
    assert line.bin == "R1-F3"
    row = session.scalars(sa.select(GoodsReceiptLine.id)).one()
    scanning.put_into_bin(session, delivery.receipt_id, row, " R2-F1 ")
    session.expire_all()
    assert session.scalars(sa.select(DeliveryLine.bin)).all() == ["R2-F1"]
    assert delivery.pick_list_key is None


def test_a_serial_is_the_same_in_small_letters(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 1)
    world.told(session, world.line("NB-1", 1, ["5cg12ab"]))
    delivery = world.deliveries(session)[0]
    assert scanning.count(session, delivery.receipt_id, "5CG12AB", "test").ok
    assert scanning.pick(session, delivery.id, "5CG12AB", "test").ok


def test_the_makers_identifier_before_a_serial_does_not_matter(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 3)
    world.told(session, world.line("NB-1", 3, ["5CG1234AB", "PF2ABCDE", "SPF2ABCDE"]))
    receipt = world.deliveries(session)[0].receipt_id
    for code in ("S5CG1234AB", "1S20XW004AGEPF2ABCDE", "SPF2ABCDE"):
        assert scanning.count(session, receipt, code, "test").ok, code
    again = scanning.count(session, receipt, "PF2ABCDE", "test")
    assert "schon gelesen" in again.text
    assert session.scalars(sa.select(GoodsSerial.serial).order_by(GoodsSerial.serial)).all() == [
        "5CG1234AB", "PF2ABCDE", "SPF2ABCDE",
    ]  # fmt: skip


def test_an_article_is_found_by_its_ean_with_and_without_leading_zeros(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.cable(session), 3)
    world.told(session, world.line("KAB-1", 3, ean="04012345000016"))
    delivery = world.deliveries(session)[0]
    for code in ("4012345000016", "04012345000016"):
        assert scanning.count(session, delivery.receipt_id, code, "test").ok, code
        assert scanning.pick(session, delivery.id, code, "test").ok, code
    assert not scanning.count(session, delivery.receipt_id, "4012345000023", "test").ok
