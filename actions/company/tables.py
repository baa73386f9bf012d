"""The files as tables: where their rows lie while they are checked, and what the database holds in the files' own terms.

`stage(file)` is a temporary table with one row per record of the file. `current(file)` shows what is stored as the same
columns, names instead of ids, so that a file and the database can be compared, and an export is a plain select.
"""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from actions.company.spec import File
from models.base import Record

LINE = "_line"
BAD = "_bad"
ID = "_id"
CHANGED = "_changed"
KEPT = "_kept"
OWNER = "_customer_id"

_metadata = sa.MetaData()


def table_of(model: type[Record]) -> sa.Table:
    """The model's table."""
    table = model.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - for the type checker
    return table


@cache
def stage(file: File) -> sa.Table:
    """The temporary table of a file.

    Beside the file's columns it holds the line, whether that row has an error, the id of the row it would change (empty =
    new), whether it would change it, and whether something stored was kept against the file (see `merging`).
    """
    return sa.Table(
        "import_" + file.name.removesuffix(".csv"),
        _metadata,
        sa.Column(LINE, sa.Integer),
        sa.Column(BAD, sa.Boolean),
        sa.Column(ID, sa.BigInteger),
        sa.Column(CHANGED, sa.Boolean, server_default=sa.false()),
        sa.Column(KEPT, sa.Boolean, server_default=sa.false()),
        *(sa.Column(column.name, column.cell.sql) for column in file.columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


@cache
def current(file: File) -> sa.Subquery:
    """What the database holds, with the file's columns, the row's id and its customer's id (empty for rows of the house)."""
    row = table_of(file.model).alias("row")
    source: FromClause = row
    shown: list[ColumnElement[Any]] = [row.c.id.label(ID)]
    owner: ColumnElement[Any] = row.c.customer_id if "customer_id" in row.c else sa.null()
    shown.append(sa.cast(owner, sa.BigInteger).label(OWNER))
    for column in file.columns:
        value: ColumnElement[Any] = row.c[column.target]
        if column.prefix:
            value = sa.func.regexp_replace(value, "^" + column.prefix, "", type_=value.type)
        link = column.ref or column.linked
        if link is not None:
            other = table_of(link.model).alias(f"of_{column.name}")
            source = source.outerjoin(other, other.c.id == row.c[link.target])
            name = other.c[link.attr]
            value = name if column.ref else sa.func.coalesce(value, name)
        shown.append(value.label(column.name))
    return sa.select(*shown).select_from(source).subquery("current_" + file.name.removesuffix(".csv"))


def same_key(file: File, left: FromClause, right: FromClause) -> ColumnElement[bool]:
    """Whether two rows of a file are the same record; of the house there is one."""
    if not file.key:
        return left.c.name.is_not(None) == right.c.name.is_not(None)
    pairs = []
    for name in file.key:
        known = file.by_name[name].required
        pairs.append(left.c[name] == right.c[name] if known else left.c[name].is_not_distinct_from(right.c[name]))
    return sa.and_(*pairs)


def differs(file: File, left: FromClause, right: FromClause, names: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """Whether two rows of a file differ in any (or in any of these) of its columns."""
    return sa.or_(sa.false(), *(left.c[n].is_distinct_from(right.c[n]) for n in names or tuple(file.by_name)))


@cache
def resolved(file: File) -> sa.Subquery:
    """The staged rows as the model wants them: ids instead of names, with the line and the id of the row to change."""
    rows = stage(file)
    source: FromClause = rows
    out: list[ColumnElement[Any]] = [rows.c[LINE].label(LINE), rows.c[ID].label(ID), rows.c[CHANGED].label(CHANGED)]
    customer: ColumnElement[Any] | None = None
    # the owner first: what is scoped joins on its customer
    for column in sorted(file.columns, key=lambda c: c.name != file.owner):
        if column.ref is None:
            out.append(rows.c[column.name].label(column.target))
            continue
        other = table_of(column.ref.model).alias(f"of_{column.name}")
        match = other.c[column.ref.attr] == rows.c[column.name]
        if column.ref.scoped and customer is not None:
            match = sa.and_(match, other.c.customer_id == customer)
        source = source.outerjoin(other, match)
        out.append(other.c.id.label(column.ref.target))
        if column.name == file.owner:
            customer = other.c.id if column.ref.target == "customer_id" else other.c.customer_id
            if column.ref.target != "customer_id":
                out.append(customer.label("customer_id"))
    return sa.select(*out).select_from(source).subquery("resolved_" + file.name.removesuffix(".csv"))


def targets(file: File) -> list[str]:
    """The model's columns that `resolved` fills."""
    return [name for name in resolved(file).c.keys() if not name.startswith("_")]  # noqa: SIM118 - a column collection


def in_order(file: File, rows: FromClause) -> list[ColumnElement[Any]]:
    """By key, texts by code point: the same order on every server."""
    by_key: list[ColumnElement[Any]] = []
    for name in file.key:
        column = rows.c[name]
        by_key.append((column.collate("C") if isinstance(column.type, sa.Text | sa.String) else column).nulls_first())
    return by_key
