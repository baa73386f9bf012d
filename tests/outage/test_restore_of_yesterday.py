"""Yesterday's backup comes back while mails had gone out since: nothing leaves twice, no number is given twice."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import restoration
from actions.billing.withdraw import withdraw_customer
from actions.mail import outbox, reconcile
from actions.mail.outbox import NewMail
from actions.numbers import next_numbers
from actions.restoration import HeldError
from deployments import cli
from integrations.mail import evidence
from integrations.mail.compose import message_id
from integrations.mail.sink import sunk_mails
from integrations.mail.types import MailTexts
from kit import clock
from kit.database import Role, engine, unit_of_work
from kit.errors import ConflictError, UsageError
from models.parties import House
from models.plumbing import MailState, OutboxMail
from tasks import mail_dispatch as post
from tests import factories as make
from tests.outage import world
from tests.servers import SinkProcess

MADE_AT = "report:SB-2026-000007:1"


def queue(key: str, subject: str, to: str = "empfang@kunde.example") -> int:
    with unit_of_work("test") as session:
        house = session.scalars(sa.select(House)).one()
        texts = MailTexts(subject, f"Anbei {subject}.\n", "<p>Anbei</p>")
        return outbox.queue(session, house, [NewMail(key, "service_report", (to,), texts)])[key]


def state_of(key: str) -> str:
    with unit_of_work("test") as session:
        return session.scalars(sa.select(OutboxMail.state).where(OutboxMail.key == key)).one().value


def numbers(prefix: str, count: int) -> list[str]:
    with unit_of_work("test") as session:
        return next_numbers(session, prefix, 2026, count)


@pytest.fixture
def gone_out(sink: SinkProcess) -> SinkProcess:
    """Two mails have left since the backup: one waited in it already, the other tells of number 9."""
    with unit_of_work("test") as session:
        make.house(session)
    queue("report:SB-2026-000006:1", "Servicebericht SB-2026-000006")
    queue("report:SB-2026-000009:1", "Servicebericht SB-2026-000009")
    assert post.send_queued().accepted == 2
    return sink


def restore_rows() -> None:
    """What a restore does to these rows: nothing is known of what was queued and numbered since."""
    with engine(Role.OWNER).begin() as connection:
        connection.execute(sa.text("TRUNCATE outbox_mail, number_range RESTART IDENTITY CASCADE"))
    with unit_of_work("test") as session:
        restoration.hold(session, clock.now(), "drehkreuz-gestern")


def test_nothing_leaves_and_nothing_is_numbered_before_the_mail_log_was_read(gone_out: SinkProcess, tmp_path: Path) -> None:
    restore_rows()
    queue("report:SB-2026-000006:1", "Servicebericht SB-2026-000006")
    assert "angehalten" in post.send_queued(force=True).stopped
    with pytest.raises(HeldError, match="mail reconcile"):
        numbers("T", 1)
    with pytest.raises(ConflictError, match="noch keine Quelle"), unit_of_work("test") as session:
        reconcile.resume(session, "Ina Innendienst")
    assert len(sunk_mails(gone_out.folder)) == 2

    with unit_of_work("test") as session:
        twice = [*evidence.read(gone_out.folder), *evidence.read(gone_out.folder)]
        done = reconcile.take(session, twice, {"RE-2026-000003": "SAP"})
    assert (done.settled, done.known, done.earlier) == (1, 0, 1), "two sources tell of the same mails"
    assert state_of("report:SB-2026-000006:1") == "accepted"
    assert done.lost[:3] == ["RE-2026-000001", "RE-2026-000002", "RE-2026-000003"]
    with unit_of_work("test") as session:
        assert reconcile.take(session, evidence.read(gone_out.folder)).lost == [], "a second reading changes nothing"
        reconcile.resume(session, "Ina Innendienst")

    assert numbers("T", 1) == ["T-2026-000001"]
    with pytest.raises(HeldError, match="nicht entschieden"):
        numbers("RE", 1)
    with unit_of_work("test") as session:
        sources = {row.number: row for row in reconcile.lost(session)}
        assert sources["SB-2026-000009"].subject == "Servicebericht SB-2026-000009"
        assert sources["SB-2026-000009"].raw
        assert sources["SB-2026-000008"].source == reconcile.NO_TRACE
        for number in sources:
            reconcile.decide(session, number, "gilt weiter", "Ina Innendienst")
    assert numbers("RE", 1) == ["RE-2026-000004"]
    assert numbers("SB", 1) == ["SB-2026-000010"]

    queue("report:SB-2026-000009:1", "Servicebericht SB-2026-000009")
    assert state_of("report:SB-2026-000009:1") == "accepted", "the same mail is noted as sent"
    post.send_queued(force=True)
    assert len(sunk_mails(gone_out.folder)) == 2


def test_another_mail_under_a_reused_key_asks_a_person(gone_out: SinkProcess) -> None:
    restore_rows()
    with unit_of_work("test") as session:
        reconcile.take(session, evidence.read(gone_out.folder))
    queue("report:SB-2026-000009:1", "Etwas anderes")
    assert state_of("report:SB-2026-000009:1") == "unclear"


def test_who_would_be_billed_again_is_named_until_all_is_decided(sink: SinkProcess, capsys: pytest.CaptureFixture[str]) -> None:
    world.settle_in()
    world.release_only(world.OCTOBER)
    queue("report:SB-2026-000009:1", "Servicebericht SB-2026-000009")
    assert post.send_queued().accepted == 1
    restore_rows()
    assert cli.run(["mail", "reconcile", str(sink.folder), str(sink.folder)]) == 3
    assert "1 gesendete Mails gelesen (in 2 Fundstellen)" in capsys.readouterr().out
    assert cli.run(["mail", "resume", "--by", "Ina Innendienst"]) == 3
    with unit_of_work("test") as session:
        waiting = restoration.still_to_bill(session)["2026-10"]
    assert waiting
    assert f"Lauf 2026-10 warten {', '.join(waiting)}." in capsys.readouterr().out
    with unit_of_work("test") as session:
        for number in [row.number for row in restoration.undecided(session)]:
            reconcile.decide(session, number, "gilt weiter", "Ina Innendienst")
        withdraw_customer(session, world.OCTOBER, waiting[0])
        assert waiting[0] not in restoration.still_to_bill(session).get("2026-10", [])
    assert cli.run(["mail", "lost"]) == 0
    assert "Achtung" not in capsys.readouterr().out


def test_without_any_trace_each_waiting_mail_is_decided_by_a_person(gone_out: SinkProcess) -> None:
    restore_rows()
    queue("report:SB-2026-000006:1", "Servicebericht SB-2026-000006")
    with unit_of_work("test") as session:
        assert reconcile.resume(session, "Ina Innendienst", without_log=True) == 1
    post.send_queued(force=True)
    assert state_of("report:SB-2026-000006:1") == MailState.UNCLEAR
    assert len(sunk_mails(gone_out.folder)) == 2


def test_a_number_far_away_is_a_mistake_and_nothing_is_kept(gone_out: SinkProcess) -> None:
    restore_rows()
    with pytest.raises(UsageError, match="weit vor dem Stand"), unit_of_work("test") as session:
        reconcile.take(session, [], {"RE-2026-900000": "vertippt"})
    with pytest.raises(UsageError, match="keine Nummer"), unit_of_work("test") as session:
        reconcile.take(session, [], {"RE 7": "vertippt"})
    with unit_of_work("test") as session:
        assert reconcile.lost(session) == []


def test_every_kind_of_source_is_read(tmp_path: Path) -> None:
    ident = message_id(MADE_AT, "haus.example")
    assert ident == message_id(MADE_AT, "haus.example"), "derived from the key, the same for ever"
    raw = f"From: a@haus.example\r\nTo: b@kunde.example\r\nSubject: Bericht SB-2026-000007\r\nMessage-ID: {ident}\r\n\r\nx\r\n"
    log = tmp_path / "mail.log"
    log.write_text(f"Nov 27 mx postfix/cleanup[1]: 4F1: message-id={ident}\nNov 27 mx dovecot: msgid=<other@x.example>\n")
    mbox = tmp_path / "Gesendet"
    mbox.write_bytes(f"From a@haus.example Fri Nov 27 04:00:00 2026\n{raw}\n".replace("\r\n", "\n").encode())
    maildir = tmp_path / "Maildir" / "cur"
    maildir.mkdir(parents=True)
    (maildir / "1:2,S").write_bytes(raw.encode())
    sunk = tmp_path / "sink"
    sunk.mkdir()
    (sunk / "1.eml").write_bytes(raw.encode())
    told = {"recipients": ["c@kunde.example"], "received_at": "2026-11-27T04:00:00+00:00"}
    (sunk / "1.json").write_text(json.dumps(told))
    for place in (log, mbox, tmp_path / "Maildir", sunk):
        (found,) = evidence.read(place)
        assert found.message_id == ident
        assert found.numbers == (() if place == log else ("SB-2026-000007",))
    assert next(evidence.read(sunk)).recipients == ("c@kunde.example",)
    with pytest.raises(evidence.EvidenceError, match="nicht lesbar"):
        list(evidence.read(tmp_path / "fehlt"))
