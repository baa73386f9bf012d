"""Mein Konto: password, second factor, and where one is signed in."""

from collections.abc import Iterator
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from actions import invitations
from kit import clock, passwords
from kit.database import Role, unit_of_work
from kit.errors import NotFoundError
from models.access import Login, LoginSession
from models.parties import StaffRole
from portal.forms import Data, Filled, Form, blank, filled
from portal.pages import Crumb, go, page
from portal.routes.links import judged
from portal.security import events, second_factor, signin
from portal.security.lockout import LockedOutError, forgive, record_attempt
from portal.security.person import Person, need, second_factor_rule, signed_in
from portal.security.watch import address_of, browser_name

router = APIRouter(prefix="/konto")

Own = Annotated[Person, Depends(need("konto.eigenes"))]
CRUMBS = (Crumb("Mein Konto"),)


def _own_session(person: Annotated[Person, Depends(signed_in)]) -> Iterator[Session]:
    """The tables of logins belong to the house: its role serves everybody's own account."""
    with unit_of_work(person.actor, Role.PORTAL_STAFF) as session:
        yield session


OwnSession = Annotated[Session, Depends(_own_session, scope="function")]


class PasswordForm(Form):
    """Change the password."""

    current: str = Field(min_length=1, max_length=1000)
    password: str = Field(min_length=1, max_length=1000)
    again: str = Field(min_length=1, max_length=1000)


class FactorForm(Form):
    """The first code of a new second factor."""

    code: str = Field(pattern=r"^\s*\d{3}\s?\d{3}\s*$")
    secret: str = Field(pattern=r"^[A-Z2-7]{32}$")


def _account(
    request: Request, session: Session, person: Person, form: Filled[PasswordForm], status_code: int = 200
) -> Response:
    now = clock.now()
    sessions = session.execute(
        sa.select(LoginSession.id, LoginSession.created_at, LoginSession.last_seen_at, LoginSession.user_agent)
        .where(
            LoginSession.login_id == person.login_id,
            LoginSession.expires_at > now,
            LoginSession.last_seen_at > now - signin.IDLE,
        )
        .order_by(LoginSession.last_seen_at.desc())
    ).all()
    return page(
        request,
        "account.html",
        status_code=status_code,
        crumbs=CRUMBS,
        form=form,
        sessions=[(row, browser_name(row.user_agent)) for row in sessions],
        minimum=passwords.MINIMUM,
        roles=[StaffRole(role) for role in person.roles],
        may_remove=not (person.staff and second_factor_rule()),
    )


@router.get("")
def show_account(request: Request, person: Own, session: OwnSession) -> Response:
    """Own data, password, second factor, sessions."""
    return _account(request, session, person, blank(PasswordForm))


@router.post("/kennwort")
def change_password(request: Request, person: Own, session: OwnSession, data: Data) -> Response:
    """A new password against the old one; all other browsers are signed out."""
    form = filled(PasswordForm, data)
    if form.value is None:
        return _account(request, session, person, form, 422)
    login = session.get_one(Login, person.login_id)
    if form.value.password != form.value.again:
        form.complain("again", "Beide Eingaben müssen gleich sein.")
    try:
        with unit_of_work(person.actor, Role.PORTAL_STAFF) as counting:
            record_attempt(counting, login.email, address_of(request))
        if not passwords.verify(login.password_hash, form.value.current):
            form.complain("current", "Das bisherige Kennwort stimmt nicht.")
        elif not form.errors:
            invitations.set_password(session, login, form.value.password, keep_session=person.session_id)
    except LockedOutError as locked:
        form.complain("current", str(locked))
    except passwords.WeakPasswordError as weak:
        form.complain("password", str(weak))
    if form.errors:
        return _account(request, session, person, form, 422)
    forgive(session, login.email)
    events.note("Kennwort geändert", address=address_of(request), login=login.id)
    return go(request, "/konto", "Ihr Kennwort ist geändert. Alle anderen Anmeldungen sind beendet.")


@router.post("/kennwort/staerke")
def judge_password(person: Own, data: Data) -> Response:
    """How good the new password is, while it is typed. Nothing is kept."""
    return judged(data, person.email)


def _factor_page(request: Request, person: Person, form: Filled[FactorForm], status_code: int = 200) -> Response:
    secret: Any = form.get("secret") or second_factor.new_secret()
    return page(
        request,
        "account_factor.html",
        status_code=status_code,
        crumbs=(Crumb("Mein Konto", "/konto"), Crumb("Zweiter Faktor")),
        form=form,
        secret=secret,
        picture=second_factor.qr_picture(secret, person.email, person.house),
    )


@router.get("/zweiter-faktor")
def show_factor(request: Request, person: Own) -> Response:
    """Set up a (new) second factor."""
    return _factor_page(request, person, blank(FactorForm))


@router.post("/zweiter-faktor")
def store_factor(request: Request, person: Own, session: OwnSession, data: Data) -> Response:
    """Keep it once a code of it is right."""
    form = filled(FactorForm, data)
    step = second_factor.matching_step(form.value.secret, form.value.code) if form.value is not None else None
    if form.value is None or step is None:
        form.errors = {"code": "Der Code stimmt nicht. Bitte geben Sie den ein, den die App gerade zeigt."}
        return _factor_page(request, person, form, 422)
    login = session.get_one(Login, person.login_id)
    second_factor.store(session, login, form.value.secret, step)
    invitations.tell_change(session, login, invitations.NEW_FACTOR)
    session.get_one(LoginSession, person.session_id).second_factor = True
    signin.sign_out_everywhere(session, person.login_id, except_session=person.session_id)
    return go(request, "/konto", "Der zweite Faktor ist eingerichtet. Bei der nächsten Anmeldung wird er abgefragt.")


@router.post("/zweiter-faktor/entfernen")
def remove_factor(request: Request, person: Own, session: OwnSession) -> Response:
    """Do without it, where the house allows that."""
    if person.staff and second_factor_rule():
        return go(request, "/konto", "Der zweite Faktor ist in diesem Haus Pflicht.", "warning")
    login = session.get_one(Login, person.login_id)
    second_factor.remove(session, login)
    invitations.tell_change(session, login, invitations.NO_FACTOR)
    return go(request, "/konto", "Der zweite Faktor ist entfernt.", "warning")


@router.post("/abmelden-ueberall")
def everywhere(request: Request, person: Own, session: OwnSession) -> Response:
    """End all other sessions."""
    ended = signin.sign_out_everywhere(session, person.login_id, except_session=person.session_id)
    others = {0: "Es gab keine weitere Anmeldung.", 1: "Eine weitere Anmeldung ist beendet."}
    return go(request, "/konto", others.get(ended, f"{ended} weitere Anmeldungen sind beendet."))


@router.post("/anmeldungen/{session_id}/beenden")
def end_one(request: Request, person: Own, session: OwnSession, session_id: int) -> Response:
    """End one session of one's own."""
    ended = session.scalar(
        sa.delete(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.login_id == person.login_id)
        .returning(LoginSession.id)
    )
    if ended is None:
        raise NotFoundError("Mein Konto: Diese Anmeldung gibt es nicht mehr.")
    return go(request, "/konto", "Die Anmeldung ist beendet.")
