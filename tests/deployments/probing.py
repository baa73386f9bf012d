"""What the tests of the services ask of the small flow beside the real ones, and of a month that they release."""

import datetime as dt
import time
from typing import Any

import psutil
import sqlalchemy as sa

from actions.billing import preview, release
from deployments.prefect_api import PrefectApi
from kit import clock
from kit.database import unit_of_work
from models.plumbing import OutboxEvent, RunNotice
from rules.month import Month
from tests import factories as make
from tests.deployments.conftest import Services, until


def real_now() -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC)


def lines(services: Services) -> list[str]:
    path = services.home / "probe.txt"
    return path.read_text().splitlines() if path.exists() else []


def ended(api: PrefectApi, run_id: str, seconds: float = 60) -> dict[str, Any]:
    run = until(lambda: (found := api.run(run_id))["state"]["type"] in {"COMPLETED", "FAILED", "CANCELLED"} and found, seconds)
    assert isinstance(run, dict)
    return run


KILLED_RELAY = """
import os, signal
from deployments import relay
from deployments.instance import instance
from deployments.prefect_api import PrefectApi

class Killed(PrefectApi):
    def create_run(self, *args, **kwargs):
        made = super().create_run(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return made

relay.Relay(Killed(instance())).round()
"""


def flow_process(run_id: str) -> psutil.Process:
    """The process that works on the run."""

    def find() -> psutil.Process | None:
        for process in psutil.process_iter():
            try:
                if process.environ().get("PREFECT__FLOW_RUN_ID") == run_id and process.status() != psutil.STATUS_ZOMBIE:
                    return process
            except (psutil.Error, OSError):
                continue
        return None

    found = until(find, 20, "flow process")
    assert isinstance(found, psutil.Process)
    return found


def noted(services: Services, run_id: str) -> list[str]:
    """What stands of the run in the house, as Prefect's automations told it."""
    with services.here(), unit_of_work("test") as session:
        rows = sa.select(RunNotice.trouble).where(RunNotice.flow_run_id == run_id, RunNotice.settled_at.is_(None))
        return [trouble.value for trouble in session.scalars(rows)]


def begun(services: Services, word: str, times: int) -> None:
    until(lambda: lines(services).count(f"begin {word}") >= times, 40, f"{word} begins for the {times}. time")


def release_a_month(month: Month) -> None:
    """Two customers with an hour each, one wants the e-invoice; previewed and released."""
    with unit_of_work("test", bulk=True) as session:
        make.house(session)
        technician = make.employee(session)
        for number, delivery in (("K1", "post"), ("K2", "email_einvoice")):
            customer = make.customer(session, number=number, delivery=delivery)
            make.contact(session, customer)
            make.agreement(session, customer)
            ticket = make.ticket(session, customer, received_at=clock.at_local(month.first_day))
            make.entry(session, customer, technician, ticket, work_date=month.first_day, approved_at=clock.now())
    with unit_of_work("test") as session:
        seen = preview.build(session, month)
        release.release(session, month, seen.snapshot, "Ina Innendienst")


def run_of(services: Services, key: str) -> str:
    with services.here(), unit_of_work("test") as session:
        return session.scalar(sa.select(OutboxEvent.flow_run_id).where(OutboxEvent.key == key)) or ""
