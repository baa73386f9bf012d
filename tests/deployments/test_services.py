"""The whole house as processes: start, what falls and rises again, what is left at the end. The order of the tests matters."""

import datetime as dt
import email
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa

from actions.billing import overview
from deployments import keeper, notices
from deployments.catalogue import startable
from deployments.instance import POOL
from deployments.keeper import INTERRUPTED_ATTEMPTS, Patience, pause, tend
from deployments.latecomers import OVERTAKEN, thin
from deployments.prefect_api import PrefectApi
from deployments.readiness import doorbell_answers, portal_answers
from deployments.relay import idempotency_key
from deployments.schedules import idle_schedules
from integrations.mail.sink import sunk_mails
from kit import clock
from kit.database import notify, unit_of_work
from kit.steps import INTERRUPTED, OPEN_ITEMS
from models.plumbing import OutboxEvent
from rules.month import Month
from tests.deployments.conftest import ROOT, History, Services, prefect_rows, until
from tests.deployments.probing import KILLED_RELAY, begun, ended, flow_process, lines, noted, real_now, release_a_month, run_of

pytestmark = pytest.mark.slow

NO_PATIENCE = Patience(crashed=dt.timedelta(0))


@pytest.fixture(scope="module")
def probe(services: Services) -> Services:
    """The services with a small flow of our own besides the real ones."""
    services.wait_deployed()
    with services.here() as target, PrefectApi(target) as api:
        flow = api._ask("POST", "/flows/", {"name": "Probe"})["id"]
        body = {
            "name": "probe",
            "flow_id": flow,
            "entrypoint": "tests/deployments/probe_flows.py:probe",
            "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
            "work_pool_name": POOL,
            "tags": ["probe", keeper.RESUME],
            "schedules": [{"active": True, "schedule": {"cron": "0 6 L * *", "timezone": "Europe/Berlin"}}],
        }
        api._ask("POST", "/deployments/", body)
    return services


# --- start ---------------------------------------------------------------------------------------------------------------


def test_it_is_ready_when_portal_doorbell_and_server_answer(services: Services, api: PrefectApi) -> None:
    with services.here() as target:
        assert portal_answers(target)
        assert doorbell_answers()
    assert api.healthy()


def test_a_second_start_in_the_same_home_is_refused(services: Services) -> None:
    done = services.command("up")
    assert done.returncode == 1
    assert "laufen sie bereits" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_prefect_server_is_locked(services: Services) -> None:
    with services.here() as target:
        assert httpx.post(f"{target.prefect_url}/api/deployments/filter", json={}).status_code == 401


def test_prefects_role_sees_nothing_of_ours(services: Services) -> None:
    from deployments.prefect_database import url

    with services.here():
        stranger = sa.create_engine(url().set(drivername="postgresql+psycopg", database="drehkreuz"))
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            stranger.connect()
        stranger.dispose()


def test_every_flow_of_prefect_yaml_is_deployed_and_its_schedule_yields_runs(probe: Services, api: PrefectApi) -> None:
    assert set(startable()) <= {deployment["name"] for deployment in api.deployments()}
    later = real_now() + dt.timedelta(hours=1)
    until(lambda: not idle_schedules(api, later), 30, "scheduled runs")
    ahead = api.runs(deployments={"name": {"any_": ["probe"]}}, flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}})
    starts = sorted(dt.datetime.fromisoformat(run["expected_start_time"]) for run in ahead)
    assert starts
    local = clock.local(starts[0])
    assert (local.hour, (local.date() + dt.timedelta(days=1)).day) == (6, 1)  # the last day of the month, 6:00 in Berlin


