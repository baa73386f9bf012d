"""The keeper's patience, asked of states alone: how it acts on real runs is in `test_services.py`."""

import datetime as dt
from typing import Any, cast

import pytest

from deployments.keeper import NOTE, Patience, tend
from deployments.prefect_api import PrefectApi

NOW = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
SET = "ACCEPT"
WORKER = "anderswo-1"
"""Of another machine: whether it lives, only Prefect's server can tell."""


class OneRun:
    """What the keeper asks of Prefect's server, for one run that waits for its start."""

    def __init__(self, seconds: int, resumed: int, *, heard: bool) -> None:
        since = (NOW - dt.timedelta(seconds=seconds)).isoformat()
        self.run = {
            "id": "r",
            "name": "Monatslauf",
            "tags": ["auto-resume"],
            "run_count": 0,
            "labels": {"prefect.worker.name": WORKER},
            "state": {"type": "PENDING", "name": "Submitting", "timestamp": since},
        }
        self.past = [{"type": "SCHEDULED", "message": f"{NOTE}war Pending, wieder aufgenommen"}] * resumed
        self.told: list[str] = []
        self.heard = {WORKER} if heard else set()

    def online(self, _pool: str) -> set[str]:
        return self.heard

    def tagged(self, _tag: str, *types: str, state_name: str = "") -> list[dict[str, Any]]:
        return [self.run] if "PENDING" in types and not state_name else []

    def history(self, _run: str) -> list[dict[str, str]]:
        return self.past

    def set_state(self, _run: str, state: dict[str, Any], *, force: bool) -> str:
        self.told.append(state["type"])
        return SET if force else "REJECT"

    def add_tag(self, _run: dict[str, Any], tag: str) -> None:
        self.told.append(tag)


@pytest.mark.parametrize(
    ("seconds", "resumed", "heard", "told"),
    [
        (119, 0, False, []),
        (121, 0, False, ["SCHEDULED"]),
        (121, 0, True, []),
        (599, 0, True, []),
        (601, 0, True, ["SCHEDULED"]),
        (121, 3, False, ["needs-person", "CRASHED"]),
    ],
)
def test_a_slow_start_at_a_living_worker_is_waited_for(seconds: int, resumed: int, heard: bool, told: list[str]) -> None:
    server = OneRun(seconds, resumed, heard=heard)
    assert tend(cast("PrefectApi", server), NOW, Patience()) == bool(told)
    assert server.told == told
