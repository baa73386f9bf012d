"""Mails that come back: the raw mail is an inbox item first, then it is understood."""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions import archive
from actions.archive import Document
from actions.mail import dispatch
from integrations.mail.bounce import read_bounce
from kit import clock
from kit.database import notify
from models.plumbing import InboxItem, InboxState
from rules.retention import RecordClass

CHANNEL = "mail"
MAX_BYTES = 30_000_000


def take(session: Session, raw: bytes, received_at: dt.datetime | None = None) -> bool:
    """Store a raw mail that reached the house; False when the very same one is there already.

    Args:
        session: the transaction it becomes visible with.
        raw: the mail as it came; its SHA-256 is the key.
        received_at: when the mail server took it; without, now.
    """
    now = clock.now()
    statement = (
        insert(InboxItem)
        .values(
            channel=CHANNEL,
            key=hashlib.sha256(raw).hexdigest(),
            state=InboxState.WAITING,
            received_at=received_at or now,
            content_type="message/rfc822",
            raw=raw,
            attempts=0,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(InboxItem.id)
    )
    stored = session.execute(statement).first() is not None
    if stored:
        notify(session, "inbox_item", CHANNEL)
    return stored


def read_waiting(session: Session, limit: int = 10) -> tuple[int, int]:
    """Settle the bounces among the waiting mails that nobody has looked at; returns (looked at, bounces).

    Other mail stays for the ticket intake, with one attempt noted: it is not looked at again, and however much of it
    waits, a bounce behind it is still found. Few at a time, since a mail may have 30 MB.
    """
    items = session.scalars(
        sa.select(InboxItem)
        .where(
            InboxItem.channel == CHANNEL,
            InboxItem.state == InboxState.WAITING,
            InboxItem.raw.is_not(None),
            InboxItem.attempts == 0,
        )
        .order_by(InboxItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return len(items), sum(_read(session, item) for item in items)


def _read(session: Session, item: InboxItem) -> bool:
    raw = item.raw or b""
    item.attempts += 1
    bounce = read_bounce(raw)
    if bounce is None or not bounce.message_id:
        return False
    known = True
    for back in bounce.recipients if bounce.permanent else ():
        known = dispatch.bounced(session, bounce.message_id, back.recipient, f"{back.status} {back.diagnostic}".strip())
    if not known:
        item.state, item.reason = InboxState.PARKED, f"Rückläufer zu einer Mail, die nicht von hier stammt: {bounce.message_id}"
        return True
    kept = archive.keep(session, Document("mail-in", f"{item.id:09}", raw, suffix="eml", record_class=RecordClass.LETTER))
    item.state, item.done_at, item.archive_key, item.raw = InboxState.DONE, clock.now(), kept[0].key, None
    return True
