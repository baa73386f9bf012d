"""A small company as a released version left it in its database: written once per release, loaded into any revision.

    DREHKREUZ_HOME=... .venv/bin/python -m tests.upgrade.frozen 0.1.0 K1001 K1002 ...

writes `tests/upgrade/0.1.0.json.gz` from the running database of that home: the rows of these customers, of the house and
whatever belongs to both, large contents shortened. A release's file never changes afterwards.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]
SHORTENED = {("outbox_mail", "raw"), ("inbox_item", "raw")}
MOST = {"audit_entry": 60, "due_date": 300, "outbox_mail": 20}
"""Of these the newest are enough."""
FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n)
          JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)
FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
"""


def tables(connection: psycopg.Connection) -> list[str]:
    """Ours, in the database's order of names."""
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    return sorted(name for (name,) in found)


def rows(connection: psycopg.Connection, table: str) -> list[Row]:
    """All rows as JSON values."""
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(table))
    return [row for (row,) in connection.execute(query)]


def _belongs(table: str, row: Row, chosen: set[int]) -> bool:
    owner = row.get("id") if table == "customer" else row.get("customer_id")
    return owner is None or owner in chosen


def take(connection: psycopg.Connection, numbers: list[str]) -> dict[str, list[Row]]:
    """The rows of these customers and of the house, without rows whose parents were left out."""
    chosen = {row["id"] for row in rows(connection, "customer") if row["number"] in numbers}
    kept: dict[str, list[Row]] = {}
    for table in tables(connection):
        mine = [row for row in rows(connection, table) if _belongs(table, row, chosen)]
        kept[table] = mine[-MOST.get(table, len(mine) or 1) :]
        for name, column in SHORTENED:
            for row in kept[table] if name == table else []:
                row[column] = row[column] and row[column][:402]
    keys = connection.execute(FOREIGN_KEYS).fetchall()
    while _drop_orphans(kept, keys):
        pass
    return kept


def _drop_orphans(kept: dict[str, list[Row]], keys: list[Any]) -> int:
    dropped = 0
    for child, parent, columns, targets in keys:
        known = {tuple(row[t] for t in targets) for row in kept[parent]}
        whole = [row for row in kept[child] if any(row[c] is None for c in columns) or tuple(row[c] for c in columns) in known]
        dropped += len(kept[child]) - len(whole)
        kept[child] = whole
    return dropped


def write(version: str, kept: dict[str, list[Row]]) -> Path:
    """The file of a release; the same rows give the same bytes."""
    path = HERE / f"{version}.json.gz"
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return path


def read(version: str) -> dict[str, list[Row]]:
    """What a release left."""
    content: dict[str, list[Row]] = json.loads(gzip.decompress((HERE / f"{version}.json.gz").read_bytes()))
    return content


def load(connection: psycopg.Connection, content: dict[str, list[Row]], skip: set[str]) -> Iterator[tuple[str, int]]:
    """Fill the tables that this revision has and that are not in `skip`; columns that it does not know are left out.

    Triggers and foreign keys rest meanwhile: the rows come from a database that had them. Yields table and count.
    """
    connection.execute("SET LOCAL session_replication_role = replica")
    for table in tables(connection):
        if table in skip or not content.get(table):
            continue
        name = sql.Identifier(table)
        connection.execute(sql.SQL("DELETE FROM {}").format(name))  # what the migration itself has put there
        columns = _columns(connection, table, content[table][0])
        statement = sql.SQL(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM jsonb_populate_recordset(NULL::{0}, %s::jsonb)"
        )
        connection.execute(statement.format(name, columns), [json.dumps(content[table])])
        _count_on(connection, table)
        yield table, len(content[table])


def _columns(connection: psycopg.Connection, table: str, row: Row) -> sql.Composed:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    known = [name for (name,) in connection.execute(query, [table]) if name in row]
    return sql.SQL(", ").join(map(sql.Identifier, known))


def _count_on(connection: psycopg.Connection, table: str) -> None:
    """Identities go on after the highest row."""
    sequence = connection.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table]).fetchone()
    if sequence and sequence[0]:
        highest = sql.SQL("SELECT setval(%s, (SELECT max(id) FROM {}))").format(sql.Identifier(table))
        connection.execute(highest, [sequence[0]])


if __name__ == "__main__":
    from kit.database import Role, url

    address = url(Role.OWNER).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as source:
        taken = take(source, sys.argv[2:])
    sys.stdout.write(f"{write(sys.argv[1], taken)}: { {name: len(found) for name, found in taken.items()} }\n")
