"""After a restore: what was sent meanwhile is marked as sent, what was numbered meanwhile is never given again.

Any number of sources, in any order, as often as one likes: each only adds. What must hold afterwards:
- a mail that any source names is not sent by this home, neither from its row nor when a process queues it anew;
- a range goes on behind the highest number that any source names; every number in between is listed as lost, with or without
  trace (an invoice by post leaves none in the mail), until a person has decided about its document.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions import archive, people
from actions.mail import dispatch
from actions.mail.outbox import CHANNEL
from integrations.mail.evidence import NUMBER, Evidence, of_mail
from kit import clock
from kit.database import notify
from kit.errors import ConflictError, UsageError
from kit.settings import home
from models.plumbing import ArchivedObject, MailState, NumberRange, OutboxMail
from models.restoration import EarlierMail, LostNumber, Restoration

OPEN = (MailState.QUEUED, MailState.IN_FLIGHT, MailState.UNCLEAR)
NO_TRACE = "keine Spur, aber eine spätere Nummer ist vergeben"
MISTAKE = 100_000
"""A number so far ahead is a typing error or a foreign document, not ours."""


@dataclass
class Reconciled:
    """What the sources told."""

    settled: int = 0
    """Mails of the outbox that had left already."""
    known: int = 0
    """Mails that the outbox knows as sent."""
    earlier: int = 0
    """Mails that the outbox does not know at all."""
    lost: list[str] = field(default_factory=list)
    counted: set[int] = field(default_factory=set)
    """Rows of the outbox that stand in one of the counts: several sources tell of one mail."""


def _open_hold(session: Session) -> Restoration:
    row = session.scalar(sa.select(Restoration).where(Restoration.lifted_at.is_(None)).with_for_update())
    if row is None:
        raise ConflictError(
            "Abgleich: Dieses Heim wurde nicht zurückgespielt oder ist schon abgeglichen; es gibt nichts zu tun."
        )
    return row


def take(session: Session, found: Iterable[Evidence], numbers: Mapping[str, str] | None = None) -> Reconciled:
    """Note what these sources tell.

    Args:
        session: the transaction; it keeps all or nothing.
        found: mails that left.
        numbers: number -> who knows of it (SAP, paper, the archive).

    Raises:
        ConflictError: nothing is held here.
        UsageError: a number that is none.
    """
    row, done = _open_hold(session), Reconciled()
    counted: Counter[str] = Counter()
    seen: dict[str, tuple[str, int | None]] = {}
    for each in found:
        counted[each.source] += 1
        mail_id = _note_mail(session, row, each, done)
        for number in each.numbers:
            seen.setdefault(number, (f"Mail vom {_day(each)}" if each.sent_at else "Mail", mail_id))
    for number, source in (numbers or {}).items():
        if not NUMBER.fullmatch(number):
            raise UsageError(f"--number {number}: ist keine Nummer. Schreiben Sie sie wie RE-2026-000123.")
        seen.setdefault(number, (source, None))
    done.lost = _note_numbers(session, row, seen)
    row.reconciled_at = clock.now()
    row.detail = {**row.detail, **counted}
    session.flush()
    return done


def _day(each: Evidence) -> str:
    return f"{clock.local(each.sent_at):%d.%m.%Y %H:%M}" if each.sent_at else ""


def _note_mail(session: Session, hold: Restoration, each: Evidence, done: Reconciled) -> int | None:
    """The id of the earlier mail when no row knows it."""
    rows = session.scalars(sa.select(OutboxMail).where(OutboxMail.message_id == each.message_id).with_for_update()).all()
    if not rows:
        return _earlier(session, hold, each, done)
    served = {address.lower() for address in each.recipients}
    for row in rows:
        if row.state in OPEN and (not served or served >= {address.lower() for address in row.recipients}):
            row.state, row.accepted_at = MailState.ACCEPTED, each.sent_at or clock.now()
            row.reply, row.error = f"laut {each.source} schon gesendet (Abgleich nach der Rückspielung)", None
            people.answered(session, f"mail-unclear:{row.key}")
            done.settled += 1
            done.counted.add(row.id)
        elif row.id not in done.counted:
            done.known += 1
            done.counted.add(row.id)
    return None


def _earlier(session: Session, hold: Restoration, each: Evidence, done: Reconciled) -> int:
    row = session.scalar(sa.select(EarlierMail).where(EarlierMail.message_id == each.message_id))
    if row is None:
        row = EarlierMail(restoration_id=hold.id, message_id=each.message_id, recipients=[], source=each.source)
        session.add(row)
        done.earlier += 1
    if row.raw is None and each.raw is not None:  # a log told of it before, now comes the mail itself
        row.raw, row.subject, row.source = each.raw, each.subject, each.source
    row.sent_at = row.sent_at or each.sent_at
    row.recipients = sorted({*row.recipients, *each.recipients})
    session.flush()
    return row.id


def _note_numbers(session: Session, hold: Restoration, seen: dict[str, tuple[str, int | None]]) -> list[str]:
    """Raise each range to the highest number seen; the numbers that are lost by that."""
    highest: dict[tuple[str, int], int] = {}
    for number in seen:
        prefix, of_year, count = number.split("-")
        highest[prefix, int(of_year)] = max(int(count), highest.get((prefix, int(of_year)), 0))
    fresh: list[str] = []
    for (prefix, year), top in sorted(highest.items()):
        fresh += _raise(session, prefix, year, top)
    for number in fresh:
        source, mail_id = seen.get(number, (NO_TRACE, None))
        session.add(LostNumber(restoration_id=hold.id, number=number, source=source, earlier_mail_id=mail_id))
    session.flush()
    for number, (source, mail_id) in seen.items():  # another source may have told of it as a mere gap
        session.execute(
            sa.update(LostNumber)
            .where(LostNumber.number == number, sa.or_(LostNumber.source == NO_TRACE, LostNumber.earlier_mail_id.is_(None)))
            .values(source=source, earlier_mail_id=mail_id)
        )
    return fresh


def _raise(session: Session, prefix: str, year: int, top: int) -> list[str]:
    row = session.scalar(sa.select(NumberRange).where(NumberRange.prefix == prefix, NumberRange.year == year).with_for_update())
    last = row.last if row is not None else 0
    if top <= last:
        return []
    if top - last > MISTAKE or not 2000 <= year <= clock.today().year + 1:
        raise UsageError(
            f"Abgleich: {prefix}-{year}-{top:06} liegt weit vor dem Stand {prefix}-{year}-{last:06}. Prüfen Sie die Quelle; "
            "es ist nichts vermerkt."
        )
    statement = insert(NumberRange).values(prefix=prefix, year=year, last=top, created_at=clock.now())
    session.execute(statement.on_conflict_do_update(index_elements=["prefix", "year"], set_={"last": top}))
    return [f"{prefix}-{year}-{number:06}" for number in range(last + 1, top + 1)]


# --- what this home and its archive know themselves


def own_evidence(session: Session) -> Iterator[Evidence]:
    """Mails in the archive that the register does not know: stored after the backup, so sent before."""
    for key in _unregistered(session):
        if key.startswith("mail-out/"):
            yield from of_mail(archive.store().get(key), "Archiv")


def own_numbers(session: Session) -> dict[str, str]:
    """Numbers of objects in the archive and files for SAP that came after the backup."""
    keys = [key for key in _unregistered(session) if not key.startswith("mail-out/")]
    files = [path.name for path in (home() / "sap").glob("*.json")]
    named = [(name, "Archiv") for name in keys] + [(name, "SAP-Ordner") for name in files]
    return {match[0]: source for name, source in named for match in re.finditer(NUMBER, name)}


def _unregistered(session: Session) -> list[str]:
    known, store = set(session.scalars(sa.select(ArchivedObject.key))), archive.store()
    return [key for key in store.keys() if key not in known]  # noqa: SIM118 - a store is no dict


# --- decisions of a person


def resume(session: Session, by: str, *, without_log: bool = False) -> int:
    """Let the home work again. Without any evidence each waiting mail becomes unclear: a person decides about it.

    Returns how many became unclear.
    """
    row = _open_hold(session)
    if row.reconciled_at is None and not without_log:
        raise ConflictError(
            "Abgleich: Es wurde noch keine Quelle gelesen. Nennen Sie die gesendete Post (drehkreuz mail reconcile …), oder "
            "bestätigen Sie mit --without-log, dass es keine gibt; dann entscheiden Sie jede wartende Mail einzeln."
        )
    row.lifted_at, row.lifted_by = clock.now(), by
    session.flush()
    waiting: Sequence[OutboxMail] = []
    if without_log:
        waiting = session.scalars(sa.select(OutboxMail).where(OutboxMail.state == MailState.QUEUED).with_for_update()).all()
        for mail in waiting:
            dispatch.mark_unclear(session, mail)
    notify(session, CHANNEL)
    return len(waiting)


def decide(session: Session, number: str, decision: str, by: str) -> None:
    """A person has settled what becomes of a lost document. Raises: ConflictError, UsageError."""
    row = session.scalar(sa.select(LostNumber).where(LostNumber.number == number).with_for_update())
    if row is None:
        raise ConflictError(f"{number}: ist keine verlorene Nummer. Alle zeigt »drehkreuz mail lost«.")
    if not decision.strip():
        raise UsageError(f"{number}: Schreiben Sie mit --note, was mit dem Beleg geschieht.")
    if row.decided_at is not None:
        raise ConflictError(f"{number}: schon von {row.decided_by} entschieden: {row.decision}")
    row.decided_at, row.decided_by, row.decision = clock.now(), by, decision.strip()


@dataclass(frozen=True, slots=True)
class Lost:
    """A lost number as lists show it."""

    number: str
    source: str
    subject: str
    recipients: tuple[str, ...]
    decision: str
    raw: bytes | None

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "number": self.number,
            "source": self.source,
            "subject": self.subject or None,
            "recipients": list(self.recipients),
            "decision": self.decision or None,
        }


def lost(session: Session) -> list[Lost]:
    """All lost numbers, the undecided first."""
    rows = session.execute(
        sa.select(LostNumber, EarlierMail)
        .outerjoin(EarlierMail, EarlierMail.id == LostNumber.earlier_mail_id)
        .order_by(LostNumber.decided_at.is_not(None), LostNumber.number)
    ).tuples()
    return [
        Lost(
            row.number,
            row.source,
            (mail.subject or "") if mail else "",
            tuple(mail.recipients) if mail else (),
            f"{row.decision} ({row.decided_by})" if row.decided_at else "",
            mail.raw if mail else None,
        )
        for row, mail in rows
    ]
