"""The roles of the database: what each may do, and that none can get past trail, frozen documents and walls by itself."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from deployments import prefect_database
from kit.database import Role, engine, owner_url, role_name, unit_of_work
from kit.postgres import EmbeddedPostgres
from models.plumbing import AuditEntry
from tests import factories as make
from tests.models.test_schema import ISSUED, refused

WORKING = (Role.APP, Role.PORTAL_STAFF, Role.PORTAL_CUSTOMER)
OWN_FUNCTIONS = (
    "SELECT p.proname, p.prosecdef, p.proconfig, l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
    " WHERE p.proname LIKE 'drehkreuz%'"
)


def as_role(role: Role) -> sa.Connection:
    return engine(role).connect()


@pytest.mark.parametrize("role", WORKING)
def test_no_working_role_is_more_than_it_should_be(home: object, role: Role) -> None:
    with as_role(role) as connection:
        row = connection.execute(
            sa.text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
            )
        ).one()
        assert not any(row)
        member_of = sa.text(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = current_user"
        )
        assert connection.scalar(member_of) == 0
        assert connection.scalar(sa.text("SELECT has_schema_privilege('public', 'CREATE')")) is False
        assert connection.scalar(sa.text("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")) == 0


GUARDS = (
    "ALTER TABLE invoice DISABLE TRIGGER ALL",
    "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
    "DROP POLICY own ON ticket",
    "DROP TRIGGER frozen ON invoice",
    "TRUNCATE audit_entry",
    "TRUNCATE invoice CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE drehkreuz",
    "CREATE TABLE public.eigene (x int)",
    "CREATE OR REPLACE FUNCTION drehkreuz_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "ALTER ROLE drehkreuz_portal_customer BYPASSRLS",
    "COPY customer TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
    "UPDATE audit_entry SET actor = 'x'",
    "DELETE FROM audit_entry",
    "UPDATE alembic_version SET version_num = 'x'",
)


@pytest.mark.parametrize("role", WORKING)
def test_what_guards_the_rows_is_out_of_reach(home: object, role: Role) -> None:
    with as_role(role) as connection:
        for statement in GUARDS:
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner|must be"):
                connection.execute(sa.text(statement))
            connection.rollback()


def test_functions_of_ours_look_nowhere_but_in_our_schema(session: Session) -> None:
    """Without a fixed search path a temporary table of the same name would stand in for ours."""
    found = session.execute(sa.text(OWN_FUNCTIONS)).all()
    assert len(found) > 10
    for name, _, config, language in found:
        if language == "sql":  # one expression without a table; a fixed path would keep it from being inlined into policies
            body = session.scalar(sa.text("SELECT prosrc FROM pg_proc WHERE proname = :name"), {"name": name})
            assert " from " not in body.lower().replace("distinct from", ""), name
        else:
            assert "search_path=pg_catalog, public, pg_temp" in (config or []), name


def test_a_temporary_table_never_takes_the_place_of_the_trail(session: Session) -> None:
    session.execute(sa.text("CREATE TEMP TABLE audit_entry (LIKE public.audit_entry)"))
    session.execute(sa.text("GRANT ALL ON pg_temp.audit_entry TO PUBLIC"))
    make.customer(session, name="Unbemerkt GmbH")
    assert session.scalar(sa.text("SELECT count(*) FROM pg_temp.audit_entry")) == 0
    assert session.scalar(sa.text("SELECT count(*) FROM public.audit_entry")) > 0


def test_a_temporary_table_never_unfreezes_a_document(session: Session) -> None:
    customer = make.customer(session)
    report = make.report(session, make.item(session, customer, make.run(session)))
    invoice = make.invoice(session, report)
    report.number, report.state, report.issued_at = "SB-2026-000001", "numbered", ISSUED
    invoice.number, invoice.state, invoice.issued_at = "RE-2026-000001", "numbered", ISSUED
    session.flush()
    session.execute(sa.text("CREATE TEMP TABLE service_report (id bigint, number text)"))
    insert_line = sa.text(
        "INSERT INTO service_report_group (customer_id, report_id, position, kind, quantity, unit, price, vat_rate, net, created_at)"
        " VALUES (:c, :r, 1, 'standard', 1, 'hour', 95, 19, 95, '2026-11-01')"
    ).bindparams(c=customer.id, r=report.id)
    assert "frozen" in refused(session, insert_line)


def test_a_customers_role_makes_no_temporary_tables(home: object) -> None:
    with (
        as_role(Role.PORTAL_CUSTOMER) as connection,
        pytest.raises(DBAPIError, match="permission denied to create temporary tables"),
    ):
        connection.execute(sa.text("CREATE TEMP TABLE t (x int)"))


def test_the_portal_writes_no_trail_of_its_own_and_leaves_none_out(committed: None) -> None:
    with as_role(Role.PORTAL_STAFF) as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(
            sa.text(
                "INSERT INTO audit_entry (at, actor, action, table_name, created_at) VALUES (now(), 'x', 'update', 'customer', now())"
            )
        )
    with unit_of_work("test", Role.PORTAL_STAFF, bulk=True) as session:
        made = make.customer(session)
    with unit_of_work("test") as session:
        trail = sa.select(AuditEntry).where(AuditEntry.table_name == "customer", AuditEntry.row_id == made.id)
        assert len(session.scalars(trail).all()) == 1


def test_views_would_respect_the_policies(session: Session) -> None:
    """A view runs with its owner's rights unless it says otherwise, and our owner sees everything."""
    views = sa.text(
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        " AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)"
    )
    assert session.scalars(views).all() == []


