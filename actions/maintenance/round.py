"""The round: open due dates become tickets, each exactly once, whoever runs it and how often (S18, U25).

A plan is the unit of work: it is locked, all its open dates are decided together (`rules.catch_up`), its tickets are
written. Another worker passes over locked plans. Should two ever meet, three constraints decide: the ticket's key, one
row per plan and day, and one living row per day of the rule.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import Catalogue, load_catalogue
from actions.maintenance.ledger import horizon
from actions.maintenance.load import familiar_with, load_board
from actions.maintenance.planbook import Plan, load_plans
from actions.maintenance.texts import Worksheet, skip_reason, subject, worksheet
from actions.numbers import next_numbers
from kit import clock
from kit import log as logs
from kit.errors import UsageError
from models.maintenance import AgreedCheck, DueDate
from models.service_desk import Message, MessageDirection, Priority, Ticket, TicketEvent, TicketKind, TicketState
from rules.catch_up import CatchUp, Fate, decide
from rules.due_ledger import Cause, DueState
from rules.load import Job, Suggestion, Technician, book, suggest
from rules.windows import window_on

BATCH = 250
"""Plans per transaction: a crash repeats at most so many, and a second worker never waits long."""
ACTOR = "Wartungsrunde"
_OPEN = "state = 'planned' AND due_on <= :last"


@dataclass(frozen=True, slots=True)
class Range:
    """What a run is about. `first` None = the scheduled run: everything open up to `last`."""

    today: dt.date
    last: dt.date
    first: dt.date | None = None


def checked_range(today: dt.date, first: dt.date | None, last: dt.date | None) -> Range:
    """A range as a person gave it; without an end it ends today.

    Raises:
        UsageError: it ends before it begins, or beyond what the ledger is written ahead: dates so far off are no work yet.
    """
    chosen, limit = last or today, horizon(today)
    if first is not None and first > chosen:
        raise UsageError(f"Wartungsrunde: Der Zeitraum {first:%d.%m.%Y} bis {chosen:%d.%m.%Y} endet vor seinem Beginn.")
    if chosen > limit:
        raise UsageError(
            f"Wartungsrunde: Termine stehen bis zum {limit:%d.%m.%Y} fest, der Zeitraum reicht bis {chosen:%d.%m.%Y}. "
            "Wählen Sie ein früheres Ende."
        )
    return Range(today, chosen, first)


@dataclass(slots=True)
class _Open:
    """An open row of the ledger."""

    id: int
    on: dt.date
    owed: dt.date
    technician_id: int | None
    slot_at: dt.datetime | None


@dataclass(slots=True)
class NewTicket:
    """A ticket to create, with the rows that it covers."""

    plan: Plan
    rows: list[_Open]
    today: dt.date
    suggestion: Suggestion | None = None
    number: str = ""

    @property
    def key(self) -> str:
        """The business key: plan and latest date. The same for whoever creates it."""
        return f"maintenance:{self.plan.id}:{self.rows[-1].on.isoformat()}"

    @property
    def dates(self) -> list[dt.date]:
        return [row.on for row in self.rows]

    @property
    def work_day(self) -> dt.date:
        """When it is done: on its day, or today when that day has passed."""
        return max(self.rows[-1].on, self.today)


@dataclass(slots=True)
class Skip:
    """An open row that gets no ticket."""

    plan: Plan
    row: _Open
    cause: Cause
    reason: str


@dataclass(slots=True)
class Decisions:
    """What a batch of plans comes to; nothing is written yet."""

    tickets: list[NewTicket] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    held: list[tuple[Plan, dt.date]] = field(default_factory=list)
    last_id: int = 0
    plans: int = 0

    @property
    def dates(self) -> int:
        """Due dates that get a ticket."""
        return sum(len(ticket.rows) for ticket in self.tickets)


def due_plans(session: Session, span: Range, *, after: int = 0, limit: int = BATCH) -> list[int]:
    """The next plans with open dates in the range, locked; those that another worker holds are left to it."""
    since = " AND due_on >= :first" if span.first else ""
    open_ids = sa.text(f"SELECT agreed_check_id FROM due_date WHERE {_OPEN}{since}").columns(  # noqa: S608 - own constants
        agreed_check_id=sa.BigInteger
    )
    statement = (
        sa.select(AgreedCheck.id)
        .where(AgreedCheck.id > after, AgreedCheck.id.in_(open_ids))
        .order_by(AgreedCheck.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return list(session.scalars(statement, {"last": span.last, "first": span.first}))


def decide_batch(session: Session, span: Range, catalogue: Catalogue, plan_ids: Sequence[int], *, after: int = 0) -> Decisions:
    """What becomes of the open dates of these plans now. Reads only: the preview shows exactly this."""
    result = Decisions(last_id=max(plan_ids, default=after), plans=len(plan_ids))
    if not plan_ids:
        return result
    open_rows = _open_rows(session, plan_ids, max(span.last, span.today))
    for plan in load_plans(session, plan_ids, catalogue):
        rows = open_rows.get(plan.id, {})
        if plan.customer_active:
            _decide_plan(plan, rows, span, result)
        else:
            reason = "Der Kunde wird nicht mehr betreut"
            result.skips += [Skip(plan, row, Cause.CLOSED, reason) for row in rows.values()]
    return result


def _open_rows(session: Session, plan_ids: Sequence[int], last: dt.date) -> dict[int, dict[dt.date, _Open]]:
    found: dict[int, dict[dt.date, _Open]] = defaultdict(dict)
    rows = session.execute(
        sa.select(
            DueDate.agreed_check_id, DueDate.id, DueDate.due_on, DueDate.nominal_on, DueDate.technician_id, DueDate.slot_at
        )
        .where(DueDate.agreed_check_id.in_(plan_ids), DueDate.due_on <= last, sa.text("state = 'planned'"))
        .order_by(DueDate.due_on)
    )
    for plan_id, id_, on, owed, technician_id, slot_at in rows:
        found[plan_id][on] = _Open(id_, on, owed, technician_id, slot_at)
    return found


def _decide_plan(plan: Plan, rows: dict[dt.date, _Open], span: Range, result: Decisions) -> None:
    policy = plan.row.catch_up
    listed: list[_Open] = []
    for decision in decide(list(rows), policy, span.today, first=span.first, last=span.last):
        row = rows[decision.on]
        if decision.fate is Fate.OWN_TICKET:
            result.tickets.append(NewTicket(plan, [row], span.today))
        elif decision.fate is Fate.LISTED:
            listed.append(row)
        elif decision.fate is Fate.HELD:
            result.held.append((plan, decision.on))
        else:
            cause = Cause.SUPERSEDED if policy is CatchUp.LATEST else Cause.MISSED
            result.skips.append(Skip(plan, row, cause, skip_reason(policy, decision.with_date)))
    if listed:
        result.tickets.append(NewTicket(plan, listed, span.today))


def create_due(session: Session, span: Range, *, after: int = 0, limit: int = BATCH) -> Decisions:
    """Create the tickets of the next plans with open dates; says what it did. `plans` 0 = the round is through.

    A second call, a second worker, or a new start after a crash meets only what is still open.
    """
    plan_ids = due_plans(session, span, after=after, limit=limit)
    if not plan_ids:
        return Decisions(last_id=after)
    decisions = decide_batch(session, span, load_catalogue(session), plan_ids, after=after)
    people = _suggest(session, decisions.tickets)
    _write_tickets(session, decisions.tickets, people)
    _write_skips(session, decisions.skips)
    return decisions


def _suggest(session: Session, tickets: Sequence[NewTicket]) -> dict[int, Technician]:
    """Technician and slot for each ticket, counting what the week holds already."""
    days = [ticket.work_day for ticket in tickets]
    if not days:
        return {}
    monday = min(days) - dt.timedelta(days=min(days).weekday())
    board = load_board(session, monday, max(days) + dt.timedelta(days=6 - max(days).weekday()))
    open_to_all = [t for t in tickets if t.plan.row.technician_id not in board and t.rows[-1].technician_id not in board]
    familiar = familiar_with(session, {t.plan.row.customer_id for t in open_to_all}) if open_to_all else {}
    for ticket in tickets:
        plan, row = ticket.plan, ticket.rows[-1]
        agreed = row.technician_id if row.technician_id in board else plan.row.technician_id
        day = ticket.work_day
        job = Job(
            day=day,
            minutes=plan.minutes,
            window=window_on(day, plan.row.window_opens, plan.row.window_closes),
            skill=plan.entry.skill if plan.entry else None,
            agreed=agreed,
            familiar=familiar.get(plan.row.customer_id, frozenset()),
        )
        ticket.suggestion = chosen = suggest(job, board.values())
        if chosen is not None:
            book(board[chosen.technician_id], job, chosen.slot, counted=chosen.technician_id == agreed and row.on == day)
    return board


def _write_tickets(session: Session, tickets: Sequence[NewTicket], people: dict[int, Technician]) -> None:
    if not tickets:
        return
    now = clock.now()
    numbers = next_numbers(session, "T", clock.local(now).year, len(tickets))
    for ticket, number in zip(tickets, numbers, strict=True):
        ticket.number = number
        logs.item("Wartungsticket angelegt", ticket=number, customer=ticket.plan.customer_number)
    created = session.execute(
        insert(Ticket).returning(Ticket.dedup_key, Ticket.id), [_ticket_row(ticket, now) for ticket in tickets]
    )
    ids = {key: id_ for key, id_ in created.tuples() if key is not None}
    session.execute(insert(Message), [_message_row(ticket, ids[ticket.key], people, now) for ticket in tickets])
    session.execute(insert(TicketEvent), [_event_row(ticket, ids[ticket.key], now) for ticket in tickets])
    _link(session, tickets, ids)


def _ticket_row(ticket: NewTicket, now: dt.datetime) -> dict[str, object]:
    plan = ticket.plan
    window = window_on(ticket.work_day, plan.row.window_opens, plan.row.window_closes)
    agreed = ticket.suggestion is not None and ticket.suggestion.why == "vereinbart"
    return {
        "customer_id": plan.row.customer_id,
        "number": ticket.number,
        "kind": TicketKind.MAINTENANCE,
        "state": TicketState.NEW,
        "priority": Priority.NORMAL,
        "subject": subject(plan, ticket.dates, ticket.today),
        "received_at": now,
        "site_id": plan.row.site_id,
        "asset_id": plan.row.asset_id,
        "assignee_id": ticket.suggestion.technician_id if ticket.suggestion and agreed else None,
        "topic": plan.entry.topic if plan.entry else "Wartung",
        "dedup_key": ticket.key,
        "due_at": window.closes,
        "created_at": now,
    }


def _message_row(ticket: NewTicket, ticket_id: int, people: dict[int, Technician], now: dt.datetime) -> dict[str, object]:
    chosen = ticket.suggestion
    sheet = Worksheet(
        plan=ticket.plan,
        dates=ticket.dates,
        owed=[row.owed for row in ticket.rows],
        today=ticket.today,
        technician=people[chosen.technician_id].name if chosen else "",
        agreed_technician=chosen is not None and chosen.why == "vereinbart",
        slot=chosen.slot if chosen else None,
        why=chosen.why if chosen else "",
    )
    return {
        "customer_id": ticket.plan.row.customer_id,
        "ticket_id": ticket_id,
        "direction": MessageDirection.INTERNAL,
        "author": ACTOR,
        "at": now,
        "text": worksheet(sheet),
        "created_at": now,
    }


def _event_row(ticket: NewTicket, ticket_id: int, now: dt.datetime) -> dict[str, object]:
    detail: dict[str, object] = {"plan": ticket.plan.id, "due": [on.isoformat() for on in ticket.dates]}
    if ticket.plan.row.window_opens is not None:
        detail["call_before_work"] = "replaced_by_window"  # U23
    return {
        "customer_id": ticket.plan.row.customer_id,
        "ticket_id": ticket_id,
        "at": now,
        "actor": ACTOR,
        "what": "created",
        "detail": detail,
        "created_at": now,
    }


def _link(session: Session, tickets: Sequence[NewTicket], ids: dict[str, int]) -> None:
    """Give every covered row its ticket, technician and slot in one statement."""
    rows = [
        (row.id, ids[ticket.key], ticket.suggestion.technician_id if ticket.suggestion else None,
         ticket.suggestion.slot if ticket.suggestion else None)
        for ticket in tickets
        for row in ticket.rows
    ]  # fmt: skip
    due_ids, ticket_ids, people, slots = (list(column) for column in zip(*rows, strict=True))
    session.execute(
        sa.text("""
            UPDATE due_date d
            SET state = 'created', ticket_id = n.ticket_id, technician_id = n.technician_id, slot_at = n.slot_at
            FROM unnest(CAST(:due_ids AS bigint[]), CAST(:ticket_ids AS bigint[]), CAST(:people AS bigint[]),
                        CAST(:slots AS timestamptz[])) AS n (id, ticket_id, technician_id, slot_at)
            WHERE d.id = n.id AND d.state = 'planned'
        """),
        {"due_ids": due_ids, "ticket_ids": ticket_ids, "people": people, "slots": slots},
    )


def _write_skips(session: Session, skips: Iterable[Skip]) -> None:
    by_text: dict[tuple[Cause, str], list[int]] = defaultdict(list)
    for skip in skips:
        by_text[skip.cause, skip.reason].append(skip.row.id)
    for (cause, reason), ids in by_text.items():
        session.execute(
            sa.update(DueDate)
            .where(DueDate.id.in_(ids), DueDate.state == DueState.PLANNED)
            .values(state=DueState.SKIPPED, cause=cause, reason=reason)
            .execution_options(synchronize_session=False)
        )


def preview_round(session: Session, span: Range, *, limit: int = BATCH) -> Iterable[Decisions]:
    """What the round would do, batch by batch, without doing or locking anything."""
    catalogue = load_catalogue(session)
    after = 0
    while True:
        since = " AND due_on >= :first" if span.first else ""
        plan_ids = list(
            session.scalars(
                sa.text(
                    f"SELECT DISTINCT agreed_check_id FROM due_date WHERE {_OPEN}{since} AND agreed_check_id > :after "  # noqa: S608 - own constants
                    "ORDER BY agreed_check_id LIMIT :limit"
                ),
                {"last": span.last, "first": span.first, "after": after, "limit": limit},
            )
        )
        if not plan_ids:
            return
        yield decide_batch(session, span, catalogue, plan_ids)
        after = plan_ids[-1]
