"""Abrechnungs-Freigabe: the back office approves work, corrects it, or sends it back to the technician (S25)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.work import refuse_charge
from kit import clock
from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.billing import ServiceReport
from models.parties import Customer, Employee
from models.service_desk import Ticket
from models.work import EntryState, ServiceEntry


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries a list shows; empty = all."""

    customer: str = ""
    technician: str = ""
    month: str = ""
    state: EntryState | None = EntryState.CAPTURED
    returned: bool | None = None


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry as the approval list shows it."""

    key: str
    customer: str
    customer_name: str
    ticket: str
    subject: str
    technician: str
    technician_email: str
    work_date: dt.date
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    minutes: int
    place: str
    trips: int
    kind: str
    text: str
    billable: bool
    reason: str | None
    state: str
    approved_by: str | None
    returned_reason: str | None
    locked: bool


def _conditions(wanted: EntryFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [ServiceEntry.reported_elsewhere.is_(None)]
    if wanted.state is not None:
        conditions.append(ServiceEntry.state == wanted.state)
    if wanted.customer:
        conditions.append(Customer.number == wanted.customer)
    if wanted.technician:
        conditions.append(Employee.email == wanted.technician.lower())
    if wanted.month:
        conditions.append(sa.func.to_char(ServiceEntry.work_date, "YYYY-MM") == wanted.month)
    if wanted.returned is not None:
        conditions.append(
            ServiceEntry.returned_reason.is_not(None) if wanted.returned else ServiceEntry.returned_reason.is_(None)
        )
    return conditions


def _listed(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .join(Customer, Customer.id == ServiceEntry.customer_id)
        .join(Ticket, Ticket.id == ServiceEntry.ticket_id)
        .join(Employee, Employee.id == ServiceEntry.technician_id)
    )


def count_pending(session: Session, wanted: EntryFilter) -> int:
    """How many entries the filter finds."""
    statement = _listed(sa.func.count()).select_from(ServiceEntry).where(*_conditions(wanted))
    return int(session.scalar(statement) or 0)


def pending(session: Session, wanted: EntryFilter, *, limit: int = 100, offset: int = 0) -> list[ListedEntry]:
    """Entries to look at, oldest work first."""
    rows = session.execute(
        _listed(ServiceEntry, Customer.number, Customer.name, Ticket.number, Ticket.subject, Employee)
        .where(*_conditions(wanted))
        .order_by(ServiceEntry.work_date, ServiceEntry.key)
        .limit(limit)
        .offset(offset)
    ).tuples()
    return [_as_listed(*row) for row in rows]


def _as_listed(  # noqa: PLR0917 - the columns of the list, in their order
    entry: ServiceEntry, number: str, name: str, ticket: str, subject: str, technician: Employee
) -> ListedEntry:
    return ListedEntry(
        key=entry.key,
        customer=number,
        customer_name=name,
        ticket=ticket,
        subject=subject,
        technician=technician.name,
        technician_email=technician.email,
        work_date=entry.work_date,
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        minutes=entry.minutes,
        place=entry.place.value,
        trips=entry.trips,
        kind=entry.kind.value,
        text=entry.text,
        billable=entry.billable,
        reason=entry.non_billable_reason,
        state=entry.state.value,
        approved_by=entry.approved_by,
        returned_reason=entry.returned_reason,
        locked=entry.report_id is not None,
    )


def one(session: Session, key: str) -> ListedEntry:
    """One entry by its id. Raises: NotFoundError."""
    found = session.execute(
        _listed(ServiceEntry, Customer.number, Customer.name, Ticket.number, Ticket.subject, Employee).where(
            ServiceEntry.key == key
        )
    ).tuples()
    row = found.first()
    if row is None:
        raise NotFoundError(f"Leistung {key}: gibt es nicht.")
    return _as_listed(*row)


def _take(session: Session, keys: Sequence[str]) -> list[ServiceEntry]:
    """Lock the entries, all or none. Raises: NotFoundError, ConflictError when one is released or reported."""
    wanted = sorted(set(keys))
    # before any row: a release holds the table while it works, and would wait for our rows while we wait for the table
    session.execute(sa.text("LOCK TABLE service_entry IN ROW EXCLUSIVE MODE"))
    entries = list(
        session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key.in_(wanted)).order_by(ServiceEntry.id).with_for_update())
    )
    if missing := sorted(set(wanted) - {e.key for e in entries}):
        raise NotFoundError(f"Leistung {', '.join(missing)}: gibt es nicht.")
    for entry in entries:
        if entry.report_id is not None:
            number = session.scalar(sa.select(ServiceReport.number).where(ServiceReport.id == entry.report_id))
            where = f"steht im Servicebericht {number}" if number else "ist mit ihrem Monat zur Abrechnung freigegeben"
            raise ConflictError(f"Leistung {entry.key}: {where} und ist gesperrt. Ändern kann sie nur noch eine Korrektur.")
    return entries


def approve(session: Session, keys: Sequence[str], actor: str) -> int:
    """Approve entries; those approved already stay as they are. Returns how many were approved now."""
    count = 0
    for entry in _take(session, keys):
        if entry.state is EntryState.CAPTURED:
            entry.state, entry.approved_by, entry.approved_at = EntryState.APPROVED, actor, clock.now()
            entry.returned_reason = None
            count += 1
    session.flush()
    return count


def withdraw_approval(session: Session, keys: Sequence[str]) -> int:
    """Take approvals back; possible until the month is released."""
    count = 0
    for entry in _take(session, keys):
        if entry.state is EntryState.APPROVED:
            entry.state, entry.approved_by, entry.approved_at = EntryState.CAPTURED, None, None
            count += 1
    session.flush()
    return count


def send_back(session: Session, key: str, reason: str) -> None:
    """Give an entry back to its technician, who reads why."""
    if not reason.strip():
        raise DrehkreuzError(f"Leistung {key}: Bitte begründen Sie, warum sie zurückgeht.")
    entry = _take(session, [key])[0]
    entry.state, entry.approved_by, entry.approved_at = EntryState.CAPTURED, None, None
    entry.returned_reason = reason.strip()
    session.flush()


def correct(session: Session, key: str, *, minutes: int, trips: int, text: str, billable: bool, reason: str | None) -> None:
    """Correct an entry before it is released; the audit trail keeps what stood there.

    Raises:
        DrehkreuzError: not billable without a reason (S158), negative minutes or trips, no text.
    """
    if minutes < 0 or trips < 0:
        raise DrehkreuzError(f"Leistung {key}: Minuten und Anfahrten dürfen nicht negativ sein.")
    if not text.strip():
        raise DrehkreuzError(f"Leistung {key}: Bitte beschreiben Sie die Tätigkeit.")
    if not billable and not (reason or "").strip():
        raise DrehkreuzError(f"Leistung {key}: Nicht berechenbare Leistungen brauchen eine Begründung.")
    entry = _take(session, [key])[0]
    if billable:
        refuse_charge(session, entry, minutes)
    entry.minutes, entry.trips, entry.text, entry.billable = minutes, trips, text.strip(), billable
    entry.non_billable_reason = None if billable else (reason or "").strip()
    session.flush()
