"""A database of an earlier version becomes one of today, with everything in it; a newer one is left alone."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from actions.billing import preview
from deployments import release
from kit.database import Role, dispose_engines, engine, owner_url, unit_of_work
from kit.postgres import EmbeddedPostgres
from kit.postgres_layout import binaries
from kit.version import version
from models import schema
from models.billing import Invoice
from models.migrations.releases import RELEASES
from models.parties import Customer
from models.service_desk import Ticket
from rules.month import Month
from tests.upgrade import frozen

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "models" / "migrations" / "versions"


@contextmanager
def database(name: str) -> Iterator[str]:
    """An empty database beside the others of the test server; the program works on it."""
    address = owner_url().set(database=name)
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    dispose_engines()
    os.environ["DREHKREUZ_DATABASE_URL"] = address.render_as_string(hide_password=False)
    try:
        yield name
    finally:
        dispose_engines()
        del os.environ["DREHKREUZ_DATABASE_URL"]


@contextmanager
def as_superuser(home: Path, name: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(EmbeddedPostgres(home).url(name, "postgres", driver="")) as connection:
        yield connection


def counts(home: Path, name: str) -> dict[str, int]:
    with as_superuser(home, name) as connection:
        return {t: connection.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in frozen.tables(connection)}


def definition(home: Path, name: str) -> list[str]:
    """Everything that the database is besides its rows: tables, constraints, indexes, policies, triggers, functions, grants."""
    command = [binaries() / "pg_dump", "--schema-only", "--create", EmbeddedPostgres(home).url(name, "postgres", driver="")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text = re.sub(rf"\b{name}(_app|_portal_staff|_portal_customer)\b", r"of\1", done.stdout)
    lines = re.sub(rf"(DATABASE|connect) {name}\b", r"\1 of", text).splitlines()
    return [line for line in lines if line and not line.startswith(("--", "\\restrict", "\\unrestrict", "\\connect"))]


def revisions() -> list[str]:
    script = ScriptDirectory(str(VERSIONS.parent))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def works(company: dict[str, list[frozen.Row]]) -> None:
    """The product on that database: walls, frozen documents, the month's preview, a number that goes on."""
    with unit_of_work("test") as session:
        assert len(session.scalars(sa.select(Customer.id)).all()) == len(company["customer"])
        first = session.scalars(sa.select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.id)).first()
        with pytest.raises(DBAPIError, match="frozen"), session.begin_nested():
            session.execute(sa.update(Invoice).where(Invoice.id == first.id).values(net=first.net + 1, gross=first.gross + 1))
        assert preview.build(session, Month.parse(company["billing_run"][-1]["month"]).plus(1)).snapshot
    with unit_of_work("test", Role.PORTAL_CUSTOMER, first.customer_id) as session:
        assert set(session.scalars(sa.select(Ticket.customer_id))) == {first.customer_id}


@pytest.fixture(scope="module")
def fresh(home: Path) -> list[str]:
    """What a database of today is that was never another one."""
    with database("fresh") as name:
        schema.upgrade()
        return definition(home, name)


@pytest.mark.parametrize("number", RELEASES)
def test_a_released_database_becomes_one_of_today(home: Path, fresh: list[str], number: str) -> None:
    company = frozen.read(number)
    with database("release") as name:
        schema.upgrade(RELEASES[number].revision)
        with as_superuser(home, name) as connection:
            loaded = dict(frozen.load(connection, company, set()))
        schema.upgrade()
        assert schema.current() == schema.head()
        assert {table: count for table, count in counts(home, name).items() if table in loaded} == loaded
        assert definition(home, name) == fresh
        assert schema.differences() == []
        works(company)


