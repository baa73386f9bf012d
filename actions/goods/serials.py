"""Seriennummern of a receipt: which piece belongs to whom, added when it is seen, struck when it is not there."""

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.assets.withdrawing import withdraw
from kit import clock
from models.assets import Asset
from models.catalogue import NOT_PICKED, Product
from models.goods import Delivery, DeliveryLine, GoodsReceiptLine, GoodsSerial


def add_announced(session: Session, row: GoodsReceiptLine, serials: Sequence[str]) -> None:
    """Serials that the supplier tells later."""
    now = clock.now()
    session.execute(
        insert(GoodsSerial).on_conflict_do_nothing(index_elements=["receipt_line_id", "serial"]),
        [
            {"receipt_line_id": row.id, "serial": serial, "announced": True, "missing": False, "created_at": now}
            for serial in dict.fromkeys(serials)
        ],
    )
    assign(session, row.id)


def add_seen(session: Session, receipt_line_id: int, serial: str, delivery_line_id: int | None = None) -> GoodsSerial:
    """A serial that a person scanned and nobody had told."""
    found = GoodsSerial(
        receipt_line_id=receipt_line_id,
        serial=serial,
        announced=False,
        scanned_at=clock.now(),
        delivery_line_id=delivery_line_id,
    )
    session.add(found)
    session.flush()
    if delivery_line_id is None:
        assign(session, receipt_line_id)
    else:
        record_again(session, [delivery_line_id])
    return found


def assign(session: Session, receipt_line_id: int) -> None:
    """Give serials without owner to the delivery lines of their position that still lack some, in order."""
    free = list(
        session.scalars(
            sa.select(GoodsSerial)
            .where(GoodsSerial.receipt_line_id == receipt_line_id, GoodsSerial.delivery_line_id.is_(None), ~GoodsSerial.missing)
            .order_by(GoodsSerial.id)
        )
    )
    touched = []
    for line, lacking in lacking_serials(session, receipt_line_id):
        for serial in free[:lacking]:
            serial.delivery_line_id = line
            touched.append(line)
        free = free[lacking:]
    session.flush()
    record_again(session, touched)


def lacking_serials(session: Session, receipt_line_id: int) -> list[tuple[int, int]]:
    """(delivery line, how many serials it still lacks) of a position."""
    count = (
        sa.select(sa.func.count())
        .where(GoodsSerial.delivery_line_id == DeliveryLine.id, ~GoodsSerial.missing)
        .correlate(DeliveryLine)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(DeliveryLine.id, DeliveryLine.quantity, count)
        .where(DeliveryLine.receipt_line_id == receipt_line_id)
        .order_by(DeliveryLine.id)
    ).tuples()
    return [(line, int(quantity) - had) for line, quantity, had in rows if int(quantity) > had]


def record_again(session: Session, delivery_lines: Sequence[int]) -> None:
    """The content of these lines changed: assets, licences and contract lines are brought in line by the next round."""
    if delivery_lines:
        session.execute(
            sa.update(Delivery)
            .where(
                Delivery.id.in_(sa.select(DeliveryLine.delivery_id).where(DeliveryLine.id.in_(delivery_lines))),
                Delivery.shipped_at.is_(None),
            )
            .values(recorded_at=None)
        )


def strike(session: Session, serial: GoodsSerial) -> None:
    """It was told and is not there: nobody gets it, and its asset goes with it."""
    if serial.delivery_line_id is not None:
        session.execute(
            sa.delete(Asset).where(
                Asset.delivery_line_id == serial.delivery_line_id, Asset.serial == serial.serial, Asset.delivered_on.is_(None)
            )
        )
        record_again(session, [serial.delivery_line_id])
    serial.missing, serial.delivery_line_id = True, None
    session.flush()


def reduce_lines(session: Session, receipt_line_id: int, there: Decimal) -> list[int]:
    """Fewer pieces are there than were told: the last orders wait. Returns the deliveries that changed."""
    found = session.execute(
        sa.select(DeliveryLine, Product)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(DeliveryLine.receipt_line_id == receipt_line_id)
        .order_by(DeliveryLine.id)
        .with_for_update(of=DeliveryLine)
    ).tuples()
    rows = list(found)
    lines = [line for line, _ in rows]
    short = sum((line.quantity for line in lines), Decimal(0)) - there
    changed = []
    for line, product in reversed(rows):
        shelf = product.kind not in NOT_PICKED
        give = min(short, line.quantity - line.picked if shelf else line.quantity)
        if give <= 0:
            continue
        line.quantity -= give
        if not shelf:
            line.picked = line.quantity
        withdraw(session, line, give)
        short -= give
        changed.append(line.delivery_id)
    session.flush()
    _release_surplus(session, lines)
    assign(session, receipt_line_id)
    return changed


def _release_surplus(session: Session, lines: Sequence[DeliveryLine]) -> None:
    """A line that shrank keeps as many serials as it has pieces; picked ones stay."""
    for line in lines:
        held = list(
            session.scalars(
                sa.select(GoodsSerial)
                .where(GoodsSerial.delivery_line_id == line.id)
                .order_by(GoodsSerial.picked_at.nulls_last(), GoodsSerial.id)
            )
        )
        for serial in held[int(line.quantity) :]:
            session.execute(sa.delete(Asset).where(Asset.delivery_line_id == line.id, Asset.serial == serial.serial))
            serial.delivery_line_id = None
    session.flush()
    record_again(session, [line.id for line in lines])
