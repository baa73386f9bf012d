"""The kinds of cells: how a field of the folder is read, what it allows, and how it is written again.

`read` turns the text of a non-empty cell into a value or raises `CellError` with a German half sentence (what is wrong,
what is allowed). `write` is its inverse: `read(write(value)) == value`, and `write(read(text))` is the canonical spelling
that an export uses.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from actions.company.reading import FIELD_LIMIT
from kit.clock import BERLIN

CODE_LENGTH = 100
NAME_LENGTH = 300
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_INTEGER = re.compile(r"-?\d{1,12}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?P<offset>Z|[+-]\d{2}:\d{2})?", re.ASCII)


class CellError(ValueError):
    """What is wrong with a cell and what is allowed, as a German half sentence."""


def quoted(text: str) -> str:
    """A cell's text as it stands in a message: short, on one line."""
    flat = " ".join(text.split())
    return f"»{flat if len(flat) <= 60 else flat[:57] + '…'}«"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty text."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else ""


class Cell:
    """A kind of cell."""

    allowed: str = ""
    """What it allows, for the page of the office."""
    sql: Any = sa.Text()
    """How its values lie in the database while they are checked."""

    def read(self, text: str) -> Any:
        """The value of a non-empty cell. Raises: CellError."""
        raise CellError(f"{quoted(text)} ist hier nicht möglich")

    def doubt(self, value: Any) -> str:  # noqa: ARG002 - most kinds have none
        """Why a value that is allowed looks odd; empty when it does not."""
        return ""

    def bind(self, value: Any) -> Any:
        """The value as it goes into the database."""
        return value

    def write(self, value: Any) -> str:
        """The canonical text of a value."""
        return str(value)


class Text(Cell):
    """Free text, kept to the letter; line breaks as allowed."""

    def __init__(self, length: int = FIELD_LIMIT, *, lines: bool = True) -> None:
        self.length = length
        self.lines = lines
        breaks = "" if lines else ", ohne Zeilenumbruch"
        self.allowed = f"Text bis {length} Zeichen{breaks}"

    def read(self, text: str) -> str:
        if len(text) > self.length:
            raise CellError(f"ist mit {len(text)} Zeichen zu lang, erlaubt sind {self.length}")
        found = _CONTROL.search(text)
        if found:
            raise CellError(f"enthält das Steuerzeichen U+{ord(found[0]):04X}, erlaubt ist lesbarer Text")
        if not self.lines and ("\n" in text or "\r" in text):
            raise CellError("enthält einen Zeilenumbruch, erlaubt ist eine Zeile")
        return text

    def doubt(self, value: str) -> str:
        return "beginnt oder endet mit einem Leerzeichen" if not self.lines and value != value.strip() else ""


class Code(Text):
    """A key of people: number, code, inventory number. Outer blanks are dropped."""

    def __init__(self, length: int = CODE_LENGTH) -> None:
        super().__init__(length, lines=False)
        self.allowed = f"Schlüssel bis {length} Zeichen"

    def read(self, text: str) -> str:
        return super().read(text.strip())


