"""The values of monthly billing: what goes into one customer's month and what comes out. Page: docs/rules/monatsabrechnung.md

Everything is frozen and plain, so a month can be computed, hashed and compared anywhere. Money is `Decimal` in EUR,
minutes are `int`, percents are `Decimal` (`19` is 19 %), instants are aware. Order of input tuples never matters.
"""

import datetime as dt
import enum
from dataclasses import dataclass, field
from decimal import Decimal

from rules.month import Month


class BillingMode(enum.StrEnum):
    """Who pays: head office for all, or each paying site its own."""

    CENTRAL = "central"
    PER_SITE = "per_site"


class ServiceKind(enum.StrEnum):
    """Kind of a service entry."""

    STANDARD = "standard"
    AFTER_HOURS = "after_hours"
    WEEKEND = "weekend"
    PROJECT_DAY = "project_day"


class LineKind(enum.StrEnum):
    """Kind of a line that is charged in money; the first five are groups of a report."""

    STANDARD = "standard"
    AFTER_HOURS = "after_hours"
    WEEKEND = "weekend"
    PROJECT_DAY = "project_day"
    TRIP = "trip"
    KONTINGENT = "kontingent"
    CORRECTION = "correction"


class Unit(enum.StrEnum):
    """Unit of a line's quantity; `month` only for a Kontingent month billed pro rata."""

    HOUR = "hour"
    DAY = "day"
    TRIP = "trip"
    MONTH = "month"


class Charge(enum.StrEnum):
    """Where an entry's time went: money, Kontingent, both (split at the boundary minute), or nowhere (non-billable)."""

    INVOICE = "invoice"
    KONTINGENT = "kontingent"
    SPLIT = "split"
    NONE = "none"


class LedgerKind(enum.StrEnum):
    """Kind of a Kontingent ledger entry."""

    GRANT = "grant"
    USAGE = "usage"
    CORRECTION = "correction"


class InvoiceKind(enum.StrEnum):
    """Invoices that a month's run can issue."""

    SERVICE = "service"
    KONTINGENT = "kontingent"
    CORRECTION = "correction"


class FlatKind(enum.StrEnum):
    """Contracts that belong to recurring billing and take their entries out of this run (S154)."""

    RENTAL = "rental"
    DATA_CENTRE = "data_centre"


class RestAtEnd(enum.StrEnum):
    """What becomes of unused Kontingent minutes when the contract ends (U24)."""

    PAID_OUT = "paid_out"
    SERVED = "served"


# ---------------------------------------------------------------- input


