"""Signing in, the second factor, lock-out."""

import datetime as dt

import pytest
import sqlalchemy as sa

from actions import invitations
from kit import clock
from kit.database import unit_of_work
from models.access import Login, LoginAttempt, LoginSession
from models.parties import Employee
from portal.security import second_factor
from portal.security.lockout import FAILURES
from tests.portal.conftest import Portal
from tests.portal.signing import BACK_OFFICE, code_for, rows, set_up, sign_in, told, with_password
from tests.portal.world import PASSWORD, email_of


def test_signing_in_and_out(portal: Portal, optional: None) -> None:
    with_password()
    browser = portal.browser()
    answer = browser.post("/anmelden", data={"email": f" {BACK_OFFICE.upper()} ", "password": PASSWORD})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert browser.get("/uebersicht").status_code == 200
    token = browser.cookies["drehkreuz"]
    stored = rows(LoginSession)
    assert [token.encode() == s.token_sha256 for s in stored] == [False]
    assert browser.post("/abmelden").headers["location"] == "/anmelden?hinweis=abgemeldet"
    assert rows(LoginSession) == []
    browser.cookies.set("drehkreuz", token)
    assert browser.get("/uebersicht").status_code == 303


def test_behind_tls_the_cookie_is_bound_to_the_host(portal: Portal, optional: None) -> None:
    with_password()
    browser = portal.browser()
    browser.base_url = "https://portal.example"
    answer = browser.post("/anmelden", data={"email": BACK_OFFICE, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-drehkreuz=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(("email", "password"), [(BACK_OFFICE, "falsch"), ("niemand@probehaus.example", PASSWORD), ("", "")])
def test_wrong_is_wrong_without_saying_what(portal: Portal, optional: None, email: str, password: str) -> None:
    with_password()
    answer = portal.browser().post("/anmelden", data={"email": email, "password": password})
    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers
    if email:
        assert "E-Mail-Adresse oder Kennwort stimmt nicht." in answer.text


def test_a_locked_or_left_person_cannot_sign_in(portal: Portal, optional: None) -> None:
    with_password()
    with unit_of_work("test") as session:
        session.scalars(sa.select(Login).where(Login.email == BACK_OFFICE)).one().active = False
    assert sign_in(portal.browser()) == 401
    with unit_of_work("test") as session:
        session.scalars(sa.select(Login).where(Login.email == BACK_OFFICE)).one().active = True
        session.scalars(sa.select(Employee).where(Employee.email == BACK_OFFICE)).one().active = False
    browser = portal.browser()
    sign_in(browser)
    assert browser.get("/uebersicht").headers["location"].startswith("/anmelden")


def test_ten_failures_lock_the_account_for_a_quarter_of_an_hour(
    portal: Portal, optional: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_password()
    browser = portal.browser()
    assert [sign_in(browser, password="falsch") for _ in range(FAILURES)] == [401] * FAILURES
    assert sign_in(browser) == 429
    assert sign_in(browser, email=email_of("technician")) == 429  # the address is locked as well
    later = clock.now() + dt.timedelta(minutes=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert sign_in(browser) == 303


def test_success_forgives_the_account(portal: Portal, optional: None) -> None:
    with_password()
    browser = portal.browser()
    for _ in range(FAILURES - 1):
        sign_in(browser, password="falsch")
    assert sign_in(browser) == 303
    assert rows(LoginAttempt) == []


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/leistungen?seite=2", "/leistungen?seite=2"),
        ("//boese.example", "/"),
        ("https://boese.example", "/"),
        ("/\\boese.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ],
)
def test_signing_in_leads_back_to_our_own_pages_only(portal: Portal, optional: None, wanted: str, target: str) -> None:
    with_password()
    answer = portal.browser().post("/anmelden", data={"email": BACK_OFFICE, "password": PASSWORD, "weiter": wanted})
    assert answer.headers["location"] == target


def test_the_way_to_a_page_leads_through_the_form_and_back(portal: Portal) -> None:
    answer = portal.browser().get("/leistungen?kunde=K1001")
    assert answer.headers["location"] == "/anmelden?weiter=/leistungen%3Fkunde%3DK1001"
    part = portal.browser().get("/abrechnung", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/anmelden")


# --- second factor


def test_staff_must_set_up_a_second_factor_and_then_needs_it(portal: Portal) -> None:
    with_password()
    browser = portal.browser()
    assert sign_in(browser) == 303
    before = browser.cookies["drehkreuz"]
    assert browser.get("/uebersicht").headers["location"] == "/zweiter-faktor"
    secret = set_up(browser)
    assert browser.cookies["drehkreuz"] != before
    assert browser.get("/uebersicht").status_code == 200
    stored = next(login for login in rows(Login) if login.email == BACK_OFFICE)
    assert secret.encode() not in stored.totp_secret

    again = portal.browser()
    answer = again.post("/anmelden", data={"email": BACK_OFFICE, "password": PASSWORD, "weiter": "/leistungen"})
    assert answer.headers["location"] == "/zweiter-faktor?weiter=/leistungen"
    assert again.get("/uebersicht").headers["location"] == "/zweiter-faktor"
    assert "QR-Code" not in again.get("/zweiter-faktor").text
    code = code_for(secret, 1)
    assert again.post("/zweiter-faktor?weiter=/leistungen", data={"code": code}).headers["location"] == "/leistungen"
    assert again.get("/uebersicht").status_code == 200

    thief = portal.browser()
    sign_in(thief)
    assert thief.post("/zweiter-faktor", data={"code": code}).status_code == 401  # used already
    assert told(BACK_OFFICE) == [invitations.NEW_FACTOR, invitations.USED_CODE]
    assert thief.post("/zweiter-faktor", data={"code": code_for(secret)}).status_code == 401  # older than the used one


def test_guessing_codes_locks_the_account(portal: Portal) -> None:
    with_password()
    browser = portal.browser()
    sign_in(browser)
    set_up(browser)
    thief = portal.browser()
    sign_in(thief)
    answers = [thief.post("/zweiter-faktor", data={"code": "111111"}).status_code for _ in range(FAILURES)]
    assert answers[-1] == 429
    assert answers.count(401) == FAILURES - 1  # the password before counted too


def test_the_clock_of_a_phone_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = second_factor._step()
    monkeypatch.setenv(clock.SHIFT_VARIABLE, "-400")
    assert abs(second_factor._step() - real) <= 1


def test_customers_may_do_without(portal: Portal) -> None:
    with_password(portal.world.contact_email)
    browser = portal.browser()
    assert sign_in(browser, email=portal.world.contact_email) == 303
    assert browser.get("/start").status_code == 200
