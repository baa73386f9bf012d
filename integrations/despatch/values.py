"""Numbers, days and names as suppliers write them, to exact values or a refusal."""

import datetime as dt
import re
from decimal import Decimal

from integrations.charset import clean
from integrations.despatch.limits import MAX_IDENT
from integrations.despatch.types import DespatchError

_PLAIN = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
_MOST = Decimal(10) ** 10
"""No delivery has so many pieces; the database keeps ten digits before the mark."""
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{2}){0,4}(?:[T ].*)?", re.ASCII)
_GTIN_LENGTHS = (8, 12, 13, 14)
PIECES = {"C62", "PCE", "H87", "EA", "PC", "STK", "ST", "STÜCK", "STCK", "PCS", "NAR", ""}
"""Units that count single things; only there serials can be counted against the quantity."""


def quantity(text: str, place: str, what: str = "Liefermenge") -> Decimal:
    """A quantity with point or comma as decimal mark, no thousands marks.

    Raises:
        DespatchError: missing, negative, impossibly great or no number.
    """
    value = clean(text)
    if not value:
        raise DespatchError(
            f"{place}: Die {what} fehlt. Bitte lassen Sie sich vom Lieferanten ein vollständiges Lieferavis schicken.",
            supplier_fault=True,
        )
    number = value.removeprefix("+").replace(",", ".")
    if not _PLAIN.fullmatch(number) or Decimal(number) >= _MOST:
        raise DespatchError(
            f"{place}: »{value[:40]}« ist keine {what} (erwartet eine Zahl ab 0, etwa 4 oder 2.5). "
            "Bitte lassen Sie das Lieferavis vom Lieferanten berichtigen.",
            supplier_fault=True,
        )
    return Decimal(number)


def soft_quantity(text: str) -> Decimal | None:
    """The number, or None when it is none."""
    number = clean(text).removeprefix("+").replace(",", ".")
    return Decimal(number) if _PLAIN.fullmatch(number) and Decimal(number) < _MOST else None


def day(text: str) -> dt.date | None:
    """The calendar day of an ISO date or date-time (as written, no shift of zone) or of YYYYMMDD; None when it is none."""
    value = clean(text)
    found = _DATE.fullmatch(value) or _COMPACT.fullmatch(value)
    if not found:
        return None
    try:
        return dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def gtin(text: str) -> str:
    """Digits of a GTIN-8, -12, -13 or -14, or empty when it is none. The check digit is the business of the matching."""
    value = clean(text).replace(" ", "").replace("-", "")
    return value if value.isascii() and value.isdigit() and len(value) in _GTIN_LENGTHS else ""


def gln(text: str) -> str:
    """A Global Location Number of 13 digits, or empty."""
    value = clean(text).replace(" ", "")
    return value if value.isascii() and value.isdigit() and len(value) == 13 else ""


def ident(text: str, place: str, what: str) -> str:
    """A number or name that identifies something: trimmed, of bearable length.

    Raises:
        DespatchError: longer than any such number is.
    """
    value = clean(text)
    if len(value) > MAX_IDENT:
        raise DespatchError(
            f"{place}: {what} hat {len(value)} Zeichen, höchstens {MAX_IDENT} sind möglich. "
            "Bitte prüfen Sie, ob die Datei beschädigt ist, und fordern Sie sie neu an.",
        )
    return value
