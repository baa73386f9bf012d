"""Wareneingang for the eye: receipts, deliveries and the basket, as lists and pages show them."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import inbox
from kit import clock
from kit.errors import NotFoundError
from models.catalogue import Product
from models.goods import (
    Delivery,
    DeliveryLine,
    DeliveryState,
    GoodsDifference,
    GoodsReceipt,
    GoodsReceiptLine,
    GoodsSerial,
    Supplier,
)
from models.parties import Customer, Site
from models.plumbing import InboxItem, InboxState
from models.service_desk import Ticket


def _plain(quantity: Decimal | None) -> str | None:
    return None if quantity is None else f"{quantity.normalize():f}"


def _moment(value: dt.datetime | None) -> str | None:
    return clock.local(value).isoformat() if value else None


def receipts_statement(state: str = "") -> sa.Select[Any]:
    """Receipts, newest first, with supplier, number of deliveries and of open differences."""
    open_differences = (
        sa.select(sa.func.count())
        .where(GoodsDifference.receipt_id == GoodsReceipt.id, GoodsDifference.resolved_at.is_(None))
        .correlate(GoodsReceipt)
        .scalar_subquery()
    )
    deliveries = (
        sa.select(sa.func.count()).where(Delivery.receipt_id == GoodsReceipt.id).correlate(GoodsReceipt).scalar_subquery()
    )
    open_deliveries = (
        sa.select(sa.func.count())
        .where(Delivery.receipt_id == GoodsReceipt.id, Delivery.state.not_in([DeliveryState.SHIPPED, DeliveryState.VOID]))
        .correlate(GoodsReceipt)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            GoodsReceipt.id,
            GoodsReceipt.delivery_note,
            GoodsReceipt.state,
            GoodsReceipt.received_at,
            GoodsReceipt.despatched_on,
            Supplier.code,
            Supplier.name.label("supplier"),
            deliveries.label("deliveries"),
            open_deliveries.label("open_deliveries"),
            open_differences.label("differences"),
        )
        .join(Supplier, Supplier.id == GoodsReceipt.supplier_id)
        .order_by(GoodsReceipt.id.desc())
    )
    if state == "differences":
        return statement.where(open_differences > 0)
    if state == "open":
        return statement.where(open_deliveries > 0)
    return statement.where(GoodsReceipt.state == state) if state else statement


def receipts(session: Session, state: str = "") -> list[dict[str, Any]]:
    """The keys of `goods list --json`."""
    return [
        {
            "supplier": row.code,
            "delivery_note": row.delivery_note,
            "state": row.state.value,
            "received_at": _moment(row.received_at),
            "deliveries": row.deliveries,
            "open_deliveries": row.open_deliveries,
            "differences": row.differences,
        }
        for row in session.execute(receipts_statement(state))
    ]


def deliveries_statement(state: str = "") -> sa.Select[Any]:
    """Deliveries with customer and ticket, those that wait longest first."""
    statement = (
        sa.select(
            Delivery.id,
            Delivery.number,
            Delivery.state,
            Delivery.customer_order,
            Delivery.created_at,
            Delivery.packed_at,
            Delivery.shipped_at,
            Customer.number.label("customer"),
            Customer.name.label("customer_name"),
            Ticket.number.label("ticket"),
            GoodsReceipt.delivery_note,
            GoodsReceipt.id.label("receipt_id"),
        )
        .join(Customer, Customer.id == Delivery.customer_id)
        .join(Ticket, Ticket.id == Delivery.ticket_id)
        .join(GoodsReceipt, GoodsReceipt.id == Delivery.receipt_id)
        .order_by(Delivery.id)
    )
    if state == "open":
        return statement.where(Delivery.state.not_in([DeliveryState.SHIPPED, DeliveryState.VOID]))
    return statement.where(Delivery.state == state) if state else statement


def basket(session: Session) -> list[dict[str, Any]]:
    """What waits or is parked in the basket."""
    rows = session.scalars(
        sa.select(InboxItem)
        .options(sa.orm.defer(InboxItem.raw))
        .where(InboxItem.channel == inbox.CHANNEL, InboxItem.state != InboxState.DONE)
        .order_by(InboxItem.id)
    )
    return [
        {
            "id": row.id,
            "key": row.key,
            "file": inbox.context_of(row)[0],
            "state": row.state.value,
            "received_at": _moment(row.received_at),
            "reason": row.reason,
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A position of a receipt."""

    id: int
    number: str
    article: str
    text: str
    product: str | None
    tracked: bool
    quantity: Decimal
    counted: Decimal | None
    serials: list[GoodsSerial]
    bin: str


def receipt_lines(session: Session, receipt_id: int) -> list[ShownLine]:
    """Positions of a receipt with their serials."""
    rows = session.execute(
        sa.select(GoodsReceiptLine, Product)
        .outerjoin(Product, Product.id == GoodsReceiptLine.product_id)
        .where(GoodsReceiptLine.receipt_id == receipt_id)
        .order_by(GoodsReceiptLine.position)
    ).tuples()
    bins = dict(
        session.execute(
            sa.select(DeliveryLine.receipt_line_id, sa.func.string_agg(sa.distinct(DeliveryLine.bin), ", "))
            .join(GoodsReceiptLine, GoodsReceiptLine.id == DeliveryLine.receipt_line_id)
            .where(GoodsReceiptLine.receipt_id == receipt_id)
            .group_by(DeliveryLine.receipt_line_id)
        )
        .tuples()
        .all()
    )
    serials = _serials(session, GoodsSerial.receipt_line_id, sa.select(GoodsReceiptLine.id).where(
        GoodsReceiptLine.receipt_id == receipt_id))  # fmt: skip
    return [
        ShownLine(
            line.id, line.number, line.article, line.text or (product.name if product else ""),
            product.code if product else None, bool(product and product.serial_tracked), line.quantity, line.counted,
            serials.get(line.id, []), bins.get(line.id) or "",
        )
        for line, product in rows
    ]  # fmt: skip


