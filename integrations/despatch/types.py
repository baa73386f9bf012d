"""What a despatch advice says, whatever format it came in.

Readers fill these and nothing else; they know no database. Whether an article or an order is known is decided later, so a
reader keeps every text as it stands (trimmed) and never guesses.

The one entrance is `integrations.despatch.reader.read_despatch`, a `DespatchReader`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from kit.errors import DrehkreuzError


class DespatchError(DrehkreuzError):
    """A file that is no readable despatch advice. The sentence names place, fault and remedy.

    Attributes:
        supplier_fault: the sender has to correct it (an order in place of a despatch advice, no delivery note number);
            else the file came damaged or is not ours to read.
    """

    def __init__(self, message: str, *, supplier_fault: bool = False) -> None:
        super().__init__(message)
        self.supplier_fault = supplier_fault


@dataclass(frozen=True, slots=True)
class SupplierHint:
    """How the file names its sender; all that it says, so that the supplier can be found by any of it."""

    name: str = ""
    gln: str = ""
    """Global Location Number, 13 digits."""
    supplier_no: str = ""
    """The supplier's number as the house calls it, when the file carries it."""
    email: str = ""
    vat_id: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """Packstück: a carton or pallet of the delivery."""

    number: str
    """The package's own number (SSCC, or the sender's)."""
    kind: str = ""
    """Carton, pallet and so on, as the file says it."""
    weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DespatchLine:
    """One line of the advice. One line may be split over packages; it stays one line here."""

    number: str
    """Line number in the file; running number where it has none."""
    quantity: Decimal
    """Quantity despatched with this delivery, in `unit`."""
    unit: str = ""
    """Unit as the file says it (C62, PCE, Stk), never converted."""
    supplier_article: str = ""
    our_product: str = ""
    """The buyer's article number, that is our product code."""
    ean: str = ""
    """GTIN, digits only."""
    text: str = ""
    serials: tuple[str, ...] = ()
    """In the order of the file; a serial that stands twice in it stands twice here."""
    batch: str = ""
    order_number: str = ""
    """Our purchase order; of the line, else of the whole advice."""
    order_line: str = ""
    packages: tuple[str, ...] = ()
    """Numbers of the packages that hold this line."""
    bin: str = ""
    """Lagerplatz where the warehouse put it; only its own message tells that, never a supplier's."""
    outstanding: Decimal | None = None
    """What the sender says is still to come."""
    outstanding_reason: str = ""
    best_before: dt.date | None = None
    place: str = ""
    """Where in the file the line stands, for messages: `Zeile 14`, `Position 3`."""


@dataclass(frozen=True, slots=True)
class DespatchAdvice:
    """Lieferavis: what a supplier says is on its way or has arrived."""

    format: str
    """opentrans, ubl, desadv or csv (`models.goods.DespatchFormat`)."""
    delivery_note: str
    """The supplier's number of this delivery. With the supplier it is the identity of a goods receipt."""
    lines: tuple[DespatchLine, ...]
    supplier: SupplierHint = field(default_factory=SupplierHint)
    despatched_on: dt.date | None = None
    expected_on: dt.date | None = None
    orders: tuple[str, ...] = ()
    """All purchase orders that the advice refers to, in order of appearance, each once."""
    packages: tuple[Package, ...] = ()
    shipment: str = ""
    """Shipment or tracking number of the carrier."""
    carrier: str = ""
    note: str = ""
    hints: tuple[str, ...] = ()
    """German sentences on what was odd but readable (fewer serials than pieces, an unknown unit)."""


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """How one supplier's list is read: our field -> its column title.

    Fields: delivery_note, date, order, order_line, supplier_article, our_product, ean, text, quantity, unit, serials, batch,
    package. Needed are delivery_note, quantity and one of the three article fields.
    """

    columns: Mapping[str, str]
    delimiter: str = ""
    """Empty: found out from the header."""
    encoding: str = ""
    """Empty: UTF-8 with or without byte order mark, else Windows-1252."""
    decimal: str = ","
    date_format: str = "%d.%m.%Y"
    serial_separator: str = ","


@dataclass(frozen=True, slots=True)
class ReadHints:
    """What is known before the file is opened. Nothing of it decides the format: that the content does."""

    file_name: str = ""
    supplier_code: str = ""
    csv: CsvMapping | None = None
    """The supplier's mapping; without it the reader's usual German and English titles are tried."""


class DespatchReader(Protocol):
    """`read_despatch(raw, hints)`: bytes of any supported format to one advice, typed by content alone."""

    def __call__(self, raw: bytes, hints: ReadHints = ..., /) -> DespatchAdvice:
        """Raises: DespatchError, with place, fault and remedy in German; never anything else for bad bytes."""
