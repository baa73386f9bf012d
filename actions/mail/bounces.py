"""Mails that come back: the raw mail is an inbox item first, then it is understood."""

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


def take(session: Session, raw: bytes) -> bool:
    """Store a raw mail that reached the house; False when the very same one is there already."""
    now = clock.now()
    statement = (
        insert(InboxItem)
        .values(
            channel=CHANNEL,
            key=hashlib.sha256(raw).hexdigest(),
            state=InboxState.WAITING,
            received_at=now,
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


def read_waiting(session: Session, limit: int = 200) -> int:
    """Settle the bounces among the waiting mails; other mail stays for the ticket intake. Returns how many were bounces."""
    items = session.scalars(
        sa.select(InboxItem)
        .where(InboxItem.channel == CHANNEL, InboxItem.state == InboxState.WAITING, InboxItem.raw.is_not(None))
        .order_by(InboxItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_read(session, item) for item in items)


def _read(session: Session, item: InboxItem) -> bool:
    raw = item.raw or b""
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
