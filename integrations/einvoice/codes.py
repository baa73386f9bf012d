"""Code lists as far as our invoices use them, and text and numbers as XML may carry them."""

import unicodedata
from decimal import Decimal

from integrations.documents.contents import InvoiceContent, InvoiceKind, Unit
from integrations.documents.signs import is_refund

UNITS = {Unit.HOUR: "HUR", Unit.DAY: "DAY", Unit.TRIP: "C62", Unit.PIECE: "C62", Unit.GB: "E34", Unit.MONTH: "MON"}
"""UN/ECE Recommendation 20."""

INVOICE, CREDIT_NOTE, CORRECTED = "380", "381", "384"
"""UNTDID 1001, as EN 16931 allows them (BT-3)."""

TRANSFER, DIRECT_DEBIT, CLEARING = "58", "59", "97"
"""UNTDID 4461 (BT-81)."""

STANDARD, EXEMPT = "S", "E"
"""UNTDID 5305 (BT-118, BT-151)."""

_DIRECTION_MARKS = {"\u200e", "\u200f", "\u061c", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def type_code(content: InvoiceContent) -> str:
    """Storno 384, a refund 381, everything else 380."""
    if content.kind is InvoiceKind.CANCELLATION:
        return CORRECTED
    return CREDIT_NOTE if is_refund(content) else INVOICE


def category(rate: Decimal) -> str:
    """VAT category: the house's services are taxed at a rate, or exempt."""
    return STANDARD if rate else EXEMPT


def plain(text: str) -> str:
    """What XML 1.0 may hold, without marks that turn the reading direction around; everything else stays as written."""
    kept = (c for c in text.replace("\r\n", "\n") if c in "\n\t" or (unicodedata.category(c) not in {"Cc", "Cs", "Cn"}))
    return "".join(c for c in kept if c not in _DIRECTION_MARKS).strip()


def money(value: Decimal) -> str:
    """Two decimals; more if the value has more, so that the check refuses it instead of us rounding silently."""
    return decimal(value, 2)


def decimal(value: Decimal, places: int = 0) -> str:
    """Plain notation with at least so many decimals."""
    exponent = value.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return f"{value:.{max(own, places)}f}"
