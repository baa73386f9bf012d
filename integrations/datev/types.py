"""What a DATEV booking batch (Buchungsstapel) is made of."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kit.errors import DrehkreuzError


class DatevError(DrehkreuzError):
    """A value that the format cannot carry; names invoice, field and remedy."""


@dataclass(frozen=True, slots=True)
class DatevClient:
    """For whom the batch is: Berater, Mandant, length of general ledger accounts, chart, revenue accounts per VAT rate.

    `revenue_accounts` maps a rate in percent to the account: {19: "8400", 7: "8300", 0: "8200"}.
    """

    consultant: int
    client: int
    account_length: int
    revenue_accounts: dict[int, str]
    chart: Literal["03", "04"] = "03"
    fiscal_year_first_month: int = 1
    initials: str = "DK"
    finalised: bool = False


@dataclass(frozen=True, slots=True)
class DatevInvoice:
    """One issued invoice. `gross_by_rate` is signed as the customer owes it: a credit is negative.

    A cancellation (`reverses` = the number it takes back) holds the positive amounts of the original.
    """

    number: str
    issued_on: dt.date
    debtor_account: str
    gross_by_rate: dict[int, Decimal]
    text: str
    due_on: dt.date | None = None
    supplied_until: dt.date | None = None
    reverses: str = ""
    cost_centre: str = ""
    mandate_reference: str = ""


@dataclass(frozen=True, slots=True)
class DatevBooking:
    """One row of the batch. `amount` > 0; `side` is seen from `account`. `own_number`: that of the cancellation itself."""

    amount: Decimal
    side: Literal["S", "H"]
    account: str
    contra_account: str
    voucher_date: dt.date
    voucher: str
    text: str
    reverses: bool = False
    own_number: str = ""
    cost_centre: str = ""
    mandate_reference: str = ""
    supplied_on: dt.date | None = None
    due_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class DatevFile:
    """A finished file: name as DATEV wants it (EXTF_*.csv), bytes, how many rows, their sum as control."""

    name: str
    content: bytes
    rows: int
    total: Decimal
