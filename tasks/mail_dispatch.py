"""Steps of the post: what comes back from the mailbox, what goes out. The states and their meaning: actions/mail/dispatch.py"""

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sa

from actions import restoration
from actions.mail import bounces, dispatch, inbound, outbox, transport
from integrations.mail.mailbox import LetterError, Mailbox, MailboxError
from integrations.mail.types import MailSender, MailSettingsError, OutgoingMail, SendResult
from kit import log as logs
from kit.database import Role, engine, unit_of_work
from kit.steps import Outcome, step
from models.plumbing import MailState

log = logging.getLogger(__name__)

ACTOR = "flow:mail_dispatch"
GONE_WELL = (MailState.ACCEPTED, MailState.QUEUED)
LOADED_AT_ONCE = 10
"""Mails that one look brings into memory: with their attachments some megabytes."""


@dataclass(slots=True)
class Dispatched:
    """What one round did: state -> count; `stopped` says why it ended early (the server does not answer)."""

    states: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def accepted(self) -> int:
        return self.states["accepted"]


class _AlreadyTakenError(Exception):
    """The row is not waiting any more."""


def _lock(guard: sa.Connection, mail_ids: list[int]) -> list[int]:
    """Session locks of mails; which of them nobody else holds. The database frees them when this process dies."""
    free = sa.text(
        "SELECT id FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, position) "
        "WHERE pg_try_advisory_lock(hashtextextended('mail:' || id, 0)) ORDER BY position"
    )
    return list(guard.scalars(free, {"ids": mail_ids}))


def _unlock(guard: sa.Connection, mail_ids: list[int]) -> None:
    held = sa.text(
        "SELECT pg_advisory_unlock(hashtextextended('mail:' || id, 0)) FROM unnest(CAST(:ids AS bigint[])) AS held (id)"
    )
    guard.execute(held, {"ids": mail_ids})


def _hand_over(sender: MailSender, claimed: dispatch.Claimed) -> tuple[str, SendResult] | None:
    """Send one mail if it still waits: that is asked once more right before its content leaves."""
    mail_id = claimed.id

    def before_data(_mail: OutgoingMail) -> None:
        with unit_of_work(ACTOR) as session:
            if not dispatch.mark_in_flight(session, mail_id):
                raise _AlreadyTakenError

    try:
        result = sender.send(claimed.mail, before_data)
    except _AlreadyTakenError:
        return None
    with unit_of_work(ACTOR) as session:
        state = dispatch.settle(session, mail_id, result)
    told = f"Mail {GERMAN[state.value]}"
    logs.item(told, fault=None if state in GONE_WELL else told)
    return state.value, result


def _abandon_orphans(guard: sa.Connection, done: Dispatched) -> None:
    with unit_of_work(ACTOR) as session:
        suspects = dispatch.in_flight(session)
    orphans = _lock(guard, suspects)
    try:
        for mail_id in orphans:
            with unit_of_work(ACTOR) as session:
                dispatch.abandon(session, mail_id)
            done.states["unclear"] += 1
    finally:
        _unlock(guard, orphans)


@step(name="Post versenden", retries=0)
def send_queued(*, force: bool = False) -> Dispatched:
    """Hand over what waits. A second call sends nothing twice: a mail is sent by whoever holds its lock while it waits.

    Args:
        force: try also mails that pause after a fault (a person started the run).
    """
    return _send_what_waits(force=force)


class Postman:
    """Hands over mails while the next ones are still being made; after a stop it leaves the rest to the step that sends."""

    def __init__(self) -> None:
        self._at_work, self._stopped = threading.Lock(), False

    def deliver(self) -> None:
        """Send what waits, unless another thread is at it or the server does not answer."""
        if self._stopped or not self._at_work.acquire(blocking=False):
            return
        try:
            self._stopped = bool(_send_what_waits(force=False).stopped)
        except MailSettingsError as trouble:
            log.warning("%s", trouble)
            self._stopped = True
        finally:
            self._at_work.release()


def _send_what_waits(*, force: bool) -> Dispatched:
    done = Dispatched()
    with unit_of_work(ACTOR) as session:
        done.stopped = restoration.why_held(session)
    if done.stopped:
        return done
    with engine(Role.APP).connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        _abandon_orphans(guard, done)
        with unit_of_work(ACTOR) as session:
            ids = dispatch.due(session, force=force)
        if not ids:
            return done
        with transport.sender() as sender:
            while ids and not done.stopped:
                _send_batch(guard, sender, ids, done)
                with unit_of_work(ACTOR) as session:
                    ids = dispatch.due(session, force=force, after=ids[-1])
    return done