def test_a_schedule_that_yields_nothing_is_noticed(api: PrefectApi) -> None:
    flow = api._ask("POST", "/flows/", {"name": "Leerlauf"})["id"]
    body = {"name": "leerlauf", "flow_id": flow, "entrypoint": "x.py:x"}
    past = {"active": True, "schedule": {"rrule": "DTSTART:20200101T000000\nFREQ=DAILY;COUNT=1", "timezone": "Europe/Berlin"}}
    made = api._ask("POST", "/deployments/", {**body, "schedules": [past]})["id"]
    assert "leerlauf" in idle_schedules(api, real_now() + dt.timedelta(hours=1))
    api._ask("DELETE", f"/deployments/{made}")


def test_after_ten_days_the_newest_late_run_of_a_schedule_is_made_up_and_the_older_are_overtaken(
    services: Services, api: PrefectApi
) -> None:
    flow = api._ask("POST", "/flows/", {"name": "Nachzügler"})["id"]
    often = {"active": True, "schedule": {"cron": "*/5 * * * *", "timezone": "Europe/Berlin"}}
    body = {"name": "nachzuegler", "flow_id": flow, "entrypoint": "x.py:x", "schedules": [often]}  # no pool: nobody takes them
    made = api._ask("POST", "/deployments/", body)["id"]

    def runs() -> dict[str, dict[str, Any]]:
        return {run["id"]: run for run in api.runs(deployments={"id": {"any_": [made]}})}

    planned = until(lambda: len(found := runs()) >= 12 and found, 30, "an hour ahead is planned")
    with services.here(), prefect_rows() as rows:
        back = "expected_start_time = expected_start_time - interval '10 days'"
        next_start = "next_scheduled_start_time = next_scheduled_start_time - interval '10 days'"
        statement = f"update flow_run set {back}, {next_start} where deployment_id = cast(:made as uuid)"
        rows.execute(sa.text(statement), {"made": made})
    thin(api, real_now())  # the keeper's process does the same
    until(lambda: thin(api, real_now()) == 0, 10, "nothing is left to overtake")
    after = {ident: run for ident, run in runs().items() if ident in planned}
    left = [run for run in after.values() if run["state"]["type"] == "SCHEDULED"]
    days = [clock.local(dt.datetime.fromisoformat(run["expected_start_time"])) for run in after.values()]
    assert len(left) == len({day.month for day in days})
    assert max(days) in [clock.local(dt.datetime.fromisoformat(run["expected_start_time"])) for run in left]
    assert {run["state"]["name"] for run in after.values()} - {"Late", "Scheduled"} == {OVERTAKEN}
    api._ask("DELETE", f"/deployments/{made}")


# --- what runs ------------------------------------------------------------------------------------------------------------


def test_a_ring_runs_the_flow_at_once_and_shows_as_a_run(services: Services, api: PrefectApi) -> None:
    def runs() -> list[dict[str, object]]:
        return api.runs(flows={"name": {"any_": ["Postausgang"]}}, flow_runs={"state": {"type": {"any_": ["COMPLETED"]}}})

    before = len(runs())
    with services.here(), unit_of_work("test") as session:
        notify(session, "mail_outbox")
    until(lambda: len(runs()) > before, 10, "the doorbell's run")


def test_run_follows_a_flow_to_its_end(probe: Services) -> None:
    done = probe.command("run", "mail_dispatch")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Postausgang: ")
    assert "Lauf eingeplant" in done.stderr
    assert "Lauf fertig" in done.stderr


def test_doctor_is_content(probe: Services) -> None:
    done = probe.command("doctor", "--json")
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, [check for check in checks.values() if check["state"] not in {"ok", "off"}]
    for name in ("Datenbank", "Prefect-Server", "Worker", "Deployments", "Zeitpläne", "Türklingel", "Portal", "Archiv", "Uhr"):
        assert checks[name]["state"] in {"ok", "warning"}, checks[name]


# --- relay ----------------------------------------------------------------------------------------------------------------


def _open_items_end_a_run_in_their_own_state(api: PrefectApi, run: dict[str, Any]) -> None:
    state = run["state"]
    assert (state["type"], state["name"]) == ("COMPLETED", OPEN_ITEMS)
    assert state["message"] == "Geschrieben.\n- Punkt 1\n- Punkt 2"
    assert [float(artifact["data"]) for artifact in api.progress(str(run["id"]))] == [100.0]


