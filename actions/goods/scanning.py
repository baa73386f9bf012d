"""Scanning: what one reading of the barcode scanner means, at the receipt (counting) and at the shelf (picking).

A reading is a serial number, an article number or an EAN. An article that has serials is chosen first and then each piece is
read; an article without serials counts one per reading. Every reading is answered at once: right, wrong, or already read.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets import recording
from actions.goods import serials
from actions.goods.codes import nearest, same_article, same_serial
from actions.goods.differences import settle_kind
from actions.goods.inbox import BELL
from actions.goods.tickets import note
from kit import clock
from kit.database import notify
from kit.errors import ConflictError, NotFoundError
from models.catalogue import Product
from models.goods import Delivery, DeliveryLine, DeliveryState, GoodsReceipt, GoodsReceiptLine, GoodsSerial, ReceiptState
from models.service_desk import Ticket, TicketState
from rules.receiving import DifferenceKind, amount

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to one reading: `ok`, what to tell the person, and the line that the next serial belongs to."""

    ok: bool
    text: str
    line_id: int | None = None
    ask: str = ""
    """A number that counts only when it is read once more: it contradicts what the supplier told."""


# --- picking --------------------------------------------------------------------------------------------------------------


def delivery_for(session: Session, delivery_id: int) -> Delivery:
    """The delivery, locked. Raises: NotFoundError."""
    delivery = session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None:
        raise NotFoundError("Lieferung: gibt es nicht.")
    return delivery


def pick(session: Session, delivery_id: int, code: str, actor: str, active: int | None = None) -> Reading:
    """Confirm one piece of a delivery.

    Raises:
        NotFoundError: no such delivery.
        ConflictError: it is packed already.
    """
    delivery = delivery_for(session, delivery_id)
    if delivery.state not in (DeliveryState.PICKING, DeliveryState.PICKED):
        raise ConflictError("Lieferung: Sie ist schon gepackt. Zum Ändern bitte zuerst das Packen zurücknehmen.")
    code = code.strip()
    if not code:
        return Reading(False, "Es wurde nichts gelesen.", active)
    reading = _pick_serial(session, delivery, code) or _pick_article(session, delivery, code) or _new_serial(
        session, delivery, code, active, actor
    )  # fmt: skip
    if reading.ok:
        _progress(session, delivery, actor)
    return reading


def _pick_serial(session: Session, delivery: Delivery, code: str) -> Reading | None:
    serial = session.scalar(
        sa.select(GoodsSerial)
        .join(GoodsReceiptLine, GoodsReceiptLine.id == GoodsSerial.receipt_line_id)
        .where(GoodsReceiptLine.receipt_id == delivery.receipt_id, same_serial(code))
        .order_by(nearest(code), GoodsSerial.delivery_line_id.is_(None))
        .limit(1)
        .with_for_update(of=GoodsSerial)
    )
    if serial is None:
        return None
    if serial.picked_at is not None:
        return Reading(False, f"{code} ist schon gelesen.", serial.delivery_line_id)
    line = session.get(DeliveryLine, serial.delivery_line_id) if serial.delivery_line_id else None
    if line is None or line.delivery_id != delivery.id:
        line = _swap(session, delivery, serial)
        if line is None:
            return Reading(False, f"{code} gehört zu einem anderen Auftrag dieses Wareneingangs.")
    if line.picked >= line.quantity:
        return Reading(False, f"{code}: Diese Position ist schon vollständig.", line.id)
    serial.picked_at, serial.missing = clock.now(), False
    if serial.scanned_at is None:
        serial.scanned_at = serial.picked_at
    line.picked += ONE
    session.flush()
    return _counted(session, line, code)


