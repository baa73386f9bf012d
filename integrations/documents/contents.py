"""What a document says, as frozen plain values: callers fill these, renderers and the e-invoice builder only read them.

Nothing here is computed: amounts, minutes and numbers are those of the released rows, so that report, printed face and
structured invoice cannot disagree. Money is net or gross EUR as `Decimal`, minutes are `int`, instants are aware
(shown in Europe/Berlin), texts are raw (escaping and control characters are the renderer's concern).
"""

import datetime as dt
import enum
from dataclasses import dataclass, field
from decimal import Decimal


class Place(enum.StrEnum):
    REMOTE = "remote"
    ON_SITE = "on_site"


class Kind(enum.StrEnum):
    """Kind of service of an entry or of a group of charges; `trip` only for groups."""

    STANDARD = "standard"
    AFTER_HOURS = "after_hours"
    WEEKEND = "weekend"
    PROJECT_DAY = "project_day"
    TRIP = "trip"


class Charge(enum.StrEnum):
    """Where a billable entry is charged; `none` for non-billable ones."""

    INVOICE = "invoice"
    KONTINGENT = "kontingent"
    SPLIT = "split"
    NONE = "none"


class Unit(enum.StrEnum):
    """Unit of a quantity; the codes of UN/ECE Rec 20 belong to `integrations.einvoice`."""

    HOUR = "hour"
    DAY = "day"
    TRIP = "trip"
    PIECE = "piece"
    GB = "gb"
    MONTH = "month"


class InvoiceKind(enum.StrEnum):
    SERVICE = "service"
    KONTINGENT = "kontingent"
    CORRECTION = "correction"
    """Over-booked Kontingent minutes, charged after release (S169): an invoice of its own, it replaces no earlier one."""
    RECURRING = "recurring"
    CANCELLATION = "cancellation"
    """Storno: takes a whole earlier invoice back; amounts as on the original (positive), `cancels` names it."""


class Face(enum.StrEnum):
    """The customer's way to get invoices (U30)."""

    POST = "post"
    EMAIL_EINVOICE = "email_einvoice"
    XRECHNUNG = "xrechnung"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPerson:
    """Who answers questions (S173): the account manager, else the service team."""

    name: str
    role: str = "Ihre Kundenbetreuung"
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The issuer. `tax_number` or `vat_id` is a mandatory particular (§ 14 Abs. 4 Nr. 2 UStG)."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str = "DE"
    tax_number: str = ""
    vat_id: str = ""
    iban: str = ""
    bic: str = ""
    creditor_id: str = ""
    register_court: str = ""
    register_no: str = ""
    email: str
    phone: str = ""
    portal_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A customer or one of its sites as an address block. `site_*` is empty for the head office."""

    number: str
    """The customer's number, e.g. K1001."""
    name: str
    """Legal name of the customer."""
    street: str
    postal_code: str
    city: str
    country: str = "DE"
    vat_id: str = ""
    email: str = ""
    site_code: str = ""
    site_name: str = ""
    attention: str = ""
    """Person or department in the address, e.g. "Buchhaltung"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementReference:
    """The version of the co-operation agreement that states prices and travel (S95, S96, S104)."""

    version: int
    signed_on: dt.date | None = None
    hour_price: Decimal | None = None
    day_price: Decimal | None = None
    travel_price: Decimal | None = None
    after_hours_percent: Decimal | None = None
    weekend_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VatGroup:
    """One VAT rate: net sum, and the tax computed from that sum. Rate in percent."""

    rate: Decimal
    net: Decimal
    vat: Decimal
    exemption_reason: str = ""
    """Only for rate 0; empty there means "Umsatzsteuerfreie Leistung"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    net: Decimal
    vat: Decimal
    gross: Decimal
    vat_groups: tuple[VatGroup, ...] = ()


