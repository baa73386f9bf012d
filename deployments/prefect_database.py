"""Prefect's own database beside ours, in the same server, under a role that sees nothing of ours.

    python -m deployments.prefect_database

Prefect's migrations want trigram indexes, that is the extension `pg_trgm`, for searching runs by a part of their name. The
embedded server has no contrib extensions; there each of these indexes becomes a hash index of the same name, and such a search
reads the table. Any server that offers `pg_trgm` gets what Prefect intended.
"""

import hashlib
import hmac
import os
import re
import sys
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from kit.database import Role, engine, home_secret, owner_url
from kit.settings import home

_TRIGRAM_INDEX = re.compile(r"USING\s+gin\s*\((\w+)\s+gin_trgm_ops\)", re.IGNORECASE)


def url() -> sa.URL:
    """Where Prefect's server keeps its rows."""
    owner = owner_url()
    name = f"{owner.database}_prefect"
    key = str(owner.password or "") or home_secret("roles")  # derived: every machine that knows the owner's address knows it
    password = hmac.new(key.encode(), f"{owner.database}:prefect".encode(), hashlib.sha256).hexdigest()
    return owner.set(drivername="postgresql+asyncpg", database=name, username=name, password=password)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def ensure() -> None:
    """Create role and database when they are missing; may be repeated. An administrator may have prepared both."""
    address = url()
    name = str(address.database)
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.text("select 1 from pg_roles where rolname = :name"), {"name": name}):
            connection.exec_driver_sql(f"create role {_quoted(name)} login password '{address.password}'")
        if not connection.scalar(sa.text("select 1 from pg_database where datname = :name"), {"name": name}):
            connection.exec_driver_sql(f"grant {_quoted(name)} to current_user")
            connection.exec_driver_sql(f"create database {_quoted(name)} owner {_quoted(name)}")
            connection.exec_driver_sql(f"revoke connect, temporary on database {_quoted(name)} from public")


def _revision() -> str | None:
    """The revision that Prefect's database is at; None while it is empty."""
    address = url().set(drivername="postgresql+psycopg")
    own = sa.create_engine(address)
    try:
        with own.connect() as connection:
            if connection.scalar(sa.text("select to_regclass('alembic_version')")) is None:
                return None
            revision: str | None = connection.scalar(sa.text("select version_num from alembic_version"))
            return revision
    finally:
        own.dispose()


def is_current() -> bool:
    """Whether this Prefect has already migrated this database; asks without importing Prefect."""
    try:
        stamp = (home() / "prefect" / "database-revision").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return False
    return stamp == [version("prefect"), _revision()]


def rewritten(statement: str) -> str:
    """A statement of Prefect's migrations as a server without `pg_trgm` understands it."""
    if "pg_trgm" in statement:
        return "select 1"
    return _TRIGRAM_INDEX.sub(r"USING hash (\1)", statement)


def _without_trigrams() -> None:
    def rewrite(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> tuple[str, Any]:
        return rewritten(statement), parameters

    sa.event.listen(sa.Engine, "before_cursor_execute", rewrite, retval=True)


def migrate() -> None:
    """Bring Prefect's database to the revision of the installed Prefect (a process of its own: it imports the server)."""
    ensure()
    with engine(Role.OWNER).connect() as connection:
        offered = connection.scalar(sa.text("select 1 from pg_available_extensions where name = 'pg_trgm'"))
    os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url().render_as_string(hide_password=False)
    if not offered:
        _without_trigrams()
    import anyio
    import anyio.to_thread
    from prefect.server.database.alembic_commands import alembic_upgrade

    async def upgrade() -> None:
        await anyio.to_thread.run_sync(alembic_upgrade)

    anyio.run(upgrade)
    stamp = home() / "prefect" / "database-revision"
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{version('prefect')} {_revision()}", encoding="utf-8")


if __name__ == "__main__":
    migrate()
    sys.exit(0)
