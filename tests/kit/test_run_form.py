"""What Prefect makes of a flow's titles, and that every flow has them."""

import importlib
import inspect

import pytest

from deployments.catalogue import startable
from kit import run_form, steps


def test_titles_reach_the_form_with_default_and_explanation() -> None:
    from prefect.utilities.callables import parameter_schema

    def probe(month: str = "", preview: bool = False) -> None:
        """Probe.

        Args:
            month: Monat als JJJJ-MM.
            preview: Nur zeigen.
        """

    run_form.titled(probe, {"month": "Monat", "preview": "Nur Vorschau"})
    shown = parameter_schema(probe).properties
    assert (shown["month"]["title"], shown["month"]["default"]) == ("Monat", "")
    assert shown["month"]["description"] == "Monat als JJJJ-MM."
    assert (shown["preview"]["title"], shown["preview"]["type"]) == ("Nur Vorschau", "boolean")


@pytest.mark.parametrize("name", sorted(startable()))
def test_every_parameter_of_every_flow_has_a_title(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    real = steps.flow

    def watched(**options: object) -> object:
        given.update(options.get("titles") or {})  # type: ignore[arg-type]
        return real(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(steps, "flow", watched)
    module = importlib.reload(importlib.import_module(f"flows.{name}"))
    assert set(given) == set(inspect.signature(getattr(module, name)).parameters)


def test_names_in_the_timeline_keep_their_letters() -> None:
    assert run_form.drawable("Rückspielung prüfen, abschließen") == "Rueckspielung pruefen, abschliessen"
    assert run_form.drawable("Vorschau {month}") == "Vorschau {month}"
