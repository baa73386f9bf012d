"""On which days money moves between banks (TARGET2, now T2), and when a direct debit may be collected."""

import datetime as dt

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

_FIXED = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})


def is_target_day(day: dt.date) -> bool:
    """Whether T2 is open: no weekend, no 1 January, Good Friday, Easter Monday, 1 May, 25 or 26 December."""
    if day.weekday() >= 5 or (day.month, day.day) in _FIXED:
        return False
    sunday = easter(day.year)
    return day not in {sunday - dt.timedelta(days=2), sunday + dt.timedelta(days=1)}


def next_target_day(day: dt.date) -> dt.date:
    """The day itself, if T2 is open, else the next one that is."""
    while not is_target_day(day):
        day += dt.timedelta(days=1)
    return day


def collection_date(told_on: dt.date, prenotification_days: int = 14) -> dt.date:
    """The first day on which may be collected what the payer was told on `told_on` (the invoice's day), in calendar days.

    14 unless a shorter time is agreed; one at least, since a file goes in on the day before.
    """
    return next_target_day(told_on + dt.timedelta(days=max(1, prenotification_days)))


def latest_submission(collect_on: dt.date) -> dt.date:
    """The last bank day on which the file may be handed in: the one before the collection (CORE and B2B alike)."""
    day = collect_on - dt.timedelta(days=1)
    while not is_target_day(day):
        day -= dt.timedelta(days=1)
    return day


def mandate_lapses_on(last_used: dt.date) -> dt.date:
    """The first day on which a mandate no longer holds: 36 months after it was last used (or signed)."""
    return last_used + relativedelta(months=36)
