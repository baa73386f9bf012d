"""From the basket to the ticket."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets import recording
from actions.goods import booking, checking, differences, inbox, orders
from kit.errors import ConflictError, DrehkreuzError
from models.access import ApiToken
from models.assets import Asset, Licence, Owner
from models.catalogue import ProductKind
from models.contracts import Contract, ContractKind, ContractLine
from models.goods import GoodsDifference, GoodsReceipt, GoodsSerial, SupplierArticle
from models.plumbing import InboxItem, InboxState, OutboxEvent
from models.service_desk import Ticket, TicketKind
from rules.expiry import months_later
from rules.receiving import DifferenceKind
from tests import factories as make
from tests.goods import world


def tickets(session: Session, kind: TicketKind = TicketKind.PICK_AND_PACK) -> list[Ticket]:
    return list(session.scalars(sa.select(Ticket).where(Ticket.kind == kind).order_by(Ticket.id)))


def kinds(session: Session) -> list[DifferenceKind]:
    return list(session.scalars(sa.select(GoodsDifference.kind).order_by(GoodsDifference.id)))


@pytest.mark.promise("S20")
@pytest.mark.promise("S21")
def test_one_ticket_per_receipt_and_customer_order(session: Session) -> None:
    first, second = world.house_and_customer(session), make.customer(session)
    supplier, notebook, cable = world.supplier(session), world.product(session, "NB-1"), world.cable(session)
    world.order(session, supplier, first, notebook, 2, line="1", customer_order="KA-1")
    world.order(session, supplier, first, cable, 5, line="2", customer_order="KA-1")
    world.order(session, supplier, first, cable, 3, line="3", customer_order="KA-2")
    world.order(session, supplier, second, cable, 4, line="4", customer_order="KA-3")
    booked = world.told(
        session,
        world.line("NB-1", 2, ["S1", "S2"], of="1"),
        world.line("KAB-1", 5, of="2"),
        world.line("KAB-1", 3, of="3"),
        world.line("KAB-1", 4, of="4"),
    )
    assert booked.tickets == [t.number for t in tickets(session)]
    made = world.deliveries(session)
    assert [(d.customer_id, d.customer_order, len(world.lines(session, d))) for d in made] == [
        (first.id, "KA-1", 2),
        (first.id, "KA-2", 1),
        (second.id, "KA-3", 1),
    ]
    assert {t.role for t in tickets(session)} == {"materials"}
    assert not booked.question
    assert not kinds(session)


def test_the_same_telling_twice_changes_nothing(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.cable(session), 5)
    raw = world.receipt_bytes(world.line("KAB-1", 5))
    first, again = inbox.receive(session, raw), inbox.receive(session, raw)
    assert (first.new, again.new, again.item_id) == (True, False, first.item_id)
    booking.book(session, first.item_id)
    assert booking.book(session, first.item_id) is None
    assert not inbox.receive(session, raw).new
    assert len(tickets(session)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) == 1


def test_told_by_another_way_it_is_the_same_delivery(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 2)
    world.told(session, world.line("NB-1", 2))
    assert kinds(session) == [DifferenceKind.SERIAL_MISSING]
    later = inbox.receive(session, world.receipt_bytes(world.line("NB-1", 2, ["S1", "S2"])), file_name="avis.json")
    assert not later.new
    waiting = inbox.waiting(session)
    assert len(waiting) == 1
    booked = booking.book(session, waiting[0])
    assert booked is not None
    assert booked.again
    assert not booked.question
    assert session.scalar(sa.select(sa.func.count()).select_from(GoodsReceipt)) == 1
    assert len(tickets(session)) == 1
    line = world.lines(session, world.deliveries(session)[0])[0]
    held = session.scalars(
        sa.select(GoodsSerial.serial).where(GoodsSerial.delivery_line_id == line.id).order_by(GoodsSerial.id)
    )
    assert held.all() == ["S1", "S2"]


def test_the_same_delivery_note_with_other_content_is_asked_about(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.cable(session), 9)
    world.told(session, world.line("KAB-1", 5, outstanding=4))
    inbox.receive(session, world.receipt_bytes(world.line("KAB-1", 9)))
    booked = booking.book(session, inbox.waiting(session)[0])
    assert booked is not None
    assert booked.question
    assert kinds(session) == [DifferenceKind.TOLD_OTHERWISE]
    assert [line.quantity for line in world.lines(session, world.deliveries(session)[0])] == [5]


@pytest.mark.promise("U27")
def test_a_partial_delivery_leaves_the_rest_open_and_visible(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.cable(session), 5)
    assert not world.told(session, world.line("KAB-1", 3, outstanding=2)).question
    assert [(o.number, int(o.ordered), int(o.open)) for o in orders.still_open(session)] == [("B-1", 5, 2)]
    second = world.told(session, world.line("KAB-1", 2), note="LS-2")
    assert len(second.tickets) == 1
    assert not second.question
    assert orders.still_open(session) == []
    assert len(tickets(session)) == 2


def test_differences_become_one_task_with_the_list(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "PC-1"), 6, line="1")
    world.order(session, supplier, customer, world.cable(session), 2, line="2")
    booked = world.told(
        session,
        world.line("PC-1", 5, world.serials("P", 5), of="1"),
        world.line("KAB-1", 3, of="2"),
        world.line("", 2, article="TAS-99", text="Notebooktasche", of="9"),
        world.line("KAB-1", 1, number="B-999"),
    )
    assert set(kinds(session)) == {
        DifferenceKind.OVER_DELIVERY,
        DifferenceKind.UNKNOWN_ARTICLE,
        DifferenceKind.UNKNOWN_ORDER,
        DifferenceKind.UNDER_DELIVERY,
    }
    task = session.scalars(sa.select(Ticket).where(Ticket.number == booked.question)).one()
    assert (task.kind, task.role) == (TicketKind.TASK, "materials")
    assert booked.receipt_id is not None
    for difference in differences.open_of(session, booked.receipt_id):
        differences.resolve(session, difference.id, "mit dem Lieferanten geklärt", "test")
    assert task.closed_at is not None


def test_an_unknown_article_is_learned_and_laid_against_the_order(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 1)
    booked = world.told(session, world.line("", 1, ["S1"], article="4711-X"))
    assert not booked.tickets
    line_id = session.scalars(sa.select(GoodsDifference.line_id)).one()
    assert line_id is not None
    new = checking.name_article(session, line_id, "nb-1", "test")
    assert len(new) == 1
    assert not differences.open_of(session, booked.receipt_id or 0)
    assert session.scalars(sa.select(SupplierArticle.article)).all() == ["4711-X"]


def test_an_unreadable_file_is_kept_parked_and_can_be_replayed(session: Session) -> None:
    received = inbox.receive(session, b"\x00\x01 keine Datei, die jemand lesen kann", file_name="avis.bin")
    booked = booking.book(session, received.item_id)
    assert booked is not None
    assert booked.parked
    item = session.get_one(InboxItem, received.item_id)
    assert (item.state, bool(item.reason), item.raw is not None) == (InboxState.PARKED, True, True)
    inbox.replay(session, item.id)
    assert inbox.waiting(session) == [item.id]
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) == 2


def test_an_unknown_supplier_is_parked_until_he_is_known(session: Session) -> None:
    customer = world.house_and_customer(session)
    booked = world.told(session, world.line("KAB-1", 1), of="L-NEU")
    assert "nicht bekannt" in booked.parked
    world.order(session, world.supplier(session, "L-NEU"), customer, world.cable(session), 1)
    item = session.scalars(sa.select(InboxItem)).one()
    inbox.replay(session, item.id)
    again = booking.book(session, item.id)
    assert again is not None
    assert len(again.tickets) == 1


def test_an_event_waits_for_its_advice_and_is_filled_by_it(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.cable(session), 1)
    told = inbox.nudge(session, "L-FALKE/LS-1")
    assert told is not None
    assert told.new
    booked = booking.book(session, told.item_id)
    assert booked is not None
    assert "fehlt" in booked.parked
    filled = inbox.receive(session, world.receipt_bytes(world.line("KAB-1", 1)))
    assert filled.item_id == told.item_id
    again = booking.book(session, told.item_id)
    assert again is not None
    assert len(again.tickets) == 1
    assert inbox.nudge(session, "L-FALKE/LS-1") is None


def test_an_idempotency_key_is_one_request(session: Session) -> None:
    world.supplier(session)
    token = ApiToken(name="Lager", token_sha256=b"x" * 32, scopes=["warehouse"])
    session.add(token)
    session.flush()
    raw = world.receipt_bytes(world.line("KAB-1", 1))
    first = inbox.receive_request(session, token.id, "k1", raw, content_type="application/json")
    again = inbox.receive_request(session, token.id, "k1", raw, content_type="application/json")
    assert (first.new, again.new, first.item_id == again.item_id) == (True, False, True)
    with pytest.raises(ConflictError, match="anderen Meldung"):
        inbox.receive_request(session, token.id, "k1", raw + b" ", content_type="application/json")


def test_empty_and_huge_files_are_refused(session: Session) -> None:
    with pytest.raises(DrehkreuzError, match="leer"):
        inbox.receive(session, b" \n")
    with pytest.raises(inbox.TooLargeError, match="zu viel"):
        inbox.receive(session, b"x" * (inbox.SIZE_LIMIT + 1))


def test_serials_twice_or_known_are_told(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 5)
    world.told(session, world.line("NB-1", 1, ["S1"], outstanding=4))
    world.told(session, world.line("NB-1", 2, ["S1", "S2"], outstanding=2), note="LS-2")
    assert kinds(session) == [DifferenceKind.SERIAL_KNOWN]
    world.told(session, world.line("NB-1", 2, ["S3", "S3"]), note="LS-3")
    assert kinds(session)[1:] == [DifferenceKind.SERIAL_TWICE, DifferenceKind.SERIAL_MISSING]


@pytest.mark.promise("S22")
@pytest.mark.promise("S23")
@pytest.mark.promise("S82")
@pytest.mark.promise("U28")
def test_what_is_tracked_becomes_an_asset_with_its_warranty(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.order(session, supplier, customer, world.product(session, "NB-1"), 2, line="1")
    world.order(
        session, supplier, customer, world.product(session, "KVM-1", serial_tracked=False, warranty_months=12), 2, line="2"
    )
    world.order(session, supplier, customer, world.cable(session), 4, line="3")
    world.told(
        session, world.line("NB-1", 2, ["S1", "S2"], of="1"), world.line("KVM-1", 2, of="2"), world.line("KAB-1", 4, of="3")
    )
    delivery = world.deliveries(session)[0]
    done = recording.record(session, delivery.id)
    assert done is not None
    assert (done.assets, done.licences) == (4, 0)
    assert recording.record(session, delivery.id) is None
    assets = session.scalars(sa.select(Asset).order_by(Asset.id)).all()
    assert [(a.serial, a.owner, a.asset_class) for a in assets[:2]] == [
        ("S1", Owner.CUSTOMER, "notebook"),
        ("S2", Owner.CUSTOMER, "notebook"),
    ]
    start = assets[0].warranty_from
    assert start is not None
    assert assets[0].warranty_until == months_later(start, 36)
    assert len({a.inventory_no for a in assets}) == 4


@pytest.mark.promise("S119")
def test_a_rented_device_is_the_houses(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    rental = make.contract(session, customer, kind=ContractKind.RENTAL, starts_on=dt.date(2025, 1, 1))
    world.order(session, supplier, customer, world.product(session, "NB-1"), 1)
    world.told(session, world.line("NB-1", 1, ["S1"]))
    recording.record(session, world.deliveries(session)[0].id)
    asset = session.scalars(sa.select(Asset)).one()
    assert (asset.owner, asset.contract_id) == (Owner.HOUSE, rental.id)


@pytest.mark.promise("S24")
@pytest.mark.promise("S82")
def test_software_and_services_become_licences_and_contract_lines(session: Session) -> None:
    customer, supplier = world.house_and_customer(session), world.supplier(session)
    world.price(session, "MEP", "4.90")
    common = {"serial_tracked": False, "warranty_months": None}
    licence = world.product(session, "LIC-1", kind=ProductKind.SOFTWARE, licence_months=12, **common)
    managed = world.product(session, "MEP", kind=ProductKind.MANAGED_SERVICE, price_code="MEP", **common)
    unpriced = world.product(session, "RZ", kind=ProductKind.SERVICE, **common)
    for number, (what, count) in enumerate(((licence, 5), (managed, 7), (unpriced, 1)), 1):
        world.order(session, supplier, customer, what, count, line=str(number))
    world.told(session, world.line("LIC-1", 5, of="1"), world.line("MEP", 7, of="2"), world.line("RZ", 1, of="3"))
    delivery = world.deliveries(session)[0]
    recording.record(session, delivery.id)
    row = session.scalars(sa.select(Licence)).one()
    assert row.count == 5
    assert row.expires_on is not None
    line = session.scalars(sa.select(ContractLine)).one()
    assert (int(line.quantity or 0), str(line.unit_price), line.product_id) == (7, "4.9000", managed.id)
    assert session.scalars(sa.select(Contract.kind)).one() is ContractKind.MANAGED
    question = session.scalars(sa.select(Ticket).where(Ticket.role == "back_office")).one()
    assert "RZ" in question.subject
    assert [said for said in recording.missing(session, delivery.id) if "Vertragsposition" in said]
    world.price(session, "RZ")
    unpriced.price_code = "RZ"
    session.flush()
    recording.retry_unpriced(session)
    recording.record(session, delivery.id)
    assert not recording.missing(session, delivery.id)
    assert question.closed_at is not None
