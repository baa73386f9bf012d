"""`drehkreuz login`: the first sign-in of a house, and help when nobody can sign in."""

import json
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from deployments import cli
from kit.database import unit_of_work
from models.access import Login
from models.plumbing import OutboxMail
from tests.portal.conftest import Portal
from tests.portal.world import PASSWORD, email_of

BACK_OFFICE = email_of("back_office")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["login", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_the_first_sign_in_of_a_house(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    link = said(capsys, "invite", BACK_OFFICE, "--link")
    browser = portal.browser()
    address = urlsplit(link)
    chosen = {"code": address.fragment, "password": PASSWORD, "again": PASSWORD}
    assert browser.post(address.path, data=chosen).headers["location"] == "/anmelden?hinweis=kennwort"
    assert browser.post("/anmelden", data={"email": BACK_OFFICE, "password": PASSWORD}).status_code == 303
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(OutboxMail)).all() == []


def test_inviting_by_mail(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    assert "im Postausgang" in said(capsys, "invite", BACK_OFFICE)
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(OutboxMail)).one().recipients == [BACK_OFFICE]
    assert cli.run(["login", "invite", "niemand@probehaus.example"]) == 1
    assert "Niemand mit dieser Adresse" in capsys.readouterr().err


def test_locking_unlocking_and_a_lost_phone(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    browser = portal.browser("back_office")
    assert "1 offene Anmeldungen beendet" in said(capsys, "lock", BACK_OFFICE)
    assert browser.get("/konto").status_code == 303
    states = {row["email"]: row["state"] for row in json.loads(said(capsys, "list", "--json"))}
    assert (states[BACK_OFFICE], states[email_of("technician")]) == ("locked", "invited")
    said(capsys, "unlock", BACK_OFFICE)
    with unit_of_work("test") as session:
        login = session.scalars(sa.select(Login).where(Login.email == BACK_OFFICE)).one()
        login.totp_secret = b"irgendwas"
    assert cli.run(["login", "reset-factor", BACK_OFFICE, "--proof", "war da"]) == 1
    assert "Nachweis" in capsys.readouterr().err
    said(capsys, "reset-factor", BACK_OFFICE, "--proof", "Rückruf unter der hinterlegten Nummer, Ines Innert")
    with unit_of_work("test") as session:
        login = session.scalars(sa.select(Login).where(Login.email == BACK_OFFICE)).one()
        assert (login.active, login.totp_secret) == (True, None)
        assert login.factor_reset_proof == "Rückruf unter der hinterlegten Nummer, Ines Innert"
    assert portal.world.contact_email in said(capsys, "list", "--customers", "--json")
    assert "Zugänge" in said(capsys, "list")
    assert cli.run(["login", "unlock", "niemand@probehaus.example"]) == 1
