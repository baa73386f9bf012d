"""Abweichungen: kept as rows, asked as one task per receipt, answered by a person, told to the supplier on request (S21)."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.goods.reading import fingerprint
from actions.goods.serials import add_announced, record_again
from actions.people import Question, answered, ask
from integrations.despatch.types import DespatchAdvice, DespatchLine
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.goods import Delivery, GoodsDifference, GoodsReceipt, GoodsReceiptLine, GoodsSerial, Supplier
from models.parties import StaffRole
from models.plumbing import InboxItem
from rules.receiving import Difference, DifferenceKind


def question_key(receipt_id: int) -> str:
    """Key of the one task of a receipt."""
    return f"goods:{receipt_id}:differences"


def raise_all(
    session: Session,
    receipt: GoodsReceipt,
    lines: Sequence[GoodsReceiptLine],
    found: Sequence[Difference],
    customer_id: int | None,
) -> str:
    """Keep the differences and ask about them. Returns the task's number, empty when nothing differs or nobody is behind it."""
    if not found:
        return ""
    ids = {line.position: line.id for line in lines}
    now = clock.now()
    session.execute(
        insert(GoodsDifference).on_conflict_do_nothing(index_elements=["receipt_id", "kind", "subject"]),
        [
            {
                "receipt_id": receipt.id,
                "line_id": ids.get(difference.position) if difference.position is not None else None,
                "kind": difference.kind,
                "subject": difference.subject,
                "expected": difference.expected or None,
                "received": difference.received or None,
                "text": difference.text,
                "created_at": now,
            }
            for difference in found
        ],
    )
    return _ask(session, receipt, customer_id)


def _ask(session: Session, receipt: GoodsReceipt, customer_id: int | None) -> str:
    supplier = session.get_one(Supplier, receipt.supplier_id)
    listed = open_of(session, receipt.id)
    text = "\n".join(
        [
            f"Lieferschein {receipt.delivery_note} von {supplier.name} stimmt nicht mit den Bestellungen überein:",
            *(f"- {difference.text}" for difference in listed),
            "Bitte die Ware zählen und jede Abweichung auf der Seite des Wareneingangs entscheiden.",
            "Trifft die Liste zu, geht sie von dort an den Lieferanten.",
        ]
    )
    number = ask(
        session,
        Question(
            key=question_key(receipt.id),
            customer_id=customer_id,
            role=StaffRole.MATERIALS.value,
            subject=f"Wareneingang {receipt.delivery_note} ({supplier.name}): {len(listed)} Abweichungen klären",
            text=text,
        ),
    )
    return number or ""


def open_of(session: Session, receipt_id: int) -> list[GoodsDifference]:
    """What a person still has to decide."""
    return list(
        session.scalars(
            sa.select(GoodsDifference)
            .where(GoodsDifference.receipt_id == receipt_id, GoodsDifference.resolved_at.is_(None))
            .order_by(GoodsDifference.id)
        )
    )


def resolve(session: Session, difference_id: int, how: str, actor: str) -> None:
    """A person decided. The task closes with the last one. Raises: NotFoundError, DrehkreuzError without a word on how."""
    difference = session.get(GoodsDifference, difference_id, with_for_update=True)
    if difference is None:
        raise NotFoundError("Wareneingang: Diese Abweichung gibt es nicht mehr.")
    if not how.strip():
        raise DrehkreuzError("Wareneingang: Bitte sagen Sie in einem Satz, wie die Abweichung geklärt ist.")
    if difference.resolved_at is None:
        difference.resolved_at, difference.resolved_by, difference.resolution = clock.now(), actor, how.strip()
        session.flush()
        if difference.kind is DifferenceKind.SERIAL_KNOWN:
            _record_disputed(session, difference)
    close_question(session, difference.receipt_id)


def _record_disputed(session: Session, difference: GoodsDifference) -> None:
    """A serial that was known elsewhere is settled: its device may be recorded now, packed or not."""
    holders = sa.select(GoodsSerial.delivery_line_id).join(GoodsReceiptLine, GoodsReceiptLine.id == GoodsSerial.receipt_line_id)
    lines = session.scalars(
        holders.where(
            GoodsReceiptLine.receipt_id == difference.receipt_id,
            GoodsSerial.serial == difference.subject,
            GoodsSerial.delivery_line_id.is_not(None),
        )
    )
    record_again(session, [line for line in lines if line is not None])


