"""What is delivered is recorded before it leaves: devices, licences, contract lines, without anybody typing (S22-S24, S82)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets.sold_services import add_contract_line
from actions.numbers import next_numbers
from kit import clock
from models.assets import Asset, Licence, Owner
from models.catalogue import Product, ProductKind
from models.contracts import Contract, ContractKind, ContractLine
from models.goods import (
    Delivery,
    DeliveryLine,
    DeliveryState,
    GoodsDifference,
    GoodsReceipt,
    GoodsReceiptLine,
    GoodsSerial,
    PurchaseOrderLine,
    Supplier,
)
from rules.asset_class import RentalTerms, asset_class, rental_for
from rules.expiry import months_later
from rules.receiving import DifferenceKind

DEVICES = (ProductKind.HARDWARE, ProductKind.RENTAL)
SERVICES = (ProductKind.MANAGED_SERVICE, ProductKind.SERVICE, ProductKind.RENTAL)


def is_tracked(product: Product) -> bool:
    """Whether each piece becomes an asset (U28)."""
    return product.kind in DEVICES and (product.serial_tracked or product.warranty_months is not None)


def is_licence(product: Product) -> bool:
    """Whether it becomes a licence."""
    return product.kind is ProductKind.SOFTWARE or product.licence_months is not None


@dataclass(slots=True)
class Recorded:
    """How much was recorded for one delivery."""

    assets: int = 0
    licences: int = 0
    contract_lines: int = 0


@dataclass(frozen=True, slots=True)
class _Context:
    delivery: Delivery
    day: dt.date
    supplier: str
    rentals: tuple[RentalTerms, ...]
    disputed: frozenset[str]
    """Serials that are known elsewhere and whose difference nobody has answered yet."""


def unrecorded(session: Session, limit: int = 500) -> list[int]:
    """Deliveries whose content is not recorded (any more)."""
    return list(
        session.scalars(sa.select(Delivery.id).where(Delivery.recorded_at.is_(None)).order_by(Delivery.id).limit(limit))
    )


def record(session: Session, delivery_id: int) -> Recorded | None:
    """Bring assets, licences and contract lines of a delivery in line with its content. None when there is nothing to do."""
    delivery = session.scalar(
        sa.select(Delivery).where(Delivery.id == delivery_id, Delivery.recorded_at.is_(None)).with_for_update(skip_locked=True)
    )
    if delivery is None:
        return None
    done = Recorded()
    if delivery.state not in (DeliveryState.VOID, DeliveryState.SHIPPED):
        context = _context(session, delivery)
        rows = session.execute(
            sa.select(DeliveryLine, Product, PurchaseOrderLine)
            .join(Product, Product.id == DeliveryLine.product_id)
            .join(PurchaseOrderLine, PurchaseOrderLine.id == DeliveryLine.purchase_order_line_id)
            .where(DeliveryLine.delivery_id == delivery.id)
            .order_by(DeliveryLine.id)
        ).tuples()
        for line, product, order in rows.all():
            _record_line(session, context, line, product, order, done)
    delivery.recorded_at = clock.now()
    session.flush()
    return done


def _context(session: Session, delivery: Delivery) -> _Context:
    receipt = session.get_one(GoodsReceipt, delivery.receipt_id)
    day = clock.local(receipt.received_at).date()
    disputed = session.scalars(
        sa.select(GoodsDifference.subject).where(
            GoodsDifference.receipt_id == receipt.id,
            GoodsDifference.kind == DifferenceKind.SERIAL_KNOWN,
            GoodsDifference.resolved_at.is_(None),
        )
    )
    return _Context(
        delivery=delivery,
        day=day,
        supplier=session.get_one(Supplier, receipt.supplier_id).name,
        rentals=_rentals(session, delivery.customer_id, day),
        disputed=frozenset(disputed),
    )


def _rentals(session: Session, customer_id: int, day: dt.date) -> tuple[RentalTerms, ...]:
    contracts = session.scalars(
        sa.select(Contract).where(
            Contract.customer_id == customer_id,
            Contract.kind == ContractKind.RENTAL,
            Contract.starts_on <= day,
            sa.or_(Contract.ends_on.is_(None), Contract.ends_on >= day),
        )
    )
    terms = []
    for contract in contracts:
        classes = session.scalars(sa.select(ContractLine.covered_asset_classes).where(ContractLine.contract_id == contract.id))
        terms.append(RentalTerms(contract.id, contract.site_id, frozenset(name for names in classes for name in names)))
    return tuple(terms)


def _record_line(  # noqa: PLR0917 - one line with all that surrounds it
    session: Session, context: _Context, line: DeliveryLine, product: Product, order: PurchaseOrderLine, done: Recorded
) -> None:
    if product.kind in SERVICES and line.contract_line_id is None and line.quantity > 0:
        line.contract_line_id = add_contract_line(session, context.delivery, line, product, context.day)
        done.contract_lines += int(line.contract_line_id is not None)
    if is_tracked(product):
        done.assets += _assets(session, context, line, product, order)
        if product.kind is ProductKind.RENTAL:
            _link_rental(session, line)
    if is_licence(product) and line.licence_id is None and line.quantity > 0:
        _licence(session, context, line, product)
        done.licences += 1


def _link_rental(session: Session, line: DeliveryLine) -> None:
    """A rented device belongs to the contract whose line bills it, as soon as there is one."""
    if line.contract_line_id is not None:
        contract = sa.select(ContractLine.contract_id).where(ContractLine.id == line.contract_line_id).scalar_subquery()
        session.execute(sa.update(Asset).where(Asset.delivery_line_id == line.id).values(contract_id=contract))


def _assets(session: Session, context: _Context, line: DeliveryLine, product: Product, order: PurchaseOrderLine) -> int:
    had = list(session.scalars(sa.select(Asset).where(Asset.delivery_line_id == line.id).order_by(Asset.id)))
    if product.serial_tracked:
        wanted: list[str | None] = [
            serial
            for serial in _serials(session, line)
            if serial not in context.disputed and serial not in {a.serial for a in had}
        ]
    else:
        wanted = [None] * max(0, int(line.quantity) - len(had))
        for surplus in had[int(line.quantity) :]:
            session.delete(surplus)
    text = session.get_one(GoodsReceiptLine, line.receipt_line_id).text
    known = _known_devices(session, context, wanted)
    for serial, device in known.items():
        _fill(device, _asset(context, line, product, order, device.inventory_no, serial, text))
    new = [serial for serial in wanted if serial not in known]
    numbers = next_numbers(session, "INV", clock.local(clock.now()).year, len(new)) if new else []
    session.add_all(
        _asset(context, line, product, order, number, serial, text) for number, serial in zip(numbers, new, strict=True)
    )
    session.flush()
    return len(wanted)


def _serials(session: Session, line: DeliveryLine) -> Sequence[str]:
    return session.scalars(
        sa.select(GoodsSerial.serial)
        .where(GoodsSerial.delivery_line_id == line.id, ~GoodsSerial.missing)
        .order_by(GoodsSerial.id)
    ).all()


def _known_devices(session: Session, context: _Context, serials: Sequence[str | None]) -> dict[str | None, Asset]:
    """The customer's own asset with that serial (an agent told of it first) is the same device: it is linked, not doubled."""
    told = [serial for serial in serials if serial is not None]
    if not told:
        return {}
    found = session.scalars(
        sa.select(Asset)
        .where(
            Asset.customer_id == context.delivery.customer_id,
            Asset.serial.in_(told),
            Asset.delivery_line_id.is_(None),
            Asset.retired_on.is_(None),
        )
        .order_by(Asset.id.desc())
    )
    return {asset.serial: asset for asset in found}


