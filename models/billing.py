"""Abrechnung: the run of a month, service reports, invoices and the Kontingent ledger.

What is handed over to others stands in `models/handover.py`.

A run's lines are stored at its release and never computed again. Numbers are taken when a document is issued; from then
on triggers let nothing of it change but where it stands on its way.
"""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import MONTH_CHECK, CustomerScoped, Json, Money, Month, Percent, Price, Quantity, Record, same_customer


class RunState(enum.StrEnum):
    OPEN = "open"
    RELEASED = "released"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"


class BillingRun(Record):
    """Rechnungslauf: one per month."""

    __tablename__ = "billing_run"
    __table_args__ = (
        sa.CheckConstraint(f"month {MONTH_CHECK}", name="month_format"),
        sa.CheckConstraint("(state = 'open') = (released_at IS NULL)", name="released_says_when"),
        sa.CheckConstraint("(state = 'open') = (snapshot IS NULL)", name="released_has_snapshot"),
    )
    month: Mapped[Month] = mapped_column(unique=True)
    state: Mapped[RunState] = mapped_column(default=RunState.OPEN)
    snapshot: Mapped[str | None]
    released_at: Mapped[dt.datetime | None]
    released_by: Mapped[str | None]
    last_visit_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]


class ItemState(enum.StrEnum):
    PLANNED = "planned"
    ISSUED = "issued"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class BillingItem(CustomerScoped):
    """One customer's (or paying site's) part of a run: what was released, why it differs, what blocks it."""

    __tablename__ = "billing_item"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("paying_site_id", "site"),
        sa.Index(
            "uq_billing_item__live",
            "run_id",
            "customer_id",
            "paying_site_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=sa.text("state <> 'withdrawn'"),
        ),
    )
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("billing_run.id"), index=True)
    paying_site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Empty = head office."""
    state: Mapped[ItemState] = mapped_column(default=ItemState.PLANNED)
    reasons: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text), default=list)
    last_month_net: Mapped[Money]
    blocked: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    """What keeps it from going on: [{what, id, why, role}]; rewritten by every visit."""
    statement: Mapped[Json]
    """The Kontingent statements and hints as released, for the report's page."""


class PreviewFingerprint(Record):
    """What a preview saw of each customer, as hashes: so that a refused release can say what changed since."""

    __tablename__ = "preview_fingerprint"
    __table_args__ = (sa.UniqueConstraint("month", "snapshot"),)
    month: Mapped[Month]
    snapshot: Mapped[str]
    content: Mapped[bytes]
    """zlib-compressed JSON: customer (empty: the house) -> {hash, net, entries: {id: hash}, parts: {German name: hash}}."""


class BillingExclusion(CustomerScoped):
    """An entry of the month that a rental or data-centre contract covers (S154); the entry itself is not changed."""

    __tablename__ = "billing_exclusion"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "entry_id"),
        same_customer("entry_id", "service_entry"),
        same_customer("contract_id", "contract"),
    )
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("billing_run.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    contract_id: Mapped[int] = mapped_column(sa.BigInteger)


class ReportState(enum.StrEnum):
    PLANNED = "planned"
    NUMBERED = "numbered"
    ISSUED = "issued"


class ServiceReport(CustomerScoped):
    """Servicebericht: the overview of work that goes out before any invoice (S163)."""

    __tablename__ = "service_report"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("item_id", "billing_item"),
        same_customer("paying_site_id", "site"),
        sa.CheckConstraint("(state = 'planned') = (number IS NULL)", name="number_once_issued"),
        sa.CheckConstraint("(number IS NULL) = (issued_at IS NULL)", name="issued_says_when"),
        sa.CheckConstraint("state <> 'issued' OR archive_key IS NOT NULL", name="issued_is_archived"),
    )
    item_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    month: Mapped[Month]
    paying_site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    number: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[ReportState] = mapped_column(default=ReportState.PLANNED)
    issued_at: Mapped[dt.datetime | None]
    archive_key: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    mail_id: Mapped[int | None] = mapped_column(sa.ForeignKey("outbox_mail.id"))
    fault: Mapped[str | None]
    """Why its pages could not be made; cleared by the next visit."""


class Charge(enum.StrEnum):
    INVOICE = "invoice"
    KONTINGENT = "kontingent"
    SPLIT = "split"
    NONE = "none"


