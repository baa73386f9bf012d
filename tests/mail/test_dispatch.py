"""Never twice silently: what becomes of a mail when the server is friendly, refuses, stalls or hangs up."""

import datetime as dt
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default as default_policy

import pytest
import sqlalchemy as sa

from actions.mail import bounces, dispatch, outbox
from actions.mail.outbox import NewMail
from integrations.mail.types import MailTexts
from kit import clock
from kit.database import Role, engine, unit_of_work
from models.parties import Customer, House
from models.plumbing import ArchivedObject, InboxItem, OutboxMail
from models.service_desk import Ticket
from tasks import mail_dispatch as post
from tests import factories as make
from tests.hostile_smtp import HostileSmtp, Plan

TEXTS = MailTexts("Servicebericht SB-2026-000001", "Guten Tag,\nanbei der Bericht.\n", "<p>Guten Tag</p>")


@pytest.fixture
def customer_id(committed: None) -> int:
    with unit_of_work("test") as session:
        make.house(session)
        return make.customer(session).id


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileSmtp]:
    with HostileSmtp() as server:
        _use(monkeypatch, server)
        yield server


def _use(monkeypatch: pytest.MonkeyPatch, server: HostileSmtp) -> None:
    monkeypatch.setenv("DREHKREUZ_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DREHKREUZ_SMTP_PORT", str(server.port))
    monkeypatch.setenv("DREHKREUZ_SMTP_TLS", "none")
    monkeypatch.setenv("DREHKREUZ_SMTP_TIMEOUT", "1")


def queue(customer_id: int, key: str = "report:SB-2026-000001:1", *to: str) -> int:
    with unit_of_work("test") as session:
        house = session.scalars(sa.select(House)).one()
        mail = NewMail(key, "service_report", to or ("empfang@kunde.example",), TEXTS, customer_id)
        return outbox.queue(session, house, [mail])[key]


def states() -> dict[str, int]:
    with unit_of_work("test") as session:
        return outbox.counts(session)


def tasks() -> list[str]:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(Ticket.subject).where(Ticket.kind == "task").order_by(Ticket.id)))


def test_an_accepted_mail_is_archived_and_never_sent_again(customer_id: int, smtp: HostileSmtp) -> None:
    mail_id = queue(customer_id)
    assert queue(customer_id) == mail_id
    assert post.send_queued().accepted == 1
    assert post.send_queued().states == {}
    assert post.archive_sent() == 1
    with unit_of_work("test") as session:
        mail = session.get_one(OutboxMail, mail_id)
        assert mail.raw is None
        assert (
            outbox.raw_of(session, mail_id).replace(b"\r\n", b"\n").strip() == smtp.taken[0].raw.replace(b"\r\n", b"\n").strip()
        )
        kept = session.scalars(sa.select(ArchivedObject).where(ArchivedObject.key == mail.archive_key)).one()
        assert kept.retain_until == dt.date(clock.today().year + 9, 1, 1)
    assert len(smtp.taken) == 1


