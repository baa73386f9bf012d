"""Customers in the portal: the record everybody sees, kept by the account manager with the import's own checks."""

import datetime as dt
import re
from decimal import Decimal
from html import unescape as html_text

import pytest
import sqlalchemy as sa

from kit import clock
from kit.database import unit_of_work
from models.agreements import CooperationAgreement
from models.contracts import Contract, ContractLine
from models.parties import Contact, Customer, Site
from models.plumbing import AuditEntry
from models.service_desk import TicketKind
from models.work import EntryState, ServiceEntry
from tests import factories as make
from tests.portal import world
from tests.portal.conftest import Portal
from tests.portal.world import LAST


def seen_of(html: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]*)"', html)
    assert found
    return found[1]


def form_of(html: str) -> dict[str, str]:
    """The fields of a form page as a browser would send them back."""
    values = dict(re.findall(r'<input class="form-control[^>]* name="(\w+)"[^>]* value="([^"]*)"', html))
    for name, body in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        values[name] = chosen[1] if chosen else ""
    values |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', html))
    return values | {"seen": seen_of(html), "was": html_text(re.search(r'name="was" value="([^"]*)"', html)[1])}


@pytest.mark.promise("S8", "S9", "S14", "S28", "S36", "S37", "S103")
def test_everybody_of_the_house_reads_the_same_record(portal: Portal) -> None:
    for role in ("technician", "materials", "dispatcher", "account_manager", "back_office", "monitoring"):
        html = portal.browser(role).get("/kunden/K1001").text
        assert "Bäckerei Brömmelkamp GmbH" in html
        assert "kontakt0@kunde.example" in html
        assert "Empfänger der Serviceberichte" in html
        assert "über die Zentrale" in html
        assert "Karin Kamp" in html
    assert "Niemand ist als Empfänger" not in html


def test_prices_are_for_those_who_need_them(portal: Portal) -> None:
    assert "€ je Stunde" in portal.browser("account_manager").get("/kunden/K1001").text
    assert "€ je Stunde" not in portal.browser("materials").get("/kunden/K1001").text


def test_the_list_finds_by_name_number_and_manager(portal: Portal) -> None:
    browser = portal.browser("dispatcher")
    assert "Autohaus Öztürk KG" in browser.get("/kunden?suche=öztürk").text
    assert "Kein Kunde gefunden" in browser.get("/kunden?suche=gibtesnicht").text
    assert "K1002" in browser.get("/kunden?betreuung=account.manager@probehaus.example").text


@pytest.mark.promise("S15", "S36", "S43", "U20")
def test_billing_terms_are_changed_with_the_imports_checks_and_leave_a_trail(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1001/bearbeiten").text)
    refused = browser.post("/kunden/K1001/bearbeiten", data=form | {"datev_consultant_no": "77", "delivery": "xrechnung"})
    assert refused.status_code == 422
    assert "77 liegt außerhalb; erlaubt: ganze Zahl 1001 bis 9999999" in refused.text
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Customer).where(Customer.number == "K1001")).one().delivery == "post"

    right = form | {"datev_consultant_no": "290501", "billing": "per_site", "payment_days": "21"}
    assert browser.post("/kunden/K1001/bearbeiten", data=right).headers["location"] == "/kunden/K1001"
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1001")).one()
        assert (customer.datev_consultant_no, customer.billing, customer.payment_days) == (290501, "per_site", 21)
        trail = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.table_name == "customer", AuditEntry.row_id == customer.id)
        ).all()
        assert trail[-1].actor == "employee:account.manager@probehaus.example"
        assert trail[-1].after is not None
        assert trail[-1].after["payment_days"] == 21


def test_two_people_at_the_same_record(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1001/bearbeiten").text)
    assert browser.post("/kunden/K1001/bearbeiten", data=form | {"street": "Neuer Weg 1"}).status_code == 303
    late = browser.post("/kunden/K1001/bearbeiten", data=form | {"street": "Anderer Weg 2"})
    assert late.status_code == 409
    assert "Ihnen selbst (anderes Fenster)" in late.text
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Customer.street).where(Customer.number == "K1001")).one() == "Neuer Weg 1"


