"""Mails that came back: the standard form, the habits of common servers, and everything that is no bounce."""

import random
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.mail.bounce import read_bounce

ORIGINAL = "<dk.abcdefghijklmnopqrstuvwxyz234567@haus.example>"
HEADERS = f"From: service@haus.example\nTo: weg@kunde.example\nSubject: Servicebericht\nMessage-ID: {ORIGINAL}\n"


def dsn(
    status: str = "5.1.1",
    action: str = "failed",
    recipient: str = "rfc822; weg@kunde.example",
    diagnostic: str = "smtp; 550 5.1.1 <weg@kunde.example>: Recipient address rejected",
    attached: str = "message/rfc822",
    subtype: str = "report",
    more: str = "",
) -> bytes:
    fields = [f"Final-Recipient: {recipient}", f"Action: {action}", f"Status: {status}"]
    fields += [f"Diagnostic-Code: {diagnostic}"] if diagnostic else []
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\nTo: service@haus.example\n"
        "Subject: Undelivered Mail Returned to Sender\nMessage-ID: <own@mx.example>\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/{subtype}; report-type=delivery-status; boundary="B"\n\n'
        "--B\nContent-Type: text/plain; charset=utf-8\n\nLeider konnte die Nachricht nicht zugestellt werden.\n\n"
        f"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{chr(10).join(fields)}\n{more}\n"
        f"--B\nContent-Type: {attached}\n\n{HEADERS}\nText\n\n--B--\n"
    ).encode()


def plain(subject: str, body: str, sender: str = "MAILER-DAEMON@mx.example", head: str = "Return-Path: <>\n") -> bytes:
    return (
        f"{head}From: {sender}\nTo: service@haus.example\nSubject: {subject}\nMessage-ID: <own@mx.example>\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{body}"
    ).encode()


# --- by the standard -----------------------------------------------------------------------------------------------------


