"""Übergabe: what leaves the house when an invoice is issued, to SAP, to DATEV and to the printer, each invoice once."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Record, same_customer


class HandOverState(enum.StrEnum):
    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    POSTED = "posted"
    FAILED = "failed"


class SapDocument(CustomerScoped):
    """SAP-Beleg of one invoice: looked up by our key before it is ever posted again (S27)."""

    __tablename__ = "sap_document"
    __table_args__ = (same_customer("invoice_id", "invoice"),)
    invoice_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    key: Mapped[str] = mapped_column(unique=True)
    adapter: Mapped[str]
    state: Mapped[HandOverState] = mapped_column(default=HandOverState.QUEUED)
    remote_id: Mapped[str | None]
    archive_key: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    posted_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]


class DatevFile(Record):
    """Buchungsstapel: one file per hand-over of a run."""

    __tablename__ = "datev_file"
    __table_args__ = (sa.UniqueConstraint("run_id", "sequence"),)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("billing_run.id"))
    sequence: Mapped[int] = mapped_column(sa.Integer)
    file_name: Mapped[str]
    archive_key: Mapped[str]


class PostalBatch(Record):
    """Postausgang auf Papier: printed faces and their print list (S161)."""

    __tablename__ = "postal_batch"
    __table_args__ = (sa.UniqueConstraint("run_id", "sequence"),)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("billing_run.id"))
    sequence: Mapped[int] = mapped_column(sa.Integer)
    archive_key: Mapped[str]
    printed_at: Mapped[dt.datetime | None]
    printed_by: Mapped[str | None]
