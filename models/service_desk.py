"""Service-Desk: tickets, their messages, attachments and history."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Json, same_customer
from models.maintenance import AgreedCheck as AgreedCheck  # noqa: PLC0414 - what was agreed is looked for here too
from models.maintenance import NeedsAnalysis as NeedsAnalysis  # noqa: PLC0414
from rules.cadence import Shift as Shift  # noqa: PLC0414
from rules.catch_up import CatchUp as CatchUp  # noqa: PLC0414


class TicketKind(enum.StrEnum):
    INCIDENT = "incident"
    REQUEST = "request"
    MAINTENANCE = "maintenance"
    PICK_AND_PACK = "pick_and_pack"
    ALERT = "alert"
    ONBOARDING = "onboarding"
    DOCUMENTATION = "documentation"
    REPLACEMENT = "replacement"
    TASK = "task"


class TicketState(enum.StrEnum):
    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(enum.StrEnum):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Ticket(CustomerScoped):
    """One case of one customer. `received_at` is the arrival at the house, never the time of processing (S57)."""

    __tablename__ = "ticket"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("site_id", "site"),
        same_customer("contact_id", "contact"),
        same_customer("asset_id", "asset", use_alter=True, name="fk_ticket__customer_id_asset_id"),
        sa.Index("ix_ticket__open", "state", "received_at", postgresql_where=sa.text("state IN ('new', 'open', 'waiting')")),
    )
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[TicketKind]
    state: Mapped[TicketState] = mapped_column(default=TicketState.NEW)
    priority: Mapped[Priority] = mapped_column(default=Priority.NORMAL)
    subject: Mapped[str]
    received_at: Mapped[dt.datetime] = mapped_column(index=True)
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    contact_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"), index=True)
    topic: Mapped[str | None]
    asset_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    role: Mapped[str | None]
    """Which role a task waits for (back_office, account_manager, ...); empty on ordinary tickets."""
    dedup_key: Mapped[str | None] = mapped_column(unique=True)
    """Business key of a ticket that a process creates; a second run meets it and creates nothing."""
    due_at: Mapped[dt.datetime | None]
    resolved_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]


class MessageDirection(enum.StrEnum):
    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Message(CustomerScoped):
    """Nachricht on a ticket. Internal notes are the one kind a customer never sees (S2)."""

    __tablename__ = "message"
    __table_args__ = (sa.UniqueConstraint("customer_id", "id"), same_customer("ticket_id", "ticket"))
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    direction: Mapped[MessageDirection]
    author: Mapped[str]
    at: Mapped[dt.datetime]
    text: Mapped[str]
    message_id: Mapped[str | None] = mapped_column(unique=True)
    archive_key: Mapped[str | None]


class Attachment(CustomerScoped):
    """Anhang of a message or ticket; the bytes lie in the archive."""

    __tablename__ = "attachment"
    __table_args__ = (same_customer("ticket_id", "ticket"), same_customer("message_id", "message"))
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    message_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    file_name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    archive_key: Mapped[str]


class TicketEvent(CustomerScoped):
    """Verlauf of a ticket: append-only, one line per thing that happened."""

    __tablename__ = "ticket_event"
    __table_args__ = (same_customer("ticket_id", "ticket"),)
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    what: Mapped[str]
    detail: Mapped[Json]
