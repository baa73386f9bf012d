"""Checks that do not happen become an alarm to the dispatcher, once (S110): overdue ones and those never done."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.planbook import Plan, company_calendar, load_plans
from actions.people import Question, ask
from kit import clock
from kit.database import lock
from models.maintenance import AgreedCheck
from models.parties import StaffRole
from models.service_desk import Ticket, TicketKind, TicketState
from rules.catch_up import BACKFILL_DAYS

GRACE_WORKDAYS = 2
"""Working days after the day of a date until its missing result is an alarm."""
SKIPPED_IN_A_ROW = 3
"""So many dates left out one after the other are an alarm, even if each had its reason."""

# a date that was caught up has its time from the day on which its ticket was made
_LATE = """
late AS (
    SELECT d.id, d.agreed_check_id, d.due_on FROM due_date d JOIN ticket t ON t.id = d.ticket_id
    WHERE d.state = 'created' AND d.outcome IS NULL AND d.due_on < :limit
      AND (t.received_at AT TIME ZONE 'Europe/Berlin')::date < :limit
)
"""
# the dates of each plan since it was last really looked at (done or failed), pauses and moves left out
_STREAKS = f"""
WITH {_LATE}, suspects AS (
    SELECT agreed_check_id AS id FROM late
    UNION
    SELECT agreed_check_id FROM due_date
    WHERE due_on >= :recent AND due_on < :limit AND (state = 'skipped' AND cause IN ('missed', 'superseded', 'person')
                                                     OR outcome = 'skipped')
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


def neglected(session: Session, today: dt.date) -> list[Streak]:
    """Plans that need the dispatcher: a date is overdue, or so many in a row were left out, or it was never done at all."""
    limit = company_calendar(session).previous_workday(today)
    for _ in range(GRACE_WORKDAYS):
        limit = company_calendar(session).previous_workday(limit - dt.timedelta(days=1))
    rows = session.execute(sa.text(_STREAKS), {"limit": limit, "recent": today - dt.timedelta(days=2 * BACKFILL_DAYS)})
    streaks = [Streak(*row) for row in rows]
    quiet = [streak.plan_id for streak in streaks if not streak.overdue]
    waiting = set(session.scalars(sa.text(_STILL_TIME), {"limit": limit, "ids": quiet})) if quiet else set()
    return [streak for streak in streaks if streak.overdue or (streak.plan_id not in waiting and _too_long(streak))]


def _too_long(streak: Streak) -> bool:
    return streak.last_proof is None or streak.dates >= SKIPPED_IN_A_ROW


def raise_alarms(session: Session, today: dt.date) -> list[str]:
    """One task per neglected plan for the dispatcher; returns the numbers of the tickets opened now.

    As long as the alarm of a plan is open there is no second one; after it was closed a later date has to pass for that.
    """
    lock(session, "maintenance-alarms")
    streaks = {streak.plan_id: streak for streak in neglected(session, today)}
    if not streaks:
        return []
    keys = {plan_id: f"check-alarm:{plan_id}:{streak.latest.isoformat()}" for plan_id, streak in streaks.items()}
    silent = _alarmed(session, streaks.values())
    opened = []
    for plan in load_plans(session, [plan_id for plan_id in streaks if plan_id not in silent], load_catalogue(session)):
        if not plan.customer_active:
            continue
        subject, text = _words(plan, streaks[plan.id])
        number = ask(session, Question(keys[plan.id], plan.row.customer_id, StaffRole.DISPATCHER.value, subject, text))
        opened.append(number or "")
    return opened


def _alarmed(session: Session, streaks: Iterable[Streak]) -> set[int]:
    """Plans whose alarm is open, or was closed after the last date that it is about."""
    by_plan = {streak.plan_id: streak for streak in streaks}
    ended = sa.func.coalesce(Ticket.closed_at, Ticket.resolved_at, Ticket.received_at)
    rows = session.execute(
        sa.select(Ticket.dedup_key, Ticket.state, ended).where(
            Ticket.kind == TicketKind.TASK, Ticket.dedup_key.like("check-alarm:%")
        )
    )
    silent = set()
    for key, state, at in rows:
        plan_id = int(str(key).split(":")[1])
        still_open = state not in (TicketState.RESOLVED, TicketState.CLOSED)
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


def ask_about_backlog(session: Session, held: Iterable[tuple[int, dt.date]], today: dt.date) -> list[str]:
    """Tell the dispatcher, once per customer and month, of missed dates that wait for a person (`Fate.HELD`).

    Returns the numbers of the tickets opened now.
    """
    by_plan: dict[int, list[dt.date]] = defaultdict(list)
    for plan_id, on in held:
        by_plan[plan_id].append(on)
    if not by_plan:
        return []
    lock(session, "maintenance-alarms")
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