def _fill(known: Asset, delivered: Asset) -> None:
    """What the delivery knows (purchase, warranty, owner, contract) is added; what somebody noted already stays."""
    known.delivery_line_id = delivered.delivery_line_id
    if delivered.owner is Owner.HOUSE:
        known.owner, known.contract_id = Owner.HOUSE, known.contract_id or delivered.contract_id
    if known.warranty_until is None:
        known.warranty_from, known.warranty_until = delivered.warranty_from, delivered.warranty_until
        known.warranty_kind, known.warranty_provider = delivered.warranty_kind, delivered.warranty_provider
    for name in ("model", "bought_on", "site_id"):
        if getattr(known, name) is None:
            setattr(known, name, getattr(delivered, name))


def _asset(  # noqa: PLR0917 - one device with all that it follows from
    context: _Context,
    line: DeliveryLine,
    product: Product,
    order: PurchaseOrderLine,
    number: str,
    serial: str | None,
    text: str,
) -> Asset:
    found = asset_class(f"{product.name} {text}")
    contract = rental_for(found, context.delivery.site_id, context.rentals)
    house = contract is not None or product.kind is ProductKind.RENTAL
    months = product.warranty_months
    return Asset(
        customer_id=line.customer_id,
        site_id=context.delivery.site_id,
        inventory_no=number,
        asset_class=found,
        model=product.name,
        serial=serial,
        bought_on=max(order.ordered_on, context.day),
        owner=Owner.HOUSE if house else Owner.CUSTOMER,
        contract_id=contract,
        warranty_from=context.day if months else None,
        warranty_until=months_later(context.day, months) if months else None,
        warranty_kind=f"Gewährleistung des Herstellers, {months} Monate" if months else None,
        warranty_provider=context.supplier if months else None,
        delivery_line_id=line.id,
    )


