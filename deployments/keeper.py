"""The keeper: resumes flow runs that died, which open-source Prefect never does. Only runs tagged `auto-resume`.

| what died | what Prefect shows | what the keeper does |
|---|---|---|
| flow process or worker killed | CRASHED | after a pause the same run again |
| worker killed while it submits | PENDING for ever, holding its slot | the same run again, by force |
| worker ended by SIGTERM, or machine lost | RUNNING for ever | the same run again |
| nothing, but database or store was away | FAILED, »Unterbrochen« (`kit.steps`) | after a growing pause the same run again |

Runs of a worker of this machine that lives no more are resumed at once: nobody can work on them or report about them. Of all
others a RUNNING run counts as dead after three missed heartbeats.

Several keepers may run; one of them works (`kit.database.leading`).
After four attempts, eight if it was only interrupted, the run is tagged `needs-person` and shows in `doctor`. A run that is
thought dead may still live: the same run can work twice at once, and it is the database that decides (locks, unique keys).
"""

import contextlib
import datetime as dt
import logging
import os
from dataclasses import dataclass
from typing import Any

import psutil

from deployments.instance import POOL
from deployments.prefect_api import PrefectApi
from kit.process import machine
from kit.steps import INTERRUPTED

log = logging.getLogger(__name__)

RESUME, GIVEN_UP = "auto-resume", "needs-person"
ATTEMPTS = 4
INTERRUPTED_ATTEMPTS = 8
"""Nothing died, and what was away comes back: with pauses that double, eight attempts reach over an hour and a half."""
LONGEST_PAUSE = dt.timedelta(minutes=30)
NOTE = "Keeper: "
AHEAD = dt.timedelta(minutes=1)
"""Two machines may differ by so much."""


@dataclass(frozen=True)
class Patience:
    """How long each kind of silence is accepted."""

    crashed: dt.timedelta = dt.timedelta(seconds=30)
    """Longer than the worker's own second report of the same crash, 5-8 s after the first."""
    pending: dt.timedelta = dt.timedelta(seconds=120)
    starting: dt.timedelta = dt.timedelta(minutes=10)
    """Pending at a worker that Prefect still hears: a busy machine may take minutes to start the flow's process, and a run that
    comes to the same worker a second time meanwhile ends that worker."""
    heartbeat: dt.timedelta = dt.timedelta(seconds=90)
    """Three heartbeats of 30 s."""
    interrupted: dt.timedelta = dt.timedelta(seconds=60)
    """Before the second attempt, twice as long before each further one. The database is back: the keeper itself needs it."""
    orphaned: dt.timedelta = dt.timedelta(seconds=10)
    """The worker is gone from this machine and the flow's process too; its last words may still be under way."""


def tend(api: PrefectApi, now: dt.datetime, patience: Patience | None = None) -> int:
    """One round; the number of runs that were touched."""
    patience = patience or Patience()
    workers = workers_here()
    touched = 0
    for run in api.tagged(RESUME, "RUNNING", "CRASHED", "PENDING"):
        age = waited(run, now)
        if GIVEN_UP in run["tags"] or age < min(patience.orphaned, patience.crashed, patience.pending):
            continue
        if age >= patience.orphaned and is_orphan(run, workers):
            touched += _resume(api, run, now)
        elif run["state"]["type"] == "RUNNING":
            touched += _crash_if_silent(api, run, now, patience)
        elif run["state"]["type"] == "PENDING":
            touched += _resume_if_stuck(api, run, now, patience)
        elif age >= patience.crashed:
            touched += _resume(api, run, now)
    for run in api.tagged(RESUME, state_name=INTERRUPTED):
        if GIVEN_UP not in run["tags"] and waited(run, now) >= pause(run["run_count"], patience.interrupted):
            touched += _resume(api, run, now)
    return touched


def pause(attempts: int, first: dt.timedelta) -> dt.timedelta:
    """How long a run that was interrupted rests after so many attempts: twice as long each time, half an hour at most."""
    return min(first * (1 << min(max(attempts - 1, 0), 10)), LONGEST_PAUSE)


