"""Verträge: Kontingent, Miete, Rechenzentrum, Managed Services. No contract at all is simply no row."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Percent, Price, Quantity, TextList, same_customer


class ContractKind(enum.StrEnum):
    KONTINGENT = "kontingent"
    RENTAL = "rental"
    DATA_CENTRE = "data_centre"
    MANAGED = "managed"


class RestAtEnd(enum.StrEnum):
    """What becomes of unused Kontingent minutes when the contract ends (U24)."""

    PAID_OUT = "paid_out"
    SERVED = "served"


class Contract(CustomerScoped):
    """Vertrag of any kind (S13). Days of start and end are inclusive."""

    __tablename__ = "contract"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("site_id", "site"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
        sa.CheckConstraint(
            "kind <> 'kontingent' OR (kontingent_hours_per_month IS NOT NULL AND kontingent_hour_price IS NOT NULL)",
            name="kontingent_has_terms",
        ),
    )
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[ContractKind]
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date | None]
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    kontingent_hours_per_month: Mapped[Quantity | None]
    kontingent_hour_price: Mapped[Price | None]
    overdraft_allowed: Mapped[bool] = mapped_column(default=False)
    correction_rule: Mapped[str] = mapped_column(default="quarter_end")
    includes_travel: Mapped[bool] = mapped_column(default=False)
    rest_at_end: Mapped[RestAtEnd] = mapped_column(default=RestAtEnd.PAID_OUT)
    billing_unit_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    billing_minimum_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    prenotification_days: Mapped[int | None] = mapped_column(sa.Integer)
    provider: Mapped[str | None]
    location: Mapped[str | None]


class Meter(enum.StrEnum):
    FIXED = "fixed"
    DEVICES = "devices"
    MAILBOXES = "mailboxes"
    GIGABYTES = "gigabytes"
    SERVERS = "servers"


class ContractLine(CustomerScoped):
    """Vertragsposition, valid from a day on; `covered_asset_classes` narrows what a rental covers."""

    __tablename__ = "contract_line"
    __table_args__ = (
        sa.UniqueConstraint("contract_id", "line", "valid_from", postgresql_nulls_not_distinct=True),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("contract_id", "contract"),
    )
    contract_id: Mapped[int] = mapped_column(sa.BigInteger)
    line: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("product.id"))
    text: Mapped[str]
    meter: Mapped[Meter] = mapped_column(default=Meter.FIXED)
    quantity: Mapped[Quantity | None]
    unit_price: Mapped[Price]
    vat_rate: Mapped[Percent]
    one_time: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    covered_asset_classes: Mapped[TextList]


class KontingentOpening(CustomerScoped):
    """Anfangsbestand from another system: replaces everything up to and including its day."""

    __tablename__ = "kontingent_opening"
    __table_args__ = (same_customer("contract_id", "contract"),)
    contract_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    as_of: Mapped[dt.date]
    minutes: Mapped[int] = mapped_column(sa.Integer)


class UsageReading(CustomerScoped):
    """Zählerstand of a metered line, one per day and source."""

    __tablename__ = "usage_reading"
    __table_args__ = (
        sa.UniqueConstraint("contract_id", "line", "day", "source"),
        same_customer("contract_id", "contract"),
    )
    contract_id: Mapped[int] = mapped_column(sa.BigInteger)
    line: Mapped[str]
    day: Mapped[dt.date]
    quantity: Mapped[Quantity]
    source: Mapped[str]
