"""Tokens of machines: one per machine, with scopes; only the hash is kept (design: security)."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import ConflictError, NotFoundError
from models.access import ApiToken

WAREHOUSE = "warehouse"
PREFIX = "dk_"
_NOTED_EVERY = dt.timedelta(minutes=1)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def issue(session: Session, name: str, scopes: Sequence[str]) -> str:
    """A new token; the text is shown once and kept nowhere. Raises: ConflictError for a name that is taken."""
    if session.scalar(sa.select(ApiToken.id).where(ApiToken.name == name)) is not None:
        raise ConflictError(f"Token {name}: gibt es schon. Sperren Sie es oder wählen Sie einen anderen Namen.")
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(name=name, token_sha256=_hash(token), scopes=list(scopes)))
    session.flush()
    return token


def revoke(session: Session, name: str) -> None:
    """Lock a token for ever; its name stays taken, since what it did stays told. Raises: NotFoundError."""
    token = session.scalar(sa.select(ApiToken).where(ApiToken.name == name))
    if token is None:
        raise NotFoundError(f"Token {name}: gibt es nicht.")
    token.active = False
    session.flush()


def holder(session: Session, token: str, scope: str) -> ApiToken | None:
    """The row behind a token when it is active and has the scope. The look-up is by hash, so it takes no time to measure."""
    if not token.startswith(PREFIX):
        return None
    row = session.scalar(sa.select(ApiToken).where(ApiToken.token_sha256 == _hash(token), ApiToken.active))
    if row is None or scope not in row.scopes:
        return None
    now = clock.now()
    if row.last_used_at is None or row.last_used_at < now - _NOTED_EVERY:
        row.last_used_at = now
    return row


def is_known(session: Session, token: str) -> bool:
    """Whether it is an active token of any scope: then the caller is known and only not entitled."""
    return session.scalar(sa.select(ApiToken.id).where(ApiToken.token_sha256 == _hash(token), ApiToken.active)) is not None


def act_as(session: Session, row: ApiToken) -> None:
    """From here on the transaction is this machine's, in the audit trail too."""
    actor = f"token:{row.name}"
    session.info["actor"] = actor
    session.execute(sa.select(sa.func.set_config("drehkreuz.actor", actor, True)))
