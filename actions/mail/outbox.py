"""The outbox: a finished mail is a row of the transaction that tells a fact; nothing is sent from here."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from integrations.mail.compose import compose, message_id
from integrations.mail.types import Address, Attachment, MailTexts
from kit import clock
from kit.database import notify
from kit.errors import ConflictError, NotFoundError
from kit.settings import settings
from models.parties import Customer, House
from models.plumbing import MailState, OutboxMail
from models.restoration import EarlierMail

CHANNEL = "mail_outbox"
"""The doorbell that rings when a mail was queued."""


@dataclass(frozen=True, slots=True)
class NewMail:
    """One mail to queue. `key` is its business key: the same key is the same mail for ever."""

    key: str
    kind: str
    to: tuple[str, ...]
    texts: MailTexts
    customer_id: int | None = None
    attachments: tuple[Attachment, ...] = ()


def sender_of(house: House) -> Address:
    """From whom all mail of the house comes."""
    return Address(settings().mail_from or house.email, house.name)


def queue(session: Session, house: House, mails: Sequence[NewMail]) -> dict[str, int]:
    """Write mails into the outbox; a key that is there already is left as it is. Returns key -> row id."""
    if not mails:
        return {}
    now = clock.now()
    keys = [mail.key for mail in mails]
    known = dict(session.execute(sa.select(OutboxMail.key, OutboxMail.id).where(OutboxMail.key.in_(keys))).tuples().all())
    before = _left_before(session, house, [key for key in keys if key not in known])
    fresh: dict[str, NewMail] = {}
    for mail in mails:
        if mail.key not in known:
            fresh.setdefault(mail.key, mail)
    written: list[OutboxMail] = []
    for mail in fresh.values():
        finished = compose(
            key=mail.key,
            date=now,
            sender=sender_of(house),
            to=[Address(email) for email in mail.to],
            texts=mail.texts,
            attachments=mail.attachments,
            reply_to=Address(house.email, house.name),
        )
        row = OutboxMail(
            key=mail.key,
            kind=mail.kind,
            customer_id=mail.customer_id,
            message_id=finished.message_id,
            sender=finished.sender,
            recipients=list(finished.recipients),
            subject=finished.subject,
            raw=finished.raw,
            refused={},
        )
        if (earlier := before.get(finished.message_id)) is not None:
            _not_twice(row, earlier)
        session.add(row)
        written.append(row)
    session.flush()
    known.update((row.key, row.id) for row in written)
    notify(session, CHANNEL)
    return known


def _left_before(session: Session, house: House, keys: Sequence[str]) -> dict[str, EarlierMail]:
    """Mails of these keys that had left before the home was restored: Message-ID -> what is known of them."""
    domain = sender_of(house).email.rpartition("@")[2]
    ids = [message_id(key, domain) for key in keys]
    if not ids:
        return {}
    rows = session.scalars(sa.select(EarlierMail).where(EarlierMail.message_id.in_(ids)))
    return {row.message_id: row for row in rows}


def _not_twice(row: OutboxMail, earlier: EarlierMail) -> None:
    """The same mail again is noted as sent; whether another one is the same, a person decides (its key may be a reused id)."""
    served = {address.lower() for address in earlier.recipients}
    if earlier.subject == row.subject and served >= {address.lower() for address in row.recipients}:
        row.state, row.accepted_at = MailState.ACCEPTED, earlier.sent_at or clock.now()
        row.reply = f"vor der Rückspielung gesendet, laut {earlier.source}"
    else:
        row.state = MailState.UNCLEAR
        row.error = (
            f"Mit dieser Message-ID ging vor der Rückspielung schon eine Mail hinaus ({earlier.source}): bitte vergleichen."
        )


@dataclass(frozen=True, slots=True)
class ListedMail:
    """A row of the outbox as lists show it."""

    id: int
    key: str
    kind: str
    state: str
    subject: str
    recipients: tuple[str, ...]
    customer: str | None
    message_id: str
    queued_at: dt.datetime
    accepted_at: dt.datetime | None
    attempts: int
    reply: str | None
    error: str | None


def mails(session: Session, *, states: Sequence[str] = (), limit: int | None = None, offset: int = 0) -> list[ListedMail]:
    """The outbox, newest first."""
    statement = (
        sa.select(OutboxMail, Customer.number)
        .outerjoin(Customer, Customer.id == OutboxMail.customer_id)
        .options(sa.orm.defer(OutboxMail.raw))
        .order_by(OutboxMail.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if states:
        statement = statement.where(OutboxMail.state.in_(states))
    return [
        ListedMail(
            id=mail.id,
            key=mail.key,
            kind=mail.kind,
            state=mail.state.value,
            subject=mail.subject,
            recipients=tuple(mail.recipients),
            customer=number,
            message_id=mail.message_id,
            queued_at=mail.created_at,
            accepted_at=mail.accepted_at,
            attempts=mail.attempts,
            reply=mail.reply,
            error=mail.error,
        )
        for mail, number in session.execute(statement)
    ]


def counts(session: Session) -> dict[str, int]:
    """How many mails stand in each state."""
    statement = sa.select(OutboxMail.state, sa.func.count()).group_by(OutboxMail.state)
    return {state.value: count for state, count in session.execute(statement).tuples()}


def raw_of(session: Session, mail_id: int) -> bytes:
    """The bytes of a mail, from the row or from the archive."""
    mail = _mail(session, mail_id)
    if mail.raw is not None:
        return mail.raw
    if mail.archive_key is None:
        raise NotFoundError(f"Postausgang: Die Mail {mail.key} hat keinen Inhalt mehr.")
    return archive.read(session, mail.archive_key)


def _mail(session: Session, mail_id: int, *, locked: bool = False) -> OutboxMail:
    mail = session.get(OutboxMail, mail_id, with_for_update=True if locked else None)
    if mail is None:
        raise NotFoundError(f"Postausgang: Es gibt keine Mail mit der Nummer {mail_id}.")
    return mail


def resolve_unclear(session: Session, mail_id: int, *, arrived: bool, actor: str) -> None:
    """A person looked (recipient, mail server's log): the unclear mail arrived, or it is to be sent again.

    Raises:
        ConflictError: the mail is not unclear.
    """
    mail = _mail(session, mail_id, locked=True)
    if mail.state is not MailState.UNCLEAR:
        raise ConflictError(f"Postausgang: Die Mail {mail.key} ist nicht »unklar«, sondern »{mail.state.value}«.")
    if arrived:
        mail.state, mail.accepted_at = MailState.ACCEPTED, mail.in_flight_at or clock.now()
        mail.reply = f"von {actor} als angekommen bestätigt"
    else:
        mail.state, mail.retry_at = MailState.QUEUED, None
        mail.error = f"von {actor} zum erneuten Senden freigegeben"
        notify(session, CHANNEL)


def resend(session: Session, mail_id: int, actor: str) -> None:
    """Try a mail again that was given up; the bytes stay the same.

    Raises:
        ConflictError: the mail is on its way or has arrived.
    """
    mail = _mail(session, mail_id, locked=True)
    if mail.state not in (MailState.BOUNCED, MailState.QUEUED):
        raise ConflictError(f"Postausgang: Die Mail {mail.key} ist »{mail.state.value}« und wird nicht erneut gesendet.")
    mail.state, mail.retry_at = MailState.QUEUED, None
    mail.error = f"von {actor} erneut in den Ausgang gestellt"
    notify(session, CHANNEL)


def as_json(mail: ListedMail) -> dict[str, Any]:
    """The keys of `mail list --json`."""
    return {
        "key": mail.key,
        "kind": mail.kind,
        "state": mail.state,
        "subject": mail.subject,
        "recipients": list(mail.recipients),
        "customer": mail.customer,
        "message_id": mail.message_id,
        "queued_at": clock.local(mail.queued_at).isoformat(),
        "accepted_at": clock.local(mail.accepted_at).isoformat() if mail.accepted_at else None,
        "attempts": mail.attempts,
        "reply": mail.reply,
        "error": mail.error,
    }


def id_of(session: Session, key: str) -> int:
    """The row of a mail's key. Raises: NotFoundError."""
    found = session.scalar(sa.select(OutboxMail.id).where(OutboxMail.key == key))
    if found is None:
        raise NotFoundError(f"Postausgang: Es gibt keine Mail mit dem Schlüssel {key}.")
    return found