def test_functions_with_the_owners_rights_are_the_known_ones(session: Session) -> None:
    definer = {name for name, by_owner, _, _ in session.execute(sa.text(OWN_FUNCTIONS)) if by_owner}
    assert definer == {"drehkreuz_audit", "drehkreuz_forget_access"}


def test_a_customer_role_reaches_no_table_without_policy_but_the_known_ones(session: Session) -> None:
    """Everything else that a customer's role may read is walled row by row."""
    role = role_name(Role.PORTAL_CUSTOMER)
    open_tables = sa.text(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT c.relrowsecurity AND (has_table_privilege(:role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
        " OR has_any_column_privilege(:role, c.oid, 'SELECT, INSERT, UPDATE'))"
    )
    assert set(session.scalars(open_tables, {"role": role})) == {
        "house", "house_site", "price", "product", "employee", "check_catalogue", "company_day",
    }  # fmt: skip


def test_a_customer_role_counts_nothing_by_the_sequences(session: Session) -> None:
    role = role_name(Role.PORTAL_CUSTOMER)
    readable = sa.text(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
        " AND has_sequence_privilege(:role, format('public.%I', sequencename), 'USAGE, SELECT, UPDATE')"
    )
    assert session.scalars(readable, {"role": role}).all() == []


def test_prefects_role_stays_out_of_our_database_and_ours_out_of_prefects(home: object) -> None:
    prefect_database.ensure()
    theirs = prefect_database.url()
    common = {"host": theirs.host, "port": theirs.port, "connect_timeout": 5}
    tried = [(theirs, owner_url().database)] + [(engine(role).url, theirs.database) for role in WORKING]
    for known, name in tried:
        with (
            pytest.raises(psycopg.OperationalError, match="permission denied for database"),
            psycopg.connect(**common, user=known.username, password=str(known.password), dbname=name),
        ):
            pass


@pytest.mark.parametrize("password", ["", "falsch"])
def test_nobody_comes_in_without_the_right_password(home: object, password: str) -> None:
    known = owner_url()
    for user in ("postgres", str(known.username), role_name(Role.APP)):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password supplied"):
            psycopg.connect(
                host=known.host, port=known.port, user=user, password=password, dbname="postgres", connect_timeout=5
            )


def test_the_server_listens_on_loopback_only_and_on_no_socket_file(home: Path) -> None:
    with psycopg.connect(EmbeddedPostgres(home).url("postgres", "postgres", driver="")) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone()[0] for name in ("listen_addresses", "unix_socket_directories")]
        assert shown == ["127.0.0.1", ""]
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("scram-sha-256",)]
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'drehkreuz'").fetchone() == (False,)
