"""Assets und Lizenzen: what stands at the customer, whose it is, and until when somebody answers for it."""

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Quantity, same_customer
from rules.expiry import ExpiryKind, NoticeState


class Owner(enum.StrEnum):
    CUSTOMER = "customer"
    HOUSE = "house"


class Location(enum.StrEnum):
    ON_SITE = "on_site"
    DATA_CENTRE = "data_centre"


class Asset(CustomerScoped):
    """Gerät of a customer; rented devices belong to the house (S22, S119, S137)."""

    __tablename__ = "asset"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "inventory_no"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("site_id", "site"),
        same_customer("contract_id", "contract"),
        same_customer("delivery_line_id", "delivery_line", use_alter=True, name="fk_asset__customer_id_delivery_line_id"),
        same_customer("replaced_by_id", "asset"),
        sa.CheckConstraint("warranty_from IS NULL OR warranty_until >= warranty_from", name="warranty_in_order"),
        sa.Index("ix_asset__delivery_line", "delivery_line_id", postgresql_where=sa.text("delivery_line_id IS NOT NULL")),
        sa.Index(
            "uq_asset__delivered_serial", "delivery_line_id", "serial", unique=True,
            postgresql_where=sa.text("delivery_line_id IS NOT NULL AND serial IS NOT NULL"),
        ),
    )  # fmt: skip
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    inventory_no: Mapped[str]
    asset_class: Mapped[str]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    serial: Mapped[str | None] = mapped_column(index=True)
    bought_on: Mapped[dt.date | None]
    delivered_on: Mapped[dt.date | None]
    owner: Mapped[Owner] = mapped_column(default=Owner.CUSTOMER)
    warranty_from: Mapped[dt.date | None]
    warranty_until: Mapped[dt.date | None]
    warranty_kind: Mapped[str | None]
    warranty_provider: Mapped[str | None]
    firmware_supported_until: Mapped[dt.date | None]
    location: Mapped[Location | None]
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    delivery_line_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The delivery that it came with; empty for what was there before."""
    retired_on: Mapped[dt.date | None]
    replaced_by_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    missing_since: Mapped[dt.date | None]
    """First day on which a complete inventory did not find it any more."""


class AssetInventory(CustomerScoped):
    """Inventar of one device as its agent last told it; what a report does not say stays as it was."""

    __tablename__ = "asset_inventory"
    __table_args__ = (sa.UniqueConstraint("asset_id"), same_customer("asset_id", "asset"))
    asset_id: Mapped[int] = mapped_column(sa.BigInteger)
    agent_id: Mapped[str | None] = mapped_column(index=True)
    name: Mapped[str | None]
    operating_system: Mapped[str | None]
    operating_system_version: Mapped[str | None]
    last_user: Mapped[str | None]
    software: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    antivirus: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    """None: never told. Empty: told, and there is none."""
    seen_at: Mapped[dt.datetime]
    source: Mapped[str]


class Licence(CustomerScoped):
    """Lizenz with count and expiry (S24)."""

    __tablename__ = "licence"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "product_id", "expires_on", postgresql_nulls_not_distinct=True),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("asset_id", "asset"),
    )
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    count: Mapped[Quantity | None]
    key: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    asset_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class ExpiryNotice(CustomerScoped):
    """Fälligkeit in the due-ledger of ends: told once per object, kind and day (S23, S24, S142)."""

    __tablename__ = "expiry_notice"
    __table_args__ = (
        sa.UniqueConstraint("kind", "object_id", "ends_on"),
        same_customer("ticket_id", "ticket"),
        sa.CheckConstraint("(state = 'told') = (ticket_id IS NOT NULL)", name="told_has_ticket"),
        sa.Index("ix_expiry_notice__due", "notice_on", postgresql_where=sa.text("state = 'planned'")),
    )
    kind: Mapped[ExpiryKind]
    object_id: Mapped[int]
    """Row of the asset, the licence, or (mandate) the customer."""
    ends_on: Mapped[dt.date]
    notice_on: Mapped[dt.date]
    state: Mapped[NoticeState] = mapped_column(default=NoticeState.PLANNED)
    ticket_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class ReplacementReason(enum.StrEnum):
    """Why a rented device is exchanged: defect (S123, S141), firmware out of support (S142), age."""

    DEFECT = "defect"
    TECHNOLOGY = "technology"
    LIFECYCLE = "lifecycle"


class Replacement(CustomerScoped):
    """Austausch of a rented device at the house's cost: work on its ticket is never billable."""

    __tablename__ = "replacement"
    __table_args__ = (
        sa.UniqueConstraint("ticket_id"),
        same_customer("ticket_id", "ticket"),
        same_customer("asset_id", "asset"),
        same_customer("new_asset_id", "asset"),
        sa.Index("uq_replacement__open", "asset_id", unique=True, postgresql_where=sa.text("finished_at IS NULL")),
    )
    asset_id: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[ReplacementReason]
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger)
    new_asset_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    finished_at: Mapped[dt.datetime | None]
