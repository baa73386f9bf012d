"""Importing again merges by key, doubles nothing, and turns nothing back that stands fast."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit.database import unit_of_work
from models.billing import BillingExclusion, KontingentEntry, LedgerKind, ReportState, ServiceReport, ServiceReportGroup
from models.contracts import Contract
from models.goods import Supplier
from models.parties import Contact, Customer, Employee, Site
from models.plumbing import AuditEntry
from models.service_desk import Ticket, TicketEvent
from models.work import EntryState, ServiceEntry
from tests import factories as make
from tests.company.helpers import BASE, company, counts, errors, exported, load, loaded, row, write_folder

pytestmark = pytest.mark.usefixtures("database")
ISSUED = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)


def one(session: Session, model: type[Any]) -> Any:
    return session.scalars(sa.select(model)).one()


def report_on(session: Session, *, number: str | None = "SB-2026-000001") -> ServiceReport:
    """Put L1 on a report, issued or only released."""
    entry = session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key == "L1")).one()
    customer = session.get_one(Customer, entry.customer_id)
    report = make.report(session, make.item(session, customer, make.run(session)))
    entry.report_id = report.id
    session.flush()
    if number:
        report.number, report.state, report.issued_at = number, ReportState.NUMBERED, ISSUED
        entry.state = EntryState.REPORTED
        session.flush()
    return report


def test_twice_is_once(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    report = loaded(tmp_path)
    assert all((one.created, one.changed, one.unchanged) == (0, 0, one.rows) for one in report.files)


def test_changed_rows_keep_what_was_in_the_audit_trail(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    changed = row("customers", iban="DE02120300000000202051", city="Münster")
    report = loaded(tmp_path, {"customers.csv": [changed, row("customers", 1)]})
    assert counts(report, "customers") == (0, 1, 1)
    with unit_of_work("test") as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "customer")).one()
        assert entry.before == {"iban": None, "city": "Warendorf"}
        assert entry.after == {"iban": "DE02120300000000202051", "city": "Münster"}


def test_a_missing_column_keeps_what_is_stored_an_empty_field_does_not(tmp_path: Path) -> None:
    rich = row(
        "customers", billing="per_site", delivery="xrechnung", leitweg_id="991-01234-38", account_manager="tina@haus.example"
    )
    loaded(tmp_path, company(customers=[rich, row("customers", 1)]))
    report = loaded(tmp_path / "short", {"customers.csv": [row("customers", name="Umbenannt GmbH")]})
    assert counts(report, "customers") == (0, 1, 0)
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1")).one()
        assert (customer.name, customer.billing, customer.leitweg_id) == ("Umbenannt GmbH", "per_site", "991-01234-38")
        assert customer.account_manager_id is not None
    loaded(tmp_path / "empty", {"customers.csv": [row("customers", billing="", account_manager="")]})
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1")).one()
        assert (customer.billing, customer.account_manager_id) == ("central", None)


def test_rules_of_a_whole_row_also_hold_when_columns_are_missing(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    report = load(tmp_path / "short", {"customers.csv": [row("customers", delivery="xrechnung")]})
    assert errors(report) == [
        "customers.csv:2: leitweg_id: fehlt; delivery xrechnung verlangt eine Leitweg-ID, zum Beispiel 991-01234-38"
    ]


def test_new_sites_may_pay_for_each_other(tmp_path: Path) -> None:
    sites = [row("sites", bills_to="WEST"), row("sites", code="WEST", bills_to="NORD"), row("sites", 1)]
    report = loaded(tmp_path, company(sites=sites))
    assert counts(report, "sites") == (3, 0, 0)
    with unit_of_work("test") as session:
        ids = {site.code: (site.id, site.bills_to_id) for site in session.scalars(sa.select(Site))}
    assert ids["NORD"] == (ids["WEST"][1], ids["WEST"][0])
    assert counts(loaded(tmp_path), "sites") == (0, 0, 3)


def test_the_same_mail_address_at_two_customers_is_two_contacts(tmp_path: Path) -> None:
    person = {"first_name": "Karla", "last_name": "K", "email": "k@kunde.example"}
    loaded(tmp_path, company(contacts=[{"customer": "K1", **person, "portal": "admin"}, {"customer": "K2", **person}]))
    with unit_of_work("test") as session:
        assert sorted(session.scalars(sa.select(Contact.portal))) == ["admin", "none"]


# --- service entries -----------------------------------------------------------------------------------------------------


@pytest.mark.promise("S25")
def test_state_follows_the_approval(tmp_path: Path) -> None:
    waiting = row("service_entries", id="L2", approved_by="", approved_at="")
    elsewhere = row("service_entries", id="L3", approved_by="", approved_at="", reported_elsewhere="ALT-1")
    loaded(tmp_path, company(service_entries=[row("service_entries"), waiting, elsewhere]))
    with unit_of_work("test") as session:
        states = dict(session.execute(sa.select(ServiceEntry.key, ServiceEntry.state)).tuples().all())
    assert states == {"L1": EntryState.APPROVED, "L2": EntryState.CAPTURED, "L3": EntryState.CAPTURED}


def test_an_approval_is_never_withdrawn_by_a_file(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    report = loaded(tmp_path, {"service_entries.csv": [row("service_entries", approved_by="", approved_at="")]})
    assert counts(report, "service_entries") == (0, 0, 1)
    with unit_of_work("test") as session:
        assert one(session, ServiceEntry).state is EntryState.APPROVED


def test_a_file_may_approve_what_waits(tmp_path: Path) -> None:
    loaded(tmp_path, company(service_entries=[row("service_entries", approved_by="", approved_at="", minutes="20")]))
    assert counts(loaded(tmp_path, BASE), "service_entries") == (0, 1, 0)
    with unit_of_work("test") as session:
        entry = one(session, ServiceEntry)
        assert (entry.state, entry.minutes, entry.approved_by) == (EntryState.APPROVED, 50, "ines@haus.example")


@pytest.mark.parametrize("reason", ["Bitte Minuten prüfen", None])
def test_what_was_taken_back_here_is_not_approved_by_a_file(tmp_path: Path, reason: str | None) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("employee:ines@haus.example") as session:
        entry = one(session, ServiceEntry)
        entry.state, entry.approved_at, entry.approved_by, entry.returned_reason = EntryState.CAPTURED, None, None, reason
    report = loaded(tmp_path)
    assert counts(report, "service_entries") == (0, 0, 1)
    assert "nicht übernommen: diese Freigabe wurde in Drehkreuz zurückgenommen" in str(report.hints[0])
    later = {"service_entries.csv": [row("service_entries", approved_at="2026-10-09T09:00")]}
    assert counts(loaded(tmp_path, later), "service_entries")[1] == (0 if reason else 1)


@pytest.mark.parametrize(
    ("approved_at", "allowed"),
    [("", False), ("2026-10-06T08:59", False), ("2026-10-06T09:00", True), ("2026-10-07T09:00", True)],
)
def test_approved_work_changes_only_with_an_approval_that_is_not_older(tmp_path: Path, approved_at: str, allowed: bool) -> None:
    loaded(tmp_path, BASE)
    by = "ines@haus.example" if approved_at else ""
    change = {"service_entries.csv": [row("service_entries", minutes="90", approved_at=approved_at, approved_by=by)]}
    report = load(tmp_path, change)
    assert report.ok is allowed
    if not allowed:
        assert errors(report)[0].startswith(
            "service_entries.csv:2: approved_at: Leistung »L1« ist in Drehkreuz seit 2026-10-06T09:00 freigegeben, die Datei ändert minutes"
        )
    with unit_of_work("test") as session:
        assert one(session, ServiceEntry).minutes == (90 if allowed else 50)


def test_reported_elsewhere_may_be_learnt_but_not_forgotten(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    marked = {"service_entries.csv": [row("service_entries", reported_elsewhere="ALT-7")]}
    assert counts(loaded(tmp_path, marked), "service_entries") == (0, 1, 0)
    assert counts(loaded(tmp_path, BASE), "service_entries") == (0, 0, 1)
    with unit_of_work("test") as session:
        assert one(session, ServiceEntry).reported_elsewhere == "ALT-7"


def test_an_old_state_over_reported_work_changes_nothing(tmp_path: Path) -> None:
    unapproved = company(service_entries=[row("service_entries", approved_by="", approved_at="")])
    for files in (BASE, unapproved):
        write_folder(tmp_path / str(id(files)), files)
    loaded(tmp_path / str(id(BASE)))
    with unit_of_work("test") as session:
        report_on(session)
    for files in (BASE, unapproved):
        assert counts(loaded(tmp_path / str(id(files))), "service_entries") == (0, 0, 1)
    with unit_of_work("test") as session:
        entry = one(session, ServiceEntry)
        assert (entry.state, entry.reported_elsewhere) == (EntryState.REPORTED, None)


def test_reported_work_refuses_other_content_and_names_the_report(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        report_on(session)
    for change in ({"minutes": "90"}, {"text": "etwas anderes"}, {"reported_elsewhere": "ALT-9"}):
        report = load(tmp_path, company(service_entries=[row("service_entries", **change)]))
        (line,) = errors(report)
        assert line.startswith(
            "service_entries.csv:2: Zeile: Leistung »L1« steht im Servicebericht SB-2026-000001 und ändert sich nicht mehr"
        )
        assert f"({next(iter(change))})" in line
        assert "Gegenbuchung" in line


def test_released_work_refuses_other_content_and_names_the_run(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        report_on(session, number=None)
    (line,) = errors(load(tmp_path, company(service_entries=[row("service_entries", minutes="90")])))
    assert "Leistung »L1« ist im Rechnungslauf 2026-10 freigegeben" in line


def test_booked_and_covered_work_stand_fast_too(tmp_path: Path) -> None:
    loaded(tmp_path, company(service_entries=[row("service_entries"), row("service_entries", id="L2")]))
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1")).one()
        contract, run = one(session, Contract), make.run(session)
        first, second = session.scalars(sa.select(ServiceEntry).order_by(ServiceEntry.key))
        session.add(BillingExclusion(customer_id=customer.id, run_id=run.id, entry_id=first.id, contract_id=contract.id))
        booked = {
            "day": dt.date(2026, 10, 5),
            "month": "2026-10",
            "kind": LedgerKind.USAGE,
            "minutes": -60,
            "entry_id": second.id,
        }
        session.add(KontingentEntry(customer_id=customer.id, contract_id=contract.id, **booked))
    rows = [row("service_entries", minutes="9"), row("service_entries", id="L2", minutes="9")]
    found = errors(load(tmp_path, company(service_entries=rows)))
    assert "im Rechnungslauf 2026-10 als vom Vertrag abgedeckt" in found[0]
    assert "ist im Kontingent gebucht" in found[1]


def test_our_own_export_comes_home_unchanged(tmp_path: Path) -> None:
    loaded(tmp_path / "in", BASE)
    with unit_of_work("test") as session:
        report_on(session)
    out = exported(tmp_path / "out")
    assert b",SB-2026-000001\n" in out["service_entries.csv"]
    report = loaded(tmp_path / "out")
    assert all(one.unchanged == one.rows for one in report.files)
    assert report.hint_count == 0
    with unit_of_work("test") as session:
        assert one(session, ServiceEntry).reported_elsewhere is None


def test_in_an_empty_system_our_number_is_another_systems(tmp_path: Path, database: sa.Connection) -> None:
    with database.begin_nested() as first:
        loaded(tmp_path / "in", BASE)
        with unit_of_work("test") as session:
            report_on(session)
        before = exported(tmp_path / "out")
        first.rollback()
    loaded(tmp_path / "out")
    with unit_of_work("test") as session:
        entry = one(session, ServiceEntry)
        assert (entry.reported_elsewhere, entry.report_id, entry.state) == ("SB-2026-000001", None, EntryState.APPROVED)
    assert exported(tmp_path / "again") == before


def test_a_number_of_ours_on_other_work_is_believed_and_told(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        report_on(session)
    report = loaded(
        tmp_path,
        company(service_entries=[row("service_entries"), row("service_entries", id="L2", reported_elsewhere="SB-2026-000001")]),
    )
    assert "ist hier die Nummer eines Berichts ohne diese Leistung" in str(report.hints[0])


# --- tickets, agreements, contracts ---------------------------------------------------------------------------------------


def test_tickets_move_on_with_a_line_in_their_history(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    loaded(tmp_path, {"tickets.csv": [row("tickets", state="waiting", assignee="tina@haus.example")]})
    with unit_of_work("test") as session:
        assert one(session, Ticket).state == "waiting"
        event = one(session, TicketEvent)
        assert (event.what, event.actor) == ("imported", "test")
        assert event.detail == {"state": ["open", "waiting"], "assignee": [None, "tina@haus.example"]}


def test_a_closed_ticket_is_not_opened_by_an_old_file(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        one(session, Ticket).state = "closed"
    report = loaded(tmp_path)
    assert counts(report, "tickets") == (0, 0, 1)
    assert "open nicht übernommen: in Drehkreuz ist das Ticket closed" in str(report.hints[0])


@pytest.mark.parametrize("file", ["tickets", "contracts"])
def test_nothing_moves_to_another_customer(tmp_path: Path, file: str) -> None:
    loaded(tmp_path, BASE)
    number = BASE[f"{file}.csv"][0]["number"]
    found = errors(load(tmp_path, {f"{file}.csv": [row(file, customer="K2")]}))
    assert found[0].startswith(f"{file}.csv:2: customer: »{number}« gehört in Drehkreuz dem Kunden »K1« und wechselt ihn nicht")


def test_an_entry_may_move_to_the_right_ticket(tmp_path: Path) -> None:
    tickets = [row("tickets"), row("tickets", number="T2", customer="K2")]
    loaded(tmp_path, company(tickets=tickets))
    loaded(tmp_path, company(tickets=tickets, service_entries=[row("service_entries", ticket="T2")]))
    with unit_of_work("test") as session:
        entry = one(session, ServiceEntry)
        assert entry.customer_id == session.scalar(sa.select(Customer.id).where(Customer.number == "K2"))


def test_prices_of_a_used_agreement_stand_fast(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        report = report_on(session, number=None)
        agreement = session.scalar(sa.text("SELECT id FROM cooperation_agreement"))
        line = {"kind": "standard", "quantity": 1, "unit": "hour", "price": 95, "vat_rate": 19, "net": 95, "position": 1}
        session.add(ServiceReportGroup(customer_id=report.customer_id, report_id=report.id, agreement_id=agreement, **line))
    (line_,) = errors(load(tmp_path, {"agreements.csv": [row("agreements", hour_price="99.00", purpose="neu")]}))
    assert line_ == (
        "agreements.csv:2: Zeile: Fassung 1 des Kunden »K1« steht schon in einem Servicebericht; "
        "hour_price ändert sich nicht mehr, legen Sie eine neue Fassung an"
    )
    assert counts(loaded(tmp_path, {"agreements.csv": [row("agreements", purpose="neu")]}), "agreements") == (0, 1, 0)


def book(session: Session) -> None:
    contract = one(session, Contract)
    booked = {"day": dt.date(2026, 10, 1), "month": "2026-10", "kind": LedgerKind.GRANT, "minutes": 600}
    session.add(KontingentEntry(customer_id=contract.customer_id, contract_id=contract.id, **booked))


def test_terms_of_a_booked_kontingent_stand_fast(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        book(session)
    changes = {"kontingent_hours_per_month": "12", "starts_on": "2026-02-01", "overdraft_allowed": "yes"}
    (line,) = errors(load(tmp_path, {"contracts.csv": [row("contracts", **changes)]}))
    assert line == (
        "contracts.csv:2: Zeile: Vertrag »V1« hat Kontingentbuchungen bis 2026-10-01; starts_on, kontingent_hours_per_month "
        "ändert sich nicht mehr, beenden Sie ihn zum Monatsende und legen Sie einen neuen Vertrag an"
    )
    (line,) = errors(load(tmp_path, {"contracts.csv": [row("contracts", ends_on="2026-09-30")]}))
    assert line.startswith("contracts.csv:2: ends_on: Vertrag »V1« hat Kontingentbuchungen bis 2026-10-01")
    allowed = {"contracts.csv": [row("contracts", ends_on="2026-10-31", overdraft_allowed="yes", correction_rule="never")]}
    assert counts(loaded(tmp_path, allowed), "contracts") == (0, 1, 0)


def test_the_opening_of_a_booked_kontingent_stands_fast(tmp_path: Path) -> None:
    opening = {"contract": "V1", "as_of": "2026-09-30", "minutes": "-90"}
    loaded(tmp_path, company(kontingent_opening=[opening]))
    with unit_of_work("test") as session:
        book(session)
    assert counts(loaded(tmp_path), "kontingent_opening") == (0, 0, 1)
    (line,) = errors(load(tmp_path, {"kontingent_opening.csv": [opening | {"minutes": "0"}]}))
    assert "hat schon Buchungen, sein Anfangsbestand steht fest" in line


def test_unbooked_terms_and_openings_may_be_corrected(tmp_path: Path) -> None:
    loaded(tmp_path, company(kontingent_opening=[{"contract": "V1", "as_of": "2026-09-30", "minutes": "10"}]))
    files = {
        "contracts.csv": [row("contracts", kontingent_hours_per_month="12", starts_on="2026-03-01")],
        "kontingent_opening.csv": [{"contract": "V1", "as_of": "2026-08-31", "minutes": "20"}],
    }
    report = loaded(tmp_path, files)
    assert counts(report, "contracts") == counts(report, "kontingent_opening") == (0, 1, 0)
    with unit_of_work("test") as session:
        assert one(session, Contract).kontingent_hours_per_month == Decimal(12)


# --- all or nothing -------------------------------------------------------------------------------------------------------


def test_nothing_is_written_when_one_file_is_refused(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        report_on(session)
    files = company(service_entries=[row("service_entries", minutes="9")], suppliers=[{"code": "L1", "name": "Neu"}])
    assert not load(tmp_path, files).ok
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Supplier)) == 0


def test_what_is_not_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        employee = session.scalars(sa.select(Employee).where(Employee.email == "tina@haus.example")).one()
        employee.active, employee.phone = False, "+4925811"
    loaded(tmp_path, {"employees.csv": [row("employees", 1)]})
    loaded(tmp_path, {"employees.csv": [row("employees", last_name="Neu")]})
    with unit_of_work("test") as session:
        employee = session.scalars(sa.select(Employee).where(Employee.email == "tina@haus.example")).one()
        assert (employee.active, employee.phone, employee.last_name) == (False, "+4925811", "Neu")
