"""Runs that are late, crash or fail are told to the house once, by Prefect's automations on a real server."""

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from actions import run_notices
from deployments import automations, notices
from deployments.instance import Instance
from deployments.metrics import House
from deployments.prefect_api import PrefectApi
from kit.database import Role, unit_of_work, url
from models.plumbing import RunNotice, RunTrouble
from tests.deployments.conftest import Services, running_services, until

pytestmark = pytest.mark.slow

NOW = dt.timedelta(0)
SOON = dataclasses.replace(automations.AUTOMATIONS[0], patience=dt.timedelta(seconds=10))  # the least that Prefect takes
HURRIED = (SOON, *automations.AUTOMATIONS[1:])
STATES = {
    RunTrouble.LATE: ("SCHEDULED", "Late"),
    RunTrouble.CRASHED: ("CRASHED", "Crashed"),
    RunTrouble.FAILED: ("FAILED", "Failed"),
}


def real_now() -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC)


def own_connection() -> psycopg.Connection:
    return psycopg.connect(url(Role.APP).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """Of their own: runs that other tests crash are told too."""
    with running_services() as running:
        yield running


@pytest.fixture(scope="module")
def house(services: Services) -> Iterator[Instance]:
    """A deployment that no worker takes; everything is as it was afterwards."""
    services.wait_deployed()
    with services.here() as target, PrefectApi(target) as api, own_connection() as held:
        held.execute("select pg_advisory_lock(hashtextextended('notices', 0))")  # the services' own round stays off
        flow = api._ask("POST", "/flows/", {"name": "Liegengeblieben"})["id"]
        made = api._ask("POST", "/deployments/", {"name": "liegt", "flow_id": flow, "entrypoint": "x.py:x"})
        yield target
        for run in api.runs(flows={"id": {"any_": [flow]}}):
            api._ask("DELETE", f"/flow_runs/{run['id']}")
        api._ask("DELETE", f"/deployments/{made['id']}")
        automations.ensure(api, target)
        with unit_of_work("test") as session:
            session.execute(sa.delete(RunNotice))


def told(**also: object) -> list[RunNotice]:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(RunNotice).filter_by(**also).order_by(RunNotice.id)))


def become(api: PrefectApi, trouble: RunTrouble, *, key: str = "", **parameters: object) -> str:
    """A run in that trouble; its id."""
    run_id = str(api.create_run("liegt", parameters, key=key)["id"])
    kind, name = STATES[trouble]
    assert api.set_state(run_id, {"type": kind, "name": name, "message": f'»{name}«\nund "mehr"'}, force=True) == "ACCEPT"
    return run_id


def test_a_start_leaves_what_is_there_and_repairs_what_differs(house: Instance, api: PrefectApi) -> None:
    known = {found["name"]: found["id"] for found in api.automations(one.title for one in automations.AUTOMATIONS)}
    assert len(known) == len(automations.AUTOMATIONS), "the services made them at their start"
    assert automations.ensure(api, house) == 0
    first = automations.AUTOMATIONS[0]
    webhook = str(api.webhook(automations.BLOCK)["id"])
    other = {**first.content(webhook), "description": "von Hand geändert", "enabled": False}
    api.write_automation(other, known[first.title])
    moved = {"method": "POST", "url": "http://127.0.0.1:9/", "headers": {}, "allow_private_urls": True, "verify": True}
    api.write_webhook(automations.BLOCK, moved, webhook)
    assert automations.ensure(api, house) == 2
    again = api.automations([first.title])[0]
    assert (again["id"], again["description"], again["enabled"]) == (known[first.title], first.description, False)
    assert api.webhook(automations.BLOCK)["data"]["url"] == house.notice_url
    api.write_automation({**first.content(webhook), "enabled": True}, known[first.title])
    assert automations.ensure(api, house) == 0


def test_late_crashed_and_failed_runs_are_told_once_and_shown(services: Services, house: Instance, api: PrefectApi) -> None:
    assert automations.ensure(api, house, HURRIED) == 1
    runs = {}
    for trouble in (RunTrouble.LATE, RunTrouble.CRASHED, RunTrouble.FAILED):  # late takes longest, so it begins
        runs[trouble] = become(api, trouble)
        until(lambda known=trouble: known is RunTrouble.LATE or told(trouble=known), 20, f"{trouble} is told")
    again = {"type": "CRASHED", "name": "Crashed", "message": "vom Worker ein zweites Mal gemeldet"}
    assert api.set_state(runs[RunTrouble.CRASHED], again, force=True) == "ACCEPT"
    until(lambda: told(message=again["message"]), 20, "the second report")
    until(lambda: told(trouble=RunTrouble.LATE), 30, "late is told")
    found = told()
    assert {note.trouble: note.flow_run_id for note in found} == runs
    assert len(found) == len(runs)
    assert {note.flow for note in found} == {"Liegengeblieben"}
    assert next(n for n in found if n.trouble is RunTrouble.FAILED).message == '»Failed«\nund "mehr"'
    metrics = {m.name: m for m in House(house).collect()}
    person = {s.labels["queue"]: s.value for s in metrics["drehkreuz_queue_needs_person"].samples}
    assert person["run_notices"] == 1
    doctor = services.command("doctor", "--json")
    assert '"Auffällige Läufe"' in doctor.stdout
    assert doctor.returncode == 3


def test_what_no_automation_told_is_made_up_for(house: Instance, api: PrefectApi) -> None:
    before = told()
    with unit_of_work("test") as session:
        session.execute(sa.delete(RunNotice).where(RunNotice.trouble == RunTrouble.FAILED))
    assert notices.make_up(api, real_now(), NOW) == 1
    assert notices.make_up(api, real_now(), NOW) == 0
    assert {(n.flow_run_id, n.trouble) for n in told()} == {(n.flow_run_id, n.trouble) for n in before}


def test_what_goes_on_needs_nobody_any_more(house: Instance, api: PrefectApi) -> None:
    assert notices.settle(api) == 0
    open_ones = {note.trouble: note for note in told(settled_at=None)}
    assert api.set_state(open_ones[RunTrouble.LATE].flow_run_id, {"type": "CANCELLED", "name": "Cancelled"}, force=True)
    assert notices.settle(api) == 1
    other = str(api.create_run("liegt", {"month": "2026-10"})["id"])
    for state in ("RUNNING", "COMPLETED"):
        api.set_state(other, {"type": state, "name": state.title()}, force=True)
    assert notices.settle(api) == 0, "it was asked for something else"
    same = str(api.create_run("liegt", {"month": ""})["id"])
    for state in ("RUNNING", "COMPLETED"):
        api.set_state(same, {"type": state, "name": state.title()}, force=True)
    assert notices.settle(api) == 2
    with unit_of_work("test") as session:
        assert run_notices.unsettled(session) == []
    assert notices.make_up(api, real_now(), NOW) == 0, "what is settled stays so"
