"""Zugriffe: what stands out, and the entries behind it, for the administration."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.watching import AccessEntry, AccessKind, AccessNotice
from portal.paging import Page, paged
from portal.queries.billing import matches


def notices(session: Session, number: int = 1, *, closed: bool = False) -> Page[Any]:
    """What nobody has looked at yet, oldest first; or what is settled, newest first."""
    settled = AccessNotice.settled_at
    statement = sa.select(*AccessNotice.__table__.columns).where(settled.is_not(None) if closed else settled.is_(None))
    return paged(session, statement.order_by(settled.desc() if closed else AccessNotice.told_at, AccessNotice.id), number)


def entries(session: Session, number: int = 1, search: str = "", kind: str = "") -> Page[Any]:
    """The log, newest first; `search` in person, page and origin."""
    statement = sa.select(*AccessEntry.__table__.columns).order_by(AccessEntry.at.desc(), AccessEntry.id.desc())
    if kind in set(AccessKind):
        statement = statement.where(AccessEntry.kind == AccessKind(kind))
    if search:
        statement = statement.where(matches(search, AccessEntry.actor, AccessEntry.what, AccessEntry.origin))
    return paged(session, statement, number)