class Choice(Cell):
    """One of a few words."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self.allowed = ", ".join(self.words)
        self._known = frozenset(self.words)

    def read(self, text: str) -> str:
        word = text.strip()
        if word in self._known:
            return word
        meant = nearest(word, self.words)
        raise CellError(
            f"{quoted(text)} ist unbekannt{f', gemeint ist wohl {meant}' if meant else ''}; erlaubt: {self.allowed}"
        )


class YesNo(Cell):
    """`yes` or `no`."""

    allowed = "yes, no"
    sql = sa.Boolean()

    def read(self, text: str) -> bool:
        word = text.strip()
        if word not in ("yes", "no"):
            raise CellError(f"{quoted(text)} ist unbekannt; erlaubt: yes, no")
        return word == "yes"

    def write(self, value: bool) -> str:
        return "yes" if value else "no"


class Integer(Cell):
    """A whole number within bounds."""

    sql = sa.Integer()

    def __init__(self, low: int, high: int, unit: str = "") -> None:
        self.low, self.high = low, high
        self.allowed = f"ganze Zahl {low} bis {high}{f' ({unit})' if unit else ''}"

    def read(self, text: str) -> int:
        word = text.strip()
        if not _INTEGER.fullmatch(word):
            raise CellError(f"{quoted(text)} ist keine ganze Zahl; erlaubt: {self.allowed}")
        value = int(word)
        if not self.low <= value <= self.high:
            raise CellError(f"{value} liegt außerhalb; erlaubt: {self.allowed}")
        return value


class Number(Cell):
    """A decimal number with `.`: prices and amounts in EUR net, quantities, hours.

    Args:
        places: digits after the point that are kept; more are refused, nothing is rounded silently.
        shown: digits after the point that an export shows at least.
    """

    def __init__(self, low: str, high: str, *, places: int, shown: int = 0, unit: str = "") -> None:
        self.low, self.high = Decimal(low), Decimal(high)
        self.places, self.shown = places, shown
        self.sql = sa.Numeric(20, places)
        self.allowed = f"Zahl {low} bis {high} mit Punkt, höchstens {places} Nachkommastellen{f' ({unit})' if unit else ''}"

    def read(self, text: str) -> Decimal:
        word = text.strip()
        if not _DECIMAL.fullmatch(word):
            remedy = "das Dezimalzeichen ist ein Punkt, ohne Tausendertrennung" if "," in word else f"erlaubt: {self.allowed}"
            raise CellError(f"{quoted(text)} ist keine Zahl; {remedy}")
        value = Decimal(word)
        exponent = value.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            raise CellError(f"{quoted(text)} ist zu genau; erlaubt sind höchstens {self.places} Nachkommastellen")
        if not self.low <= value <= self.high:
            raise CellError(f"{quoted(text)} liegt außerhalb; erlaubt: {self.allowed}")
        return value

    def write(self, value: Decimal) -> str:
        whole, _, fraction = f"{value:.{self.places}f}".partition(".")
        fraction = fraction.rstrip("0").ljust(self.shown, "0")
        return f"{whole}.{fraction}" if fraction else whole


class VatRate(Number):
    """A German VAT rate in percent."""

    def __init__(self) -> None:
        super().__init__("0", "100", places=2)
        self.allowed = "19, 7, 0"

    def read(self, text: str) -> Decimal:
        value = super().read(text)
        if value not in (0, 7, 19):
            raise CellError(f"{quoted(text)} ist kein Steuersatz; erlaubt: {self.allowed}")
        return value


class Day(Cell):
    """A date `YYYY-MM-DD`."""

    sql = sa.Date()

    def __init__(self, first_year: int = 1990) -> None:
        self.first_year = first_year
        self.allowed = f"Datum JJJJ-MM-TT, {first_year} bis 2100"

    def read(self, text: str) -> dt.date:
        word = text.strip()
        try:
            if not _DATE.fullmatch(word):
                raise ValueError
            day = dt.date.fromisoformat(word)
        except ValueError:
            raise CellError(f"{quoted(text)} ist kein Datum; erlaubt: JJJJ-MM-TT, zum Beispiel 2026-10-31") from None
        if not self.first_year <= day.year <= 2100:
            raise CellError(f"{quoted(text)} ist unglaubwürdig; erlaubt: {self.allowed}")
        return day

    def write(self, value: dt.date) -> str:
        return value.isoformat()


class Instant(Cell):
    """An instant: `YYYY-MM-DDTHH:MM` on Berlin's clock (in the doubled hour of autumn the first), or with offset."""

    allowed = "Zeitpunkt JJJJ-MM-TTThh:mm (deutsche Ortszeit) oder mit Abstand zu UTC, zum Beispiel +02:00; 1990 bis 2100"
    sql = sa.DateTime(timezone=True)

    def read(self, text: str) -> dt.datetime:
        word = text.strip()
        shape = _INSTANT.fullmatch(word)
        try:
            if shape is None:
                raise ValueError
            written = dt.datetime.fromisoformat(word)
            instant = written.astimezone(dt.UTC) if shape["offset"] else self._local(written, text)
        except (ValueError, OverflowError) as error:
            if isinstance(error, CellError):
                raise
            raise CellError(
                f"{quoted(text)} ist kein Zeitpunkt; erlaubt: JJJJ-MM-TTThh:mm, zum Beispiel 2026-10-31T08:15"
            ) from None
        if not 1990 <= instant.year <= 2100:
            raise CellError(f"{quoted(text)} ist unglaubwürdig; erlaubt sind die Jahre 1990 bis 2100")
        return instant

    @staticmethod
    def _local(written: dt.datetime, text: str) -> dt.datetime:
        instant = written.replace(tzinfo=BERLIN).astimezone(dt.UTC)
        if instant.astimezone(BERLIN).replace(tzinfo=None) != written:
            raise CellError(
                f"{quoted(text)} gibt es nicht: in dieser Nacht springt die Uhr von 2 auf 3; "
                "geben Sie eine andere Uhrzeit oder den Abstand zu UTC an"
            )
        return instant

    def write(self, value: dt.datetime) -> str:
        local = value.astimezone(BERLIN)
        if local.fold or local.second or local.microsecond:
            return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")
        return local.strftime("%Y-%m-%dT%H:%M")


class Listed(Cell):
    """Several values separated by `|`, kept in their order, each once."""

    sql = ARRAY(sa.Text)

    def __init__(self, of: Cell) -> None:
        self.of = of
        self.allowed = f"eine oder mehrere durch | getrennt: {of.allowed}"

    def read(self, text: str) -> list[str]:
        return list(dict.fromkeys(self.of.read(part) for part in text.split("|") if part.strip()))

    def doubt(self, value: list[str]) -> str:
        return "; ".join(filter(None, map(self.of.doubt, value)))

    def write(self, value: list[str]) -> str:
        return "|".join(value)
