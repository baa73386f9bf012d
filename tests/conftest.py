"""Fixtures for everybody: one throw-away PostgreSQL per test process, and a transaction per test that is rolled back."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from psycopg import sql
from sqlalchemy.orm import Session

from kit import clock
from kit.database import Role, bind_to, dispose_engines, engine, unit_of_work
from kit.postgres import EmbeddedPostgres
from kit.postgres_layout import DATABASE, SUPERUSER
from models import schema
from tests.distribution import pytest_xdist_make_scheduler  # noqa: F401 - a hook

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # how long an example takes says something of the machine only


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("DREHKREUZ_")}
    yield
    os.environ.update(kept)


@pytest.fixture(autouse=True)
def _same_clock_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clock.SHIFT_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def home(_own_environment: None) -> Iterator[Path]:
    """A home with a running database at the newest schema, for the whole session."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-tests-") as folder:
        os.environ["DREHKREUZ_HOME"] = folder
        with EmbeddedPostgres(Path(folder), durable=False).lease():
            dispose_engines()
            schema.upgrade()
            yield Path(folder)
            for role in Role:
                engine(role).dispose()
            dispose_engines()
        del os.environ["DREHKREUZ_HOME"]


@pytest.fixture
def database(home: Path) -> Iterator[sa.Connection]:
    """A connection whose outer transaction is rolled back; every unit of work of the test joins it."""
    with engine(Role.APP).connect() as connection, connection.begin() as transaction:
        with bind_to(connection):
            yield connection
        if transaction.is_active:
            transaction.rollback()


@pytest.fixture
def session(database: sa.Connection) -> Iterator[Session]:
    """One open unit of work of the role `app`."""
    with unit_of_work("test") as open_session:
        yield open_session


@pytest.fixture
def committed(home: Path) -> Iterator[None]:
    """For tests that need several real transactions or processes: every table is empty before and after."""
    _empty(home)
    yield
    _empty(home)


SEEDED = {"alembic_version", "check_catalogue"}
"""Tables that a migration fills; they stay as they are."""


def _empty(home: Path) -> None:
    """Delete what is there instead of truncating: new files for eighty tables and their indexes cost half a second each time.

    The superuser does it: rows go in any order, also those that are frozen. Whoever still writes is waited for.
    """
    for folder in ("archive", "mail", "sap"):
        shutil.rmtree(home / folder, ignore_errors=True)
    with psycopg.connect(EmbeddedPostgres(home).url(DATABASE, SUPERUSER, driver="")) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        names = [sql.Identifier(name) for (name,) in found if name not in SEEDED]
        connection.execute(sql.SQL("LOCK TABLE {}").format(sql.SQL(", ").join(names)))
        connection.execute("SET LOCAL session_replication_role = replica")
        holds = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        asked = [holds.format(number, name) for number, name in enumerate(names)]
        for (number,) in connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall():
            connection.execute(sql.SQL("DELETE FROM {}").format(names[number]))
        connection.execute(
            "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename <> ALL (%s)",
            ([f"{table}_id_seq" for table in SEEDED],),
        )
