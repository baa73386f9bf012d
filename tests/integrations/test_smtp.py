"""Handing over: every way a server can say no, and that the outcome is always named right."""

import asyncio
import threading
import time
from email import message_from_bytes
from pathlib import Path

import pytest

from integrations.mail.null import NullSender
from integrations.mail.smtp import AsyncSmtpSender, SmtpSender
from integrations.mail.types import MailSettingsError, OutgoingMail, SendResult, SendState, SmtpServer
from tests.hostile_smtp import HostileSmtp, Plan
from tests.integrations.making import mail
from tests.servers import free_ports


def sender(server: HostileSmtp, timeout: float = 2.0, **more: str) -> SmtpSender:
    return SmtpSender(SmtpServer("127.0.0.1", server.port, tls="none", timeout=timeout, **more))  # type: ignore[arg-type]


def send_one(server: HostileSmtp, one: OutgoingMail | None = None, timeout: float = 2.0) -> SendResult:
    with sender(server, timeout) as out:
        return out.send(one or mail())


# --- accepted ------------------------------------------------------------------------------------------------------


def test_accepted_with_the_queue_id_and_unchanged_bytes() -> None:
    one = mail(text="Zeile\n.\n..\n.zwei\n\nvon vorn\n")
    with HostileSmtp() as server:
        result = send_one(server, one)

    assert result == SendResult(SendState.ACCEPTED, "250 2.0.0 Ok: queued as H0001", 250, ("anna@kunde.example",))
    assert [(t.sender, t.recipients) for t in server.taken] == [("service@haus.example", ("anna@kunde.example",))]
    assert server.taken[0].raw == one.raw


def test_one_connection_for_the_whole_batch_and_a_polite_end() -> None:
    with HostileSmtp() as server, sender(server) as out:
        results = [out.send(mail(f"bericht:{n}")) for n in range(20)]
        assert server.connections == 1
    assert {r.state for r in results} == {SendState.ACCEPTED}
    assert len(server.taken) == 20
    assert server.commands[-1] == "QUIT"


def test_before_data_is_called_after_the_recipients_and_before_the_content() -> None:
    seen: list[tuple[str, str]] = []
    with HostileSmtp() as server, sender(server) as out:
        out.send(mail(), lambda m: seen.append((m.message_id, server.commands[-1])))
        after = server.commands[-1]

    assert seen == [(mail().message_id, "RCPT TO:<anna@kunde.example>")]
    assert after == "DATA"


def test_before_data_that_raises_stops_the_mail_and_not_the_next() -> None:
    def not_mine(_mail: OutgoingMail) -> None:
        raise LookupError("another worker has it")

    with HostileSmtp() as server, sender(server) as out:
        with pytest.raises(LookupError):
            out.send(mail("a"), not_mine)
        assert out.send(mail("b")).state is SendState.ACCEPTED
        assert server.connections == 1
    assert [message_from_bytes(t.raw)["Subject"] for t in server.taken] == ["Betreff b"]


def test_before_data_may_be_awaitable() -> None:

    called: list[str] = []

    async def commit(one: OutgoingMail) -> None:
        await asyncio.sleep(0)
        called.append(one.message_id)

    async def run(port: int) -> SendResult:
        async with AsyncSmtpSender(SmtpServer("127.0.0.1", port, tls="none")) as out:
            return await out.send(mail(), commit)

    with HostileSmtp() as server:
        assert asyncio.run(run(server.port)).state is SendState.ACCEPTED
    assert called == [mail().message_id]


def test_size_is_announced_and_eight_bit_only_where_needed() -> None:
    with HostileSmtp() as server:
        send_one(server)
    announced = next(c for c in server.commands if c.startswith("MAIL"))
    assert announced == f"MAIL FROM:<service@haus.example> SIZE={len(mail().raw)}"


def test_foreign_bytes_with_bare_line_ends_cannot_smuggle_a_second_mail() -> None:
    forged = b"Subject: x\r\n\r\nHallo\n.\nMAIL FROM:<x@y.example>\r.\r\nEnde"
    foreign = OutgoingMail("<a@b>", "service@haus.example", ("anna@kunde.example",), "x", forged)
    with HostileSmtp() as server:
        assert send_one(server, foreign).state is SendState.ACCEPTED

    assert [t.raw for t in server.taken] == [b"Subject: x\r\n\r\nHallo\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\nEnde\r\n"]


