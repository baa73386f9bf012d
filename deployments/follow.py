"""A run at the worker, followed to its end: progress, log lines, end state."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deployments.keeper import GIVEN_UP, RESUME
from deployments.prefect_api import FINAL, PrefectApi
from kit import clock
from kit.clock import SHIFT_VARIABLE
from kit.errors import DrehkreuzError, UsageError
from kit.steps import OPEN_ITEMS

PERIOD = 0.5

GERMAN_STATES = {
    "Scheduled": "eingeplant",
    "Pending": "wird gestartet",
    "Submitting": "wird gestartet",
    "InfrastructurePending": "wird gestartet",
    "Running": "läuft",
    "AwaitingRetry": "wird wieder aufgenommen",
    "Retrying": "läuft erneut",
    "Late": "wartet auf einen Worker",
    "AwaitingConcurrencySlot": "wartet auf einen freien Platz",
    "Paused": "angehalten",
    "Completed": "fertig",
    OPEN_ITEMS: "fertig, mit offenen Punkten",
    "Failed": "gescheitert",
    "Crashed": "abgestürzt",
    "Cancelling": "wird abgebrochen",
    "Cancelled": "abgebrochen",
}


class RunFailedError(DrehkreuzError):
    """The run ended badly; the message is its own reason."""


@dataclass
class Follower:
    """Tells what a run does.

    Args:
        api: the server.
        say: takes a German line.
        bar: takes (what, done, total) in percent.
    """

    api: PrefectApi
    say: Callable[[str], None]
    bar: Callable[[str, int, int], None]
    _state: str = ""
    _lines: int = 0
    _shares: dict[str, int] = field(default_factory=dict)

    def to_the_end(self, run_id: str) -> dict[str, Any]:
        """Wait for the end; a crashed run that the keeper will resume has not ended."""
        while True:
            run = self.api.run(run_id)
            state = run["state"]
            self._tell(run_id, state["name"])
            resumed = state["type"] == "CRASHED" and RESUME in run["tags"] and GIVEN_UP not in run["tags"]
            if state["type"] in FINAL and not resumed:
                self._tell_lines(run_id)
                return run
            time.sleep(PERIOD)

    def _tell(self, run_id: str, name: str) -> None:
        self._tell_lines(run_id)
        german = GERMAN_STATES.get(name, name)
        if german != self._state:
            self._state = german
            self.say(f"Lauf {german}")
        for artifact in self.api.progress(run_id):
            share = int(float(artifact["data"] or 0))
            if self._shares.get(artifact["id"]) != share:
                self._shares[artifact["id"]] = share
                self.bar(str(artifact["description"] or "Fortschritt"), share, 100)

    def _tell_lines(self, run_id: str) -> None:
        while lines := self.api.logs(run_id, self._lines):
            self._lines += len(lines)
            for line in lines:
                if line["level"] >= logging.WARNING or not line["name"].startswith("prefect"):
                    self.say(f"  {str(line['message']).strip().splitlines()[0][:300]}")  # the trace stays in Prefect's log


def start(api: PrefectApi, name: str, given: dict[str, str]) -> str:
    """Start the deployment with parameters of the command line; the run's id. The run works by the clock of this command."""
    schema = api.deployment(name)["parameter_openapi_schema"] or {}
    known = schema.get("properties", {})
    if unknown := sorted(set(given) - set(known)):
        raise UsageError(f"Flow »{name}«: Den Parameter {unknown[0]} gibt es nicht. Vorhanden: {', '.join(known) or 'keine'}.")
    if missing := [key for key in schema.get("required", []) if key not in given]:
        raise UsageError(f"Flow »{name}«: Es fehlt --param {missing[0]}=…")
    parameters = {key: _typed(name, key, text, known[key]) for key, text in given.items()}
    environment = {SHIFT_VARIABLE: str(clock.shift_days())} if clock.shift_days() else {}
    return str(api.create_run(name, parameters, environment=environment)["id"])


def _typed(name: str, key: str, text: str, declared: dict[str, Any]) -> Any:
    if declared.get("type") not in {"boolean", "integer", "number", "array", "object"}:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise UsageError(f"Flow »{name}«: --param {key}={text} passt nicht; erwartet wird {declared['type']}.") from None
