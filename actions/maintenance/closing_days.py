"""Days that shift whole ledgers: the house's closing days, and the day on which Drehkreuz takes plans over."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.ledger import ledger_rows, reach, replan
from actions.maintenance.planbook import company_calendar, locked_plan, pauses_of
from kit.errors import UsageError
from models.maintenance import AgreedCheck, CompanyDay, DueDate
from rules.cadence import Shift, parse
from rules.company_calendar import CompanyCalendar
from rules.due_ledger import Cause, Changes, DueState, Terms, changes
from rules.workdays import ONE_DAY


@dataclass(frozen=True, slots=True)
class ShiftedDate:
    """A date of a plan that another calendar puts on another day; None = it falls together with its neighbour."""

    plan_id: int
    check: str
    before: dt.date | None
    after: dt.date | None


def preview_company_day(session: Session, day: dt.date, name: str | None, today: dt.date) -> list[ShiftedDate]:
    """Which dates would move if the house closed on that day (`name`) or opened again (None)."""
    calendar = _after(session, day, name, today)
    return [shifted for plan in _touched(session, day) for shifted in _shifts(plan, _diff(session, plan, calendar, today))]


def set_company_day(session: Session, day: dt.date, name: str | None, today: dt.date) -> list[ShiftedDate]:
    """Close the house on a day, or open it again; dates that were to be done move to their next working day.

    Raises:
        UsageError: the day is past or no working day anyway.
    """
    shifted = preview_company_day(session, day, name, today)
    touched = [plan.id for plan in _touched(session, day)]
    row = session.scalar(sa.select(CompanyDay).where(CompanyDay.day == day))
    if name is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(CompanyDay(day=day, name=name.strip()))
    else:
        row.name = name.strip()
    session.flush()
    for plan_id in touched:
        replan(session, locked_plan(session, plan_id), today)
    return shifted


def take_over(session: Session, day: dt.date, *, dry: bool = False) -> int:
    """Close what lies before the day on which Drehkreuz takes over: it was done in the system before. Returns how many.

    Without it, the dates between a plan's start and its import are missed dates and are caught up by the plan's policy.
    """
    open_before = sa.and_(DueDate.state == DueState.PLANNED, DueDate.due_on < day)
    if dry:
        return session.scalar(sa.select(sa.func.count()).select_from(DueDate).where(open_before)) or 0
    done = session.execute(
        sa.update(DueDate)
        .where(open_before)
        .values(state=DueState.SKIPPED, cause=Cause.TAKEN_OVER, reason=f"Vor der Übernahme am {day:%d.%m.%Y}")
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))


def _after(session: Session, day: dt.date, name: str | None, today: dt.date) -> CompanyCalendar:
    """The calendar with the change."""
    if day < today:
        raise UsageError(f"Betriebskalender: Der {day:%d.%m.%Y} ist vergangen; daran ändert sich nichts mehr.")
    calendar = company_calendar(session)
    closed = dict(calendar.closed)
    closed.pop(day, None)
    off = CompanyCalendar(closed).day_off(day)
    if name is not None and off:
        raise UsageError(f"Betriebskalender: Am {day:%d.%m.%Y} wird ohnehin nicht gearbeitet ({off}).")
    if name is not None:
        closed[day] = name
    return CompanyCalendar(closed)


def _touched(session: Session, day: dt.date) -> list[AgreedCheck]:
    """Plans that shift and have a date within reach of the day."""
    calendar = company_calendar(session)
    first, last = calendar.previous_workday(day - ONE_DAY), calendar.next_workday(day + ONE_DAY)
    near = sa.select(DueDate.agreed_check_id).where(
        DueDate.state == DueState.PLANNED, DueDate.due_on >= first, DueDate.due_on <= last
    )
    return list(
        session.scalars(
            sa.select(AgreedCheck)
            .where(AgreedCheck.shift != Shift.NONE, AgreedCheck.fault.is_(None), AgreedCheck.id.in_(near))
            .order_by(AgreedCheck.id)
        )
    )


def _diff(session: Session, plan: AgreedCheck, calendar: CompanyCalendar, today: dt.date) -> Changes:
    terms = Terms(parse(plan.cadence), plan.starts_on, plan.ends_on, plan.shift, pauses_of(session, [plan.id]).get(plan.id, ()))
    return changes(terms, ledger_rows(session, plan.id, today), today, reach(plan, today), calendar)


def _shifts(plan: AgreedCheck, diff: Changes) -> list[ShiftedDate]:
    after = {wanted.due.nominal: wanted.due.on for wanted in diff.insert}
    moved = [ShiftedDate(plan.id, plan.check, row.on, after.pop(row.nominal, None)) for row in diff.delete]
    return moved + [ShiftedDate(plan.id, plan.check, None, on) for on in after.values()]
