"""Many rows at once: an array per column, one statement per some thousand rows."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Session

ROWS_AT_ONCE = 5_000


def insert_rows(session: Session, entity: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in their order. They cost about half of what they cost row by row, here and in the server.

    Constraints, triggers and row-level security see them like any others.

    Args:
        session: the transaction.
        entity: the mapped class.
        rows: column name -> value; all with the same names.
    """
    if not rows:
        return
    table = cast(sa.Table, entity.__table__)
    columns = [table.c[name] for name in rows[0]]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        batch = rows[start : start + ROWS_AT_ONCE]
        arrays = []
        for column in columns:
            values, kind = [row[column.name] for row in batch], ARRAY(column.type)
            arrays.append(sa.cast(sa.bindparam(f"all_{column.name}", values, kind), kind))
        given = sa.func.unnest(*arrays).table_valued(*(sa.column(c.name, c.type) for c in columns)).render_derived()
        session.execute(sa.insert(table).from_select(columns, sa.select(given)))
