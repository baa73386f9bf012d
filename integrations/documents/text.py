"""Text as documents can carry it, and German formats for what stands in them.

The shipped font covers Latin, Greek and Cyrillic. Whatever it cannot show would fall back to a font that happens to be
installed, or to no glyph at all, which PDF/A forbids; so foreign characters become their compatibility form or a box.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parents[2] / "templates" / "documents" / "fonts"
MISSING = "□"
"""Stands for a character that the shipped font does not have."""

KEPT_SPACES = "\u00a0\u202f\u2002\u2007"
"""Spaces that a line needs: no break, narrow without break, half an em, as wide as a digit."""

_MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
_WEEKDAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
_GERMAN = str.maketrans({",": ".", ".": ",", "-": "−"})
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@lru_cache(maxsize=1)
def _covered() -> frozenset[str]:
    """Characters that regular and bold both have; from then on every character seen is decided once."""
    with TTFont(FONTS / "Lato-Regular.ttf", lazy=True) as regular, TTFont(FONTS / "Lato-Bold.ttf", lazy=True) as bold:
        return frozenset(chr(code) for code in set(regular.getBestCmap()) & set(bold.getBestCmap()))


@lru_cache(maxsize=20_000)
def _shown(char: str) -> str:
    """One character as it can be set: itself, its compatibility form, nothing if invisible, else a box."""
    if char in "\n ":
        return char
    category = unicodedata.category(char)
    if char == "\t" or category == "Zs":
        return char if char in KEPT_SPACES else " "
    if category in _INVISIBLE:
        return MISSING if category in {"Cs", "Co", "Cn"} else ""
    if ord(char) in _VARIATION_SELECTORS:
        return ""
    if char in _covered():
        return char
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if c in _covered() and not unicodedata.combining(c))
    return plain or MISSING


def clean(text: str) -> str:
    """A foreign text as a document may show it: NFC, no control or direction marks, only characters of the font."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if MISSING not in (result := "".join(map(_shown, composed))):
        return result
    while MISSING * 2 in result:
        result = result.replace(MISSING * 2, MISSING)
    return result


def paragraphs(text: str) -> list[str]:
    """Non-empty lines of a text, cleaned."""
    return [line for raw in clean(text).split("\n") if (line := raw.strip())]


def number(value: Decimal, places: int = 2) -> str:
    """1234.5 -> 1.234,50"""
    return f"{value:,.{places}f}".translate(_GERMAN)


def euro(value: Decimal) -> str:
    """1234.5 -> 1.234,50 €"""
    return f"{number(value)}\u00a0€"


def price(value: Decimal) -> str:
    """A unit price: two decimals, up to four where it has them."""
    exponent = value.normalize().as_tuple().exponent
    places = min(4, max(2, -exponent if isinstance(exponent, int) else 2))
    return f"{number(value, places)}\u00a0€"


def percent(value: Decimal) -> str:
    """19.00 -> 19 %, 5.50 -> 5,5 %"""
    return f"{format(value.normalize(), 'f').translate(_GERMAN)}\u00a0%"


def quantity(value: Decimal) -> str:
    """Two decimals, up to four where it has them."""
    return price(value).removesuffix("\u00a0€")


def hours(minutes: int) -> str:
    """735 -> 12:15 Std."""
    sign = "−" if minutes < 0 else ""
    whole, rest = divmod(abs(minutes), 60)
    return f"{sign}{whole:,}:{rest:02d}\u00a0Std.".replace(",", ".")


def day(value: dt.date) -> str:
    """05.10.2026"""
    return f"{value:%d.%m.%Y}"


def weekday(value: dt.date) -> str:
    return _WEEKDAYS[value.weekday()]


def month(value: dt.date) -> str:
    """Oktober 2026"""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def period(first: dt.date, last: dt.date) -> str:
    """01.10.2026 – 31.10.2026, or the one day."""
    return day(first) if first == last else f"{day(first)}\u00a0–\u00a0{day(last)}"


def iban(value: str) -> str:
    """In groups of four."""
    plain = value.replace(" ", "")
    return "\u00a0".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def masked_iban(value: str) -> str:
    """Country, check digits and the last four stay: enough for the payer to know the account. DE02 … 5030"""
    plain = value.replace(" ", "")
    return f"{plain[:4]}\u00a0…\u00a0{plain[-4:]}" if len(plain) >= 12 else plain


def joined(parts: Iterable[str], separator: str = " · ") -> str:
    """The non-empty ones, in one line."""
    return separator.join(part for part in parts if part)
