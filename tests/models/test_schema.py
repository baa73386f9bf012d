"""The database keeps the promises by itself: constraints, frozen documents, tenant walls."""

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from kit.database import Role, engine, unit_of_work
from models import schema
from models.assets import Asset
from models.base import Base, CustomerScoped
from models.billing import KontingentEntry, LedgerKind, ServiceReportLine
from models.plumbing import AuditEntry
from models.service_desk import Message
from models.work import EntryState
from tests import factories as make

ISSUED = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)


def refused(session: Session, statement: sa.Executable | None = None) -> str:
    """The database's reason for refusing a statement (or the pending flush)."""
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(statement) if statement is not None else session.flush()
    return str(refusal.value.orig)


def test_models_and_migrations_are_in_step(home: object) -> None:
    assert schema.current() == schema.head()
    assert schema.differences() == []


def test_every_tenant_table_has_row_level_security_and_policies(session: Session) -> None:
    tables = {m.class_.__tablename__ for m in Base.registry.mappers if issubclass(m.class_, CustomerScoped)} | {"customer"}
    walled = set(
        session.scalars(
            sa.text(
                "SELECT c.relname FROM pg_class c WHERE c.relrowsecurity AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) = 2"
            )
        )
    )
    assert tables <= walled


@pytest.mark.promise("S158")
@pytest.mark.parametrize("reason", [None, "", "   "])
def test_non_billable_work_needs_a_reason(session: Session, reason: str | None) -> None:
    customer = make.customer(session)
    technician, ticket = make.employee(session), make.ticket(session, customer)
    with pytest.raises(IntegrityError, match="billable_or_reason"):
        make.entry(session, customer, technician, ticket, billable=False, non_billable_reason=reason)


def test_a_row_of_one_customer_cannot_point_to_another(session: Session) -> None:
    one, other = make.customer(session), make.customer(session)
    foreign_ticket = make.ticket(session, other)
    with pytest.raises(IntegrityError):
        make.entry(session, one, make.employee(session), foreign_ticket)


def test_an_entry_is_reported_once(session: Session) -> None:
    customer = make.customer(session)
    entry = make.entry(session, customer, make.employee(session), make.ticket(session, customer))
    run = make.run(session)
    first = make.report(session, make.item(session, customer, run))
    line = {
        "customer_id": customer.id,
        "entry_id": entry.id,
        "position": 1,
        "raw_minutes": 60,
        "billed_minutes": 60,
        "usage_minutes": 0,
        "charged_minutes": 60,
        "charged_days": Decimal(0),
        "charged_trips": 0,
        "charge": "invoice",
        "rule_version": "1",
    }
    session.add(ServiceReportLine(report_id=first.id, **line))
    session.flush()
    session.add(ServiceReportLine(report_id=first.id, **line))
    assert "uq_service_report_line__entry_id" in refused(session)


@pytest.mark.promise("S91")
def test_an_issued_report_and_its_lines_never_change(session: Session) -> None:
    customer = make.customer(session)
    entry = make.entry(session, customer, make.employee(session), make.ticket(session, customer))
    report = make.report(session, make.item(session, customer, make.run(session)))
    entry.report_id = report.id
    session.flush()
    assert "frozen" in refused(session, sa.text("UPDATE service_entry SET minutes = 90"))
    assert "frozen" in refused(session, sa.text("DELETE FROM service_entry"))
    report.number, report.state, report.issued_at = "SB-2026-000001", "numbered", ISSUED
    session.flush()
    assert "frozen" in refused(session, sa.text("UPDATE service_report SET month = '2026-09'"))
    assert "issued report" in refused(session, sa.text("UPDATE service_entry SET report_id = NULL"))
    insert_line = sa.text(
        "INSERT INTO service_report_group (customer_id, report_id, position, kind, quantity, unit, price, vat_rate, net, created_at)"
        " VALUES (:c, :r, 1, 'standard', 1, 'hour', 95, 19, 95, '2026-11-01')"
    ).bindparams(c=customer.id, r=report.id)
    assert "frozen" in refused(session, insert_line)
    entry.state = EntryState.REPORTED
    session.flush()


def test_an_issued_invoice_only_moves_on(session: Session) -> None:
    customer = make.customer(session)
    report = make.report(session, make.item(session, customer, make.run(session)))
    invoice = make.invoice(session, report)
    invoice.number, invoice.state, invoice.issued_at = "RE-2026-000001", "numbered", ISSUED
    session.flush()
    for change in ("net = 90, gross = 108.05", "number = 'RE-2026-000002'", "issued_at = now()", "due_on = '2030-01-01'"):
        assert "frozen" in refused(session, sa.text(f"UPDATE invoice SET {change}"))
    assert "frozen" in refused(session, sa.text("DELETE FROM invoice"))
    invoice.archive_key, invoice.state = "invoices/2026/RE-2026-000001.pdf", "issued"
    session.flush()


def test_amounts_of_an_invoice_add_up(session: Session) -> None:
    customer = make.customer(session)
    report = make.report(session, make.item(session, customer, make.run(session)))
    with pytest.raises(IntegrityError, match="gross_is_sum"):
        make.invoice(session, report, gross=Decimal("113.06"))


