"""A ticket's own page: what hangs on it, who sees what of it, and the list that leads there."""

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import archive
from kit import clock
from kit.database import unit_of_work
from models.plumbing import ArchivedObject
from models.service_desk import Attachment, Message, MessageDirection, Priority, TicketEvent, TicketKind, TicketState
from models.work import EntryState
from portal.labels import WORDS
from tests import factories as make
from tests.portal.conftest import Portal
from tests.portal.test_maintenance import one_plan, ticket_number
from tests.portal.test_months import issued as issued  # noqa: PLC0414 - a month with papers
from tests.portal.test_months import released as released  # noqa: PLC0414
from tests.portal.world import LAST

NUMBER = "T-2026-8001"


@pytest.fixture
def desk(portal: Portal) -> Portal:
    """A ticket with a message of each kind, a file, work of two people, and one of everything in its history."""
    customer, technician = portal.world.customers[0], portal.world.people["technician"]
    with unit_of_work("employee:technician@probehaus.example") as session:
        ticket = make.ticket(
            session, customer, number=NUMBER, subject="Server piept", state=TicketState.OPEN, priority=Priority.HIGH,
            assignee_id=technician.id, due_at=clock.now() - dt.timedelta(hours=1),
            site_id=make.site(session, customer, name="Lager Größe").id,
        )  # fmt: skip
        place = {"customer_id": customer.id, "ticket_id": ticket.id}
        for direction, text in ((MessageDirection.IN, "Es piept <b>laut</b>."), (MessageDirection.INTERNAL, "Nur für uns.")):
            session.add(Message(**place, direction=direction, author="Karla", at=clock.now(), text=text))
        key = archive.keep(session, archive.Document("tickets", NUMBER, b"\x89PNG", "png"))[0].key
        session.add(Attachment(**place, file_name="Lärm.png", content_type="image/png", size=4, archive_key=key))
        session.add(TicketEvent(**place, at=clock.now(), actor="Wartung", what="linked", detail={"ticket": "T-2026-7"}))
        make.entry(session, customer, technician, ticket, key="L-SEIN", minutes=50, text="Netzteil getauscht.")
        other = make.employee(session, first_name="Otto", last_name="Anders")
        make.entry(
            session, customer, other, ticket, key="L-FREMD", text="Lüfter bestellt.", billable=False,
            non_billable_reason="Kulanz", state=EntryState.CAPTURED, approved_by=None, approved_at=None,
        )  # fmt: skip
    return portal


@pytest.mark.promise("S166")
def test_the_page_tells_everything_of_a_ticket(desk: Portal) -> None:
    page = desk.browser("back_office").get(f"/tickets/{NUMBER}").text
    for said in (
        "Server piept", "Bäckerei Brömmelkamp", "Lager Größe", "Tilda Techow", "überfällig", "dringend", "Es piept &lt;b&gt;laut",
        "Nur für uns.", "Lärm.png", "Netzteil getauscht.", "Lüfter bestellt.", "nicht berechenbar: Kulanz", "1:50 h in 2 Leistungen",
        'href="/leistungen/L-SEIN"', "Leistung L-FREMD erfasst", 'verknüpft mit <a class="mono" href="/tickets/T-2026-7"',
    ):  # fmt: skip
        assert said in page, said


def test_who_sees_only_the_own_work_sees_that_there_is_more(desk: Portal) -> None:
    page = desk.browser("technician").get(f"/tickets/{NUMBER}").text
    assert "Netzteil getauscht." in page
    assert "Lüfter bestellt." not in page
    assert "L-FREMD" not in page
    assert "Eine Leistung von Kollegen" in page
    assert f'href="/erfassen?ticket={NUMBER}"' in page


def test_a_file_comes_from_the_archive_and_runs_nothing(desk: Portal) -> None:
    browser = desk.browser("technician")
    path = re.search(r'href="(/tickets/anhang/\d+)"', browser.get(f"/tickets/{NUMBER}").text)
    assert path is not None
    answer = browser.get(path[1])
    assert answer.content == b"\x89PNG"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert browser.get("/tickets/anhang/999999").status_code == 404


def test_a_file_of_a_task_opens_to_the_task_s_role_alone(portal: Portal) -> None:
    """Guarded as the task's own page is, whoever guesses the address."""
    with unit_of_work("test") as session:
        customer = portal.world.customers[0]
        task = make.ticket(session, customer, number="T-2026-8003", kind=TicketKind.TASK, role="back_office")
        kept = archive.keep(session, archive.Document("tickets", "T-2026-8003", b"\x89PNG", "png"))[0]
        file = Attachment(
            customer_id=customer.id, ticket_id=task.id, file_name="Mahnung.png", content_type="image/png", size=4,
            archive_key=kept.key,
        )  # fmt: skip
        session.add(file)
        session.flush()
        path, number = f"/tickets/anhang/{file.id}", session.scalars(sa.select(ArchivedObject.id)).one()
    for who, status in (("back_office", 200), ("service_head", 200), ("technician", 404), ("account_manager", 404)):
        assert portal.browser(who).get(path).status_code == status, who
    answer = portal.browser("service_head").get(f"/archiv/{number}/Mahnung.png")
    assert answer.status_code == 404, "the archive's own address opens what a month issued, nothing that strangers sent"