# --- some or all recipients refused ----------------------------------------------------------------------------------


def test_some_recipients_refused_the_rest_gets_it() -> None:
    plan = Plan(rcpt={"weg@kunde.example": "550 5.1.1 unknown user", "voll@kunde.example": "452 4.2.2 mailbox full"})
    with HostileSmtp([plan]) as server:
        result = send_one(server, mail(to=("anna@kunde.example", "weg@kunde.example", "voll@kunde.example")))

    assert result.state is SendState.ACCEPTED
    assert result.partial
    assert result.accepted == ("anna@kunde.example",)
    assert [(r.recipient, r.code, r.text, r.permanent) for r in result.refused] == [
        ("weg@kunde.example", 550, "5.1.1 unknown user", True),
        ("voll@kunde.example", 452, "4.2.2 mailbox full", False),
    ]
    assert result.retry_recipients == ("voll@kunde.example",)
    assert "weg@kunde.example: 550" in result.reason
    assert server.taken[0].recipients == ("anna@kunde.example",)
    assert mail(to=("a@b.example", "voll@kunde.example")).only(result.retry_recipients).recipients == ("voll@kunde.example",)


@pytest.mark.parametrize(
    ("replies", "state"),
    [
        (("550 5.1.1 no", "553 5.1.3 no"), SendState.REFUSED),
        (("450 4.2.0 greylisted", "451 4.3.0 later"), SendState.TEMPORARY),
        (("550 5.1.1 no", "450 4.2.0 greylisted"), SendState.TEMPORARY),
    ],
    ids=["final", "later", "both"],
)
def test_all_recipients_refused(replies: tuple[str, str], state: SendState) -> None:
    to = ("eins@kunde.example", "zwei@kunde.example")
    called: list[object] = []
    with HostileSmtp([Plan(rcpt=dict(zip(to, replies, strict=True))), Plan()]) as server, sender(server) as out:
        result = out.send(mail(to=to), called.append)
        assert out.send(mail("next")).state is SendState.ACCEPTED
        assert server.connections == 1

    assert result.state is state
    assert not result.whole_server
    assert [r.recipient for r in result.refused] == list(to)
    assert called == []
    assert len(server.taken) == 1


