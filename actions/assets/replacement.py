"""Austausch of rented devices at the house's cost: a defect (S123, S141), firmware out of support (S142), age."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods.tickets import note
from actions.numbers import next_numbers
from kit import clock
from kit.errors import ConflictError, NotFoundError
from models.assets import Asset, Owner, Replacement, ReplacementReason
from models.parties import StaffRole
from models.service_desk import Priority, Ticket, TicketKind, TicketState

REASONS = {
    ReplacementReason.DEFECT: "Defekt",
    ReplacementReason.TECHNOLOGY: "Firmware-Pflege endet",
    ReplacementReason.LIFECYCLE: "Mietgerät am Ende seiner Laufzeit",
}
COST = "Das Risiko liegt beim Haus: Gerät und Arbeit gehen zu unseren Lasten und werden dem Kunden nicht berechnet."


def start(
    session: Session, asset_id: int, reason: ReplacementReason, *, text: str = "", due_on: dt.date | None = None, actor: str
) -> Replacement:
    """Begin the exchange of a rented device; one that runs already is returned as it is.

    Raises:
        NotFoundError: no such device.
        ConflictError: it is not the house's: the customer's own devices go by warranty and order.
    """
    asset = session.get(Asset, asset_id, with_for_update=True)
    if asset is None:
        raise NotFoundError("Asset: gibt es nicht.")
    if asset.owner is not Owner.HOUSE:
        raise ConflictError(
            f"Asset {asset.inventory_no}: Es gehört dem Kunden. Der Austausch zu unseren Lasten gilt nur für Mietgeräte."
        )
    running = session.scalar(sa.select(Replacement).where(Replacement.asset_id == asset.id, Replacement.finished_at.is_(None)))
    if running is not None:
        return running
    if asset.retired_on is not None:
        raise ConflictError(f"Asset {asset.inventory_no}: Es ist seit {asset.retired_on:%d.%m.%Y} außer Betrieb.")
    ticket = _ticket(session, asset, reason, due_on)
    note(session, ticket, "opened", actor, "\n".join(part for part in (REASONS[reason] + ".", text, COST) if part))
    made = Replacement(customer_id=asset.customer_id, asset_id=asset.id, reason=reason, ticket_id=ticket.id)
    session.add(made)
    session.flush()
    return made


def _ticket(session: Session, asset: Asset, reason: ReplacementReason, due_on: dt.date | None) -> Ticket:
    now = clock.now()
    ticket = Ticket(
        customer_id=asset.customer_id,
        number=next_numbers(session, "T", clock.local(now).year, 1)[0],
        kind=TicketKind.REPLACEMENT,
        state=TicketState.NEW,
        priority=Priority.HIGH if reason is ReplacementReason.DEFECT else Priority.NORMAL,
        subject=f"Austausch {asset.model or asset.asset_class} ({asset.inventory_no}): {REASONS[reason]}"[:300],
        received_at=now,
        site_id=asset.site_id,
        asset_id=asset.id,
        role=StaffRole.MATERIALS.value,
        due_at=clock.at_local(due_on) if due_on else None,
    )
    session.add(ticket)
    session.flush()
    return ticket


def finish(session: Session, asset_id: int, new_inventory_no: str, actor: str) -> None:
    """The new device stands in its place: contract and place go over to it, the old one is out of use.

    Raises:
        NotFoundError: no exchange runs for the device, or the new one is not the customer's.
    """
    running = session.scalar(
        sa.select(Replacement).where(Replacement.asset_id == asset_id, Replacement.finished_at.is_(None)).with_for_update()
    )
    if running is None:
        raise NotFoundError("Austausch: Für dieses Gerät läuft keiner.")
    old = session.get_one(Asset, asset_id)
    new = session.scalar(
        sa.select(Asset).where(
            Asset.customer_id == old.customer_id, Asset.inventory_no == new_inventory_no.strip(), Asset.retired_on.is_(None)
        )
    )
    if new is None or new.id == old.id:
        raise NotFoundError(f"Asset {new_inventory_no}: gibt es bei diesem Kunden nicht. Bitte zuerst das neue Gerät erfassen.")
    new.owner, new.contract_id = Owner.HOUSE, new.contract_id or old.contract_id
    new.site_id = new.site_id or old.site_id
    old.retired_on, old.replaced_by_id = clock.today(), new.id
    running.new_asset_id, running.finished_at = new.id, clock.now()
    ticket = session.get_one(Ticket, running.ticket_id)
    ticket.state, ticket.resolved_at = TicketState.RESOLVED, running.finished_at
    note(session, ticket, "replaced", actor, f"Ersetzt durch {new.inventory_no} ({new.model or new.asset_class}).")
