"""What somebody with bad intentions tries at the portal, and what comes of it."""

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from actions.company import export_folder, import_folder
from actions.invitations import portal_address
from kit import log as logs
from kit import passwords
from kit.database import unit_of_work
from models.access import Login, LoginSession
from models.parties import Customer, House
from models.plumbing import InboxItem, OutboxMail
from models.service_desk import Ticket
from tests import factories as make
from tests.clamd_server import SIGNATURE, ClamdServer
from tests.portal.conftest import Portal
from tests.portal.test_rights import ROUTES, filled_path, rights_of
from tests.portal.world import PASSWORD, email_of


@pytest.fixture
def optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_SECOND_FACTOR", "optional")


def give_password(email: str) -> None:
    from actions.invitations import ensure_login

    with unit_of_work("test") as session:
        ensure_login(session, email, PASSWORD)


# --- the session ---------------------------------------------------------------------------------------------------------


def test_a_planted_session_is_never_taken_over(portal: Portal, optional: None) -> None:
    """Session fixation: the attacker's cookie is not the one that is signed in."""
    give_password(email_of("back_office"))
    planted = "A" * 43
    browser = portal.browser()
    browser.cookies.set("drehkreuz", planted)
    answer = browser.post("/anmelden", data={"email": email_of("back_office"), "password": PASSWORD})
    assert answer.status_code == 303
    assert planted not in answer.headers["set-cookie"]
    attacker = portal.browser()
    attacker.cookies.set("drehkreuz", planted)
    assert attacker.get("/uebersicht").headers["location"].startswith("/anmelden")


def test_the_database_holds_nothing_that_signs_in(portal: Portal) -> None:
    with unit_of_work("test") as session:
        session.flush()
        kept = session.scalars(sa.select(LoginSession.token_sha256)).all()
    attacker = portal.browser()
    for stolen in kept:
        attacker.cookies.set("drehkreuz", stolen.hex())
        assert attacker.get("/uebersicht").status_code == 303


class Counting:
    """The hasher, and what it was asked."""

    def __init__(self, real: PasswordHasher, asked: list[str]) -> None:
        self.real, self.asked = real, asked

    def hash(self, password: str) -> str:
        return self.real.hash(password)

    def check_needs_rehash(self, stored: str) -> bool:
        return self.real.check_needs_rehash(stored)

    def verify(self, stored: str, password: str) -> bool:
        self.asked.append(password)
        return self.real.verify(stored, password)


