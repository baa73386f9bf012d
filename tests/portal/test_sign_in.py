"""Signing in, the second factor, links by mail, lock-out, sessions and their end."""

import datetime as dt
import logging
import re

import pyotp
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from actions import invitations
from integrations.mail.types import Address
from kit import clock
from kit.database import unit_of_work
from models.access import Login, LoginAttempt, LoginSession, MailToken
from models.parties import Employee
from models.plumbing import AuditEntry, OutboxMail
from portal.security import second_factor
from portal.security.lockout import FAILURES
from tests.portal.conftest import Portal
from tests.portal.world import PASSWORD, email_of

BACK_OFFICE = email_of("back_office")


@pytest.fixture
def optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_SECOND_FACTOR", "optional")


def with_password(email: str = BACK_OFFICE) -> None:
    with unit_of_work("test") as session:
        invitations.ensure_login(session, email, PASSWORD)


def sign_in(browser: TestClient, email: str = BACK_OFFICE, password: str = PASSWORD, **more: str) -> int:
    return browser.post("/anmelden", data={"email": email, "password": password, **more}).status_code


def rows(entity: type) -> list:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(entity)))


def token_of(kind: str) -> str:
    """The link's token, as the reader of the mail finds it."""
    with unit_of_work("test") as session:
        raw = session.scalars(sa.select(OutboxMail.raw).where(OutboxMail.kind == kind).order_by(OutboxMail.id.desc())).first()
    import email
    import email.policy

    text = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",)).get_content()
    return re.search(r"/(?:einladung|kennwort)/(\S+)", text)[1]


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


def code_for(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(second_factor._step() + steps)


def set_up(browser: TestClient) -> str:
    page = browser.get("/zweiter-faktor").text
    assert "data:image/svg+xml;base64," in page
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)[1]
    assert browser.post("/zweiter-faktor", data={"code": "000000", "secret": secret}).status_code == 401
    assert browser.post("/zweiter-faktor", data={"code": code_for(secret), "secret": secret}).status_code == 303
    return secret


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


def told(email: str) -> list[str]:
    """Subjects of the mails that say what was changed about this person's access, in order."""
    with unit_of_work("test") as session:
        mails = session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "access_changed").order_by(OutboxMail.id))
        return [mail.subject.partition(" · ")[0] for mail in mails if email in mail.recipients]


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


# --- links by mail


def test_an_invitation_is_a_mail_and_its_link_works_once(portal: Portal, optional: None) -> None:
    head = portal.browser("service_head")
    answer = head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    assert answer.headers["location"] == "/verwaltung/zugaenge"
    token = token_of("invitation")
    assert all(token.encode() not in row.token_sha256 for row in rows(MailToken))
    browser = portal.browser()
    assert "Willkommen, Ines Innert" in browser.get(f"/einladung/{token}").text
    assert browser.get(f"/einladung/{token}").status_code == 200  # looking uses nothing up
    page = browser.get(f"/einladung/{token}").text
    assert f'data-strength="/einladung/{token}/staerke"' in page
    judged = browser.post(f"/einladung/{token}/staerke", data={"password": "Passwort123!"})
    assert judged.json() == {"level": 1, "text": judged.json()["text"]}
    assert "leicht zu erraten" in judged.json()["text"]
    weak = browser.post(f"/einladung/{token}", data={"password": "zu kurz", "again": "zu kurz"})
    assert (weak.status_code, "mindestens 12 Zeichen" in weak.text) == (422, True)
    unequal = browser.post(f"/einladung/{token}", data={"password": PASSWORD, "again": PASSWORD + "!"})
    assert unequal.status_code == 422
    chosen = {"password": PASSWORD, "again": PASSWORD}
    assert browser.post(f"/einladung/{token}", data=chosen).headers["location"] == "/anmelden?hinweis=kennwort"
    assert browser.post(f"/einladung/{token}", data=chosen).status_code == 410
    assert browser.post(f"/einladung/{token}/staerke", data=chosen).status_code == 410, "judging is for who holds a link"
    assert browser.get(f"/einladung/{token}").status_code == 410
    assert browser.get(f"/kennwort/{token}").status_code == 410
    assert sign_in(browser) == 303


