"""Leistungserfassung: what a technician did, how long, and whether it is charged (S17, S156-S159)."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, same_customer


class Place(enum.StrEnum):
    REMOTE = "remote"
    ON_SITE = "on_site"


class WorkKind(enum.StrEnum):
    STANDARD = "standard"
    AFTER_HOURS = "after_hours"
    WEEKEND = "weekend"
    PROJECT_DAY = "project_day"


class EntryState(enum.StrEnum):
    CAPTURED = "captured"
    APPROVED = "approved"
    REPORTED = "reported"
    INVOICED = "invoiced"


class ServiceEntry(CustomerScoped):
    """One piece of documented work on a ticket.

    Raw minutes stay for ever; what was billed of them stands on the report's line. A trigger locks the content from the
    release of the month on (`report_id`), and for good once the report has its number.
    """

    __tablename__ = "service_entry"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("ticket_id", "ticket"),
        same_customer("report_id", "service_report", use_alter=True, name="fk_service_entry__customer_id_report_id"),
        sa.CheckConstraint("billable OR coalesce(length(trim(non_billable_reason)), 0) > 0", name="billable_or_reason"),
        sa.CheckConstraint("minutes >= 0", name="minutes_positive"),
        sa.CheckConstraint("trips >= 0", name="trips_positive"),
        sa.CheckConstraint(
            "state = 'captured' OR approved_at IS NOT NULL OR reported_elsewhere IS NOT NULL", name="approved_says_when"
        ),
        sa.CheckConstraint("report_id IS NULL OR state <> 'captured'", name="only_approved_is_released"),
        sa.CheckConstraint("report_id IS NULL OR reported_elsewhere IS NULL", name="reported_once"),
        sa.Index("ix_service_entry__work", "customer_id", "work_date"),
        sa.Index(
            "ix_service_entry__unreported",
            "work_date",
            postgresql_where=sa.text("report_id IS NULL AND reported_elsewhere IS NULL"),
        ),
    )
    key: Mapped[str] = mapped_column(unique=True)
    """The entry's public id (`id` of service_entries.csv)."""
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    technician_id: Mapped[int] = mapped_column(sa.ForeignKey("employee.id"))
    work_date: Mapped[dt.date]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    minutes: Mapped[int] = mapped_column(sa.Integer)
    place: Mapped[Place]
    trips: Mapped[int] = mapped_column(sa.Integer, default=0)
    kind: Mapped[WorkKind] = mapped_column(default=WorkKind.STANDARD)
    text: Mapped[str]
    billable: Mapped[bool]
    non_billable_reason: Mapped[str | None]
    state: Mapped[EntryState] = mapped_column(default=EntryState.CAPTURED)
    approved_by: Mapped[str | None]
    approved_at: Mapped[dt.datetime | None]
    returned_reason: Mapped[str | None]
    """Why the back office sent it back to the technician (S25)."""
    reported_elsewhere: Mapped[str | None]
    """Another system's report number: such an entry is never reported or billed here."""
    report_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    """The report that took it; set at the release of the month."""
