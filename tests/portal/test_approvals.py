"""Abrechnungs-Freigabe: the list, approving many at once, correcting, giving back, taking back."""

import re

import pytest
import sqlalchemy as sa

from kit.database import unit_of_work
from models.work import EntryState, ServiceEntry
from tests import factories as make
from tests.portal import world
from tests.portal.conftest import Portal
from tests.portal.world import LAST

pytestmark = pytest.mark.promise("S25")
FORM = {"minutes": "45", "trips": "1", "text": "Neu beschrieben.", "billable": "ja", "reason": ""}


def entry(key: str) -> ServiceEntry:
    with unit_of_work("test") as session:
        return session.scalars(sa.select(ServiceEntry).where(ServiceEntry.key == key)).one()


def many(portal: Portal, count: int) -> None:
    with unit_of_work("test", bulk=True) as session:
        customer, technician = portal.world.customers[2], portal.world.people["technician"]
        ticket = make.ticket(session, customer)
        for n in range(count):
            make.entry(
                session, customer, technician, ticket, key=f"L-M{n:03}", work_date=LAST.first_day,
                state=EntryState.CAPTURED, approved_by=None, approved_at=None,
            )  # fmt: skip


def test_the_list_shows_what_is_open_and_filters(portal: Portal) -> None:
    office = portal.browser("back_office")
    page = office.get("/leistungen").text
    assert all(key in page for key in ("L-900", "L-901", "L-902"))
    assert "L-100" not in page
    assert "L-900" not in office.get("/leistungen?kunde=K1002").text
    assert "L-900" in office.get(f"/leistungen?technik={world.email_of('technician')}&monat={LAST}").text
    assert "Nichts zu tun" in office.get("/leistungen?monat=2020-01").text
    assert "L-100" in office.get("/leistungen?stand=freigegeben").text
    assert "1:33 h in 3 Leistungen" in page


def test_ticked_entries_are_approved_together(portal: Portal) -> None:
    office = portal.browser("back_office")
    answer = office.post("/leistungen/freigeben?kunde=K1001", data={"key": ["L-900", "L-902"]})
    assert answer.headers["location"] == "/leistungen?kunde=K1001"
    assert "2 Leistungen sind freigegeben." in office.get("/leistungen").text
    assert [entry(key).state for key in ("L-900", "L-901", "L-902")] == [
        EntryState.APPROVED, EntryState.CAPTURED, EntryState.APPROVED,
    ]  # fmt: skip
    assert entry("L-900").approved_by == f"employee:{world.email_of('back_office')}"
    office.post("/leistungen/freigeben")
    assert "keine Leistung ausgewählt" in office.get("/leistungen").text
    office.post("/leistungen/freigeben", data={"key": ["L-901", "L-gibtesnicht"]})
    assert entry("L-901").state is EntryState.CAPTURED  # all or none


def test_all_filtered_entries_are_approved_as_long_as_they_are_those_seen(portal: Portal) -> None:
    many(portal, 60)
    office = portal.browser("back_office")
    page = office.get("/leistungen?kunde=K1003").text
    assert "1–50 von 60" in page
    assert "Alle 60 gefilterten freigeben" in page
    assert "L-M059" not in page
    assert "L-M059" in office.get("/leistungen?kunde=K1003&seite=2").text
    assert "51–60 von 60" in office.get("/leistungen?kunde=K1003&seite=99").text
    office.post("/leistungen/freigeben?kunde=K1003", data={"alle": "ja", "anzahl": "59"})
    assert "Liste hat sich geändert" in office.get("/leistungen").text
    assert entry("L-M000").state is EntryState.CAPTURED
    office.post("/leistungen/freigeben?kunde=K1003", data={"alle": "ja", "anzahl": "60"})
    assert entry("L-M059").state is EntryState.APPROVED
    assert entry("L-900").state is EntryState.CAPTURED