def test_links_end_after_their_days_and_with_a_newer_one(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    head = portal.browser("service_head")
    head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    first = token_of("invitation")
    head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    second = token_of("invitation")
    browser = portal.browser()
    assert browser.get(f"/einladung/{first}").status_code == 410
    assert browser.get(f"/einladung/{second}").status_code == 200
    later = clock.now() + dt.timedelta(days=invitations.INVITATION_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert browser.get(f"/einladung/{second}").status_code == 410


def test_a_forgotten_password_tells_nobody_who_is_known(portal: Portal, optional: None) -> None:
    with_password()
    browser, other = portal.browser(), portal.browser("back_office")
    answers = [browser.post("/kennwort-vergessen", data={"email": e}) for e in (BACK_OFFICE, "niemand@probehaus.example")]
    assert len({(a.status_code, a.headers["location"]) for a in answers}) == 1
    assert [mail.recipients for mail in rows(OutboxMail)] == [[BACK_OFFICE]]
    new = "ganz neues Kennwort 9"
    taken = browser.post(f"/kennwort/{token_of('password_reset')}", data={"password": new, "again": new})
    assert taken.status_code == 303
    assert other.get("/uebersicht").status_code == 303  # whoever was signed in is out
    assert sign_in(browser) == 401
    assert sign_in(browser, password=new) == 303


def test_resets_do_not_flood_a_mailbox(portal: Portal) -> None:
    for _ in range(6):
        portal.browser().post("/kennwort-vergessen", data={"email": BACK_OFFICE})
    assert len(rows(OutboxMail)) == 3


def test_nobody_reads_the_links_of_others_in_the_outbox(portal: Portal) -> None:
    head = portal.browser("service_head")
    head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    mail, token = rows(OutboxMail)[0], token_of("invitation")
    page = head.get(f"/postausgang/{mail.id}")
    assert page.status_code == 200
    assert "persönlichen Link" in page.text
    assert token not in page.text
    assert head.get(f"/postausgang/{mail.id}/ansicht").status_code == 404


def test_two_clicks_cannot_both_win(portal: Portal) -> None:
    with unit_of_work("test") as session:
        invitations.invite(session, BACK_OFFICE)
    token = token_of("invitation")
    with unit_of_work("test") as first:
        assert invitations.accept(first, token, invitations.TokenPurpose.INVITATION, PASSWORD) is not None
    with unit_of_work("test") as second:
        assert invitations.accept(second, token, invitations.TokenPurpose.INVITATION, PASSWORD) is None


def test_ensure_login_is_repeatable_and_knows_its_limits(portal: Portal) -> None:
    with unit_of_work("test") as session:
        first = invitations.ensure_login(session, BACK_OFFICE, PASSWORD)
        kept = first.password_hash
        assert invitations.ensure_login(session, BACK_OFFICE.upper(), PASSWORD).password_hash == kept
        with pytest.raises(invitations.NotFoundError, match=r"niemand@probehaus\.example"):
            invitations.ensure_login(session, "niemand@probehaus.example")
    assert Address(BACK_OFFICE).email == BACK_OFFICE


# --- own account


def test_changing_the_password_ends_all_other_sessions(portal: Portal, optional: None) -> None:
    with_password()
    browser, other = portal.browser("back_office"), portal.browser("back_office")
    new = "noch ein Kennwort, ein anderes"
    wrong = browser.post("/konto/kennwort", data={"current": "falsch", "password": new, "again": new})
    assert (wrong.status_code, "bisherige Kennwort stimmt nicht" in wrong.text) == (422, True)
    own_name = browser.post(
        "/konto/kennwort", data={"current": PASSWORD, "password": "back.office rules", "again": "back.office rules"}
    )
    assert own_name.status_code == 422
    assert browser.post("/konto/kennwort", data={"current": PASSWORD, "password": new, "again": new}).status_code == 303
    assert browser.get("/konto").status_code == 200
    assert other.get("/konto").status_code == 303
    assert sign_in(portal.browser(), password=new) == 303
    assert told(BACK_OFFICE) == [invitations.NEW_PASSWORD]


def test_sign_ins_and_refusals_stand_in_the_log_without_what_was_typed(
    portal: Portal, optional: None, caplog: pytest.LogCaptureFixture
) -> None:
    with_password()
    with caplog.at_level(logging.INFO, logger="portal.security"):
        sign_in(portal.browser(), password="mein anderes Kennwort")
        sign_in(portal.browser(), email="mein-kennwort-im-falschen-feld")
        sign_in(portal.browser())
    assert [record.getMessage() for record in caplog.records if record.name == "portal.security"] == [
        "Anmeldung abgelehnt", "Anmeldung abgelehnt", "Kennwort richtig",
    ]  # fmt: skip
    assert "anderes" not in caplog.text
    assert "falschen-feld" not in caplog.text


def test_sessions_are_listed_and_ended(portal: Portal) -> None:
    browser, second, third = (portal.browser("back_office") for _ in range(3))
    assert browser.get("/konto").text.count("Chrome auf Linux") >= 3
    with unit_of_work("test") as session:
        ids = list(session.scalars(sa.select(LoginSession.id).order_by(LoginSession.id)))
    assert browser.post(f"/konto/anmeldungen/{ids[1]}/beenden").status_code == 303
    assert second.get("/konto").status_code == 303
    assert portal.browser("technician").post(f"/konto/anmeldungen/{ids[2]}/beenden").status_code == 404
    assert browser.post("/konto/abmelden-ueberall").status_code == 303
    assert third.get("/konto").status_code == 303
    assert browser.get("/konto").status_code == 200


def test_sessions_end_by_themselves(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = portal.browser("back_office")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=3))
    assert browser.get("/konto").status_code == 200  # being here counts as seen
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=6))
    assert browser.get("/konto").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=11))
    assert browser.get("/konto").status_code == 303


