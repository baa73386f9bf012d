"""The receipt as a machine of the warehouse tells it: JSON, the same facts as a despatch advice."""

import datetime as dt
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine, Package, SupplierHint

FORMAT = "json"

PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""Control characters are no part of a number or a name, and the database cannot keep NUL."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=PRINTABLE)]
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]

GERMAN = {
    "missing": "fehlt",
    "extra_forbidden": "ist unbekannt",
    "string_too_short": "darf nicht leer sein",
    "string_too_long": "ist zu lang",
    "too_short": "darf nicht leer sein",
    "too_long": "hat zu viele Einträge",
    "greater_than": "muss größer als 0 sein",
    "decimal_max_digits": "ist keine mögliche Menge",
    "decimal_max_places": "hat mehr als vier Nachkommastellen",
    "date_from_datetime_parsing": "ist kein Datum (JJJJ-MM-TT)",
    "date_parsing": "ist kein Datum (JJJJ-MM-TT)",
    "decimal_parsing": "ist keine Zahl",
    "decimal_type": "ist keine Zahl",
    "finite_number": "ist keine mögliche Menge",
    "greater_than_equal": "darf nicht negativ sein",
    "string_pattern_mismatch": "enthält Steuerzeichen",
    "string_unicode": "ist kein gültiger Text",
    "string_type": "muss Text sein",
    "list_type": "muss eine Liste sein",
    "json_invalid": "ist kein gültiges JSON",
    "model_type": "muss ein Objekt sein",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineIn(_Strict):
    """One position. Needed is one of product, article and ean."""

    quantity: Decimal = Field(gt=0, max_digits=14, decimal_places=4)
    product: Text = ""
    article: Text = ""
    ean: Text = ""
    text: Text = ""
    unit: Text = ""
    serials: list[Key] = Field(default_factory=list, max_length=20_000)
    batch: Text = ""
    order: Text = ""
    order_line: Text = ""
    outstanding: Decimal | None = Field(default=None, ge=0, max_digits=14, decimal_places=4)
    bin: Text = ""


class ReceiptIn(_Strict):
    """`POST /api/goods-receipts` with `application/json`, and receipt files."""

    supplier: Key
    delivery_note: Key
    date: dt.date | None = None
    lines: list[LineIn] = Field(min_length=1, max_length=20_000)
    packages: list[Key] = Field(default_factory=list, max_length=5000)
    shipment: Text = ""
    note: Text = ""


def looks_like_json(raw: bytes) -> bool:
    """Whether the bytes begin as an object does."""
    return raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def read_json(raw: bytes) -> DespatchAdvice:
    """Read a receipt. Raises: DespatchError naming field, fault and remedy."""
    try:
        told = ReceiptIn.model_validate_json(raw.lstrip(b"\xef\xbb\xbf"))
    except ValidationError as fault:
        faults = "; ".join(_german(error["loc"], error["type"]) for error in fault.errors()[:5])
        raise DespatchError(
            f"Wareneingang als JSON: {faults}. Erlaubt sind supplier, delivery_note, date, lines, packages, shipment, note."
        ) from None
    for index, line in enumerate(told.lines, 1):
        if not (line.product or line.article or line.ean):
            raise DespatchError(
                f"Wareneingang als JSON: lines[{index}] nennt keinen Artikel. Bitte product, article oder ean angeben."
            )
    return DespatchAdvice(
        format=FORMAT,
        delivery_note=told.delivery_note,
        lines=tuple(_line(index, line) for index, line in enumerate(told.lines, 1)),
        supplier=SupplierHint(name=told.supplier, supplier_no=told.supplier),
        despatched_on=told.date,
        orders=tuple(dict.fromkeys(line.order for line in told.lines if line.order)),
        packages=tuple(Package(number) for number in told.packages),
        shipment=told.shipment,
        note=told.note,
    )


def _german(place: tuple[int | str, ...], kind: str) -> str:
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in place) or "Inhalt"
    return f"{where} {GERMAN.get(kind, 'passt nicht')}"


def _line(index: int, line: LineIn) -> DespatchLine:
    return DespatchLine(
        number=str(index),
        quantity=line.quantity,
        unit=line.unit,
        supplier_article=line.article,
        our_product=line.product,
        ean=line.ean,
        text=line.text,
        serials=tuple(line.serials),
        batch=line.batch,
        order_number=line.order,
        order_line=line.order_line,
        outstanding=line.outstanding,
        bin=line.bin,
        place=f"lines[{index}]",
    )
