"""Bring a database to the present schema: roles, then migrations, under one lock; refuse one that is newer than the program."""

import contextlib
import logging
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kit.database import Role, engine, owner_url, role_name, role_password
from kit.errors import DrehkreuzError
from models.base import Base
from models.migrations.security import harden

log = logging.getLogger(__name__)

_LOCK = 7_310_001
LOCK_NOT_AVAILABLE = "55P03"
WAIT_SECONDS = 120
"""How long a second process waits for the first one to finish migrating."""
TABLE_SECONDS = 10
"""How long a migration waits for a table that somebody works with, and holds up others behind it."""


class NewerSchemaError(DrehkreuzError):
    """The database was brought further by a newer program; working on it could harm what that program wrote."""


class BusySchemaError(DrehkreuzError):
    """Somebody works with the tables that have to change, or migrates for too long."""


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


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent / "migrations"))


def head() -> str:
    """The newest revision that this program knows."""
    return str(_script().get_current_head())


def revisions() -> set[str]:
    """All revisions that this program knows."""
    return {revision.revision for revision in _script().walk_revisions()}


def current() -> str | None:
    """The revision that the database is at; None on an empty one."""
    with engine(Role.OWNER).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_newer(revision: str | None) -> bool:
    """Whether a newer program than this one has brought a database there."""
    return revision is not None and revision not in revisions()


def _refuse_newer(revision: str | None) -> None:
    if is_newer(revision):
        raise NewerSchemaError(
            f"Datenbank: Sie steht auf {revision}; diese Version von Drehkreuz kennt nur Stände bis {head()}. "
            "Eine neuere Version hat sie umgestellt. Starten Sie diese, oder spielen Sie die Sicherung von vor der "
            "Aktualisierung ein (docs/runbooks/aktualisierung.md)."
        )


def upgrade(revision: str = "head") -> None:
    """Bring the database to a revision. Safe to call at every start and from several processes at once.

    One transaction: after a fault the database is as it was before. Raises: NewerSchemaError, BusySchemaError.
    """
    before = current()
    _refuse_newer(before)
    if revision == "head" and before == head():
        return
    try:
        with engine(Role.OWNER).begin() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            before = MigrationContext.configure(connection).get_current_revision()  # another process may have been quicker
            _refuse_newer(before)
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{TABLE_SECONDS}s'"))
            ensure_roles(connection)
            command.upgrade(_config(connection), revision)
            harden(connection)
    except sa.exc.OperationalError as fault:
        if getattr(fault.orig, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise BusySchemaError(
            f"Datenbank: Die Umstellung von {before or 'leer'} auf {head()} ist gerade nicht möglich, weil noch jemand mit der "
            "Datenbank arbeitet. Beenden Sie die Dienste und laufende Befehle dieses Heims und starten Sie erneut; geändert "
            "wurde nichts."
        ) from fault
    if before is not None and revision == "head" and before != head():
        log.warning("Datenbank: von %s auf %s umgestellt", before, head())


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