@pytest.mark.promise("S163")
@pytest.mark.parametrize("attached", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize("subtype", ["report", "mixed"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_failed_delivery(attached: str, subtype: str, line_end: bytes) -> None:
    bounce = read_bounce(dsn(attached=attached, subtype=subtype).replace(b"\n", line_end))

    assert bounce is not None
    assert bounce.message_id == ORIGINAL
    assert (bounce.recipient, bounce.status, bounce.permanent) == ("weg@kunde.example", "5.1.1", True)
    assert bounce.diagnostic == "550 5.1.1 <weg@kunde.example>: Recipient address rejected"


@pytest.mark.parametrize(("action", "status", "permanent"), [("delayed", "4.4.1", False), ("failed", "4.4.7", True)])
def test_a_delay_is_not_final_and_a_given_up_delay_is(action: str, status: str, permanent: bool) -> None:
    bounce = read_bounce(dsn(status, action))
    assert bounce is not None
    assert (bounce.permanent, bounce.status) == (permanent, status)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_receipt_of_delivery_is_no_bounce(action: str) -> None:
    assert (
        read_bounce(dsn("2.0.0", action).replace(b"Undelivered Mail Returned to Sender", b"Successful Mail Delivery Report"))
        is None
    )


def test_several_recipients_the_failed_ones_count() -> None:
    more = (
        "\nFinal-Recipient: rfc822; voll@kunde.example\nAction: failed\nStatus: 5.2.2\n"
        "\nFinal-Recipient: rfc822; anna@kunde.example\nAction: delivered\nStatus: 2.0.0\n"
        "\nFinal-Recipient: rfc822; langsam@kunde.example\nAction: delayed\nStatus: 4.4.1\n"
    )
    bounce = read_bounce(dsn(more=more))
    assert bounce is not None
    assert [(r.recipient, r.status) for r in bounce.recipients] == [
        ("weg@kunde.example", "5.1.1"),
        ("voll@kunde.example", "5.2.2"),
    ]


def test_a_status_that_is_only_in_the_diagnostic_is_found() -> None:
    bounce = read_bounce(dsn(status="", diagnostic="smtp; 554 5.7.1 rejected by policy"))
    assert bounce is not None
    assert bounce.status == "5.7.1"


def test_the_original_recipient_serves_when_the_final_one_is_hidden() -> None:
    raw = dsn(recipient="x-local; verborgen").replace(b"Action:", b"Original-Recipient: rfc822;weg@kunde.example\nAction:")
    bounce = read_bounce(raw)
    assert bounce is not None
    assert bounce.recipient == "weg@kunde.example"


def test_a_bounce_without_the_original_still_names_it_by_reply() -> None:
    whole = dsn(status="5.1.10", diagnostic="").replace(b"Return-Path: <>", f"In-Reply-To: {ORIGINAL}".encode())
    raw = whole[: whole.index(b"--B\nContent-Type: message/rfc822")] + b"--B--\n"
    bounce = read_bounce(raw)
    assert bounce is not None
    assert (bounce.message_id, bounce.status) == (ORIGINAL, "5.1.10")


# --- by habit --------------------------------------------------------------------------------------------------------------

EXIM = plain(
    "Mail delivery failed: returning message to sender",
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or "
    "more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  weg@kunde.example\n"
    "    host mx.kunde.example [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:<weg@kunde.example>:\n"
    f"    550 5.1.1 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\n{HEADERS}\nText\n",
    "Mail Delivery System <Mailer-Daemon@mx.example>",
    "Return-Path: <>\nX-Failed-Recipients: weg@kunde.example\nAuto-Submitted: auto-replied\n",
)
QMAIL = plain(
    "failure notice",
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<weg@kunde.example>:\n192.0.2.7 does not like recipient.\n"
    f"Remote host said: 550 5.1.1 unknown\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <service@haus.example>\n{HEADERS}",
)
GERMAN = plain(
    "Unzustellbare Nachricht",
    "Diese Nachricht wurde automatisch erzeugt.\n\nIhre Nachricht konnte an folgenden Empfänger nicht zugestellt werden:\n\n"
    f"weg@kunde.example\n(550 Postfach unbekannt)\n\n--- Ursprüngliche Nachrichtenkopfzeilen ---\n{HEADERS}",
    "Mail Delivery System <postmaster@provider.example>",
)
EXCHANGE = plain(
    "Unzustellbar: Servicebericht SB-2026-000001",
    "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nweg@kunde.example<mailto:weg@kunde.example>\n"
    "Die von Ihnen eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nRemote Server returned '550 5.1.10 "
    "RESOLVER.ADR.RecipientNotFound'\n",
    "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@kunde.example>",
    f"In-Reply-To: {ORIGINAL}\n",
)
SENDMAIL = plain(
    "Returned mail: see transcript for details",
    "   ----- The following addresses had permanent fatal errors -----\n<weg@kunde.example>\n    (reason: 550 5.1.1 User unknown)\n\n"
    f"   ----- Original message follows -----\n{HEADERS}",
)
DRAGONFLY = plain(
    "Mail delivery failed",
    "This is the DragonFly Mail Agent at df.example.\n\nThere was an error delivering your mail to <weg@kunde.example>.\n\n"
    f"550-5.7.26 Unauthenticated email is not accepted\n550 5.7.26 see policy\n\nMessage headers follow.\n\n{HEADERS}",
    "MAILER-DAEMON <>",
)
WAITING = plain(
    "Warning: message delayed 24 hours",
    "A message that you sent has not yet been delivered; it will be retried.\n\n  weg@kunde.example\n    450 4.2.0 greylisted\n",
    "Mail Delivery System <Mailer-Daemon@mx.example>",
    f"X-Failed-Recipients: weg@kunde.example\nReferences: {ORIGINAL}\n",
)


@pytest.mark.parametrize(
    ("raw", "status", "permanent"),
    [
        pytest.param(EXIM, "5.1.1", True, id="exim"),
        pytest.param(QMAIL, "5.1.1", True, id="qmail"),
        pytest.param(GERMAN, "5.0.0", True, id="german provider"),
        pytest.param(EXCHANGE, "5.1.10", True, id="exchange text"),
        pytest.param(SENDMAIL, "5.1.1", True, id="sendmail"),
        pytest.param(DRAGONFLY, "5.7.26", True, id="dragonfly"),
        pytest.param(WAITING, "4.2.0", False, id="still trying"),
    ],
)
def test_forms_that_follow_no_standard(raw: bytes, status: str, permanent: bool) -> None:
    bounce = read_bounce(raw)

    assert bounce is not None
    assert bounce.message_id == ORIGINAL
    assert [r.recipient for r in bounce.recipients] == ["weg@kunde.example"]
    assert (bounce.status, bounce.permanent) == (status, permanent)


def test_an_html_bounce_is_read_too() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "postmaster@x.example",
        "service@haus.example",
        "Undeliverable: Bericht",
    )
    message["In-Reply-To"] = ORIGINAL
    message.set_content(
        "<p>Delivery has failed to these recipients:</p><p><b>weg@kunde.example</b><br>550 5.1.1</p>", subtype="html"
    )
    bounce = read_bounce(message.as_bytes())
    assert bounce is not None
    assert (bounce.recipient, bounce.status) == ("weg@kunde.example", "5.1.1")


# --- no bounce ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        plain("Drucker geht nicht", "Guten Tag, unser Drucker ist aus. anna@kunde.example", "Anna <anna@kunde.example>", ""),
        plain("Undelivered Mail", "Was heißt das? weg@kunde.example", "Anna <anna@kunde.example>", ""),
        plain("Abwesenheitsnotiz: Servicebericht", "Ich bin bis 20.11. nicht im Haus. bert@kunde.example", "Anna <anna@kunde.example>"),
        plain(
            "Automatische Antwort: Zustellung nicht möglich",
            "Wenden Sie sich an bert@kunde.example",
            "postmaster@kunde.example",
            "Auto-Submitted: auto-replied\n",
        ),
        plain("Monatsbericht des Mailservers", "Alles in Ordnung: 12 Mails, anna@kunde.example"),
        dsn().replace(b"report-type=delivery-status", b"report-type=disposition-notification")
        .replace(b"message/delivery-status", b"message/disposition-notification")
        .replace(b"Undelivered Mail Returned to Sender", b"Gelesen: Servicebericht"),
        dsn().replace(b"message/delivery-status", b"message/feedback-report").replace(b"Undelivered Mail Returned to Sender", b"Report"),
    ],
    ids=["empty", "noise", "customer", "customer about a bounce", "absent", "auto reply", "robot without failure", "read receipt", "abuse"],
)  # fmt: skip
def test_everything_else_is_none(raw: bytes) -> None:
    assert read_bounce(raw) is None


