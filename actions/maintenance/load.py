"""Load of the technicians by maintenance: what is booked in a week, the year ahead, and who is suggested for a date."""

import datetime as dt
from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import SUFFIX, USUAL_MINUTES
from kit import clock
from models.maintenance import CheckResult
from models.parties import Employee, StaffRole
from rules.load import FULL_WEEK, Technician, weeks_between

MINUTES = f"""coalesce(a.duration_minutes, (SELECT c.duration_minutes FROM check_catalogue c
    WHERE lower(split_part(a."check", '{SUFFIX}', 1)) IN (lower(c.title), lower(c.key)) LIMIT 1), {USUAL_MINUTES})"""  # noqa: S608
_BOOKED = f"""
SELECT coalesce(d.technician_id, a.technician_id) AS technician, d.due_on AS day, sum({MINUTES}) AS minutes
FROM due_date d JOIN agreed_check a ON a.id = d.agreed_check_id
WHERE d.state = 'planned' AND d.due_on BETWEEN :first AND :last
  AND coalesce(d.technician_id, a.technician_id) IS NOT NULL
GROUP BY 1, 2
"""  # noqa: S608 - only our own constants
_PLACED = f"""
SELECT coalesce(d.technician_id, a.technician_id) AS technician, d.slot_at AS slot, {MINUTES} AS minutes
FROM due_date d JOIN agreed_check a ON a.id = d.agreed_check_id
WHERE d.state = 'created' AND d.outcome IS NULL AND d.slot_at >= :opens AND d.slot_at < :closes
"""  # noqa: S608 - only our own constants
_YEAR = f"""
SELECT coalesce(d.technician_id, a.technician_id) AS technician, date_trunc('week', d.due_on)::date AS monday,
       sum({MINUTES}) AS minutes, count(*) AS dates
FROM due_date d JOIN agreed_check a ON a.id = d.agreed_check_id
WHERE d.state IN ('planned', 'created') AND d.due_on BETWEEN :first AND :last
GROUP BY 1, 2
"""  # noqa: S608 - only our own constants


@dataclass(frozen=True, slots=True)
class WeekLoad:
    """Maintenance of one technician in one calendar week. `technician_id` None = nobody is agreed yet."""

    technician_id: int | None
    week: tuple[int, int]
    minutes: int
    dates: int
    share: float
    """Of the person's week; 1.0 = full. 0 where there is no person."""


@dataclass(frozen=True, slots=True)
class YearLoad:
    """The load of every technician in every week of a range."""

    first: dt.date
    last: dt.date
    weeks: tuple[tuple[int, int], ...]
    names: dict[int | None, str]
    """In the order of the chart; None = "ohne Techniker"."""
    cells: dict[tuple[int | None, tuple[int, int]], WeekLoad]


def technicians(session: Session) -> list[Technician]:
    """Everybody who does maintenance: active, with the role technician."""
    rows = session.scalars(
        sa.select(Employee).where(Employee.active, Employee.roles.contains([StaffRole.TECHNICIAN.value])).order_by(Employee.id)
    )
    return [
        Technician(
            id=row.id,
            name=row.name,
            weekly_minutes=int(row.weekly_hours * 60) if row.weekly_hours else FULL_WEEK,
            skills=frozenset(row.skills),
        )
        for row in rows
    ]


def load_board(session: Session, first: dt.date, last: dt.date) -> dict[int, Technician]:
    """The technicians with the minutes that maintenance books on each day of the range, and the slots that are given."""
    board = {person.id: person for person in technicians(session)}
    for technician, day, minutes in session.execute(sa.text(_BOOKED), {"first": first, "last": last}):
        if technician in board:
            board[technician].booked[day] = int(minutes)
    instants = {"opens": clock.at_local(first), "closes": clock.at_local(last + dt.timedelta(days=1))}
    seen: set[tuple[int, dt.datetime]] = set()
    for technician, slot, minutes in session.execute(sa.text(_PLACED), instants):
        if technician in board and (technician, slot) not in seen:  # dates of one listing share their slot
            seen.add((technician, slot))
            person, day = board[technician], clock.local(slot).date()
            person.booked[day] = person.booked.get(day, 0) + int(minutes)
            insort(person.slots, (slot, slot + dt.timedelta(minutes=int(minutes))))
    return board


def familiar_with(session: Session, customer_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Who has done checks for which customer before."""
    rows = session.execute(
        sa.select(CheckResult.customer_id, CheckResult.performed_by_id)
        .where(CheckResult.customer_id.in_(customer_ids))
        .distinct()
    )
    found: dict[int, set[int]] = defaultdict(set)
    for customer_id, technician_id in rows:
        found[customer_id].add(technician_id)
    return {customer_id: frozenset(people) for customer_id, people in found.items()}


def year_load(session: Session, first: dt.date, last: dt.date) -> YearLoad:
    """Planned and created dates by calendar week and technician, set-wise from the ledger."""
    people = {person.id: person for person in technicians(session)}
    cells: dict[tuple[int | None, tuple[int, int]], WeekLoad] = {}
    seen: set[int | None] = set()
    for technician, monday, minutes, dates in session.execute(sa.text(_YEAR), {"first": first, "last": last}):
        iso = monday.isocalendar()
        week = (iso.year, iso.week)
        person = people.get(technician)
        share = int(minutes) / person.weekly_minutes if person else 0.0
        cells[technician, week] = WeekLoad(technician, week, int(minutes), dates, share)
        seen.add(technician)
    names: dict[int | None, str] = {person.id: person.name for person in people.values()}
    names |= dict(_names_of(session, [i for i in seen if i is not None and i not in people]))
    if None in seen:
        names[None] = "ohne Techniker"
    return YearLoad(first, last, tuple(weeks_between(first, last)), names, cells)


def _names_of(session: Session, ids: Collection[int]) -> Iterable[tuple[int, str]]:
    """People who are agreed in plans but do no maintenance any more."""
    if not ids:
        return
    for row in session.scalars(sa.select(Employee).where(Employee.id.in_(ids)).order_by(Employee.id)):
        yield row.id, f"{row.name} (nicht mehr eingeteilt)"
