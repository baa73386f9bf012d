"""Inventar: what agents and lists tell is merged by serial; nothing goes because a report is silent (S136, S137)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.numbers import next_numbers
from integrations.inventory.types import Device, Inventory, InventoryError
from kit import clock
from models.assets import Asset, AssetInventory
from models.parties import Customer
from rules.asset_class import asset_class


@dataclass(slots=True)
class Merged:
    """What became of an inventory, by inventory number."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    missing: list[str] = field(default_factory=list)
    """Of a complete list: devices that are stored and not in it. They stay, with the day since when."""
    hints: list[str] = field(default_factory=list)


def merge(session: Session, inventory: Inventory, *, customer: str = "", source: str, technician: bool = False) -> Merged:
    """Take an inventory over.

    Args:
        session: the transaction.
        inventory: what the reader understood.
        customer: the customer's number; else the devices' own, else the agent's tag (`number` or `number/site`).
        source: who told it, for the trail.
        technician: a technician hands it in: only for customers who wished it (S19).

    Raises:
        InventoryError: nobody says which customer it is, or that customer did not opt in.
    """
    done = Merged(hints=list(inventory.hints))
    seen: dict[int, set[int]] = {}
    for device in inventory.devices:
        number = customer or device.customer or inventory.tag.partition("/")[0]
        row = _customer(session, number, device)
        if technician and not row.technicians_keep_assets:
            raise InventoryError(
                f"Inventar: Der Kunde {row.number} hat die Pflege durch Techniker nicht gewünscht. "
                "Die Kundenbetreuung kann das beim Kunden vereinbaren."
            )
        asset = _device(session, row, device, inventory, source, done)
        seen.setdefault(row.id, set()).add(asset.id)
    if not inventory.partial and inventory.format == "csv":
        for customer_id, ids in seen.items():
            done.missing += _note_missing(session, customer_id, ids)
    session.flush()
    return done


def _customer(session: Session, number: str, device: Device) -> Customer:
    found = session.scalar(sa.select(Customer).where(Customer.number == number.strip())) if number.strip() else None
    if found is None:
        named = f"Kunde {number} gibt es nicht" if number.strip() else "Der Kunde fehlt"
        raise InventoryError(
            f"Inventar {device.place or device.name or device.serial}: {named}. Bitte die Kundennummer angeben oder als Tag im "
            "Agenten eintragen."
        )
    return found


def _find(session: Session, customer_id: int, device: Device) -> Asset | None:
    """By serial, else by the agent's id, else by inventory number; a serial that contradicts never matches."""
    own = sa.select(Asset).where(Asset.customer_id == customer_id, Asset.retired_on.is_(None)).limit(2)
    tests: list[sa.Select[tuple[Asset]]] = []
    if device.serial:
        tests.append(own.where(sa.func.lower(Asset.serial) == device.serial.lower()))
    if device.agent_id:
        tests.append(
            own.join(AssetInventory, AssetInventory.asset_id == Asset.id).where(AssetInventory.agent_id == device.agent_id)
        )
    if device.inventory_no:
        tests.append(own.where(Asset.inventory_no == device.inventory_no))
    for test in tests:
        rows = session.scalars(test.with_for_update(of=Asset)).all()
        fitting = [r for r in rows if not (r.serial and device.serial) or r.serial.lower() == device.serial.lower()]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _device(  # noqa: PLR0917 - one device with the report it stands in
    session: Session, customer: Customer, device: Device, inventory: Inventory, source: str, done: Merged
) -> Asset:
    asset = _find(session, customer.id, device)
    new = asset is None
    if asset is None:
        asset = _create(session, customer, device)
        done.created.append(asset.inventory_no)
    changed = _fill(asset, device)
    changed |= _details(session, asset, device, inventory, source)
    if changed and not new:
        done.changed.append(asset.inventory_no)
    elif not new:
        done.unchanged += 1
    return asset


def _create(session: Session, customer: Customer, device: Device) -> Asset:
    number = device.inventory_no or next_numbers(session, "INV", clock.local(clock.now()).year, 1)[0]
    taken = session.scalar(sa.select(Asset.id).where(Asset.customer_id == customer.id, Asset.inventory_no == number))
    if taken is not None:
        number = next_numbers(session, "INV", clock.local(clock.now()).year, 1)[0]
    asset = Asset(
        customer_id=customer.id,
        inventory_no=number,
        asset_class=device.asset_class or asset_class(f"{device.model} {device.name}"),
        serial=device.serial or None,
    )
    session.add(asset)
    session.flush()
    return asset


def _fill(asset: Asset, device: Device) -> bool:
    """Purchase, warranty and owner are the house's knowledge: a report fills gaps there and overwrites only what it can see."""
    before = (asset.manufacturer, asset.model, asset.serial, asset.bought_on, asset.warranty_until, asset.missing_since)
    asset.manufacturer = device.manufacturer or asset.manufacturer
    asset.model = asset.model or device.model or None
    asset.serial = asset.serial or device.serial or None
    asset.bought_on = asset.bought_on or device.bought_on
    asset.warranty_until = asset.warranty_until or device.warranty_until
    asset.missing_since = None
    return before != (asset.manufacturer, asset.model, asset.serial, asset.bought_on, asset.warranty_until, asset.missing_since)


def _details(session: Session, asset: Asset, device: Device, inventory: Inventory, source: str) -> bool:
    row = session.scalar(sa.select(AssetInventory).where(AssetInventory.asset_id == asset.id).with_for_update())
    taken_at = inventory.taken_at or clock.now()
    if row is None:
        row = AssetInventory(customer_id=asset.customer_id, asset_id=asset.id, seen_at=taken_at, source=source)
        session.add(row)
    elif inventory.taken_at is not None and inventory.taken_at < row.seen_at:
        return False  # an older report that came late tells nothing new
    told: dict[str, Any] = {
        "agent_id": device.agent_id,
        "name": device.name,
        "operating_system": device.operating_system,
        "operating_system_version": device.operating_system_version,
        "last_user": device.last_user,
        "software": _plain(device.software),
        "antivirus": _plain(device.antivirus),
    }
    changed = False
    for name, value in told.items():
        if value in (None, "") or getattr(row, name) == value:
            continue
        setattr(row, name, value)
        changed = True
    row.seen_at, row.source = taken_at, source
    session.flush()
    return changed


def _plain(section: Sequence[Any] | None) -> list[dict[str, Any]] | None:
    if section is None:
        return None
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in asdict(item).items()} for item in section]


def _note_missing(session: Session, customer_id: int, seen: set[int]) -> list[str]:
    gone = session.scalars(
        sa.select(Asset).where(
            Asset.customer_id == customer_id,
            Asset.retired_on.is_(None),
            Asset.delivered_on.is_not(None) | Asset.delivery_line_id.is_(None),
            Asset.id.not_in(seen),
        )
    ).all()
    for asset in gone:
        asset.missing_since = asset.missing_since or clock.today()
    return [asset.inventory_no for asset in gone]
