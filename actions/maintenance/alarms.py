"""Checks that do not happen become an alarm to the dispatcher, once (S110): overdue ones and those never done.

The alarm ends with its cause: with the result that was missing, or with the round that finds nothing neglected any more.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.planbook import Plan, company_calendar, load_plans
from actions.people import Question, answered, ask
from kit import clock
from kit.database import lock
from models.maintenance import AgreedCheck, DueDate
from models.parties import Customer, Lifecycle, StaffRole
from models.service_desk import Ticket, TicketKind, TicketState
from rules.catch_up import BACKFILL_DAYS
from rules.due_ledger import DueState

GRACE_WORKDAYS = 2
"""Working days after the day of a date until its missing result is an alarm."""
SKIPPED_IN_A_ROW = 3
"""So many dates left out one after the other are an alarm, even if each had its reason."""
ALARM_KEY = "check-alarm:{}:{}"
"""Plan and latest date of its streak."""
_ENDED = (TicketState.RESOLVED, TicketState.CLOSED)

# a date that was caught up has its time from the day on which its ticket was made
_LATE = """
late AS (
    SELECT d.id, d.agreed_check_id, d.due_on FROM due_date d JOIN ticket t ON t.id = d.ticket_id
    WHERE d.state = 'created' AND d.outcome IS NULL AND d.due_on < :limit
      AND (CAST(:plans AS bigint[]) IS NULL OR d.agreed_check_id = ANY(:plans))
      AND (t.received_at AT TIME ZONE 'Europe/Berlin')::date < :limit
)
"""
# the dates of each plan since it was last really looked at (done or failed), pauses and moves left out
_STREAKS = f"""
WITH {_LATE}, suspects AS (
    SELECT agreed_check_id AS id FROM late
    UNION
    SELECT agreed_check_id FROM due_date
    WHERE due_on >= :recent AND due_on < :limit
      AND (CAST(:plans AS bigint[]) IS NULL OR agreed_check_id = ANY(:plans))
      AND (state = 'skipped' AND cause IN ('missed', 'superseded', 'person') OR outcome = 'skipped')
)
SELECT s.id, min(d.due_on), max(d.due_on), count(*), count(l.id), min(l.due_on), p.last_proof
FROM suspects s
LEFT JOIN LATERAL (
    SELECT max(x.due_on) AS last_proof FROM due_date x WHERE x.agreed_check_id = s.id AND x.outcome IN ('done', 'failed')
) p ON true
JOIN due_date d ON d.agreed_check_id = s.id AND d.due_on < :limit AND (p.last_proof IS NULL OR d.due_on > p.last_proof)
LEFT JOIN late l ON l.id = d.id
WHERE l.id IS NOT NULL OR d.outcome = 'skipped' OR (d.state = 'skipped' AND d.cause IN ('missed', 'superseded', 'person'))
GROUP BY s.id, p.last_proof
"""  # noqa: S608 - own constants
_STILL_TIME = f"""
WITH {_LATE}
SELECT DISTINCT agreed_check_id FROM due_date d
WHERE d.state = 'created' AND d.outcome IS NULL AND d.agreed_check_id = ANY(:ids) AND d.id NOT IN (SELECT id FROM late)
"""  # noqa: S608 - own constants


@dataclass(frozen=True, slots=True)
class Streak:
    """Dates of a plan in a row without a real look."""

    plan_id: int
    first: dt.date
    latest: dt.date
    dates: int
    overdue: int
    overdue_since: dt.date | None
    last_proof: dt.date | None


def neglected(session: Session, today: dt.date, plans: Collection[int] | None = None) -> list[Streak]:
    """Plans that need the dispatcher: a date is overdue, or so many in a row were left out, or it was never done at all.

    Args:
        session: the transaction.
        today: the day of the question.
        plans: only these; None = every plan.
    """
    limit = company_calendar(session).previous_workday(today)
    for _ in range(GRACE_WORKDAYS):
        limit = company_calendar(session).previous_workday(limit - dt.timedelta(days=1))
    chosen = None if plans is None else list(plans)
    terms = {"limit": limit, "recent": today - dt.timedelta(days=2 * BACKFILL_DAYS), "plans": chosen}
    rows = session.execute(sa.text(_STREAKS), terms)
    streaks = [Streak(*row) for row in rows]
    quiet = [streak.plan_id for streak in streaks if not streak.overdue]
    waiting = set(session.scalars(sa.text(_STILL_TIME), terms | {"ids": quiet})) if quiet else set()
    return [streak for streak in streaks if streak.overdue or (streak.plan_id not in waiting and _too_long(streak))]


def _too_long(streak: Streak) -> bool:
    return streak.last_proof is None or streak.dates >= SKIPPED_IN_A_ROW


def raise_alarms(session: Session, today: dt.date) -> list[str]:
    """One task per neglected plan for the dispatcher; returns the numbers of the tickets opened now.

    As long as the alarm of a plan is open there is no second one; after it was closed a later date has to pass for that.
    Alarms whose cause is gone are closed.
    """
    lock(session, "maintenance-alarms")
    streaks = {streak.plan_id: streak for streak in neglected(session, today)}
    running = _running(session, streaks, today)
    opened_before = _open_alarms(session, ALARM_KEY.format("%", "%"))
    _close(session, [key for key in opened_before if int(key.split(":")[1]) not in running])
    if not streaks:
        return []
    keys = {plan_id: ALARM_KEY.format(plan_id, streak.latest.isoformat()) for plan_id, streak in streaks.items()}
    silent = _alarmed(session, streaks.values())
    opened = []
    for plan in load_plans(session, [i for i in streaks if i in running and i not in silent], load_catalogue(session)):
        subject, text = _words(plan, streaks[plan.id])
        number = ask(session, Question(keys[plan.id], plan.row.customer_id, StaffRole.DISPATCHER.value, subject, text))
        opened.append(number or "")
    return opened


def settle(session: Session, plan: AgreedCheck) -> None:
    """Close the alarm of a plan that is no longer neglected; called when a result comes in."""
    keys = _open_alarms(session, ALARM_KEY.format(plan.id, "%"), Ticket.customer_id == plan.customer_id)
    if keys and not neglected(session, clock.today(), [plan.id]):
        _close(session, keys)


def _open_alarms(session: Session, pattern: str, *where: sa.ColumnElement[bool]) -> list[str]:
    statement = sa.select(Ticket.dedup_key).where(
        Ticket.kind == TicketKind.TASK, Ticket.state.not_in(_ENDED), Ticket.dedup_key.like(pattern), *where
    )
    return [str(key) for key in session.scalars(statement)]


def _close(session: Session, keys: Iterable[str]) -> None:
    for key in keys:
        answered(session, key, "Der Alarm erledigt sich: Für keinen Termin dieser Prüfung fehlt noch ein Nachweis.")


def _running(session: Session, plan_ids: Collection[int], today: dt.date) -> set[int]:
    """Of these plans those that are still agreed, of customers that are still served; the rest needs no dispatcher."""
    return set(
        session.scalars(
            sa.select(AgreedCheck.id)
            .join(Customer, Customer.id == AgreedCheck.customer_id)
            .where(
                AgreedCheck.id.in_(plan_ids),
                Customer.lifecycle != Lifecycle.CLOSED,
                sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= today, _with_open_ticket()),
            )
        )
    )


def _with_open_ticket() -> sa.ColumnElement[bool]:
    """Whether a plan that has ended still has a date without result."""
    return sa.exists().where(
        DueDate.agreed_check_id == AgreedCheck.id, DueDate.state == DueState.CREATED, DueDate.outcome.is_(None)
    )


def _alarmed(session: Session, streaks: Iterable[Streak]) -> set[int]:
    """Plans whose alarm is open, or was closed after the last date that it is about."""
    by_plan = {streak.plan_id: streak for streak in streaks}
    ended = sa.func.coalesce(Ticket.closed_at, Ticket.resolved_at, Ticket.received_at)
    rows = session.execute(
        sa.select(Ticket.dedup_key, Ticket.state, ended).where(
            Ticket.kind == TicketKind.TASK, Ticket.dedup_key.like(ALARM_KEY.format("%", "%"))
        )
    )
    silent = set()
    for key, state, at in rows:
        plan_id = int(str(key).split(":")[1])
        still_open = state not in _ENDED
        if plan_id in by_plan and (still_open or by_plan[plan_id].latest <= clock.local(at).date()):
            silent.add(plan_id)
    return silent


def _words(plan: Plan, streak: Streak) -> tuple[str, str]:
    who = f"{plan.customer_name}{f', {plan.site_name}' if plan.site_name else ''}"
    if streak.last_proof is None:
        subject = f"Nie ausgeführt: {plan.title} ({who})"
        since = "Diese vereinbarte Prüfung hat noch nie stattgefunden"
    else:
        subject = f"Überfällig: {plan.title} ({who})"
        since = f"Zuletzt ausgeführt für den Termin vom {streak.last_proof:%d.%m.%Y}"
    span = f"vom {streak.first:%d.%m.%Y}" + (f" bis {streak.latest:%d.%m.%Y}" if streak.latest != streak.first else "")
    lines = [
        f"{since}; seitdem {streak.dates} {'Termin' if streak.dates == 1 else 'Termine'} {span} ohne Nachweis.",
        f"Vereinbart: {plan.interval}. {plan.agreed or 'Ohne unterschriebene Bedarfsanalyse.'}",
    ]
    if streak.overdue_since is not None:
        lines.append(f"Offen seit {streak.overdue_since:%d.%m.%Y}: {streak.overdue} Ticket(s) ohne Ergebnis.")
    else:
        lines.append("Alle diese Termine wurden ausgelassen. Bitte klären, ob die Prüfung noch so vereinbart bleiben soll.")
    return subject[:300], "\n".join(lines)


def ask_about_backlog(
    session: Session, held: Iterable[tuple[int, dt.date]], today: dt.date, *, whole: bool = False
) -> list[str]:
    """Tell the dispatcher, once per customer and month, of missed dates that wait for a person (`Fate.HELD`).

    Args:
        session: the transaction.
        held: plan and day of every date that waits.
        today: the day of the run.
        whole: `held` is everything there is, so that a question without dates has been answered and is closed.

    Returns:
        The numbers of the tickets opened now.
    """
    by_plan: dict[int, list[dt.date]] = defaultdict(list)
    for plan_id, on in held:
        by_plan[plan_id].append(on)
    lock(session, "maintenance-alarms")
    if whole:
        _close_backlog(session, by_plan)
    if not by_plan:
        return []
    by_customer: dict[int, list[Plan]] = defaultdict(list)
    for plan in load_plans(session, list(by_plan), load_catalogue(session)):
        by_customer[plan.row.customer_id].append(plan)
    keys = {customer_id: f"check-backlog:{customer_id}:{today:%Y-%m}" for customer_id in by_customer}
    known = set(session.scalars(sa.select(Ticket.dedup_key).where(Ticket.dedup_key.in_(keys.values()))))
    opened = []
    for customer_id, plans in by_customer.items():
        if keys[customer_id] not in known:
            subject = f"Rückstand in der Wartung: {plans[0].customer_name}"[:300]
            text = _backlog(plans, by_plan)
            opened.append(
                ask(session, Question(keys[customer_id], customer_id, StaffRole.DISPATCHER.value, subject, text)) or ""
            )
    return opened


def _close_backlog(session: Session, held_plans: Collection[int]) -> None:
    waiting = session.scalars(sa.select(AgreedCheck.customer_id).where(AgreedCheck.id.in_(held_plans))).all()
    for key in _open_alarms(session, "check-backlog:%", Ticket.customer_id.not_in(waiting)):
        answered(session, key, "Erledigt: Über alle alten Termine dieses Kunden ist entschieden.")


def _backlog(plans: Iterable[Plan], by_plan: dict[int, list[dt.date]]) -> str:
    lines, all_days = [], []
    for plan in plans:
        days = sorted(by_plan[plan.id])
        all_days += days
        lines.append(f"- {plan.title}: {len(days)} Termine vom {days[0]:%d.%m.%Y} bis {days[-1]:%d.%m.%Y}")
    span = f"{min(all_days)}", f"{max(all_days)}"
    return "\n".join(
        [
            f"Diese versäumten Termine sind älter als {BACKFILL_DAYS} Tage und werden nicht von selbst nachgeholt:",
            *lines,
            f"Vorschau: drehkreuz maintenance preview --from {span[0]} --to {span[1]}",
            f"Nachholen: drehkreuz run maintenance_round --param first={span[0]} --param last={span[1]}",
            "Wurden sie im alten System erledigt: drehkreuz maintenance take-over JJJJ-MM-TT",
            "Sollen einzelne entfallen, lassen Sie sie auf der Seite des Plans mit Grund aus.",
        ]
    )


def faulty_plans(session: Session) -> list[tuple[int, str, str]]:
    """Plans whose rule nobody can read: (id, check, fault)."""
    rows = session.execute(
        sa.select(AgreedCheck.id, AgreedCheck.check, AgreedCheck.fault)
        .where(AgreedCheck.fault.is_not(None))
        .order_by(AgreedCheck.id)
    )
    return [(id_, check, fault or "") for id_, check, fault in rows]
