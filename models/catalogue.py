"""Preisliste und Artikel of the house."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Percent, Price, Record


class Unit(enum.StrEnum):
    HOUR = "hour"
    DAY = "day"
    TRIP = "trip"
    PIECE = "piece"
    GB = "gb"
    MONTH = "month"


class ListPrice(Record):
    """A list price, valid from a day until the next one of the same code."""

    __tablename__ = "price"
    __table_args__ = (sa.UniqueConstraint("code", "valid_from"),)
    code: Mapped[str]
    name: Mapped[str]
    unit: Mapped[Unit]
    net_price: Mapped[Price]
    vat_rate: Mapped[Percent]
    valid_from: Mapped[dt.date]
    account: Mapped[str | None]


class ProductKind(enum.StrEnum):
    HARDWARE = "hardware"
    SOFTWARE = "software"
    MANAGED_SERVICE = "managed_service"
    RENTAL = "rental"
    SERVICE = "service"


NOT_PICKED = (ProductKind.SOFTWARE, ProductKind.MANAGED_SERVICE, ProductKind.SERVICE)
"""Kinds that have no piece on a shelf."""


class Product(Record):
    """Artikel. What has a serial number, a warranty or a licence is recorded as an asset or licence (U28)."""

    __tablename__ = "product"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[ProductKind]
    serial_tracked: Mapped[bool] = mapped_column(default=False)
    warranty_months: Mapped[int | None] = mapped_column(sa.Integer)
    licence_months: Mapped[int | None] = mapped_column(sa.Integer)
    price_code: Mapped[str | None]
