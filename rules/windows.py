"""Wartungsfenster: the instants of a window that is agreed in wall-clock time. Pure. Page: docs/rules/wiederkehr.md

The window is agreed in Europe/Berlin and holds in summer and winter. On the night the clocks go forward an hour is
missing, on the night they go back one comes twice; a window that names such a time begins at its first moment and ends
at its last one, so that it never comes out shorter than the wall clock says it is.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAY_OPENS, WORKDAY_CLOSES = dt.time(8), dt.time(17)
"""What holds where no window is agreed: the usual service day."""
_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A window on one day, in UTC."""

    opens: dt.datetime
    closes: dt.datetime

    @property
    def minutes(self) -> int:
        """How long it really is."""
        return int((self.closes - self.opens).total_seconds() // 60)


def window_on(day: dt.date, opens: dt.time | None, closes: dt.time | None) -> Window:
    """The window of a due date. One that closes no later than it opens goes past midnight (22:00-02:00).

    Args:
        day: the day it opens on.
        opens: Berlin wall-clock time; None = 08:00.
        closes: Berlin wall-clock time; None = 17:00.
    """
    opens, closes = opens or WORKDAY_OPENS, closes or WORKDAY_CLOSES
    closing_day = day if closes > opens else day + dt.timedelta(days=1)
    start, end = first_moment(day, opens), last_moment(closing_day, closes)
    if end <= start:  # both in the missing hour
        nominal = dt.datetime.combine(closing_day, closes) - dt.datetime.combine(day, opens)
        end = start + nominal
    return Window(start, end)


def first_moment(day: dt.date, time: dt.time) -> dt.datetime:
    """When the wall clock first shows that time or, where it is skipped, the first time after it. UTC."""
    return _instant(day, time, fold=0)


def last_moment(day: dt.date, time: dt.time) -> dt.datetime:
    """When the wall clock shows that time for the last time of the day. UTC."""
    return _instant(day, time, fold=1)


def _instant(day: dt.date, time: dt.time, fold: int) -> dt.datetime:
    wall = dt.datetime.combine(day, time.replace(tzinfo=None))
    while True:
        instant = wall.replace(tzinfo=BERLIN, fold=fold).astimezone(dt.UTC)
        if instant.astimezone(BERLIN).replace(tzinfo=None) == wall:
            return instant
        wall += _MINUTE  # in the missing hour: on to its end
