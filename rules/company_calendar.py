"""The house's working days as one value: answers are remembered, days off have names, closings cannot loop. Pure.

Which days are worked is decided in `rules.workdays` (NRW holidays and the house's own closing days); here a calendar
looks both ways from a day, as the shift of maintenance dates needs it. Page: docs/rules/wiederkehr.md
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

import holidays

from rules.workdays import ONE_DAY, is_working_day

_WEEKEND = {5: "Samstag", 6: "Sonntag"}
LONGEST_CLOSING = 366
"""Days without a working day after which a calendar is a mistake rather than a closing."""


@lru_cache(maxsize=64)
def _holiday_names(year: int) -> dict[dt.date, str]:
    return dict(holidays.country_holidays("DE", subdiv="NW", years=year, language="de"))


class CompanyCalendar:
    """Which days are worked. `closed` are the house's own closing days with their names."""

    __slots__ = ("_next", "_previous", "closed")

    def __init__(self, closed: Mapping[dt.date, str] | None = None) -> None:
        self.closed: Mapping[dt.date, str] = dict(closed or {})
        self._next: dict[dt.date, dt.date] = {}
        self._previous: dict[dt.date, dt.date] = {}

    def is_workday(self, day: dt.date) -> bool:
        """Whether the house works on that day."""
        return is_working_day(day, self.closed.keys())

    def day_off(self, day: dt.date) -> str:
        """Why nobody works on that day (closing, holiday or weekday, German); empty on a working day."""
        if self.is_workday(day):
            return ""
        return self.closed.get(day) or _holiday_names(day.year).get(day) or _WEEKEND[day.weekday()]

    def next_workday(self, day: dt.date) -> dt.date:
        """The day itself when it is worked, else the next one that is."""
        return self._seek(day, ONE_DAY, self._next)

    def previous_workday(self, day: dt.date) -> dt.date:
        """The day itself when it is worked, else the last one before that is."""
        return self._seek(day, -ONE_DAY, self._previous)

    def plus_workdays(self, day: dt.date, count: int) -> dt.date:
        """The working day so many working days after `day`; 0 gives the day itself, or the next one worked."""
        found = self.next_workday(day)
        for _ in range(count):
            found = self.next_workday(found + ONE_DAY)
        return found

    def _seek(self, day: dt.date, step: dt.timedelta, known: dict[dt.date, dt.date]) -> dt.date:
        found = known.get(day)
        if found is None:
            found = day
            for _ in range(LONGEST_CLOSING):
                if self.is_workday(found):
                    break
                found += step
            else:
                raise ValueError(
                    f"Betriebskalender: Um den {day:%d.%m.%Y} liegt ein Jahr lang kein Arbeitstag. "
                    "Prüfen Sie die eingetragenen Betriebsruhetage."
                )
            known[day] = found
        return found
