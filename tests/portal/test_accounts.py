"""Links by mail, one's own account, what the administration does, and what of it stands in log and trail."""

import datetime as dt
import logging
import re

import pytest
import sqlalchemy as sa

from actions import invitations
from integrations.mail.types import Address
from kit import clock
from kit.database import unit_of_work
from models.access import Login, LoginSession, MailToken
from models.plumbing import AuditEntry, OutboxMail
from tests.portal.conftest import Portal
from tests.portal.signing import BACK_OFFICE, code_for, rows, sign_in, token_of, told, with_password
from tests.portal.world import PASSWORD, email_of

# --- links by mail


def test_an_invitation_is_a_mail_and_its_link_works_once(portal: Portal, optional: None) -> None:
    head = portal.browser("service_head")
    answer = head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    assert answer.headers["location"] == "/verwaltung/zugaenge"
    token = token_of("invitation")
    assert all(token.encode() not in row.token_sha256 for row in rows(MailToken))
    browser, link = portal.browser(), {"code": token}
    assert "Code oder Link aus der Mail" in browser.get("/einladung").text
    for pasted in (token, f" https://portal.example/einladung#{token}\n"):
        assert "Willkommen, Ines Innert" in browser.post("/einladung", data={"code": pasted}).text  # looking uses nothing up
    judged = browser.post("/einladung/staerke", data=link | {"password": "Passwort123!"})
    assert judged.json() == {"level": 1, "text": judged.json()["text"]}
    assert "leicht zu erraten" in judged.json()["text"]
    weak = browser.post("/einladung", data=link | {"password": "zu kurz", "again": "zu kurz"})
    assert (weak.status_code, "mindestens 12 Zeichen" in weak.text) == (422, True)
    unequal = browser.post("/einladung", data=link | {"password": PASSWORD, "again": PASSWORD + "!"})
    assert unequal.status_code == 422
    assert browser.post("/kennwort", data=link).status_code == 410, "an invitation is no link of the other kind"
    chosen = link | {"password": PASSWORD, "again": PASSWORD}
    assert browser.post("/einladung", data=chosen).headers["location"] == "/anmelden?hinweis=kennwort"
    assert browser.post("/einladung", data=chosen).status_code == 410
    assert browser.post("/einladung/staerke", data=chosen).status_code == 410, "judging is for who holds a link"
    assert browser.post("/einladung", data=link).status_code == 410
    assert browser.post("/einladung", data={"code": ""}).status_code == 422
    assert sign_in(browser) == 303


@pytest.mark.parametrize("place", ["einladung", "kennwort"])
def test_links_of_older_mails_go_on_with_their_code_behind_the_number_sign(portal: Portal, place: str) -> None:
    moved = portal.browser().get(f"/{place}/AbC-12_x")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/{place}#AbC-12_x")


def test_links_end_after_their_days_and_with_a_newer_one(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    head = portal.browser("service_head")
    head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    first = token_of("invitation")
    head.post("/verwaltung/zugaenge/einladen", data={"email": BACK_OFFICE})
    second = token_of("invitation")
    browser = portal.browser()
    assert browser.post("/einladung", data={"code": first}).status_code == 410
    assert browser.post("/einladung", data={"code": second}).status_code == 200
    later = clock.now() + dt.timedelta(days=invitations.INVITATION_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert browser.post("/einladung", data={"code": second}).status_code == 410


def test_a_forgotten_password_tells_nobody_who_is_known(portal: Portal, optional: None) -> None:
    with_password()
    browser, other = portal.browser(), portal.browser("back_office")
    answers = [browser.post("/kennwort-vergessen", data={"email": e}) for e in (BACK_OFFICE, "niemand@probehaus.example")]
    assert len({(a.status_code, a.headers["location"]) for a in answers}) == 1
    assert [mail.recipients for mail in rows(OutboxMail)] == [[BACK_OFFICE]]
    new = "ganz neues Kennwort 9"
    taken = browser.post("/kennwort", data={"code": token_of("password_reset"), "password": new, "again": new})
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


def test_a_lost_phone_needs_a_proof_that_stays_in_the_trail(portal: Portal) -> None:
    head = portal.browser("service_head")
    with unit_of_work("test") as session:
        login = invitations.ensure_login(session, BACK_OFFICE)
        login.totp_secret = b"irgendwas"
        path = f"/verwaltung/zugaenge/{login.id}/zweiter-faktor"
    assert "Erkannt durch" in head.get(path).text
    way = "Rückruf unter der hinterlegten Nummer"
    for wrong in ({}, {"way": way, "note": "ja"}, {"way": "ein Gefühl", "note": "klang ganz nach ihr"}):
        assert head.post(path, data=wrong).status_code == 422
    assert next(row for row in rows(Login) if row.email == BACK_OFFICE).totp_secret is not None
    victim = portal.browser("back_office")
    assert head.post(path, data={"way": way, "note": "14 Uhr, Ines Innert selbst"}).status_code == 303
    assert victim.get("/uebersicht").status_code == 303
    assert told(BACK_OFFICE) == [invitations.NO_FACTOR]
    [trail] = [e for e in rows(AuditEntry) if "factor_reset_proof" in (e.after or {}) and e.action == "update"]
    assert trail.actor == f"employee:{email_of('service_head')}"
    assert trail.after["factor_reset_proof"] == f"{way}: 14 Uhr, Ines Innert selbst"


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