def test_the_ledger_only_grows(session: Session) -> None:
    customer = make.customer(session)
    contract = make.contract(session, customer)
    item = make.item(session, customer, make.run(session))
    booking = KontingentEntry(
        customer_id=customer.id,
        contract_id=contract.id,
        item_id=item.id,
        day=dt.date(2026, 10, 1),
        month="2026-10",
        kind=LedgerKind.GRANT,
        minutes=600,
    )
    session.add(booking)
    session.flush()
    assert "frozen" in refused(session, sa.text("UPDATE kontingent_entry SET minutes = 1"))
    item.state = "issued"
    session.flush()
    assert "frozen" in refused(session, sa.text("DELETE FROM kontingent_entry"))
    twice = KontingentEntry(
        customer_id=customer.id,
        contract_id=contract.id,
        day=dt.date(2026, 10, 1),
        month="2026-10",
        kind=LedgerKind.GRANT,
        minutes=1,
    )
    session.add(twice)
    assert "uq_kontingent_entry__month" in refused(session)


@pytest.mark.promise("S47")
def test_changes_leave_a_trail_that_nobody_can_wipe(session: Session) -> None:
    customer = make.customer(session, name="Vorher GmbH")
    customer.name = "Nachher GmbH"
    session.flush()
    trail = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "customer").order_by(AuditEntry.id)).all()
    assert [t.action for t in trail] == ["insert", "update"]
    assert (trail[1].actor, trail[1].before, trail[1].after) == ("test", {"name": "Vorher GmbH"}, {"name": "Nachher GmbH"})
    assert "permission denied" in refused(session, sa.text("DELETE FROM audit_entry"))


@pytest.mark.promise("S2")
def test_a_customer_session_sees_its_own_rows_and_no_internal_note(committed: None) -> None:
    with unit_of_work("test") as session:
        one, other = make.customer(session), make.customer(session)
        mine, foreign = make.ticket(session, one), make.ticket(session, other)
        for ticket, direction in ((mine, "in"), (mine, "internal"), (foreign, "in")):
            session.add(
                Message(
                    customer_id=ticket.customer_id,
                    ticket_id=ticket.id,
                    direction=direction,
                    author="x",
                    at=ISSUED,
                    text=direction,
                )
            )
        make.report(session, make.item(session, one, make.run(session)))
    seen = {}
    for scope in (one.id, None):
        # no session of ours: the second wall must hold for whoever gets hold of a connection
        with engine(Role.PORTAL_CUSTOMER).connect() as connection, connection.begin():
            connection.execute(sa.text("SELECT set_config('drehkreuz.customer', :c, true)"), {"c": str(scope or "")})
            tables = ("customer", "ticket", "message", "service_report")
            seen[scope] = [connection.scalar(sa.text(f"SELECT count(*) FROM {t}")) for t in tables]
    assert seen == {one.id: [1, 1, 1, 0], None: [0, 0, 0, 0]}
    foreign_insert = sa.text(
        "INSERT INTO ticket (customer_id, number, kind, state, priority, subject, received_at, created_at)"
        " VALUES (:c, 'X', 'incident', 'new', 'normal', 's', '2026-01-01', '2026-01-01')"
    ).bindparams(c=other.id)
    with engine(Role.PORTAL_CUSTOMER).connect() as connection, connection.begin():
        connection.execute(sa.text("SELECT set_config('drehkreuz.customer', :c, true)"), {"c": str(one.id)})
        with pytest.raises(DBAPIError, match=r"row-level security|permission denied"):
            connection.execute(foreign_insert)


@pytest.mark.promise("S79", "S138")
def test_a_customer_session_reads_its_own_assets_and_no_others(committed: None) -> None:
    with unit_of_work("test") as session:
        one, other = make.customer(session), make.customer(session)
        for owner, number in ((one, "SRV1"), (other, "SRV2")):
            session.add(Asset(customer_id=owner.id, inventory_no=number, asset_class="server"))
    for customer, seen in ((one.id, ["SRV1"]), (other.id, ["SRV2"]), (None, [])):
        with engine(Role.PORTAL_CUSTOMER).connect() as connection, connection.begin():
            connection.execute(sa.text("SELECT set_config('drehkreuz.customer', :c, true)"), {"c": str(customer or "")})
            assert list(connection.scalars(sa.text("SELECT inventory_no FROM asset"))) == seen


def test_a_customer_session_cannot_reach_tables_of_the_house(committed: None) -> None:
    with engine(Role.PORTAL_CUSTOMER).connect() as connection:
        for table in ("login", "audit_entry", "outbox_mail", "billing_run", "sap_document", "supplier", "inbox_item"):
            with pytest.raises(DBAPIError, match="permission denied"), connection.begin():
                connection.execute(sa.text(f"SELECT * FROM {table}"))


def test_migrations_go_down_and_up_again(committed: None) -> None:
    schema.downgrade("base")
    assert schema.current() is None
    schema.upgrade()
    assert schema.differences() == []
