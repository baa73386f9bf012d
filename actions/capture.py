"""Leistungserfassung: a technician documents work on a ticket (S17, S156, S158)."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.work import Work as MaintenanceWork
from actions.maintenance.work import capture_work
from kit import clock
from kit.errors import NotFoundError, UsageError
from models.service_desk import Ticket, TicketKind, TicketState
from models.work import EntryState, Place, ServiceEntry, WorkKind

FALSE_ALARM = "Fehlalarm"
"""Reason of the work that an alarm caused without need (U26)."""
REASONS = (FALSE_ALARM, "Gewährleistung", "Kulanz", "Einarbeitung")
"""Offered at capture; every other wording may be typed (S158)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done. `key` makes it one entry however often the form is sent."""

    key: str
    ticket: str
    technician_id: int
    work_date: dt.date
    minutes: int
    text: str
    started_at: dt.datetime | None = None
    place: Place = Place.REMOTE
    trips: int = 0
    kind: WorkKind = WorkKind.STANDARD
    billable: bool = True
    reason: str = ""


def capture(session: Session, work: Work) -> list[ServiceEntry]:
    """Write the entry; it waits for its approval. On a maintenance ticket the agreement decides what is charged.

    A second call with the same key returns what is there.

    Raises:
        NotFoundError: no such ticket.
        UsageError: in the future, without duration or text, or neither billable nor with a reason.
    """
    known = list(session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key == work.key)))
    if known:
        return known
    ticket = session.scalar(sa.select(Ticket).where(Ticket.number == work.ticket).with_for_update(key_share=True))
    if ticket is None:
        raise NotFoundError(f"Ticket {work.ticket}: gibt es nicht. Bitte prüfen Sie die Nummer.")
    _check(work)
    if ticket.kind is TicketKind.MAINTENANCE:
        return capture_work(session, ticket.id, _maintenance(work))
    end = work.started_at + dt.timedelta(minutes=work.minutes) if work.started_at else None
    entry = ServiceEntry(
        customer_id=ticket.customer_id,
        key=work.key,
        ticket_id=ticket.id,
        technician_id=work.technician_id,
        work_date=work.work_date,
        started_at=work.started_at,
        ended_at=end,
        minutes=work.minutes,
        place=work.place,
        trips=work.trips,
        kind=work.kind,
        text=work.text.strip(),
        billable=work.billable,
        non_billable_reason=None if work.billable else work.reason.strip(),
        state=EntryState.CAPTURED,
    )
    session.add(entry)
    if ticket.state is TicketState.NEW:
        ticket.state = TicketState.OPEN
    session.flush()
    return [entry]


def _check(work: Work) -> None:
    if work.work_date > clock.today():
        raise UsageError(f"Leistung: Der {work.work_date:%d.%m.%Y} liegt in der Zukunft. Bitte den Tag der Arbeit angeben.")
    if work.minutes <= 0 or not work.text.strip():
        raise UsageError("Leistung: Bitte Dauer (mindestens eine Minute) und Tätigkeit angeben.")
    if not work.billable and not work.reason.strip():
        raise UsageError("Leistung: Nicht berechenbare Arbeit braucht eine Begründung; sie steht im Servicebericht.")


def _maintenance(work: Work) -> MaintenanceWork:
    return MaintenanceWork(
        key=work.key, technician_id=work.technician_id, work_date=work.work_date, minutes=work.minutes, text=work.text,
        place=work.place, trips=work.trips, kind=work.kind,
    )  # fmt: skip


def is_alarm(session: Session, number: str) -> bool:
    """Whether the ticket came from monitoring: in doubt its work is a false alarm, which costs the customer nothing (U26)."""
    return session.scalar(sa.select(Ticket.kind).where(Ticket.number == number)) is TicketKind.ALERT


def open_tickets(session: Session, employee_id: int, most: int = 200) -> list[tuple[str, str]]:
    """(number, subject) of what one may have worked on: own tickets first, then the newest."""
    rows = session.execute(
        sa.select(Ticket.number, Ticket.subject)
        .where(Ticket.state.in_((TicketState.NEW, TicketState.OPEN, TicketState.WAITING)), Ticket.kind != TicketKind.TASK)
        .order_by((Ticket.assignee_id == employee_id).desc().nulls_last(), Ticket.received_at.desc())
        .limit(most)
    ).tuples()
    return list(rows)