def test_a_row_becomes_exactly_one_run_although_the_relay_is_killed_at_the_worst_point(
    probe: Services, api: PrefectApi
) -> None:
    background = psutil.Process(probe.child("background"))
    background.suspend()  # its own relay must not be quicker than the one that is killed
    try:
        with probe.here(), unit_of_work("test") as session:
            rows = [
                OutboxEvent(deployment="probe", parameters={"word": "offen", "open_items": 2}),
                OutboxEvent(deployment="probe", parameters={"word": "schief", "fail": True}),
            ]
            session.add_all([*rows, OutboxEvent(deployment="gibt_es_nicht", parameters={})])
            session.flush()
            keys = [idempotency_key(row) for row in rows]
        for _ in range(2):
            killed = subprocess.run([sys.executable, "-c", KILLED_RELAY], cwd=ROOT, env=probe.environment(), check=False)
            assert killed.returncode == -signal.SIGKILL
    finally:
        background.resume()

    def marked() -> list[str]:
        with probe.here(), unit_of_work("test") as session:
            statement = sa.select(OutboxEvent.flow_run_id).where(
                OutboxEvent.deployment == "probe", OutboxEvent.dispatched_at.is_not(None)
            )
            return [str(run) for run in session.scalars(statement)]

    until(lambda: len(marked()) == 2, 20, "both rows dispatched")
    made = api.runs(flow_runs={"idempotency_key": {"any_": keys}})
    assert sorted(str(run["id"]) for run in made) == sorted(marked())
    done = {run["name"]: run for run in (ended(api, run_id) for run_id in marked())}
    _open_items_end_a_run_in_their_own_state(api, done["Probe offen"])
    assert done["Probe schief"]["state"]["type"] == "FAILED"
    assert sorted(lines(probe)) == ["begin offen", "begin schief", "end offen", "refused schief"]
    with probe.here(), unit_of_work("test") as session:
        bad = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.deployment == "gibt_es_nicht")).one()
        assert bad.dispatched_at is None
        assert "gibt es nicht" in str(bad.error)
        session.delete(bad)


# --- keeper ---------------------------------------------------------------------------------------------------------------


def test_the_keeper_resumes_a_killed_flow(probe: Services, api: PrefectApi) -> None:
    run_id = str(api.create_run("probe", {"word": "tod", "wait": "weiter"})["id"])
    begun(probe, "tod", 1)
    flow_process(run_id).kill()
    until(lambda: api.run(run_id)["state"]["type"] == "CRASHED", 20, "crashed")
    until(lambda: noted(probe, run_id) == ["crashed"], 10, "the house is told")
    until(lambda: tend(api, real_now(), Patience(crashed=dt.timedelta(seconds=8))), 30, "the keeper's hand")
    (probe.home / "weiter").touch()
    run = ended(api, run_id, 90)
    assert run["state"]["type"] == "COMPLETED"
    assert run["run_count"] == 2
    assert lines(probe).count("begin tod") == 2
    assert lines(probe).count("end tod") == 1
    with probe.here():
        notices.settle(api)
    assert noted(probe, run_id) == [], "done: it needs nobody"


def test_the_keeper_resumes_a_run_that_lost_database_or_store_and_no_other_failure(probe: Services, api: PrefectApi) -> None:
    kinds = ({"word": "fort", "lose": "database"}, {"word": "langsam", "lose": "store"}, {"fail": True})
    *lost, refused = (str(api.create_run("probe", about)["id"]) for about in kinds)
    until(lambda: {api.run(each)["state"]["name"] for each in lost} == {INTERRUPTED}, 60, "the runs are interrupted")
    assert ended(api, refused)["state"]["name"] == "Failed"
    assert tend(api, real_now(), Patience(interrupted=dt.timedelta(hours=1))) == 0, "not yet"
    assert tend(api, real_now(), Patience(interrupted=dt.timedelta(0))) == 2
    until(lambda: {api.run(each)["state"]["type"] for each in lost} == {"COMPLETED"}, 60, "the same runs go on")
    assert [api.run(each)["run_count"] for each in lost] == [2, 2]
    assert (lines(probe).count("end fort"), lines(probe).count("end langsam")) == (1, 1)
    assert api.run(refused)["state"]["name"] == "Failed", "a refusal is final"


