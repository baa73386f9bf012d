"""Promise coverage: what was agreed and does not happen, and what happens without having been agreed (S105, S110)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.alarms import neglected
from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.planbook import Plan, load_plans
from models.maintenance import AgreedCheck, DueDate, NeedsAnalysis, NeedsAnalysisLine
from models.parties import Customer, Employee, Lifecycle, StaffRole
from models.service_desk import Ticket, TicketState
from rules.cadence import parse
from rules.cadence_german import hints
from rules.due_ledger import DueState

KINDS = {
    "no_schedule": "Vereinbart, aber ohne Termine",
    "no_result": "Ohne Ergebnis",
    "no_technician": "Ohne Techniker",
    "no_agreement": "Termine ohne Vereinbarung",
    "contract_ended": "Abdeckender Vertrag beendet",
    "rule_hint": "Regel lässt Termine aus",
}
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap between what was agreed and what happens. `kind` is a key of `KINDS`, `role` who can close it."""

    kind: str
    customer: str
    check: str
    why: str
    role: str
    plan_id: int | None = None


def coverage(session: Session, today: dt.date) -> list[Gap]:
    """Every gap, by kind and customer."""
    gaps = [
        *_agreed_without_plan(session, today), *_plans(session, today), *_without_result(session, today), *_orphaned(session),
    ]  # fmt: skip
    order = list(KINDS)
    return sorted(gaps, key=lambda gap: (order.index(gap.kind), gap.customer, gap.check))


def _agreed_without_plan(session: Session, today: dt.date) -> Iterator[Gap]:
    """Lines of versions in force that no running plan follows: none was ever made, or the series was ended meanwhile."""
    latest = (
        sa.select(NeedsAnalysis.customer_id, sa.func.max(NeedsAnalysis.version).label("version"))
        .where(NeedsAnalysis.agreed_on.is_not(None))
        .group_by(NeedsAnalysis.customer_id)
        .subquery()
    )
    ends = sa.select(sa.func.max(sa.func.coalesce(AgreedCheck.ends_on, dt.date.max))).where(
        AgreedCheck.line_id == NeedsAnalysisLine.id
    )
    ended = ends.scalar_subquery()
    rows = session.execute(
        sa.select(Customer.number, NeedsAnalysisLine.check, NeedsAnalysisLine.cadence, ended)
        .join(NeedsAnalysis, NeedsAnalysis.id == NeedsAnalysisLine.needs_analysis_id)
        .join(latest, sa.and_(latest.c.customer_id == NeedsAnalysis.customer_id, latest.c.version == NeedsAnalysis.version))
        .join(Customer, Customer.id == NeedsAnalysis.customer_id)
        .where(Customer.lifecycle != Lifecycle.CLOSED, sa.or_(ended.is_(None), ended < today))
    )
    for number, check, cadence, ended_on in rows:
        if ended_on is not None:
            why = f"Die Serie endete am {ended_on:%d.%m.%Y}, vereinbart ist die Prüfung weiterhin."
        else:
            why = "Es gibt keinen Plan dazu." if cadence else "Das Intervall ist noch offen."
        yield Gap("no_schedule", number, check, why, StaffRole.ACCOUNT_MANAGER.value)


def _plans(session: Session, today: dt.date) -> Iterator[Gap]:
    running = sa.select(AgreedCheck.id).where(sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= today))
    catalogue = load_catalogue(session)
    people = set(
        session.scalars(sa.select(Employee.id).where(Employee.active, Employee.roles.contains([StaffRole.TECHNICIAN.value])))
    )
    after = 0
    while ids := list(session.scalars(running.where(AgreedCheck.id > after).order_by(AgreedCheck.id).limit(_BATCH))):
        dated = _dated(session, ids, today)
        for plan in load_plans(session, ids, catalogue):
            if plan.customer_active and (plan.id in dated or not _over(plan, today)):
                yield from _of_plan(plan, today, people, has_dates=plan.id in dated)
            session.expunge(plan.row)  # many plans, little memory
        after = ids[-1]


