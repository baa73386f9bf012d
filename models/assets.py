"""Assets und Lizenzen: what stands at the customer, whose it is, and until when somebody answers for it."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Quantity, same_customer


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
    )
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    inventory_no: Mapped[str]
    asset_class: Mapped[str]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    serial: Mapped[str | None] = mapped_column(index=True)
    bought_on: Mapped[dt.date | None]
    delivered_on: Mapped[dt.date | None]
    owner: Mapped[Owner] = mapped_column(default=Owner.CUSTOMER)
    warranty_until: Mapped[dt.date | None]
    warranty_kind: Mapped[str | None]
    firmware_supported_until: Mapped[dt.date | None]
    location: Mapped[Location | None]
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)


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
