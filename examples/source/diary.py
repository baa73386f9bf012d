"""Working days of North Rhine-Westphalia in the months of the story, and the technicians' diaries without overlaps."""

import datetime as dt
import random
from collections import defaultdict
from functools import cache

HOLIDAYS = {dt.date(2026, 10, 3)}  # Tag der Deutschen Einheit, a Saturday; NRW has no other one from August to October
OPEN, CLOSE = 8 * 60, 17 * 60


@cache
def working_days(month: int) -> tuple[dt.date, ...]:
    first = dt.date(2026, month, 1)
    days = (first + dt.timedelta(days=n) for n in range(31))
    return tuple(d for d in days if d.month == month and d.weekday() < 5 and d not in HOLIDAYS)


def later(day: dt.date, steps: int) -> dt.date:
    """The working day `steps` further on, but never in the next month."""
    days = working_days(day.month)
    place = next((i for i, d in enumerate(days) if d >= day), len(days) - 1)
    return days[min(place + steps, len(days) - 1)]


class Diary:
    """Who is busy when; minutes since midnight."""

    def __init__(self) -> None:
        self._busy: dict[tuple[str, dt.date], list[tuple[int, int]]] = defaultdict(list)

    def book(self, who: str, day: dt.date, start: int, minutes: int) -> bool:
        """Take the time if it is free."""
        taken = self._busy[who, day]
        if any(start < end and begin < start + minutes for begin, end in taken):
            return False
        taken.append((start, start + minutes))
        return True

    def find(
        self, people: list[str], day: dt.date, minutes: int, roll: random.Random, earliest: int = OPEN
    ) -> tuple[str, int] | None:
        """A free time for one of these people on that day within opening hours, or nothing."""
        for who in people:
            for _ in range(14):
                latest = CLOSE - minutes
                if latest < earliest:
                    return None
                start = roll.randrange(earliest, latest + 1)
                start -= start % 5 if roll.random() < 0.8 else 0
                start = max(start, earliest)
                if self.book(who, day, start, minutes):
                    return who, start
        return None
