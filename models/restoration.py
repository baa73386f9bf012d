"""After a restore: the hold on everything that leaves the house, and what is known to have left it since the backup."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Json, Record, TextList


class Restoration(Record):
    """One restore. While it is not lifted nothing is sent and no number is given: the outbox is older than reality."""

    __tablename__ = "restoration"
    __table_args__ = (
        sa.Index("uq_restoration__open", sa.text("(true)"), unique=True, postgresql_where=sa.text("lifted_at IS NULL")),
    )
    backup: Mapped[str]
    backup_made_at: Mapped[dt.datetime]
    restored_at: Mapped[dt.datetime]
    reconciled_at: Mapped[dt.datetime | None]
    """When evidence of sent mail was last read."""
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[str | None]
    detail: Mapped[Json]
    """Source of evidence -> what was found in it."""


class EarlierMail(Record):
    """A mail that left after the backup and that no row of the outbox knows any more; it is not sent a second time."""

    __tablename__ = "earlier_mail"
    restoration_id: Mapped[int] = mapped_column(sa.ForeignKey("restoration.id"), index=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    recipients: Mapped[TextList]
    subject: Mapped[str | None]
    """Unknown when only a log of the mail server tells of it."""
    sent_at: Mapped[dt.datetime | None]
    source: Mapped[str]
    raw: Mapped[bytes | None]
    """The mail itself, where the evidence has it."""


class LostNumber(Record):
    """A number that was given after the backup: never given again, and a person decides what becomes of its document."""

    __tablename__ = "lost_number"
    restoration_id: Mapped[int] = mapped_column(sa.ForeignKey("restoration.id"), index=True)
    number: Mapped[str] = mapped_column(unique=True)
    earlier_mail_id: Mapped[int | None] = mapped_column(sa.ForeignKey("earlier_mail.id"), index=True)
    source: Mapped[str]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None]
    decision: Mapped[str | None]
