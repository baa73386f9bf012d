"""Bestellungen: what is still open of them, for the match and for the eye (U27: the rest stays open and visible)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.catalogue import Product
from models.goods import Delivery, DeliveryLine, DeliveryState, PurchaseOrderLine, Supplier
from models.parties import Customer
from rules.receiving import OpenLine, Position


def received() -> sa.Subquery:
    """Per order line what deliveries hold of it."""
    return (
        sa.select(DeliveryLine.purchase_order_line_id.label("line_id"), sa.func.sum(DeliveryLine.quantity).label("quantity"))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.state != DeliveryState.VOID)
        .group_by(DeliveryLine.purchase_order_line_id)
        .subquery("received")
    )


def open_lines(
    session: Session, supplier_id: int, positions: Sequence[Position]
) -> tuple[dict[int, PurchaseOrderLine], list[OpenLine]]:
    """Order lines that an advice may mean, oldest first, locked so that two receipts never share a piece."""
    numbers = {p.order_number for p in positions if p.order_number}
    loose = {p.product for p in positions if not p.order_number and p.product is not None}
    rows = session.execute(
        sa.select(PurchaseOrderLine, Product.name)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .where(
            PurchaseOrderLine.supplier_id == supplier_id,
            sa.or_(PurchaseOrderLine.number.in_(numbers), PurchaseOrderLine.product_id.in_(loose)),
        )
        .order_by(PurchaseOrderLine.id)
        .with_for_update(of=PurchaseOrderLine)
    ).tuples()
    found = {row.id: (row, name) for row, name in rows}
    taken = dict(
        session.execute(
            sa.select(DeliveryLine.purchase_order_line_id, sa.func.sum(DeliveryLine.quantity))
            .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
            .where(Delivery.state != DeliveryState.VOID, DeliveryLine.purchase_order_line_id.in_(found))
            .group_by(DeliveryLine.purchase_order_line_id)
        )
        .tuples()
        .all()
    )
    ordered = sorted(found.values(), key=lambda r: (r[0].ordered_on, r[0].number, _natural(r[0].line)))
    shown = [
        OpenLine(
            key=row.id,
            number=row.number,
            line=row.line,
            product=row.product_id,
            product_name=name,
            ordered=row.quantity,
            open=max(Decimal(0), row.quantity - taken.get(row.id, Decimal(0))),
        )
        for row, name in ordered
    ]
    return {key: row for key, (row, _) in found.items()}, shown


def _natural(line: str) -> tuple[int, str]:
    return (int(line) if line.isdigit() else 0, line)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """One order line that is not wholly here yet."""

    number: str
    line: str
    supplier: str
    customer: str
    customer_order: str | None
    product: str
    name: str
    ordered: Decimal
    received: Decimal
    expected_on: object

    @property
    def open(self) -> Decimal:
        return self.ordered - self.received


def still_open(session: Session, *, customer: str = "") -> list[OpenOrder]:
    """What is on order and not here, by expected day."""
    had = received()
    quantity = sa.func.coalesce(had.c.quantity, 0)
    statement = (
        sa.select(PurchaseOrderLine, Supplier.name, Customer.name, Product.code, Product.name, quantity)
        .join(Supplier, Supplier.id == PurchaseOrderLine.supplier_id)
        .join(Customer, Customer.id == PurchaseOrderLine.customer_id)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .outerjoin(had, had.c.line_id == PurchaseOrderLine.id)
        .where(quantity < PurchaseOrderLine.quantity)
        .order_by(PurchaseOrderLine.expected_on.nulls_last(), PurchaseOrderLine.number, PurchaseOrderLine.id)
    )
    if customer:
        statement = statement.where(Customer.number == customer)
    return [
        OpenOrder(row.number, row.line, supplier, name, row.customer_order, code, product, row.quantity, here, row.expected_on)
        for row, supplier, name, code, product, here in session.execute(statement).tuples()
    ]
