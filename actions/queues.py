"""What waits in the house, how long already, and what needs a person: asked by `doctor` and by the metrics alike.

Each queue has its count, the age of its oldest row, and the same for what only a person can move on. Raw messages of the
warehouse and bounced mails lie in one `inbox`; the tickets that an obstacle opens are `tasks`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from models.access import LoginAttempt
from models.assets import ExpiryNotice
from models.billing import BillingItem, BillingRun, Invoice, InvoiceState, ItemState, RunState, ServiceReport
from models.goods import Delivery, DeliveryState
from models.handover import HandOverState, PostalBatch, SapDocument
from models.maintenance import DueDate
from models.plumbing import (
    ArchivedObject,
    InboxItem,
    InboxState,
    MailState,
    OutboxEvent,
    OutboxMail,
    RunNotice,
    RunTrouble,
)
from models.service_desk import Ticket, TicketKind, TicketState
from models.watching import AccessNotice
from rules.due_ledger import DueState
from rules.expiry import NoticeState

LATE = dt.timedelta(minutes=15)
"""A mail or event that waits longer than this, with services running, is late."""
UNFINISHED = (MailState.QUEUED, MailState.IN_FLIGHT, MailState.UNCLEAR, MailState.BOUNCED)
"""States of a mail in which somebody or something still has to act."""
FAILURES_WITHIN = dt.timedelta(minutes=15)
LATE_VISIT = dt.timedelta(hours=25)
"""What a visit of the month hands over is late once the next morning's visit has passed without it."""
ISSUED = (InvoiceState.ISSUED, InvoiceState.SENT, InvoiceState.CANCELLED)
LATE_PEOPLE = dt.timedelta(days=3)
"""What people have to do is late after so many days."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One queue at this moment.

    Args:
        name: English, as the metrics call it.
        waiting: rows whose turn it is.
        late: of these, how many wait too long.
        oldest: seconds that the oldest of them waits; 0 when none does.
        person: rows beside or among them that go on only when somebody acts.
    """

    name: str
    waiting: int
    late: int
    oldest: float
    person: int
    person_oldest: float = 0.0
    """Seconds that the oldest of those waits for somebody; 0 when none does."""


def measure(session: Session) -> dict[str, Standing]:
    """All queues by name, each with one statement."""
    return {name: look(session) for name, look in QUEUES.items()}


def _standing(
    session: Session,
    name: str,
    entity: Any,
    since: Any,
    *,
    waiting: sa.ColumnElement[bool],
    person: sa.ColumnElement[bool] | None = None,
    late: dt.timedelta = LATE,
    joined: Any = None,
) -> Standing:
    now = clock.now()
    for_person = sa.false() if person is None else person
    # every condition also narrows the rows that are read: old ones are many, waiting ones few
    wanted = waiting if person is None else sa.or_(waiting, person)
    statement = sa.select(
        sa.func.count().filter(waiting),
        sa.func.count().filter(waiting, since < now - late),
        sa.func.min(since).filter(waiting),
        sa.func.count().filter(for_person),
        sa.func.min(since).filter(for_person),
    ).select_from(entity if joined is None else joined)
    count, too_long, first, people, asked = session.execute(statement.where(wanted)).one()
    return Standing(name, count, too_long, _age(now, first), people, _age(now, asked))


