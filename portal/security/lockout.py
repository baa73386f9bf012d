"""Lock-out: ten failures within a quarter of an hour, per account and per address, counted in the database."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.database import lock
from kit.errors import DrehkreuzError
from models.access import LoginAttempt

FAILURES = 10
WINDOW = dt.timedelta(minutes=15)
_KEPT = dt.timedelta(days=1)


class LockedOutError(DrehkreuzError):
    """Too many failures; the account or the address waits."""


def record_attempt(session: Session, email: str, address: str) -> None:
    """Note the attempt before the password is looked at; a success takes it back (`forgive`).

    Attempts on one account come one after the other, so that many at once cannot slip past the count.
    Raises: LockedOutError.
    """
    lock(session, f"sign-in account {email}")
    lock(session, f"sign-in address {address}")
    now = clock.now()
    since, ahead = now - WINDOW, now + WINDOW  # what lies ahead was written by a clock that was wrong
    failed = sa.select(sa.func.count(LoginAttempt.id))
    by_account = session.scalars(failed.where(LoginAttempt.email == email, LoginAttempt.at.between(since, ahead))).one()
    by_address = session.scalars(failed.where(LoginAttempt.address == address, LoginAttempt.at.between(since, ahead))).one()
    if max(by_account, by_address) >= FAILURES:
        raise LockedOutError(
            "Anmeldung: Zu viele Fehlversuche. Bitte warten Sie eine Viertelstunde oder setzen Sie Ihr Kennwort zurück."
        )
    session.execute(sa.delete(LoginAttempt).where(sa.or_(LoginAttempt.at < now - _KEPT, LoginAttempt.at > ahead)))
    session.add(LoginAttempt(at=now, email=email, address=address))
    session.flush()


def forgive(session: Session, email: str) -> None:
    """The person proved who it is: its account's failures no longer count."""
    session.execute(sa.delete(LoginAttempt).where(LoginAttempt.email == email))
