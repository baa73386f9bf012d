"""From the house's mailbox into the inbox: the letter is stored first, only then may it be moved on the server."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.mail import bounces
from integrations.mail.mailbox import DONE_FOLDER, ImapMailbox, Letter, Mailbox, address_of
from kit import clock
from kit.settings import settings
from models.plumbing import InboxItem, InboxState


class Kept(enum.StrEnum):
    """What became of a letter. In every case it lies in the database afterwards."""

    STORED = "stored"
    KNOWN = "known"
    PARKED = "parked"


@contextmanager
def mailbox() -> Iterator[Mailbox | None]:
    """The mailbox of the settings, open; None when none is set.

    Raises:
        MailSettingsError: the address is wrong.
        MailboxError: the mailbox is away.
    """
    chosen = settings()
    url = chosen.imap_url.get_secret_value()
    if not url:
        yield None
        return
    with ImapMailbox(address_of(url, float(chosen.smtp_timeout))) as box:
        yield box


def keep(session: Session, letter: Letter) -> Kept:
    """Store the letter; one that is too large for us is parked with its reason, it stays readable in the mailbox."""
    if letter.raw is not None:
        return Kept.STORED if bounces.take(session, letter.raw, letter.received_at) else Kept.KNOWN
    now = clock.now()
    statement = (
        insert(InboxItem)
        .values(
            channel=bounces.CHANNEL,
            key=letter.place,
            state=InboxState.PARKED,
            received_at=letter.received_at or now,
            content_type="message/rfc822",
            reason=too_large(letter),
            attempts=0,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(InboxItem.id)
    )
    return Kept.PARKED if session.execute(statement).first() is not None else Kept.KNOWN


def too_large(letter: Letter) -> str:
    """Why a letter was not fetched, and where a person finds it."""
    size = f"{letter.size / 1_000_000:.1f}".replace(".", ",")
    return (
        f"Mail mit {size} MB ist größer als {bounces.MAX_BYTES // 1_000_000} MB und wurde nicht geholt. Sie liegt im Postfach "
        f"unter »{DONE_FOLDER}«; bitte dort lesen. {letter.head or letter.place}"
    )