class ServiceReportLine(CustomerScoped):
    """One entry on a report. The unique entry is what makes double reporting impossible."""

    __tablename__ = "service_report_line"
    __table_args__ = (
        same_customer("report_id", "service_report"),
        same_customer("entry_id", "service_entry"),
        same_customer("contract_id", "contract"),
        sa.CheckConstraint("billed_minutes >= 0 AND usage_minutes >= 0", name="minutes_positive"),
        sa.CheckConstraint("charge <> 'none' OR (billed_minutes = 0 AND usage_minutes = 0)", name="none_costs_nothing"),
    )
    report_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    position: Mapped[int] = mapped_column(sa.Integer)
    raw_minutes: Mapped[int] = mapped_column(sa.Integer)
    billed_minutes: Mapped[int] = mapped_column(sa.Integer)
    usage_minutes: Mapped[int] = mapped_column(sa.Integer)
    """Minutes that the entry draws from the Kontingent (with surcharge)."""
    charged_minutes: Mapped[int] = mapped_column(sa.Integer)
    """Billed minutes that stand in a money group."""
    charged_days: Mapped[Quantity]
    charged_trips: Mapped[int] = mapped_column(sa.Integer)
    charge: Mapped[Charge]
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    rule_version: Mapped[str]


class GroupUnit(enum.StrEnum):
    HOUR = "hour"
    DAY = "day"
    TRIP = "trip"


class ServiceReportGroup(CustomerScoped):
    """Amount per (kind, price, VAT rate): the same row stands on report and invoice."""

    __tablename__ = "service_report_group"
    __table_args__ = (
        sa.UniqueConstraint("report_id", "kind", "price", "vat_rate"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("report_id", "service_report"),
    )
    report_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    position: Mapped[int] = mapped_column(sa.Integer)
    kind: Mapped[str]
    quantity: Mapped[Quantity]
    unit: Mapped[GroupUnit]
    price: Mapped[Price]
    vat_rate: Mapped[Percent]
    net: Mapped[Money]
    agreement_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The agreement version that states the price (S104)."""


class InvoiceKind(enum.StrEnum):
    SERVICE = "service"
    KONTINGENT = "kontingent"
    CORRECTION = "correction"
    RECURRING = "recurring"
    CANCELLATION = "cancellation"


class InvoiceState(enum.StrEnum):
    PLANNED = "planned"
    NUMBERED = "numbered"
    ISSUED = "issued"
    SENT = "sent"
    CANCELLED = "cancelled"


class Face(enum.StrEnum):
    """How the invoice leaves the house."""

    POST = "post"
    EMAIL_EINVOICE = "email_einvoice"
    XRECHNUNG = "xrechnung"


class Invoice(CustomerScoped):
    """Rechnung (§ 14 UStG). After it has its number nothing but its way may change; corrections are new documents."""

    __tablename__ = "invoice"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("item_id", "billing_item"),
        same_customer("report_id", "service_report"),
        same_customer("paying_site_id", "site"),
        same_customer("contract_id", "contract"),
        same_customer("cancels_id", "invoice", name="fk_invoice__cancels"),
        sa.CheckConstraint("(state = 'planned') = (number IS NULL)", name="number_once_issued"),
        sa.CheckConstraint("(number IS NULL) = (issued_at IS NULL)", name="issued_says_when"),
        sa.CheckConstraint("gross = net + vat", name="gross_is_sum"),
        sa.CheckConstraint("(kind = 'cancellation') = (cancels_id IS NOT NULL)", name="cancellation_points_back"),
        sa.CheckConstraint("kind <> 'service' OR report_id IS NOT NULL", name="service_has_report"),
        sa.CheckConstraint("state NOT IN ('issued', 'sent') OR archive_key IS NOT NULL", name="issued_is_archived"),
        sa.Index(
            "uq_invoice__service_report",
            "report_id",
            unique=True,
            postgresql_where=sa.text("kind = 'service' AND state <> 'cancelled'"),
        ),
        sa.Index(
            "uq_invoice__contract_month",
            "contract_id",
            "month",
            "kind",
            unique=True,
            postgresql_where=sa.text("kind IN ('kontingent', 'correction') AND state <> 'cancelled'"),
        ),
        sa.Index("uq_invoice__cancels", "cancels_id", unique=True),
    )
    item_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[InvoiceKind]
    month: Mapped[Month]
    report_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    paying_site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    cancels_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    number: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[InvoiceState] = mapped_column(default=InvoiceState.PLANNED)
    face: Mapped[Face]
    issued_at: Mapped[dt.datetime | None]
    supply_from: Mapped[dt.date]
    supply_to: Mapped[dt.date]
    due_on: Mapped[dt.date | None]
    net: Mapped[Money]
    vat: Mapped[Money]
    gross: Mapped[Money]
    archive_key: Mapped[str | None]
    xml_archive_key: Mapped[str | None]
    paper_archive_key: Mapped[str | None]
    check_archive_key: Mapped[str | None]
    """The record of the check against the e-invoice rules, kept as proof of due diligence."""
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    mail_id: Mapped[int | None] = mapped_column(sa.ForeignKey("outbox_mail.id"))
    postal_batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("postal_batch.id"))
    datev_file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("datev_file.id"))
    sent_at: Mapped[dt.datetime | None]
    fault: Mapped[str | None]
    """Why it cannot go on (a rule of the e-invoice is broken, pages could not be made); cleared by the next visit."""
    reason: Mapped[str | None]
    """Why it was cancelled or corrected."""


class InvoiceLine(CustomerScoped):
    """Rechnungsposition. A report has one live service invoice, and each of its groups stands there once."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        sa.UniqueConstraint("invoice_id", "position"),
        same_customer("invoice_id", "invoice"),
        same_customer("group_id", "service_report_group"),
        sa.UniqueConstraint("invoice_id", "group_id"),
    )
    invoice_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    group_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    position: Mapped[int] = mapped_column(sa.Integer)
    kind: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Quantity]
    unit: Mapped[str]
    price: Mapped[Price]
    vat_rate: Mapped[Percent]
    net: Mapped[Money]


