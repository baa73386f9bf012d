"""The edge: headers on every answer, foreign writes refused, bodies limited, errors without internals."""

import asyncio
import html
import logging
import re
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from fastapi import Response
from sqlalchemy.exc import OperationalError

from integrations.archive.port import ArchiveUnavailableError
from portal import edge, errors
from portal.errors import TEXTS
from portal.pace import Pace
from portal.routes import health
from tests.portal.conftest import APP, Portal

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/anmelden", "/gesund", "/gibt-es-nicht", "/uebersicht", "/static/portal.css", "/static/nichts"]
)
def test_every_answer_carries_the_headers(portal: Portal, path: str) -> None:
    answer = portal.browser().get(path)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_pages_are_never_stored_and_assets_for_ever(portal: Portal) -> None:
    browser = portal.browser()
    page = browser.get("/anmelden")
    assert page.headers["cache-control"] == "no-store"
    import re

    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        asset = browser.get(address)
        assert asset.status_code == 200, address
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in browser.get("/static/portal.css").headers.get("cache-control", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 401),
        ({"sec-fetch-site": "none"}, 401),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "", "origin": "https://boese.example"}, 403),
        ({"origin": "http://portal.example"}, 401),
        ({"origin": "https://boese.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 401),
    ],
)
def test_writes_come_from_our_own_pages(portal: Portal, headers: dict[str, str], status: int) -> None:
    browser = portal.browser()
    del browser.headers["sec-fetch-site"]
    answer = browser.post("/anmelden", data={"email": "x@probehaus.example", "password": "x"}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert TEXTS[403].title in answer.text


def test_a_large_body_ends_at_the_limit_whatever_its_header_says(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_LIMIT", 10_000)
    browser = portal.browser()
    assert browser.post("/anmelden", content=b"x" * 20_000).status_code == 413

    def drip() -> Iterator[bytes]:
        for _ in range(20):
            yield b"email=" + b"x" * 1_000

    head = {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.post("/anmelden", content=drip(), headers=head)
    assert answer.status_code == 413
    assert TEXTS[413].title in answer.text


def test_a_body_that_is_too_large_is_let_in_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is cut off while sending sees an error of the browser instead of the page that says what is too large."""
    monkeypatch.setattr(edge, "BODY_LIMIT", 10)
    events: list[str] = []

    async def receive() -> dict[str, object]:
        events.append("body")
        return {"type": "http.request", "body": b"x" * 10, "more_body": len(events) < 3}

    async def send(message: dict[str, object]) -> None:
        events.append(str(message.get("status", "")))

    scope = {
        "type": "http", "method": "POST", "path": "/anmelden", "query_string": b"", "headers": [(b"content-length", b"30")],
        "client": ("192.0.2.1", 1), "scheme": "http", "server": ("portal.example", 80), "state": {},
    }  # fmt: skip
    asyncio.run(edge.Edge(APP, lambda *_: Response(status_code=413), is_secure=lambda _: False)(scope, receive, send))
    assert events == ["body", "body", "body", "413", ""]


def test_an_error_leads_back_to_where_one_came_from_and_nowhere_else(portal: Portal) -> None:
    browser = portal.browser("technician")
    for came, back in (
        ("http://portal.example/leistungen?seite=2", 'href="/leistungen?seite=2"'),
        ("http://boese.example/leistungen", ""),
        ("http://portal.example//boese.example/x", 'href="/boese.example/x"'),
        ("http://portal.example/abrechnung", ""),
    ):
        page = browser.get("/abrechnung", headers={"referer": came}).text
        assert ("Zurück</a>" in page) is bool(back), came
        assert back in page
        assert 'href="//' not in page


@pytest.mark.parametrize("status", sorted(TEXTS))
def test_error_pages_speak_german_and_offer_a_way_on(portal: Portal, status: int) -> None:
    text = errors.TEXTS[status]
    assert text.title
    assert text.text.endswith(".")


def test_an_error_inside_shows_its_number_and_nothing_else(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("geheimes Innenleben: SELECT * FROM login")

    monkeypatch.setattr("portal.queries.desk.waiting", broken)
    with caplog.at_level(logging.ERROR, logger="portal"):
        answer = portal.browser("back_office").get("/uebersicht?seite=2")
    assert answer.status_code == 500
    assert "Innenleben" not in answer.text
    assert "Traceback" not in answer.text
    assert 'href="/uebersicht?seite=2">Noch einmal versuchen' in answer.text
    assert errors.UNSAVED not in answer.text, "nothing was typed"
    import re

    number = re.search(r'class="mono">([0-9A-F]{8})<', answer.text)[1]
    assert number in caplog.text
    assert "geheimes Innenleben" in caplog.text


def test_a_failed_request_keeps_nothing(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a page's work is never committed."""
    from actions import approval
    from kit.database import unit_of_work

    real = approval.approve

    def half(*args: object, **more: object) -> int:
        real(*args, **more)
        raise RuntimeError("danach")

    monkeypatch.setattr(approval, "approve", half)
    answer = portal.browser("back_office").post("/leistungen/L-900/freigeben")
    assert answer.status_code == 500
    assert errors.UNSAVED in answer.text
    with unit_of_work("test") as session:
        assert approval.one(session, "L-900").state == "captured"


def test_pages_that_do_not_exist(portal: Portal) -> None:
    for path in ("/gibt-es-nicht", "/abrechnung/2026-13", "/abrechnung/oktober/vorschau", "/archiv/1/x.pdf", "/aufgaben/T-1"):
        answer = portal.browser("service_head").get(path)
        assert answer.status_code == 404, path
        assert TEXTS[404].title in answer.text


def test_the_wrong_method_says_so(portal: Portal) -> None:
    answer = portal.browser().request("DELETE", "/anmelden")
    assert answer.status_code == 405
    assert TEXTS[405].title in answer.text


def test_health_says_whether_the_database_answers(portal: Portal) -> None:
    browser = portal.browser()
    assert browser.get("/gesund").json() == {"status": "ok", "database": "ok"}
    assert browser.head("/gesund").status_code == 200
    APP.dependency_overrides[health.database_answers] = lambda: False
    try:
        answer = browser.get("/gesund")
    finally:
        APP.dependency_overrides.clear()
    assert (answer.status_code, answer.json()["status"]) == (503, "down")


def test_without_database_the_pages_say_so(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT geheim", {}, Exception("connection refused"))

    monkeypatch.setattr("portal.queries.desk.waiting", away)
    answer = portal.browser("back_office").get("/uebersicht")
    assert answer.status_code == 503
    assert "Datenbank antwortet nicht" in answer.text
    assert "geheim" not in answer.text


def test_no_description_of_the_api_is_published(portal: Portal) -> None:
    browser = portal.browser()
    assert [browser.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


def test_pages_are_compressed(portal: Portal) -> None:
    answer = portal.browser("back_office").get("/uebersicht", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_messages_for_the_next_page_cannot_be_forged(portal: Portal) -> None:
    browser = portal.browser("back_office")
    browser.post("/leistungen/L-900/freigeben")
    assert "Leistung L-900 ist freigegeben." in browser.get("/leistungen/L-900").text
    assert "Leistung L-900 ist freigegeben." not in browser.get("/leistungen/L-900").text
    browser.post("/leistungen/L-901/freigeben")
    stolen = browser.cookies["drehkreuz-hinweis"]
    other = portal.browser("service_head")
    other.cookies.set("drehkreuz-hinweis", stolen)
    assert "ist freigegeben." not in other.get("/uebersicht").text
    for nonsense in (b"unsinn.\xe4\xf6", b"a.b.c", b".", b"x" * 4000):
        token = other.cookies["drehkreuz"].encode()
        answer = portal.browser().get(
            "/uebersicht", headers={b"cookie": b"drehkreuz=" + token + b"; drehkreuz-hinweis=" + nonsense}
        )
        assert answer.status_code == 200


def test_a_session_that_ended_in_the_middle_of_a_form_costs_nothing_typed(portal: Portal) -> None:
    browser = portal.browser("back_office")
    typed = {
        "text": "Treiber erneuert,\n<b>Testseite</b> gedruckt.",
        "minutes": "50",
        "billable": "ja",
        "trips": "0",
        "reason": "",
    }
    browser.cookies.clear()
    answer = browser.post("/leistungen/L-900/berichtigen?x=1", data=typed)
    assert answer.status_code == 401
    assert TEXTS[401].title in answer.text
    assert "&lt;b&gt;Testseite&lt;/b&gt;" in answer.text
    assert "<b>Testseite" not in answer.text
    action = re.search(r'<form method="post" action="([^"]+)"', answer.text)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
    assert action is not None
    again = portal.browser("back_office").post(action[1], data={name: html.unescape(value) for name, value in fields})
    assert again.headers["location"] == "/leistungen/L-900", "signed in again, the same form is taken"
    assert browser.post("/konto/kennwort", data={"current": "geheim", "password": "x y", "again": "x y"}).status_code == 303
    assert browser.post("/leistungen/L-900/freigeben").headers["location"] == "/anmelden", "nothing typed, nothing kept"


def test_a_database_that_is_away_costs_nothing_typed(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = portal.browser("back_office")
    fault = OperationalError("SELECT geheim", {}, Exception("connection refused"))
    monkeypatch.setattr("portal.security.person.identify", Mock(side_effect=fault))
    answer = browser.post("/leistungen/L-900/zurueckgeben", data={"returned": "Bitte genauer"}, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert 'name="returned" value="Bitte genauer"' in answer.text
    assert "geheim" not in answer.text


def test_a_store_that_is_away_is_no_conflict_and_costs_nothing_typed(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = portal.browser("back_office")
    fault = ArchiveUnavailableError("Archiv: Bucket geheim, reports/x.pdf: der Speicher antwortet nicht (SlowDown).")
    monkeypatch.setattr("portal.security.person.identify", Mock(side_effect=fault))
    answer = browser.post("/leistungen/L-900/zurueckgeben", data={"returned": "Bitte genauer"}, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "Gerade nicht erreichbar" in answer.text
    assert "Der Speicher der Belege antwortet nicht." in answer.text
    assert 'name="returned" value="Bitte genauer"' in answer.text
    assert "geheim" not in answer.text
    assert "Bucket geheim" in caplog.text


def test_a_wrong_value_in_the_address_is_named(portal: Portal) -> None:
    browser = portal.browser("back_office")
    answer = browser.get("/postausgang?seite=<b>zwei")
    assert answer.status_code == 422
    assert "»seite=&lt;b&gt;zwei«: Bitte eine ganze Zahl eingeben." in answer.text
    assert browser.get("/postausgang/zwei").status_code == 404


def test_haste_is_slowed_for_one_session_and_later_for_its_address() -> None:
    seconds = [0.0]
    pace = Pace(limit=3, now=lambda: seconds[0])
    assert [pace.too_fast("a", "192.0.2.1") for _ in range(4)] == [False, False, False, True]
    assert not pace.too_fast("b", "192.0.2.1")
    assert [pace.too_fast(f"new {n}", "192.0.2.1") for n in range(26)][-2:] == [False, True], "30 per address"
    assert not pace.too_fast("a2", "192.0.2.2")
    seconds[0] = 60.0
    assert not pace.too_fast("a", "192.0.2.1")
    assert pace.wait() == 60


def test_writes_and_dear_pages_have_a_human_tempo(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(limit=9, costly=3, now=lambda: 0.0)
    assert [pace.too_fast("a", "192.0.2.1", costly=True) for _ in range(4)] == [False, False, False, True]
    assert not pace.too_fast("a", "192.0.2.1"), "reading goes on"
    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(Pace, "too_fast", lambda _s, _t, _a, costly: asked.append((len(asked), costly)))
    browser = portal.browser("back_office")
    for path in ("/uebersicht", "/suche?q=K1001", "/archiv/999/x.pdf", "/abrechnung"):
        browser.get(path)
    browser.post("/konto/abmelden-ueberall")
    browser.post("/konto/kennwort/staerke", data={"password": "x"})
    assert [costly for _, costly in asked] == [False, True, True, False, True, False]


def test_one_request_too_many_says_how_long_to_wait(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "too_fast", lambda _self, _token, _address, **_costly: True)
    browser = portal.browser("back_office")
    answer = browser.get("/uebersicht")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert re.search(r"Ab \d\d:\d\d:\d\d Uhr \(in \d+ Sekunden\) geht es weiter", answer.text)
    sent = browser.post("/leistungen/L-900", data={"text": "Drucker wieder eingerichtet"})
    assert (sent.status_code, "Drucker wieder eingerichtet" in sent.text) == (429, True)
    assert "geheim" not in browser.post("/anmelden", data={"email": "x y", "password": "geheim"}).text
    assert browser.get("/static/portal.css").status_code == 200
    assert browser.get("/gesund").status_code == 200


def test_answers_to_machines_are_files_not_pages(portal: Portal) -> None:
    assert portal.browser().post("/api/goods-receipts").headers["content-disposition"].startswith("attachment")
    assert "content-disposition" not in portal.browser().get("/anmelden").headers


def test_every_page_leads_to_what_the_house_does_with_data(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Datenschutz" not in portal.browser().get("/anmelden").text
    monkeypatch.setenv("DREHKREUZ_PRIVACY_URL", "https://haus.example/datenschutz")
    for browser, path in ((portal.browser(), "/anmelden"), (portal.browser("back_office"), "/konto")):
        assert 'href="https://haus.example/datenschutz"' in browser.get(path).text
    monkeypatch.setenv("DREHKREUZ_PRIVACY_URL", "javascript:alert(1)")
    assert "javascript:" not in portal.browser().get("/anmelden").text
