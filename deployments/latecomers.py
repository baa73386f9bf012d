"""After a standstill Prefect hands out every run that it had planned ahead: of those that do the same, one is enough.

Prefect plans an hour and three runs ahead. Whoever comes back after ten days finds them all late, some dozen processes of
several seconds each, one after the other, while the first run of each flow already does all that waits. So of the late runs
of one schedule's flow, with the same parameters and in the same month (the month of a run is that of its planned start), the
newest stays and the others are cancelled under a name that says why. The same when a worker is busy for long.
"""

import datetime as dt
import logging
from collections import defaultdict
from typing import Any

from deployments.prefect_api import PrefectApi
from kit import clock

log = logging.getLogger(__name__)

OVERTAKEN = "Überholt"
LATE_BY = dt.timedelta(seconds=30)
"""A run that is due at this moment is left alone."""
STATES = ("Scheduled", "Late")


def thin(api: PrefectApi, now: dt.datetime) -> int:
    """One round; the number of runs that were cancelled. `now` is Prefect's time."""
    waiting = {"state": {"name": {"any_": list(STATES)}}, "expected_start_time": {"before_": (now - LATE_BY).isoformat()}}
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for run in api.runs(flow_runs=waiting):
        if run["auto_scheduled"] and run["deployment_id"] and not run["run_count"]:
            alike[_sort(run)].append(run)
    return sum(_keep_newest(api, runs) for runs in alike.values())


def _sort(run: dict[str, Any]) -> tuple[str, ...]:
    planned = clock.local(_planned(run))
    asked = sorted((name, str(value)) for name, value in run["parameters"].items())
    return (str(run["deployment_id"]), str(asked), f"{planned:%Y-%m}")


def _planned(run: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(run["expected_start_time"])


def _keep_newest(api: PrefectApi, runs: list[dict[str, Any]]) -> int:
    *older, newest = sorted(runs, key=_planned)
    why = f"Der Lauf von {clock.local(_planned(newest)):%d.%m.%Y %H:%M} erledigt dasselbe."
    state = {"type": "CANCELLED", "name": OVERTAKEN, "message": why}
    done = sum(api.set_state(run["id"], state) == "ACCEPT" for run in older)  # a worker may have taken it meanwhile
    if done:
        log.info("%d verspätete Läufe sind überholt, der letzte wird nachgeholt", done)
    return done
