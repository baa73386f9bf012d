"""Wareneingang buchen: one row of the basket becomes a receipt, deliveries and their tickets, in one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import differences, inbox, orders
from actions.goods.reading import Told, fingerprint, read
from actions.goods.tickets import PickTicket, open_pick_tickets
from integrations.despatch.types import DespatchError, DespatchLine
from kit import clock
from models.assets import Asset
from models.catalogue import NOT_PICKED, Product
from models.goods import (
    Delivery,
    DeliveryLine,
    GoodsReceipt,
    GoodsReceiptLine,
    GoodsSerial,
    PurchaseOrderLine,
    Supplier,
    SupplierArticle,
)
from models.plumbing import InboxItem, InboxState
from rules.receiving import Matched, Position, match


@dataclass(slots=True)
class Booked:
    """What became of one row of the basket."""

    key: str
    receipt_id: int | None = None
    tickets: list[str] = field(default_factory=list)
    question: str = ""
    """The task that a person has to answer."""
    parked: str = ""
    again: bool = False
    """The delivery was booked before."""
    unasked: int = 0
    """Differences behind which no customer stands, so that no task could be opened: the page alone shows them."""
    others: list["Booked"] = field(default_factory=list)
    """Further deliveries of the same file."""


def book(session: Session, item_id: int) -> Booked | None:
    """Book what one row tells. None when somebody else has it or it is done; a row that makes no sense is parked."""
    item = session.scalar(
        sa.select(InboxItem)
        .where(InboxItem.id == item_id, InboxItem.state == InboxState.WAITING)
        .with_for_update(skip_locked=True)
    )
    if item is None:
        return None
    if item.content_type.startswith(inbox.NUDGE):
        return _park(item, f"Lieferung {item.key} ist gemeldet, aber ihr Lieferavis fehlt. Bitte beim Lieferanten anfordern.")
    file_name, supplier_code = inbox.context_of(item)
    try:
        told = read(session, item.raw or b"", file_name=file_name, supplier_code=supplier_code)
    except DespatchError as fault:
        return _park(item, str(fault))
    result, *others = [_book(session, item, each) for each in told]
    result.others = others
    item.state, item.reason, item.done_at = InboxState.DONE, None, clock.now()
    session.flush()
    return result


def _park(item: InboxItem, reason: str) -> Booked:
    item.state, item.reason, item.done_at = InboxState.PARKED, reason, clock.now()
    return Booked(item.key, parked=reason)


def park_after_faults(session: Session, item_id: int, fault: str, attempts: int = 3) -> str:
    """Count an unforeseen fault; after some of them the row no longer holds up the others. Returns the reason when parked."""
    item = session.get(InboxItem, item_id, with_for_update=True)
    if item is None or item.state is not InboxState.WAITING:
        return ""
    item.attempts += 1
    if item.attempts < attempts:
        return ""
    reason = f"Unerwarteter Fehler beim Buchen ({fault[:300]}). Bitte dem Betrieb melden und danach erneut buchen."
    _park(item, reason)
    return reason


def _book(session: Session, item: InboxItem, told: Told) -> Booked:
    known = session.scalar(
        sa.select(GoodsReceipt)
        .where(GoodsReceipt.supplier_id == told.supplier.id, GoodsReceipt.delivery_note == told.advice.delivery_note)
        .with_for_update()
    )
    if known is not None:
        question = differences.compare_again(session, known, told.advice, item)
        return Booked(told.key, known.id, question=question, again=True)
    receipt = _receipt(session, item, told)
    lines = _lines(session, receipt, told)
    open_lines, matched = _match(session, receipt, told, lines)
    bins = {position: line.bin for position, line in enumerate(told.advice.lines, 1)}
    tickets = allocate(session, receipt, lines, matched, told.supplier, bins)
    customer = next((o.customer_id for o in open_lines.values()), None)
    question = differences.raise_all(session, receipt, lines, matched.differences, customer)
    differences.settle_rests(session, told.supplier.id, matched.fulfilled)
    return Booked(told.key, receipt.id, tickets, question, unasked=0 if question else len(matched.differences))


def _receipt(session: Session, item: InboxItem, told: Told) -> GoodsReceipt:
    advice = told.advice
    receipt = GoodsReceipt(
        supplier_id=told.supplier.id,
        delivery_note=advice.delivery_note,
        inbox_item_id=item.id,
        format=advice.format,
        sha256=fingerprint(advice),
        received_at=item.received_at,
        booked_at=clock.now(),
        despatched_on=advice.despatched_on,
        shipment=advice.shipment or None,
        packages=[package.number for package in advice.packages],
        note=advice.note or None,
        hints=list(advice.hints),
    )
    session.add(receipt)
    session.flush()
    return receipt


def _lines(session: Session, receipt: GoodsReceipt, told: Told) -> list[GoodsReceiptLine]:
    products = Articles(session, told.supplier, told.advice.lines)
    rows = [
        GoodsReceiptLine(
            receipt_id=receipt.id,
            position=index,
            number=line.number,
            product_id=products.of(line),
            article=differences.article_of(line),
            ean=line.ean or None,
            text=line.text,
            quantity=line.quantity,
            unit=line.unit or None,
            batch=line.batch or None,
            order_number=line.order_number or None,
            order_line=line.order_line or None,
            outstanding=line.outstanding,
        )
        for index, line in enumerate(told.advice.lines, 1)
    ]
    session.add_all(rows)
    session.flush()
    session.add_all(
        GoodsSerial(receipt_line_id=row.id, serial=serial)
        for row, line in zip(rows, told.advice.lines, strict=True)
        for serial in dict.fromkeys(line.serials)
    )
    return rows


class Articles:
    """Which of our products a line means: our number, a learned number, the supplier's number, at last the order's line."""

    def __init__(self, session: Session, supplier: Supplier, lines: Sequence[DespatchLine]) -> None:
        names = {name for line in lines for name in (line.our_product, line.supplier_article, line.ean) if name}
        self._codes = dict(session.execute(sa.select(Product.code, Product.id).where(Product.code.in_(names))).tuples().all())
        self._learned = dict(
            session.execute(
                sa.select(SupplierArticle.article, SupplierArticle.product_id).where(
                    SupplierArticle.supplier_id == supplier.id, SupplierArticle.article.in_(names)
                )
            )
            .tuples()
            .all()
        )
        numbers = {line.order_number for line in lines if line.order_number}
        self._ordered = {
            (number, line): product
            for number, line, product in session.execute(
                sa.select(PurchaseOrderLine.number, PurchaseOrderLine.line, PurchaseOrderLine.product_id).where(
                    PurchaseOrderLine.supplier_id == supplier.id, PurchaseOrderLine.number.in_(numbers)
                )
            ).tuples()
        }

    def of(self, line: DespatchLine) -> int | None:
        """The product's id, None when nobody knows it. An order's line decides only where no number of ours contradicts."""
        found = (
            self._codes.get(line.our_product)
            or self._learned.get(line.supplier_article)
            or self._learned.get(line.ean)
            or self._learned.get(line.our_product)
            or self._codes.get(line.supplier_article)
        )
        if found is None and not line.our_product:
            return self._ordered.get((line.order_number, line.order_line))
        return found


def _match(
    session: Session, receipt: GoodsReceipt, told: Told, lines: Sequence[GoodsReceiptLine]
) -> tuple[dict[int, PurchaseOrderLine], Matched]:
    products = _products(session, lines)
    positions = [
        Position(
            position=row.position,
            article=row.article,
            text=row.text,
            quantity=row.quantity,
            product=row.product_id,
            serial_tracked=row.product_id is not None and products[row.product_id].serial_tracked,
            serials=line.serials,
            order_number=row.order_number or "",
            order_line=row.order_line or "",
            outstanding=row.outstanding,
        )
        for row, line in zip(lines, told.advice.lines, strict=True)
    ]
    open_lines, shown = orders.open_lines(session, told.supplier.id, positions)
    serials = {serial for position in positions for serial in position.serials}
    return open_lines, match(positions, shown, known_serials(session, receipt.id, serials))


def _products(session: Session, lines: Sequence[GoodsReceiptLine]) -> dict[int, Product]:
    ids = {row.product_id for row in lines if row.product_id is not None}
    return {product.id: product for product in session.scalars(sa.select(Product).where(Product.id.in_(ids)))}


def known_serials(session: Session, receipt_id: int, serials: set[str]) -> set[str]:
    """Serials of these that another receipt or an asset has."""
    if not serials:
        return set()
    elsewhere = (
        sa.select(GoodsSerial.serial)
        .join(GoodsReceiptLine, GoodsReceiptLine.id == GoodsSerial.receipt_line_id)
        .where(GoodsSerial.serial.in_(serials), GoodsReceiptLine.receipt_id != receipt_id, ~GoodsSerial.missing)
    )
    assets = sa.select(Asset.serial).where(Asset.serial.in_(serials), Asset.retired_on.is_(None))
    return set(session.scalars(elsewhere)) | {serial for serial in session.scalars(assets) if serial}


def allocate(  # noqa: PLR0917 - the receipt with all that it was laid against
    session: Session,
    receipt: GoodsReceipt,
    lines: Sequence[GoodsReceiptLine],
    matched: Matched,
    supplier: Supplier,
    bins: Mapping[int, str] = MappingProxyType({}),
) -> list[str]:
    """Write what belongs to whom: one delivery with one ticket per customer's order. Returns the numbers of new tickets.

    `bins` is where the warehouse says that it put a position.
    """
    if not matched.allocations:
        return []
    by_position = {row.position: row for row in lines}
    ordered = {
        row.id: row
        for row in session.scalars(
            sa.select(PurchaseOrderLine).where(PurchaseOrderLine.id.in_({a.order_line for a in matched.allocations}))
        )
    }
    groups = defaultdict(list)
    for allocation in matched.allocations:
        order = ordered[allocation.order_line]
        groups[order.customer_id, order.customer_order or ""].append(allocation)
    products = _products(session, lines)
    deliveries, new = _deliveries(session, receipt, list(groups), supplier)
    for key, allocations in groups.items():
        for allocation in allocations:
            row, order = by_position[allocation.position], ordered[allocation.order_line]
            product = products[order.product_id]
            line = DeliveryLine(
                customer_id=key[0],
                delivery_id=deliveries[key].id,
                receipt_line_id=row.id,
                purchase_order_line_id=order.id,
                product_id=order.product_id,
                quantity=allocation.quantity,
                picked=allocation.quantity if product.kind in NOT_PICKED else Decimal(0),
                bin=bins.get(allocation.position) or None,
            )
            session.add(line)
            session.flush()
            if allocation.serials:
                session.execute(
                    sa.update(GoodsSerial)
                    .where(GoodsSerial.receipt_line_id == row.id, GoodsSerial.serial.in_(allocation.serials))
                    .values(delivery_line_id=line.id)
                )
        deliveries[key].recorded_at = None
    return new


def _deliveries(
    session: Session, receipt: GoodsReceipt, keys: Sequence[tuple[int, str]], supplier: Supplier
) -> tuple[dict[tuple[int, str], Delivery], list[str]]:
    known = {
        (row.customer_id, row.customer_order): row
        for row in session.scalars(sa.select(Delivery).where(Delivery.receipt_id == receipt.id))
    }
    missing = [key for key in keys if key not in known]
    tickets = open_pick_tickets(
        session, [PickTicket(customer, order, receipt.id, receipt.delivery_note, supplier.name) for customer, order in missing]
    )
    for key, ticket in zip(missing, tickets, strict=True):
        known[key] = Delivery(customer_id=key[0], receipt_id=receipt.id, customer_order=key[1], ticket_id=ticket.id)
    session.add_all(known.values())
    session.flush()
    return known, [ticket.number for ticket in tickets]
