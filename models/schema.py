"""Bring a database to the present schema: roles, then migrations, under one lock."""

import contextlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kit.database import Role, engine, owner_url, role_name, role_password
from models.base import Base

_LOCK = 7_310_001


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def ensure_roles(connection: sa.Connection, *, new_passwords: bool = False) -> None:
    """Create the roles that are missing and let them in. On a foreign database an administrator may have prepared them.

    Args:
        connection: of the owner, in a transaction.
        new_passwords: give known roles the derived password again (the secret that it derives from has changed).
    """
    owner = owner_url()
    for role in (Role.APP, Role.PORTAL_STAFF, Role.PORTAL_CUSTOMER):
        name, password = role_name(role, owner), role_password(role, owner)
        exists = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
        if not exists:
            connection.exec_driver_sql(f"CREATE ROLE {_quote(name)} LOGIN NOBYPASSRLS PASSWORD '{password}'")
        elif new_passwords:
            with contextlib.suppress(sa.exc.ProgrammingError), connection.begin_nested():
                connection.exec_driver_sql(f"ALTER ROLE {_quote(name)} PASSWORD '{password}'")
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {_quote(str(owner.database))} TO {_quote(name)}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {_quote(name)}")
        if role is not Role.PORTAL_CUSTOMER:
            connection.exec_driver_sql(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {_quote(name)}"
            )
        connection.exec_driver_sql(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {_quote(name)}"
        )


def head() -> str:
    """The newest revision that this program knows."""
    return str(ScriptDirectory(str(Path(__file__).parent / "migrations")).get_current_head())


def revisions() -> set[str]:
    """All revisions that this program knows."""
    script = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    return {revision.revision for revision in script.walk_revisions()}


def current() -> str | None:
    """The revision that the database is at; None on an empty one."""
    with engine(Role.OWNER).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(revision: str = "head") -> None:
    """Bring the database to a revision. Safe to call at every start and from several processes at once."""
    if revision == "head" and current() == head():
        return
    with engine(Role.OWNER).begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        ensure_roles(connection)
        command.upgrade(_config(connection), revision)


def downgrade(revision: str) -> None:
    """Go back (tests and emergencies)."""
    with engine(Role.OWNER).begin() as connection:
        command.downgrade(_config(connection), revision)


def differences() -> list[object]:
    """What the models say and the database does not have, or the other way round (empty = in step)."""
    with engine(Role.OWNER).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def new_revision(message: str, revision_id: str) -> None:
    """Write a new migration from the difference between models and database (developers)."""
    with engine(Role.OWNER).begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=revision_id)