def test_reports_invoices_and_their_mails_stand_on_the_ticket(issued: Portal) -> None:
    head = issued.browser("service_head")
    number = re.search(r'href="/tickets/(T-[^"]+)"', head.get("/leistungen/L-100").text)
    assert number is not None
    page = head.get(f"/tickets/{number[1]}").text
    assert f"SB-{LAST.year}-000001" in page
    assert f'href="/rechnungen/RE-{LAST.year}-000001"' in page
    assert re.search(r'href="/postausgang/\d+">Servicebericht SB-', page)
    technician = issued.browser("technician").get(f"/tickets/{number[1]}").text
    assert "/archiv/" not in technician
    assert "/rechnungen/" not in technician
    assert "/postausgang/" not in technician


def test_maintenance_leads_to_its_checks_and_back(portal: Portal) -> None:
    one_plan(portal)
    number, browser = ticket_number(), portal.browser("technician")
    assert f'href="/wartung/tickets/{number}"' in browser.get(f"/tickets/{number}").text
    assert f'href="/tickets/{number}"' in browser.get(f"/wartung/tickets/{number}").text
    assert browser.get("/suche", params={"q": number}).headers["location"] == f"/wartung/tickets/{number}"
    portal.browser("service_head").post(f"/wartung/tickets/{number}/uebernehmen")
    assert "<div>übernommen</div>" in browser.get(f"/tickets/{number}").text


def test_a_task_is_shown_where_it_is_done_to_its_role_alone(portal: Portal) -> None:
    with unit_of_work("test") as session:
        make.ticket(session, portal.world.customers[0], number="T-2026-8002", kind=TicketKind.TASK, role="back_office")
    for who, status in (("back_office", 200), ("technician", 404)):
        browser = portal.browser(who)
        answer = browser.get("/tickets/T-2026-8002")
        assert answer.headers["location"] == "/aufgaben/T-2026-8002"
        assert browser.get(answer.headers["location"]).status_code == status
    assert "T-2026-8002" not in portal.browser("service_head").get("/tickets?stand=alle").text


def test_numbers_of_other_systems_have_a_page_too(portal: Portal) -> None:
    with unit_of_work("test") as session:
        make.ticket(session, portal.world.customers[0], number="ALT/17 ä", subject="Aus dem alten System")
    browser = portal.browser("technician")
    path = re.search(r'href="(/tickets/ALT[^"]+)"', browser.get("/tickets").text)
    assert path is not None
    assert "Aus dem alten System" in browser.get(path[1]).text
    assert browser.get("/tickets/gibt-es-nicht").status_code == 404


def test_the_list_is_narrowed_by_what_its_address_says(desk: Portal) -> None:
    with unit_of_work("test") as session:
        make.ticket(session, desk.world.customers[1], number="T-2026-8003", subject="Erledigtes", state=TicketState.CLOSED)
        make.ticket(session, desk.world.customers[1], number="T-2026-8004", subject="Wunsch", kind=TicketKind.REQUEST)
    browser = desk.browser("technician")

    def numbers(query: str) -> set[str]:
        return set(re.findall(r'href="/tickets/(T-2026-8\d+)"', browser.get(f"/tickets?{query}").text))

    assert numbers("") == {NUMBER, "T-2026-8004"}
    assert numbers("stand=fertig") == {"T-2026-8003"}
    assert numbers("stand=alle&kunde=K1002") == {"T-2026-8003", "T-2026-8004"}
    assert numbers("art=request") == {"T-2026-8004"}
    assert numbers("wer=ich") == {NUMBER}
    assert numbers("suche=piept brömm") == {NUMBER}
    assert numbers("suche=piept öztürk") == set()
    assert numbers("stand=quatsch&art=quatsch") == {NUMBER, "T-2026-8004"}


def test_every_event_that_is_written_has_a_german_word() -> None:
    sources = [*Path("actions").rglob("*.py"), Path("portal/routes/maintenance.py")]
    written = {
        word
        for path in sources
        for word in re.findall(r'what="(\w+)"|note\(session, [^"\n]*?, "(\w+)"', path.read_text(encoding="utf-8"))
        for word in word
        if word
    }
    assert {"opened", "picked", "check_result"} <= written
    assert written <= set(WORDS["event"])