def close_question(session: Session, receipt_id: int) -> None:
    """Close the task when nothing is open any more."""
    if not open_of(session, receipt_id):
        answered(session, question_key(receipt_id))


def settle_kind(session: Session, receipt_id: int, kind: DifferenceKind, *, subject: str, how: str, actor: str) -> None:
    """Something later solved it (the missing serial was scanned, the article was named)."""
    session.execute(
        sa.update(GoodsDifference)
        .where(
            GoodsDifference.receipt_id == receipt_id,
            GoodsDifference.kind == kind,
            GoodsDifference.subject == subject,
            GoodsDifference.resolved_at.is_(None),
        )
        .values(resolved_at=clock.now(), resolved_by=actor, resolution=how)
    )
    close_question(session, receipt_id)


def settle_rests(session: Session, supplier_id: int, fulfilled: Sequence[str]) -> None:
    """What an earlier receipt lacked has come with a later one: nobody needs to ask for it any more (U27)."""
    if not fulfilled:
        return
    lacking = session.execute(
        sa.select(GoodsDifference.receipt_id, GoodsDifference.subject)
        .join(GoodsReceipt, GoodsReceipt.id == GoodsDifference.receipt_id)
        .where(
            GoodsReceipt.supplier_id == supplier_id,
            GoodsDifference.kind == DifferenceKind.UNDER_DELIVERY,
            GoodsDifference.subject.in_(fulfilled),
            GoodsDifference.resolved_at.is_(None),
        )
    ).tuples()
    for receipt_id, subject in lacking.all():
        how = "mit einer späteren Lieferung vollständig"
        settle_kind(session, receipt_id, DifferenceKind.UNDER_DELIVERY, subject=subject, how=how, actor="Drehkreuz")


def customer_of(session: Session, receipt_id: int) -> int | None:
    """A customer who stands behind a receipt: whose delivery came first."""
    return session.scalar(
        sa.select(Delivery.customer_id).where(Delivery.receipt_id == receipt_id).order_by(Delivery.id).limit(1)
    )


def compare_again(session: Session, receipt: GoodsReceipt, advice: DespatchAdvice, item: InboxItem) -> str:
    """A delivery that is booked is told once more. The same: nothing. Serials that were missing: added. Else a question."""
    told = fingerprint(advice)
    if told == receipt.sha256:
        return ""
    lines = list(
        session.scalars(
            sa.select(GoodsReceiptLine).where(GoodsReceiptLine.receipt_id == receipt.id).order_by(GoodsReceiptLine.position)
        )
    )
    if _same_but_serials(lines, advice):
        _add_serials(session, lines, advice)
        receipt.sha256 = told
        return ""
    text = (
        f"Lieferschein {receipt.delivery_note} kam ein zweites Mal mit anderem Inhalt (Korb {item.key}): "
        f"{len(advice.lines)} statt {len(lines)} Positionen oder andere Mengen. Gebucht ist nur die erste Meldung."
    )
    found = Difference(DifferenceKind.TOLD_OTHERWISE, told[:12], text)
    return raise_all(session, receipt, lines, [found], customer_of(session, receipt.id))


def _same_but_serials(lines: Sequence[GoodsReceiptLine], advice: DespatchAdvice) -> bool:
    mine = sorted((r.article, r.quantity, r.order_number or "", r.order_line or "") for r in lines)
    theirs = sorted((article_of(line), line.quantity, line.order_number, line.order_line) for line in advice.lines)
    return mine == theirs


def article_of(line: DespatchLine) -> str:
    """What a position calls its article: our number before the supplier's before the EAN."""
    return line.our_product or line.supplier_article or line.ean


def _add_serials(session: Session, lines: Sequence[GoodsReceiptLine], advice: DespatchAdvice) -> None:
    for row in lines:
        for line in advice.lines:
            told = (article_of(line), line.order_number, line.order_line)
            same = told == (row.article, row.order_number or "", row.order_line or "")
            if same and line.serials:
                had = session.scalar(
                    sa.select(sa.func.count()).select_from(GoodsSerial).where(GoodsSerial.receipt_line_id == row.id)
                )
                if not had:
                    add_announced(session, row, line.serials)
