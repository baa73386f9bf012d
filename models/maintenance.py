"""Wartung: what was agreed (Bedarfsanalyse), the plans that follow, their due-ledger and the proof of each check."""

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from models.base import MONTH_CHECK, CustomerScoped, Json, Month, Record, TextList, same_customer
from rules.cadence import Shift
from rules.catch_up import CatchUp
from rules.due_ledger import Cause, DueState

_BOTH_OR_NONE = "(window_opens IS NULL) = (window_closes IS NULL)"


class CheckCatalogue(Record):
    """Prüfkatalog of the house (S106-S109): the open list of checks that are easily forgotten."""

    __tablename__ = "check_catalogue"
    __table_args__ = (
        sa.Index("uq_check_catalogue__title", sa.text("lower(title)"), unique=True),
        sa.CheckConstraint("duration_minutes > 0", name="duration_positive"),
    )
    key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    topic: Mapped[str | None]
    skill: Mapped[str | None]
    """The skill of a technician (employees.csv) who should do it."""
    purpose: Mapped[str | None]
    cadence: Mapped[str]
    duration_minutes: Mapped[int] = mapped_column(sa.Integer)
    checklist: Mapped[TextList]
    readings: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    """Values to write down: [{key, label, unit}]."""
    active: Mapped[bool] = mapped_column(default=True)


class CompanyDay(Record):
    """Betriebsruhe: a day on which the house does not work although it is no holiday."""

    __tablename__ = "company_day"
    day: Mapped[dt.date] = mapped_column(unique=True)
    name: Mapped[str]


class NeedsAnalysis(CustomerScoped):
    """Bedarfsanalyse: no contract, yields agreed checks, tickets and documents (S16, S105). Signed versions never change."""

    __tablename__ = "needs_analysis"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "version"),
        sa.UniqueConstraint("customer_id", "id"),
        sa.CheckConstraint("(agreed_on IS NULL) = (agreed_by IS NULL)", name="agreed_says_by_whom"),
    )
    version: Mapped[int] = mapped_column(sa.Integer)
    agreed_on: Mapped[dt.date | None]
    """The day of the signature; empty on a draft."""
    agreed_by: Mapped[str | None]
    """The person of the customer who signed."""
    notes: Mapped[str | None]
    prepared_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"))
    archive_key: Mapped[str | None]
    """The PDF of what was agreed."""
    sha256: Mapped[str | None] = mapped_column(sa.String(64))


