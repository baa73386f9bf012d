"""Where the work on a check is charged: Kontingent, contract, or by effort; never twice, never more than agreed (U25, S105).

The arithmetic of the month stays where it is (docs/rules/abdeckung.md). Here is decided what an entry on a maintenance
ticket says: billable, or not and why. The database refuses entries that say otherwise.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.planbook import Cover
from kit import clock
from kit.errors import ConflictError, NotFoundError, UsageError
from models.contracts import Contract, ContractKind
from models.maintenance import AgreedCheck, DueDate
from models.service_desk import Ticket
from models.work import EntryState, Place, ServiceEntry, WorkKind

CAUGHT_UP = "Nachgeholter Wartungstermin: über die vereinbarte Dauer hinaus (U25)"


@dataclass(frozen=True, slots=True)
class WorkTerms:
    """How work on a ticket is charged on a day."""

    billable: bool
    reason: str
    """Why not; empty when billable."""
    to: str
    """German, for the page: `Kontingent V-2020-016`, `Mietvertrag R-1`, `nach Aufwand`."""
    minutes_left: int | None
    """Agreed minutes that may still be charged on a ticket that was caught up; None = no limit."""


def work_terms(session: Session, ticket_id: int, work_date: dt.date) -> WorkTerms:
    """How an entry on this ticket is charged. A ticket without due dates: by effort, like every other.

    Raises:
        NotFoundError: no such ticket.
    """
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFoundError(f"Ein Ticket mit der Nummer {ticket_id} gibt es nicht.")
    rows = session.execute(
        sa.select(DueDate.due_on, DueDate.nominal_on, AgreedCheck.duration_minutes, Contract)
        .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
        .outerjoin(Contract, Contract.id == AgreedCheck.contract_id)
        .where(DueDate.ticket_id == ticket_id)
    ).all()
    covers = [(_cover(contract), owed) for _, owed, _, contract in rows if contract]
    flat = [pair for pair in covers if pair[0].kind is not ContractKind.KONTINGENT]
    for cover, owed in sorted(flat, key=lambda pair: (pair[0].number, pair[1])):
        # what was owed while the contract ran is paid with it, even if the house comes to it later
        if cover.in_force(work_date) or cover.in_force(owed):
            return WorkTerms(
                billable=False, reason=f"In {cover.german} enthalten (Wartung)", to=cover.german, minutes_left=None
            )
    received_on = clock.local(ticket.received_at).date()
    late = any(on < received_on for on, *_ in rows)
    durations = [minutes for _, _, minutes, _ in rows]
    left = None
    if late and None not in durations:
        charged = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(ServiceEntry.minutes), 0)).where(
                ServiceEntry.ticket_id == ticket_id, ServiceEntry.billable
            )
        )
        left = max(sum(minutes or 0 for minutes in durations) - int(charged or 0), 0)
    kontingent = [
        cover.german for cover, _ in covers if cover.kind is ContractKind.KONTINGENT and cover.in_force(work_date)
    ]  # fmt: skip
    return WorkTerms(billable=True, reason="", to=kontingent[0] if kontingent else "nach Aufwand", minutes_left=left)


def refuse_charge(session: Session, entry: ServiceEntry, minutes: int) -> None:
    """Refuse to make an entry billable where the agreement says otherwise; the database would refuse it without words.

    Args:
        session: the transaction.
        entry: the entry that shall become (or stay) billable.
        minutes: the minutes that it shall have.

    Raises:
        ConflictError: a contract includes the work, or the agreed minutes of a date that was caught up are used up.
    """
    terms = work_terms(session, entry.ticket_id, entry.work_date)
    if not terms.billable:
        raise ConflictError(f"Leistung {entry.key}: Die Arbeit ist in {terms.to} enthalten und nicht berechenbar.")
    if terms.minutes_left is None:
        return
    left = terms.minutes_left + (entry.minutes if entry.billable else 0)
    if minutes > left:
        raise ConflictError(
            f"Leistung {entry.key}: Nachgeholter Wartungstermin, nach der vereinbarten Dauer sind noch {left} Minuten "
            "berechenbar. Bitte erfassen Sie den Rest als nicht berechenbar mit Begründung."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done on a maintenance ticket. `key` makes it one entry however often it is sent."""

    key: str
    technician_id: int
    work_date: dt.date
    minutes: int
    text: str
    place: Place = Place.REMOTE
    trips: int = 0
    kind: WorkKind = WorkKind.STANDARD


def capture_work(session: Session, ticket_id: int, work: Work) -> list[ServiceEntry]:
    """Write the service entry of a maintenance ticket; what goes beyond the agreement is a second, non-billable one.

    A second call with the same key returns the entries that are there.

    Raises:
        NotFoundError: no such ticket.
        UsageError: no minutes or no text.
    """
    keys = [work.key, f"{work.key}/2"]
    known = list(session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key.in_(keys)).order_by(ServiceEntry.key)))
    if known:
        return known
    if work.minutes <= 0 or not work.text.strip():
        raise UsageError("Leistung: Bitte Minuten (mindestens 1) und einen Text angeben.")
    session.execute(sa.select(Ticket.id).where(Ticket.id == ticket_id).with_for_update(key_share=True))
    terms = work_terms(session, ticket_id, work.work_date)
    ticket = session.get_one(Ticket, ticket_id)
    charged = work.minutes if terms.minutes_left is None else min(work.minutes, terms.minutes_left)
    if not terms.billable:
        parts = [(work.minutes, False, terms.reason)]
    else:
        parts = [(charged, True, ""), (work.minutes - charged, False, CAUGHT_UP)]
    entries = [
        ServiceEntry(
            customer_id=ticket.customer_id,
            key=key,
            ticket_id=ticket_id,
            technician_id=work.technician_id,
            work_date=work.work_date,
            minutes=minutes,
            place=work.place,
            trips=work.trips if place == 0 else 0,
            kind=work.kind,
            text=work.text.strip(),
            billable=billable,
            non_billable_reason=reason or None,
            state=EntryState.CAPTURED,
        )
        for place, (key, (minutes, billable, reason)) in enumerate(zip(keys, [part for part in parts if part[0]], strict=False))
    ]
    session.add_all(entries)
    session.flush()
    return entries


def _cover(contract: Contract) -> Cover:
    return Cover(contract.number, contract.kind, contract.starts_on, contract.ends_on)