def _swap(session: Session, delivery: Delivery, serial: GoodsSerial) -> DeliveryLine | None:
    """Equal pieces of one position may be exchanged between orders as long as neither is packed: the shelf decides."""
    mine = session.scalar(
        sa.select(DeliveryLine).where(
            DeliveryLine.delivery_id == delivery.id, DeliveryLine.receipt_line_id == serial.receipt_line_id
        )
    )
    if mine is None or mine.picked >= mine.quantity:
        return None
    theirs = session.get(DeliveryLine, serial.delivery_line_id) if serial.delivery_line_id else None
    if theirs is not None:
        other = session.get_one(Delivery, theirs.delivery_id, with_for_update=True)
        if other.state not in (DeliveryState.PICKING, DeliveryState.PICKED):
            return None
    spare = session.scalar(
        sa.select(GoodsSerial)
        .where(GoodsSerial.delivery_line_id == mine.id, GoodsSerial.picked_at.is_(None))
        .order_by(GoodsSerial.id.desc())
        .limit(1)
    )
    if theirs is not None and spare is None:
        return None
    if spare is not None:
        _move(session, spare, theirs)
    _move(session, serial, mine)
    return mine


def _move(session: Session, serial: GoodsSerial, line: DeliveryLine | None) -> None:
    """Give a serial to another line; its asset is recorded anew for the other customer."""
    old = serial.delivery_line_id
    keep_announced = serial.announced
    serials.strike(session, serial)
    serial.missing, serial.delivery_line_id = False, line.id if line is not None else None
    serial.announced = keep_announced
    session.flush()
    for touched in (old, serial.delivery_line_id):
        if touched is not None:
            serials.record_again(session, [touched])


def _pick_article(session: Session, delivery: Delivery, code: str) -> Reading | None:
    rows = session.execute(
        sa.select(DeliveryLine, Product)
        .join(Product, Product.id == DeliveryLine.product_id)
        .join(GoodsReceiptLine, GoodsReceiptLine.id == DeliveryLine.receipt_line_id)
        .where(
            DeliveryLine.delivery_id == delivery.id,
            same_article(code),
        )
        .order_by(DeliveryLine.picked >= DeliveryLine.quantity, DeliveryLine.id)
        .with_for_update(of=DeliveryLine)
    ).all()
    if not rows:
        return None
    line, product = rows[0]
    if line.picked >= line.quantity:
        return Reading(False, f"{product.name}: Diese Position ist schon vollständig.", line.id)
    if product.serial_tracked:
        return Reading(True, f"{product.name}: Bitte jetzt die Seriennummern lesen.", line.id)
    line.picked += min(ONE, line.quantity - line.picked)
    session.flush()
    return _counted(session, line, product.code)


def _new_serial(session: Session, delivery: Delivery, code: str, active: int | None, actor: str) -> Reading:
    """Neither serial nor article of this delivery: a serial that nobody told, when the chosen line still lacks one."""
    line = session.get(DeliveryLine, active) if active else None
    if line is None or line.delivery_id != delivery.id:
        return Reading(False, f"{code} gehört nicht zu dieser Lieferung.")
    product = session.get_one(Product, line.product_id)
    lacking = dict(serials.lacking_serials(session, line.receipt_line_id))
    if not product.serial_tracked or not lacking.get(line.id):
        return Reading(False, f"{code} gehört nicht zu dieser Lieferung.", line.id)
    serial = serials.add_seen(session, line.receipt_line_id, code, line.id)
    serial.picked_at = clock.now()
    line.picked += ONE
    session.flush()
    solve_missing_serials(session, line.receipt_line_id, actor)
    return _counted(session, line, code)


def solve_missing_serials(session: Session, receipt_line_id: int, actor: str) -> None:
    """The question about missing serials is answered once every piece has one."""
    if serials.lacking_serials(session, receipt_line_id):
        return
    row = session.get_one(GoodsReceiptLine, receipt_line_id)
    how = "Seriennummern beim Lesen ergänzt"
    subject = f"{row.position}:{row.article}"
    settle_kind(session, row.receipt_id, DifferenceKind.SERIAL_MISSING, subject=subject, how=how, actor=actor)


def _counted(session: Session, line: DeliveryLine, code: str) -> Reading:
    product = session.get_one(Product, line.product_id)
    rest = line.quantity - line.picked
    tail = "vollständig." if rest <= 0 else f"noch {amount(rest)}."
    return Reading(True, f"{code}: {product.name}, {amount(line.picked)} von {amount(line.quantity)}, {tail}", line.id)