def test_an_interrupted_run_rests_longer_each_time_and_over_an_hour_in_all() -> None:
    first = Patience().interrupted
    pauses = [pause(attempts, first) for attempts in range(1, INTERRUPTED_ATTEMPTS)]
    assert [each.total_seconds() / 60 for each in pauses] == [1, 2, 4, 8, 16, 30, 30]
    assert pause(0, first) == first


def test_the_keeper_frees_a_run_that_is_stuck_before_its_start(probe: Services, api: PrefectApi) -> None:
    run_id = str(api.create_run("probe", {"word": "steckt"})["id"])
    stuck = {"type": "PENDING", "name": "Pending", "message": "von einem Worker, den es nicht mehr gibt"}
    assert api.set_state(run_id, stuck, force=True) == "ACCEPT"
    until(lambda: api.run(run_id)["state"]["type"] == "PENDING", 5)
    assert tend(api, real_now(), Patience()) == 0  # not yet
    assert tend(api, real_now(), Patience(pending=dt.timedelta(0))) >= 1
    assert ended(api, run_id)["state"]["type"] == "COMPLETED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_ends_in_the_middle_of_a_run_costs_nothing(probe: Services, api: PrefectApi, number: int) -> None:
    """Prefect leaves such a run RUNNING or CRASHED for ever; the services' own keeper takes it up, nobody else touches it."""
    word = f"Arbeiter-{number}"
    run_id = str(api.create_run("probe", {"word": word, "wait": word})["id"])
    begun(probe, word, 1)
    worker, process = probe.child("worker"), flow_process(run_id)
    os.kill(worker, number)
    until(lambda: probe.child("worker") not in {worker, None}, 30, "new worker")
    if number == signal.SIGKILL:
        process.kill()  # else it lives on without its worker and ends as usual
    (probe.home / word).touch()
    assert ended(api, run_id, 120)["state"]["type"] == "COMPLETED"
    assert lines(probe).count(f"end {word}") == 1


def test_a_worker_killed_while_it_submits_a_month_costs_nothing(probe: Services, api: PrefectApi) -> None:
    """The services' own keeper does the same after two minutes by itself (measured: docs/runbooks/rechnungslauf-steht.md)."""
    month = Month.of(clock.today()).plus(-1)
    with probe.here():
        release_a_month(month)
    run_id = until(lambda: run_of(probe, f"billing-release:{month}"), 30, "the relay has made a run of the release")
    until(lambda: api.run(run_id)["state"]["type"] == "PENDING", 60, "the worker has taken the run")
    os.kill(probe.child("worker"), signal.SIGKILL)
    quick = Patience(pending=dt.timedelta(seconds=40), crashed=dt.timedelta(seconds=8))

    def over() -> bool:
        tend(api, real_now(), quick)
        return str(api.run(run_id)["state"]["type"]) == "COMPLETED"

    until(over, 240, "the run is made up for")
    with probe.here() as target, unit_of_work("test") as session:
        told = overview.show(session, month)
        sent = [email.message_from_bytes(mail.raw) for mail in sunk_mails(target.mail_folder)]
    year = clock.today().year
    assert told["state"] == "done"
    assert [i["number"] for c in told["customers"] for i in c["invoices"]] == [f"RE-{year}-00000{n}" for n in (1, 2)]
    assert [c["report"]["id"] for c in told["customers"]] == [f"SB-{year}-00000{n}" for n in (1, 2)]
    assert told["totals"]["net"] == "190.00"
    assert len(sent) == len({mail["Message-ID"] for mail in sent}) == 3, "two reports and an e-invoice, each once"


