"""What tells that a mail of ours has left: .eml files, a Maildir, an mbox (the mailbox »Gesendet«), the log of a mail server.

Our Message-IDs look like nothing else (`<dk.…@domain>`, see `compose.message_id`), so any log that writes them down will do:
Postfix (`message-id=<…>`), Exim (`id=<…>`), Exchange's message tracking. A mail in the log was taken over by that server.
"""

import datetime as dt
import email
import email.policy
import json
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path

from kit.errors import DrehkreuzError

OWN_ID = re.compile(r"<dk\.[a-z2-7]{32}@[^<>\s@]+>")
NUMBER = re.compile(r"\b([A-Z]{1,4})-(\d{4})-(\d{6})\b")
_MAILDIR = {"cur", "new"}


class EvidenceError(DrehkreuzError):
    """A source that cannot be read."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One mail of ours that left."""

    message_id: str
    source: str
    recipients: tuple[str, ...] = ()
    """Empty when only a log tells of it: then it counts for all of its recipients."""
    subject: str | None = None
    sent_at: dt.datetime | None = None
    raw: bytes | None = None
    numbers: tuple[str, ...] = ()
    """Numbers of documents and tickets that it names."""


def read(place: Path) -> Iterator[Evidence]:
    """All mails of ours that a file or folder tells of. Raises: EvidenceError."""
    try:
        if place.is_dir():
            for path in sorted(place.rglob("*")):
                if path.is_file() and (path.suffix == ".eml" or path.parent.name in _MAILDIR):
                    yield from of_mail(path.read_bytes(), str(place), envelope(path))
            return
        with place.open("rb") as file:
            start = file.read(5)
        if start == b"From ":
            yield from _mbox(place)
        elif place.suffix == ".eml":
            yield from of_mail(place.read_bytes(), str(place), envelope(place))
        else:
            yield from _log(place)
    except OSError as fault:
        raise EvidenceError(
            f"{place}: nicht lesbar ({fault.strerror}). Nennen Sie einen Ordner mit .eml-Dateien, ein Maildir, eine mbox oder "
            "das Protokoll des Mailservers."
        ) from None


def envelope(path: Path) -> tuple[tuple[str, ...], dt.datetime | None]:
    """Whom a mail of the recording sink was for, and when it came; nothing for other files."""
    try:
        told = json.loads(path.with_suffix(".json").read_bytes())
        return tuple(told["recipients"]), dt.datetime.fromisoformat(told["received_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return (), None


def of_mail(raw: bytes, source: str, known: tuple[tuple[str, ...], dt.datetime | None] = ((), None)) -> Iterator[Evidence]:
    """One whole mail, if it is ours."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    ident = str(message.get("Message-ID", "")).strip()
    if OWN_ID.fullmatch(ident):
        to = tuple(address for _, address in getaddresses([str(message.get("To", ""))]))
        subject = str(message.get("Subject", ""))
        numbers = tuple(dict.fromkeys(match[0] for match in NUMBER.finditer(_told(message, subject))))
        yield Evidence(ident, source, known[0] or to, subject, known[1] or _date(message), raw, numbers)


def _told(message: EmailMessage, subject: str) -> str:
    body = message.get_body(("plain",))
    try:
        text = str(body.get_content()) if body is not None else ""
    except (LookupError, ValueError):
        text = ""
    return "\n".join([subject, text, *(part.get_filename() or "" for part in message.iter_attachments())])


def _date(message: EmailMessage) -> dt.datetime | None:
    found = getattr(message.get("Date"), "datetime", None)
    return found if isinstance(found, dt.datetime) and found.tzinfo else None


def _mbox(place: Path) -> Iterator[Evidence]:
    box = mailbox.mbox(place, create=False)
    try:
        for key in box.iterkeys():
            yield from of_mail(box.get_bytes(key), str(place))
    finally:
        box.close()


def _log(place: Path) -> Iterator[Evidence]:
    with place.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            for ident in OWN_ID.findall(line):
                yield Evidence(ident, str(place))
