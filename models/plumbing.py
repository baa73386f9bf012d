"""What carries facts between us and the outside world: inbox, outboxes, archive register, audit trail, numbers."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Json, Record, TextList


class InboxState(enum.StrEnum):
    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"


class InboxItem(Record):
    """Raw input, stored before it is understood. A poison item is parked with its reason and can be replayed."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        sa.UniqueConstraint("channel", "key"),
        sa.Index("ix_inbox_item__waiting", "channel", "id", postgresql_where=sa.text("state = 'waiting'")),
    )
    channel: Mapped[str]
    key: Mapped[str]
    state: Mapped[InboxState] = mapped_column(default=InboxState.WAITING)
    received_at: Mapped[dt.datetime]
    content_type: Mapped[str]
    raw: Mapped[bytes | None]
    archive_key: Mapped[str | None]
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    done_at: Mapped[dt.datetime | None]


class MailState(enum.StrEnum):
    """Life of an outgoing mail. What is found in_flight after a crash is asked about, never blindly sent again."""

    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    UNCLEAR = "unclear"
    CANCELLED = "cancelled"


class OutboxMail(Record):
    """A finished mail: fixed bytes, Message-ID and Date; written in the transaction of the fact it tells."""

    __tablename__ = "outbox_mail"
    __table_args__ = (
        sa.CheckConstraint("cardinality(recipients) > 0", name="has_recipient"),
        sa.CheckConstraint("(state = 'accepted') <= (accepted_at IS NOT NULL)", name="accepted_says_when"),
        sa.Index("ix_outbox_mail__queue", "retry_at", "id", postgresql_where=sa.text("state IN ('queued', 'in_flight')")),
    )
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    message_id: Mapped[str] = mapped_column(index=True)
    """One per mail; recipients that were put off while others were served share it in a row of their own."""
    sender: Mapped[str]
    recipients: Mapped[TextList]
    subject: Mapped[str]
    raw: Mapped[bytes | None]
    """The bytes as sent; emptied once they lie in the archive."""
    archive_key: Mapped[str | None]
    state: Mapped[MailState] = mapped_column(default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    retry_at: Mapped[dt.datetime | None]
    in_flight_at: Mapped[dt.datetime | None]
    accepted_at: Mapped[dt.datetime | None]
    reply: Mapped[str | None]
    """What the mail server answered, with its queue id."""
    refused: Mapped[Json]
    """Recipients that were refused while others were accepted: address -> reply."""
    error: Mapped[str | None]


class OutboxEvent(Record):
    """A run that shall start: the relay turns each row into exactly one flow run."""

    __tablename__ = "outbox_event"
    __table_args__ = (sa.Index("ix_outbox_event__waiting", "id", postgresql_where=sa.text("dispatched_at IS NULL")),)
    deployment: Mapped[str]
    parameters: Mapped[Json]
    key: Mapped[str | None] = mapped_column(unique=True)
    attempt: Mapped[int] = mapped_column(sa.Integer, default=0)
    dispatched_at: Mapped[dt.datetime | None]
    flow_run_id: Mapped[str | None]
    error: Mapped[str | None]


class ArchivedObject(Record):
    """Register of the archive: what lies where, its hash, and until when it must stay (GoBD)."""

    __tablename__ = "archived_object"
    key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    content_type: Mapped[str]
    retain_until: Mapped[dt.date]
    version: Mapped[str | None]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    reference: Mapped[str | None] = mapped_column(index=True)
    """The document's number or the mail's key."""
    stored_at: Mapped[dt.datetime]
    verified_at: Mapped[dt.datetime | None]
    fault: Mapped[str | None]
    chain: Mapped[str | None] = mapped_column(sa.String(64))
    """SHA-256 over the previous link and this object's hash; sealed in order of id."""


class AuditEntry(Record):
    """Who changed what, from what to what. Written by triggers, append-only (S47)."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry__row", "table_name", "row_id"),)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    action: Mapped[str]
    table_name: Mapped[str]
    row_id: Mapped[int | None]
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB)


class NumberRange(Record):
    """Nummernkreis: the counter is raised in the transaction that issues, so numbers are unique and without gap."""

    __tablename__ = "number_range"
    __table_args__ = (sa.UniqueConstraint("prefix", "year"),)
    prefix: Mapped[str]
    year: Mapped[int] = mapped_column(sa.Integer)
    last: Mapped[int]


class Probe(Record):
    """A probe that went through a real channel, and when it came back."""

    __tablename__ = "probe"
    channel: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    sent_at: Mapped[dt.datetime]
    returned_at: Mapped[dt.datetime | None]
    detail: Mapped[Json]


class RunTrouble(enum.StrEnum):
    """What Prefect's automations tell of a run."""

    LATE = "late"
    CRASHED = "crashed"
    FAILED = "failed"


class RunNotice(Record):
    """A run that did not go as it should, as the orchestration told it: one row per run and trouble, however often it is told.

    A link and a note for people, never business state: nothing is decided by it (law 1).
    """

    __tablename__ = "run_notice"
    __table_args__ = (
        sa.UniqueConstraint("flow_run_id", "trouble"),
        sa.Index("ix_run_notice__open", "told_at", postgresql_where=sa.text("settled_at IS NULL")),
    )
    flow_run_id: Mapped[str]
    trouble: Mapped[RunTrouble]
    flow: Mapped[str]
    run_name: Mapped[str]
    message: Mapped[str]
    """The words of the run's state."""
    occurred_at: Mapped[dt.datetime]
    """When it happened by the orchestration's own clock: what is not newer than this has been told already."""
    told_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[str | None]


class ImportBatch(Record):
    """One import of a company folder: what came in, from which bytes."""

    __tablename__ = "import_batch"
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    folder: Mapped[str]
    files: Mapped[Json]
    """File -> {sha256, rows, created, changed}."""