class NeedsAnalysisLine(CustomerScoped):
    """One check as it was agreed; the running plan (`agreed_check`) may be moved or paused, this line stays."""

    __tablename__ = "needs_analysis_line"
    __table_args__ = (
        sa.UniqueConstraint("needs_analysis_id", "position"),
        sa.UniqueConstraint("customer_id", "id"),
        sa.Index(
            "uq_needs_analysis_line__check", "needs_analysis_id", "check", "site_id", unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        same_customer("needs_analysis_id", "needs_analysis"),
        same_customer("contract_id", "contract"),
        same_customer("site_id", "site"),
        sa.CheckConstraint("duration_minutes > 0", name="duration_positive"),
        sa.CheckConstraint(_BOTH_OR_NONE, name="whole_window"),
    )  # fmt: skip
    needs_analysis_id: Mapped[int] = mapped_column(sa.BigInteger)
    position: Mapped[int] = mapped_column(sa.Integer)
    check: Mapped[str]
    cadence: Mapped[str | None]
    """Empty: agreed, but its dates are still open. Such a check stands in the coverage report."""
    starts_on: Mapped[dt.date]
    duration_minutes: Mapped[int] = mapped_column(sa.Integer)
    window_opens: Mapped[dt.time | None]
    window_closes: Mapped[dt.time | None]
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"))
    catch_up: Mapped[CatchUp] = mapped_column(default=CatchUp.LATEST)
    shift: Mapped[Shift] = mapped_column(default=Shift.NEXT_WORKDAY)
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    checklist: Mapped[TextList]
    remark: Mapped[str | None]


class NeedsAnalysisDocument(CustomerScoped):
    """Beleg of a needs analysis: a file that belongs to it (S16)."""

    __tablename__ = "needs_analysis_document"
    __table_args__ = (
        sa.UniqueConstraint("needs_analysis_id", "sha256"),
        same_customer("needs_analysis_id", "needs_analysis"),
    )
    needs_analysis_id: Mapped[int] = mapped_column(sa.BigInteger)
    title: Mapped[str]
    file_name: Mapped[str]
    archive_key: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    added_by: Mapped[str]


class NeedsAnalysisTicket(CustomerScoped):
    """A ticket that came of a needs analysis other than by a plan, e.g. to document the network (S16)."""

    __tablename__ = "needs_analysis_ticket"
    __table_args__ = (
        sa.UniqueConstraint("needs_analysis_id", "ticket_id"),
        same_customer("needs_analysis_id", "needs_analysis"),
        same_customer("ticket_id", "ticket"),
    )
    needs_analysis_id: Mapped[int] = mapped_column(sa.BigInteger)
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class AgreedCheck(CustomerScoped):
    """Vereinbarte Prüfung = the plan: cadence (RFC 5545), window, responsible, cover (S106)."""

    __tablename__ = "agreed_check"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "check", "starts_on"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("needs_analysis_id", "needs_analysis"),
        same_customer("line_id", "needs_analysis_line"),
        same_customer("contract_id", "contract"),
        same_customer("site_id", "site"),
        same_customer("asset_id", "asset"),
        same_customer("follows_id", "agreed_check"),
        sa.CheckConstraint(_BOTH_OR_NONE, name="whole_window"),
        sa.CheckConstraint("duration_minutes > 0", name="duration_positive"),
        sa.CheckConstraint("line_id IS NULL OR needs_analysis_id IS NOT NULL", name="line_has_analysis"),
        sa.Index("ix_agreed_check__written_until", "written_until", "id"),
    )
    check: Mapped[str]
    """Key or title of the catalogue, or a check of this customer alone."""
    cadence: Mapped[str]
    starts_on: Mapped[dt.date]
    duration_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"), index=True)
    catch_up: Mapped[CatchUp] = mapped_column(default=CatchUp.LATEST)
    shift: Mapped[Shift] = mapped_column(default=Shift.NONE)
    needs_analysis_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The version that agreed it. Empty: a schedule without agreement, which the coverage report names."""
    line_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The contract that covers the work (`covered_by_contract`), if any."""
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    asset_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The device that is looked after; its class decides whether a rental covers the work."""
    checklist: Mapped[TextList]
    """Empty: the catalogue's."""
    window_opens: Mapped[dt.time | None]
    """Maintenance window, Berlin wall-clock time; none agreed: the service day."""
    window_closes: Mapped[dt.time | None]
    ends_on: Mapped[dt.date | None]
    """Last day by the rule; the end that a person set, besides COUNT or UNTIL of the rule."""
    follows_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The plan that this one took over from when the series was moved."""
    written_until: Mapped[dt.date | None]
    """Days by the rule up to here stand in the ledger."""
    fault: Mapped[str | None]
    """Why the plan yields no dates (a rule nobody can read), until it is corrected."""


class PlanPause(CustomerScoped):
    """Aussetzung: a range of days without dates; open end = until further notice."""

    __tablename__ = "plan_pause"
    __table_args__ = (
        same_customer("agreed_check_id", "agreed_check"),
        sa.CheckConstraint("last_on IS NULL OR last_on >= first_on", name="ends_after_start"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="has_reason"),
    )
    agreed_check_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    first_on: Mapped[dt.date]
    last_on: Mapped[dt.date | None]
    reason: Mapped[str]
    set_by: Mapped[str]


class PlanChange(CustomerScoped):
    """A change of a plan with its terms before and after: who changed what, and what undoing it brings back."""

    __tablename__ = "plan_change"
    __table_args__ = (
        same_customer("agreed_check_id", "agreed_check"),
        same_customer("successor_id", "agreed_check"),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_says_by_whom"),
    )
    agreed_check_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    successor_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The plan that goes on with a moved series; empty again when the move was undone."""
    sentence: Mapped[str]
    made_by: Mapped[str]
    before: Mapped[Json]
    after: Mapped[Json]
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None]