def test_known_and_unknown_people_cost_the_same_work(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt computes exactly one hash, whoever it names: the time tells nothing."""
    give_password(email_of("back_office"))
    asked: list[str] = []
    real = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Counting(real, asked))
    passwords._nobody.cache_clear()
    said = set()
    for email in (email_of("back_office"), "niemand@fremd.example", email_of("technician")):
        answer = portal.browser().post("/anmelden", data={"email": email, "password": f"falsch {email}"})
        said.add((answer.status_code, "stimmt nicht" in answer.text))
    assert said == {(401, True)}
    assert len(asked) == 3


def test_the_lock_of_an_account_counts_every_spelling_and_every_address(portal: Portal, optional: None) -> None:
    give_password(email_of("back_office"))
    spelled = email_of("back_office")
    for n in range(10):
        form = {"email": f" {spelled.upper() if n % 2 else spelled} ", "password": "falsch"}
        portal.browser().post("/anmelden", data=form, headers={"x-forwarded-for": f"10.0.0.{n}"})
    answer = portal.browser().post("/anmelden", data={"email": spelled, "password": PASSWORD})
    assert answer.status_code == 429


# --- addresses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/anmelden/", "/static", "/uebersicht/", "/konto/", "/uebersicht"])
def test_no_answer_leads_to_the_host_that_the_request_names(portal: Portal, path: str) -> None:
    answer = portal.browser().get(path, headers={"host": "boese.example"})
    assert "boese" not in answer.headers.get("location", "")
    assert "boese" not in answer.text


def test_links_in_mails_come_from_the_setting(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_PORTAL_URL", "https://portal.probehaus.example")
    headers = {"host": "boese.example", "x-forwarded-host": "boese.example", "forwarded": "host=boese.example"}
    portal.browser().post("/kennwort-vergessen", data={"email": email_of("back_office")}, headers=headers)
    with unit_of_work("test") as session:
        raw = session.scalars(sa.select(OutboxMail.raw).where(OutboxMail.kind == "password_reset")).one()
        assert b"boese" not in raw
        assert portal_address(session.scalars(sa.select(House)).one()) == "https://portal.probehaus.example"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/..%5capp.py",
     "/archiv/1/..%2f..%2fetc%2fpasswd", "/archiv/../../etc/passwd"],
)  # fmt: skip
def test_no_path_leaves_its_folder(portal: Portal, path: str) -> None:
    answer = portal.browser("service_head").get(path)
    assert answer.status_code in {404, 303}
    assert "root:" not in answer.text


# --- values --------------------------------------------------------------------------------------------------------------

HOSTILE = ("%00", "99999999999999999999999", "-1' OR 1=1--{{7*7}}%0d%0aX-Boese: 1")


def test_no_value_in_an_address_breaks_a_page(portal: Portal) -> None:
    """Every page that may be looked at, every parameter, every kind of nonsense: an answer for people, never an error inside."""
    browser = portal.browser("service_head")
    pages = [route for route in ROUTES if "GET" in route.methods and rights_of(route.dependant)]
    assert len(pages) > 30
    for route in pages:
        names = [field.alias for field in route.dependant.query_params]
        for value in HOSTILE:
            path = filled_path(route)
            for name in route.param_convertors:
                path = route.path
                path = path.replace("{" + name + "}", value)
            addresses = [path] if route.param_convertors else []
            addresses = [a if "{" not in a else filled_path(route) for a in addresses]
            addresses += [filled_path(route) + "?" + "&".join(f"{name}={value}" for name in names)] if names else []
            for address in addresses:
                answer = browser.get(address)
                assert answer.status_code < 500, f"{address[:200]} {answer.status_code}"
                assert "x-boese" not in answer.headers
                assert "1=1--49" not in answer.text


@pytest.mark.parametrize("value", ["Null\x00Byte", "<script>alert(1)</script>{{ 7*7 }}"])
def test_no_value_in_a_form_breaks_a_page(portal: Portal, value: str) -> None:
    browser = portal.browser("service_head")
    for route in ROUTES:
        if "POST" not in route.methods or not rights_of(route.dependant) or route.path.startswith("/konto"):
            continue
        fields = dict.fromkeys(("text", "subject", "reason", "name", "grund", "email", "comment", "note", "titel"), value)
        answer = browser.post(filled_path(route), data=fields)
        assert answer.status_code < 500, route.path
        assert "<script>alert(1)" not in answer.text


def test_what_a_customer_writes_stays_text_on_every_page(portal: Portal) -> None:
    hostile = "<img src=x onerror=alert(1)>{{ 7*7 }}"
    with unit_of_work("test") as session:
        session.execute(sa.update(Customer).values(name=hostile))
        session.execute(sa.update(Ticket).values(subject=hostile))
    browser = portal.browser("service_head")
    seen = 0
    for route in ROUTES:
        if "GET" in route.methods and rights_of(route.dependant):
            text = browser.get(filled_path(route)).text
            assert "<img src=x" not in text, route.path
            seen += "&lt;img src=x" in text
    assert seen > 0


def test_a_form_sets_only_what_it_shows(portal: Portal) -> None:
    """Mass assignment: fields of the row that no form has are not read."""
    with unit_of_work("test") as session:
        login = session.scalars(sa.select(Login).where(Login.email == email_of("technician"))).one()
        before = (login.id, login.employee_id, login.customer_id, login.active)
    extra = {"email": email_of("technician"), "active": "false", "employee_id": "1", "customer_id": "1", "password_hash": "x"}
    portal.browser("service_head").post("/verwaltung/zugaenge/einladen", data=extra)
    with unit_of_work("test") as session:
        login = session.scalars(sa.select(Login).where(Login.email == email_of("technician"))).one()
        assert (login.id, login.employee_id, login.customer_id, login.active) == before
        assert login.password_hash is None


# --- other customers ----------------------------------------------------------------------------------------------------


def test_no_number_of_another_customer_opens_anything(real_portal: Portal) -> None:
    """Every route, with every id that the other customers' rows have: a customer's session never gets a page of theirs."""
    mine, other = real_portal.world.customers[0], real_portal.world.customers[1]
    with unit_of_work("test") as session:
        numbers = [str(n) for n in session.scalars(sa.select(Ticket.id).where(Ticket.customer_id == other.id))]
        make.agreement(session, other) if not numbers else None
    browser = real_portal.browser(real_portal.world.contact_email)
    for route in ROUTES:
        if not rights_of(route.dependant) or route.path.startswith("/konto"):
            continue
        path = filled_path(route).replace("999", numbers[0] if numbers else "1")
        for method in route.methods:
            answer = browser.request(method, path)
            assert other.name not in answer.text, route.path
            assert answer.status_code in {200, 303, 403, 404, 405, 422}, route.path
    assert mine.name in browser.get("/start").text


# --- files and logs ------------------------------------------------------------------------------------------------------


def test_a_text_that_looks_like_a_formula_comes_back_byte_by_byte(session: object, tmp_path: Path) -> None:
    """The company folder is lossless (decision 0026)."""
    make.house(session)
    wild = ('=HYPERLINK("https://boese.example")', "+49 2581 1", "-1", "@SUM(A1)", "'quoted")
    for text in wild:
        make.customer(session, name=text)
    export_folder(session, tmp_path / "out")
    written = (tmp_path / "out" / "customers.csv").read_text("utf-8")
    assert "+49 2581 1" in written
    assert "'=HYPERLINK" not in written
    report = import_folder(session, tmp_path / "out", check_only=True)
    assert report.ok
    assert [(file.created, file.changed) for file in report.files if file.file == "customers.csv"] == [(0, 0)]


def test_a_line_of_the_log_cannot_be_forged() -> None:
    record = logging.LogRecord(
        "x", logging.ERROR, "", 0, "Vorfall A: GET %s", ("/x\n12:00:00 alles gut\x1b[2J\u2028neu",), None
    )
    for formatter in (logs._Readable(), logs.JsonLines()):
        written = formatter.format(record)
        assert "\n" not in written
        assert "\x1b" not in written


def test_a_refused_page_stands_in_the_log(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="portal"):
        assert portal.browser("technician").get("/verwaltung/rechte").status_code == 403
    assert "Zugriff verweigert" in caplog.text
    assert "/verwaltung/rechte" in caplog.text


def test_what_the_virus_check_finds_or_cannot_look_at_is_not_kept(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every upload passes it, before any page sees the file (ASVS 12.4.2)."""

    def send(content: bytes) -> int:
        return portal.browser("materials").post("/wareneingang/annehmen", files={"datei": ("avis.json", content)}).status_code

    with ClamdServer() as server:
        monkeypatch.setenv("DREHKREUZ_CLAMD", server.address)
        with caplog.at_level(logging.WARNING, logger="portal.security"):
            assert send(b"{}" + SIGNATURE) == 422
        assert "Schadcode abgelehnt: »avis.json«" in caplog.text
        assert _kept() == 0
        assert send(b"{}") == 303
        assert _kept() == 1
    assert server.seen == [b"{}" + SIGNATURE, b"{}"]
    assert send(b'{"nach": "dem Ende"}') == 503, "with the check away nothing is kept unchecked"
    assert _kept() == 1


def _kept() -> int:
    with unit_of_work("test") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(InboxItem)) or 0
