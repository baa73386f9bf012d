"""What a SEPA direct debit file is made of."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kit.errors import DrehkreuzError

Scheme = Literal["CORE", "B2B"]
SequenceType = Literal["RCUR", "OOFF", "FRST", "FNAL"]
"""Recurring (also for the first one), one-off; the schema still knows first and final."""


class SepaError(DrehkreuzError):
    """A debit that no bank would take; names the debit, the field and the remedy."""


@dataclass(frozen=True, slots=True)
class Creditor:
    """The house as creditor: account and creditor identifier (Gläubiger-ID)."""

    name: str
    iban: str
    creditor_id: str
    bic: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What changed in a mandate since the last collection; empty fields did not change."""

    former_reference: str = ""
    account_changed: bool = False
    former_creditor_id: str = ""
    former_creditor_name: str = ""


@dataclass(frozen=True, slots=True)
class Mandate:
    """The customer's signed permission."""

    reference: str
    signed_on: dt.date
    scheme: Scheme
    debtor_name: str
    iban: str
    bic: str = ""
    amendment: Amendment | None = None


@dataclass(frozen=True, slots=True)
class Debit:
    """One collection. `reference` (end-to-end id) is the invoice number or as unique; `text` is what the payer reads."""

    reference: str
    amount: Decimal
    collect_on: dt.date
    mandate: Mandate
    text: str
    sequence: SequenceType = "RCUR"


@dataclass(frozen=True, slots=True)
class SepaFile:
    """A finished file with its control figures."""

    name: str
    content: bytes
    message_id: str
    debits: int
    total: Decimal
