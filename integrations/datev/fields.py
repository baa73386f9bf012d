"""The 125 columns of the booking batch (EXTF 700, category 21, format 13), in their order: name, kind, length.

Kinds and lengths are those of DATEV's own format description; texts stand in quotes even when empty, everything else bare.
"""

import datetime as dt
import enum
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from integrations.datev.types import DatevError

Value = str | int | Decimal | dt.date | None


class Kind(enum.StrEnum):
    TEXT = "Text"
    NUMBER = "Zahl"
    AMOUNT = "Betrag"
    ACCOUNT = "Konto"
    DATE = "Datum"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `length` counts characters of a text, digits before the comma of everything else."""

    name: str
    kind: Kind
    length: int
    places: int = 0

    def written(self, value: Value, place: str) -> str:
        """The value as it stands in the file. Raises: DatevError, naming `place` and column, when it does not fit."""
        if self.kind is Kind.TEXT:
            return f'"{self._text(value, place)}"'
        if value is None or value == "":
            return ""
        if isinstance(value, dt.date):
            return f"{value:%d%m}" if self.name == "Belegdatum" else f"{value:%d%m%Y}"
        if isinstance(value, Decimal):
            return self._decimal(value, place)
        digits = str(value)
        if not digits.isascii() or not digits.isdigit() or len(digits) > self.length:
            raise self._misfit(value, place, f"erlaubt sind bis zu {self.length} Ziffern")
        return digits

    def _text(self, value: Value, place: str) -> str:
        text = encodable("" if value is None else str(value))
        if len(text) > self.length:
            raise self._misfit(value, place, f"erlaubt sind bis zu {self.length} Zeichen")
        return text.replace('"', '""')

    def _decimal(self, value: Decimal, place: str) -> str:
        rounded = value.quantize(Decimal(1).scaleb(-self.places))
        if rounded != value or value < 0 or value >= Decimal(10) ** self.length:
            raise self._misfit(value, place, f"erlaubt sind nicht negative Beträge mit {self.places} Nachkommastellen")
        return f"{rounded:f}".replace(".", ",")

    def _misfit(self, value: Value, place: str, allowed: str) -> DatevError:
        return DatevError(f"{place}, DATEV-Feld „{self.name}“: {str(value)!r} passt nicht; {allowed}.")


def encodable(text: str) -> str:
    """The text in what Windows-1252 can hold: other letters lose their marks, what is left becomes a question mark."""
    return "".join(_characters(unicodedata.normalize("NFC", text)))


def _characters(text: str) -> Iterator[str]:
    for char in text:
        if unicodedata.category(char) in {"Cc", "Zl", "Zp"}:
            yield " "
        elif _held(char):
            yield char
        else:
            plain = "".join(c for c in unicodedata.normalize("NFKD", char) if _held(c) and not unicodedata.combining(c))
            yield plain or "?"


def _held(char: str) -> bool:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _text(name: str, length: int) -> Column:
    return Column(name, Kind.TEXT, length)


def _number(name: str, length: int, places: int = 0) -> Column:
    return Column(name, Kind.NUMBER, length, places)


def _amount(name: str, length: int) -> Column:
    return Column(name, Kind.AMOUNT, length, 2)


def _account(name: str, length: int = 9) -> Column:
    return Column(name, Kind.ACCOUNT, length)


def _date(name: str) -> Column:
    return Column(name, Kind.DATE, 8)


def _pairs(first: str, second: str, count: int) -> list[Column]:
    return [c for n in range(1, count + 1) for c in (_text(f"{first} {n}", 20), _text(f"{second} {n}", 210))]


COLUMNS: tuple[Column, ...] = (
    _amount("Umsatz (ohne Soll/Haben-Kz)", 10),
    _text("Soll/Haben-Kennzeichen", 1),
    _text("WKZ Umsatz", 3),
    _number("Kurs", 5, 6),
    _amount("Basis-Umsatz", 10),
    _text("WKZ Basis-Umsatz", 3),
    _account("Konto"),
    _account("Gegenkonto (ohne BU-Schlüssel)"),
    _text("BU-Schlüssel", 4),
    _date("Belegdatum"),
    _text("Belegfeld 1", 36),
    _text("Belegfeld 2", 12),
    _amount("Skonto", 8),
    _text("Buchungstext", 60),
    _number("Postensperre", 1),
    _text("Diverse Adressnummer", 9),
    _number("Geschäftspartnerbank", 3),
    _number("Sachverhalt", 2),
    _number("Zinssperre", 1),
    _text("Beleglink", 210),
    *_pairs("Beleginfo - Art", "Beleginfo - Inhalt", 8),
    _text("KOST1 - Kostenstelle", 36),
    _text("KOST2 - Kostenstelle", 36),
    _number("Kost-Menge", 12, 4),
    _text("EU-Land u. UStID (Bestimmung)", 15),
    _number("EU-Steuersatz (Bestimmung)", 2, 2),
    _text("Abw. Versteuerungsart", 1),
    _number("Sachverhalt L+L", 3),
    _number("Funktionsergänzung L+L", 3),
    _number("BU 49 Hauptfunktionstyp", 1),
    _number("BU 49 Hauptfunktionsnummer", 2),
    _number("BU 49 Funktionsergänzung", 3),
    *_pairs("Zusatzinformation - Art", "Zusatzinformation- Inhalt", 20),
    _number("Stück", 8),
    _number("Gewicht", 8, 2),
    _number("Zahlweise", 2),
    _text("Forderungsart", 10),
    _number("Veranlagungsjahr", 4),
    _date("Zugeordnete Fälligkeit"),
    _number("Skontotyp", 1),
    _text("Auftragsnummer", 30),
    _text("Buchungstyp", 2),
    _number("USt-Schlüssel (Anzahlungen)", 2),
    _text("EU-Land (Anzahlungen)", 2),
    _number("Sachverhalt L+L (Anzahlungen)", 3),
    _number("EU-Steuersatz (Anzahlungen)", 2, 2),
    _account("Erlöskonto (Anzahlungen)"),
    _text("Herkunft-Kz", 2),
    _text("Buchungs GUID", 36),
    _date("KOST-Datum"),
    _text("SEPA-Mandatsreferenz", 35),
    _number("Skontosperre", 1),
    _text("Gesellschaftername", 76),
    _number("Beteiligtennummer", 4),
    _text("Identifikationsnummer", 11),
    _text("Zeichnernummer", 20),
    _date("Postensperre bis"),
    _text("Bezeichnung SoBil-Sachverhalt", 30),
    _number("Kennzeichen SoBil-Buchung", 2),
    _number("Festschreibung", 1),
    _date("Leistungsdatum"),
    _date("Datum Zuord. Steuerperiode"),
    _date("Fälligkeit"),
    _text("Generalumkehr (GU)", 1),
    _number("Steuersatz", 2, 2),
    _text("Land", 2),
    _text("Abrechnungsreferenz", 50),
    _number("BVV-Position", 1),
    _text("EU-Land u. UStID (Ursprung)", 15),
    _number("EU-Steuersatz (Ursprung)", 2, 2),
    _account("Abw. Skontokonto", 8),
)
