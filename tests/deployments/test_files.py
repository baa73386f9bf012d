"""prefect.yaml, the settings page, the entrance: files that must fit what they speak of."""

import asyncio
import datetime as dt
import hashlib
import inspect
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from deployments import bootstrap, settings_page
from deployments.catalogue import startable
from deployments.deploy import PREFECT_FILE, fingerprint
from deployments.doorbell import BELLS
from deployments.prefect_database import rewritten
from kit import clock

KNOWN_KEYS = {
    "name",
    "entrypoint",
    "description",
    "tags",
    "parameters",
    "schedules",
    "work_pool",
    "triggers",
    "concurrency_limit",
}


def test_prefect_yaml_holds_only_keys_that_prefect_reads() -> None:
    """Prefect ignores a misspelt key without a word."""
    content = yaml.safe_load(PREFECT_FILE.read_text("utf-8"))
    for entry in content["deployments"]:
        assert set(entry) <= KNOWN_KEYS, entry["name"]
        assert entry["work_pool"]["name"] == "drehkreuz"
        assert entry["description"]
        for schedule in entry.get("schedules", []):
            assert set(schedule) <= {"cron", "rrule", "interval", "timezone", "slug", "active", "parameters"}
            assert schedule["timezone"] == "Europe/Berlin"
            assert schedule["slug"]


def test_prefect_accepts_prefect_yaml() -> None:
    """One invalid schedule would make the whole file invalid."""
    from prefect.cli.deploy._models import PrefectYamlModel

    PrefectYamlModel.model_validate(yaml.safe_load(PREFECT_FILE.read_text("utf-8")))


@pytest.mark.parametrize("first", [dt.date(2026, 10, 20), dt.date(2027, 3, 23)], ids=["autumn", "spring"])
def test_every_schedule_keeps_its_time_of_day_over_the_clock_change(first: dt.date) -> None:
    """Prefect's own reckoning: ten days over the last Sunday, each day once, at the same time in Berlin."""
    from prefect.server.schemas.schedules import CronSchedule

    begin = clock.at_local(first)
    daily = 0
    for entry in yaml.safe_load(PREFECT_FILE.read_text("utf-8"))["deployments"]:
        for schedule in entry.get("schedules", []):
            planned = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
            found = asyncio.run(planned.get_dates(n=10, start=begin, end=begin + dt.timedelta(days=10)))
            local = [clock.local(instant) for instant in found]
            minute, hour, *rest = schedule["cron"].split()
            if rest == ["*", "*", "*"] and hour.isdigit():
                assert [day.date() for day in local] == [first + dt.timedelta(days=n) for n in range(10)]
                assert {(day.hour, day.minute) for day in local} == {(int(hour), int(minute))}
                daily += 1
    assert daily >= 4


def test_every_entrypoint_is_a_function_with_parameters_that_a_form_can_show() -> None:
    for flow in startable().values():
        function = flow.load()
        assert inspect.getdoc(function), flow.name
        for parameter in inspect.signature(function, eval_str=True).parameters.values():
            assert parameter.annotation in {str, bool, int, dt.date, dt.date | None}, (flow.name, parameter)


def test_every_bell_calls_a_flow_that_is_also_swept() -> None:
    swept = {f"{flow.module}:{flow.function}" for flow in startable().values()}
    assert set(BELLS) <= swept
    for place in BELLS:
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(module), name))


def test_the_fingerprint_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "prefect.yaml"
    file.write_text("deployments: []")
    before = fingerprint(file)
    file.write_text("deployments: [] ")
    assert fingerprint(file) != before


def test_the_settings_page_is_current() -> None:
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "python -m deployments.settings_page"


@pytest.mark.parametrize(
    ("statement", "german"),
    [
        ("CREATE EXTENSION IF NOT EXISTS pg_trgm;", "select 1"),
        ("CREATE INDEX x ON flow USING gin (name gin_trgm_ops);", "CREATE INDEX x ON flow USING hash (name);"),
        ("CREATE INDEX y ON block_schema USING gin (capabilities)", "CREATE INDEX y ON block_schema USING gin (capabilities)"),
    ],
)
def test_trigram_indexes_become_hash_indexes(statement: str, german: str) -> None:
    assert rewritten(statement) == german


def test_the_environment_is_rebuilt_when_a_lock_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCK", "DEV_LOCK"):
        lock = tmp_path / f"{name}.lock"
        lock.write_text(hashlib.sha256(name.encode()).hexdigest())
        monkeypatch.setattr(bootstrap, name, lock)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    assert not bootstrap.is_complete(tests=False)
    bootstrap._stamp(tests=False)
    assert bootstrap.is_complete(tests=False)
    assert not bootstrap.is_complete(tests=True)
    bootstrap._stamp(tests=True)
    assert bootstrap.is_complete(tests=True)
    bootstrap.DEV_LOCK.write_text("anders")
    assert bootstrap.is_complete(tests=False)
    assert not bootstrap.is_complete(tests=True)
    bootstrap.LOCK.write_text("anders")
    assert not bootstrap.is_complete(tests=False)
