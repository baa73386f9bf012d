"""The invoice book of the bookkeeping system: what is handed over, and what comes back."""

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, Self

from kit.errors import ConflictError, DrehkreuzError


class SapUnavailableError(DrehkreuzError):
    """SAP does not answer, or its answer was lost and no document is found yet; the next visit looks first."""


class SapRefusedError(DrehkreuzError):
    """SAP says no for a business reason; a person must mend the invoice's data or SAP's master data."""


class SapLoginError(DrehkreuzError):
    """SAP does not accept the login."""


class SapTotalsError(ConflictError):
    """The document exists in SAP with other totals than ours."""


class SapKind(enum.StrEnum):
    """What is handed over."""

    INVOICE = "invoice"
    CANCELLATION = "cancellation"  # Stornorechnung: takes back one whole invoice
    CREDIT_NOTE = "credit_note"  # Gutschrift: pays back a part, stands alone or names an invoice


@dataclass(frozen=True, slots=True)
class SapLine:
    """One line. `net` is positive in every kind of document; the kind says the direction."""

    text: str
    net: Decimal
    vat_rate: Decimal
    account: str
    cost_centre: str = ""


@dataclass(frozen=True, slots=True)
class SapInvoice:
    """An issued invoice as the book needs it.

    `key` is ours, unique for ever, and carried in SAP; `number` is the legal number ("" only where SAP gives it).
    `cancels` / `cancels_key` name the invoice that a cancellation or credit note refers to. Totals are positive.
    """

    key: str
    number: str
    kind: SapKind
    card_code: str
    customer_name: str
    issued_on: dt.date
    supplied_until: dt.date
    due_on: dt.date
    lines: tuple[SapLine, ...]
    net: Decimal
    vat: Decimal
    gross: Decimal
    month: str = ""
    report_id: str = ""
    ship_to: str = ""
    mandate_reference: str = ""
    cancels: str = ""
    cancels_key: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """The document in the book. `found` = it was there already, nothing was posted by this call."""

    key: str
    number: str
    document: str
    entry: int
    found: bool
    day: dt.date | None = None
    """The document's date, where the book has one of its own."""


class InvoiceBook(Protocol):
    """Posts each invoice once, however often it is asked.

    Raises: SapUnavailableError (later), SapRefusedError, SapLoginError, SapTotalsError (a person).
    """

    def post(self, invoice: SapInvoice) -> Posting: ...

    def find(self, invoice: SapInvoice) -> Posting | None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