# --- the server's no ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "state", "whole_server", "words"),
    [
        (Plan(mail="451 4.3.0 later"), SendState.TEMPORARY, True, "vertröstet"),
        (Plan(mail="550 5.7.1 sender not allowed"), SendState.TEMPORARY, True, "MAIL_FROM"),
        (Plan(mail="552 5.3.4 too big"), SendState.REFUSED, False, "zu groß"),
        (Plan(data="451 4.3.0 later"), SendState.TEMPORARY, False, "vertröstet"),
        (Plan(data="554 5.7.1 no"), SendState.REFUSED, False, "lehnt die Mail ab"),
        (Plan(after_dot="451 4.7.1 scanner busy"), SendState.TEMPORARY, False, "scanner busy"),
        (Plan(after_dot="554 5.7.1 spam"), SendState.REFUSED, False, "spam"),
        (Plan(after_dot="299 what"), SendState.UNCLEAR, False, "unverständlich"),
        (Plan(after_dot="hello there"), SendState.UNCLEAR, False, "ungewiss"),
        (Plan(mail="421 4.3.2 closing"), SendState.TEMPORARY, True, "vertröstet"),
        (Plan(rcpt={"anna@kunde.example": "421 4.3.2 closing"}), SendState.TEMPORARY, True, "brach ab"),
        (Plan(data="421 4.3.2 closing"), SendState.TEMPORARY, True, "vertröstet"),
        (Plan(after_dot="421 4.3.2 closing"), SendState.TEMPORARY, True, "vertröstet"),
        (Plan(mail="drop"), SendState.TEMPORARY, True, "brach ab"),
        (Plan(rcpt={"anna@kunde.example": "drop"}), SendState.TEMPORARY, True, "brach ab"),
        (Plan(data="drop"), SendState.TEMPORARY, True, "mitten in der Mail"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_no_has_its_name_and_the_next_mail_goes_out(plan: Plan, state: SendState, whole_server: bool, words: str) -> None:
    with HostileSmtp([plan, Plan()]) as server, sender(server) as out:
        first = out.send(mail("a"))
        second = out.send(mail("b"))

    assert (first.state, first.whole_server) == (state, whole_server)
    assert words in first.reason
    assert second.state is SendState.ACCEPTED
    assert [message_from_bytes(t.raw)["Subject"] for t in server.taken] == ["Betreff b"]


@pytest.mark.promise("S163")
@pytest.mark.parametrize("how", ["drop-taken", "drop-lost", "reset-taken"])
def test_hung_up_after_the_final_dot_is_unclear_and_never_tried_again_by_itself(how: str) -> None:
    committed: list[str] = []
    with HostileSmtp([Plan(after_dot=how), Plan()]) as server, sender(server) as out:
        result = out.send(mail("a"), lambda m: committed.append(m.message_id))
        assert server.begun == 1
        out.send(mail("b"))

    assert result.state is SendState.UNCLEAR
    assert "Message-ID" in result.reason
    assert committed == [mail("a").message_id]
    assert [message_from_bytes(t.raw)["Subject"] for t in server.taken].count("Betreff a") == (0 if how == "drop-lost" else 1)


@pytest.mark.parametrize(
    ("plan", "state"),
    [
        (Plan(mail="stall"), SendState.TEMPORARY),
        (Plan(rcpt={"anna@kunde.example": "stall"}), SendState.TEMPORARY),
        (Plan(data="stall"), SendState.TEMPORARY),
        (Plan(after_dot="stall-taken"), SendState.UNCLEAR),
    ],
    ids=["mail", "rcpt", "data", "dot"],
)
def test_a_server_that_falls_silent_is_given_up(plan: Plan, state: SendState) -> None:
    begun = time.monotonic()
    with HostileSmtp([plan, Plan()]) as server, sender(server, timeout=0.2) as out:
        assert out.send(mail("a")).state is state
        assert time.monotonic() - begun < 60, "the limit is 0.2 s; without one the server would hold us for ever"
        assert out.send(mail("b")).state is SendState.ACCEPTED


@pytest.mark.parametrize("how", ["drop", "stall"])
def test_a_break_within_the_content_is_surely_no_delivery(how: str) -> None:
    # larger than what the kernel buffers, so that the content cannot have left as a whole
    big = mail(text="Zeile um Zeile, immer länger wird der Text.\n" * 300_000)
    with HostileSmtp([Plan(body=how), Plan()]) as server:
        out = SmtpSender(SmtpServer("127.0.0.1", server.port, tls="none", timeout=0.2))
        if how == "stall":
            out._sender._patience = lambda _content: 0.5  # type: ignore[method-assign]
        with out:
            result = out.send(big)
            assert out.send(mail("b")).state is SendState.ACCEPTED

    assert result.state is SendState.TEMPORARY
    assert "mitten in der Mail" in result.reason
    assert len(server.taken) == 1


def test_a_stale_connection_is_renewed_once_without_loss_or_double() -> None:
    with HostileSmtp(mails_per_connection=3) as server, sender(server) as out:
        results = [out.send(mail(str(n))) for n in range(10)]
        assert server.connections == 4

    assert {r.state for r in results} == {SendState.ACCEPTED}
    assert [message_from_bytes(t.raw)["Subject"] for t in server.taken] == [f"Betreff {n}" for n in range(10)]


def test_before_data_is_called_once_when_the_connection_is_renewed() -> None:
    calls: list[object] = []
    with HostileSmtp(mails_per_connection=1) as server, sender(server) as out:
        out.send(mail("a"), calls.append)
        out.send(mail("b"), calls.append)
    assert len(calls) == 2


def test_nobody_listens_is_a_matter_of_time() -> None:
    with SmtpSender(SmtpServer("127.0.0.1", free_ports(1)[0], tls="none", timeout=1)) as out:
        result = out.send(mail())

    assert (result.state, result.whole_server) == (SendState.TEMPORARY, True)
    assert "nicht erreichbar" in result.reason


@pytest.mark.parametrize("greeting", ["554 5.3.2 not today", "421 4.3.2 busy", "drop"])
def test_a_server_that_does_not_even_greet(greeting: str) -> None:
    with HostileSmtp(greeting=greeting) as server:
        result = send_one(server)
    assert (result.state, result.whole_server) == (SendState.TEMPORARY, True)


# --- TLS and login -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implicit", [True, False], ids=["required", "starttls"])
def test_encrypted_with_a_known_certificate(certificate_files: tuple[Path, Path], implicit: bool) -> None:
    settings = SmtpServer(
        "127.0.0.1",
        tls="required" if implicit else "starttls",
        user="haus",
        password="geheim",
        ca_file=str(certificate_files[0]),
    )
    encrypted = HostileSmtp(tls=certificate_files, implicit_tls=implicit, login=("haus", "geheim"))
    with encrypted as server, SmtpSender(_at(settings, server.port)) as out:
        result = out.send(mail())
    assert result.state is SendState.ACCEPTED
    assert ("STARTTLS" in server.commands) is not implicit


@pytest.mark.parametrize("implicit", [True, False], ids=["required", "starttls"])
def test_an_unknown_certificate_stops_everything(certificate_files: tuple[Path, Path], implicit: bool) -> None:
    settings = SmtpServer("127.0.0.1", tls="required" if implicit else "starttls", timeout=5)
    with HostileSmtp(tls=certificate_files, implicit_tls=implicit) as server, SmtpSender(_at(settings, server.port)) as out:
        result = out.send(mail())
    assert (result.state, result.whole_server) == (SendState.TEMPORARY, True)
    assert "Zertifikat" in result.reason
    assert not any(c.startswith(("MAIL", "AUTH")) for c in server.commands)


def test_starttls_is_demanded_never_skipped() -> None:
    with HostileSmtp() as server, SmtpSender(SmtpServer("127.0.0.1", server.port, tls="starttls")) as out:
        result = out.send(mail())

    assert (result.state, result.whole_server) == (SendState.TEMPORARY, True)
    assert "kein STARTTLS" in result.reason
    assert server.taken == []


def test_required_does_not_fall_back_to_clear_text() -> None:
    with HostileSmtp() as server, SmtpSender(SmtpServer("127.0.0.1", server.port, tls="required", timeout=1)) as out:
        assert out.send(mail()).state is SendState.TEMPORARY
    assert server.taken == []


def test_none_does_not_upgrade_by_itself(certificate_files: tuple[Path, Path]) -> None:
    with HostileSmtp(tls=certificate_files) as server:
        assert send_one(server).state is SendState.ACCEPTED
    assert "STARTTLS" not in server.commands


def test_a_wrong_password_names_the_setting_and_is_not_the_mails_fault() -> None:
    with HostileSmtp(login=("haus", "geheim")) as server:
        with sender(server, user="haus", password="falsch") as out:
            result = out.send(mail())
        with sender(server) as out:
            without = out.send(mail())

    assert (result.state, result.whole_server) == (SendState.TEMPORARY, True)
    assert "DREHKREUZ_SMTP_PASSWORD" in result.reason
    assert (without.state, without.whole_server) == (SendState.TEMPORARY, True)


def test_a_password_never_goes_in_clear_over_the_network() -> None:
    with pytest.raises(MailSettingsError, match="unverschlüsselt"):
        SmtpSender(SmtpServer("mail.haus.example", 25, tls="none", user="haus", password="geheim"))


# --- side by side ---------------------------------------------------------------------------------------------------------


def test_the_null_sender_answers_as_told() -> None:
    refused = SendResult(SendState.REFUSED, "550 no", 550)
    with NullSender([refused]) as out:
        assert out.send(mail("a")) == refused
        assert out.send(mail("b")).state is SendState.ACCEPTED
        assert [m.subject for m in out.sent] == ["Betreff b"]


def test_senders_in_several_threads_do_not_disturb_each_other() -> None:
    with HostileSmtp() as server:

        def work(name: str) -> None:
            with sender(server) as out:
                for n in range(10):
                    out.send(mail(f"{name}{n}"))

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.taken) == 30
    assert server.connections == 3


def _at(settings: SmtpServer, port: int) -> SmtpServer:
    from dataclasses import replace

    return replace(settings, port=port)
