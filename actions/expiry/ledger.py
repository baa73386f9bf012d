"""The due-ledger of ends: written ahead from what is stored, told once on its day (S23, S24, S142)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.assets import replacement
from actions.goods.tickets import note
from actions.numbers import next_numbers
from kit import clock
from models.assets import Asset, ExpiryNotice, Licence, Owner, ReplacementReason
from models.billing import Invoice
from models.catalogue import Product
from models.parties import Customer, Lifecycle, StaffRole
from models.service_desk import Ticket, TicketKind, TicketState
from rules.expiry import (
    LEAD_DAYS,
    MANDATE_MONTHS,
    PAST_DAYS,
    RENTAL_YEARS,
    ExpiryKind,
    NoticeState,
)

ACTOR = "Drehkreuz"
SUBJECTS = {
    ExpiryKind.WARRANTY: "Garantie läuft ab",
    ExpiryKind.LICENCE: "Lizenzen laufen ab",
    ExpiryKind.FIRMWARE: "Firmware-Pflege endet",
    ExpiryKind.LIFECYCLE: "Mietgeräte am Ende ihrer Laufzeit",
    ExpiryKind.MANDATE: "Lastschriftmandat verfällt",
}
ROLES = {
    ExpiryKind.WARRANTY: StaffRole.ACCOUNT_MANAGER,
    ExpiryKind.LICENCE: StaffRole.ACCOUNT_MANAGER,
    ExpiryKind.FIRMWARE: StaffRole.ACCOUNT_MANAGER,
    ExpiryKind.LIFECYCLE: StaffRole.MATERIALS,
    ExpiryKind.MANDATE: StaffRole.BACK_OFFICE,
}
REPLACED = {ExpiryKind.FIRMWARE: ReplacementReason.TECHNOLOGY, ExpiryKind.LIFECYCLE: ReplacementReason.LIFECYCLE}
"""Ends of a rented device that start its exchange; for the customer's own device they are a notice."""


def _sources() -> dict[ExpiryKind, sa.Select[Any]]:
    """Per kind: customer, object, day of the end; of what is in use."""
    alive = sa.and_(Asset.retired_on.is_(None), Customer.lifecycle != Lifecycle.CLOSED)
    assets = sa.select(Asset.customer_id, Asset.id.label("object_id")).join(Customer, Customer.id == Asset.customer_id)
    life = sa.cast(sa.func.coalesce(Asset.bought_on, Asset.delivered_on) + sa.text(f"interval '{RENTAL_YEARS} years'"), sa.Date)
    used = sa.func.greatest(
        Customer.mandate_signed_on,
        sa.select(sa.func.max(sa.cast(Invoice.issued_at, sa.Date)))
        .where(Invoice.customer_id == Customer.id)
        .correlate(Customer)
        .scalar_subquery(),
    )
    lapse = sa.cast(used + sa.text(f"interval '{MANDATE_MONTHS} months'"), sa.Date)
    return {
        ExpiryKind.WARRANTY: assets.add_columns(Asset.warranty_until.label("ends_on")).where(
            alive, Asset.warranty_until.is_not(None)
        ),
        ExpiryKind.FIRMWARE: assets.add_columns(Asset.firmware_supported_until.label("ends_on")).where(
            alive, Asset.firmware_supported_until.is_not(None)
        ),
        ExpiryKind.LIFECYCLE: assets.add_columns(life.label("ends_on")).where(
            alive, Asset.owner == Owner.HOUSE, sa.func.coalesce(Asset.bought_on, Asset.delivered_on).is_not(None)
        ),
        ExpiryKind.LICENCE: sa.select(Licence.customer_id, Licence.id.label("object_id"), Licence.expires_on.label("ends_on"))
        .join(Customer, Customer.id == Licence.customer_id)
        .where(Licence.expires_on.is_not(None), Customer.lifecycle != Lifecycle.CLOSED),
        ExpiryKind.MANDATE: sa.select(
            Customer.id.label("customer_id"), Customer.id.label("object_id"), lapse.label("ends_on")
        ).where(Customer.mandate_signed_on.is_not(None), Customer.lifecycle != Lifecycle.CLOSED),
    }


def write_ahead(session: Session, today: dt.date) -> int:
    """Bring the ledger in line with what is stored, one statement per kind: new ends enter, ends that moved become void.

    Returns how many entered. A second call writes nothing.
    """
    entered = 0
    for kind, source in _sources().items():
        now = source.subquery("now")
        past = now.c.ends_on < today - dt.timedelta(days=PAST_DAYS)
        rows = sa.select(
            now.c.customer_id,
            sa.literal(kind.value),
            now.c.object_id,
            now.c.ends_on,
            now.c.ends_on - LEAD_DAYS[kind],
            sa.case((past, NoticeState.PAST.value), else_=NoticeState.PLANNED.value),
            sa.literal(clock.now(), sa.DateTime(timezone=True)),
        )
        columns = ["customer_id", "kind", "object_id", "ends_on", "notice_on", "state", "created_at"]
        statement = insert(ExpiryNotice).from_select(columns, rows).on_conflict_do_nothing().returning(ExpiryNotice.id)
        entered += len(session.scalars(statement).all())
        gone = ~sa.exists().where(now.c.object_id == ExpiryNotice.object_id, now.c.ends_on == ExpiryNotice.ends_on)
        _set(session, NoticeState.VOID, ExpiryNotice.kind == kind, ExpiryNotice.state == NoticeState.PLANNED, gone)
        _set(session, NoticeState.PLANNED, ExpiryNotice.kind == kind, ExpiryNotice.state == NoticeState.VOID, ~gone)
    return entered


