"""Handing over: what one mail's row goes through between queued and accepted.

queued -> in_flight (committed right before DATA) -> accepted | bounced | queued again | unclear. While a process works on
a mail it holds an advisory lock of that mail on a connection of its own; the lock goes with the process, however it dies.
So whoever finds a mail in flight *and* unlocked knows that its sender is dead: whether the mail left nobody can say, it
becomes `unclear` and is never blindly sent again.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from actions import archive, people
from actions.archive import Document
from actions.mail import bounce_notice
from integrations.mail.types import BouncedRecipient, OutgoingMail, SendResult, SendState
from kit import clock
from models.parties import Customer
from models.plumbing import MailState, OutboxMail
from rules.retention import RecordClass

RETRY_MINUTES = (1, 2, 5, 10, 30, 60)
"""Waits between attempts; the last one repeats."""
FURTHEST = dt.timedelta(minutes=2 * RETRY_MINUTES[-1])
TELL_AFTER = dt.timedelta(days=1)
"""A mail that its server puts off for so long is told to a person; it goes on being tried."""
GIVE_UP_AFTER = dt.timedelta(days=4)
"""A mail that no server takes for so long has failed; a person is told."""
UNCLEAR_WHY = (
    "Der Versand brach ab, bevor der Mailserver antwortete. Prüfen Sie sein Protokoll anhand der Message-ID oder fragen Sie "
    "den Empfänger, dann »angekommen« oder »erneut senden«."
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that this process may send now."""

    id: int
    key: str
    mail: OutgoingMail
    customer: str
    """The customer's number; empty for a mail of the house."""


def due(session: Session, *, force: bool = False, after: int = 0, limit: int = 500) -> list[int]:
    """Mails that wait and whose time has come, oldest first; with `force` also those that pause after a fault."""
    waiting = OutboxMail.state == MailState.QUEUED
    now = clock.now()
    ahead = OutboxMail.retry_at > now + FURTHEST  # written by a clock that was ahead: no pause is so long
    time_has_come = sa.true() if force else sa.or_(OutboxMail.retry_at.is_(None), OutboxMail.retry_at <= now, ahead)
    return list(
        session.scalars(
            sa.select(OutboxMail.id).where(waiting, time_has_come, OutboxMail.id > after).order_by(OutboxMail.id).limit(limit)
        )
    )


def in_flight(session: Session) -> list[int]:
    """Mails that were on their way when somebody last wrote them down."""
    return list(
        session.scalars(sa.select(OutboxMail.id).where(OutboxMail.state == MailState.IN_FLIGHT).order_by(OutboxMail.id))
    )


def load(session: Session, mail_ids: Sequence[int]) -> list[Claimed]:
    """Those of the mails that still wait, oldest first; other processes may have sent some meanwhile."""
    found = session.execute(
        sa.select(
            OutboxMail.id,
            OutboxMail.key,
            OutboxMail.message_id,
            OutboxMail.sender,
            OutboxMail.recipients,
            OutboxMail.subject,
            OutboxMail.raw,
            Customer.number,
        )
        .outerjoin(Customer, Customer.id == OutboxMail.customer_id)
        .where(OutboxMail.id.in_(mail_ids), OutboxMail.state == MailState.QUEUED, OutboxMail.raw.is_not(None))
        .order_by(OutboxMail.id)
    ).tuples()
    return [
        Claimed(mail_id, key, OutgoingMail(message_id, sender, tuple(recipients), subject, raw or b""), number or "")
        for mail_id, key, message_id, sender, recipients, subject, raw, number in found
    ]


_mail = cast(sa.Table, OutboxMail.__table__)
_ON_ITS_WAY = (
    sa.update(_mail)
    .where(_mail.c.id == sa.bindparam("mail"), _mail.c.state == MailState.QUEUED)
    .values(state=MailState.IN_FLIGHT, in_flight_at=sa.bindparam("now"), attempts=_mail.c.attempts + 1)
    .returning(_mail.c.id)
)
_TAKEN_AT_ONCE = (
    sa.update(_mail)
    .where(_mail.c.id == sa.bindparam("mail"), _mail.c.attempts == 1)
    .values(state=MailState.ACCEPTED, accepted_at=sa.bindparam("now"), refused={})
    .values(reply=sa.bindparam("said"), error=sa.bindparam("remark"))
    .returning(_mail.c.id)
)
"""Built once: each mail needs both, and to build one costs more than to execute it."""