def _age(now: dt.datetime, since: dt.datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _mail(session: Session) -> Standing:
    return _standing(
        session,
        "mail",
        OutboxMail,
        OutboxMail.created_at,
        waiting=OutboxMail.state.in_((MailState.QUEUED, MailState.IN_FLIGHT)),
        person=OutboxMail.state.in_((MailState.UNCLEAR, MailState.BOUNCED)),
    )


def _events(session: Session) -> Standing:
    waits = OutboxEvent.dispatched_at.is_(None)
    return _standing(
        session,
        "events",
        OutboxEvent,
        OutboxEvent.created_at,
        waiting=waits,
        person=sa.and_(waits, OutboxEvent.error.is_not(None)),
    )


def _inbox(session: Session) -> Standing:
    return _standing(
        session,
        "inbox",
        InboxItem,
        InboxItem.received_at,
        waiting=InboxItem.state == InboxState.WAITING,
        person=InboxItem.state == InboxState.PARKED,
    )


def _due_dates(session: Session) -> Standing:
    """Maintenance dates that should have become tickets."""
    return _by_day(session, "due_dates", DueDate.due_on, DueDate.state == DueState.PLANNED)


def _expiry(session: Session) -> Standing:
    """Ends of warranties, licences, mandates … to be told."""
    return _by_day(session, "expiry", ExpiryNotice.notice_on, ExpiryNotice.state == NoticeState.PLANNED)


def _by_day(session: Session, name: str, day: Any, planned: sa.ColumnElement[bool]) -> Standing:
    """Rows with a day: what works on them comes by daily, so yesterday's are late."""
    today = clock.today()
    statement = sa.select(sa.func.count(), sa.func.count().filter(day < today), sa.func.min(day)).where(planned, day <= today)
    count, late, first = session.execute(statement).one()
    return Standing(name, count, late, float((today - first).days * 86_400) if first else 0.0, 0)


def _billing(session: Session) -> Standing:
    """Parts of released months that something blocks; all of them wait for people."""
    blocked = sa.and_(
        BillingRun.state.not_in((RunState.OPEN, RunState.DONE)),
        BillingItem.state != ItemState.WITHDRAWN,
        sa.func.jsonb_array_length(BillingItem.blocked) > 0,
    )
    return _standing(
        session,
        "billing_blocked",
        BillingItem,
        BillingRun.released_at,
        waiting=blocked,
        person=blocked,
        late=LATE_PEOPLE,
        joined=sa.join(BillingItem, BillingRun, BillingRun.id == BillingItem.run_id),
    )


def _sap(session: Session) -> Standing:
    """Invoices that SAP does not have yet; what SAP refused for good waits for people."""
    return _standing(
        session,
        "sap",
        SapDocument,
        SapDocument.created_at,
        waiting=SapDocument.state != HandOverState.POSTED,
        person=SapDocument.state == HandOverState.FAILED,
        late=LATE_VISIT,
    )


def _datev(session: Session) -> Standing:
    """Issued invoices that stand in no file for DATEV yet."""
    left = sa.and_(Invoice.state.in_(ISSUED), Invoice.datev_file_id.is_(None))
    return _standing(session, "datev", Invoice, Invoice.issued_at, waiting=left, late=LATE_VISIT)


def _letters(session: Session) -> Standing:
    """Printed faces that lie in no batch for the post yet."""
    left = sa.and_(Invoice.state.in_(ISSUED), Invoice.paper_archive_key.is_not(None), Invoice.postal_batch_id.is_(None))
    return _standing(session, "letters", Invoice, Invoice.issued_at, waiting=left, late=LATE_VISIT)


def _print(session: Session) -> Standing:
    """Batches for the post that nobody has printed; all of them wait for people."""
    left = PostalBatch.printed_at.is_(None)
    return _standing(session, "print", PostalBatch, PostalBatch.created_at, waiting=left, person=left, late=LATE_PEOPLE)


def _goods(session: Session) -> Standing:
    return _standing(
        session,
        "goods",
        Delivery,
        Delivery.created_at,
        waiting=Delivery.state.not_in((DeliveryState.SHIPPED, DeliveryState.VOID)),
        late=LATE_PEOPLE,
    )


def _tasks(session: Session) -> Standing:
    open_task = sa.and_(Ticket.kind == TicketKind.TASK, Ticket.state.not_in((TicketState.RESOLVED, TicketState.CLOSED)))
    return _standing(session, "tasks", Ticket, Ticket.received_at, waiting=open_task, person=open_task, late=LATE_PEOPLE)


def _unarchived(session: Session) -> Standing:
    """Mails that were accepted and do not lie in the archive yet."""
    return _standing(
        session,
        "unarchived",
        OutboxMail,
        OutboxMail.accepted_at,
        waiting=sa.and_(OutboxMail.state == MailState.ACCEPTED, OutboxMail.raw.is_not(None)),
    )


def _run_notices(session: Session) -> Standing:
    """Runs that were told of and not settled: late and crashed ones go on by themselves, failed ones wait for people."""
    told = RunNotice.settled_at.is_(None)
    return _standing(
        session,
        "run_notices",
        RunNotice,
        RunNotice.told_at,
        waiting=told,
        person=sa.and_(told, RunNotice.trouble == RunTrouble.FAILED),
    )


def _access_notices(session: Session) -> Standing:
    """What was unusual about somebody's access and nobody has looked at yet; all of them wait for people."""
    told = AccessNotice.settled_at.is_(None)
    return _standing(
        session, "access_notices", AccessNotice, AccessNotice.told_at, waiting=told, person=told, late=dt.timedelta(days=1)
    )


QUEUES: dict[str, Callable[[Session], Standing]] = {
    "mail": _mail,
    "events": _events,
    "inbox": _inbox,
    "due_dates": _due_dates,
    "expiry": _expiry,
    "billing_blocked": _billing,
    "sap": _sap,
    "datev": _datev,
    "letters": _letters,
    "print": _print,
    "goods": _goods,
    "tasks": _tasks,
    "unarchived": _unarchived,
    "run_notices": _run_notices,
    "access_notices": _access_notices,
}


def mails_by_state(session: Session) -> dict[MailState, int]:
    """How many mails are in each state."""
    statement = sa.select(OutboxMail.state, sa.func.count()).group_by(OutboxMail.state)
    return dict(session.execute(statement).tuples().all())


def oldest_mails(session: Session) -> dict[MailState, float]:
    """Seconds that the oldest mail of each unfinished state is old; an unclear one since it was on its way."""
    since = sa.func.min(sa.func.coalesce(OutboxMail.in_flight_at, OutboxMail.created_at))
    statement = sa.select(OutboxMail.state, since).where(OutboxMail.state.in_(UNFINISHED)).group_by(OutboxMail.state)
    now, found = clock.now(), session.execute(statement).tuples().all()
    return dict.fromkeys(UNFINISHED, 0.0) | {state: _age(now, at) for state, at in found}


def sign_in_failures(session: Session) -> int:
    """Sign-ins that failed in the last quarter of an hour and were not made good since, of all accounts together."""
    now = clock.now()
    recent = LoginAttempt.at.between(now - FAILURES_WITHIN, now)
    return session.scalar(sa.select(sa.func.count()).select_from(LoginAttempt).where(recent)) or 0


def archive_faults(session: Session) -> tuple[int, int]:
    """Objects in the archive, and how many of them were found damaged or missing."""
    total, faulty = session.execute(sa.select(sa.func.count(), sa.func.count().filter(ArchivedObject.fault.is_not(None)))).one()
    return total, faulty


def issued_in_the_future(session: Session) -> list[str]:
    """Numbers of reports and invoices that say they were issued later than now: a clock was ahead when they were made."""
    ahead = clock.now() + dt.timedelta(hours=1)
    asked = [sa.select(kind.number).where(kind.issued_at > ahead) for kind in (ServiceReport, Invoice)]
    return sorted(str(number) for number in session.scalars(sa.union_all(*asked)))
