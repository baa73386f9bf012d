"""Lists in pages: count once, fetch one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

T = TypeVar("T")
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `number` counts from 1."""

    rows: Sequence[T]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    @property
    def first(self) -> int:
        """Position of the first row shown, 0 in an empty list."""
        return (self.number - 1) * self.per_page + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Position of the last row shown."""
        return min(self.number * self.per_page, self.total)

    @property
    def window(self) -> list[int | None]:
        """Page numbers to offer: the ends and the neighbourhood; None stands for a gap."""
        near = {1, self.pages, *range(max(1, self.number - 1), min(self.pages, self.number + 1) + 1)}
        shown: list[int | None] = []
        for number in sorted(near):
            if shown and shown[-1] is not None and number - shown[-1] > 1:
                shown.append(None)
            shown.append(number)
        return shown


def paged(session: Session, statement: sa.Select[Any], number: int, per_page: int = PER_PAGE) -> Page[Any]:
    """Rows of one page of an ordered statement, and the count of all. A number beyond the end shows the last page."""
    total = session.scalars(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())).one()
    number = max(1, min(number, -(-total // per_page) or 1))
    rows = session.execute(statement.limit(per_page).offset((number - 1) * per_page)).all()
    return Page(rows, number, total, per_page)


def sliced(rows: Sequence[T], number: int, per_page: int = PER_PAGE) -> Page[T]:
    """A page of a list that is in memory already."""
    number = max(1, min(number, -(-len(rows) // per_page) or 1))
    return Page(rows[(number - 1) * per_page : number * per_page], number, len(rows), per_page)
