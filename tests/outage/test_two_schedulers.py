"""Two of everything by mistake on one database: the second home is refused; each mail leaves once, each number is given once."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from actions.mail import outbox
from actions.mail.outbox import NewMail
from deployments.checks import _twice
from deployments.instance import instance
from deployments.readiness import LISTENS, signature
from deployments.relay import Relay
from deployments.supervisor import Supervisor
from deployments.tenure import Tenure
from integrations.mail.sink import sunk_mails
from integrations.mail.types import MailTexts
from kit.database import Role, engine, unit_of_work, url
from kit.errors import ConflictError
from models.billing import Invoice
from models.parties import House
from models.plumbing import OutboxEvent
from tasks import mail_dispatch as post
from tests import factories as make
from tests.outage import world
from tests.servers import SinkProcess, wait_until


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


def _end_session_of(held: Tenure) -> None:
    """As when the database falls, or the machine that held it."""
    with engine(Role.OWNER).connect() as connection:
        found = connection.scalars(
            sa.text("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = :name"),
            {"name": held.signed},
        )
        assert found.all() == [True]


@pytest.mark.usefixtures("home")
def test_services_of_a_second_home_on_one_database_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    target, said = instance(), list[str]()
    with Tenure(tmp_path / "erstes-haus"):
        second = Supervisor(target, said.append)
        with pytest.raises(ConflictError, match=r"laufen sie bereits in .*/erstes-haus .*zweimal-gestartet"):
            second.start()
        assert second.children == []
        assert not target.running()
    with Tenure(target.home):  # the refused one kept nothing, and the first one's end let go
        pass


@pytest.mark.usefixtures("home")
def test_after_the_database_was_away_the_house_is_taken_again_or_the_quicker_one_is_named(tmp_path: Path) -> None:
    first, second = Tenure(tmp_path / "erstes"), Tenure(tmp_path / "zweites")
    with first:
        _end_session_of(first)
        assert first.keep() == ""
        with pytest.raises(ConflictError, match="/erstes "):
            second.take()
        second.release()
        _end_session_of(first)
        with second:
            assert "/zweites " in first.keep()
        assert first.keep() == ""
        with pytest.raises(ConflictError, match="/erstes "):
            second.take()
        second.release()


def test_a_doorbell_of_another_home_keeps_services_away(home: Path, tmp_path: Path) -> None:
    """As a part of a house on several machines, or an `up` of an older version, has it."""
    address = url(Role.APP).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, application_name=signature(LISTENS, tmp_path / "anderes")):
        with pytest.raises(ConflictError, match="/anderes "), Tenure(home):
            pytest.fail("it was given")
        (found,) = _twice(instance())
        assert (found.state, found.check) == ("warning", "Dienste")
        assert found.detail.endswith("/anderes")
    wait_until(lambda: list(_twice(instance())) == [], "the other one is gone")