def test_two_changes_are_put_together_and_one_chooses_where_both_meet(portal: Portal) -> None:
    """Nothing typed is lost, nothing saved is overwritten unseen: who, when and both versions stand side by side."""
    mine, other = portal.browser("account_manager"), portal.browser("back_office")
    opened = form_of(mine.get("/kunden/K1001/bearbeiten").text)
    theirs = form_of(other.get("/kunden/K1001/bearbeiten").text) | {"street": "Neuer Weg 1", "payment_days": "21"}
    assert other.post("/kunden/K1001/bearbeiten", data=theirs).status_code == 303

    late = mine.post("/kunden/K1001/bearbeiten", data=opened | {"street": "Anderer Weg 2", "city": "Telgte"})
    assert late.status_code == 409
    assert "von Ines Innert" in late.text
    assert set(re.findall(r'name="stand-(\w+)"', late.text)) == {"street"}, "only where both changed the same"
    again = form_of(late.text)
    assert (again["street"], again["city"], again["payment_days"]) == ("Anderer Weg 2", "Telgte", "21")
    assert again["seen"] != opened["seen"]

    assert mine.post("/kunden/K1001/bearbeiten", data=again | {"stand-street": "theirs"}).status_code == 303
    with unit_of_work("test") as session:
        row = session.scalars(sa.select(Customer).where(Customer.number == "K1001")).one()
        assert (row.street, row.city, row.payment_days) == ("Neuer Weg 1", "Telgte", 21)


