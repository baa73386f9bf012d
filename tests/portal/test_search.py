"""The one search: what a role finds, what it does not, and that every hit leads somewhere it may go."""

import datetime as dt
import re

import pytest

from kit.database import unit_of_work
from models.contracts import ContractKind
from models.parties import StaffRole
from models.service_desk import TicketKind
from tests import factories as make
from tests.portal.conftest import Portal
from tests.portal.test_months import issued as issued  # noqa: PLC0414 - a month with papers
from tests.portal.test_months import released as released  # noqa: PLC0414
from tests.portal.world import LAST

LINKS = re.compile(r'<a href="([^"]+)" data-open>([^<]*)</a>')


@pytest.fixture
def shop(issued: Portal) -> Portal:
    """The month with papers, and at its first customer one of everything else that has a name."""
    from models.assets import Asset

    with unit_of_work("test", bulk=True) as session:
        first = issued.world.customers[0]
        session.add(
            Asset(
                customer_id=first.id, inventory_no="SRV-07", asset_class="server", manufacturer="Falkenau", model="Turm 900",
                serial="FN88-4711",
            )
        )  # fmt: skip
        make.contract(session, first, number="V-2026-077")
        make.contract(
            session, first, number="V-2026-088", kind=ContractKind.RENTAL, kontingent_hours_per_month=None,
            kontingent_hour_price=None,
        )  # fmt: skip
        make.ticket(session, first, number="T-2026-7001", kind=TicketKind.MAINTENANCE, subject="Notstrom prüfen")
        make.ticket(session, first, number="T-2026-7002", kind=TicketKind.PICK_AND_PACK, subject="Notstrom packen")
        make.ticket(session, first, number="T-2026-7003", subject="Notstrom piept")
        make.ticket(session, first, number="T-2026-7004", kind=TicketKind.TASK, role="back_office", subject="Notstrom klären")
        make.contact(
            session, first, first_name="Ürsula", last_name="Brömmelkamp", phone="+49 221 555-0712", email="u.b@bak.example",
            functions=[],
        )  # fmt: skip
    return issued


def hits(portal: Portal, who: str, text: str) -> dict[str, str]:
    answer = portal.browser(who).get("/suche", params={"q": text})
    assert answer.status_code == 200, answer.headers
    return {name: path for path, name in LINKS.findall(answer.text)}


@pytest.mark.promise("S166")
def test_a_customers_name_finds_all_that_is_theirs(shop: Portal) -> None:
    page = shop.browser("service_head").get("/suche?q=brömmelkamp").text
    titles = re.findall(r"<h2 id=\"treffer-\d+\">([^<]+)</h2>", page)
    assert titles == ["Kunden", "Ansprechpartner", "Serviceberichte", "Rechnungen", "Tickets", "Assets", "Verträge"]
    found = {name for _, name in LINKS.findall(page)}
    assert {f"SB-{LAST.year}-000001", f"RE-{LAST.year}-000001", "Falkenau Turm 900", "V-2026-077", "Notstrom piept"} <= found
    assert not any("Öztürk" in name for name in found)


def test_every_word_has_to_fit(shop: Portal) -> None:
    assert list(hits(shop, "back_office", f"Brömmelkamp re-{LAST.year}")) != []
    assert all(path.startswith("/rechnungen/") for path in hits(shop, "back_office", f"brömmelkamp re-{LAST.year}").values())
    assert hits(shop, "back_office", "brömmelkamp öztürk") == {}


def test_a_whole_number_opens_the_thing(shop: Portal) -> None:
    wanted = {
        "fn88-4711": r"/assets/\d+", "srv-07": r"/assets/\d+", "k1001": "/kunden/K1001",
        "v-2026-077": "/kontingente/K1001/V-2026-077", "t-2026-7003": "/tickets/T-2026-7003",
    }  # fmt: skip
    browser = shop.browser("service_head")
    for text, path in wanted.items():
        answer = browser.get("/suche", params={"q": f"  {text} "})
        assert answer.status_code == 303, text
        assert re.fullmatch(path, answer.headers["location"]), text


def test_people_are_found_by_name_address_and_telephone(shop: Portal) -> None:
    for text in ("ürsula brö", "u.b@bak", "0221 5550712", "+49 (221) 5550712"):
        assert hits(shop, "dispatcher", text) == {"Ürsula Brömmelkamp": "/kunden/K1001#ansprechpartner"}, text


def test_a_ticket_leads_to_where_this_role_works_on_it(shop: Portal) -> None:
    assert hits(shop, "technician", "notstrom") == {
        "Notstrom prüfen": "/tickets/T-2026-7001",
        "Notstrom packen": "/lieferungen/suche?code=T-2026-7002",
        "Notstrom piept": "/tickets/T-2026-7003",
    }
    assert hits(shop, "back_office", "notstrom")["Notstrom klären"] == "/aufgaben/T-2026-7004"
    assert hits(shop, "monitoring", "notstrom")["Notstrom piept"] == "/tickets/T-2026-7003"


def test_nobody_is_shown_what_would_be_refused(shop: Portal) -> None:
    for role in StaffRole:
        browser, seen = shop.browser(role.value), set()
        for text in ("brömmelkamp", "notstrom"):
            for path, _ in LINKS.findall(browser.get("/suche", params={"q": text}).text):
                kind = re.sub(r"[^/=?#]*\d[^/=?#]*", "#", path)
                if kind not in seen:
                    assert browser.get(path.replace("&amp;", "&")).status_code in (200, 303), f"{role}: {path}"
                seen.add(kind)


def test_roles_do_not_find_what_they_may_not_see(shop: Portal) -> None:
    technician = set(hits(shop, "technician", "brömmelkamp"))
    assert f"SB-{LAST.year}-000001" not in technician
    assert f"RE-{LAST.year}-000001" not in technician
    assert "V-2026-077" in technician, "its balance is everybody's"
    assert "V-2026-088" not in technician, "prices are not"
    assert "V-2026-088" in hits(shop, "account_manager", "V-2026-0")
    assert f"RE-{LAST.year}-000001" in hits(shop, "operator", "brömmelkamp")


def test_customers_have_no_search(shop: Portal) -> None:
    contact = shop.browser(shop.world.contact_email)
    assert contact.get("/suche?q=brömmelkamp").status_code == 403
    assert "/suche" not in contact.get("/start").text


def test_long_lists_are_cut_and_say_so(shop: Portal) -> None:
    with unit_of_work("test") as session:
        for n in range(12):
            received = dt.datetime(2026, 1, 1 + n, tzinfo=dt.UTC)
            make.ticket(session, shop.world.customers[1], subject=f"Rauchmelder {n:02}", received_at=received)
    page = shop.browser("dispatcher").get("/suche?q=rauchmelder").text
    assert [name for _, name in LINKS.findall(page)] == [f"Rauchmelder {n:02}" for n in range(11, 1, -1)]
    assert "10 von mehr" in page


def test_odd_input_finds_nothing_and_says_what_to_do(shop: Portal) -> None:
    browser = shop.browser("service_head")
    for text in ("%", "_", "a", "  ", "%%", "\\\\", "'; drop table ticket; --", "x" * 500, "é" * 99):
        page = browser.get("/suche", params={"q": text})
        assert page.status_code == 200, text
        assert any(word in page.text for word in ("Nichts gefunden", "Wonach suchen Sie?", "mindestens zwei Zeichen")), text
