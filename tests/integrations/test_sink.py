"""The recording sink: keeps every byte, lists only what is complete, survives a kill."""

import asyncio
import signal
import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from integrations.mail.sink import MailSink, main, sunk_mails
from integrations.mail.smtp import SmtpSender
from integrations.mail.types import SmtpServer
from tests.integrations.making import mail
from tests.servers import SinkProcess


@pytest.fixture
def sink_process(tmp_path: Path) -> Iterator[SinkProcess]:
    process = SinkProcess(tmp_path / "sink").start()
    yield process
    process.stop()


def test_the_sink_keeps_every_byte_with_its_envelope(sink_process: SinkProcess) -> None:
    to = ("anna@kunde.example", "bert@kunde.example")
    mails = [mail(str(n), to=to, text="Größe\n.\n") for n in range(5)]
    with SmtpSender(SmtpServer("127.0.0.1", sink_process.port, tls="none")) as out:
        results = [out.send(m) for m in mails]

    kept = sunk_mails(sink_process.folder)
    assert [k.raw for k in kept] == [m.raw for m in mails]
    assert {(k.sender, k.recipients) for k in kept} == {("service@haus.example", to)}
    assert [f"250 2.0.0 Ok: queued as {k.id}" for k in kept] == [r.reply for r in results]
    assert all(k.received_at.tzinfo for k in kept)


def test_the_sink_speaks_to_others_and_survives_a_kill(sink_process: SinkProcess) -> None:
    with smtplib.SMTP("127.0.0.1", sink_process.port) as foreign:
        foreign.sendmail("a@b.example", ["c@d.example"], b"Subject: Hallo\r\n\r\nText\r\n")
    sink_process.stop(signal.SIGKILL)
    (sink_process.folder / "port").unlink()
    sink_process.start()
    with smtplib.SMTP("127.0.0.1", sink_process.port) as foreign:
        foreign.sendmail("a@b.example", ["c@d.example"], b"Subject: Wieder\r\n\r\nText\r\n")

    assert [message_from_bytes(k.raw)["Subject"] for k in sunk_mails(sink_process.folder)] == ["Hallo", "Wieder"]


def test_a_half_written_mail_is_not_listed(tmp_path: Path) -> None:
    sink = MailSink(tmp_path)
    sink.keep("a@b.example", ["c@d.example"], b"Subject: x\r\n\r\n")
    (tmp_path / "20990101T000000000000-deadbeef.eml.part").write_bytes(b"Subj")
    (tmp_path / "20990101T000000000000-deadbeef.json").write_text("{}")

    assert len(sunk_mails(tmp_path)) == 1


def test_a_full_sink_puts_the_sender_off(tmp_path: Path) -> None:
    sink = MailSink(tmp_path / "away")
    (tmp_path / "away").rmdir()
    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos, envelope.original_content = "a@b.example", ["c@d.example"], b"x"
    answer = asyncio.run(sink.handle_DATA(None, None, envelope))  # type: ignore[arg-type]

    assert answer.startswith("452 4.3.1")


def test_a_taken_port_is_said_in_german(sink_process: SinkProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dir", str(tmp_path / "x"), "--port", str(sink_process.port)]) != 0
    assert "anderen Port" in capsys.readouterr().err