def _resume(api: PrefectApi, run: dict[str, Any], now: dt.datetime) -> int:
    history = api.history(run["id"])
    resumed = sum((state["message"] or "").startswith(NOTE) and state["type"] == "SCHEDULED" for state in history)
    attempts = max(run["run_count"], 1 + resumed)
    crashed = run["state"]["type"] == "CRASHED"
    if attempts >= (INTERRUPTED_ATTEMPTS if run["state"]["name"] == INTERRUPTED else ATTEMPTS):
        log.error("Lauf %s: nach %d Versuchen aufgegeben, bitte ansehen", run["name"], attempts)
        api.add_tag(run, GIVEN_UP)
        if not crashed:
            given_up = {"type": "CRASHED", "name": "Crashed", "message": f"{NOTE}nach {attempts} Versuchen aufgegeben"}
            _set(api, run, given_up, force=True)
        return 1
    log.warning("Lauf %s war %s und wird wieder aufgenommen (Versuch %d)", run["name"], run["state"]["name"], attempts + 1)
    state = {
        "type": "SCHEDULED",
        "name": "AwaitingRetry",
        "message": f"{NOTE}war {run['state']['name']}, wieder aufgenommen",
        "state_details": {"scheduled_time": now.isoformat()},
    }
    ended = run["state"]["type"] in {"CRASHED", "FAILED"}
    return _set(api, run, state, force=not ended)  # force: the slot that it holds is its own


def _resume_if_stuck(api: PrefectApi, run: dict[str, Any], now: dt.datetime, patience: Patience) -> int:
    age = waited(run, now)
    if age < patience.pending or (age < patience.starting and _worker_of(run) in api.online(POOL)):
        return 0
    return _resume(api, run, now)


def _crash_if_silent(api: PrefectApi, run: dict[str, Any], now: dt.datetime, patience: Patience) -> int:
    since = now - waited(run, now)
    if now - since <= patience.heartbeat:
        return 0
    heard = api.last_heartbeat(run["id"], now - dt.timedelta(days=2), now)
    last = max(heard, since) if heard else since
    if now - last <= patience.heartbeat:
        return 0
    reason = f"kein Lebenszeichen seit {last:%d.%m.%Y %H:%M:%S} UTC"
    log.warning("Lauf %s gilt als abgestürzt: %s", run["name"], reason)
    return _set(api, run, {"type": "CRASHED", "name": "Crashed", "message": NOTE + reason})


# --- who still lives on this machine -----------------------------------------------------------------------------------------


def worker_name() -> str:
    """How a worker of this machine is called: the run's label then tells which machine knows of it."""
    return f"{machine()}-{os.getpid()}"


def workers_here() -> dict[str, dt.datetime]:
    """The workers that live on this machine, by name, with their start."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, ValueError, IndexError):
            command = process.cmdline()
            if "worker" in command and "--name" in command and process.status() != psutil.STATUS_ZOMBIE:
                name = command[command.index("--name") + 1]
                found[name] = dt.datetime.fromtimestamp(process.create_time(), tz=dt.UTC)
    return found


def _worker_of(run: dict[str, Any]) -> str:
    return str((run.get("labels") or {}).get("prefect.worker.name", ""))


def is_orphan(run: dict[str, Any], workers: dict[str, dt.datetime]) -> bool:
    """Whether the run's worker was on this machine and lives no more (or is a later one), nor does the flow's process."""
    name = _worker_of(run)
    if name.rpartition("-")[0] != machine():
        return False
    started = workers.get(name)
    return (started is None or started > _since(run)) and not _process_lives(run)


def _process_lives(run: dict[str, Any]) -> bool:
    number = str(run.get("infrastructure_pid") or "").rpartition(":")[2]
    if not number.isdigit():
        return False
    try:
        process = psutil.Process(int(number))
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("PREFECT__FLOW_RUN_ID") == str(run["id"])
    except (psutil.Error, OSError):
        return False


def _since(run: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(run["state"]["timestamp"])


def waited(run: dict[str, Any], now: dt.datetime) -> dt.timedelta:
    """How long the run has been in its state. A state of the future was written by a clock that was ahead: it counts as old."""
    age = now - _since(run)
    return age if age > -AHEAD else dt.timedelta(days=1)


def _set(api: PrefectApi, run: dict[str, Any], state: dict[str, Any], *, force: bool = False) -> int:
    return int(api.set_state(run["id"], state, force=force) == "ACCEPT")
