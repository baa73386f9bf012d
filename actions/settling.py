"""Notices that stand until a person says that it is settled."""

from typing import TypeVar

from sqlalchemy.orm import Session

from kit import clock
from models.plumbing import RunNotice
from models.watching import AccessNotice

Notice = TypeVar("Notice", RunNotice, AccessNotice)


def settle(session: Session, kind: type[Notice], notice_id: int, who: str) -> bool:
    """It needs nobody any more; False when that was said before or there is no such notice."""
    notice = session.get(kind, notice_id, with_for_update=True)
    if notice is None or notice.settled_at is not None:
        return False
    notice.settled_at, notice.settled_by = clock.now(), who
    session.flush()
    return True
