"""Working days: Monday to Friday without NRW holidays and the house's own closing days. Page: docs/rules/werktage.md"""

import datetime as dt
from collections.abc import Set as AbstractSet
from functools import lru_cache

import holidays

ONE_DAY = dt.timedelta(days=1)
_NONE: frozenset[dt.date] = frozenset()


@lru_cache(maxsize=64)
def nrw_holidays(year: int) -> frozenset[dt.date]:
    """Statutory holidays of North Rhine-Westphalia (Feiertagsgesetz NW)."""
    return frozenset(holidays.country_holidays("DE", subdiv="NW", years=year).keys())


def is_working_day(day: dt.date, closed: AbstractSet[dt.date] = _NONE) -> bool:
    """Whether the house works that day; `closed` are its own closing days (24 December, works outing)."""
    return day.weekday() < 5 and day not in closed and day not in nrw_holidays(day.year)


def next_working_day(day: dt.date, closed: AbstractSet[dt.date] = _NONE) -> dt.date:
    """The day itself if it is a working day, else the first one after it."""
    while not is_working_day(day, closed):
        day += ONE_DAY
    return day


def add_working_days(day: dt.date, count: int, closed: AbstractSet[dt.date] = _NONE) -> dt.date:
    """The day that lies so many working days after `day`; 0 gives the day itself."""
    for _ in range(count):
        day = next_working_day(day + ONE_DAY, closed)
    return day


def grace_ends(accepted: dt.datetime, days: int, closed: AbstractSet[dt.date] = _NONE) -> dt.datetime:
    """The instant from which an accepted report without bounce counts as delivered (U9).

    `accepted` is local time (Europe/Berlin), so is the answer. 0 days: at once. Else the same time of day that many
    working days later; a report accepted on a free day counts from the start of the next working day, because nobody
    could have complained before.
    """
    if days <= 0:
        return accepted
    day = accepted.date()
    if is_working_day(day, closed):
        return accepted.combine(add_working_days(day, days, closed), accepted.timetz())
    start = next_working_day(day, closed)
    return accepted.combine(add_working_days(start, days, closed), dt.time(0), accepted.tzinfo)
