"""A small warehouse: a supplier, products, orders, and despatch advices for them."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import booking, inbox
from actions.goods.booking import Booked
from models.catalogue import ListPrice, Product, ProductKind, Unit
from models.goods import Delivery, DeliveryLine, GoodsReceipt, PurchaseOrderLine, Supplier
from models.parties import Customer
from tests import factories as make

DAY = dt.date(2026, 10, 20)


def supplier(session: Session, code: str = "L-FALKE", **values: Any) -> Supplier:
    """A supplier."""
    row = Supplier(code=code, **{"name": f"{code} Distribution AG", "email": f"avis@{code.lower()}.example"} | values)
    session.add(row)
    session.flush()
    return row


def product(session: Session, code: str, **values: Any) -> Product:
    """A notebook with serial number and 36 months of warranty, unless told otherwise."""
    row = Product(
        code=code,
        **{"name": f"Notebook {code}", "kind": ProductKind.HARDWARE, "serial_tracked": True, "warranty_months": 36} | values,
    )
    session.add(row)
    session.flush()
    return row


def cable(session: Session, code: str = "KAB-1") -> Product:
    """Something without serial number and warranty."""
    return product(session, code, name="Netzwerkkabel", serial_tracked=False, warranty_months=None)


def price(session: Session, code: str, net: str = "49.00") -> ListPrice:
    """A list price since the start of 2026."""
    row = ListPrice(
        code=code, name=code, unit=Unit.MONTH, net_price=Decimal(net), vat_rate=Decimal(19), valid_from=dt.date(2026, 1, 1)
    )
    session.add(row)
    session.flush()
    return row


def order(
    session: Session,
    of: Supplier,
    to: Customer,
    what: Product,
    quantity: int,
    number: str = "B-1",
    line: str = "1",
    **values: Any,
) -> PurchaseOrderLine:
    """An order line at the supplier, for the customer's order KA-1."""
    row = PurchaseOrderLine(
        customer_id=to.id,
        supplier_id=of.id,
        product_id=what.id,
        number=number,
        line=line,
        quantity=Decimal(quantity),
        **{"ordered_on": DAY, "customer_order": "KA-1", "expected_on": dt.date(2026, 10, 30)} | values,
    )
    session.add(row)
    session.flush()
    return row


def line(
    what: str, quantity: int, serials: list[str] | None = None, number: str = "B-1", of: str = "", **values: Any
) -> dict[str, Any]:
    """One position of a JSON receipt."""
    told = {"product": what, "quantity": quantity, "serials": serials or [], "order": number, "order_line": of}
    return {name: value for name, value in (told | values).items() if value not in ("", [])}


def receipt_bytes(*lines: dict[str, Any], note: str = "LS-1", of: str = "L-FALKE") -> bytes:
    """A receipt as the warehouse's machine tells it."""
    return json.dumps({"supplier": of, "delivery_note": note, "lines": list(lines)}).encode()


def told(session: Session, *lines: dict[str, Any], note: str = "LS-1", of: str = "L-FALKE") -> Booked:
    """Put a receipt into the basket and book it."""
    received = inbox.receive(session, receipt_bytes(*lines, note=note, of=of), content_type="application/json")
    booked = booking.book(session, received.item_id)
    assert booked is not None
    return booked


def deliveries(session: Session, note: str = "LS-1") -> list[Delivery]:
    """The deliveries of a receipt."""
    statement = sa.select(Delivery).join(GoodsReceipt).where(GoodsReceipt.delivery_note == note).order_by(Delivery.id)
    return list(session.scalars(statement))


def lines(session: Session, of: Delivery) -> list[DeliveryLine]:
    """The lines of a delivery."""
    return list(session.scalars(sa.select(DeliveryLine).where(DeliveryLine.delivery_id == of.id).order_by(DeliveryLine.id)))


def serials(prefix: str, count: int) -> list[str]:
    """Serial numbers."""
    return [f"{prefix}{number:05}" for number in range(1, count + 1)]


def house_and_customer(session: Session, **values: Any) -> Customer:
    """The house, and one customer."""
    make.house(session)
    return make.customer(session, **values)