def _dated(session: Session, ids: list[int], today: dt.date) -> set[int]:
    """Plans with a date to come, or one that waits."""
    return set(
        session.scalars(
            sa.select(DueDate.agreed_check_id)
            .where(
                DueDate.agreed_check_id.in_(ids),
                sa.or_(DueDate.state == DueState.PLANNED, sa.and_(DueDate.due_on >= today, DueDate.state == DueState.SKIPPED)),
            )
            .distinct()
        )
    )


def _over(plan: Plan, today: dt.date) -> bool:
    """Whether COUNT or UNTIL have run out: a series that was agreed to end is no gap."""
    if plan.row.fault:
        return False
    return plan.row.written_until is not None and plan.row.written_until >= today and plan.row.starts_on < today


def _of_plan(plan: Plan, today: dt.date, people: set[int], *, has_dates: bool) -> Iterator[Gap]:
    def gap(kind: str, why: str, role: StaffRole) -> Gap:
        return Gap(kind, plan.customer_number, plan.title, why, role.value, plan.id)

    if plan.row.fault:
        yield gap("no_schedule", plan.row.fault, StaffRole.ACCOUNT_MANAGER)
        return
    if not has_dates:
        why = (
            "Die Termine sind noch nicht geschrieben." if plan.row.written_until is None else "Die Regel ergibt keinen Termin."
        )
        yield gap("no_schedule", why, StaffRole.OPERATOR)
    if plan.row.technician_id is None:
        yield gap("no_technician", "Niemand ist eingeteilt.", StaffRole.DISPATCHER)
    elif plan.row.technician_id not in people:
        yield gap("no_technician", "Der eingeteilte Techniker ist nicht mehr tätig.", StaffRole.DISPATCHER)
    if not plan.agreed and plan.cover is None:
        why = "Weder Bedarfsanalyse noch Vertrag nennen diese Prüfung."
        yield gap("no_agreement", why, StaffRole.ACCOUNT_MANAGER)
    if plan.cover is not None and plan.cover.ends_on is not None and plan.cover.ends_on < today:
        why = f"{plan.cover.german} endete am {plan.cover.ends_on:%d.%m.%Y}; seitdem wird nach Aufwand berechnet."
        yield gap("contract_ended", why, StaffRole.ACCOUNT_MANAGER)
    lost = [hint for hint in hints(parse(plan.row.cadence), plan.row.starts_on) if not hint.startswith("Der erste Termin")]
    for hint in lost:
        yield gap("rule_hint", hint, StaffRole.ACCOUNT_MANAGER)


def _without_result(session: Session, today: dt.date) -> Iterator[Gap]:
    streaks = {streak.plan_id: streak for streak in neglected(session, today)}
    for plan in load_plans(session, list(streaks), load_catalogue(session)):
        streak = streaks[plan.id]
        since = f"zuletzt am {streak.last_proof:%d.%m.%Y}" if streak.last_proof else "noch nie ausgeführt"
        dates = "ein Termin" if streak.dates == 1 else f"{streak.dates} Termine"
        why = f"{since}; {dates} seit {streak.first:%d.%m.%Y} ohne Nachweis"
        if plan.customer_active:
            yield Gap("no_result", plan.customer_number, plan.title, why, StaffRole.DISPATCHER.value, plan.id)


def _orphaned(session: Session) -> Iterator[Gap]:
    """Open maintenance tickets of people who have left the house: nobody works on them until somebody takes them over."""
    rows = session.execute(
        sa.select(Ticket.number, Customer.number, Employee, sa.func.min(AgreedCheck.check), sa.func.min(AgreedCheck.id))
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Employee, Employee.id == Ticket.assignee_id)
        .join(DueDate, DueDate.ticket_id == Ticket.id)
        .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
        .where(
            DueDate.state == DueState.CREATED, DueDate.outcome.is_(None), Employee.active.is_(False),
            Ticket.state.not_in([TicketState.RESOLVED, TicketState.CLOSED]),
        )
        .group_by(Ticket.number, Customer.number, Employee.id)
        .order_by(Ticket.number)
    )  # fmt: skip
    for ticket, customer, person, check, plan_id in rows:
        why = f"Ticket {ticket} liegt bei {person.name}, nicht mehr tätig; bitte jemand anderem geben."
        yield Gap("no_technician", customer, check, why, StaffRole.DISPATCHER.value, plan_id)
