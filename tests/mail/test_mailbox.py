"""The house's mailbox: everything that lies there is stored exactly once, whatever dies in between."""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.mail import bounces, inbound
from flows.mail_dispatch import mail_dispatch
from integrations.mail.mailbox import ImapMailbox, Letter, MailboxAddress, MailboxError, address_of
from integrations.mail.null import NullMailbox
from integrations.mail.types import MailSettingsError
from kit.database import unit_of_work
from models.plumbing import InboxItem, InboxState, OutboxMail
from tasks import mail_dispatch as post
from tests import factories as make
from tests.imap_server import PASSWORD, QUOTED, USER, ImapServer, scripted, tls_in_front
from tests.mail.test_dispatch import _delivery_status
from tests.servers import certificate, free_ports

AT = dt.datetime(2026, 3, 29, 3, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
CAPABLE = ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN MOVE\n{tag} OK done")
LOGIN = ("AUTHENTICATE", "+{tag} OK done")
OPENED = ("SELECT", "* 1 EXISTS\n* OK [UIDVALIDITY 7] valid\n{tag} OK [READ-WRITE] done")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    server = ImapServer(tmp_path_factory.mktemp("imap")).start()
    yield server
    server.stop()


@pytest.fixture
def server(running: ImapServer) -> ImapServer:
    running.empty()
    return running


@pytest.fixture
def watched(server: ImapServer, committed: None, monkeypatch: pytest.MonkeyPatch) -> ImapServer:
    monkeypatch.setenv("DREHKREUZ_IMAP_URL", server.url)
    monkeypatch.setenv("DREHKREUZ_SMTP_TIMEOUT", "5")
    return server


def mail(n: int, text: str = "Der Drucker steht.") -> bytes:
    return f"From: anna@kunde.example\r\nSubject: Drucker {n}\r\nMessage-ID: <immer@gleich.example>\r\n\r\n{text}\r\n".encode()


def items() -> list[InboxItem]:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(InboxItem).order_by(InboxItem.id)))


# --- the address -----------------------------------------------------------------------------------------------------


def test_an_address_is_read_and_decoded() -> None:
    read = address_of(f"imaps://{USER}:{QUOTED}@mail.haus.example/Post%20Eingang")
    assert read == MailboxAddress("mail.haus.example", 993, True, USER, PASSWORD, "Post Eingang")
    assert PASSWORD not in repr(read)
    assert address_of("imap://a:b@localhost").port == 143
    assert address_of("imap://a:b@[::1]:1143/").folder == "INBOX"


@pytest.mark.parametrize(
    "url",
    [
        "imaps://service@haus.example:geheim/x@mail.haus.example/INBOX",
        "imaps://service:geheim#x@mail.haus.example/INBOX",
        "imaps://service:geheim%0D%0Ax@mail.haus.example/INBOX",
        "imaps://service@mail.haus.example/INBOX",
        "https://service:geheim@mail.haus.example/INBOX",
        "imap://service:geheim@mail.haus.example/INBOX",
        "imaps://service:geheim@mail.haus.example/INBOX/Verarbeitet",
        f"imaps://service:geheim@{'x' * 70}.example/INBOX",
        "geheim",
    ],
)
def test_a_wrong_address_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(MailSettingsError, match="DREHKREUZ_IMAP_URL") as no:
        address_of(url)
    assert "geheim" not in str(no.value)
    assert no.value.__cause__ is None


# --- the server ------------------------------------------------------------------------------------------------------


def test_a_letter_comes_as_it_lies_there_and_moves(server: ImapServer) -> None:
    server.deliver(mail(1), AT)
    with ImapMailbox(address_of(server.url)) as box:
        (uid,) = box.uids()
        letter = box.letter(uid, 1_000_000)
        assert letter is not None
        assert (letter.raw, letter.received_at, letter.size) == (mail(1), AT, len(mail(1)))
        assert letter.received_at is not None
        assert letter.received_at.utcoffset() == dt.timedelta(0)
        assert box.letter(uid + 1, 1_000_000) is None
        assert server.mails() == [mail(1)]
        box.put_aside(uid)
        box.put_aside(uid)
        assert box.uids() == []
    assert (server.mails(), server.mails("Verarbeitet")) == ([], [mail(1)])


def test_a_letter_above_the_limit_is_described_not_fetched(server: ImapServer) -> None:
    server.deliver(b"From: x@kunde.example\r\nSubject: =?utf-8?q?Gro=C3=9F?=\r\n\r\n" + b"x" * 5000)
    with ImapMailbox(address_of(server.url)) as box:
        letter = box.letter(box.uids()[0], 4999)
    assert letter is not None
    assert letter.raw is None
    assert letter.size > 5000
    assert "x@kunde.example" in letter.head
    assert "Groß" in letter.head


