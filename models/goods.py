"""Wareneingang: suppliers, what was ordered for whom, what arrived, and the parcels that leave again (S20-S22)."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Quantity, Record, TextList, same_customer
from rules.receiving import DifferenceKind


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
    gln: Mapped[str | None] = mapped_column(sa.String(13), unique=True)
    csv_mapping: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    """How this supplier's lists are read: `integrations.despatch.types.CsvMapping` as plain values."""


class SupplierArticle(Record):
    """What a supplier calls one of our products. Learned when a person answers an unknown article."""

    __tablename__ = "supplier_article"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "article"),)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"))
    article: Mapped[str]
    """The supplier's article number or the EAN."""
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))


class PurchaseOrderLine(CustomerScoped):
    """Bestellposition at a supplier, bought for one customer's order."""

    __tablename__ = "purchase_order_line"
    __table_args__ = (sa.UniqueConstraint("number", "line"), sa.UniqueConstraint("customer_id", "id"))
    number: Mapped[str]
    line: Mapped[str]
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"), index=True)
    ordered_on: Mapped[dt.date]
    customer_order: Mapped[str | None]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    quantity: Mapped[Quantity]
    expected_on: Mapped[dt.date | None]


class GoodsRequest(Record):
    """A machine's idempotency key: the same key with the same body is the same request for ever."""

    __tablename__ = "goods_request"
    __table_args__ = (sa.UniqueConstraint("api_token_id", "key"),)
    api_token_id: Mapped[int] = mapped_column(sa.ForeignKey("api_token.id"))
    key: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    inbox_item_id: Mapped[int] = mapped_column(sa.ForeignKey("inbox_item.id"))


class ReceiptState(enum.StrEnum):
    """`booked`: tickets are out. `checked`: a person compared it with what really lies there."""

    BOOKED = "booked"
    CHECKED = "checked"


class GoodsReceipt(Record):
    """Wareneingang: one delivery note of one supplier, whatever way and however often it was told (S21)."""

    __tablename__ = "goods_receipt"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "delivery_note"),)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"))
    delivery_note: Mapped[str]
    state: Mapped[ReceiptState] = mapped_column(default=ReceiptState.BOOKED)
    inbox_item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inbox_item.id"), index=True)
    format: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    """Of what was told, in our terms: a second telling that says the same changes nothing."""
    received_at: Mapped[dt.datetime]
    booked_at: Mapped[dt.datetime]
    despatched_on: Mapped[dt.date | None]
    shipment: Mapped[str | None]
    packages: Mapped[TextList]
    note: Mapped[str | None]
    hints: Mapped[TextList]
    checked_at: Mapped[dt.datetime | None]
    checked_by: Mapped[str | None]


class GoodsReceiptLine(Record):
    """Position of a receipt as the supplier tells it. Without product while nobody knows the article."""

    __tablename__ = "goods_receipt_line"
    __table_args__ = (
        sa.UniqueConstraint("receipt_id", "position"),
        sa.CheckConstraint("quantity >= 0", name="quantity_positive"),
    )
    receipt_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(sa.Integer)
    number: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("product.id"))
    article: Mapped[str]
    ean: Mapped[str | None]
    text: Mapped[str]
    quantity: Mapped[Quantity]
    unit: Mapped[str | None]
    batch: Mapped[str | None]
    order_number: Mapped[str | None]
    order_line: Mapped[str | None]
    outstanding: Mapped[Quantity | None]
    counted: Mapped[Quantity | None]
    """What a person counted; empty until somebody did."""


class GoodsDifference(Record):
    """Abweichung between what was told, what was ordered and what lies there; stays until a person says what becomes of it."""

    __tablename__ = "goods_difference"
    __table_args__ = (
        sa.UniqueConstraint("receipt_id", "kind", "subject"),
        sa.Index("ix_goods_difference__open", "receipt_id", postgresql_where=sa.text("resolved_at IS NULL")),
        sa.CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolved_says_how"),
    )
    receipt_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt.id", ondelete="CASCADE"))
    line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("goods_receipt_line.id", ondelete="CASCADE"))
    kind: Mapped[DifferenceKind]
    subject: Mapped[str]
    """What it is about (article, serial, order line): with the kind its identity."""
    expected: Mapped[str | None]
    received: Mapped[str | None]
    text: Mapped[str]
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]


