"""A mail server that puts everything off for a day: tried ever more rarely, a person hears of it, nothing lost, nothing twice."""

import datetime as dt

import pytest
import sqlalchemy as sa
import time_machine

from actions.mail import dispatch, outbox
from actions.mail.outbox import NewMail
from integrations.mail.types import MailTexts
from kit import clock
from kit.database import unit_of_work
from models.parties import House
from models.plumbing import OutboxMail
from models.service_desk import Ticket, TicketState
from tasks import mail_dispatch as post
from tests import factories as make
from tests.hostile_smtp import HostileSmtp, Plan

TEXTS = MailTexts("Servicebericht SB-2026-000001", "Anbei der Bericht.\n", "<p>Anbei</p>")
START = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)


@pytest.fixture
def putting_off(committed: None, monkeypatch: pytest.MonkeyPatch) -> HostileSmtp:
    """One mail waits; the server takes none."""
    server = HostileSmtp([Plan(data="451 4.3.0 later")])
    for name, value in {"HOST": "127.0.0.1", "PORT": str(server.port), "TLS": "none", "TIMEOUT": "5"}.items():
        monkeypatch.setenv(f"DREHKREUZ_SMTP_{name}", value)
    return server


def queue() -> int:
    with unit_of_work("test") as session:
        make.house(session)
        customer = make.customer(session)
        house = session.scalars(sa.select(House)).one()
        mail = NewMail("report:SB-2026-000001:1", "service_report", ("empfang@kunde.example",), TEXTS, customer.id)
        return outbox.queue(session, house, [mail])[mail.key]


def row(mail_id: int) -> OutboxMail:
    with unit_of_work("test") as session:
        return session.get_one(OutboxMail, mail_id)


def tasks(state: TicketState) -> list[str]:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(Ticket.subject).where(Ticket.state == state)))


def test_a_day_of_451_then_it_goes_out_once(putting_off: HostileSmtp) -> None:
    waits = []
    with putting_off, time_machine.travel(START, tick=False) as now:
        mail_id = queue()
        while clock.now() < START + dt.timedelta(hours=25):
            post.send_queued()
            later = row(mail_id).retry_at
            assert later is not None
            waits.append(round((later - clock.now()).total_seconds() / 60))
            now.move_to(later)
        assert waits[:6] == list(dispatch.RETRY_MINUTES)
        assert set(waits[6:]) == {60}
        assert putting_off.taken == []
        assert tasks(TicketState.NEW) == ["Mail wird seit einem Tag nicht angenommen: Servicebericht SB-2026-000001"]
        putting_off.plans[:] = [Plan()]
        assert post.send_queued().accepted == 1
        assert post.send_queued(force=True).states == {}
        assert len(putting_off.taken) == 1
        assert tasks(TicketState.NEW) == []


def test_a_clock_that_jumped_ahead_and_back_holds_no_mail_for_a_year(putting_off: HostileSmtp) -> None:
    with putting_off, time_machine.travel(START, tick=False) as now:
        mail_id = queue()
        now.move_to(START + dt.timedelta(days=3))
        post.send_queued()
        assert row(mail_id).retry_at == START + dt.timedelta(days=3, minutes=1)
        now.move_to(START + dt.timedelta(minutes=5))
        putting_off.plans[:] = [Plan()]
        assert post.send_queued().accepted == 1
