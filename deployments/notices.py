"""What was told of runs (`deployments/automations.py`): made up for where the telling was lost, settled when the work is done.

An automation calls once; the portal may just be starting, and Prefect's webhooks share a connection pool that one call can
close under another. So every minute the keeper's process asks for what an automation should have told, as each bell of
ours has its sweep. What is known already changes nothing.
"""

import datetime as dt
from typing import Any

from actions import run_notices
from deployments.automations import LATE_FOR
from deployments.prefect_api import PrefectApi
from kit.database import unit_of_work
from models.plumbing import RunNotice, RunTrouble

BACK = dt.timedelta(days=1)
"""How far back is looked: after a longer standstill what is older is history."""
HEAD_START = dt.timedelta(seconds=60)
"""The automations go first."""
SYSTEM = "Drehkreuz"
_TROUBLES = {"CRASHED": RunTrouble.CRASHED, "FAILED": RunTrouble.FAILED}


def tend(api: PrefectApi, now: dt.datetime) -> int:
    """One round; the number of notes that were written or settled."""
    return make_up(api, now) + settle(api)


def make_up(api: PrefectApi, now: dt.datetime, head_start: dt.timedelta = HEAD_START) -> int:
    """Note what no automation told of. `now` is Prefect's time."""
    ended = {"state": {"type": {"any_": list(_TROUBLES)}}, "end_time": {"after_": (now - BACK).isoformat()}}
    found = [run for run in api.runs(flow_runs=ended) if _since(run) < now - head_start]
    waiting = api.runs(flow_runs={"state": {"name": {"any_": ["Late"]}}})
    found += [run for run in waiting if _since(run) < now - LATE_FOR - head_start]
    names = api.flow_names(run["flow_id"] for run in found)
    with unit_of_work("prefect") as session:
        return sum(run_notices.tell(session, _told(run, names.get(run["flow_id"], ""))) for run in found)


def _told(run: dict[str, Any], flow: str) -> run_notices.Told:
    trouble = _TROUBLES.get(run["state"]["type"], RunTrouble.LATE)
    return run_notices.Told(run["id"], trouble, flow, run["name"], run["state"]["message"] or "", _since(run))


def settle(api: PrefectApi) -> int:
    """Take back what needs nobody any more: the run went on, or a later one of the same flow has done its work."""
    with unit_of_work("prefect") as session:
        open_ones = run_notices.unsettled(session)
    if not open_ones:
        return 0
    runs = {run["id"]: run for run in api.runs(flow_runs={"id": {"any_": [one.flow_run_id for one in open_ones]}})}
    over = [one.id for one in open_ones if _is_over(api, one, runs.get(one.flow_run_id))]
    with unit_of_work("prefect") as session:
        return sum(run_notices.settle(session, notice, SYSTEM) for notice in over)


def _is_over(api: PrefectApi, notice: RunNotice, run: dict[str, Any] | None) -> bool:
    if run is None:
        return True  # Prefect has forgotten it: there is nothing left to look at
    state = run["state"]["type"]
    if state in {"COMPLETED", "CANCELLED"}:
        return True
    if notice.trouble is RunTrouble.LATE:
        return state not in {"SCHEDULED", "PENDING"}
    return state in _TROUBLES and _made_up_for(api, run)


def _made_up_for(api: PrefectApi, run: dict[str, Any]) -> bool:
    """Whether the same flow, asked for the same, was done later: every flow of ours does all that is pending."""
    later = {"state": {"type": {"any_": ["COMPLETED"]}}, "start_time": {"after_": run["state"]["timestamp"]}}
    others = api.runs(flows={"id": {"any_": [run["flow_id"]]}}, flow_runs=later)
    return any(_asked(other) == _asked(run) for other in others)


def _asked(run: dict[str, Any]) -> dict[str, Any]:
    """The parameters without those that say nothing: a form leaves them empty, a schedule leaves them out."""
    return {name: value for name, value in run["parameters"].items() if value}


def _since(run: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(run["state"]["timestamp"])
