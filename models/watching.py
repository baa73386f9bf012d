"""Zugriffe: who read what is confidential, what was unusual about it, and how much somebody uploads in a day."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Record


class AccessKind(enum.StrEnum):
    """What was done. Changes of rows stand in the trail (`AuditEntry`), not here."""

    DOCUMENT = "document"
    MAIL = "mail"
    BANK_DATA = "bank_data"
    STAFF_LIST = "staff_list"
    EXPORT = "export"
    SIGN_IN = "sign_in"
    REFUSED = "refused"


class AccessEntry(Record):
    """Somebody read something confidential, signed in or was refused: who, what, when, from where (ASVS 8.3.5).

    It only grows; what is older than the house keeps (`DREHKREUZ_ACCESS_LOG_DAYS`) is forgotten by `drehkreuz_forget_access`
    alone, which knows no way to the last thirty days.
    """

    __tablename__ = "access_entry"
    __table_args__ = (
        sa.Index("ix_access_entry__person", "login_id", "at"),
        sa.Index("ix_access_entry__at", "at"),
    )
    at: Mapped[dt.datetime]
    login_id: Mapped[int | None] = mapped_column(sa.ForeignKey("login.id", ondelete="SET NULL"))
    """None for commands on the machine itself."""
    actor: Mapped[str]
    kind: Mapped[AccessKind]
    what: Mapped[str]
    """The address of the page or the folder of an export: numbers, no names."""
    origin: Mapped[str]
    """Where the request came from."""
    device: Mapped[str]
    """Browser and system in words, at a sign-in."""
    mark: Mapped[str | None]
    """SHA-256 of the random mark that the browser carries, at a sign-in: tells one device from the next."""


class Unusual(enum.StrEnum):
    """What stands out."""

    MANY_READS = "many_reads"
    MANY_REFUSALS = "many_refusals"
    NEW_DEVICE = "new_device"
    LOCKED_OUT = "locked_out"


class AccessNotice(Record):
    """Something unusual about somebody's access, told once and settled by a person who looked (ASVS 11.1.7)."""

    __tablename__ = "access_notice"
    __table_args__ = (
        sa.CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_says_by_whom"),
        sa.Index("ix_access_notice__open", "told_at", postgresql_where=sa.text("settled_at IS NULL")),
    )
    key: Mapped[str] = mapped_column(unique=True)
    """What happened to whom on which day: the same is told once."""
    kind: Mapped[Unusual]
    login_id: Mapped[int | None] = mapped_column(sa.ForeignKey("login.id", ondelete="SET NULL"))
    text: Mapped[str]
    told_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[str | None]


class UploadDay(Record):
    """What one person has uploaded on one day, for the limit (ASVS 12.1.3)."""

    __tablename__ = "upload_day"
    __table_args__ = (
        sa.UniqueConstraint("login_id", "day"),
        sa.CheckConstraint("files >= 0 AND size >= 0", name="not_negative"),
    )
    login_id: Mapped[int] = mapped_column(sa.ForeignKey("login.id", ondelete="CASCADE"))
    day: Mapped[dt.date]
    files: Mapped[int]
    size: Mapped[int]
    """Bytes."""