@dataclass(frozen=True, slots=True)
class Site:
    """Standort. `bills_to` is the paying site's code, None = head office; `travel_price` net EUR per trip."""

    code: str
    bills_to: str | None = None
    travel_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of the cooperation agreement; net EUR, surcharges in percent, None = the default 50 and 100."""

    version: int
    signed_on: dt.date | None
    hour_price: Decimal
    day_price: Decimal | None = None
    travel_price: Decimal | None = None
    after_hours_percent: Decimal | None = None
    weekend_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """Anfangsbestand: replaces everything up to and including `as_of`. Minutes may be negative."""

    as_of: dt.date
    minutes: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One Kontingent ledger row. `minutes` is signed: a grant adds, usage subtracts, a correction adds back.

    `entry_id` names the service entry of a usage; grants and corrections have none.
    """

    contract: str
    day: dt.date
    kind: LedgerKind
    minutes: int
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class KontingentContract:
    """Kontingent-Vertrag with its terms, its opening and the ledger rows that earlier runs stored.

    `site` None = the whole customer. `ledger` holds stored rows only; grants that are not stored yet are derived.
    """

    number: str
    starts_on: dt.date
    ends_on: dt.date | None
    hours_per_month: Decimal
    hour_price: Decimal
    site: str | None = None
    overdraft_allowed: bool = False
    correction_rule: str = "quarter_end"
    includes_travel: bool = False
    rest_at_end: RestAtEnd = RestAtEnd.PAID_OUT
    billing_minimum_minutes: int | None = None
    billing_unit_minutes: int | None = None
    opening: Opening | None = None
    ledger: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class FlatLine:
    """Line of a rental or data-centre contract: its validity (both days inclusive) and the asset classes it covers."""

    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    covered_asset_classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlatContract:
    """Rental or data-centre contract; `site` None = the whole customer."""

    number: str
    kind: FlatKind
    starts_on: dt.date
    ends_on: dt.date | None = None
    site: str | None = None
    lines: tuple[FlatLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """Leistung as captured. `site` and `asset_class` come from its ticket; `started_at` is aware or None.

    `reported` is true once a released run of ours holds it; `reported_elsewhere` when another system reported it.
    """

    id: str
    ticket: str
    site: str | None
    work_date: dt.date
    minutes: int
    started_at: dt.datetime | None = None
    kind: ServiceKind = ServiceKind.STANDARD
    place: str = "remote"
    trips: int = 0
    billable: bool = True
    non_billable_reason: str | None = None
    approved: bool = True
    reported: bool = False
    reported_elsewhere: bool = False
    asset_class: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerMonth:
    """Everything that one customer's bill of one month depends on.

    `entries`: at least all that are not reported yet with a work date up to the month's end, and all
    `reported_elsewhere` ones up to then; more never hurts. `vat_rate`: the house's service rate in percent.
    """

    customer: str
    month: Month
    billing: BillingMode = BillingMode.CENTRAL
    vat_rate: Decimal = Decimal(19)
    sites: tuple[Site, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    kontingente: tuple[KontingentContract, ...] = ()
    flat_contracts: tuple[FlatContract, ...] = ()
    entries: tuple[ServiceEntry, ...] = ()


# ---------------------------------------------------------------- output


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry as the report shows it.

    `billed_minutes` after minimum and unit (0 when non-billable); `usage_minutes` drawn from `contract` (surcharge
    included); `charged_minutes` in the hour group, `days` in the day group, `charged_trips` in the trip group.
    `group` and `trip_group` are the `key` of those groups or None. `late`: work date before the run's month.
    """

    entry_id: str
    ticket: str
    site: str | None
    work_date: dt.date
    kind: ServiceKind
    raw_minutes: int
    billed_minutes: int
    billable: bool
    non_billable_reason: str | None
    charge: Charge
    contract: str | None = None
    usage_minutes: int = 0
    charged_minutes: int = 0
    days: Decimal = Decimal(0)
    trips: int = 0
    charged_trips: int = 0
    group: str | None = None
    trip_group: str | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """A group of the report and, the very same row, a line of the invoice: quantity * price = net, rounded once.

    `quantity` has two to four decimals; `minutes` is the exact sum behind an hour quantity (else None), and `net`
    is computed from it.
    """

    key: str
    kind: LineKind
    quantity: Decimal
    unit: Unit
    price: Decimal
    vat_rate: Decimal
    net: Decimal
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class KontingentStatement:
    """A contract's month: carried + granted - used + corrected = balance, all in minutes.

    `correction_proposed`: missing minutes that the contract's rule proposes to bill, 0 = none.
    """

    contract: str
    carried: int
    granted: int
    used: int
    corrected: int
    balance: int
    correction_proposed: int = 0


@dataclass(frozen=True, slots=True)
class VatGroup:
    """VAT of one rate: computed from the rate's net sum, never per line."""

    rate: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """An invoice to issue: amounts are final, number and date come with the issue. `contract` for Kontingent kinds."""

    kind: InvoiceKind
    contract: str | None
    lines: tuple[MoneyLine, ...]
    net: Decimal
    vat_groups: tuple[VatGroup, ...]
    vat: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Excluded:
    """An entry that belongs to recurring billing, with the contract that covers it."""

    entry_id: str
    contract: str


@dataclass(frozen=True, slots=True)
class Blocker:
    """What cannot go on: kind of thing (`entry`, `price`), its id, the reason in German, the role that can solve it."""

    what: str
    id: str
    why: str
    role: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Something worth a look that blocks nothing: the thing's id and a German sentence."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class PayerBill:
    """One paying site's part of the month; `site` None = head office.

    A report is due exactly when `entries` is not empty. `entries` stand in order of site, work date, start, id.
    """

    site: str | None
    entries: tuple[EntryLine, ...] = ()
    groups: tuple[MoneyLine, ...] = ()
    kontingente: tuple[KontingentStatement, ...] = ()
    invoices: tuple[InvoiceDraft, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    hints: tuple[Hint, ...] = ()

    @property
    def has_report(self) -> bool:
        """Whether a service report is due; without entries a Kontingent invoice stands alone."""
        return bool(self.entries)

    @property
    def net(self) -> Decimal:
        """Net sum of all invoices of this payer."""
        return sum((invoice.net for invoice in self.invoices), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class CustomerBill:
    """One customer's month. `payers` head office first, then by site code; empty = the customer is left out.

    `new_ledger`: the rows to store at release (grants not stored yet, usage of this run's entries).
    """

    customer: str
    month: Month
    payers: tuple[PayerBill, ...] = ()
    new_ledger: tuple[LedgerEntry, ...] = field(default=())

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """All blockers of all payers."""
        return tuple(blocker for payer in self.payers for blocker in payer.blockers)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """All hints of all payers."""
        return tuple(hint for payer in self.payers for hint in payer.hints)

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """All entries left to recurring billing."""
        return tuple(entry for payer in self.payers for entry in payer.excluded)

    @property
    def net(self) -> Decimal:
        """Net sum of all invoices of the month."""
        return sum((payer.net for payer in self.payers), Decimal("0.00"))
