"""Two workers at once, and a worker that dies half-way: nothing lost, nothing doubled (S18)."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.maintenance.round import Range, create_due
from flows.maintenance_round import maintenance_round
from kit import clock
from kit.database import unit_of_work
from kit.steps import Outcome
from models.maintenance import AgreedCheck, DueDate
from models.plumbing import NumberRange
from models.service_desk import Message, Ticket, TicketEvent
from rules.catch_up import CatchUp
from tests import factories as make
from tests.maintenance.making import write

TODAY = dt.date(2026, 1, 19)
PLANS = 60


def _company() -> None:
    """Sixty weekly plans of three customers, three dates open, every policy in turn."""
    with unit_of_work("test") as session:
        make.employee(session)
        for _ in range(3):
            customer = make.customer(session)
            session.add_all(
                AgreedCheck(
                    customer_id=customer.id, check=f"Prüfung {n}", cadence="FREQ=WEEKLY;BYDAY=MO",
                    starts_on=dt.date(2026, 1, 5), catch_up=list(CatchUp)[n % 4],
                )
                for n in range(PLANS // 3)
            )  # fmt: skip
    with unit_of_work("test") as session:
        write(session, TODAY)


def _right() -> None:
    """15 plans of each policy: all makes three tickets, the others one; every date has its end."""
    with unit_of_work("test") as session:
        tickets = session.scalar(sa.select(sa.func.count()).select_from(Ticket))
        assert tickets == PLANS // 4 * (3 + 1 + 1 + 1)
        for table in (Message, TicketEvent):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == tickets
        assert session.scalar(sa.select(NumberRange.last)) == tickets, "no number is left out"
        states = dict(
            session.execute(
                sa.select(DueDate.state, sa.func.count()).where(DueDate.due_on <= TODAY).group_by(DueDate.state)
            ).tuples().all()
        )  # fmt: skip
        assert states == {"created": PLANS // 4 * (3 + 1 + 3 + 1), "skipped": PLANS // 4 * (2 + 2)}
        dates_per_ticket = session.scalars(
            sa.select(sa.func.count()).select_from(DueDate).where(DueDate.ticket_id.is_not(None)).group_by(DueDate.ticket_id)
        )
        assert sorted(dates_per_ticket) == [1] * (PLANS // 4 * 5) + [3] * (PLANS // 4)


def _drain(errors: list[BaseException], start: threading.Barrier) -> None:
    try:
        start.wait(10)
        after = 0
        while True:
            with unit_of_work("test") as session:
                part = create_due(session, Range(TODAY, TODAY), after=after, limit=4)
            if not part.plans:
                return
            after = part.last_id
    except BaseException as error:  # noqa: BLE001 - shown by the test
        errors.append(error)


def test_two_workers_at_once(committed: None) -> None:
    _company()
    errors: list[BaseException] = []
    start = threading.Barrier(3)
    workers = [threading.Thread(target=_drain, args=(errors, start)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not errors
    _drain(errors, threading.Barrier(1))
    assert not errors
    _right()


_WORKER = """
import datetime as dt, sys, time
from kit import clock
from kit.database import unit_of_work
from actions.maintenance.round import Range, create_due
today, after = dt.date.fromisoformat(sys.argv[1]), 0
while True:
    with unit_of_work("test") as session:
        part = create_due(session, Range(today, today), after=after, limit=5)
        print(part.plans, flush=True)
        time.sleep(0.3)  # the work of the batch is done, its commit is not
    if not part.plans:
        break
    after = part.last_id
"""


@pytest.mark.parametrize("batches", [1, 3])
def test_a_worker_that_is_killed_half_way(committed: None, home: Path, batches: int) -> None:
    _company()
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, TODAY.isoformat()],
        cwd=Path(__file__).parents[2], env={**os.environ, "DREHKREUZ_HOME": str(home)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert worker.stdout is not None
    for _ in range(batches):
        assert worker.stdout.readline().strip() == "5"
    worker.send_signal(signal.SIGKILL)  # inside the transaction of that batch
    worker.wait(10)
    worker.stdout.close()
    with unit_of_work("test") as session:
        made = session.scalar(sa.select(sa.func.count()).select_from(Ticket)) or 0
        assert made < PLANS // 4 * 6
    _drain_to_the_end()
    _right()


def _drain_to_the_end() -> None:
    """The dead worker's locks go with its connection; until then its plans are passed over."""
    errors: list[BaseException] = []
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        _drain(errors, threading.Barrier(1))
        assert not errors
        with unit_of_work("test") as session:
            if not session.scalar(sa.select(sa.func.count()).where(DueDate.state == "planned", DueDate.due_on <= TODAY)):
                return
    pytest.fail("dates stay open")


def test_the_flow_as_a_person_starts_it(committed: None) -> None:
    clock.set_today(TODAY)
    _company()
    seen = maintenance_round(first=dt.date(2026, 1, 1), last=TODAY, preview=True)
    assert isinstance(seen, Outcome)
    assert seen.summary == "Vorschau: Diese 90 Tickets würden entstehen, 60 Termine ausgelassen."
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == 0
    done = maintenance_round()
    assert done.summary.startswith("Wartungsrunde 19.01.2026: 90 Tickets für 120 Termine, 60 Termine ausgelassen")
    again = maintenance_round()
    assert again.summary.startswith("Wartungsrunde 19.01.2026: 0 Tickets")