def test_after_four_attempts_a_person_is_asked(probe: Services, api: PrefectApi) -> None:
    flow = api._ask("POST", "/flows/", {"name": "Gift"})["id"]
    made = api._ask("POST", "/deployments/", {"name": "gift", "flow_id": flow, "entrypoint": "x.py:x", "tags": [keeper.RESUME]})
    run_id = str(api.create_run("gift", {})["id"])
    for attempt in range(1, keeper.ATTEMPTS + 1):
        assert api.set_state(run_id, {"type": "CRASHED", "name": "Crashed"}, force=True) == "ACCEPT"
        assert tend(api, real_now(), NO_PATIENCE) == 1, attempt
    run = api.run(run_id)
    assert keeper.GIVEN_UP in run["tags"]
    assert run["state"]["type"] == "CRASHED"
    assert tend(api, real_now(), NO_PATIENCE) == 0
    report = json.loads(probe.command("doctor", "--json").stdout)
    assert [check["state"] for check in report["checks"] if check["check"] == "Läufe"] == ["person"]
    api._ask("DELETE", f"/flow_runs/{run_id}")
    api._ask("DELETE", f"/deployments/{made['id']}")


# --- what falls -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("history")  # aged before the server starts again: its first round is then at once
@pytest.mark.parametrize("name", ["portal", "prefect", "doorbell", "background"])
def test_what_falls_is_started_again(services: Services, api: PrefectApi, name: str) -> None:
    before = services.child(name)
    os.kill(before, signal.SIGKILL)
    until(lambda: services.state()["children"][name]["pid"] not in {before, None}, 20, "new process")
    with services.here() as target:
        until(lambda: portal_answers(target) and api.healthy() and doorbell_answers(), 40, "all answer again")


def test_prefect_forgets_what_is_older_than_its_bounds(services: Services, history: History) -> None:
    """The server's own rounds, with the settings of the services: runs go after 90 days with their logs, events after 7."""
    young = {kind: {89} for kind in ("runs", "logs", "events")}
    until(lambda: history.left(services) == young, 120, "what is old is gone, what is young is there")


def test_the_database_is_started_again(services: Services) -> None:
    with services.here() as target:
        postmaster = int((target.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        until(lambda: not psutil.pid_exists(postmaster) or psutil.Process(postmaster).status() == psutil.STATUS_ZOMBIE, 10)
        until(lambda: portal_answers(target) and doorbell_answers(), 30, "portal and doorbell answer again")


# --- the end --------------------------------------------------------------------------------------------------------------


def test_kill_9_of_the_supervisor_leaves_nothing_of_the_home(probe: Services, api: PrefectApi) -> None:
    run_id = str(api.create_run("probe", {"word": "mitten", "wait": "nie"})["id"])
    begun(probe, "mitten", 1)
    assert flow_process(run_id).is_running()
    assert len(probe.everything()) > 8
    assert probe.kill(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not probe.everything(), 30, "nothing left")


def test_the_second_start_is_quick_and_a_dead_run_is_resumed_by_itself(services: Services, api: PrefectApi) -> None:
    (services.home / "nie").touch()
    services.start()
    assert "Deployments werden eingerichtet" not in (services.home / "up.log").read_text()
    services.wait_deployed()
    waiting = lambda: api.runs(flow_runs={"name": {"any_": ["Probe mitten"]}})[0]["state"]["type"] == "COMPLETED"  # noqa: E731
    until(waiting, 120, "the keeper of the services resumes the run")
    assert lines(services).count("end mitten") == 1


def test_sigterm_ends_everything(services: Services) -> None:
    assert services.kill(signal.SIGTERM) == 0
    assert services.everything() == []
    assert not Path(services.home / "run" / "services.json").exists()
