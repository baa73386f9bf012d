"""The one clock. Every stored instant, number year and comparison comes from here, so a whole company can be run ahead.

`DREHKREUZ_CLOCK_SHIFT_DAYS` shifts the date by whole days while the time of day runs on (`--today` of the command line
sets it, child processes inherit it).
"""

import datetime as dt
import os
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
SHIFT_VARIABLE = "DREHKREUZ_CLOCK_SHIFT_DAYS"


def _real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place


def shift_days() -> int:
    """Days by which this process runs ahead of (positive) or behind the real date."""
    return int(os.environ.get(SHIFT_VARIABLE, "0") or "0")


def now() -> dt.datetime:
    """The present instant in UTC, shifted by whole *local* days so that the wall-clock time in Berlin stays the same."""
    days = shift_days()
    real = _real_now()
    if not days:
        return real
    return (real.astimezone(BERLIN) + dt.timedelta(days=days)).astimezone(dt.UTC)


def today() -> dt.date:
    """Today's date in Berlin."""
    return local(now()).date()


def local(instant: dt.datetime) -> dt.datetime:
    """An instant as Berlin wall-clock time (with offset)."""
    return instant.astimezone(BERLIN)


def at_local(day: dt.date, time: dt.time = dt.time()) -> dt.datetime:
    """The instant (UTC) of a Berlin wall-clock time; in the doubled hour of autumn the first of the two."""
    return dt.datetime.combine(day, time, tzinfo=BERLIN).astimezone(dt.UTC)


def set_today(day: dt.date) -> None:
    """Make `today()` answer `day` in this process and in the processes it starts."""
    real_today = _real_now().astimezone(BERLIN).date()
    os.environ[SHIFT_VARIABLE] = str((day - real_today).days)