# --- service report -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One service entry. Order and grouping by `site` are kept as given; the renderer parts billable from non-billable."""

    id: str
    site: str = ""
    """Name of the site served; empty = head office."""
    work_date: dt.date
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    technician: str
    ticket_number: str
    ticket_subject: str
    text: str
    place: Place = Place.REMOTE
    kind: Kind = Kind.STANDARD
    raw_minutes: int
    billed_minutes: int
    """0 for non-billable entries."""
    billable: bool
    reason: str = ""
    """Why it is not billed (S158); required when `billable` is false."""
    charge: Charge = Charge.INVOICE
    contract_number: str = ""
    """The Kontingent contract drawn on, if any."""
    kontingent_minutes: int = 0
    """Minutes taken from the Kontingent, surcharge included; 0 if none."""
    invoiced_minutes: int = 0
    """Minutes charged in money; for a split entry the part beyond the boundary."""
    trips: int = 0
    trips_charged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """One row of money: what the invoice will say with the same amounts."""

    kind: Kind
    quantity: Decimal
    unit: Unit
    price: Decimal
    vat_rate: Decimal
    net: Decimal
    agreement: AgreementReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KontingentMonth:
    """One month of the history, minutes by ledger day."""

    month: dt.date
    granted: int
    used: int
    balance: int
    """Balance on the last day of the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KontingentStatement:
    """carried + granted - used + corrected = balance, all in minutes."""

    contract_number: str
    site: str = ""
    """Name of the site the contract is for; empty = all sites."""
    carried: int
    granted: int
    used: int
    corrected: int
    balance: int
    correction_proposed: int = 0
    """Minutes proposed to be charged; only a proposal until released."""
    overdraft_allowed: bool = False
    includes_travel: bool = False
    hour_price: Decimal | None = None
    history: tuple[KontingentMonth, ...] = ()
    """Up to twelve months, oldest first, this month last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedHint:
    """Work covered by a rental or data-centre contract: neither in this report nor billed by it (S154)."""

    contract_number: str
    contract_kind: str
    """German, e.g. "Mietvertrag" or "Rechenzentrumsvertrag"."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDocument:
    """An earlier report and its invoice on a topic of this report (S76)."""

    report_number: str
    issued_on: dt.date
    invoice_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTopic:
    """Why there is a charge for the same topic again: what was done about it before (S76)."""

    topic: str
    tickets: tuple[str, ...] = ()
    """Earlier ticket numbers on the topic."""
    documents: tuple[EarlierDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Servicebericht of one paying party for one month."""

    number: str
    month: dt.date
    """First day of the month reported."""
    issued_on: dt.date
    house: House
    customer: Party
    """The customer's head office."""
    payer: Party
    """Addressee: the paying site, or the head office itself."""
    contact: ContactPerson
    entries: tuple[EntryLine, ...] = ()
    groups: tuple[GroupLine, ...] = ()
    totals: Totals | None = None
    """None when nothing is charged in money."""
    kontingent: tuple[KontingentStatement, ...] = ()
    excluded: tuple[ExcludedHint, ...] = ()
    related: tuple[RelatedTopic, ...] = ()
    agreement: AgreementReference | None = None
    """The agreement in force; groups may name older versions."""
    hints: tuple[str, ...] = ()
    """Further German sentences for the customer; hints to the office stand in the preview, never here."""


# --- invoice ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One structured line. `name` describes the work in words: a bare report id is refused (BMF, 15 October 2025)."""

    name: str
    """BT-153, e.g. "IT-Dienstleistungen (Standardzeit) gemäß Servicebericht SB-2026-000001"."""
    description: str = ""
    """BT-154, further text."""
    quantity: Decimal
    unit: Unit
    price: Decimal
    """Net price per unit, at most four decimals."""
    vat_rate: Decimal
    net: Decimal
    period_from: dt.date | None = None
    period_to: dt.date | None = None
    report_number: str = ""
    agreement: AgreementReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The buyer transfers to the house's account by the due date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectDebit:
    """SEPA direct debit under a signed mandate; the creditor id is the house's."""

    mandate_reference: str
    iban: str
    """The payer's account."""
    collect_on: dt.date | None = None
    """The day of collection as announced; the due date if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReference:
    number: str
    issued_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceContent:
    """An issued invoice, correction or cancellation. All parties are copies as of the day of issue."""

    number: str
    kind: InvoiceKind
    issued_on: dt.date
    supply_from: dt.date
    supply_to: dt.date
    due_on: dt.date
    house: House
    buyer: Party
    """Who owes: the head office (central billing) or the paying site."""
    contact: ContactPerson
    lines: tuple[InvoiceLine, ...]
    totals: Totals
    payment: Transfer | DirectDebit = field(default_factory=Transfer)
    face: Face = Face.POST
    postal_address: Party | None = None
    """Where the letter goes, if not to the buyer."""
    ship_to: Party | None = None
    """The one branch served, if it is not the buyer (BG-13)."""
    report_number: str = ""
    """The service report billed, embedded into the hybrid PDF; empty for a Kontingent or recurring invoice without one."""
    buyer_reference: str = ""
    """BT-10: Leitweg-ID of a public customer (required for XRechnung)."""
    order_reference: str = ""
    """BT-13: the buyer's order number."""
    contract_number: str = ""
    """BT-12."""
    cancels: InvoiceReference | None = None
    """The invoice that a cancellation or correction refers to (BT-25)."""
    reason: str = ""
    """Why it was cancelled or corrected, in German."""
    note: str = ""
    """A further German sentence for the buyer (BT-22)."""
    einvoice_exists: bool = True
    """Whether a structured invoice is sent too: the printed face then says that it is a copy."""


# --- post ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalItem:
    """One letter of a batch."""

    invoice_number: str
    customer_number: str
    recipient: Party
    report_number: str = ""
    gross: Decimal
    pages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalListContent:
    """Cover and check list of a postal batch; the letters follow in this order."""

    batch: str
    """Name of the batch, e.g. "2026-10/1"."""
    month: dt.date
    issued_on: dt.date
    house: House
    items: tuple[PostalItem, ...]
