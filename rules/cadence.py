"""Wiederkehr (RFC 5545): which days a plan falls on. Pure. Page: docs/rules/wiederkehr.md

A plan is agreed in days, so a rule holds no time of day; the window of the plan does (`rules.windows`). The rule is read
strictly, since a rule that silently means something else is a check that silently does not happen. The days come from
`python-dateutil`; what is added here is the start in the middle: a plan that has run for years costs no more than a new one.
"""

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from dateutil import rrule

from rules.cadence_text import Cadence, Frequency, parse
from rules.company_calendar import CompanyCalendar

__all__ = ["Cadence", "Due", "Frequency", "Shift", "days", "due_days", "ended", "first_day", "parse"]

_FREQ: dict[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: rrule.DAILY,
    Frequency.WEEKLY: rrule.WEEKLY,
    Frequency.MONTHLY: rrule.MONTHLY,
    Frequency.YEARLY: rrule.YEARLY,
}
_DAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)


class Shift(enum.StrEnum):
    """Where a date goes that falls on a day nobody works."""

    NONE = "none"
    NEXT_WORKDAY = "next_workday"
    PREVIOUS_WORKDAY = "previous_workday"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One due date: the day by the rule, and the day it is done on after the shift."""

    nominal: dt.date
    on: dt.date


def days(cadence: Cadence, starts_on: dt.date, first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day of the rule from `first` to `last`, both included, in order.

    Args:
        cadence: the rule.
        starts_on: the agreed start (DTSTART): nothing lies before it, intervals and COUNT are counted from it.
        first: first day wanted.
        last: last day wanted.
    """
    if _may_be_dead(cadence) and _first_day(cadence, starts_on) is None:
        return
    yield from _between(cadence, starts_on, first, last)


def _between(cadence: Cadence, starts_on: dt.date, first: dt.date, last: dt.date) -> Iterator[dt.date]:
    if cadence.until is not None:
        last = min(last, cadence.until)
    first = max(first, starts_on)
    if first > last:
        return
    start = starts_on if cadence.count else _start_near(cadence, starts_on, first)
    for moment in rrule.rrule(
        _FREQ[cadence.frequency],
        dtstart=dt.datetime(start.year, start.month, start.day),  # noqa: DTZ001 - days have no zone
        **_terms(cadence, starts_on),
    ):
        day = moment.date()
        if day > last:
            return
        if day >= first:
            yield day


def first_day(cadence: Cadence, starts_on: dt.date) -> dt.date | None:
    """The first day of the rule; None for a rule that never comes true (INTERVAL=12 from February on the 31st)."""
    return _first_day(cadence, starts_on)


@lru_cache(maxsize=4096)
def _first_day(cadence: Cadence, starts_on: dt.date) -> dt.date | None:
    return next(_between(cadence, starts_on, starts_on, dt.date(9999, 12, 31)), None)


def _may_be_dead(cadence: Cadence) -> bool:
    """Whether the rule could be one that never comes true: dateutil looks for such a day until the year 9999, each time."""
    return cadence.interval > 1 or bool(cadence.by_set_pos or cadence.by_year_day or cadence.by_week_no)


def due_days(
    cadence: Cadence,
    starts_on: dt.date,
    first: dt.date,
    last: dt.date,
    *,
    shift: Shift = Shift.NONE,
    calendar: CompanyCalendar | None = None,
) -> Iterator[Due]:
    """The due dates whose day *by the rule* lies between `first` and `last`, in order.

    Several days of the rule that fall on one working day are one due date (a daily check on Saturday, Sunday and Monday
    is one check on Monday); the day of the rule nearest to it is kept. That holds across the borders of a range, so
    ranges that lie end to end give the same dates as one range.
    """
    if shift is Shift.NONE or calendar is None:
        for day in days(cadence, starts_on, first, last):
            yield Due(day, day)
    elif shift is Shift.NEXT_WORKDAY:
        yield from _shifted_on(cadence, starts_on, first, last, calendar)
    else:
        yield from _shifted_back(cadence, starts_on, first, last, calendar)


