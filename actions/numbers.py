"""Numbers of documents and tickets: taken in the transaction that issues, so unique and without a gap."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.restoration import refuse_number
from kit import clock
from models.plumbing import NumberRange


def next_numbers(session: Session, prefix: str, year: int, count: int) -> list[str]:
    """The next numbers of a range, e.g. `RE-2026-000001`. The range stays locked until the transaction ends.

    Args:
        session: the issuing transaction; if it rolls back, the numbers were never taken.
        prefix: `SB`, `RE`, `T`, ...
        year: the year of issue.
        count: how many.

    Raises:
        HeldError: the home was restored and not yet reconciled with what it had issued since.
    """
    if count < 1:
        return []
    refuse_number(session, prefix)
    statement = (
        insert(NumberRange)
        .values(prefix=prefix, year=year, last=count, created_at=clock.now())
        .on_conflict_do_update(index_elements=["prefix", "year"], set_={"last": NumberRange.last + count})
        .returning(NumberRange.last)
    )
    return _written(prefix, year, session.execute(statement).scalar_one() - count, count)


def likely_numbers(session: Session, prefix: str, year: int, count: int) -> list[str]:
    """The numbers that `next_numbers` would give now. Nothing is taken and nothing locked: others may get them first."""
    taken = session.scalar(sa.select(NumberRange.last).where(NumberRange.prefix == prefix, NumberRange.year == year)) or 0
    return _written(prefix, year, taken, count)


def _written(prefix: str, year: int, taken: int, count: int) -> list[str]:
    return [f"{prefix}-{year}-{number:06}" for number in range(taken + 1, taken + count + 1)]