def test_a_forwarded_bounce_is_the_forwarders_mail() -> None:
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "Anna <anna@kunde.example>", "service@haus.example", "WG: Undeliverable"
    outer.set_content("Das kam bei mir an, bitte prüfen.")
    outer.add_attachment(dsn(), maintype="application", subtype="octet-stream", filename="bounce.eml")
    assert read_bounce(outer.as_bytes()) is None


@given(st.binary(max_size=600))
def test_noise_never_raises(noise: bytes) -> None:
    read_bounce(noise)
    read_bounce(b"Subject: failure notice\nFrom: <>\nContent-Type: multipart/report; boundary=B\n\n--B\n" + noise)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([dsn(), EXIM, QMAIL, GERMAN, EXCHANGE]))
def test_damaged_bounces_never_raise(chance: random.Random, raw: bytes) -> None:
    damaged = bytearray(raw)
    for _ in range(chance.randint(1, 30)):
        place = chance.randrange(len(damaged))
        choice = chance.random()
        if choice < 0.4:
            damaged[place] = chance.randrange(256)
        elif choice < 0.7:
            del damaged[place : place + chance.randint(1, 40)]
        else:
            damaged[place:place] = bytes(damaged[place : place + 60])
        if not damaged:
            break
    bounce = read_bounce(bytes(damaged))
    assert bounce is None or all(r.recipient for r in bounce.recipients)


def test_a_huge_bounce_is_read_in_no_time() -> None:
    bounce = read_bounce(dsn().replace(b"\nText\n", b"\n" + b"x" * 76 * 100 + b"\n" + b"Zeile\n" * 2_000_000))
    assert bounce is not None
    assert bounce.message_id == ORIGINAL


def test_nested_parts_without_end_do_not_hang() -> None:
    raw = b"From: <>\nSubject: failure notice\n"
    for n in range(200):
        raw += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n)
    assert read_bounce(raw) is None