def test_encrypted_means_encrypted(server: ImapServer, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    server.deliver(mail(1))
    with tls_in_front(server.port, pem) as port:
        url = f"imaps://{USER}:{QUOTED}@127.0.0.1:{port}/INBOX"
        with ImapMailbox(address_of(url, 5, str(pem[0]))) as box:
            assert len(box.uids()) == 1
        with pytest.raises(MailboxError, match="Zertifikat"), ImapMailbox(address_of(url, 5)):
            pass
    plain = address_of(server.url.replace("imap://", "imaps://"), 2)
    with pytest.raises(MailboxError, match=r"verschlüsselte Verbindung|nicht erreichbar"), ImapMailbox(plain):
        pass


def test_a_wrong_password_and_a_wrong_folder_are_named(server: ImapServer) -> None:
    with (
        pytest.raises(MailboxError, match="lehnt die Anmeldung ab") as no,
        ImapMailbox(address_of(server.url.replace("Rot", "Blau"))),
    ):
        pass
    assert "Blau" not in str(no.value)
    with pytest.raises(MailboxError, match="öffnet den Ordner nicht"), ImapMailbox(address_of(f"{server.url}/Fehlt")):
        pass


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ([("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\n{tag} OK done"), LOGIN], "RFC 6851"),
        ([("CAPABILITY", "* CAPABILITY IMAP4rev1 MOVE\n{tag} OK done")], "ohne Umlaute"),
        ([CAPABLE, LOGIN, ("SELECT", "stall")], "öffnet den Ordner nicht"),
        ([CAPABLE, LOGIN, OPENED, ("SEARCH", "drop")], "sieht den Ordner nicht durch"),
        ([CAPABLE, ("AUTHENTICATE", "+{tag} NO not you: {said}")], "lehnt die Anmeldung ab"),
        ([("CAPABILITY", "stall")], "Postfach"),
    ],
)
def test_a_server_that_cannot_or_hangs_is_a_german_sentence(replies: list[tuple[str, str]], said: str) -> None:
    with (
        scripted(replies) as port,
        pytest.raises(MailboxError, match=said) as no,
        ImapMailbox(address_of(f"imap://{USER}:{QUOTED}@127.0.0.1:{port}/INBOX", 0.3)) as box,
    ):
        box.uids()
    assert PASSWORD not in str(no.value)
    assert base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode() not in str(no.value)


# --- into the inbox --------------------------------------------------------------------------------------------------


def test_every_letter_is_stored_once_with_the_servers_time(watched: ImapServer) -> None:
    for n in range(3):
        watched.deliver(mail(n), AT)
    watched.deliver(mail(0), AT)
    first = post.fetch_mailbox()
    assert (dict(first.kept), first.left, first.troubles) == ({"stored": 3, "known": 1}, 0, [])
    assert [(item.raw, item.received_at) for item in items()] == [(mail(n), AT) for n in range(3)]
    assert (watched.mails(), len(watched.mails("Verarbeitet"))) == ([], 4)
    assert not post.fetch_mailbox().kept
    assert len(items()) == 3


@pytest.mark.parametrize("moved", [False, True], ids=["before the move", "after the move"])
def test_a_crash_around_the_move_has_the_same_end(watched: ImapServer, monkeypatch: pytest.MonkeyPatch, moved: bool) -> None:
    for n in range(3):
        watched.deliver(mail(n))
    really = ImapMailbox.put_aside
    with monkeypatch.context() as patch:
        patch.setattr(ImapMailbox, "put_aside", _dies_at_the_second(really, moved))
        with pytest.raises(KeyboardInterrupt):
            post.fetch_mailbox()
    assert len(items()) == 2
    assert len(watched.mails()) == (1 if moved else 2)
    again = post.fetch_mailbox()
    assert dict(again.kept) == ({"stored": 1} if moved else {"known": 1, "stored": 1})
    assert [item.raw for item in items()] == [mail(n) for n in range(3)]
    assert (watched.mails(), len(watched.mails("Verarbeitet"))) == ([], 3)


def _dies_at_the_second(really: Callable[[ImapMailbox, int], None], moved: bool) -> Callable[[ImapMailbox, int], None]:
    calls: list[int] = []

    def put_aside(box: ImapMailbox, uid: int) -> None:
        calls.append(uid)
        if len(calls) < 2 or moved:
            really(box, uid)
        if len(calls) == 2:
            raise KeyboardInterrupt

    return put_aside