class LedgerKind(enum.StrEnum):
    """Kinds of Kontingent bookings; minutes are signed."""

    OPENING = "opening"
    GRANT = "grant"
    USAGE = "usage"
    CORRECTION = "correction"
    PAID_OUT = "paid_out"


class KontingentEntry(CustomerScoped):
    """One booking of the Kontingent ledger, by work date. A balance is the fold of these rows and nothing else."""

    __tablename__ = "kontingent_entry"
    __table_args__ = (
        same_customer("contract_id", "contract"),
        same_customer("item_id", "billing_item"),
        same_customer("entry_id", "service_entry"),
        same_customer("invoice_id", "invoice"),
        sa.CheckConstraint("(kind = 'usage') = (entry_id IS NOT NULL)", name="usage_has_entry"),
        sa.CheckConstraint("kind <> 'usage' OR minutes <= 0", name="usage_takes"),
        sa.CheckConstraint("kind <> 'grant' OR minutes >= 0", name="grant_gives"),
        sa.Index("uq_kontingent_entry__usage", "entry_id", unique=True, postgresql_where=sa.text("kind = 'usage'")),
        sa.Index(
            "uq_kontingent_entry__month",
            "contract_id",
            "month",
            "kind",
            unique=True,
            postgresql_where=sa.text("kind IN ('grant', 'paid_out') OR (kind = 'correction' AND minutes > 0)"),
        ),
        sa.Index("ix_kontingent_entry__day", "contract_id", "day"),
    )
    contract_id: Mapped[int] = mapped_column(sa.BigInteger)
    day: Mapped[dt.date]
    kind: Mapped[LedgerKind]
    minutes: Mapped[int] = mapped_column(sa.Integer)
    month: Mapped[Month]
    """The month the booking belongs to (of its day)."""
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    item_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class ProposalState(enum.StrEnum):
    PROPOSED = "proposed"
    RELEASED = "released"
    REJECTED = "rejected"


class CorrectionProposal(CustomerScoped):
    """Überbuchung: proposed by the contract's rule, billed only after the account manager releases it (U6, S169)."""

    __tablename__ = "correction_proposal"
    __table_args__ = (
        sa.UniqueConstraint("contract_id", "month"),
        same_customer("contract_id", "contract"),
        same_customer("item_id", "billing_item"),
        sa.CheckConstraint("minutes > 0", name="minutes_positive"),
    )
    contract_id: Mapped[int] = mapped_column(sa.BigInteger)
    item_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    month: Mapped[Month]
    minutes: Mapped[int] = mapped_column(sa.Integer)
    price: Mapped[Price]
    net: Mapped[Money]
    rule: Mapped[str]
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.PROPOSED)
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]