def _set(session: Session, state: NoticeState, *where: sa.ColumnElement[bool]) -> None:
    session.execute(sa.update(ExpiryNotice).where(*where).values(state=state).execution_options(synchronize_session=False))


@dataclass(slots=True)
class Told:
    """What a round told: numbers of tickets."""

    notices: list[str] = field(default_factory=list)
    replacements: list[str] = field(default_factory=list)


def customers_due(session: Session, today: dt.date) -> list[int]:
    """Customers with something to be told today."""
    return list(
        session.scalars(
            sa.select(ExpiryNotice.customer_id)
            .where(ExpiryNotice.state == NoticeState.PLANNED, ExpiryNotice.notice_on <= today)
            .distinct()
            .order_by(ExpiryNotice.customer_id)
        )
    )


def tell(session: Session, customer_id: int, today: dt.date) -> Told:
    """Tell one customer's ends: a ticket per kind, an exchange per rented device. What was told is never told again."""
    told = Told()
    due = defaultdict(list)
    for row in session.scalars(
        sa.select(ExpiryNotice)
        .where(
            ExpiryNotice.customer_id == customer_id,
            ExpiryNotice.state == NoticeState.PLANNED,
            ExpiryNotice.notice_on <= today,
        )
        .order_by(ExpiryNotice.ends_on, ExpiryNotice.id)
        .with_for_update(skip_locked=True)
    ):
        due[row.kind].append(row)
    for kind, rows in due.items():
        notices = [row for row in rows if not _exchange(session, row, told)] if kind in REPLACED else rows
        if notices:
            ticket = _notice(session, customer_id, kind, notices)
            for row in notices:
                row.state, row.ticket_id = NoticeState.TOLD, ticket.id
            told.notices.append(ticket.number)
    session.flush()
    return told


def _exchange(session: Session, row: ExpiryNotice, told: Told) -> bool:
    """Start the exchange of a rented device; false for the customer's own."""
    asset = session.get_one(Asset, row.object_id)
    if asset.owner is not Owner.HOUSE:
        return False
    text = f"{SUBJECTS[row.kind]} am {row.ends_on:%d.%m.%Y}; bis dahin ist das Gerät zu ersetzen (Technologie-Garantie)."
    made = replacement.start(session, asset.id, REPLACED[row.kind], text=text, due_on=row.ends_on, actor=ACTOR)
    row.state, row.ticket_id = NoticeState.TOLD, made.ticket_id
    told.replacements.append(session.get_one(Ticket, made.ticket_id).number)
    return True


def _notice(session: Session, customer_id: int, kind: ExpiryKind, rows: Sequence[ExpiryNotice]) -> Ticket:
    now = clock.now()
    first = min(row.ends_on for row in rows)
    ticket = Ticket(
        customer_id=customer_id,
        number=next_numbers(session, "T", clock.local(now).year, 1)[0],
        kind=TicketKind.TASK,
        state=TicketState.NEW,
        subject=f"{SUBJECTS[kind]}: {len(rows)} ab {first:%d.%m.%Y}"
        if len(rows) > 1
        else f"{SUBJECTS[kind]} am {first:%d.%m.%Y}",
        received_at=now,
        role=ROLES[kind].value,
        dedup_key=f"expiry:{kind.value}:{rows[0].id}",
        due_at=clock.at_local(first),
        asset_id=rows[0].object_id if len(rows) == 1 and kind in (ExpiryKind.WARRANTY, ExpiryKind.FIRMWARE) else None,
    )
    session.add(ticket)
    session.flush()
    note(session, ticket, "opened", ACTOR, "\n".join(_lines(session, kind, rows)))
    return ticket


def _lines(session: Session, kind: ExpiryKind, rows: Sequence[ExpiryNotice]) -> list[str]:
    if kind is ExpiryKind.MANDATE:
        return [
            f"- Mandat {session.get_one(Customer, row.object_id).mandate_reference}: {row.ends_on:%d.%m.%Y}" for row in rows
        ]
    ids = [row.object_id for row in rows]
    if kind is ExpiryKind.LICENCE:
        named = {
            key: f"{name}, {count:f} Stück" if count is not None else name
            for key, name, count in session.execute(
                sa.select(Licence.id, Product.name, sa.func.trim_scale(Licence.count))
                .join(Product, Product.id == Licence.product_id)
                .where(Licence.id.in_(ids))
            ).tuples()
        }
    else:
        named = {
            asset.id: ", ".join(part for part in (asset.inventory_no, asset.model, asset.serial, asset.warranty_kind) if part)
            for asset in session.scalars(sa.select(Asset).where(Asset.id.in_(ids)))
        }
    return [f"- {named[row.object_id]}: {row.ends_on:%d.%m.%Y}" for row in rows]
