"""Papiere: pick list as soon as there is a delivery, packing list, delivery note and labels as soon as it is packed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.archive import Document, keep
from actions.billing.around import house_content, load_around
from actions.goods.orders import received
from integrations.documents import goods as doc
from kit import clock
from kit import log as logs
from models.catalogue import NOT_PICKED, Product
from models.goods import (
    Delivery,
    DeliveryLine,
    DeliveryState,
    GoodsReceipt,
    GoodsSerial,
    PurchaseOrderLine,
    Supplier,
)
from models.service_desk import Ticket
from rules.retention import RecordClass

RENDERERS: dict[str, tuple[Callable[[doc.DeliveryContent], bytes], str]] = {
    "pick_list": (doc.render_pick_list, "Kommissionierliste"),
    "packing_list": (doc.render_packing_list, "Packliste"),
    "delivery_note": (doc.render_delivery_note, "Lieferschein"),
    "label": (doc.render_label, "Versandetikett"),
}
SHIPPING_PAPERS = ("delivery_note", "packing_list", "label")


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of one delivery."""

    delivery_id: int
    kind: str


def wanted(session: Session, limit: int, without: Collection[Paper] = ()) -> list[Paper]:
    """Papers that are still to be made: those of packed parcels first, somebody waits for them."""
    found: list[Paper] = []
    packed = session.execute(
        sa.select(Delivery)
        .where(
            Delivery.state.in_([DeliveryState.PACKED, DeliveryState.SHIPPED]),
            sa.or_(*(getattr(Delivery, f"{kind}_key").is_(None) for kind in SHIPPING_PAPERS)),
        )
        .order_by(Delivery.packed_at)
        .limit(limit + len(without))
    ).scalars()
    for delivery in packed:
        found += [Paper(delivery.id, kind) for kind in SHIPPING_PAPERS if getattr(delivery, f"{kind}_key") is None]
    if len(found) < limit:
        unlisted = session.scalars(
            sa.select(Delivery.id)
            .where(Delivery.state.in_([DeliveryState.PICKING, DeliveryState.PICKED]), Delivery.pick_list_key.is_(None))
            .order_by(Delivery.id)
            .limit(limit + len(without))
        )
        found += [Paper(delivery_id, "pick_list") for delivery_id in unlisted]
    return [paper for paper in found if paper not in without][:limit]


def make(session: Session, paper: Paper) -> int:
    """Set one document and put it into the archive. 0 when it is there already or somebody else makes it."""
    delivery = session.scalar(sa.select(Delivery).where(Delivery.id == paper.delivery_id).with_for_update(skip_locked=True))
    if delivery is None or getattr(delivery, f"{paper.kind}_key") is not None or delivery.state is DeliveryState.VOID:
        return 0
    content = content_of(session, delivery)
    render, _ = RENDERERS[paper.kind]
    ticket = content.ticket
    kept = keep(
        session,
        Document(
            kind=f"goods-{paper.kind.replace('_', '-')}",
            name=content.number or ticket,
            content=render(content),
            record_class=RecordClass.LETTER,
            customer_id=delivery.customer_id,
            day=content.day,
        ),
    )[0]
    setattr(delivery, f"{paper.kind}_key", kept.key)
    session.flush()
    logs.item("Papier gesetzt", paper=paper.kind, ticket=ticket, customer=content.customer.number)
    return 1


def content_of(session: Session, delivery: Delivery) -> doc.DeliveryContent:
    """All that the papers of a delivery say."""
    around = load_around(session, [delivery.customer_id])
    receipt = session.get_one(GoodsReceipt, delivery.receipt_id)
    supplier = session.get_one(Supplier, receipt.supplier_id)
    ticket = session.get_one(Ticket, delivery.ticket_id)
    moment = delivery.packed_at or receipt.received_at
    return doc.DeliveryContent(
        house=house_content(around.house),
        contact=around.contact(delivery.customer_id),
        customer=around.party(delivery.customer_id, delivery.site_id),
        day=clock.local(moment).date(),
        ticket=ticket.number,
        customer_order=delivery.customer_order,
        supplier=supplier.name,
        supplier_note=receipt.delivery_note,
        items=_items(session, delivery),
        open_items=_open_items(session, delivery),
        number=delivery.number or "",
        parcels=delivery.parcels or 0,
        scan_code=ticket.number,
    )


def _items(session: Session, delivery: Delivery) -> tuple[doc.Item, ...]:
    rows = session.execute(
        sa.select(DeliveryLine, Product, PurchaseOrderLine)
        .join(Product, Product.id == DeliveryLine.product_id)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == DeliveryLine.purchase_order_line_id)
        .where(DeliveryLine.delivery_id == delivery.id, DeliveryLine.quantity > 0)
        .order_by(DeliveryLine.id)
    ).tuples()
    return tuple(
        doc.Item(
            article=product.code,
            name=product.name,
            quantity=line.quantity,
            bin=line.bin or "",
            serials=tuple(
                session.scalars(
                    sa.select(GoodsSerial.serial)
                    .where(GoodsSerial.delivery_line_id == line.id, ~GoodsSerial.missing)
                    .order_by(GoodsSerial.id)
                )
            ),
            tracked=product.serial_tracked,
            on_shelf=product.kind not in NOT_PICKED,
            order=f"{order.number}/{order.line}",
            detail="" if product.kind not in NOT_PICKED else "Lizenz oder Dienst, ohne Packstück",
        )
        for line, product, order in rows.all()
    )


def _open_items(session: Session, delivery: Delivery) -> tuple[doc.Item, ...]:
    """Of the same order of the customer, not in any delivery yet."""
    if not delivery.customer_order:
        return ()
    had = received()
    rest = PurchaseOrderLine.quantity - sa.func.coalesce(had.c.quantity, Decimal(0))
    rows = session.execute(
        sa.select(PurchaseOrderLine, Product, rest)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .outerjoin(had, had.c.line_id == PurchaseOrderLine.id)
        .where(
            PurchaseOrderLine.customer_id == delivery.customer_id,
            PurchaseOrderLine.customer_order == delivery.customer_order,
            rest > 0,
        )
        .order_by(PurchaseOrderLine.number, PurchaseOrderLine.id)
    ).tuples()
    return tuple(
        doc.Item(
            article=product.code,
            name=product.name,
            quantity=quantity,
            detail=f"erwartet am {order.expected_on:%d.%m.%Y}" if order.expected_on else "",
        )
        for order, product, quantity in rows
    )
