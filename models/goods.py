"""Wareneingang: suppliers and what was ordered from them for whom (S21)."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Quantity, Record


class DespatchFormat(enum.StrEnum):
    OPENTRANS = "opentrans"
    UBL = "ubl"
    DESADV = "desadv"
    CSV = "csv"


class Supplier(Record):
    """Lieferant."""

    __tablename__ = "supplier"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    despatch_format: Mapped[DespatchFormat | None]


class PurchaseOrderLine(CustomerScoped):
    """Bestellposition at a supplier, bought for one customer's order."""

    __tablename__ = "purchase_order_line"
    __table_args__ = (sa.UniqueConstraint("number", "line"), sa.UniqueConstraint("customer_id", "id"))
    number: Mapped[str]
    line: Mapped[str]
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"))
    ordered_on: Mapped[dt.date]
    customer_order: Mapped[str | None]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    quantity: Mapped[Quantity]
    expected_on: Mapped[dt.date | None]
