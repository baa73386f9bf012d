"""Reading mails that came back: delivery status notifications (RFC 3464) and the common forms that follow no standard.

Anything may arrive in a mailbox: nothing here raises for bad input, what is not surely a bounce is none. Whether the
original mail is ours the caller decides by `message_id`.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.policy import compat32

from integrations.mail.types import Bounce, BouncedRecipient

_SIZE_READ = 1_000_000  # bytes of a bounce that are looked at; the original mail comes last and only its head counts
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.@-])([45]\d\d)(?=[ -])")
_MESSAGE_ID = re.compile(r"^[ \t>]*Message-ID:\s*(<[^<>\s]{1,300}>)", re.IGNORECASE | re.MULTILINE)
_ANY_ID = re.compile(r"<[^<>\s@]{1,200}@[^<>\s@]{1,200}>")
_ROBOT = re.compile(r"mailer-daemon|postmaster|mail delivery|mailsystem|mail-?daemon|microsoftexchange", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|not be delivered|delivery (?:status )?(?:notification|failure|failed|problem|delay)|returned (?:e-?)?mail|"
    r"failure notice|mail delivery (?:failed|system|failure)|returning message to sender|unzustellbar|"
    r"nicht zugestellt|nicht zustellbar|zustell(?:ung|barkeits)?(?:fehl|problem|bericht)|konnte nicht",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"out of (?:the )?office|abwesen|automatische antwort|auto(?:matic)?[- ]?reply|urlaub", re.IGNORECASE)
_WAITING = re.compile(r"\bdelayed\b|will be retried|still (?:being|trying)|noch nicht zugestellt|verzögert", re.IGNORECASE)
_FAILED_ADDRESS = re.compile(rf"^[ \t>*]*(?:To:|An:)?[ \t]*[<'\"]?({_ADDRESS.pattern})[>'\"]?[ \t]*(?::|$|\()", re.MULTILINE)
_COPY_BELOW = re.compile(
    r"^.*(?:Below this line is a copy|This is a copy of (?:the|your) message|(?:Original )?message (?:follows|headers)|"
    r"Ursprüngliche Nachricht(?:enkopfzeilen)?|Unten finden Sie eine Kopie|Undelivered message follows|"
    r"Received: from ).*$",
    re.IGNORECASE | re.MULTILINE,
)


def read_bounce(raw: bytes) -> Bounce | None:
    """What a returned mail says: original Message-ID, recipients with status, final or not. None when it is no bounce."""
    try:
        mail = message_from_bytes(raw[:_SIZE_READ].lstrip(b"\r\n"), policy=compat32)
        return _by_standard(mail) or _by_habit(mail)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


def _by_standard(mail: Message) -> Bounce | None:
    """multipart/report with a message/delivery-status part; some servers put that part into multipart/mixed."""
    blocks = [block for part in _parts(mail) if part.get_content_type() == "message/delivery-status" for block in _blocks(part)]
    failed: list[BouncedRecipient] = []
    waiting: list[BouncedRecipient] = []
    for block in blocks:
        address = _typed_value(block, "Final-Recipient") or _typed_value(block, "Original-Recipient")
        action = _field(block, "Action").lower()
        if not address or action in {"delivered", "relayed", "expanded"}:
            continue
        diagnostic = _typed_value(block, "Diagnostic-Code", whole=True)
        found = _STATUS.search(_field(block, "Status")) or _STATUS.search(diagnostic)
        status = found.group(1) if found else ""
        late = action == "delayed" or (action != "failed" and status.startswith("4"))
        (waiting if late else failed).append(BouncedRecipient(address, status, diagnostic[:500]))
    if not failed and not waiting:
        return None
    return Bounce(_original_id(mail), tuple(failed or waiting), bool(failed))


def _by_habit(mail: Message) -> Bounce | None:
    """qmail, Exim, old Exchange and providers' own texts: a robot's sender, a telling subject or header, an address."""
    subject, sender = _field(mail, "Subject"), _field(mail, "From")
    named = _ADDRESS.findall(_field(mail, "X-Failed-Recipients"))
    robot = _ROBOT.search(sender) or _field(mail, "Return-Path") == "<>" or not _ADDRESS.search(sender)
    if not named and not (robot and _SUBJECT.search(subject)):
        return None
    if _ABSENT.search(subject) or (_field(mail, "Auto-Submitted").lower().startswith("auto-replied") and not named):
        return None
    text = "\n".join(_text(part) for part in _parts(mail) if part.get_content_maintype() == "text")
    said = text[: copy.start()] if (copy := _COPY_BELOW.search(text)) else text
    own = {a.lower() for a in _ADDRESS.findall(f"{sender} {_field(mail, 'To')}")}
    addresses = named or [a for a in _FAILED_ADDRESS.findall(said) if a.lower() not in own]
    addresses = addresses or [a for a in _ADDRESS.findall(said) if a.lower() not in own][:1]
    if not addresses:
        return None
    status = _said_status(said)
    reason = " ".join(said.split())[:500]
    late = status.startswith("4") or bool(_WAITING.search(subject))
    recipients = tuple(BouncedRecipient(a, status, reason) for a in dict.fromkeys(addresses))
    return Bounce(_original_id(mail), recipients, not late)


def _said_status(said: str) -> str:
    if found := _STATUS.search(said):
        return found.group(1)
    code = _REPLY_CODE.search(said)
    return f"{code.group(1)[0]}.0.0" if code else ""


def _original_id(mail: Message) -> str:
    """The Message-ID of the mail that came back: from its attached copy, else quoted in the text, else In-Reply-To."""
    own = _field(mail, "Message-ID")
    for part in _parts(mail):
        if part is not mail and part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}:
            inner = part.get_payload()
            original = inner[0] if isinstance(inner, list) and inner else None
            if isinstance(original, Message) and (ident := _ANY_ID.search(_field(original, "Message-ID"))):
                return ident.group()
            if quoted := _MESSAGE_ID.search(_text(part)):
                return quoted.group(1)
    for part in _parts(mail):
        if part.get_content_maintype() == "text":
            for quoted in _MESSAGE_ID.finditer(_text(part)):
                if quoted.group(1) != own:
                    return quoted.group(1)
    named = _ANY_ID.findall(f"{_field(mail, 'In-Reply-To')} {_field(mail, 'References')}")
    return named[-1] if named else ""


def _parts(mail: Message, depth: int = 0) -> Iterator[Message]:
    """All parts, but not what is inside the attached original."""
    yield mail
    inner = mail.get_payload()
    if depth < 10 and isinstance(inner, list) and mail.get_content_type() not in {"message/rfc822", "message/delivery-status"}:
        for part in inner[:50]:
            if isinstance(part, Message):
                yield from _parts(part, depth + 1)


def _blocks(part: Message) -> list[Message]:
    """The field groups of a status part: the standard library reads them as messages; others come as plain text."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return [b for b in inner if isinstance(b, Message)]
    text = _text(part).replace("\r\n", "\n")
    return [message_from_bytes(chunk.encode("utf-8", "replace"), policy=compat32) for chunk in re.split(r"\n\s*\n", text)]


def _typed_value(block: Message, name: str, *, whole: bool = False) -> str:
    """`rfc822; a@b.example` -> the address; with `whole` the text after the type."""
    value = _field(block, name).partition(";")[2] or _field(block, name)
    if whole:
        return " ".join(value.split())
    found = _ADDRESS.search(value)
    return found.group() if found else ""


def _field(mail: Message, name: str) -> str:
    value = mail.get(name)
    if value is None:
        return ""
    parts = []
    for piece, charset in decode_header(str(value)[:10_000]):
        parts.append(_decoded(piece, charset) if isinstance(piece, bytes) else piece)
    return " ".join("".join(parts).split())


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        text = _decoded(payload, part.get_content_charset())
        return re.sub(r"<[a-zA-Z/!][^>@]*>", " ", text) if part.get_content_type() == "text/html" else text
    return ""


def _decoded(content: bytes, charset: str | None) -> str:
    for name in (charset or "utf-8", "utf-8", "cp1252"):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")