def test_a_second_factor_of_ones_own_choice(portal: Portal, optional: None) -> None:
    browser = portal.browser("back_office", second_factor=False)
    page = browser.get("/konto/zweiter-faktor").text
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)[1]
    assert browser.post("/konto/zweiter-faktor", data={"code": "123456", "secret": secret}).status_code == 422
    assert browser.post("/konto/zweiter-faktor", data={"code": code_for(secret), "secret": secret}).status_code == 303
    assert "eingerichtet" in browser.get("/konto").text
    assert browser.post("/konto/zweiter-faktor/entfernen").status_code == 303
    assert all(login.totp_secret is None for login in rows(Login))


# --- administration


def test_locking_ends_sessions_and_stands_in_the_trail(portal: Portal) -> None:
    head, victim = portal.browser("service_head"), portal.browser("technician")
    login_id = next(login.id for login in rows(Login) if login.email == email_of("technician"))
    assert head.get(f"/verwaltung/zugaenge/{login_id}").status_code == 200
    assert head.post(f"/verwaltung/zugaenge/{login_id}/sperren").status_code == 303
    assert victim.get("/uebersicht").status_code == 303
    trail = [e for e in rows(AuditEntry) if e.table_name == "login" and e.action == "update"]
    assert [(e.actor, e.after) for e in trail] == [(f"employee:{email_of('service_head')}", {"active": False})]
    assert head.post(f"/verwaltung/zugaenge/{login_id}/entsperren").status_code == 303
    own = next(login.id for login in rows(Login) if login.email == email_of("service_head"))
    assert head.post(f"/verwaltung/zugaenge/{own}/sperren").status_code == 409


def test_passwords_and_secrets_never_enter_the_trail(portal: Portal, optional: None) -> None:
    with_password()
    browser = portal.browser()
    sign_in(browser)
    trail = [e for e in rows(AuditEntry) if e.table_name == "login"]
    assert trail
    assert not any("password_hash" in (e.before or {}) or "password_hash" in (e.after or {}) for e in trail)
    assert not any("totp_secret" in (e.after or {}) for e in trail)