def _progress(session: Session, delivery: Delivery, actor: str) -> None:
    open_lines = session.scalar(
        sa.select(sa.func.count()).where(DeliveryLine.delivery_id == delivery.id, DeliveryLine.picked < DeliveryLine.quantity)
    )
    ticket = session.get_one(Ticket, delivery.ticket_id)
    if ticket.state is TicketState.NEW:
        ticket.state = TicketState.OPEN
        note(session, ticket, "picking", actor)
    if not open_lines and delivery.state is DeliveryState.PICKING:
        delivery.state = DeliveryState.PICKED
        note(session, ticket, "picked", actor)
    elif open_lines:
        delivery.state = DeliveryState.PICKING
    session.flush()
    recording.record(session, delivery.id)


def put_back(session: Session, delivery_id: int, line_id: int) -> None:
    """Begin a line anew: nothing of it counts as picked. Raises: NotFoundError, ConflictError when it is packed."""
    delivery = delivery_for(session, delivery_id)
    if delivery.state not in (DeliveryState.PICKING, DeliveryState.PICKED):
        raise ConflictError("Lieferung: Sie ist schon gepackt. Zum Ändern bitte zuerst das Packen zurücknehmen.")
    line = session.get(DeliveryLine, line_id)
    if line is None or line.delivery_id != delivery.id:
        raise NotFoundError("Lieferung: Diese Position gibt es nicht.")
    line.picked = Decimal(0)
    session.execute(sa.update(GoodsSerial).where(GoodsSerial.delivery_line_id == line.id).values(
        picked_at=None, scanned_at=sa.func.coalesce(GoodsSerial.scanned_at, clock.now())
    ))  # fmt: skip
    delivery.state = DeliveryState.PICKING
    session.flush()


# --- counting at the receipt -----------------------------------------------------------------------------------------------


def receipt_for(session: Session, receipt_id: int) -> GoodsReceipt:
    """The receipt, locked. Raises: NotFoundError."""
    receipt = session.get(GoodsReceipt, receipt_id, with_for_update=True)
    if receipt is None:
        raise NotFoundError("Wareneingang: gibt es nicht.")
    return receipt


def count(  # noqa: PLR0917 - one reading
    session: Session, receipt_id: int, code: str, actor: str, active: int | None = None, asked: str = ""
) -> Reading:
    """Count one piece of a receipt against what the supplier told.

    Args:
        session: the transaction.
        receipt_id: the receipt.
        code: what was read.
        actor: who reads.
        active: the position that was read last or chosen.
        asked: the number that the reading before asked to be read once more.

    Raises:
        NotFoundError, ConflictError: no such receipt, or it is checked.
    """
    receipt = receipt_for(session, receipt_id)
    if receipt.state is ReceiptState.CHECKED:
        raise ConflictError(f"Wareneingang {receipt.delivery_note}: Die Prüfung ist abgeschlossen.")
    code = code.strip()
    if not code:
        return Reading(False, "Es wurde nichts gelesen.", active)
    known = _count_serial(session, receipt, code) or _count_article(session, receipt, code)
    return known or _ask_again(session, code, active, asked) or _count_new(session, receipt, code, active, actor)


def _ask_again(session: Session, code: str, active: int | None, asked: str) -> Reading | None:
    """A box carries more codes than the serial: when every piece of the position is announced, a stranger is read twice."""
    row = session.get(GoodsReceiptLine, active) if active else None
    if row is None or code == asked:
        return None
    announced = session.scalar(sa.select(sa.func.count()).where(GoodsSerial.receipt_line_id == row.id, GoodsSerial.announced))
    if not announced or announced < row.quantity:
        return None
    return Reading(
        False,
        f"{code} steht nicht im Lieferavis, und zu {row.text or row.article} sind alle Seriennummern angekündigt. "
        "Liegt dort wirklich ein anderes Gerät, bitte dieselbe Nummer noch einmal lesen.",
        row.id,
        ask=code,
    )


