"""Prefect's automations as code: they tell people of runs that are late, crashed or failed. None of them heals anything.

| automation | fires when | then |
|---|---|---|
| Lauf beginnt nicht | a run has been late for a quarter of an hour | a note in the house |
| Lauf abgestürzt | a run's process died; the keeper resumes it | a note, gone when the run is done |
| Lauf gescheitert | a flow ended in a fault | a note, gone when a later run has made up for it |

Each calls the portal's own address with the secret of the house; there it becomes a row (`actions/run_notices.py`) that
`doctor`, the metrics and the page »Auffällige Läufe« show. They are compared with the server at each start and written
only where they differ; whoever switches one off in Prefect finds it off after the next start too.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from actions.run_notices import secret
from deployments.instance import Instance
from deployments.prefect_api import PrefectApi
from kit.steps import INTERRUPTED
from models.plumbing import RunTrouble

PREFIX = "Drehkreuz: "
BLOCK = "drehkreuz-laeufe"
RUN = "prefect.flow-run."
LATE_FOR = dt.timedelta(minutes=15)
"""As patient as `doctor` is with mails and events. Prefect itself calls a run late after 15 s, which a busy worker often is."""


@dataclass(frozen=True)
class Automation:
    """One automation.

    Args:
        trouble: what it tells.
        name: German, as Prefect's interface shows it.
        description: what it is for.
        states: names of the states of a run that it answers.
        unless: states that call it off when they come within `patience`; empty = it answers at once.
        patience: how long it waits for them; Prefect's least is 10 s.
    """

    trouble: RunTrouble
    name: str
    description: str
    states: tuple[str, ...]
    unless: tuple[str, ...] = ()
    patience: dt.timedelta = dt.timedelta(0)

    @property
    def title(self) -> str:
        return PREFIX + self.name

    def content(self, webhook: str) -> dict[str, Any]:
        """As Prefect's interface takes it. Each run counts for itself."""
        answered, awaited = ([RUN + state for state in states] for states in (self.states, self.unless))
        trigger = {
            "type": "event",
            "posture": "Proactive" if awaited else "Reactive",
            "match": {"prefect.resource.id": f"{RUN}*"},
            "for_each": ["prefect.resource.id"],
            "after": answered if awaited else [],
            "expect": awaited or answered,
            "threshold": 1,
            "within": self.patience.total_seconds(),
        }
        action = {"type": "call-webhook", "block_document_id": webhook, "payload": payload(self.trouble)}
        return {"name": self.title, "description": self.description, "trigger": trigger, "actions": [action]}


AUTOMATIONS = (
    Automation(
        RunTrouble.LATE,
        "Lauf beginnt nicht",
        "Ein Lauf wartet seit einer Viertelstunde auf einen Worker. Meldet es dem Haus; geheilt wird hier nichts.",
        states=("Late",),
        unless=("Pending", "Running", "Completed", "Failed", "Crashed", "Cancelled"),
        patience=LATE_FOR,
    ),
    Automation(
        RunTrouble.CRASHED,
        "Lauf abgestürzt",
        "Der Prozess eines Laufs ist gestorben. Meldet es dem Haus; wieder aufgenommen wird er vom Keeper.",
        states=("Crashed",),
    ),
    Automation(
        RunTrouble.FAILED,
        "Lauf gescheitert",
        "Ein Lauf endete mit einem Fehler. Meldet es dem Haus; der nächste Lauf holt nach, was offen blieb.",
        states=("Failed", "TimedOut", INTERRUPTED),
    ),
)


def payload(trouble: RunTrouble) -> str:
    """The body of the call, a template that Prefect fills in: every value leaves as JSON of its own."""
    values = {
        "run": "event.resource.id",
        "occurred": "event.occurred.isoformat()",
        "name": "(flow_run.name if flow_run else '')",
        "flow": "(flow.name if flow else '')",
        "message": "event.resource['prefect.state-message']",
    }
    filled = ", ".join(f'"{name}": {{{{ {value} | tojson }}}}' for name, value in values.items())
    return f'{{"trouble": {json.dumps(trouble.value)}, {filled}}}'


def ensure(api: PrefectApi, target: Instance, wanted: tuple[Automation, ...] = AUTOMATIONS) -> int:
    """Bring block and automations to the server where they are missing or differ; the number of writes."""
    url = target.notice_url
    if not url:
        return 0  # several machines, and nobody has said where the portal is
    data = {
        "method": "POST",
        "url": url,
        "headers": {"Authorization": f"Bearer {secret()}", "Content-Type": "application/json"},
        "allow_private_urls": True,  # the portal of a single machine listens on loopback only
        "verify": True,
    }
    block = api.webhook(BLOCK)
    written = int(block is None or not agrees(data, block["data"]))
    webhook = (
        api.write_webhook(BLOCK, data, str(block["id"]) if block else "") if written or block is None else str(block["id"])
    )
    known = {str(found["name"]): found for found in api.automations(one.title for one in wanted)}
    for one in wanted:
        content, found = one.content(webhook), known.get(one.title)
        if found is None or not agrees(content, found):
            enabled = {"enabled": True if found is None else found["enabled"]}
            api.write_automation(content | enabled, str(found["id"]) if found else "")
            written += 1
    return written


def agrees(wanted: Any, found: Any) -> bool:
    """Whether the server has all that is wanted; what it adds of itself does not count, nor does the order of a set."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(agrees(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(agrees, wanted, found))
    if isinstance(wanted, list):
        return isinstance(found, list) and sorted(wanted) == sorted(found)
    return bool(wanted == found)
