"""From bytes to an advice whose supplier we know."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods.receipt_json import looks_like_json, read_json
from integrations.despatch.reader import read_despatches
from integrations.despatch.types import CsvMapping, DespatchAdvice, DespatchError, ReadHints, SupplierHint
from models.goods import DespatchFormat, PurchaseOrderLine, Supplier


@dataclass(frozen=True, slots=True)
class Told:
    """An advice with its supplier."""

    supplier: Supplier
    advice: DespatchAdvice

    @property
    def key(self) -> str:
        """The identity of the delivery, whatever way it came."""
        return f"{self.supplier.code}/{self.advice.delivery_note}"


def read(session: Session, raw: bytes, *, file_name: str = "", supplier_code: str = "") -> list[Told]:
    """Understand a file or a message; an interchange or a list may hold several deliveries, each of them is one.

    Args:
        session: only read.
        raw: the bytes as they came.
        file_name: a hint for messages; the format is found in the content.
        supplier_code: our supplier's code where the way it came tells it (folder, query, option).

    Raises:
        DespatchError: unreadable, no supplier of ours, or without delivery note number.
    """
    if looks_like_json(raw):
        advice = read_json(raw)
        return [Told(_supplier(session, advice, supplier_code), advice)]
    known = _by_code(session, supplier_code) if supplier_code else None
    advices = _read_file(session, raw, ReadHints(file_name, supplier_code, csv_mapping(known)))
    told = [Told(known or _supplier(session, advice, supplier_code), advice) for advice in advices]
    senders = {each.supplier.id for each in told}
    supplier = told[0].supplier
    if known is None and len(senders) == 1 and advices[0].format == DespatchFormat.CSV and supplier.csv_mapping:
        advices = read_despatches(raw, ReadHints(file_name, supplier.code, csv_mapping(supplier)))
        told = [Told(supplier, advice) for advice in advices]
    return told


def _read_file(session: Session, raw: bytes, hints: ReadHints) -> tuple[DespatchAdvice, ...]:
    """A list whose titles nobody knows may still be one of a supplier with a mapping of its own."""
    try:
        return read_despatches(raw, hints)
    except DespatchError:
        if hints.csv is not None:
            raise
        for supplier in session.scalars(sa.select(Supplier).where(Supplier.csv_mapping.is_not(None)).order_by(Supplier.code)):
            try:
                return read_despatches(raw, replace(hints, supplier_code=supplier.code, csv=csv_mapping(supplier)))
            except DespatchError:
                continue
        raise


def csv_mapping(supplier: Supplier | None) -> CsvMapping | None:
    """The mapping that is kept with the supplier."""
    if supplier is None or not supplier.csv_mapping:
        return None
    kept: dict[str, Any] = dict(supplier.csv_mapping)
    return CsvMapping(**kept)


def _by_code(session: Session, code: str) -> Supplier:
    supplier = session.scalar(sa.select(Supplier).where(sa.func.lower(Supplier.code) == code.strip().lower()))
    if supplier is None:
        raise DespatchError(f"Lieferant {code}: gibt es nicht. Bitte den Code aus suppliers.csv angeben.")
    return supplier


def _supplier(session: Session, advice: DespatchAdvice, code: str) -> Supplier:
    if code:
        return _by_code(session, code)
    found = _by_hint(session, advice.supplier) or _by_orders(session, advice)
    if found is None:
        named = advice.supplier.name or advice.supplier.gln or advice.supplier.supplier_no or "ohne Absender"
        raise DespatchError(
            f"Lieferavis {advice.delivery_note}: Der Lieferant ({named}) ist nicht bekannt, und keine Bestellung darin gehört "
            "zu genau einem Lieferanten. Bitte den Lieferanten anlegen oder den Code mitgeben."
        )
    return found


def _by_hint(session: Session, hint: SupplierHint) -> Supplier | None:
    tests: list[sa.ColumnElement[bool]] = []
    if hint.supplier_no:
        tests.append(sa.func.lower(Supplier.code) == hint.supplier_no.lower())
    if hint.gln:
        tests.append(Supplier.gln == hint.gln)
    if hint.email:
        tests.append(sa.func.lower(Supplier.email) == hint.email.lower())
    if hint.name:
        plain = sa.func.lower(sa.func.regexp_replace(Supplier.name, r"\s+", " ", "g"))
        tests.append(plain == " ".join(hint.name.lower().split()))
    for test in tests:
        found = session.scalars(sa.select(Supplier).where(test).limit(2)).all()
        if len(found) == 1:
            return found[0]
    return None


def _by_orders(session: Session, advice: DespatchAdvice) -> Supplier | None:
    orders = set(advice.orders) | {line.order_number for line in advice.lines if line.order_number}
    if not orders:
        return None
    ids = session.scalars(
        sa.select(PurchaseOrderLine.supplier_id).where(PurchaseOrderLine.number.in_(orders)).distinct().limit(2)
    ).all()
    return session.get(Supplier, ids[0]) if len(ids) == 1 else None


def fingerprint(advice: DespatchAdvice) -> str:
    """SHA-256 of what the advice says in our terms: order of positions and format do not count."""
    lines = sorted(
        [
            line.our_product or line.supplier_article or line.ean,
            f"{line.quantity.normalize():f}",
            line.order_number,
            line.order_line,
            *sorted(line.serials),
        ]
        for line in advice.lines
    )
    return hashlib.sha256(json.dumps([advice.delivery_note, lines], ensure_ascii=False).encode()).hexdigest()
