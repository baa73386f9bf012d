"""Packen und Versenden: papers get their number when the parcel is closed; the gate lets it go when all is recorded (S22)."""

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.assets import recording
from actions.goods.checking import ring
from actions.goods.scanning import delivery_for
from actions.goods.tickets import note
from actions.numbers import next_numbers
from kit import clock
from kit.errors import ConflictError, NotFoundError
from models.assets import Asset
from models.goods import DeliveryLine, DeliveryState
from models.parties import Site
from models.service_desk import Ticket, TicketState

RANGE = "LS"
GATE = "DK002"
"""SQLSTATE of the database's own gate."""


class GateClosedError(ConflictError):
    """The parcel may not leave yet; the sentences say what is missing."""


def send_to(session: Session, delivery_id: int, site_code: str) -> None:
    """Choose where it goes: a site that receives goods (S35), or the head office. Raises: NotFoundError, ConflictError."""
    delivery = delivery_for(session, delivery_id)
    if delivery.state in (DeliveryState.PACKED, DeliveryState.SHIPPED):
        raise ConflictError("Lieferung: Sie ist schon gepackt, ihre Papiere nennen die Anschrift.")
    site = None
    if site_code:
        site = session.scalar(sa.select(Site).where(Site.customer_id == delivery.customer_id, Site.code == site_code))
        if site is None:
            raise NotFoundError(f"Standort {site_code}: gibt es bei diesem Kunden nicht.")
        if not site.receives_goods:
            raise ConflictError(f"Standort {site.name}: Er nimmt keine Ware an.")
    delivery.site_id = site.id if site else None
    delivery.pick_list_key = None
    session.flush()
    recording.place(session, delivery)
    ring(session)


def pack(session: Session, delivery_id: int, parcels: int, actor: str) -> str:
    """Close the parcel: the delivery note gets its number, papers follow by themselves. Returns the number.

    Raises:
        ConflictError: not all picked, or no parcel.
    """
    delivery = delivery_for(session, delivery_id)
    if delivery.state in (DeliveryState.PACKED, DeliveryState.SHIPPED) and delivery.number:
        return delivery.number
    if delivery.state is not DeliveryState.PICKED:
        raise ConflictError("Lieferung: Es ist noch nicht alles kommissioniert.")
    if not 1 <= parcels <= 999:
        raise ConflictError("Lieferung: Bitte die Zahl der Packstücke angeben (1 bis 999).")
    now = clock.now()
    delivery.number = delivery.number or next_numbers(session, RANGE, clock.local(now).year, 1)[0]
    delivery.state, delivery.parcels, delivery.packed_at, delivery.packed_by = DeliveryState.PACKED, parcels, now, actor
    delivery.packing_list_key = delivery.delivery_note_key = delivery.label_key = None
    delivery.recorded_at = None
    session.flush()
    recording.record(session, delivery.id)
    note(session, session.get_one(Ticket, delivery.ticket_id), "packed", actor)
    ring(session)
    return delivery.number


def unpack(session: Session, delivery_id: int, actor: str) -> None:
    """Open a packed parcel again. The number stays with the delivery, so none is lost. Raises: ConflictError once shipped."""
    delivery = delivery_for(session, delivery_id)
    if delivery.state is DeliveryState.SHIPPED:
        raise ConflictError(f"Lieferung {delivery.number}: Sie ist schon unterwegs.")
    if delivery.state is DeliveryState.PACKED:
        delivery.state = DeliveryState.PICKED
        delivery.packing_list_key = delivery.delivery_note_key = delivery.label_key = None
        note(session, session.get_one(Ticket, delivery.ticket_id), "unpacked", actor)


def ship(session: Session, delivery_id: int, actor: str, *, carrier: str = "", tracking: str = "") -> None:
    """Let the parcel go. The database refuses while a tracked piece has no asset.

    Raises:
        GateClosedError: with what is missing.
        ConflictError: it is not packed.
    """
    delivery = delivery_for(session, delivery_id)
    if delivery.state is DeliveryState.SHIPPED:
        return
    if delivery.state is not DeliveryState.PACKED:
        raise ConflictError("Lieferung: Sie ist noch nicht gepackt.")
    recording.record(session, delivery.id)
    if lack := recording.missing(session, delivery.id):
        raise GateClosedError(f"Lieferung {delivery.number}: Sie darf noch nicht versendet werden. {' '.join(lack)}")
    now = clock.now()
    try:
        with session.begin_nested():
            delivery.state, delivery.shipped_at, delivery.shipped_by = DeliveryState.SHIPPED, now, actor
            delivery.carrier, delivery.tracking = carrier or None, tracking or None
            session.flush()
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", "") == GATE:
            raise GateClosedError(
                f"Lieferung {delivery.number}: Die Datenbank gibt sie noch nicht frei ({fault.orig})."
            ) from fault
        raise
    lines = sa.select(DeliveryLine.id).where(DeliveryLine.delivery_id == delivery.id)
    session.execute(
        sa.update(Asset)
        .where(Asset.delivery_line_id.in_(lines), Asset.delivered_on.is_(None))
        .values(delivered_on=clock.today())
    )
    ticket = session.get_one(Ticket, delivery.ticket_id)
    ticket.state, ticket.resolved_at, ticket.closed_at = TicketState.CLOSED, now, now
    note(session, ticket, "shipped", actor)
