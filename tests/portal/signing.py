"""How people sign in, for the tests that watch them: passwords, codes of a phone, links and notices of mails."""

import email
import email.policy
import re

import pyotp
import sqlalchemy as sa
from fastapi.testclient import TestClient

from actions import invitations
from kit.database import unit_of_work
from models.plumbing import OutboxMail
from portal.security import second_factor
from tests.portal.world import PASSWORD, email_of

BACK_OFFICE = email_of("back_office")


def with_password(address: str = BACK_OFFICE) -> None:
    with unit_of_work("test") as session:
        invitations.ensure_login(session, address, PASSWORD)


def sign_in(browser: TestClient, email: str = BACK_OFFICE, password: str = PASSWORD, **more: str) -> int:
    return browser.post("/anmelden", data={"email": email, "password": password, **more}).status_code


def rows(entity: type) -> list:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(entity)))


def token_of(kind: str) -> str:
    """The link's token, as the reader of the mail finds it."""
    with unit_of_work("test") as session:
        raw = session.scalars(sa.select(OutboxMail.raw).where(OutboxMail.kind == kind).order_by(OutboxMail.id.desc())).first()
    text = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",)).get_content()
    return re.search(r"/(?:einladung|kennwort)#(\S+)", text)[1]


def code_for(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(second_factor._step() + steps)


def set_up(browser: TestClient) -> str:
    page = browser.get("/zweiter-faktor").text
    assert "data:image/svg+xml;base64," in page
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)[1]
    assert browser.post("/zweiter-faktor", data={"code": "000000", "secret": secret}).status_code == 401
    assert browser.post("/zweiter-faktor", data={"code": code_for(secret), "secret": secret}).status_code == 303
    return secret


def told(address: str) -> list[str]:
    """Subjects of the mails that say what was changed about this person's access, in order."""
    with unit_of_work("test") as session:
        mails = session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "access_changed").order_by(OutboxMail.id))
        return [mail.subject.partition(" · ")[0] for mail in mails if address in mail.recipients]