def _serials(session: Session, column: Any, of: sa.Select[Any]) -> dict[int, list[GoodsSerial]]:
    found: dict[int, list[GoodsSerial]] = {}
    for serial in session.scalars(sa.select(GoodsSerial).where(column.in_(of)).order_by(GoodsSerial.id)):
        found.setdefault(getattr(serial, column.key), []).append(serial)
    return found


@dataclass(frozen=True, slots=True)
class PickLine:
    """A position of a delivery."""

    id: int
    product: str
    name: str
    tracked: bool
    quantity: Decimal
    picked: Decimal
    bin: str | None
    serials: list[GoodsSerial]


def delivery_lines(session: Session, delivery_id: int) -> list[PickLine]:
    """Positions of a delivery with their serials."""
    rows = session.execute(
        sa.select(DeliveryLine, Product)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(DeliveryLine.delivery_id == delivery_id, DeliveryLine.quantity > 0)
        .order_by(DeliveryLine.id)
    ).tuples()
    serials = _serials(session, GoodsSerial.delivery_line_id, sa.select(DeliveryLine.id).where(
        DeliveryLine.delivery_id == delivery_id))  # fmt: skip
    return [
        PickLine(
            line.id, product.code, product.name, product.serial_tracked, line.quantity, line.picked, line.bin,
            serials.get(line.id, []),
        )
        for line, product in rows
    ]  # fmt: skip


def delivery_of_ticket(session: Session, ticket: str) -> int | None:
    """The delivery whose ticket (or delivery note) was scanned."""
    return session.scalar(
        sa.select(Delivery.id)
        .join(Ticket, Ticket.id == Delivery.ticket_id)
        .where(sa.or_(Ticket.number == ticket, Delivery.number == ticket))
    )


def receiving_sites(session: Session, customer_id: int) -> list[tuple[str, str]]:
    """Sites that take goods, for the choice of the address (S35)."""
    rows = session.execute(
        sa.select(Site.code, Site.name).where(Site.customer_id == customer_id, Site.receives_goods).order_by(Site.name)
    )
    return [(code, name) for code, name in rows]


def receipts_of_item(session: Session, item: InboxItem) -> list[dict[str, Any]]:
    """What became of a row of the basket: the delivery that its key names, else those that were booked from its file."""
    supplier, note = inbox.delivery_of(item.key)
    statement = sa.select(Supplier.code, GoodsReceipt.delivery_note).join(Supplier, Supplier.id == GoodsReceipt.supplier_id)
    if note:
        statement = statement.where(Supplier.code == supplier, GoodsReceipt.delivery_note == note)
    else:
        statement = statement.where(GoodsReceipt.inbox_item_id == item.id)
    found = session.execute(statement.order_by(GoodsReceipt.id)).tuples().all()
    return [receipt_json(session, code, number) for code, number in found]


def receipt_json(session: Session, supplier: str, delivery_note: str) -> dict[str, Any]:
    """The keys of `goods show --json` and of `GET /api/goods-receipts/…`. Raises: NotFoundError."""
    receipt = session.scalar(
        sa.select(GoodsReceipt)
        .join(Supplier, Supplier.id == GoodsReceipt.supplier_id)
        .where(Supplier.code == supplier, GoodsReceipt.delivery_note == delivery_note)
    )
    if receipt is None:
        raise NotFoundError(f"Wareneingang {supplier}/{delivery_note}: gibt es nicht.")
    made = session.execute(deliveries_statement().where(Delivery.receipt_id == receipt.id)).all()
    open_differences = session.scalars(
        sa.select(GoodsDifference)
        .where(GoodsDifference.receipt_id == receipt.id, GoodsDifference.resolved_at.is_(None))
        .order_by(GoodsDifference.id)
    )
    return {
        "supplier": supplier,
        "delivery_note": receipt.delivery_note,
        "state": receipt.state.value,
        "received_at": _moment(receipt.received_at),
        "lines": [
            {
                "number": line.number,
                "article": line.article,
                "product": line.product,
                "quantity": _plain(line.quantity),
                "counted": _plain(line.counted),
                "serials": [s.serial for s in line.serials if not s.missing],
            }
            for line in receipt_lines(session, receipt.id)
        ],
        "deliveries": [
            {
                "ticket": row.ticket,
                "customer": row.customer,
                "customer_order": row.customer_order,
                "state": row.state.value,
                "number": row.number,
                "lines": [
                    {"product": line.product, "quantity": _plain(line.quantity), "picked": _plain(line.picked),
                     "serials": [s.serial for s in line.serials]}
                    for line in delivery_lines(session, row.id)
                ],
            }
            for row in made
        ],
        "differences": [{"kind": d.kind.value, "text": d.text} for d in open_differences],
    }  # fmt: skip