def mark_in_flight(session: Session, mail_id: int) -> bool:
    """Right before DATA. False when the row is not waiting any more: then nothing may be sent."""
    changed = session.connection().execute(_ON_ITS_WAY, {"mail": mail_id, "now": clock.now()})
    return changed.first() is not None


def settle(session: Session, mail_id: int, result: SendResult) -> MailState:
    """Write down what the server said, and open a task where a person must help."""
    if _went_well_at_once(session, mail_id, result):
        return MailState.ACCEPTED
    without_content = [defer(OutboxMail.raw)]  # megabytes that a verdict does not need
    row = session.get_one(OutboxMail, mail_id, with_for_update=True, options=without_content)
    now = clock.now()
    row.refused = {r.recipient: f"{r.code} {r.text}" for r in result.refused}
    match result.state:
        case SendState.ACCEPTED:
            row.state, row.accepted_at, row.reply, row.error = MailState.ACCEPTED, now, result.reply, result.reason or None
            if row.attempts > 1:  # only what was put off can have been told as late
                people.answered(session, f"mail-late:{row.key}")
            if result.retry_recipients:
                _send_rest(session, row, result, now)
            if any(refusal.permanent for refusal in result.refused):
                people.ask(session, _partly_refused(row))
        case SendState.REFUSED:
            _bounce(session, row, result.reason or result.reply)
        case SendState.UNCLEAR:
            mark_unclear(session, row)
        case SendState.TEMPORARY:
            _later(session, row, result, now)
    return row.state


def _went_well_at_once(session: Session, mail_id: int, result: SendResult) -> bool:
    """The usual case by one statement: taken for everybody at the first attempt, so nobody has to be told or asked."""
    if result.state is not SendState.ACCEPTED or result.refused:
        return False
    told = {"mail": mail_id, "now": clock.now(), "said": result.reply, "remark": result.reason or None}
    return session.connection().execute(_TAKEN_AT_ONCE, told).first() is not None


def _send_rest(session: Session, row: OutboxMail, result: SendResult, now: dt.datetime) -> None:
    """Recipients that were put off (greylisting) while others were served get the same bytes by a row of their own."""
    session.add(
        OutboxMail(
            key=f"{row.key}#rest",
            kind=row.kind,
            customer_id=row.customer_id,
            message_id=row.message_id,
            sender=row.sender,
            recipients=list(result.retry_recipients),
            subject=row.subject,
            raw=row.raw,
            refused={},
            attempts=1,
            retry_at=now + dt.timedelta(minutes=RETRY_MINUTES[1]),
        )
    )


def _later(session: Session, row: OutboxMail, result: SendResult, now: dt.datetime) -> None:
    if row.state is MailState.QUEUED:  # never got as far as DATA
        row.attempts += 1
    if now - row.created_at > GIVE_UP_AFTER:
        _bounce(session, row, f"seit {GIVE_UP_AFTER.days} Tagen nicht angenommen: {result.reason}")
        return
    if now - row.created_at > TELL_AFTER and not result.whole_server:  # a server that is away shows in doctor, once for all
        people.ask(session, _put_off(row, result.reason or result.reply))
    wait = RETRY_MINUTES[min(row.attempts, len(RETRY_MINUTES)) - 1]
    row.state, row.retry_at, row.error = MailState.QUEUED, now + dt.timedelta(minutes=wait), result.reason


def _put_off(row: OutboxMail, why: str) -> people.Question:
    return people.Question(
        key=f"mail-late:{row.key}",
        customer_id=row.customer_id,
        role="back_office",
        subject=f"Mail wird seit einem Tag nicht angenommen: {row.subject}",
        text=f"An {', '.join(row.recipients)}: {why}. Drehkreuz versucht es bis zum vierten Tag stündlich. Bitte Adresse "
        "und Mailserver des Empfängers klären; kommt die Mail an, schließt sich diese Aufgabe selbst.",
    )