def test_a_row_that_the_form_did_not_carry_is_compared_field_by_field(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1001/bearbeiten").text)
    assert browser.post("/kunden/K1001/bearbeiten", data=form | {"city": "Telgte"}).status_code == 303
    late = browser.post("/kunden/K1001/bearbeiten", data=form | {"was": '{"city": "erfunden"}', "street": "Anderer Weg 2"})
    assert set(re.findall(r'name="stand-(\w+)"', late.text)) == {"street", "city"}


@pytest.mark.promise("S34", "S35", "S14")
def test_a_new_customer_with_site_and_contact(portal: Portal) -> None:
    browser = portal.browser("back_office")
    empty = browser.post("/kunden/neu", data={"number": "K2000", "country": "DE"})
    assert empty.status_code == 422
    assert empty.text.count("fehlt; erlaubt") >= 4  # name and address, each at its field
    address = {"street": "Am Kai 3", "postal_code": "48143", "city": "Münster"}
    form = form_of(browser.get("/kunden/neu").text) | {"number": "K2000", "name": "Käse & Söhne KG", **address}
    assert browser.post("/kunden/neu", data=form).headers["location"] == "/kunden/K2000"
    site = form_of(browser.get("/kunden/K2000/niederlassungen/neu").text)
    site |= {"code": "N1", "name": "Lager", **address, "receives_goods": "no", "travel_price": "1.039,50"}
    assert browser.post("/kunden/K2000/niederlassungen/neu", data=site).status_code == 303
    contact = form_of(browser.get("/kunden/K2000/ansprechpartner/neu").text)
    contact |= {"first_name": "Käthe", "last_name": "Söhne", "email": "KAETHE@kaese.example", "site": "N1"}
    many = [*contact.items(), ("functions", "main"), ("functions", "service_report")]
    sent = browser.post("/kunden/K2000/ansprechpartner/neu", data={k: [v for n, v in many if n == k] for k, _ in many})
    assert sent.status_code == 303
    again = browser.post("/kunden/K2000/ansprechpartner/neu", data=contact)
    assert again.status_code == 422
    assert "gibt es schon" in again.text
    with unit_of_work("test") as session:
        kept = session.scalars(sa.select(Contact).where(Contact.email == "kaethe@kaese.example")).one()
        assert kept.functions == ["main", "service_report"]
        lager = session.scalars(sa.select(Site).where(Site.id == kept.site_id)).one()
        assert (lager.receives_goods, lager.receives_services, lager.travel_price) == (False, True, Decimal("1039.50"))
    assert "Keine Fassung" not in browser.get("/kunden/K2000").text
    assert "Es gibt keine Kooperationsvereinbarung" in browser.get("/kunden/K2000").text


@pytest.mark.promise("S97", "S98", "S99", "S100", "S101", "S102", "S15")
def test_a_new_version_of_the_agreement_takes_over_the_terms_and_binds_nobody(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1001/vereinbarungen/neu").text)
    assert form["version"] == "2"
    assert form["hour_price"]
    form |= {
        "signed_on": "2026-11-01", "signed_by": "Berta Brömmelkamp", "purpose": "Betreuung der Kassen",
        "service_hours": "mo-fr 08:00-17:00", "reaction_hours_by_priority": "high=2|normal=8|low=24",
        "backup_responsible": "customer", "hour_price": "112,50", "day_price": "880", "travel_price": "45",
    }  # fmt: skip
    assert browser.post("/kunden/K1001/vereinbarungen/neu", data=form).status_code == 303
    with unit_of_work("test") as session:
        kept = session.scalars(sa.select(CooperationAgreement).where(CooperationAgreement.version == 2)).one()
        assert (kept.hour_price, kept.day_price, kept.travel_price) == (Decimal("112.50"), Decimal(880), Decimal(45))
        assert kept.reaction_hours == {"high": "2", "normal": "8", "low": "24"}
    html = browser.get("/kunden/K1001").text
    for said in ("Kein Vertrag", "Betreuung der Kassen", "mo-fr 08:00-17:00", "hoch: 2 Stunden", "der Kunde", "112,50"):
        assert said in html


@pytest.mark.promise("S13", "S15")
def test_contracts_and_their_lines_are_kept_and_what_is_booked_stays(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1002/vertraege/neu").text)
    form |= {"number": "V-900", "kind": "kontingent", "starts_on": "2026-12-01"}
    refused = browser.post("/kunden/K1002/vertraege/neu", data=form)
    assert refused.status_code == 422
    assert "kind kontingent verlangt Stunden je Monat" in refused.text
    form |= {"kontingent_hours_per_month": "7,5", "kontingent_hour_price": "98"}
    assert browser.post("/kunden/K1002/vertraege/neu", data=form).status_code == 303
    with unit_of_work("test") as session:
        contract = session.scalars(sa.select(Contract).where(Contract.number == "V-900")).one()
        assert contract.kontingent_hours_per_month == Decimal("7.5")
    line = form_of(browser.get(f"/kunden/K1002/vertraege/{contract.id}/positionen/neu").text)
    line |= {"line": "1", "text": "Endpoint-Schutz", "meter": "devices", "unit_price": "4,20"}
    assert browser.post(f"/kunden/K1002/vertraege/{contract.id}/positionen/neu", data=line).status_code == 303
    with unit_of_work("test") as session:
        kept = session.scalars(sa.select(ContractLine).where(ContractLine.contract_id == contract.id)).one()
        assert (kept.unit_price, kept.meter) == (Decimal("4.2"), "devices")
    opened = browser.get(f"/kunden/K1001/vertraege/{contract.id}")
    assert opened.status_code == 404  # another customer's


def test_the_portals_own_database_role_may_save_and_is_named_in_the_trail(real_portal: Portal) -> None:
    """Staging tables, locks and the trail work for the role that the portal has, not only for the flows'."""
    browser = real_portal.browser("account_manager")
    form = form_of(browser.get("/kunden/K1001/bearbeiten").text) | {"city": "Bocholt"}
    assert browser.post("/kunden/K1001/bearbeiten", data=form).status_code == 303
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1001")).one()
        assert customer.city == "Bocholt"
        contract = session.scalars(sa.select(Contract).where(Contract.customer_id == customer.id)).one()
        actors = session.scalars(sa.select(AuditEntry.actor).where(AuditEntry.table_name == "customer"))
        assert "employee:account.manager@probehaus.example" in set(actors)
        world.release_month(session)
    page = browser.get(f"/kunden/K1001/vertraege/{contract.id}").text
    refused = browser.post(f"/kunden/K1001/vertraege/{contract.id}", data=form_of(page) | {"kontingent_hours_per_month": "99"})
    assert refused.status_code == 422
    assert "hat Kontingentbuchungen bis" in refused.text


@pytest.mark.promise("U17")
def test_somebody_who_left_gets_no_mail_and_the_page_says_so(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    with unit_of_work("test") as session:
        contact_id = session.scalars(sa.select(Contact.id).where(Contact.email == "kontakt0@kunde.example")).one()
    browser.post(f"/kunden/K1001/ansprechpartner/{contact_id}/aktiv", data={"aktiv": "nein"})
    html = browser.get("/kunden/K1001").text
    assert "ausgeschieden" in html
    assert "Niemand ist als Empfänger der Serviceberichte benannt" in html
    browser.post(f"/kunden/K1001/ansprechpartner/{contact_id}/aktiv", data={"aktiv": "ja"})
    assert "Niemand ist als Empfänger" not in browser.get("/kunden/K1001").text


@pytest.mark.promise("S75", "S117", "S168", "U12")
def test_the_account_shows_booked_and_captured_apart_and_everyone_reads_the_same_figure(portal: Portal) -> None:
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1001")).one()
        contract = session.scalars(sa.select(Contract).where(Contract.customer_id == customer.id)).one()
    shown = {
        role: portal.browser(role).get(f"/kontingente/K1001/{contract.number}").text
        for role in ("dispatcher", "account_manager")
    }
    figures = [re.findall(r'<div class="value">([^<]*)</div>', html)[:3] for html in shown.values()]
    assert figures[0] == figures[1]
    html = shown["dispatcher"]
    assert "Erfasst, noch nicht freigegeben" in html
    assert "Tilda Techow" in html
    assert "Gutschrift" in html
    before = portal.browser("dispatcher").get(f"/kontingente/K1001/{contract.number}?stand=2026-01-31").text
    assert "31.01.2026" in before


@pytest.mark.promise("S78", "S160", "S116")
def test_statistics_before_any_month_is_billed_are_empty_and_unpaid_work_has_its_reason(portal: Portal) -> None:
    browser = portal.browser("account_manager")
    html = browser.get("/kunden/K1001/statistik").text
    assert "IT-Service-Aufwendungen je Monat" in html
    assert "Noch nichts berichtet" in html
    assert "Kulanz nach Rückfrage" in html
    assert "Kulanz nach Rückfrage" in browser.get("/auswertung?monate=3").text


def test_the_watch_list_starts_with_the_managers_own(portal: Portal) -> None:
    html = portal.browser("account_manager").get("/kontingente").text
    assert "Alle zeigen" in html
    assert "noch zu früh" in html


@pytest.mark.promise("S17", "S156", "S158")
def test_a_technician_documents_work_once_however_often_the_form_is_sent(portal: Portal) -> None:
    browser = portal.browser("technician")
    page = browser.get("/erfassen").text
    key = re.search(r'name="key" value="([0-9a-f]{12})"', page)
    assert key
    with unit_of_work("test") as session:
        ticket = make.ticket(session, portal.world.customers[0], subject="Scanner streikt", number="T-4711")
    form = {
        "key": key[1], "ticket": ticket.number, "work_date": LAST.first_day.isoformat(), "start": "09:30", "minutes": "50",
        "place": "on_site", "trips": "1", "kind": "standard", "text": "Walze gereinigt.", "billable": "nein",
    }  # fmt: skip
    refused = browser.post("/erfassen", data=form)
    assert refused.status_code == 422
    assert "braucht eine Begründung" in refused.text
    assert "Walze gereinigt." in refused.text
    form["reason"] = "Gewährleistung"
    for _ in range(2):
        assert browser.post("/erfassen", data=form).headers["location"] == f"/leistungen/E-{key[1]}"
    with unit_of_work("test") as session:
        entry = session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key == f"E-{key[1]}")).one()
        assert (entry.minutes, entry.trips, entry.state, entry.non_billable_reason) == (
            50,
            1,
            EntryState.CAPTURED,
            "Gewährleistung",
        )
        assert entry.ended_at is not None
        assert entry.started_at is not None
        assert entry.ended_at - entry.started_at == dt.timedelta(minutes=50)
    unknown = browser.post("/erfassen", data=form | {"key": "0" * 12, "ticket": "T-0"})
    assert "Ticket T-0: gibt es nicht" in unknown.text
    later = browser.post("/erfassen", data=form | {"key": "1" * 12, "work_date": (clock.today() + dt.timedelta(1)).isoformat()})
    assert "liegt in der Zukunft" in later.text


@pytest.mark.promise("U26")
def test_work_on_an_alarm_is_proposed_as_false_alarm_which_costs_nothing(portal: Portal) -> None:
    browser = portal.browser("technician")
    with unit_of_work("test") as session:
        customer = portal.world.customers[0]
        make.ticket(session, customer, kind=TicketKind.ALERT, subject="Platte fast voll", number="T-4712")
        make.ticket(session, customer, subject="Frage", number="T-4713")
    usual = browser.get("/erfassen?ticket=T-4713").text
    assert 'value="Fehlalarm"></option>' in usual  # offered, not filled in
    assert not re.search(r'<input[^>]*name="reason"[^>]*value="Fehlalarm"', usual)
    alarm = browser.get("/erfassen?ticket=T-4712").text
    assert re.search(r'<input[^>]*name="reason"[^>]*value="Fehlalarm"', alarm)
    assert re.search(r'value="nein"[^>]*(selected|checked)', alarm)
    form = {
        "key": "4712" * 3, "ticket": "T-4712", "work_date": LAST.first_day.isoformat(), "minutes": "10", "place": "remote",
        "trips": "0", "kind": "standard", "text": "Meldung geprüft.", "billable": "nein", "reason": "Fehlalarm",
    }  # fmt: skip
    assert browser.post("/erfassen", data=form).status_code == 303
    with unit_of_work("test") as session:
        entry = session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key == "E-471247124712")).one()
        assert (entry.billable, entry.non_billable_reason) == (False, "Fehlalarm")
