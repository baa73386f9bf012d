"""The month-end pages: preview, release of exactly that, progress, documents, hand-over, Storno, over-bookings."""

import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from actions import approval
from kit.database import unit_of_work
from models.billing import (
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Invoice,
    InvoiceState,
    ItemState,
    ProposalState,
)
from models.contracts import Contract
from models.handover import PostalBatch
from models.plumbing import OutboxEvent
from portal import previews
from portal.filters import euro
from tests.portal import world
from tests.portal.conftest import Portal
from tests.portal.world import LAST

MONTH = f"/abrechnung/{LAST}"
pytestmark = pytest.mark.promise("S163")


def one(entity: type, *conditions: object) -> object:
    with unit_of_work("test") as session:
        return session.scalars(sa.select(entity).where(*conditions)).first()


def snapshot_in(page: str) -> str:
    return re.search(r'name="snapshot" value="([^"]+)"', page)[1]


@pytest.fixture
def released(portal: Portal) -> Portal:
    with unit_of_work("test") as session:
        world.release_month(session)
    return portal


@pytest.fixture
def issued(released: Portal) -> Portal:
    with unit_of_work("test") as session:
        world.issue_month(session)
    return released


# --- preview


def test_an_open_month_leads_to_its_preview(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert f"{MONTH}/vorschau" in office.get("/abrechnung").text
    assert office.get(MONTH).headers["location"] == f"{MONTH}/vorschau"
    assert office.get(f"/abrechnung/monat?monat={LAST}").headers["location"] == MONTH
    assert office.get("/abrechnung/monat?monat=unsinn").status_code == 404


def test_the_preview_shows_amounts_reasons_and_what_stays_behind(portal: Portal) -> None:
    page = portal.browser("back_office").get(f"{MONTH}/vorschau?rechnen=1").text
    for customer in portal.world.customers:
        assert customer.name.replace("&", "&amp;") in page
    assert "Im Vormonat wurde hier nichts abgerechnet." in page
    assert "3 Leistungen sind noch nicht freigegeben" in page
    assert "Es gibt keinen Empfänger für den Servicebericht" in page
    assert "lösen kann das".casefold() in page.casefold()
    with unit_of_work("test") as session:
        preview = previews.month_preview(session, LAST)
    assert euro(preview.net) in page
    assert preview.snapshot[:12] in page


def test_a_preview_that_must_be_computed_does_not_hold_up_the_page(portal: Portal) -> None:
    office = portal.browser("back_office")
    first = office.get(f"{MONTH}/vorschau").text
    assert "Die Vorschau wird berechnet" in first
    assert 'hx-trigger="load"' in first
    part = office.get(f"{MONTH}/vorschau?rechnen=1", headers={"hx-request": "true", "hx-request-type": "partial"}).text
    assert "<html" not in part
    assert "Prüfsumme" in part
    assert "Prüfsumme" in office.get(f"{MONTH}/vorschau").text  # now it is known


def test_a_preview_is_forgotten_as_soon_as_anything_changes(portal: Portal) -> None:
    office = portal.browser("back_office")
    before = office.get(f"{MONTH}/vorschau?rechnen=1").text
    office.post("/leistungen/L-900/freigeben")
    assert "wird berechnet" in office.get(f"{MONTH}/vorschau").text
    after = office.get(f"{MONTH}/vorschau?rechnen=1").text
    assert "3 Leistungen sind noch nicht" in before
    assert "2 Leistungen sind noch nicht" in after


def test_the_preview_is_filtered_and_searched(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert "Praxis Dr. Weiß" in office.get(f"{MONTH}/vorschau?rechnen=1&suche=weiß").text
    found = office.get(f"{MONTH}/vorschau?suche=praxis").text
    assert "Autohaus Öztürk KG" not in found
    assert "Praxis Dr. Weiß" not in office.get(f"{MONTH}/vorschau?ansicht=blockiert").text
    assert "Nichts gefunden" in office.get(f"{MONTH}/vorschau?suche=gibtesnicht").text
    assert "Praxis Dr. Weiß" in office.get(f"{MONTH}/vorschau?ansicht=unterschied").text


def test_nothing_to_bill_is_said(portal: Portal) -> None:
    page = portal.browser("back_office").get("/abrechnung/2019-01/vorschau?rechnen=1").text
    assert "In diesem Monat ist nichts abzurechnen" in page
    assert "Freigeben …" not in page


# --- release


def test_exactly_the_seen_preview_is_released(portal: Portal) -> None:
    office = portal.browser("back_office")
    page = office.get(f"{MONTH}/freigabe").text
    with unit_of_work("test") as session:
        preview = previews.month_preview(session, LAST)
    for said in (euro(preview.net), euro(preview.gross), preview.snapshot, f"{preview.customers}"):
        assert said in page
    answer = office.post(f"{MONTH}/freigabe", data={"snapshot": snapshot_in(page)})
    assert answer.headers["location"] == MONTH
    assert "ist freigegeben" in office.get(MONTH).text
    run = one(BillingRun)
    assert (run.snapshot, run.released_by) == (preview.snapshot, f"employee:{world.email_of('back_office')}")
    assert one(OutboxEvent).parameters == {"month": str(LAST)}
    again = office.post(f"{MONTH}/freigabe", data={"snapshot": preview.snapshot})
    assert again.status_code == 303
    assert "war schon freigegeben" in office.get(MONTH).text
    assert office.get(f"{MONTH}/vorschau").headers["location"] == MONTH


@pytest.mark.promise("S25")
def test_what_changed_since_is_named_and_nothing_is_released(portal: Portal) -> None:
    office = portal.browser("back_office")
    seen = snapshot_in(office.get(f"{MONTH}/freigabe").text)
    with unit_of_work("test") as session:
        approval.approve(session, ["L-901"], "jemand anderes")
    answer = office.post(f"{MONTH}/freigabe", data={"snapshot": seen})
    assert answer.status_code == 409
    assert "L-901" in answer.text
    assert "K1001" in answer.text
    assert one(BillingRun) is None
    assert one(OutboxEvent) is None


def test_a_release_needs_its_snapshot(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert office.post(f"{MONTH}/freigabe").headers["location"] == f"{MONTH}/freigabe"
    assert one(BillingRun) is None


# --- a released month


def test_progress_counts_and_renews_itself_while_the_run_is_busy(released: Portal) -> None:
    office = released.browser("back_office")
    page = office.get(MONTH).text
    assert 'hx-trigger="every 3s"' in page
    assert "0 von 3" in page
    part = office.get(MONTH, headers={"hx-request": "true", "hx-request-type": "partial"})
    assert "<html" not in part.text
    assert 'id="stand"' in part.text
    with unit_of_work("test") as session:
        world.issue_month(session)
    page = office.get(MONTH).text
    assert 'hx-trigger="every 3s"' not in page
    assert "3 von 3 · fertig" in page
    assert "angenommen" in page


def test_the_run_can_be_nudged(released: Portal) -> None:
    office = released.browser("back_office")
    for _ in range(2):
        assert office.post(f"{MONTH}/besuch").status_code == 303
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(sa.func.count(OutboxEvent.id))).one() == 3


def test_a_customer_is_withdrawn_before_it_has_a_number(released: Portal) -> None:
    office = released.browser("back_office")
    assert "zurückziehen?" in office.get(f"{MONTH}/zurueckziehen/K1003").text
    office.post(f"{MONTH}/zurueckziehen/K1003")
    assert "4 Leistungen sind wieder frei" in office.get(MONTH).text
    assert one(BillingItem, BillingItem.state == ItemState.WITHDRAWN) is not None
    with unit_of_work("test") as session:
        world.issue_month(session)
    office.post(f"{MONTH}/zurueckziehen/K1001")
    assert "schon Belege ausgestellt" in office.get(MONTH).text


@pytest.mark.promise("S166")
def test_documents_open_through_the_archive(issued: Portal) -> None:
    office = issued.browser("back_office")
    page = office.get(f"{MONTH}/dokumente").text
    assert f"SB-{LAST.year}-000001" in page
    links = re.findall(r'href="(/archiv/\d+/[^"]+)"', page)
    assert len(links) >= 6
    pdf = office.get(next(link for link in links if link.endswith(f"SB-{LAST.year}-000001.pdf")))
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"].startswith("inline")
    assert office.get(links[0] + "?laden=1").headers["content-disposition"].startswith("attachment")
    xml = office.get(next(link for link in links if link.endswith(".xml")))
    assert xml.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in xml.headers["content-security-policy"]
    assert f"RE-{LAST.year}-000002" in office.get(f"{MONTH}/dokumente?art=rechnungen").text
    assert f"SB-{LAST.year}-000001" not in office.get(f"{MONTH}/dokumente?art=rechnungen").text
    found = office.get(f"{MONTH}/dokumente?suche=SB-{LAST.year}-000002").text
    assert f"SB-{LAST.year}-000001" not in found


@pytest.mark.promise("S166")
def test_a_number_leads_to_its_document(issued: Portal) -> None:
    office, technician = issued.browser("back_office"), issued.browser("technician")
    report, invoice = f"SB-{LAST.year}-000001", f"RE-{LAST.year}-000001"
    assert office.get(f"/suche?q={report.lower()}").headers["location"].endswith(f"/{report}.pdf")
    assert office.get(f"/suche?q={invoice}").headers["location"] == f"/rechnungen/{invoice}"
    assert office.get("/suche?q=L-100").headers["location"] == "/leistungen/L-100"
    page = office.get("/suche?q=000001").text
    assert report in page
    assert invoice in page
    assert "K1002" in office.get("/suche?q=öztürk").text
    assert "Nichts gefunden" in technician.get(f"/suche?q={report}").text
    assert "Wonach suchen Sie?" in office.get("/suche").text
    assert "Nichts gefunden" in office.get("/suche?q=%25%25").text


def test_a_damaged_document_is_refused(issued: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    from actions import archive

    class Broken:
        def get(self, key: str, version: str = "") -> bytes:
            return b"etwas anderes"

    office = issued.browser("back_office")
    link = re.search(r'href="(/archiv/\d+/[^"]+)"', office.get(f"{MONTH}/dokumente").text)[1]
    monkeypatch.setattr(archive, "store", Broken)
    answer = office.get(link)
    assert answer.status_code == 409
    assert "beschädigt" in answer.text


def test_hand_over_shows_errors_first_and_can_be_tried_again(issued: Portal) -> None:
    office = issued.browser("back_office")
    page = office.get(f"{MONTH}/uebergabe").text
    assert "Periode gesperrt" in page
    assert page.index("Periode gesperrt") < page.index(f"RE-{LAST.year}-000002")
    assert "EXTF_Rechnungen.csv" in page
    assert "fehlgeschlagen 1" in page
    assert f"RE-{LAST.year}-000002" not in office.get(f"{MONTH}/uebergabe?stand=failed").text
    assert office.post(f"{MONTH}/uebergabe/erneut").status_code == 303
    batch = one(PostalBatch)
    office.post(f"{MONTH}/uebergabe/post/{batch.id}/gedruckt")
    assert "Briefe sind als versendet vermerkt" in office.get(f"{MONTH}/uebergabe").text
    assert one(PostalBatch).printed_by == f"employee:{world.email_of('back_office')}"
    assert one(Invoice, Invoice.state == InvoiceState.SENT) is not None
    assert office.post(f"{MONTH}/uebergabe/post/{batch.id + 1}/gedruckt").status_code == 404


def test_a_storno_asks_first_wants_a_reason_and_makes_a_document(issued: Portal) -> None:
    office, number = issued.browser("back_office"), f"RE-{LAST.year}-000001"
    assert "Stornieren …" in office.get(f"/rechnungen/{number}").text
    assert "nicht rückgängig" in office.get(f"/rechnungen/{number}/storno").text
    bare = office.post(f"/rechnungen/{number}/storno", data={"reason": ""})
    assert (bare.status_code, "Mindestens" in bare.text or "mindestens" in bare.text) == (422, True)
    answer = office.post(f"/rechnungen/{number}/storno", data={"reason": "Falscher Kunde"})
    assert answer.headers["location"] == f"/rechnungen/{number}"
    page = office.get(f"/rechnungen/{number}").text
    cancellation = one(Invoice, Invoice.cancels_id.is_not(None))
    assert cancellation.number in page
    assert "Stornieren …" not in page
    assert f'Storniert <a href="/rechnungen/{number}"' in office.get(f"/rechnungen/{cancellation.number}").text
    assert office.get(f"/rechnungen/{number}/storno").status_code == 303
    assert office.post(f"/rechnungen/{number}/storno", data={"reason": "Noch einmal"}).status_code == 422


def propose(portal: Portal) -> int:
    """An over-booking of the first customer's Kontingent."""
    with unit_of_work("test") as session:
        contract = session.scalars(sa.select(Contract)).one()
        item = session.scalars(sa.select(BillingItem).where(BillingItem.customer_id == contract.customer_id)).first()
        row = CorrectionProposal(
            customer_id=contract.customer_id, contract_id=contract.id, item_id=item.id, month=str(LAST), minutes=90,
            price=Decimal(90), net=Decimal(135), rule="below_months=2",
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


@pytest.mark.promise("S169")
def test_an_over_booking_is_decided_with_a_note(released: Portal) -> None:
    manager, proposal = released.browser("account_manager"), propose(released)
    page = manager.get("/abrechnung/korrekturen").text
    assert "1:30 h" in page
    assert "135,00" in page
    assert "sobald mehr als 2 Monatsgutschriften fehlen" in page
    assert "wartet auf eine Entscheidung" in released.browser("back_office").get(MONTH).text
    manager.post(f"/abrechnung/korrekturen/{proposal}", data={"decision": "ablehnen"})
    assert one(CorrectionProposal).state is ProposalState.PROPOSED  # no note, no rejection
    manager.post(f"/abrechnung/korrekturen/{proposal}", data={"decision": "ablehnen", "note": "Kulanz, Kunde ist neu"})
    decided = one(CorrectionProposal)
    assert (decided.state, decided.note) == (ProposalState.REJECTED, "Kulanz, Kunde ist neu")
    assert "Kulanz, Kunde ist neu" in manager.get("/abrechnung/korrekturen?entschieden=ja").text
    manager.post(f"/abrechnung/korrekturen/{proposal}", data={"decision": "freigeben"})
    assert one(CorrectionProposal).state is ProposalState.REJECTED


def test_an_over_booking_without_missing_minutes_is_not_billed(released: Portal) -> None:
    manager, proposal = released.browser("account_manager"), propose(released)
    manager.post(f"/abrechnung/korrekturen/{proposal}", data={"decision": "freigeben", "note": ""})
    assert "keine Minuten mehr" in manager.get("/abrechnung/korrekturen").text
    assert one(CorrectionProposal).state is ProposalState.PROPOSED


def test_the_overview_counts_what_waits(issued: Portal) -> None:
    propose(issued)
    page = issued.browser("service_head").get("/uebersicht").text
    assert re.search(r'Offene Freigaben</span>\s*<div class="value">3<', page)
    assert re.search(r'Überbuchungen</span>\s*<div class="value">1<', page)
    assert re.search(r'SAP-Übergabe</span>\s*<div class="value">1<', page)
    assert "<svg viewBox" in page
