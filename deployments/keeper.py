"""The keeper: resumes flow runs that died, which open-source Prefect never does. Only runs tagged `auto-resume`.

| what died | what Prefect shows | what the keeper does |
|---|---|---|
| flow process or worker killed | CRASHED | after a pause the same run again |
| worker killed while it submits | PENDING for ever, holding its slot | the same run again, by force |
| worker ended by SIGTERM, or machine lost | RUNNING for ever | CRASHED first, then the same run again |

A RUNNING run counts as dead at once when its process was on this machine and is gone, else after three missed heartbeats.

After four attempts the run is tagged `needs-person` and shows in `doctor`. A run that is thought dead may still live: the same
run can work twice at once, and it is the database that decides (locks, unique keys).
"""

import datetime as dt
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

import psutil

from deployments.prefect_api import PrefectApi

log = logging.getLogger(__name__)

RESUME, GIVEN_UP = "auto-resume", "needs-person"
ATTEMPTS = 4
NOTE = "Keeper: "


@dataclass(frozen=True)
class Patience:
    """How long each kind of silence is accepted."""

    crashed: dt.timedelta = dt.timedelta(seconds=30)
    """Longer than the worker's own second report of the same crash, 5-8 s after the first."""
    pending: dt.timedelta = dt.timedelta(seconds=120)
    heartbeat: dt.timedelta = dt.timedelta(seconds=90)
    """Three heartbeats of 30 s."""
    vanished: dt.timedelta = dt.timedelta(seconds=10)
    """A process of this machine that is gone; the run's last words may still be under way."""


def tend(api: PrefectApi, now: dt.datetime, patience: Patience | None = None) -> int:
    """One round; the number of runs that were touched."""
    patience = patience or Patience()
    return sum(
        [
            *(_crash_if_dead(api, run, now, patience) for run in api.tagged(RESUME, "RUNNING")),
            *(_resume(api, run, now, patience.crashed) for run in api.tagged(RESUME, "CRASHED")),
            *(_resume(api, run, now, patience.pending) for run in api.tagged(RESUME, "PENDING")),
        ]
    )


def _resume(api: PrefectApi, run: dict[str, Any], now: dt.datetime, grace: dt.timedelta) -> int:
    if GIVEN_UP in run["tags"] or now - _since(run) < grace:
        return 0
    history = api.history(run["id"])
    attempts = max(
        run["run_count"], 1 + sum((state["message"] or "").startswith(NOTE) and _is_retry(state) for state in history)
    )
    pending = run["state"]["type"] == "PENDING"
    if attempts >= ATTEMPTS:
        log.error("Lauf %s: nach %d Versuchen aufgegeben, bitte ansehen", run["name"], attempts)
        api.add_tag(run, GIVEN_UP)
        if pending:
            _set(
                api,
                run,
                {"type": "CRASHED", "name": "Crashed", "message": f"{NOTE}nach {attempts} Versuchen aufgegeben"},
                force=True,
            )
        return 1
    log.warning("Lauf %s war %s und wird wieder aufgenommen (Versuch %d)", run["name"], run["state"]["name"], attempts + 1)
    state = {
        "type": "SCHEDULED",
        "name": "AwaitingRetry",
        "message": f"{NOTE}war {run['state']['name']}, wieder aufgenommen",
        "state_details": {"scheduled_time": now.isoformat()},
    }
    return _set(api, run, state, force=pending)  # force: the slot that it holds is its own


def _crash_if_dead(api: PrefectApi, run: dict[str, Any], now: dt.datetime, patience: Patience) -> int:
    since = _since(run)
    if now - since < patience.vanished:
        return 0
    if vanished_here(run):
        reason = "sein Prozess auf diesem Rechner ist fort"
    else:
        heard = api.last_heartbeat(run["id"], now - dt.timedelta(days=2), now)
        last = max(heard, since) if heard else since
        if now - last <= patience.heartbeat:
            return 0
        reason = f"kein Lebenszeichen seit {last:%d.%m.%Y %H:%M:%S} UTC"
    log.warning("Lauf %s gilt als abgestürzt: %s", run["name"], reason)
    return _set(api, run, {"type": "CRASHED", "name": "Crashed", "message": NOTE + reason})


def vanished_here(run: dict[str, Any]) -> bool:
    """Whether the run's process was started on this machine and no longer is."""
    host, _, number = str(run.get("infrastructure_pid") or "").rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        process = psutil.Process(int(number))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return process.environ().get("PREFECT__FLOW_RUN_ID") != str(run["id"])
    except psutil.AccessDenied:
        return False
    except (psutil.NoSuchProcess, OSError):
        return int(number) != os.getpid()


def _is_retry(state: dict[str, Any]) -> bool:
    return bool(state["type"] == "SCHEDULED")


def _since(run: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(run["state"]["timestamp"])


def _set(api: PrefectApi, run: dict[str, Any], state: dict[str, Any], *, force: bool = False) -> int:
    return int(api.set_state(run["id"], state, force=force) == "ACCEPT")
