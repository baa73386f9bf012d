"""Anmeldung: logins of staff and customers, their sessions, invitations and failed attempts."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Record


class Login(Record):
    """A person who may sign in: either an employee or a contact, never both."""

    __tablename__ = "login"
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(employee_id, contact_id) = 1", name="one_person"),
        sa.CheckConstraint("(contact_id IS NULL) = (customer_id IS NULL)", name="contact_has_customer"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        sa.CheckConstraint("(factor_reset_at IS NULL) = (factor_reset_proof IS NULL)", name="reset_says_how_known"),
        sa.ForeignKeyConstraint(["customer_id", "contact_id"], ["contact.customer_id", "contact.id"]),
    )
    email: Mapped[str] = mapped_column(unique=True)
    employee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"), unique=True)
    contact_id: Mapped[int | None] = mapped_column(sa.BigInteger, unique=True)
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"))
    password_hash: Mapped[str | None]
    totp_secret: Mapped[bytes | None]
    """Sealed by the vault; empty until the person has set up the second factor."""
    totp_last_step: Mapped[int | None]
    factor_reset_at: Mapped[dt.datetime | None]
    """When somebody else last took the second factor away."""
    factor_reset_proof: Mapped[str | None]
    """How that person made sure who was asking (ASVS 2.5.7); the trail keeps every one, with who it was."""
    active: Mapped[bool] = mapped_column(default=True)
    last_login_at: Mapped[dt.datetime | None]


class LoginSession(Record):
    """One signed-in browser. The cookie holds 32 random bytes, the row their SHA-256."""

    __tablename__ = "login_session"
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    login_id: Mapped[int] = mapped_column(sa.ForeignKey("login.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    second_factor: Mapped[bool] = mapped_column(default=False)
    user_agent: Mapped[str | None]


class TokenPurpose(enum.StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105


class MailToken(Record):
    """A link that was mailed: claimed once by one UPDATE."""

    __tablename__ = "mail_token"
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    purpose: Mapped[TokenPurpose]
    login_id: Mapped[int] = mapped_column(sa.ForeignKey("login.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class LoginAttempt(Record):
    """A failed sign-in, counted per account and per address for the lock-out."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        sa.Index("ix_login_attempt__recent", "email", "at"),
        sa.Index("ix_login_attempt__address", "address", "at"),
    )
    at: Mapped[dt.datetime]
    email: Mapped[str]
    address: Mapped[str]


class ApiToken(Record):
    """A machine's token with its scopes (warehouse, monitoring, telephony); only the hash is kept."""

    __tablename__ = "api_token"
    name: Mapped[str] = mapped_column(unique=True)
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text))
    active: Mapped[bool] = mapped_column(default=True)
    last_used_at: Mapped[dt.datetime | None]