def test_every_single_migration_keeps_what_is_there(home: Path, fresh: list[str]) -> None:
    """From the first revision on, each table filled as soon as it exists."""
    company = frozen.read(next(iter(RELEASES)))
    loaded: dict[str, int] = {}
    with database("steps") as name:
        for revision in revisions():
            schema.upgrade(revision)
            with as_superuser(home, name) as connection:
                loaded |= dict(frozen.load(connection, company, set(loaded)))
            assert {table: count for table, count in counts(home, name).items() if table in loaded} == loaded, revision
        assert definition(home, name) == fresh
    assert len(loaded) > 50


@pytest.mark.parametrize("number", RELEASES)
def test_what_was_released_is_never_rewritten(number: str) -> None:
    """Homes out there have run exactly these files. Whoever needs another schema writes a new migration."""
    known = RELEASES[number]
    names = revisions()
    told = hashlib.sha256()
    for name in names[: names.index(known.revision) + 1]:
        told.update((VERSIONS / f"{name}.py").read_bytes())
    assert told.hexdigest() == known.migrations_sha256


def test_what_names_the_version_agrees() -> None:
    """Migrations may have grown since the last release; all else that names the number says the same."""
    number = version()
    assert [fault for fault in release.faults(number) if "die Migrationen bei" not in fault] == []
    assert len(list(release.faults("9.9.9"))) >= 4
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"drehkreuz {number}\n"


def test_revisions_stand_in_one_line() -> None:
    assert len(ScriptDirectory(str(VERSIONS.parent)).get_heads()) == 1


def test_a_newer_database_is_refused_and_stays_as_it_is(home: Path) -> None:
    with database("newer") as name:
        schema.upgrade("0001_first_model")
        with as_superuser(home, name) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0999_of_tomorrow'")
        before = definition(home, name)
        done = drehkreuz(home, "tickets", "list", "--json")
        assert (done.returncode, done.stdout) == (1, "")
        assert "0999_of_tomorrow" in done.stderr
        assert "neuere Version" in done.stderr
        assert "Traceback" not in done.stderr
        with pytest.raises(schema.NewerSchemaError, match=r"aktualisierung\.md"):
            schema.upgrade()
        assert definition(home, name) == before


def drehkreuz(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DREHKREUZ_HOME": str(home)}
    command = [sys.executable, "-m", "deployments.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_several_processes_may_migrate_at_once(home: Path) -> None:
    with database("at_once"):
        code = "from models import schema; schema.upgrade(); print(schema.current())"
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"DREHKREUZ_HOME": str(home)}, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        ended = [process.communicate(timeout=120) for process in running]
        assert [out.strip() for out, _ in ended] == [schema.head()] * 2, ended
        with engine(Role.OWNER).connect() as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1


def test_whoever_holds_a_table_is_named_instead_of_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "WAIT_SECONDS", 1)
    monkeypatch.setattr(schema, "TABLE_SECONDS", 1)
    with database("held") as name:
        schema.upgrade("0001_first_model")
        with as_superuser(home, name) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [schema._LOCK])
            with pytest.raises(schema.BusySchemaError, match="Beenden Sie die Dienste"):
                schema.upgrade()
            other.rollback()
            other.execute("SELECT 1 FROM ticket")  # as a page does that is open for long
            with pytest.raises(schema.BusySchemaError, match="geändert wurde nichts"):
                schema.upgrade()
        assert schema.current() == "0001_first_model"


def test_a_migration_that_fails_leaves_everything_as_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database("failing") as name:
        schema.upgrade("0001_first_model")
        before = definition(home, name)
        monkeypatch.setattr(schema, "harden", lambda _connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            schema.upgrade()
        assert schema.current() == "0001_first_model"
        assert definition(home, name) == before


def test_a_command_brings_an_older_database_up_and_says_so(home: Path) -> None:
    with database("older"):
        schema.upgrade("0004_goods")
        done = drehkreuz(home, "tickets", "list", "--json")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "[]"
        assert f"von 0004_goods auf {schema.head()} umgestellt" in done.stderr
        assert schema.current() == schema.head()