class DeliveryState(enum.StrEnum):
    """Lieferung: being picked, picked, packed with papers, on its way. `void`: nothing of it was there."""

    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    VOID = "void"


class Delivery(CustomerScoped):
    """Lieferung to a customer: what of one receipt belongs to one customer's order, with its one ticket (S20, U27)."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        sa.UniqueConstraint("receipt_id", "customer_id", "customer_order"),
        same_customer("ticket_id", "ticket"),
        same_customer("site_id", "site"),
        sa.CheckConstraint("state <> 'shipped' OR (number IS NOT NULL AND shipped_at IS NOT NULL)", name="shipped_has_papers"),
        sa.Index("ix_delivery__unrecorded", "id", postgresql_where=sa.text("recorded_at IS NULL")),
        sa.Index("ix_delivery__unlisted", "id", postgresql_where=sa.text("pick_list_key IS NULL AND state <> 'void'")),
        sa.Index(
            "ix_delivery__paperless", "id",
            postgresql_where=sa.text("number IS NOT NULL AND delivery_note_key IS NULL AND state <> 'void'"),
        ),
    )  # fmt: skip
    receipt_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt.id"))
    customer_order: Mapped[str]
    """The customer's order; empty when the purchase order names none."""
    ticket_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Where it goes; empty = head office."""
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PICKING)
    number: Mapped[str | None] = mapped_column(unique=True)
    """Our delivery note, from the range LS, given when the parcel is packed."""
    recorded_at: Mapped[dt.datetime | None]
    """When assets, licences and contract lines of it were recorded; emptied when its content changes."""
    parcels: Mapped[int | None] = mapped_column(sa.Integer)
    packed_at: Mapped[dt.datetime | None]
    packed_by: Mapped[str | None]
    shipped_at: Mapped[dt.datetime | None]
    shipped_by: Mapped[str | None]
    carrier: Mapped[str | None]
    tracking: Mapped[str | None]
    pick_list_key: Mapped[str | None]
    packing_list_key: Mapped[str | None]
    delivery_note_key: Mapped[str | None]
    label_key: Mapped[str | None]


class DeliveryLine(CustomerScoped):
    """Position of a delivery: so much of a receipt's position against so much of an order's."""

    __tablename__ = "delivery_line"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        sa.UniqueConstraint("receipt_line_id", "purchase_order_line_id"),
        same_customer("delivery_id", "delivery"),
        same_customer("purchase_order_line_id", "purchase_order_line"),
        same_customer("licence_id", "licence"),
        same_customer("contract_line_id", "contract_line"),
        sa.CheckConstraint("quantity >= 0 AND picked >= 0 AND picked <= quantity", name="picked_within_quantity"),
    )
    delivery_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    receipt_line_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt_line.id"))
    purchase_order_line_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    quantity: Mapped[Quantity]
    picked: Mapped[Quantity] = mapped_column(default=0)
    bin: Mapped[str | None]
    """Lagerplatz where it waits."""
    licence_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    contract_line_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class GoodsSerial(Record):
    """Seriennummer of one piece: told by the supplier, seen at the receipt, picked for a customer."""

    __tablename__ = "goods_serial"
    __table_args__ = (
        sa.UniqueConstraint("receipt_line_id", "serial"),
        sa.Index("ix_goods_serial__serial", "serial"),
        sa.CheckConstraint("announced OR scanned_at IS NOT NULL OR picked_at IS NOT NULL", name="seen_or_told"),
    )
    receipt_line_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt_line.id", ondelete="CASCADE"))
    delivery_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery_line.id", ondelete="SET NULL"), index=True)
    serial: Mapped[str]
    announced: Mapped[bool] = mapped_column(default=True)
    scanned_at: Mapped[dt.datetime | None]
    picked_at: Mapped[dt.datetime | None]
    missing: Mapped[bool] = mapped_column(default=False)
    """Told, but not there."""