def _shifted_on(
    cadence: Cadence, starts_on: dt.date, first: dt.date, last: dt.date, calendar: CompanyCalendar
) -> Iterator[Due]:
    waiting: Due | None = None
    for day in days(cadence, starts_on, first, calendar.next_workday(last)):
        due = Due(day, calendar.next_workday(day))
        if waiting is not None and waiting.on != due.on:
            yield waiting
        waiting = due if day <= last else None
        if waiting is None:
            return
    if waiting is not None:
        yield waiting


def _shifted_back(
    cadence: Cadence, starts_on: dt.date, first: dt.date, last: dt.date, calendar: CompanyCalendar
) -> Iterator[Due]:
    before: dt.date | None = None
    for day in days(cadence, starts_on, calendar.previous_workday(first), last):
        on = calendar.previous_workday(day)
        if day >= first and on != before:
            yield Due(day, on)
        before = on


def ended(cadence: Cadence, starts_on: dt.date, last: dt.date) -> Cadence:
    """The rule with its end at `last`, whatever end it had before: how a series is told that has been ended.

    COUNT and UNTIL exclude each other (RFC 5545, 3.3.10): a COUNT that ends earlier stays, else UNTIL takes its place.
    """
    if cadence.count:
        before = sum(1 for _ in days(cadence, starts_on, starts_on, last))
        return cadence if before == cadence.count else replace(cadence, count=None, until=last)
    return replace(cadence, until=last if cadence.until is None else min(last, cadence.until))


def _start_near(cadence: Cadence, starts_on: dt.date, first: dt.date) -> dt.date:
    """A start in step with the agreed one, at least one whole period before `first` and never before the agreed one.

    The period before is needed for BYSETPOS: dateutil counts positions of a first week from the start on only. Months and
    years begin on their first day, since the agreed day may not exist in the month met.
    """
    step = cadence.interval
    if cadence.frequency is Frequency.DAILY:
        return starts_on + dt.timedelta(days=(first - starts_on).days // step * step)
    if cadence.frequency is Frequency.WEEKLY:
        weeks = (first - starts_on).days // 7 // step * step - step
        return starts_on + dt.timedelta(weeks=weeks) if weeks > 0 else starts_on
    if cadence.frequency is Frequency.MONTHLY:
        months = ((first.year - starts_on.year) * 12 + first.month - starts_on.month) // step * step - step
        if months <= 0:
            return starts_on
        index = starts_on.year * 12 + starts_on.month - 1 + months
        return dt.date(index // 12, index % 12 + 1, 1)
    years = (first.year - starts_on.year) // step * step - step
    return dt.date(starts_on.year + years, 1, 1) if years > 0 else starts_on


@lru_cache(maxsize=4096)
def _terms(cadence: Cadence, starts_on: dt.date) -> dict[str, Any]:
    """The rule for dateutil, with what RFC 5545 takes from the start written out."""
    weekdays = [_DAYS[day](n) if n else _DAYS[day] for n, day in cadence.by_day]
    month_days, months = list(cadence.by_month_day), list(cadence.by_month)
    if not (weekdays or month_days or cadence.by_year_day):
        if cadence.frequency is Frequency.WEEKLY or cadence.by_week_no:
            weekdays = [_DAYS[starts_on.weekday()]]
        elif cadence.frequency in (Frequency.MONTHLY, Frequency.YEARLY):
            month_days = [starts_on.day]
            if cadence.frequency is Frequency.YEARLY and not months:
                months = [starts_on.month]
    terms: dict[str, Any] = {
        "interval": cadence.interval,
        "wkst": cadence.week_start,
        "count": cadence.count,
        "bymonth": months,
        "bymonthday": month_days,
        "byweekday": weekdays,
        "byyearday": list(cadence.by_year_day),
        "byweekno": list(cadence.by_week_no),
        "bysetpos": list(cadence.by_set_pos),
    }
    return {name: value for name, value in terms.items() if value not in (None, [])}