def _licence(session: Session, context: _Context, line: DeliveryLine, product: Product) -> None:
    """More of the same licence with the same end are one row with a greater count."""
    expires = months_later(context.day, product.licence_months) if product.licence_months else None
    licence = session.scalar(
        sa.select(Licence)
        .where(
            Licence.customer_id == line.customer_id,
            Licence.product_id == product.id,
            Licence.expires_on.is_not_distinct_from(expires),
        )
        .with_for_update()
    )
    if licence is None:
        licence = Licence(customer_id=line.customer_id, product_id=product.id, count=Decimal(0), expires_on=expires)
        session.add(licence)
    licence.count = (licence.count or Decimal(0)) + line.quantity
    session.flush()
    line.licence_id = licence.id


def missing(session: Session, delivery_id: int) -> list[str]:
    """What keeps the shipping gate shut, sentence by sentence; the database checks the same when the parcel leaves."""
    rows = session.execute(
        sa.select(DeliveryLine, Product)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(DeliveryLine.delivery_id == delivery_id, DeliveryLine.quantity > 0)
        .order_by(DeliveryLine.id)
    ).tuples()
    said = []
    for line, product in rows.all():
        if line.picked < line.quantity:
            said.append(f"{product.name}: noch nicht vollständig kommissioniert.")
        if is_tracked(product):
            serial = Asset.serial.is_not(None) if product.serial_tracked else sa.true()
            have = session.scalar(sa.select(sa.func.count()).where(Asset.delivery_line_id == line.id, serial)) or 0
            if have < line.quantity:
                lack = int(line.quantity) - have
                said.append(f"{product.name}: {lack} von {int(line.quantity)} Geräten sind noch nicht als Asset erfasst.")
        if is_licence(product) and line.licence_id is None:
            said.append(f"{product.name}: Die Lizenz ist noch nicht erfasst.")
        if product.kind in SERVICES and line.contract_line_id is None:
            said.append(f"{product.name}: Die Vertragsposition fehlt (kein gültiger Preis?).")
    return said


def place(session: Session, delivery: Delivery) -> None:
    """The address of a delivery changed: its devices stand there, under the rental contract that holds there, if any."""
    rentals = _context(session, delivery).rentals
    for asset, product in session.execute(
        sa.select(Asset, Product)
        .join(DeliveryLine, DeliveryLine.id == Asset.delivery_line_id)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(DeliveryLine.delivery_id == delivery.id)
    ).tuples():
        before, after = (rental_for(asset.asset_class, site, rentals) for site in (asset.site_id, delivery.site_id))
        asset.site_id = delivery.site_id
        if product.kind is not ProductKind.RENTAL and before != after:
            asset.contract_id, asset.owner = after, Owner.CUSTOMER if after is None else Owner.HOUSE
    session.flush()


def retry_unpriced(session: Session) -> None:
    """Open deliveries with a service that had no price are looked at again: the price may be there now."""
    waiting = (
        sa.select(DeliveryLine.delivery_id)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(Product.kind.in_(SERVICES), DeliveryLine.contract_line_id.is_(None), DeliveryLine.quantity > 0)
    )
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.id.in_(waiting),
            Delivery.recorded_at.is_not(None),
            Delivery.state.not_in([DeliveryState.SHIPPED, DeliveryState.VOID]),
        )
        .values(recorded_at=None)
    )
