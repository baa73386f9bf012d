"""From texts and attachments to the finished bytes of a mail.

The bytes depend on nothing but the arguments: no clock, no random boundary. Stored in the outbox row, they are handed
over unchanged at every attempt, with one Message-ID and one Date, so that receivers can recognise a repetition.
"""

import base64
import datetime as dt
import hashlib
import quopri
import re
from collections.abc import Sequence
from email.utils import format_datetime

from integrations.mail import headers
from integrations.mail.types import Address, Attachment, AutoSubmitted, MailContentError, MailTexts, OutgoingMail
from kit.clock import local

_CONTENT_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REFERENCES_KEPT = 20


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail with this business key, the same for ever: `<dk.…@domain>`."""
    digest = hashlib.sha256(f"message-id\x00{key}".encode()).digest()[:20]
    return f"<dk.{base64.b32encode(digest).decode().lower()}@{headers.checked_address(f'x@{domain}').partition('@')[2]}>"


def compose(
    *,
    key: str,
    date: dt.datetime,
    sender: Address,
    to: Sequence[Address],
    texts: MailTexts,
    attachments: Sequence[Attachment] = (),
    reply_to: Address | None = None,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    auto_submitted: AutoSubmitted = "auto-generated",
    envelope_sender: str = "",
) -> OutgoingMail:
    """Build the mail of the outbox row `key`.

    All recipients stand in To (each once). `date` is the row's instant, shown in local time. `auto_submitted="no"` is for
    what a person wrote; `in_reply_to` and `references` come from foreign mails, malformed ids among them are left out.
    `envelope_sender` receives bounces (default: the sender). Raises: MailContentError.
    """
    if not key or date.tzinfo is None:
        raise MailContentError("Mail ohne Schlüssel oder mit Zeitpunkt ohne Zeitzone; beides gehört in die Postausgangszeile.")
    recipients = _each_once(to)
    ident = message_id(key, sender.email.rpartition("@")[2])
    lines = [
        headers.address_field("From", [sender]),
        headers.address_field("To", recipients.values()),
        *([headers.address_field("Reply-To", [reply_to])] if reply_to else []),
        headers.text_field("Subject", texts.subject),
        headers.plain_field("Date", format_datetime(local(date.replace(microsecond=0)))),
        headers.plain_field("Message-ID", ident),
        *_thread(in_reply_to, references),
        *_automatic(auto_submitted, sender),
        headers.plain_field("Content-Language", "de"),
        headers.plain_field("MIME-Version", "1.0"),
    ]
    raw = b"".join(lines) + _body(texts, attachments, ident)
    envelope = headers.checked_address(envelope_sender or sender.email)
    return OutgoingMail(message_id=ident, sender=envelope, recipients=tuple(recipients), subject=texts.subject, raw=raw)


def _each_once(to: Sequence[Address]) -> dict[str, Address]:
    found: dict[str, Address] = {}
    for address in to:
        wire = headers.checked_address(address.email)
        if wire.lower() not in {w.lower() for w in found}:
            found[wire] = address
    if not found:
        raise MailContentError("Mail ohne Empfänger; bitte beim Kunden einen Ansprechpartner mit E-Mail-Adresse eintragen.")
    return found


def _thread(in_reply_to: str, references: Sequence[str]) -> list[bytes]:
    answered = headers.known_ids([in_reply_to])
    chain = [i for i in dict.fromkeys(headers.known_ids(references)) if i not in answered] + answered
    fields = [headers.plain_field("In-Reply-To", answered[0])] if answered else []
    return fields + ([headers.plain_field("References", *chain[-_REFERENCES_KEPT:])] if chain else [])


def _automatic(auto_submitted: AutoSubmitted, sender: Address) -> list[bytes]:
    """Tell other machines not to answer (RFC 3834; Exchange's own field; our own brake against loops)."""
    if auto_submitted == "no":
        return []
    return [
        headers.plain_field("Auto-Submitted", auto_submitted),
        headers.plain_field("X-Auto-Response-Suppress", "All"),
        headers.plain_field("X-Loop", headers.checked_address(sender.email)),
    ]


def _body(texts: MailTexts, attachments: Sequence[Attachment], ident: str) -> bytes:
    readable = _multipart("alternative", ident, [_text_part("plain", texts.text), _text_part("html", texts.html)])
    if not attachments:
        return readable
    return _multipart("mixed", ident, [readable, *(_attached(a) for a in attachments)])


def _multipart(kind: str, ident: str, parts: Sequence[bytes]) -> bytes:
    # "=_" can stand neither in quoted-printable nor in base64, so no body can imitate the boundary
    boundary = f"=_{kind}_{hashlib.sha256(ident.encode()).hexdigest()[:24]}"
    head = headers.plain_field("Content-Type", f"multipart/{kind};", f'boundary="{boundary}"')
    inner = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part.removesuffix(b"\r\n")) for part in parts)
    return head + b"\r\n" + inner + b"--%s--\r\n" % boundary.encode()


def _text_part(kind: str, text: str) -> bytes:
    lines = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n") + "\n"
    coded = quopri.encodestring(lines.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    head = headers.plain_field("Content-Type", f"text/{kind};", 'charset="utf-8"')
    return head + headers.plain_field("Content-Transfer-Encoding", "quoted-printable") + b"\r\n" + coded


def _attached(attachment: Attachment) -> bytes:
    if not _CONTENT_TYPE.fullmatch(attachment.content_type) or attachment.content_type.startswith(("multipart/", "message/")):
        raise MailContentError(
            f"Anhang {attachment.filename!r}: der Typ {attachment.content_type!r} lässt sich nicht anhängen; "
            "erlaubt sind Dateitypen wie application/pdf."
        )
    head = headers.file_name_fields(attachment.content_type, attachment.filename)
    coded = base64.encodebytes(attachment.content).replace(b"\n", b"\r\n")
    return head + headers.plain_field("Content-Transfer-Encoding", "base64") + b"\r\n" + coded
