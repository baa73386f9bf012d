"""Pages of agreeing: the catalogue, intervals in words, a line that is changed, the option updates, changes taken back."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from actions.maintenance.ledger import horizon, write_ahead
from kit import clock
from kit.database import unit_of_work
from models.contracts import Contract, ContractKind
from models.maintenance import AgreedCheck, CheckCatalogue, DueDate, NeedsAnalysisLine
from tests import factories as make
from tests.documents.pdf import text as pdf_text
from tests.maintenance.making import plan
from tests.portal.conftest import Portal
from tests.portal.test_maintenance import followed, hidden


@pytest.mark.promise("S106")
@pytest.mark.promise("S109")
def test_the_house_keeps_its_catalogue(portal: Portal) -> None:
    karin = portal.browser("account_manager")
    page = karin.get("/wartung/katalog").text
    for title in (
        "Kontrolle der Datensicherung",
        "Virenschutz: Stand und Funde prüfen",
        "Firewall: Firmware und Regeln prüfen",
    ):
        assert title in page
    form = {
        "title": "Kassensystem: Tagesabschluss", "cadence": "monatlich am 2. Dienstag", "minutes": "20",
        "checklist": "Abschluss lesen\n\nBon drucken", "readings": "Differenz (EUR)\nFreier Platz", "purpose": "Damit es stimmt.",
    }  # fmt: skip
    assert "steht im Prüfkatalog" in followed(karin, karin.post("/wartung/katalog/neu", data=form))
    with unit_of_work("test") as session:
        row = session.scalars(sa.select(CheckCatalogue).where(CheckCatalogue.title == form["title"])).one()
        assert (row.key, row.cadence, row.checklist) == (
            "kassensystem_tagesabschluss", "FREQ=MONTHLY;BYDAY=2TU", ["Abschluss lesen", "Bon drucken"],
        )  # fmt: skip
        assert row.readings == [
            {"key": "differenz", "label": "Differenz", "unit": "EUR"}, {"key": "freier_platz", "label": "Freier Platz", "unit": ""},
        ]  # fmt: skip
        plan(session, portal.world.customers[0], check=row.title)
    here = f"/wartung/katalog/{row.key}"
    assert "monatlich am 2. Dienstag" in karin.get(here).text
    assert karin.post("/wartung/katalog/neu", data=form).status_code == 422, "one title, one check"
    refused = karin.post(here, data=form | {"title": "Anders"})
    assert (refused.status_code, "laufen 1 Pläne" in refused.text) == (422, True)
    assert karin.post(here, data=form | {"cadence": "manchmal"}).status_code == 422
    assert "nicht mehr angeboten" in followed(karin, karin.post(f"{here}/herausnehmen"))
    assert portal.browser("technician").post(here, data=form).status_code == 403
    assert portal.browser("technician").get(here).status_code == 200


def test_a_line_of_the_draft_is_changed_without_losing_the_rest(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    tina, here = portal.world.people["technician"], f"/bedarf/{customer.number}"
    with unit_of_work("test") as session:
        plan(session, customer, technician_id=tina.id, starts_on=dt.date(2026, 1, 5))
    page = followed(karin, karin.post(f"{here}/entwurf"))
    assert "wöchentlich am Montag" in page, "the first draft offers what runs already"
    link = re.search(rf"{here}\?pruefung=(\d+)", page)
    assert link is not None
    form = karin.get(link[0]).text
    assert 'value="wöchentlich am Montag"' in form
    assert f'<option value="{tina.id}" selected>' in form
    changed = {
        "check": "Kontrolle der Datensicherung", "cadence": "alle 2 Wochen am Freitag", "minutes": "25",
        "technician": str(tina.id), "opens": "22:00", "closes": "23:00", "catch_up": "all", "shift": "none",
    }  # fmt: skip
    followed(karin, karin.post(f"{here}/pruefung", data=changed))
    with unit_of_work("test") as session:
        line = session.scalars(sa.select(NeedsAnalysisLine)).one()
        assert (line.cadence, line.technician_id, line.duration_minutes) == ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", tina.id, 25)
    signed = karin.post(f"{here}/unterschrift", data={"agreed_by": "Karla Kontakt", "agreed_on": clock.today().isoformat()})
    assert "Version 1 gilt." in followed(karin, signed)


def test_a_draft_that_cannot_be_signed_still_opens_and_says_why(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    start = clock.today() - dt.timedelta(days=30)
    with unit_of_work("test") as session:
        plan(session, customer, starts_on=start, ends_on=clock.today() - dt.timedelta(days=10))
    here = f"/bedarf/{customer.number}"
    followed(karin, karin.post(f"{here}/entwurf"))
    karin.post(f"{here}/pruefung", data={"check": "Kontrolle der Datensicherung", "starts_on": start.isoformat()})
    page = karin.get(here)
    assert page.status_code == 200
    assert "Wählen Sie einen anderen Beginn" in page.text


@pytest.mark.promise("S140")
def test_the_option_updates_is_booked_as_it_was_shown(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    here = f"/wartung/aktualisierung/{customer.number}"
    assert "Kein Vertrag, der sie enthalten kann" in karin.get(here).text, "a Kontingent includes no work"
    with unit_of_work("test") as session:
        managed = make.contract(
            session, customer, kind=ContractKind.MANAGED, starts_on=clock.today(), kontingent_hours_per_month=None,
            kontingent_hour_price=None,
        )  # fmt: skip
        contract_id, number = managed.id, managed.number
    assert number in karin.get(here).text
    shown = karin.post(here, data={"contract": str(contract_id), "subject": "firewall"}).text
    assert "Termine in den nächsten 13 Monaten" in shown
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck)) == 0, "showing books nothing"
    for _ in range(2):
        assert "Firewall: Firmware und Regeln prüfen" in followed(karin, karin.post(here, data=hidden(shown)))
    with unit_of_work("test") as session:
        booked = session.scalars(sa.select(AgreedCheck)).one()
        assert booked.contract_id == contract_id
        assert session.scalar(sa.select(sa.func.count()).where(DueDate.agreed_check_id == booked.id)) in range(12, 16)
        other = session.scalars(sa.select(Contract.id).where(Contract.kind == ContractKind.KONTINGENT)).one()
    assert karin.post(here, data={"contract": str(other), "subject": "firewall"}).status_code == 422
    assert portal.browser("dispatcher").get(here).status_code == 403


@pytest.mark.promise("S139", "S140")
def test_an_offer_states_rent_and_options_with_what_each_costs(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    here = f"/wartung/aktualisierung/{customer.number}"
    until = (clock.today() + dt.timedelta(days=30)).isoformat()
    fields = {
        "title": "Miet-Firewall Falkenau F40",
        "monthly": "49,00",
        "setup": "1.290,00",
        "updates": "35,5",
        "offered": "firewall",
    }
    refused = karin.post(f"{here}/angebot", data={**fields, "valid_until": "2020-01-01"})
    assert (refused.status_code, "in der Vergangenheit" in refused.text) == (422, True)
    assert karin.post(f"{here}/angebot", data={"title": "x", "monthly": "viel", "valid_until": until}).status_code == 422
    number = f"AN-{clock.today().year}-000001"
    page = followed(karin, karin.post(f"{here}/angebot", data={**fields, "valid_until": until}))
    assert f"Angebot {number} liegt im Archiv." in page, "what was refused took no number"
    link = re.search(rf'href="(/archiv/\d+/{number}.pdf)"', page)
    assert link is not None
    words = " ".join(pdf_text(karin.get(link[1]).content).split())
    for told in (
        f"Angebot {number}", customer.name, "49,00 € monatlich", "□ Einrichtung", "1.290,00 € einmalig", "35,50 € monatlich",
        "Firewall: Firmware und Regeln prüfen: monatlich", "monatlich 49,00 € netto, 58,31 € brutto",
        "monatlich mit allen Optionen 84,50 € netto, 100,56 € brutto",
        "einmalig mit allen Optionen 1.290,00 € netto, 1.535,10 € brutto",
    ):  # fmt: skip
        assert told in words, told
    assert "Einrichtung" not in " ".join(
        pdf_text(
            _offer(karin, here, {"title": "Miet-Switch", "monthly": "5", "offered": "network", "valid_until": until})
        ).split()
    )
    assert portal.browser("dispatcher").post(f"{here}/angebot", data=fields).status_code == 403


@pytest.mark.promise("S140")
def test_an_offer_is_accepted_as_it_was_shown_and_taken_back(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    until = (clock.today() + dt.timedelta(days=30)).isoformat()
    asked = {"title": "Miet-Firewall F40", "monthly": "49", "updates": "35,50", "offered": "firewall", "valid_until": until}
    updates = f"/wartung/aktualisierung/{customer.number}"
    here = f"/wartung/angebote/AN-{clock.today().year}-000001"
    assert here in followed(karin, karin.post(f"{updates}/angebot", data=asked))
    page = karin.get(here).text
    assert "Option laufende Aktualisierung" in page
    assert "Option Einrichtung" not in page
    today = clock.today().isoformat()
    assert karin.post(here, data={"by": "", "on": today, "starts_on": today}).status_code == 422
    form = {"by": "Karla Kontakt", "on": today, "starts_on": today, "updates": "ja"}
    shown = karin.post(here, data=form).text
    assert "Position 2: Laufende Aktualisierung Miet-Firewall F40, 35,50 € monatlich." in shown
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck)) == 0, "showing books nothing"
    accepted = followed(karin, karin.post(here, data=hidden(shown[shown.index("Was die Annahme bewirkt") :])))
    assert "von Karla Kontakt" in accepted
    assert "/wartung/plaene/" in accepted
    assert karin.post(here, data=form).status_code == 422, "accepted once"
    assert "Wartungsplan »Firewall: Firmware und Regeln prüfen" in karin.get(f"{here}/zuruecknehmen").text
    assert "Der Kunde nimmt an" in followed(karin, karin.post(f"{here}/zuruecknehmen"))
    assert karin.get("/wartung/angebote/AN-1").status_code == 404
    assert portal.browser("dispatcher").get(here).status_code == 403


def _offer(browser: object, here: str, fields: dict[str, str]) -> bytes:
    page = followed(browser, browser.post(f"{here}/angebot", data=fields))
    return browser.get(re.findall(r'href="(/archiv/[^"]+)"', page)[0]).content


def test_the_last_change_is_taken_back_as_it_was_shown(portal: Portal) -> None:
    with unit_of_work("test") as session:
        agreed = plan(session, portal.world.customers[0], starts_on=clock.today())
        write_ahead(session, clock.today(), horizon(clock.today()))
    boss, here = portal.browser("dispatcher"), f"/wartung/plaene/{agreed.id}"
    first = (clock.today() + dt.timedelta(days=40)).isoformat()
    moved = boss.post(f"{here}/vorschau", data={"art": "verlegen", "first": first, "cadence": "Wöchentlich am Mittwoch"}).text
    followed(boss, boss.post(f"{here}/aendern", data=hidden(moved)))
    assert "Letzte Änderung zurücknehmen" in boss.get(here).text
    shown = boss.get(f"{here}/zuruecknehmen").text
    assert "Zurückgenommen wird" in shown
    told = followed(boss, boss.post(f"{here}/zuruecknehmen", data=hidden(shown)))
    assert "kommen hinzu" in told
    assert "zurückgenommen" in boss.get(here).text
    assert "keine Änderung" in followed(boss, boss.get(f"{here}/zuruecknehmen"))
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck)) == 1
