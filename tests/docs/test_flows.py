"""Every flow is deployed, explained, and what the pages say of its schedule is what prefect.yaml says."""

import inspect
import re
from typing import Any

import pytest
import yaml

from deployments.catalogue import startable
from tests.docs.pages import DOCS, ROOT

FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__")
DEPLOYED: dict[str, dict[str, Any]] = {
    entry["name"]: entry for entry in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
}
SCHEDULES = {
    "monthly_billing": ["0 6 1 * *", "0 7 * * *"],
    "billing_release": [],
    "mail_dispatch": ["*/10 * * * *"],
    "archive_check": ["0 3 * * 0"],
}
"""As the process pages tell them in words: whoever moves one here changes the page as well."""


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_is_deployed(flow: str) -> None:
    assert [e["name"] for e in DEPLOYED.values() if e["entrypoint"].startswith(f"flows/{flow}.py:")]


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_has_its_page(flow: str) -> None:
    """The first line of its file names the page, and the page names the flow."""
    source = (ROOT / "flows" / f"{flow}.py").read_text("utf-8")
    named = re.search(r"Process: (docs/processes/[a-z_]+\.md)", source)
    assert named, "the module's docstring names the page"
    page = ROOT / named[1]
    assert page.exists(), named[1]
    assert f"`{flow}`" in page.read_text("utf-8")
    for front in (ROOT / "README.md", DOCS / "processes" / "README.md"):
        assert f"{page.name})" in front.read_text("utf-8"), front.name


@pytest.mark.parametrize("name", DEPLOYED)
def test_an_entrypoint_loads_and_takes_its_parameters(name: str) -> None:
    flow = startable()[name]
    function = flow.load()
    assert flow.function == name
    assert inspect.getdoc(function)
    inspect.signature(function).bind_partial(**DEPLOYED[name].get("parameters", {}))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_those_of_the_pages(name: str) -> None:
    assert [schedule["cron"] for schedule in DEPLOYED[name].get("schedules", [])] == SCHEDULES[name]
    assert all(schedule["timezone"] == "Europe/Berlin" for schedule in DEPLOYED[name].get("schedules", []))


def test_who_may_be_resumed_writes_nothing_twice() -> None:
    """The keeper repeats what is tagged; a release by hand is not repeated behind a person's back."""
    assert "auto-resume" not in DEPLOYED["billing_release"]["tags"]
    assert all("auto-resume" in entry["tags"] for name, entry in DEPLOYED.items() if name != "billing_release")
