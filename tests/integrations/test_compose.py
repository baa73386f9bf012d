"""The finished mail: read back by the standard library, whatever names and texts go in; nothing breaks out of a header."""

import datetime as dt
import email.policy
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.mail.compose import compose, message_id
from integrations.mail.types import Address, Attachment, MailContentError, MailTexts, OutgoingMail

NOW = dt.datetime(2026, 11, 2, 6, 0, 0, 123456, tzinfo=dt.UTC)
HOUSE = Address("service@haus.example", "Müller & Söhne IT")
TEXTS = MailTexts("Betreff", "Text\n", "<p>Text</p>\n")

# what people may type: everything but control characters, line separators and halves of characters
shown = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120)
names = shown.map(lambda s: " ".join(s.split())).filter(lambda s: s == s.strip())
file_names = names.filter(lambda s: s.strip() and "/" not in s and "\\" not in s)
local_parts = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9-]{1,20})?", fullmatch=True)
addresses = st.builds(Address, local_parts.map(lambda s: f"{s}@kunde.example"), names)


def build(**changes: object) -> OutgoingMail:
    given_values: dict[str, object] = {
        "key": "bericht:1",
        "date": NOW,
        "sender": HOUSE,
        "to": [Address("anna@kunde.example", "Anna Bell")],
        "texts": TEXTS,
    }
    return compose(**{**given_values, **changes})  # type: ignore[arg-type]


def parsed(mail: OutgoingMail) -> EmailMessage:
    message = message_from_bytes(mail.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk()] == [[] for _ in message.walk()]
    return message


def well_formed(mail: OutgoingMail) -> None:
    head = mail.raw.partition(b"\r\n\r\n")[0]
    assert mail.raw.isascii()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 78
    assert all(line.strip() for line in head.split(b"\r\n"))


# --- properties ----------------------------------------------------------------------------------------------------------


@given(subject=shown)
def test_any_subject_comes_back(subject: str) -> None:
    mail = build(texts=MailTexts(subject, "x", "x"))
    well_formed(mail)
    field = message_from_bytes(mail.raw)["Subject"]
    assert str(make_header(decode_header(re.sub(r"\r\n(?=[ \t])", "", field)))) == subject


@settings(deadline=None)
@given(to=st.lists(addresses, min_size=1, max_size=8, unique_by=lambda a: a.email.lower()), sender_name=names)
def test_any_names_and_all_recipients_come_back(to: list[Address], sender_name: str) -> None:
    mail = build(to=to, sender=Address("service@haus.example", sender_name))
    well_formed(mail)
    message = message_from_bytes(mail.raw)
    fields = re.sub(r"\r\n[ \t]", " ", message["To"])
    assert mail.recipients == tuple(a.email for a in to)
    # the comma between two addresses is a comma, never a part of an encoded word
    assert [a.addr_spec for a in parsed(mail)["to"].addresses] == [a.email for a in to]
    decoded = [str(make_header(decode_header(phrase))) for phrase in _phrases(fields)]
    assert decoded == [a.name for a in to]


def _phrases(field: str) -> list[str]:
    found = []
    for one in re.findall(r'((?:"(?:\\.|[^"\\])*"|[^,"])+)(?:,|$)', field):
        phrase = one.rpartition("<")[0].strip() if "<" in one else ""
        found.append(re.sub(r"\\(.)", r"\1", phrase[1:-1]) if phrase.startswith('"') else phrase)
    return found


@settings(deadline=None)
@given(name=file_names, content=st.binary(max_size=300))
def test_any_file_name_and_content_comes_back(name: str, content: bytes) -> None:
    mail = build(attachments=[Attachment(name, content)])
    well_formed(mail)
    (part,) = [p for p in message_from_bytes(mail.raw).walk() if p.get_content_type() == "application/pdf"]
    assert part.get_filename() == name
    assert part.get_payload(decode=True) == content


@settings(deadline=None)
@given(text=st.text(max_size=400), html=st.text(max_size=400))
def test_any_body_comes_back_with_line_ends_made_one(text: str, html: str) -> None:
    mail = build(texts=MailTexts("x", text, html))
    well_formed(mail)
    for part, given_text in zip(list(message_from_bytes(mail.raw).walk())[1:], (text, html), strict=True):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        lines = given_text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
        expected = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", lines).rstrip("\n") + "\n"
        assert payload.decode().replace("\r\n", "\n").rstrip("\n") == expected.rstrip("\n")


@given(before=shown, control=st.sampled_from(["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028", "\x1b"]), after=shown)
def test_a_control_character_never_gets_into_a_header(before: str, control: str, after: str) -> None:
    evil = f"{before}{control}Bcc: opfer@fremd.example{after}"
    for changes in (
        {"texts": MailTexts(evil, "x", "x")},
        {"sender": Address("service@haus.example", evil)},
        {"sender": Address(f"service@haus.example{control}Bcc: x@y.example", "")},
        {"to": [Address("anna@kunde.example", evil)]},
        {"to": [Address(f"anna@kunde.example>{control}Bcc: <x@y.example", "")]},
        {"reply_to": Address("a@b.example", evil)},
        {"attachments": [Attachment(evil.replace("/", "").replace("\\", ""), b"")]},
    ):
        with pytest.raises(MailContentError):
            build(**changes)


@given(ident=st.text(max_size=60))
def test_foreign_message_ids_add_no_header(ident: str) -> None:
    mail = build(in_reply_to=ident, references=[ident, f"<{ident}@b.example>"])
    well_formed(mail)
    assert set(message_from_bytes(mail.raw).keys()) <= {*HEADERS, "In-Reply-To", "References"}


# --- examples --------------------------------------------------------------------------------------------------------------

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Loop",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]


