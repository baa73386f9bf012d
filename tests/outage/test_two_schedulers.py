"""Two of everything by mistake on one database: each mail leaves once, each number is given once."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from actions.mail import outbox
from actions.mail.outbox import NewMail
from deployments.relay import Relay
from integrations.mail.sink import sunk_mails
from integrations.mail.types import MailTexts
from kit.database import unit_of_work
from models.billing import Invoice
from models.parties import House
from models.plumbing import OutboxEvent
from tasks import mail_dispatch as post
from tests import factories as make
from tests.outage import world
from tests.servers import SinkProcess


def at_once(work: Callable[[], object], count: int = 2) -> None:
    """Run it in so many threads that begin together; a fault of one is a fault of the test."""
    start, faults = threading.Barrier(count), list[BaseException]()

    def run() -> None:
        start.wait(30)
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - told to the test
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []


def test_two_dispatchers_send_each_mail_once(sink: SinkProcess) -> None:
    with unit_of_work("test") as session:
        make.house(session)
        house = session.scalars(sa.select(House)).one()
        texts = MailTexts("Bericht", "x\n", "<p>x</p>")
        outbox.queue(session, house, [NewMail(f"report:{n}", "report", ("a@kunde.example",), texts) for n in range(20)])
    at_once(post.send_queued)
    post.send_queued()
    ids = Counter(line for m in sunk_mails(sink.folder) for line in m.raw.splitlines() if line.startswith(b"Message-ID"))
    assert len(ids) == 20
    assert set(ids.values()) == {1}
    with unit_of_work("test") as session:
        assert outbox.counts(session) == {"accepted": 20}


class Runs:
    """Prefect's answer to a relay: the same key is the same run."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def create_run(self, _name: str, _parameters: object, *, key: str, tags: list[str]) -> dict[str, str]:
        assert tags
        self.asked.append(key)
        return {"id": key}


def test_two_relays_start_one_run_per_row(committed: None) -> None:
    with unit_of_work("test") as session:
        session.add_all([OutboxEvent(deployment="monthly_billing", parameters={}, key=f"e{n}") for n in range(20)])
    runs = Runs()
    at_once(lambda: Relay(runs).round())  # type: ignore[arg-type]
    assert Counter(runs.asked).most_common(1)[0][1] == 1
    assert len(runs.asked) == 20


@pytest.mark.slow
def test_two_visits_of_one_month_give_each_number_once(billed: SinkProcess) -> None:
    world.work_in_november()
    world.release_only(world.NOVEMBER)
    at_once(lambda: world.monthly_billing("2026-11"))
    world.monthly_billing("2026-11")
    with unit_of_work("test") as session:
        numbers = sorted(session.scalars(sa.select(Invoice.number).where(Invoice.number.is_not(None))))
    assert numbers == [f"RE-2026-{n:06}" for n in range(1, len(numbers) + 1)]
    assert len(numbers) == 4
    ids = Counter(line for m in sunk_mails(billed.folder) for line in m.raw.splitlines() if line.startswith(b"Message-ID"))
    assert set(ids.values()) == {1}
