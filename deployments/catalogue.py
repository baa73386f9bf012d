"""The flows that can be started, as prefect.yaml names them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import yaml

from deployments.instance import ROOT
from kit.errors import UsageError


@dataclass(frozen=True)
class Startable:
    """A deployment: its name, and the flow function behind it."""

    name: str
    module: str
    function: str
    description: str

    def load(self) -> Callable[..., Any]:
        """Import the flow."""
        loaded: Callable[..., Any] = getattr(import_module(self.module), self.function)
        return loaded


def startable() -> dict[str, Startable]:
    """All deployments of prefect.yaml by name."""
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    found = {}
    for entry in content["deployments"]:
        path, _, function = entry["entrypoint"].partition(":")
        module = path.removesuffix(".py").replace("/", ".")
        found[entry["name"]] = Startable(entry["name"], module, function, entry.get("description", "").strip())
    return found


def flow_named(name: str) -> Startable:
    """The deployment of that name. Raises: UsageError with those that exist."""
    known = startable()
    if name not in known:
        raise UsageError(f"Flow »{name}«: gibt es nicht. Vorhanden: {', '.join(sorted(known))}.")
    return known[name]


def split_parameters(pairs: list[str]) -> dict[str, str]:
    """`k=v` pairs of the command line. Raises: UsageError."""
    given = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--param {pair}: Schreiben Sie Name und Wert als name=wert, etwa month=2026-10.")
        given[key.strip()] = value
    return given