def _send_batch(guard: sa.Connection, sender: MailSender, ids: list[int], done: Dispatched) -> None:
    for start in range(0, len(ids), LOADED_AT_ONCE):
        held = _lock(guard, ids[start : start + LOADED_AT_ONCE])
        try:
            with unit_of_work(ACTOR) as session:
                waiting = dispatch.load(session, held)
            _send_held(sender, waiting, done)
        finally:
            _unlock(guard, held)
        if done.stopped:
            return


def _send_held(sender: MailSender, waiting: list[dispatch.Claimed], done: Dispatched) -> None:
    for claimed in waiting:
        with logs.bound(mail=claimed.key, **({"customer": claimed.customer} if claimed.customer else {})):
            sent = _hand_over(sender, claimed)
        if sent is None:
            continue
        state, result = sent
        done.states[state] += 1
        if result.whole_server:
            done.stopped = result.reason
            return


@step(name="Gesendete Post archivieren")
def archive_sent() -> int:
    """Put accepted mails into the archive, a batch per transaction. A second call finds none left."""
    total = 0
    while True:
        with unit_of_work(ACTOR) as session:
            count = dispatch.archive_sent(session)
        total += count
        if not count:
            return total


@step(name="Rückläufer lesen")
def read_bounces() -> int:
    """Understand mails that came back. A second call meets none; what cannot be read is parked with its reason."""
    total = 0
    while True:
        with unit_of_work(ACTOR) as session:
            looked_at, count = bounces.read_waiting(session)
        total += count
        if not looked_at:
            return total


@dataclass(slots=True)
class Fetched:
    """What the mailbox gave: outcome -> count; `left` lie there still, `troubles` are German sentences."""

    kept: Counter[str] = field(default_factory=Counter)
    left: int = 0
    troubles: list[str] = field(default_factory=list)


LETTERS_PER_ROUND = 500
"""So that a full mailbox does not hold up the outgoing mail; what was stored rings the doorbell, the next round goes on."""


@step(name="Postfach abholen", retries=0)
def fetch_mailbox() -> Fetched:
    """Store what lies in the house's mailbox. A second call stores nothing twice: the content is the key.

    Each letter is committed before it is moved on the server. Whoever dies in between leaves a letter that the next call
    finds stored already and only moves. A mailbox that is away is told and stops nothing else.
    """
    fetched = Fetched()
    try:
        with inbound.mailbox() as box:
            if box is not None:
                _fetch_all(box, fetched)
    except (MailboxError, MailSettingsError) as trouble:
        fetched.troubles.append(str(trouble))
    return fetched


def _fetch_all(box: Mailbox, fetched: Fetched) -> None:
    uids = box.uids()
    fetched.left = len(uids)
    for uid in uids:
        if fetched.kept.total() >= LETTERS_PER_ROUND:
            return
        try:
            _fetch_one(box, uid, fetched)
        except LetterError as trouble:
            fetched.troubles.append(str(trouble))
        else:
            fetched.left -= 1


def _fetch_one(box: Mailbox, uid: int, fetched: Fetched) -> None:
    letter = box.letter(uid, bounces.MAX_BYTES)
    if letter is None:
        return
    with unit_of_work(ACTOR) as session:
        kept = inbound.keep(session, letter)
    fetched.kept[kept] += 1
    if kept is inbound.Kept.PARKED:
        fetched.troubles.append(inbound.too_large(letter))
    box.put_aside(uid)


def tell(done: Dispatched, fetched: Fetched | None = None) -> Outcome:
    """One sentence for the operator, and what needs a person."""
    counted = ", ".join(f"{count} {GERMAN[state]}" for state, count in sorted(done.states.items())) or "nichts zu tun"
    with unit_of_work(ACTOR) as session:
        waiting = outbox.counts(session)
    items = [
        f"{waiting[state]} Mails {GERMAN[state]}, siehe »Postausgang«" for state in ("unclear", "bounced") if waiting.get(state)
    ]
    if done.stopped:
        items.append(done.stopped)
    summary = f"Postausgang: {counted}."
    if fetched is not None and (fetched.kept or fetched.left):
        summary += f" Postfach: {fetched.kept[inbound.Kept.STORED]} neu, {fetched.left} liegen noch dort."
    return Outcome(summary, (*items, *(fetched.troubles if fetched is not None else ())))


GERMAN = {
    "queued": "vertagt",
    "in_flight": "unterwegs",
    "accepted": "angenommen",
    "bounced": "nicht zustellbar",
    "unclear": "unklar",
    "cancelled": "zurückgezogen",
}