def test_a_final_refusal_is_a_bounce_and_opens_one_task(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp([Plan(rcpt={"empfang@kunde.example": "550 5.1.1 no such user"})]) as server:
        _use(monkeypatch, server)
        queue(customer_id)
        post.send_queued()
        post.send_queued(force=True)
    assert states() == {"bounced": 1}
    assert tasks() == ["Mail nicht zustellbar: Servicebericht SB-2026-000001"]


def test_a_passing_refusal_waits_and_then_goes(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp([Plan(rcpt={"empfang@kunde.example": "451 4.3.0 later"}), Plan()]) as server:
        _use(monkeypatch, server)
        queue(customer_id)
        post.send_queued()
        assert states() == {"queued": 1}
        assert post.send_queued().states == {}, "it pauses"
        assert post.send_queued(force=True).accepted == 1
    assert tasks() == []


def test_a_passing_fault_gives_up_after_days(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp([Plan(data="451 4.3.0 later")]) as server:
        _use(monkeypatch, server)
        queue(customer_id)
        post.send_queued()
        clock.set_today(clock.today() + dispatch.GIVE_UP_AFTER + dt.timedelta(days=1))
        post.send_queued()
    assert states() == {"bounced": 1}


@pytest.mark.parametrize("after_dot", ["drop-taken", "drop-lost", "stall-taken"])
def test_a_lost_answer_after_the_dot_is_unclear_and_not_repeated(
    customer_id: int, monkeypatch: pytest.MonkeyPatch, after_dot: str
) -> None:
    with HostileSmtp([Plan(after_dot=after_dot), Plan()]) as server:
        _use(monkeypatch, server)
        mail_id = queue(customer_id)
        post.send_queued()
        post.send_queued(force=True)
        assert states() == {"unclear": 1}
        assert len(server.taken) <= 1
        with unit_of_work("test") as session:
            outbox.resolve_unclear(session, mail_id, arrived=after_dot == "drop-taken", actor="Ina Innendienst")
        post.send_queued(force=True)
    assert states() == {"accepted": 1}
    assert tasks() == ["Mail unklar: Servicebericht SB-2026-000001"]


def test_a_server_that_is_away_stops_the_round_and_loses_nothing(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp() as server:
        _use(monkeypatch, server)
    for n in range(3):
        queue(customer_id, f"report:SB-2026-00000{n}:1")
    done = post.send_queued()
    assert "nicht erreichbar" in done.stopped
    assert states() == {"queued": 3}


def test_one_refused_recipient_of_two_is_told_but_blocks_nothing(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp([Plan(rcpt={"weg@kunde.example": "550 5.1.1 gone"})]) as server:
        _use(monkeypatch, server)
        queue(customer_id, "report:SB-2026-000001:1", "weg@kunde.example", "da@kunde.example")
        post.send_queued()
    assert states() == {"accepted": 1}
    assert tasks() == ["Ein Empfänger wurde abgelehnt: Servicebericht SB-2026-000001"]


def test_a_recipient_that_was_put_off_gets_the_same_mail_later(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileSmtp([Plan(rcpt={"grau@kunde.example": "451 4.7.1 greylisted"}), Plan()]) as server:
        _use(monkeypatch, server)
        queue(customer_id, "report:SB-2026-000001:1", "grau@kunde.example", "da@kunde.example")
        post.send_queued()
        post.send_queued(force=True)
    assert [taken.recipients for taken in server.taken] == [("da@kunde.example",), ("grau@kunde.example",)]
    assert server.taken[0].raw == server.taken[1].raw
    assert states() == {"accepted": 2}
    assert tasks() == []


def test_a_mail_in_flight_whose_sender_died_becomes_unclear(customer_id: int, smtp: HostileSmtp) -> None:
    mail_id = queue(customer_id)
    with unit_of_work("test") as session:
        assert dispatch.mark_in_flight(session, mail_id)
    post.send_queued(force=True)
    assert states() == {"unclear": 1}
    assert smtp.taken == []


def test_a_mail_that_another_process_is_sending_is_left_alone(customer_id: int, smtp: HostileSmtp) -> None:
    mail_id = queue(customer_id)
    with engine(Role.APP).connect() as other:
        assert post._lock(other, [mail_id]) == [mail_id]
        with unit_of_work("test") as session:
            dispatch.mark_in_flight(session, mail_id)
        post.send_queued(force=True)
        assert states() == {"in_flight": 1}
        post._unlock(other, [mail_id])
    assert smtp.taken == []


@pytest.mark.promise("U9")
def test_the_account_manager_hears_by_mail_what_came_back(customer_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once per document, with the address and the reason; a notice that comes back itself tells nobody."""
    with unit_of_work("test") as session:
        manager = make.employee(session, email="betreuung@probehaus.example")
        session.get_one(Customer, customer_id).account_manager_id = manager.id
    refusal = Plan(rcpt={"empfang@kunde.example": "550 5.1.1 no such user", manager.email: "550 5.7.1 full"})
    with HostileSmtp([refusal, refusal, refusal, refusal]) as server:
        _use(monkeypatch, server)
        queue(customer_id)
        post.send_queued()
        with unit_of_work("test") as session:
            notice = session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "bounce_notice")).one()
            said = message_from_bytes(notice.raw or b"", policy=default_policy).get_body(("plain",)).get_content()
        post.send_queued(force=True)
    assert notice.recipients == ["betreuung@probehaus.example"]
    assert "Servicebericht SB-2026-000001" in notice.subject
    for told in ("empfang@kunde.example: 550 5.1.1 no such user", "Die Rechnung dazu wartet", "Aufgabe T-", "/postausgang/"):
        assert told in said, told
    assert states() == {"bounced": 2}, "the notice came back too, and no further one was written"


@pytest.mark.promise("U9")
def test_a_bounce_that_comes_back_later_is_recognised(customer_id: int, smtp: HostileSmtp) -> None:
    mail_id = queue(customer_id)
    post.send_queued()
    with unit_of_work("test") as session:
        message_id = session.get_one(OutboxMail, mail_id).message_id
        raw = _delivery_status(message_id)
        assert bounces.take(session, raw)
        assert not bounces.take(session, raw), "the same raw mail is one item"
        assert bounces.take(session, b"From: x@kunde.example\r\nSubject: Drucker\r\n\r\nGeht nicht.\r\n")
    assert post.read_bounces() == 1
    assert states() == {"bounced": 1}
    with unit_of_work("test") as session:
        assert sorted(session.scalars(sa.select(InboxItem.state))) == ["done", "waiting"]


def _delivery_status(message_id: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.kunde.example\r\nTo: service@probehaus.example\r\nSubject: Undelivered Mail\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nnicht zustellbar\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.kunde.example\r\n\r\n"
        "Final-Recipient: rfc822; empfang@kunde.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 user unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()
