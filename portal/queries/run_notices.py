"""Runs that were told of, for their page."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.plumbing import RunNotice
from portal.paging import Page, paged


def notices(session: Session, number: int = 1, *, closed: bool = False, per_page: int = 50) -> Page[Any]:
    """What still stands, oldest first; or what is settled, newest first."""
    statement = sa.select(*RunNotice.__table__.columns).where(
        RunNotice.settled_at.is_not(None) if closed else RunNotice.settled_at.is_(None)
    )
    order = RunNotice.settled_at.desc() if closed else RunNotice.told_at
    return paged(session, statement.order_by(order, RunNotice.id), number, per_page)


def name_of(session: Session, notice_id: int) -> str | None:
    """How people call the run; None when there is no such note."""
    found = session.execute(sa.select(RunNotice.run_name, RunNotice.flow_run_id).where(RunNotice.id == notice_id)).one_or_none()
    return None if found is None else found.run_name or found.flow_run_id
