"""Nachholen (U25): what becomes of due dates whose day has passed without a ticket. Pure. Page: docs/rules/wiederkehr.md

The answer depends on the plan's open dates and on today alone, never on how the work is cut into runs: what one run over
a whole range decides, any number of runs over its parts decide as well.
"""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass

BACKFILL_DAYS = 31
"""How far back the scheduled run catches up date by date. What is older waits until a person has seen the preview."""


class CatchUp(enum.StrEnum):
    """What becomes of dates missed during a downtime (U25)."""

    ALL = "all"
    LATEST = "latest"
    ONE_LISTING = "one_listing"
    SKIP = "skip"


class Fate(enum.StrEnum):
    """What happens to one open date."""

    OWN_TICKET = "own_ticket"
    LISTED = "listed"
    """Goes into one ticket together with the plan's other missed dates."""
    SKIPPED = "skipped"
    HELD = "held"
    """Older than the scheduled run may catch up: waits for a run by hand over its range."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to the date `on`. `with_date` is the date whose ticket covers it (listed) or replaces it (skipped)."""

    on: dt.date
    fate: Fate
    with_date: dt.date | None = None


def decide(
    open_dates: Sequence[dt.date],
    policy: CatchUp,
    today: dt.date,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> list[Decision]:
    """What to do with a plan's open dates now, in order of their day.

    Args:
        open_dates: every date of the plan that has neither ticket nor skip.
        policy: the plan's way to catch up.
        today: the day of the run; a date is missed when it lies before.
        first: first day of the range asked for. None = the scheduled run: all that is open, date by date only as far
            back as `BACKFILL_DAYS`.
        last: last day of the range; None = today. Days after today never wait for each other.

    Returns:
        Decisions for dates of the range. For `latest` and `one_listing` the missed dates of a plan are one matter: as
        soon as one of them is in the range, all of them are decided.
    """
    last = today if last is None else last
    dates = sorted(open_dates)
    if not any((first is None or first <= day) and day <= last for day in dates):
        return []
    past = [day for day in dates if day <= today]
    asked = [day for day in dates if (first is None or first <= day) and day <= last]
    missed = bool(past) and past[0] < today
    touched = any(day <= today for day in asked)
    decisions = [Decision(day, Fate.OWN_TICKET) for day in asked if day > today]
    if not missed or policy is CatchUp.ALL:
        held_before = today - dt.timedelta(days=BACKFILL_DAYS) if first is None else dt.date.min
        decisions += [Decision(day, Fate.HELD if day < held_before else Fate.OWN_TICKET) for day in asked if day <= today]
    elif policy is CatchUp.SKIP:
        decisions += [Decision(day, Fate.SKIPPED if day < today else Fate.OWN_TICKET) for day in asked if day <= today]
    elif touched and policy is CatchUp.LATEST:
        decisions += [Decision(day, Fate.SKIPPED, past[-1]) for day in past[:-1]]
        decisions.append(Decision(past[-1], Fate.OWN_TICKET))
    elif touched:
        decisions += [Decision(day, Fate.LISTED, past[-1]) for day in past]
    return sorted(decisions, key=lambda decision: decision.on)