def _count_serial(session: Session, receipt: GoodsReceipt, code: str) -> Reading | None:
    found = session.execute(
        sa.select(GoodsSerial, GoodsReceiptLine)
        .join(GoodsReceiptLine, GoodsReceiptLine.id == GoodsSerial.receipt_line_id)
        .where(GoodsReceiptLine.receipt_id == receipt.id, same_serial(code))
        .order_by(nearest(code))
        .limit(1)
    ).first()
    if found is None:
        return None
    serial, row = found
    if serial.scanned_at is not None:
        return Reading(False, f"{code} ist schon gelesen.", row.id)
    serial.scanned_at = clock.now()
    return _add(session, row, code)


def _count_article(session: Session, receipt: GoodsReceipt, code: str) -> Reading | None:
    found = session.execute(
        sa.select(GoodsReceiptLine, Product)
        .outerjoin(Product, Product.id == GoodsReceiptLine.product_id)
        .where(
            GoodsReceiptLine.receipt_id == receipt.id,
            same_article(code),
        )
        .order_by(sa.func.coalesce(GoodsReceiptLine.counted, 0) >= GoodsReceiptLine.quantity, GoodsReceiptLine.position)
        .limit(1)
    ).first()
    if found is None:
        return None
    row, product = found
    if product is not None and product.serial_tracked:
        return Reading(True, f"{row.text or row.article}: Bitte jetzt die Seriennummern lesen.", row.id)
    return _add(session, row, code)


def _count_new(session: Session, receipt: GoodsReceipt, code: str, active: int | None, actor: str) -> Reading:
    row = session.get(GoodsReceiptLine, active) if active else None
    product = session.get(Product, row.product_id) if row is not None and row.product_id is not None else None
    if row is None or row.receipt_id != receipt.id or product is None or not product.serial_tracked:
        return Reading(False, f"{code} steht nicht im Lieferavis. Bitte zuerst den Artikel lesen oder die Position wählen.")
    serials.add_seen(session, row.id, code)
    reading = _add(session, row, code)
    solve_missing_serials(session, row.id, actor)
    return Reading(reading.ok, f"{reading.text} Die Nummer stand nicht im Avis.", row.id)


def _add(session: Session, row: GoodsReceiptLine, code: str) -> Reading:
    row.counted = (row.counted or Decimal(0)) + ONE
    session.flush()
    where = f"{row.text or row.article}, {amount(row.counted)} von {amount(row.quantity)}"
    if row.counted > row.quantity:
        return Reading(False, f"{code}: {where}. Das ist mehr, als der Lieferschein nennt.", row.id)
    return Reading(True, f"{code}: {where}.", row.id)


def put_into_bin(session: Session, receipt_id: int, line_id: int, place: str) -> None:
    """Note the Lagerplatz of a position for all that is still to be picked of it. Raises: NotFoundError."""
    receipt = receipt_for(session, receipt_id)
    row = session.get(GoodsReceiptLine, line_id)
    if row is None or row.receipt_id != receipt.id:
        raise NotFoundError("Wareneingang: Diese Position gibt es nicht.")
    lines = sa.select(DeliveryLine.delivery_id).where(DeliveryLine.receipt_line_id == row.id)
    changed = session.scalars(
        sa.update(Delivery)
        .where(Delivery.id.in_(lines), Delivery.state.in_([DeliveryState.PICKING, DeliveryState.PICKED]))
        .values(pick_list_key=None)
        .returning(Delivery.id)
    ).all()
    session.execute(
        sa.update(DeliveryLine)
        .where(DeliveryLine.receipt_line_id == row.id, DeliveryLine.delivery_id.in_(changed))
        .values(bin=place.strip() or None)
    )
    session.flush()
    notify(session, BELL)


def set_count(session: Session, receipt_id: int, line_id: int, counted: Decimal) -> None:
    """Type a count in place of many readings. Raises: NotFoundError, ConflictError."""
    receipt = receipt_for(session, receipt_id)
    row = session.get(GoodsReceiptLine, line_id)
    if row is None or row.receipt_id != receipt.id:
        raise NotFoundError("Wareneingang: Diese Position gibt es nicht.")
    if receipt.state is ReceiptState.CHECKED:
        raise ConflictError(f"Wareneingang {receipt.delivery_note}: Die Prüfung ist abgeschlossen.")
    if counted < 0:
        raise ConflictError("Wareneingang: Eine gezählte Menge ist nie kleiner als 0.")
    row.counted = counted
    session.flush()
