"""Scenarios of the crash test: which flows are started one after the other. One file each in deployments/crash/scenarios/."""

import pkgutil
from dataclasses import dataclass, field
from importlib import import_module

from deployments.catalogue import startable

WITHOUT: dict[str, str] = {}
"""Deployments that need no scenario, and why. A test refuses a flow that stands neither here nor in a scenario."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a deployment. Values may name what stands ready: `{month}`, `{snapshot}`."""

    deployment: str
    parameters: dict[str, str] = field(default_factory=dict)

    def place(self) -> str:
        """`module:function` of its flow."""
        known = startable()[self.deployment]
        return f"{known.module}:{known.function}"

    def filled(self, facts: dict[str, str]) -> dict[str, str]:
        """The parameters with what stands ready."""
        return {name: value.format(**facts) for name, value in self.parameters.items()}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Flows as normal operation starts them, in this order, again and again until nothing changes any more.

    Args:
        title: German, for the report.
        starts: each belongs to one deployment; released, scheduled or rung, here it is started.
    """

    title: str
    starts: tuple[Start, ...]


def scenarios() -> dict[str, Scenario]:
    """Name -> scenario: every file of the folder that has a `SCENARIO`."""
    from deployments.crash import scenarios as folder

    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__))
    return {name: import_module(f"{folder.__name__}.{name}").SCENARIO for name in names}
