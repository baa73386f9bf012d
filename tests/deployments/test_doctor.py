"""`doctor` says where help is written down: database away, services that stand still, services started twice."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from deployments import checks, cli, doorbell
from deployments.health import SILENT_AFTER, Health
from deployments.instance import Instance
from deployments.prefect_api import PrefectApi
from deployments.readiness import LISTENS, background_answers, listening_homes, signature
from kit.database import Role, dispose_engines, url
from kit.process import free_port
from tests.servers import wait_until

RUNBOOKS = Path(__file__).resolve().parents[2]


def by_name(found: list[checks.Finding]) -> dict[str, checks.Finding]:
    return {finding.check: finding for finding in found}


@pytest.fixture
def standing_still(home: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """A home whose supervisor lives while nothing that it started answers."""
    monkeypatch.setattr(Instance, "running", lambda _self: True)
    return Instance(home, free_port(), free_port(), free_port(), free_port())


def test_a_database_that_is_away_is_the_first_finding_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    monkeypatch.setenv("DREHKREUZ_DATABASE_URL", f"postgresql://haus:geheim@127.0.0.1:{free_port()}/drehkreuz")
    assert cli.run(["doctor", "--json"]) == 1
    dispose_engines()
    told = capsys.readouterr()
    found = {check["check"]: check for check in json.loads(told.out)["checks"]}
    assert next(iter(found)) == "Datenbank"
    assert (found["Datenbank"]["state"], found["Datenbank"]["remedy"]) == ("failed", checks.DATABASE_AWAY)
    assert "nicht erreichbar" in found["Datenbank"]["detail"]
    assert found["PDF-Satz"]["state"] == "ok"
    assert "Archiv" not in found, "what only the database knows is not guessed"
    assert "geheim" not in told.out + told.err


def test_services_that_stand_still_name_their_page(standing_still: Instance) -> None:
    found = by_name(list(checks.examine(standing_still)))
    for name in ("Prefect-Server", "Worker", "Relay und Keeper", "Türklingel", "Portal"):
        assert found[name].state == checks.FAILED, name
        assert checks.STOOD_STILL in found[name].remedy, name


def test_services_that_were_never_started_name_it_too(home: Path) -> None:
    found = by_name(list(checks.examine(Instance(home, free_port(), free_port(), free_port(), free_port()))))
    assert found["Türklingel"].state == checks.OFF
    assert checks.STOOD_STILL in found["Türklingel"].remedy


def test_a_worker_that_was_heard_of_long_ago_is_none(standing_still: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {"status": "OFFLINE", "last_heartbeat_time": "2026-11-01T06:00:00+00:00"}
    monkeypatch.setattr(PrefectApi, "workers", lambda _self, _pool: [silent])
    found = checks._worker(standing_still)
    assert (found.state, checks.STOOD_STILL in found.remedy) == (checks.FAILED, True)
    assert "zuletzt gehört 01.11.2026 07:00" in found.detail


def test_a_loop_that_hangs_does_not_answer(home: Path) -> None:
    health = Health("background", listen="127.0.0.1:0")
    target = Instance(home, 1, 2, 3, health.port)
    try:
        assert background_answers(target)
        health._beat -= SILENT_AFTER + 1
        assert not background_answers(target)
    finally:
        health.close()
    assert not background_answers(target)


def test_services_of_two_homes_on_one_database_are_named(home: Path, tmp_path: Path) -> None:
    target, stop, heard = Instance(home, 1, 2, 3, 4), threading.Event(), threading.Event()
    listening = threading.Thread(target=doorbell.listen, args=([], stop, heard.set))
    listening.start()
    try:
        assert heard.wait(20)
        assert len(listening_homes()) == 1
        assert list(checks._twice(target)) == []
        address = url(Role.APP).set(drivername="postgresql").render_as_string(hide_password=False)
        other = tmp_path / ("tief" * 20) / "zweites"
        with psycopg.connect(address, application_name=signature(LISTENS, other)):
            (found,) = checks._twice(target)
            assert found.state == checks.PERSON
            assert found.remedy == checks.TWICE
            assert "zweites" in found.detail
            assert str(home)[-20:] in found.detail
        gone: Callable[[], bool] = lambda: list(checks._twice(target)) == []  # noqa: E731
        wait_until(gone, "the second one is gone")
    finally:
        stop.set()
        listening.join(20)


@pytest.mark.parametrize("page", [checks.DATABASE_AWAY, checks.STOOD_STILL, checks.TWICE])
def test_the_pages_exist(page: str) -> None:
    assert (RUNBOOKS / page).is_file()