class CheckOutcome(enum.StrEnum):
    """Ergebnis of one check (S110)."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class DueDate(CustomerScoped):
    """Termin: one row per plan and day, written ahead; its ticket is created once (S18).

    One plan has at most one row on a day, and at most one living row for a day of its rule: a date can neither be done
    nor charged twice. A row with a ticket never changes again but for its outcome, which a trigger copies from the result.
    """

    __tablename__ = "due_date"
    __table_args__ = (
        sa.UniqueConstraint("agreed_check_id", "due_on"),
        sa.UniqueConstraint("customer_id", "id"),
        sa.Index(
            "uq_due_date__living", "agreed_check_id", "nominal_on", unique=True,
            postgresql_where=sa.text("state IN ('planned', 'created')"),
        ),
        sa.Index("ix_due_date__open", "due_on", "agreed_check_id", postgresql_where=sa.text("state = 'planned'")),
        sa.Index(
            "ix_due_date__unproven", "due_on", "agreed_check_id",
            postgresql_where=sa.text("state = 'created' AND outcome IS NULL"),
        ),
        sa.Index("ix_due_date__ticket", "ticket_id", postgresql_where=sa.text("ticket_id IS NOT NULL")),
        same_customer("agreed_check_id", "agreed_check"),
        same_customer("ticket_id", "ticket"),
        sa.CheckConstraint("(state = 'created') = (ticket_id IS NOT NULL)", name="created_has_ticket"),
        sa.CheckConstraint("(state = 'moved') = (moved_to IS NOT NULL)", name="moved_says_where"),
        sa.CheckConstraint(
            "state NOT IN ('skipped', 'moved') OR (cause IS NOT NULL AND coalesce(length(trim(reason)), 0) > 0)",
            name="left_out_says_why",
        ),
        sa.CheckConstraint("outcome IS NULL OR state = 'created'", name="outcome_needs_ticket"),
    )  # fmt: skip

    @declared_attr
    @classmethod
    def customer_id(cls) -> Mapped[int]:
        """Without index and reference of its own: the composite ones serve, and the ledger has millions of rows."""
        return mapped_column(sa.BigInteger, sort_order=-9)

    agreed_check_id: Mapped[int] = mapped_column(sa.BigInteger)
    nominal_on: Mapped[dt.date]
    """The day by the rule."""
    due_on: Mapped[dt.date]
    """The day it is done on: after the shift to a working day, or where a person put it."""
    state: Mapped[DueState] = mapped_column(default=DueState.PLANNED)
    cause: Mapped[Cause | None]
    reason: Mapped[str | None]
    moved_to: Mapped[dt.date | None]
    ticket_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"))
    """Suggested or set for this date alone; else the plan's."""
    slot_at: Mapped[dt.datetime | None]
    outcome: Mapped[CheckOutcome | None]


class CheckResult(CustomerScoped):
    """Nachweis of one due date: done, failed or skipped with reason, readings, checklist (S110)."""

    __tablename__ = "check_result"
    __table_args__ = (
        sa.UniqueConstraint("due_date_id"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("due_date_id", "due_date"),
        same_customer("incident_id", "ticket"),
        sa.CheckConstraint("outcome = 'done' OR coalesce(length(trim(reason)), 0) > 0", name="reason_unless_done"),
    )
    due_date_id: Mapped[int] = mapped_column(sa.BigInteger)
    outcome: Mapped[CheckOutcome]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    performed_at: Mapped[dt.datetime]
    performed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("employee.id"))
    readings: Mapped[Json]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """The checklist as it was worked through: [{text, ok, note}]."""
    incident_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The incident that a failed check opened."""


class CheckEvidence(CustomerScoped):
    """Bildschirmfoto or file that proves a result; the bytes lie in the archive."""

    __tablename__ = "check_evidence"
    __table_args__ = (
        sa.UniqueConstraint("check_result_id", "sha256"),
        same_customer("check_result_id", "check_result"),
    )
    check_result_id: Mapped[int] = mapped_column(sa.BigInteger)
    file_name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    archive_key: Mapped[str]


class CheckProof(CustomerScoped):
    """Prüfnachweis of a month as issued: a frozen PDF; a later state of the month is a new version."""

    __tablename__ = "check_proof"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "month", "version"),
        sa.CheckConstraint(f"month {MONTH_CHECK}", name="month_format"),
    )
    month: Mapped[Month]
    version: Mapped[int] = mapped_column(sa.Integer)
    issued_on: Mapped[dt.date]
    content_sha256: Mapped[str] = mapped_column(sa.String(64))
    """Of what it says, so that the same state is never issued twice."""
    archive_key: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