def test_what_is_not_committed_stays_in_the_mailbox(watched: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.deliver(mail(1))
    real = inbound.keep

    def keep(session: sa.orm.Session, letter: Letter) -> inbound.Kept:
        real(session, letter)
        raise RuntimeError("full disk")

    with monkeypatch.context() as patch:
        patch.setattr(inbound, "keep", keep)
        with pytest.raises(RuntimeError):
            post.fetch_mailbox()
    assert (items(), watched.mails()) == ([], [mail(1)])


def test_a_letter_too_large_is_parked_once_with_its_reason(watched: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounces, "MAX_BYTES", 2_000_000)
    watched.deliver(mail(1, "x" * 2_500_000), AT)
    watched.deliver(mail(2))
    with monkeypatch.context() as patch:
        patch.setattr(ImapMailbox, "put_aside", _dies_at_the_second(lambda *_: None, moved=False))
        with pytest.raises(KeyboardInterrupt):
            post.fetch_mailbox()
    again = post.fetch_mailbox()
    assert dict(again.kept) == {"known": 2}
    big, small = items()
    assert (big.state, big.raw, big.received_at) == (InboxState.PARKED, None, AT)
    assert big.reason is not None
    assert big.reason.startswith("Mail mit 2,5 MB ist größer als 2 MB")
    assert "Drucker 1" in big.reason
    assert small.state is InboxState.WAITING
    assert watched.mails() == []


def test_a_letter_that_the_server_does_not_give_out_stops_no_other(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    two = ("UID FETCH 2 (RFC822.SIZE", "* 2 FETCH (UID 2 RFC822.SIZE 9)\n{tag} OK done")
    body = ("UID FETCH 2 ", "* 2 FETCH (UID 2 BODY[] {{9}}\nA: b\n\nc)\n{tag} OK done")
    replies = [
        CAPABLE,
        LOGIN,
        OPENED,
        ("SEARCH", "* SEARCH 1 2\n{tag} OK done"),
        ("UID FETCH 1 ", "{tag} NO broken"),
        two,
        body,
    ]
    replies.append(("LIST", '* LIST () "/" Verarbeitet\n{tag} OK done'))
    with scripted(replies) as port:
        monkeypatch.setenv("DREHKREUZ_IMAP_URL", f"imap://{USER}:{QUOTED}@127.0.0.1:{port}/INBOX")
        fetched = post.fetch_mailbox()
    assert dict(fetched.kept) == {"stored": 1}
    assert fetched.left == 1
    assert "Mail UID 1" in fetched.troubles[0]


def test_a_round_ends_before_it_holds_up_the_rest(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    box = NullMailbox({n: mail(n) for n in range(1, 6)})
    monkeypatch.setattr(post, "LETTERS_PER_ROUND", 2)
    fetched = post.Fetched()
    post._fetch_all(box, fetched)
    assert (box.aside, fetched.left) == ([1, 2], 3)


# --- the flow --------------------------------------------------------------------------------------------------------


def _sent(n: int = 1) -> str:
    """A mail of ours that the server took, as if sent before; returns its Message-ID."""
    ident = f"<bericht-{n}@haus.example>"
    with unit_of_work("test") as session:
        make.house(session)
        session.add(
            OutboxMail(
                key=f"report:{n}", kind="invitation", customer_id=None, message_id=ident, sender="service@haus.example",
                recipients=["empfang@kunde.example"], subject="Bericht", raw=b"x", state="accepted", refused={}, attempts=1,
                accepted_at=AT,
            )
        )  # fmt: skip
    return ident


@pytest.mark.promise("U9")
def test_a_bounce_in_the_mailbox_is_recognised_behind_much_other_mail(watched: ImapServer) -> None:
    ident = _sent()
    with unit_of_work("test") as session:
        for n in range(30):
            bounces.take(session, mail(n))
    watched.deliver(_delivery_status(ident))
    outcome = mail_dispatch()
    assert "Postfach: 1 neu" in outcome.summary
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(OutboxMail.state)).one() == "bounced"
        assert session.scalar(sa.select(sa.func.count()).where(InboxItem.state == InboxState.WAITING)) == 30
        assert bounces.read_waiting(session) == (0, 0), "each is looked at once"


def test_a_mailbox_that_is_away_is_an_open_item_and_the_rest_goes_on(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_IMAP_URL", f"imap://{USER}:{QUOTED}@127.0.0.1:{free_ports(1)[0]}/INBOX")
    ident = _sent()
    with unit_of_work("test") as session:
        bounces.take(session, _delivery_status(ident))
    outcome = mail_dispatch()
    assert any("nicht erreichbar" in item and "Postfach" in item for item in outcome.open_items)
    assert not any(PASSWORD in item for item in outcome.open_items)
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(OutboxMail.state)).one() == "bounced"


def test_without_a_mailbox_nothing_is_asked(committed: None) -> None:
    fetched = post.fetch_mailbox()
    assert (fetched.kept.total(), fetched.left, fetched.troubles) == (0, 0, [])
