"""Prüfung abschließen: what was counted becomes what is there; the rest is a difference, and the last orders wait."""

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import differences, inbox, serials
from actions.goods.scanning import receipt_for
from actions.goods.tickets import note
from kit import clock
from kit.database import notify
from kit.errors import ConflictError, NotFoundError
from models.catalogue import NOT_PICKED, Product
from models.goods import (
    Delivery,
    DeliveryLine,
    DeliveryState,
    GoodsDifference,
    GoodsReceipt,
    GoodsReceiptLine,
    GoodsSerial,
    ReceiptState,
    Supplier,
    SupplierArticle,
)
from models.service_desk import Ticket, TicketState
from rules.receiving import Difference, DifferenceKind, Position, amount, match


def finish(session: Session, receipt_id: int, actor: str, *, as_told: bool = False) -> list[Difference]:
    """End the count. Returns what differs from the delivery note.

    Args:
        session: the transaction.
        receipt_id: the receipt.
        actor: who counted.
        as_told: positions that nobody counted are as the delivery note says (a person confirms that at sight).

    Raises:
        ConflictError: something is not counted yet, or more was picked already than is there.
    """
    receipt = receipt_for(session, receipt_id)
    if receipt.state is ReceiptState.CHECKED:
        return []
    rows = list(
        session.scalars(
            sa.select(GoodsReceiptLine).where(GoodsReceiptLine.receipt_id == receipt.id).order_by(GoodsReceiptLine.position)
        )
    )
    uncounted = [row.number for row in rows if row.counted is None]
    if uncounted and not as_told:
        raise ConflictError(
            f"Wareneingang {receipt.delivery_note}: Noch nicht gezählt sind die Positionen {', '.join(uncounted)}. "
            "Bitte zählen oder »wie angekündigt« bestätigen."
        )
    found = [difference for row in rows if row.counted is not None for difference in _compare(session, row)]
    receipt.state, receipt.checked_at, receipt.checked_by = ReceiptState.CHECKED, clock.now(), actor
    session.flush()
    _close_empty(session, receipt, actor)
    differences.raise_all(session, receipt, rows, found, differences.customer_of(session, receipt.id))
    ring(session)
    return found


def ring(session: Session) -> None:
    """Something changed that the flow has to bring in line: papers, assets."""
    notify(session, inbox.BELL)


def _compare(session: Session, row: GoodsReceiptLine) -> list[Difference]:
    counted = row.counted if row.counted is not None else row.quantity
    if counted < row.quantity:
        _strike_unseen(session, row, counted)
        picked = session.scalar(
            sa.select(sa.func.sum(DeliveryLine.picked))
            .join(Product, Product.id == DeliveryLine.product_id)
            .where(DeliveryLine.receipt_line_id == row.id, Product.kind.not_in(NOT_PICKED))
        ) or Decimal(0)
        if picked > counted:
            raise ConflictError(
                f"Position {row.number}: {amount(picked)} sind schon kommissioniert, gezählt sind aber nur {amount(counted)}. "
                "Bitte neu zählen."
            )
        serials.reduce_lines(session, row.id, counted)
    if counted == row.quantity:
        return []
    less = counted < row.quantity
    text = (
        f"Position {row.number}: {row.article} ({row.text}): laut Lieferschein {amount(row.quantity)}, "
        f"gezählt {amount(counted)} Stück."
    )
    kind = DifferenceKind.COUNTED_LESS if less else DifferenceKind.COUNTED_MORE
    return [Difference(kind, f"{row.position}:{row.article}", text, row.position, amount(row.quantity), amount(counted))]


def _strike_unseen(session: Session, row: GoodsReceiptLine, counted: Decimal) -> None:
    """Serials that nobody read are not there, as far as the count says so."""
    unseen = list(
        session.scalars(
            sa.select(GoodsSerial)
            .where(GoodsSerial.receipt_line_id == row.id, GoodsSerial.scanned_at.is_(None), ~GoodsSerial.missing)
            .order_by(GoodsSerial.id.desc())
        )
    )
    for serial in unseen[: int(row.quantity - counted)]:
        serials.strike(session, serial)


def _close_empty(session: Session, receipt: GoodsReceipt, actor: str) -> None:
    for delivery in session.scalars(
        sa.select(Delivery).where(Delivery.receipt_id == receipt.id, Delivery.state != DeliveryState.SHIPPED)
    ):
        total = session.scalar(sa.select(sa.func.sum(DeliveryLine.quantity)).where(DeliveryLine.delivery_id == delivery.id))
        ticket = session.get_one(Ticket, delivery.ticket_id)
        if not total:
            delivery.state = DeliveryState.VOID
            ticket.state, ticket.closed_at = TicketState.CLOSED, clock.now()
            note(session, ticket, "void", actor, "Von dieser Lieferung ist nichts eingetroffen; die Bestellung bleibt offen.")
            continue
        if delivery.pick_list_key is not None:
            delivery.pick_list_key = None
        rest = session.scalar(
            sa.select(sa.func.count()).where(
                DeliveryLine.delivery_id == delivery.id, DeliveryLine.picked < DeliveryLine.quantity
            )
        )
        if not rest and delivery.state is DeliveryState.PICKING:
            delivery.state = DeliveryState.PICKED
    session.flush()


def name_article(session: Session, line_id: int, product_code: str, actor: str) -> list[str]:
    """A person says which product an unknown article is: learned for the supplier, and laid against the orders at once.

    Returns the numbers of tickets that came of it. Raises: NotFoundError, ConflictError.
    """
    from actions.goods import booking, orders

    row = session.get(GoodsReceiptLine, line_id, with_for_update=True)
    product = session.scalar(sa.select(Product).where(sa.func.lower(Product.code) == product_code.strip().lower()))
    if row is None:
        raise NotFoundError("Wareneingang: Diese Position gibt es nicht.")
    if product is None:
        raise NotFoundError(f"Artikel {product_code}: gibt es bei uns nicht. Bitte den Code aus dem Artikelstamm angeben.")
    if row.product_id is not None:
        raise ConflictError(f"Position {row.number}: Der Artikel ist schon zugeordnet.")
    receipt = receipt_for(session, row.receipt_id)
    supplier = session.get_one(Supplier, receipt.supplier_id)
    row.product_id = product.id
    if row.article:
        session.add(SupplierArticle(supplier_id=supplier.id, article=row.article, product_id=product.id))
    session.flush()
    told = tuple(session.scalars(sa.select(GoodsSerial.serial).where(GoodsSerial.receipt_line_id == row.id)))
    position = Position(
        row.position, row.article, row.text, row.quantity, product.id, product.serial_tracked, told,
        row.order_number or "", row.order_line or "", row.outstanding,
    )  # fmt: skip
    _, lines = orders.open_lines(session, supplier.id, [position])
    matched = match([position], lines, booking.known_serials(session, receipt.id, set(told)))
    tickets = booking.allocate(session, receipt, [row], matched, supplier)
    subject = f"{row.position}:{row.article or row.text}"
    session.execute(
        sa.update(GoodsDifference)
        .where(
            GoodsDifference.receipt_id == receipt.id,
            GoodsDifference.kind == DifferenceKind.UNKNOWN_ARTICLE,
            GoodsDifference.subject == subject,
        )
        .values(resolved_at=clock.now(), resolved_by=actor, resolution=f"ist unser Artikel {product.code}")
    )
    differences.raise_all(session, receipt, [row], matched.differences, differences.customer_of(session, receipt.id))
    differences.settle_rests(session, supplier.id, matched.fulfilled)
    differences.close_question(session, receipt.id)
    ring(session)
    return tickets
