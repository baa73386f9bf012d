"""Days that shift whole ledgers: the house's closing days, and the day on which Drehkreuz takes plans over."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

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


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What taking over, or taking that back, comes to."""

    dates: int
    plans: int
    first: dt.date | None
    last: dt.date | None

    @property
    def german(self) -> str:
        """E.g. `14 Termine aus 3 Plänen, 05.01.2026 bis 26.01.2026`."""
        if self.first is None or self.last is None:
            return "Kein Termin"
        dates = f"{self.dates} {'Termin' if self.dates == 1 else 'Termine'}"
        span = f"{self.first:%d.%m.%Y}" + (f" bis {self.last:%d.%m.%Y}" if self.last != self.first else "")
        return f"{dates} aus {self.plans} {'Plan' if self.plans == 1 else 'Plänen'}, {span}"


def take_over(session: Session, day: dt.date, today: dt.date, *, dry: bool = False) -> TakenOver:
    """Close what lies before the day on which Drehkreuz takes over: it was done in the system before.

    Without it, the dates between a plan's start and its import are missed dates and are caught up by the plan's policy.

    Raises:
        UsageError: a day to come; its dates can still be done.
    """
    if day > today:
        raise UsageError(
            f"Übernahme: Der {day:%d.%m.%Y} liegt in der Zukunft. Geschlossen wird nur, was das alte System schon erledigt "
            "hat; wählen Sie heute oder einen früheren Tag."
        )
    open_before = sa.and_(DueDate.state == DueState.PLANNED, DueDate.due_on < day)
    told = _count(session, open_before)
    if not dry:
        session.execute(
            sa.update(DueDate)
            .where(open_before)
            .values(state=DueState.SKIPPED, cause=Cause.TAKEN_OVER, reason=_before(day))
            .execution_options(synchronize_session=False)
        )
    return told


def undo_take_over(session: Session, day: dt.date, *, dry: bool = False) -> TakenOver:
    """Open again what `take_over` of that day has closed; the next round decides on it by each plan's policy.

    A date whose day of the rule lives on another row meanwhile stays closed: it is never done twice.
    """
    other = aliased(DueDate)
    closed = sa.and_(
        DueDate.state == DueState.SKIPPED,
        DueDate.cause == Cause.TAKEN_OVER,
        DueDate.reason == _before(day),
        ~sa.exists().where(
            other.agreed_check_id == DueDate.agreed_check_id, other.nominal_on == DueDate.nominal_on,
            other.state.in_((DueState.PLANNED, DueState.CREATED)),
        ),
    )  # fmt: skip
    told = _count(session, closed)
    if not dry:
        session.execute(
            sa.update(DueDate)
            .where(closed)
            .values(state=DueState.PLANNED, cause=None, reason=None)
            .execution_options(synchronize_session=False)
        )
    return told


def _before(day: dt.date) -> str:
    return f"Vor der Übernahme am {day:%d.%m.%Y}"


def _count(session: Session, which: sa.ColumnElement[bool]) -> TakenOver:
    plans = sa.func.count(sa.distinct(DueDate.agreed_check_id))
    row = session.execute(
        sa.select(sa.func.count(), plans, sa.func.min(DueDate.due_on), sa.func.max(DueDate.due_on)).where(which)
    ).one()
    return TakenOver(*row)


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
