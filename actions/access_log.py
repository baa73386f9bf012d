"""Who reads what is confidential, and what stands out about it: entries that only grow, notices for the administration.

Whoever reads is noted in the transaction that reads. Nothing is refused here: limits have their own places (`portal/pace.py`,
`portal/security/lockout.py`, `actions/uploads.py`).
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions import invitations, settling
from kit import clock
from kit.settings import settings
from models.access import Login
from models.watching import AccessEntry, AccessKind, AccessNotice, Unusual
from rules.unusual import REFUSALS, far_more, network

HOUR = dt.timedelta(hours=1)
READING = (AccessKind.DOCUMENT, AccessKind.MAIL, AccessKind.BANK_DATA, AccessKind.STAFF_LIST, AccessKind.EXPORT)
MOST_REFUSALS = 200
"""Refusals of one person within an hour that are kept; who tries more fills the log of the web server alone."""
NEW_DEVICE = "Eine Anmeldung von einem neuen Gerät"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who acts: the login (None for a command on the machine), its name in the trail, and where it comes from."""

    login_id: int | None
    actor: str
    origin: str = ""

    @property
    def name(self) -> str:
        """The address without the kind of person before it."""
        return self.actor.rpartition(":")[2]


def read(session: Session, reader: Reader, kind: AccessKind, what: str) -> str | None:
    """Note that something confidential was read; what stands out about it, when that is new."""
    _note(session, reader, kind, what)
    if reader.login_id is None:
        return None
    now = _count(session, reader.login_id, *READING)
    if not far_more(now, 0) or not far_more(now, _busiest(session, reader.login_id)):
        return None
    text = f"{reader.name} hat in einer Stunde {now} vertrauliche Dokumente und Seiten geöffnet, mehr als je zuvor"
    return _tell(session, Unusual.MANY_READS, reader.login_id, str(reader.login_id), text)


def refused(session: Session, reader: Reader, what: str) -> str | None:
    """Note a refused access; what stands out, when that is new."""
    assert reader.login_id is not None  # noqa: S101 - nobody unknown gets that far
    before = _count(session, reader.login_id, AccessKind.REFUSED)
    if before < MOST_REFUSALS:
        _note(session, reader, AccessKind.REFUSED, what)
    if before + 1 < REFUSALS:
        return None
    text = f"{reader.name} wurde in einer Stunde {before + 1} mal abgewiesen: kein Recht, oder es gibt das Gesuchte nicht"
    return _tell(session, Unusual.MANY_REFUSALS, reader.login_id, str(reader.login_id), text)


def signed_in(session: Session, reader: Reader, device: str, mark: str) -> str | None:
    """Note a sign-in and forget what is old. A device that nobody has seen with this login is told to its owner by mail too.

    Known is a device by its mark, else by browser and network together: whoever empties the cookies at the usual place is
    no stranger, and a notebook on a journey neither.
    """
    assert reader.login_id is not None  # noqa: S101 - somebody signed in
    own = sa.and_(AccessEntry.login_id == reader.login_id, AccessEntry.kind == AccessKind.SIGN_IN)
    known = session.execute(sa.select(AccessEntry.mark, AccessEntry.device, AccessEntry.origin).where(own).distinct()).all()
    _note(session, reader, AccessKind.SIGN_IN, "/anmelden", device=device, mark=mark)
    forget(session)
    here = network(reader.origin)
    if not known or any(k.mark == mark or (k.device == device and network(k.origin) == here) for k in known):
        return None
    what = f"{NEW_DEVICE}: {device}"
    invitations.tell_change(session, session.get_one(Login, reader.login_id), what)
    text = f"{reader.name} hat sich von einem neuen Gerät angemeldet: {device}, {reader.origin}"
    return _tell(session, Unusual.NEW_DEVICE, reader.login_id, f"{reader.login_id}:{mark}", text)


def locked_out(session: Session, email: str, origin: str) -> str | None:
    """Somebody has failed so often that the account or the address is locked; told once a day and account or address."""
    login = session.scalar(sa.select(Login).where(Login.email == email.strip().lower()))
    whom = f"auf {login.email}" if login else "auf Adressen ohne Zugang"
    text = f"Gesperrt nach zu vielen Fehlversuchen {whom}, von {origin}"
    return _tell(session, Unusual.LOCKED_OUT, login.id if login else None, str(login.id) if login else origin, text)


def forget(session: Session) -> int:
    """Entries, settled notices and counts of uploads older than the house keeps them are gone; how many entries."""
    days = settings().access_log_days
    return session.scalar(sa.select(sa.func.drehkreuz_forget_access(days))) or 0


def settle(session: Session, notice_id: int, who: str) -> bool:
    """Somebody has looked; False when that was said before or there is no such notice."""
    return settling.settle(session, AccessNotice, notice_id, who)


def _note(session: Session, reader: Reader, kind: AccessKind, what: str, *, device: str = "", mark: str | None = None) -> None:
    session.add(
        AccessEntry(
            at=clock.now(),
            login_id=reader.login_id,
            actor=reader.actor,
            kind=kind,
            what=what[:500],
            origin=reader.origin[:100],
            device=device,
            mark=mark,
        )
    )
    session.flush()


def _count(session: Session, login_id: int, *kinds: AccessKind) -> int:
    recent = AccessEntry.at > clock.now() - HOUR
    statement = sa.select(sa.func.count()).where(AccessEntry.login_id == login_id, recent, AccessEntry.kind.in_(kinds))
    return session.scalars(statement).one()


def _busiest(session: Session, login_id: int) -> int:
    """Readings of this person in its busiest clock hour, the last sixty minutes left out."""
    hour = sa.func.date_trunc("hour", AccessEntry.at)
    before = AccessEntry.at <= clock.now() - HOUR
    hours = sa.select(sa.func.count().label("readings")).where(
        AccessEntry.login_id == login_id, before, AccessEntry.kind.in_(READING)
    )
    return session.scalar(sa.select(sa.func.max(hours.group_by(hour).subquery().c.readings))) or 0


def _tell(session: Session, kind: Unusual, login_id: int | None, about: str, text: str) -> str | None:
    """The text when it is new, None when the same was told today."""
    row = insert(AccessNotice).values(
        key=f"{kind.value}:{about}:{clock.today()}",
        kind=kind,
        login_id=login_id,
        text=f"{text}.",
        told_at=clock.now(),
        created_at=clock.now(),
    )
    new = session.scalar(row.on_conflict_do_nothing(index_elements=[AccessNotice.key]).returning(AccessNotice.id))
    return text if new is not None else None