def mark_unclear(session: Session, row: OutboxMail) -> None:
    """Nobody knows whether it arrived: shown until a person decides."""
    row.state, row.error = MailState.UNCLEAR, UNCLEAR_WHY
    people.ask(
        session,
        people.Question(
            key=f"mail-unclear:{row.key}",
            customer_id=row.customer_id,
            role="back_office",
            subject=f"Mail unklar: {row.subject}",
            text=f"An {', '.join(row.recipients)}. {UNCLEAR_WHY} Message-ID: {row.message_id}",
        ),
    )


def abandon(session: Session, mail_id: int) -> None:
    """A mail in flight whose sender is dead."""
    row = session.get_one(OutboxMail, mail_id, with_for_update=True)
    if row.state is MailState.IN_FLIGHT:
        mark_unclear(session, row)


def _bounce(session: Session, row: OutboxMail, why: str) -> None:
    row.state, row.error = MailState.BOUNCED, why
    task = people.ask(
        session,
        people.Question(
            key=f"mail-bounced:{row.key}",
            customer_id=row.customer_id,
            role="back_office",
            subject=f"Mail nicht zustellbar: {row.subject}",
            text=f"An {', '.join(row.recipients)}: {why}. Bitte die Adresse am Ansprechpartner berichtigen; der nächste Besuch "
            "des Laufs sendet dann an die neue Adresse.",
        ),
    )
    refused = [BouncedRecipient(address, "", str(row.refused.get(address, why))) for address in row.recipients]
    bounce_notice.tell(session, row, refused, task)


def _partly_refused(row: OutboxMail) -> people.Question:
    named = "; ".join(f"{address}: {reply}" for address, reply in row.refused.items())
    return people.Question(
        key=f"mail-partly:{row.key}",
        customer_id=row.customer_id,
        role="back_office",
        subject=f"Ein Empfänger wurde abgelehnt: {row.subject}",
        text=f"Die Mail kam bei den übrigen Empfängern an. Abgelehnt: {named}. Bitte die Adresse berichtigen.",
    )


def bounced(session: Session, message_id: str, recipient: str, why: str) -> bool:
    """A mail came back after it had been accepted. True when it is one of ours."""
    rows = session.scalars(sa.select(OutboxMail).where(OutboxMail.message_id == message_id).with_for_update()).all()
    if not rows:
        return False
    row, address = _meant(rows, recipient)
    if row.state is MailState.BOUNCED:
        return True
    row.refused = {**row.refused, address: why}
    others = [each for each in row.recipients if each not in row.refused]
    if others and address:
        people.ask(session, _partly_refused(row))
    else:
        _bounce(session, row, f"kam zurück: {why}")
    return True


def _meant(rows: Sequence[OutboxMail], recipient: str) -> tuple[OutboxMail, str]:
    """Which mail came back, and for which of its recipients; servers change the case and name whom they forwarded to."""
    for row in rows:
        for address in row.recipients:
            if address.lower() == recipient.lower():
                return row, address
    only = rows[0].recipients[0] if len(rows) == 1 and len(rows[0].recipients) == 1 else recipient
    return rows[0], only


def archive_sent(session: Session, limit: int = 100) -> int:
    """Move mails that are done from their rows into the archive (GoBD: business letters); returns how many."""
    rows: Sequence[OutboxMail] = session.scalars(
        sa.select(OutboxMail)
        .where(OutboxMail.state == MailState.ACCEPTED, OutboxMail.raw.is_not(None))
        .order_by(OutboxMail.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    kept = archive.keep(session, *(_document(row) for row in rows))
    for row, place in zip(rows, kept, strict=True):
        row.archive_key, row.raw = place.key, None
    return len(rows)


def _document(row: OutboxMail) -> Document:
    voucher = row.kind in ("service_report", "invoice")
    return Document(
        kind="mail-out",
        name=row.message_id.strip("<>").partition("@")[0],
        content=row.raw or b"",
        suffix="eml",
        record_class=RecordClass.VOUCHER if voucher else RecordClass.LETTER,
        customer_id=row.customer_id,
        day=clock.local(row.created_at).date(),
    )
