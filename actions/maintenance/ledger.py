"""The due-ledger in the database: written ahead set-wise, and changed by the difference that was shown before."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.planbook import company_calendar, pauses_of
from kit import clock
from models.maintenance import AgreedCheck, DueDate
from rules.cadence import parse
from rules.company_calendar import CompanyCalendar
from rules.due_ledger import Cause, Changes, DueState, Pause, Row, Terms, changes
from rules.month import Month
from rules.workdays import ONE_DAY

MONTHS_AHEAD = 13
"""The ledger reaches to the end of the month so many months ahead: a whole year stays in sight."""
BATCH = 500
_STAGE = """
CREATE TEMP TABLE due_stage (customer_id bigint, agreed_check_id bigint, nominal_on date, due_on date, reason text)
ON COMMIT DROP
"""
_TAKE = """
INSERT INTO due_date (customer_id, agreed_check_id, nominal_on, due_on, state, cause, reason, created_at)
SELECT customer_id, agreed_check_id, nominal_on, due_on,
       CASE WHEN reason IS NULL THEN 'planned' ELSE 'skipped' END, CASE WHEN reason IS NOT NULL THEN 'pause' END,
       reason, :now
FROM due_stage
"""
_TAKE_THE_REST = f"{_TAKE} ON CONFLICT DO NOTHING"


def horizon(day: dt.date, months: int = MONTHS_AHEAD) -> dt.date:
    """How far the ledger is written ahead on that day. It moves once a month, so most rounds have nothing to write."""
    return Month.of(day).plus(months).last_day


@dataclass(slots=True)
class Written:
    """What one batch of writing ahead did. `last_id` is where the next one goes on; 0 plans = finished."""

    plans: int = 0
    dates: int = 0
    last_id: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Due:
    """A line of the staging table."""

    customer_id: int
    plan_id: int
    nominal: dt.date
    on: dt.date
    reason: str | None


def write_ahead(session: Session, today: dt.date, until: dt.date, *, after: int = 0, limit: int = BATCH) -> Written:
    """Write the dates of the next plans whose ledger does not reach `until`. A second call finds them written.

    Plans that another worker holds are left to it. A plan whose rule nobody can read is marked with the reason and named
    in the result; the others go on. A plan whose terms were changed elsewhere (an import) is brought in line from today on.

    Args:
        session: the transaction.
        today: dates before it are never changed, only written when the plan is new.
        until: last day by the rule that the ledger shall hold.
        after: only plans with a higher id.
        limit: plans per batch.
    """
    plans = session.scalars(
        sa.select(AgreedCheck)
        .where(AgreedCheck.id > after, sa.or_(AgreedCheck.written_until.is_(None), AgreedCheck.written_until < until))
        .order_by(AgreedCheck.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    result = Written(plans=len(plans), last_id=plans[-1].id if plans else after)
    if not plans:
        return result
    calendar = company_calendar(session)
    ids = [plan.id for plan in plans]
    pauses = pauses_of(session, ids)
    started = _with_rows(session, [plan.id for plan in plans if plan.written_until is None])
    fresh: list[tuple[AgreedCheck, Terms]] = []
    for plan in plans:
        try:
            terms = Terms(parse(plan.cadence), plan.starts_on, plan.ends_on, plan.shift, pauses.get(plan.id, ()))
        except ValueError as error:
            result.faults.append((plan.id, str(error)))
            continue
        if plan.id in started:
            _apply(session, plan, changes(terms, ledger_rows(session, plan.id, today), today, until, calendar))
        else:
            fresh.append((plan, terms))
    result.dates = _insert(session, _lines(fresh, until, calendar))
    _mark(session, ids, until, result.faults)
    return result


def _with_rows(session: Session, plan_ids: Sequence[int]) -> set[int]:
    """Which of the plans have a ledger already."""
    if not plan_ids:
        return set()
    return set(session.scalars(sa.select(DueDate.agreed_check_id).where(DueDate.agreed_check_id.in_(plan_ids)).distinct()))


def _lines(plans: Iterable[tuple[AgreedCheck, Terms]], until: dt.date, calendar: CompanyCalendar) -> Iterator[_Due]:
    for plan, terms in plans:
        first = plan.starts_on if plan.written_until is None else plan.written_until + ONE_DAY
        for due in terms.due_between(first, until, calendar):
            pause = terms.pause_on(due.on) if terms.pauses else None
            yield _Due(plan.customer_id, plan.id, due.nominal, due.on, pause_text(pause))


def _insert(session: Session, lines: Iterable[_Due]) -> int:
    """Stream lines into the ledger; what is there already stays as it is. Memory does not grow with their number."""
    connection = session.connection()
    connection.exec_driver_sql(_STAGE)
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy("COPY due_stage FROM STDIN") as copy:
        for line in lines:
            copy.write_row((line.customer_id, line.plan_id, line.nominal, line.on, line.reason))
    now = {"now": clock.now()}
    try:
        with connection.begin_nested():
            count = connection.execute(sa.text(_TAKE), now).rowcount  # asking for each row first costs half as much again
    except sa.exc.IntegrityError:  # a person has put a date on one of these days
        count = connection.execute(sa.text(_TAKE_THE_REST), now).rowcount
    connection.exec_driver_sql("DROP TABLE due_stage")
    return count


def _mark(session: Session, ids: Sequence[int], until: dt.date, faults: Sequence[tuple[int, str]]) -> None:
    faulty = dict(faults)
    session.execute(
        sa.update(AgreedCheck)
        .where(AgreedCheck.id.in_([i for i in ids if i not in faulty]))
        .values(written_until=until, fault=None)
        .execution_options(synchronize_session=False)
    )
    for plan_id, fault in faulty.items():
        session.execute(
            sa.update(AgreedCheck)
            .where(AgreedCheck.id == plan_id)
            .values(written_until=until, fault=fault)
            .execution_options(synchronize_session=False)
        )


def pause_text(pause: Pause | None) -> str | None:
    """The reason on a date that falls into a pause; None outside of one."""
    return None if pause is None else f"Ausgesetzt: {pause.reason}"


def ledger_rows(session: Session, plan_id: int, today: dt.date) -> list[Row]:
    """The rows that a change may concern: on days from today on, or whose day by the rule is still to come."""
    rows = session.execute(
        sa.select(DueDate.id, DueDate.nominal_on, DueDate.due_on, DueDate.state, DueDate.cause)
        .where(DueDate.agreed_check_id == plan_id, sa.or_(DueDate.due_on >= today, DueDate.nominal_on >= today))
        .order_by(DueDate.due_on)
    )
    return [Row(id_, nominal, on, state, cause) for id_, nominal, on, state, cause in rows]


def _apply(session: Session, plan: AgreedCheck, diff: Changes) -> None:
    """Carry out a difference: deletions first, so that their days are free."""
    if diff.delete:
        ids = [row.id for row in diff.delete]
        session.execute(sa.delete(DueDate).where(DueDate.id.in_(ids)), execution_options={"synchronize_session": False})
    for row, pause in diff.pause:
        _set(session, row.id, state=DueState.SKIPPED, cause=Cause.PAUSE, reason=pause_text(pause))
    for row in diff.revive:
        _set(session, row.id, state=DueState.PLANNED, cause=None, reason=None)
    _insert(
        session,
        (_Due(plan.customer_id, plan.id, w.due.nominal, w.due.on, pause_text(w.pause)) for w in diff.insert),
    )


def _set(session: Session, due_id: int, **values: object) -> None:
    session.execute(
        sa.update(DueDate).where(DueDate.id == due_id).values(**values).execution_options(synchronize_session=False)
    )


def replan(session: Session, plan: AgreedCheck, today: dt.date) -> Changes:
    """Bring the ledger of a plan in line with its terms as they are now, from today on, and say what changed.

    Args:
        session: the transaction; the plan is locked in it.
        plan: the plan as it shall be, flushed.
        today: nothing before it changes.

    Raises:
        CadenceError: the rule cannot be read.
    """
    until = reach(plan, today)
    terms = Terms(parse(plan.cadence), plan.starts_on, plan.ends_on, plan.shift, pauses_of(session, [plan.id]).get(plan.id, ()))
    diff = changes(terms, ledger_rows(session, plan.id, today), today, until, company_calendar(session))
    _apply(session, plan, diff)
    _mark(session, [plan.id], until, [])
    session.refresh(plan)
    return diff


def reach(plan: AgreedCheck, today: dt.date) -> dt.date:
    """Up to which day the ledger of a plan stands once it is written."""
    return max(plan.written_until or dt.date.min, horizon(today))