def test_an_entry_is_corrected_and_the_trail_shows_it(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert office.post("/leistungen/L-900/berichtigen", data=FORM).status_code == 303
    changed = entry("L-900")
    assert (changed.minutes, changed.trips, changed.text) == (45, 1, "Neu beschrieben.")
    page = office.get("/leistungen/L-900").text
    assert "Minuten: 30 → 45" in page
    assert "Ines Innert" in page


@pytest.mark.promise("S158")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"billable": "nein"}, "brauchen eine Begründung"),
        ({"minutes": "-5"}, "mindestens 0"),
        ({"minutes": "viel"}, "ganze Zahl"),
        ({"text": "  "}, "mindestens 1 Zeichen"),
        ({"billable": "vielleicht"}, "Vorschläge"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(portal: Portal, change: dict[str, str], said: str) -> None:
    answer = portal.browser("back_office").post("/leistungen/L-900/berichtigen", data=FORM | change)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    if "text" not in change:
        assert "Neu beschrieben." in answer.text
    assert entry("L-900").minutes == 30


def test_not_billable_needs_and_keeps_its_reason(portal: Portal) -> None:
    office = portal.browser("back_office")
    office.post("/leistungen/L-900/berichtigen", data=FORM | {"billable": "nein", "reason": "Fehlalarm"})
    assert (entry("L-900").billable, entry("L-900").non_billable_reason) == (False, "Fehlalarm")


def test_an_entry_goes_back_to_its_technician_who_mends_it(portal: Portal) -> None:
    office, technician = portal.browser("back_office"), portal.browser("technician")
    assert office.post("/leistungen/L-900/zurueckgeben", data={"returned": ""}).status_code == 422
    office.post("/leistungen/L-900/zurueckgeben", data={"returned": "Welche Leitung war es?"})
    assert re.search(r'Zurückgegeben</span>\s*<div class="value">1<', technician.get("/uebersicht").text)
    assert "Welche Leitung war es?" in technician.get("/leistungen?stand=zurueck").text
    page = technician.get("/leistungen/L-900").text
    assert "wieder vorlegen" in page
    assert "An Tilda Techow zurückgeben" not in page
    assert technician.post("/leistungen/L-900/berichtigen", data=FORM).status_code == 303
    assert (entry("L-900").returned_reason, entry("L-900").state) == (None, EntryState.CAPTURED)


def test_a_technician_cannot_touch_what_is_approved_or_of_others(portal: Portal) -> None:
    technician, other = portal.browser("technician"), portal.browser("dispatcher")
    technician.post("/leistungen/L-100/berichtigen", data=FORM)
    assert "schon freigegeben" in technician.get("/leistungen/L-100").text
    assert other.get("/leistungen/L-900").status_code == 200  # may see it
    other.post("/leistungen/L-900/berichtigen", data=FORM)
    assert "nicht von Ihnen" in other.get("/leistungen/L-900").text
    assert entry("L-900").minutes == 30
    assert technician.post("/leistungen/L-900/freigeben").status_code == 403
    assert entry("L-100").minutes == 45


def test_an_approval_is_taken_back_until_the_month_is_released(portal: Portal) -> None:
    office = portal.browser("back_office")
    office.post("/leistungen/L-100/zuruecknehmen")
    assert entry("L-100").state is EntryState.CAPTURED
    office.post("/leistungen/L-100/freigeben")
    with unit_of_work("test") as session:
        world.release_month(session)
    page = office.get("/leistungen/L-100").text
    assert "gesperrt" in page
    assert "Berichtigen" not in page
    refused = office.post("/leistungen/L-100/zuruecknehmen")
    assert (refused.status_code, "zur Abrechnung freigegeben" in refused.text) == (409, True)
    assert office.post("/leistungen/L-100/zurueckgeben", data={"returned": "doch noch"}).status_code == 409


def test_approvals_are_taken_back_together_until_the_month_is_released(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert "Ausgewählte Freigaben zurücknehmen" in office.get("/leistungen?stand=freigegeben").text
    answer = office.post("/leistungen/zuruecknehmen?stand=freigegeben", data={"key": ["L-100", "L-101"]})
    assert answer.headers["location"] == "/leistungen?stand=freigegeben"
    assert "2 Freigaben sind zurückgenommen." in office.get(answer.headers["location"]).text
    assert entry("L-100").state is EntryState.CAPTURED
    assert entry("L-101").approved_by is None

    with unit_of_work("test") as session:
        world.release_month(session)
    answer = office.post("/leistungen/zuruecknehmen?stand=freigegeben", data={"key": ["L-102"]})
    assert entry("L-102").state is EntryState.APPROVED
    assert "Freigaben sind zurückgenommen" not in office.get(answer.headers["location"]).text