def test_the_headers_of_an_automatic_mail() -> None:
    message = parsed(build())

    assert message.keys() == HEADERS
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Loop"] == "service@haus.example"
    assert message["Date"].datetime == dt.datetime(2026, 11, 2, 6, tzinfo=dt.UTC)
    assert message["Date"] == "Mon, 02 Nov 2026 07:00:00 +0100"
    assert message["From"].addresses[0].display_name == "Müller & Söhne IT"


def test_a_mail_by_a_person_is_not_marked_as_automatic() -> None:
    message = parsed(build(auto_submitted="no", reply_to=Address("kundensupport+2026-000123.abc@haus.example")))

    assert not {"Auto-Submitted", "X-Auto-Response-Suppress", "X-Loop"} & set(message.keys())
    assert message["Reply-To"] == "kundensupport+2026-000123.abc@haus.example"


@pytest.mark.promise("S165")
def test_the_report_id_stays_whole_in_the_raw_subject() -> None:
    mail = build(texts=MailTexts("Servicebericht SB-2026-000001 für Oktober 2026 und Müllers Außenstelle in Düren", "x", "x"))
    assert b"SB-2026-000001" in mail.raw.partition(b"\r\n\r\n")[0]


def test_the_same_row_gives_the_same_bytes() -> None:
    attachments = [Attachment("Servicebericht_SB-2026-000001.pdf", b"%PDF")]
    assert build(attachments=attachments) == build(attachments=attachments)
    assert build().sha256 != build(key="bericht:2").sha256


def test_message_id_is_derived_from_the_key_alone() -> None:
    assert message_id("bericht:1", "haus.example") == message_id("bericht:1", "haus.example") == build().message_id
    assert message_id("bericht:1", "haus.example") != message_id("bericht:2", "haus.example")
    assert re.fullmatch(r"<dk\.[a-z2-7]{32}@haus\.example>", message_id("bericht:1", "haus.example"))
    assert message_id("x", "größe.example").endswith("@xn--gre-6ka8i.example>")


def test_threads_are_kept_and_foreign_nonsense_left_out() -> None:
    message = parsed(
        build(in_reply_to="<c@x.example>", references=["<a@x.example>", "krumm", "<b@x.example>", "<c@x.example>"])
    )

    assert message["In-Reply-To"] == "<c@x.example>"
    assert message["References"] == "<a@x.example> <b@x.example> <c@x.example>"


def test_every_recipient_stands_once_in_to() -> None:
    to = [Address("anna@kunde.example", "Anna"), Address("ANNA@kunde.example", "Noch einmal"), Address("b@kunde.example")]
    mail = build(to=to)

    assert mail.recipients == ("anna@kunde.example", "b@kunde.example")
    assert str(parsed(mail)["To"]) == "Anna <anna@kunde.example>, b@kunde.example"


def test_text_before_html_before_attachments() -> None:
    mail = build(attachments=[Attachment("a.pdf", b"%PDF"), Attachment("b.xml", b"<x/>", "application/xml")])
    kinds = [p.get_content_type() for p in parsed(mail).walk()]

    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
        "application/xml",
    ]
    assert [p.get_content_disposition() for p in parsed(mail).iter_attachments()] == ["attachment", "attachment"]


def test_outlook_finds_the_german_name_too() -> None:
    raw = build(attachments=[Attachment("Übersicht Größe.pdf", b"")]).raw
    assert b'name="=?utf-8?q?=C3=9Cbersicht_Gr=C3=B6=C3=9Fe=2Epdf?="' in raw
    assert b"filename*=utf-8''%C3%9Cbersicht%20Gr%C3%B6%C3%9Fe.pdf" in raw


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@kunde.example",
        "anna@",
        "anna@@kunde.example",
        "anna bell@kunde.example",
        "änna@kunde.example",
        "anna@kunde..example",
        "anna@-kunde.example",
        "anna@kunde.example, bert@kunde.example",
        "<anna@kunde.example>",
        '"anna"@kunde.example',
        ".anna@kunde.example",
        "a" * 65 + "@kunde.example",
        "anna@" + "a" * 64 + ".example",
        "anna@[127.0.0.1]",
    ],
)
def test_what_is_no_address_is_refused_in_german(address: str) -> None:
    with pytest.raises(MailContentError, match="keine zustellbare Adresse"):
        build(to=[Address(address)])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": []}, "ohne Empfänger"),
        ({"key": ""}, "ohne Schlüssel"),
        ({"date": dt.datetime(2026, 11, 2)}, "ohne Zeitzone"),
        ({"attachments": [Attachment("", b"")]}, "Name des Anhangs"),
        ({"attachments": [Attachment("../a.pdf", b"")]}, "Name des Anhangs"),
        ({"attachments": [Attachment("a" * 151, b"")]}, "Name des Anhangs"),
        ({"attachments": [Attachment("a.eml", b"", "message/rfc822")]}, "lässt sich nicht anhängen"),
        ({"attachments": [Attachment("a.pdf", b"", "application/pdf\r\nBcc: x@y.example")]}, "lässt sich nicht anhängen"),
        ({"texts": MailTexts("halb \ud83d", "x", "x")}, "unvollständiges Zeichen"),
        ({"envelope_sender": "x"}, "keine zustellbare Adresse"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_place_and_remedy(changes: dict[str, object], words: str) -> None:
    with pytest.raises(MailContentError, match=words):
        build(**changes)


def test_an_umlaut_domain_goes_out_in_its_wire_form() -> None:
    mail = build(to=[Address("anna@Größe-Straße.example")])
    # ß stays a letter of its own (IDNA 2008), it does not become ss
    assert mail.recipients == ("anna@xn--gre-strae-h1ag2y.example",)
