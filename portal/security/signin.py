"""Signing in: password, second factor, the session that stands for both, and its end."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock, passwords
from kit.database import Role, unit_of_work
from models.access import Login, LoginSession
from portal.security import events
from portal.security.lockout import LockedOutError, forgive, record_attempt

LASTS = dt.timedelta(hours=12)
IDLE = dt.timedelta(hours=4)
ACTOR = "portal"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token for the cookie, and whether the second factor is still asked for."""

    token: str
    wants_second_factor: bool
    login_id: int
    actor: str


def token_hash(token: str) -> bytes:
    """What the database keeps of a cookie."""
    return hashlib.sha256(token.encode()).digest()


def sign_in(email: str, password: str, address: str, user_agent: str) -> SignedIn | None:
    """A session for the right password, None for anything else. No transaction is open while the hash is computed.

    Raises: LockedOutError.
    """
    email = email.strip().lower()[:254]
    try:
        with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
            record_attempt(session, email, address)
            known = session.execute(
                sa.select(Login.id, Login.password_hash, Login.active).where(Login.email == email)
            ).one_or_none()
    except LockedOutError:
        events.note("Anmeldung gesperrt: zu viele Fehlversuche", address=address, refused=True)
        raise
    stored = known.password_hash if known is not None and known.active else None
    if not passwords.verify(stored, password) or known is None or stored is None:
        events.note("Anmeldung abgelehnt", address=address, login=known.id if known else None, refused=True)
        return None
    events.note("Kennwort richtig", address=address, login=known.id)
    renewed = passwords.hashed(password) if passwords.outdated(stored) else None
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        login = session.get_one(Login, known.id)
        if renewed is not None:
            login.password_hash = renewed
        if login.totp_secret is None:
            forgive(session, email)
            login.last_login_at = clock.now()
        actor = f"{'contact' if login.employee_id is None else 'employee'}:{login.email}"
        return SignedIn(open_session(session, login, user_agent), login.totp_secret is not None, login.id, actor)


def open_session(session: Session, login: Login, user_agent: str, *, second_factor: bool = False) -> str:
    """A new session row; the answer is the token, which is nowhere kept."""
    now = clock.now()
    session.execute(sa.delete(LoginSession).where(LoginSession.expires_at < now))
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            token_sha256=token_hash(token),
            login_id=login.id,
            expires_at=now + LASTS,
            last_seen_at=now,
            second_factor=second_factor,
            user_agent=user_agent[:200] or None,
        )
    )
    session.flush()
    return token


def renew_session(session: Session, session_id: int) -> str:
    """A new token for the same session, with the second factor proven: whoever saw the old cookie has nothing."""
    token = secrets.token_urlsafe(32)
    row = session.get_one(LoginSession, session_id)
    row.token_sha256 = token_hash(token)
    row.second_factor = True
    session.flush()
    return token


def sign_out(token: str) -> None:
    """End this browser's session."""
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        session.execute(sa.delete(LoginSession).where(LoginSession.token_sha256 == token_hash(token)))


def sign_out_everywhere(session: Session, login_id: int, *, except_session: int | None = None) -> int:
    """End all sessions of a login; the count of those that ended."""
    statement = sa.delete(LoginSession).where(LoginSession.login_id == login_id)
    if except_session is not None:
        statement = statement.where(LoginSession.id != except_session)
    return len(session.scalars(statement.returning(LoginSession.id)).all())
