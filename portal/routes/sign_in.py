"""Anmelden, zweiter Faktor, Kennwort vergessen, abmelden. What the links of mails lead to: `portal/routes/links.py`."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from actions import invitations
from kit import clock
from kit.database import Role, unit_of_work
from models.access import Login
from portal.forms import Data, Filled, Form, blank, filled
from portal.pages import page
from portal.security import cookies, events, second_factor, signin, watch
from portal.security.lockout import LockedOutError, forgive, record_attempt
from portal.security.person import Person, half_signed_in, identify, public
from portal.security.signin import ACTOR
from portal.security.watch import address_of

router = APIRouter()

MESSAGES = {
    "abgemeldet": "Sie sind abgemeldet.",
    "kennwort": "Ihr Kennwort ist gespeichert. Bitte melden Sie sich damit an.",
    "unterwegs": "Falls ein Zugang mit dieser Adresse besteht, ist eine Mail mit einem Link unterwegs. Er gilt zwei Stunden.",
}


class SignInForm(Form):
    """Anmelden."""

    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)
    weiter: str = ""


class CodeForm(Form):
    """Code of the second factor; `secret` only while it is set up."""

    code: str = Field(pattern=r"^\s*\d{3}\s?\d{3}\s*$")
    secret: str = Field(default="", pattern=r"^([A-Z2-7]{32})?$")


class AddressForm(Form):
    """Kennwort vergessen."""

    email: str = Field(min_length=3, max_length=254)


def local_path(wanted: str) -> str:
    """Where to go after signing in: only to a path of ours, never to another host."""
    fits = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted and wanted.isprintable()
    return wanted if fits else "/"


@router.get("/anmelden")
@public
def show_sign_in(request: Request, weiter: str = "", hinweis: str = "") -> Response:
    """The form, or straight on for who is signed in already."""
    if identify(cookies.read_token(request)) is not None:
        return RedirectResponse(local_path(weiter), 303)
    return page(request, "sign_in.html", form=blank(SignInForm, weiter=weiter), notice=MESSAGES.get(hinweis, ""))


@router.post("/anmelden")
@public
def do_sign_in(request: Request, data: Data) -> Response:
    """A session for the right password; the same answer for everything else."""
    form = filled(SignInForm, data)
    if form.value is None:
        return page(request, "sign_in.html", status_code=422, form=form, notice="")
    try:
        fresh = signin.sign_in(
            form.value.email, form.value.password, address_of(request), request.headers.get("user-agent", "")
        )
    except LockedOutError as locked:
        watch.locked_out(form.value.email, address_of(request))
        form.complain("", str(locked))
        return page(request, "sign_in.html", status_code=429, form=form, notice="")
    if fresh is None:
        form.complain("", "E-Mail-Adresse oder Kennwort stimmt nicht.")
        return page(request, "sign_in.html", status_code=401, form=form, notice="")
    target = local_path(form.value.weiter)
    response = RedirectResponse(_second(target) if fresh.wants_second_factor else target, 303)
    cookies.set_token(request, response, fresh.token, int(signin.LASTS.total_seconds()))
    if not fresh.wants_second_factor:
        watch.arrived(request, response, fresh.login_id, fresh.actor)
    return response


def _second(target: str) -> str:
    return "/zweiter-faktor" if target == "/" else f"/zweiter-faktor?weiter={target}"


@router.get("/zweiter-faktor")
@public
def show_second_factor(request: Request, person: Annotated[Person, Depends(half_signed_in)], weiter: str = "") -> Response:
    """Ask for the code, or set the second factor up."""
    if person.second_factor_proven:
        return RedirectResponse(local_path(weiter), 303)
    return _second_factor_page(request, person, blank(CodeForm), weiter)


def _second_factor_page(
    request: Request, person: Person, form: Filled[CodeForm], weiter: str, status_code: int = 200
) -> Response:
    secret = "" if person.has_second_factor else form.get("secret") or second_factor.new_secret()
    return page(
        request,
        "second_factor.html",
        status_code=status_code,
        form=form,
        weiter=weiter,
        email=person.email,
        secret=secret,
        picture=second_factor.qr_picture(secret, person.email, person.house) if secret else "",
    )


@router.post("/zweiter-faktor")
@public
def do_second_factor(
    request: Request, person: Annotated[Person, Depends(half_signed_in)], data: Data, weiter: str = ""
) -> Response:
    """The right code makes the session a whole one, under a new cookie."""
    form = filled(CodeForm, data)
    if form.value is None:
        form.errors = {"code": "Bitte die sechs Ziffern eingeben."}
        return _second_factor_page(request, person, form, weiter, 422)
    try:
        with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
            record_attempt(session, person.email, address_of(request))
    except LockedOutError as locked:
        events.note("Code gesperrt: Fehlversuche", address=address_of(request), login=person.login_id, refused=True)
        watch.locked_out(person.email, address_of(request))
        form.complain("code", str(locked))
        return _second_factor_page(request, person, form, weiter, 429)
    token = _proven(person, form.value)
    if token is None:
        events.note("Code abgelehnt", address=address_of(request), login=person.login_id, refused=True)
        form.complain("code", "Der Code stimmt nicht oder wurde schon benutzt. Bitte warten Sie auf den nächsten.")
        return _second_factor_page(request, person, form, weiter, 401)
    events.note("Zweiter Faktor richtig", address=address_of(request), login=person.login_id)
    response = RedirectResponse(local_path(weiter), 303)
    cookies.set_token(request, response, token, int(signin.LASTS.total_seconds()))
    watch.arrived(request, response, person.login_id, person.actor)
    return response


def _proven(person: Person, form: CodeForm) -> str | None:
    """The new session token when the code fits: a known second factor, or the first code of a new one."""
    with unit_of_work(person.actor, Role.PORTAL_STAFF) as session:
        login = session.get_one(Login, person.login_id, with_for_update=True)
        if login.totp_secret is not None:
            answer = second_factor.use(session, login, form.code)
            if answer is second_factor.Answer.USED:
                invitations.tell_change(session, login, invitations.USED_CODE)
            if answer is not second_factor.Answer.RIGHT:
                return None
        else:
            step = second_factor.matching_step(form.secret, form.code) if form.secret else None
            if step is None:
                return None
            second_factor.store(session, login, form.secret, step)
            invitations.tell_change(session, login, invitations.NEW_FACTOR)
        forgive(session, login.email)
        login.last_login_at = clock.now()
        return signin.renew_session(session, person.session_id)


@router.post("/abmelden")
@public
def do_sign_out(request: Request) -> Response:
    """End this browser's session, valid or not."""
    signin.sign_out(cookies.read_token(request))
    response = RedirectResponse("/anmelden?hinweis=abgemeldet", 303)
    cookies.drop_token(request, response)
    return response


@router.get("/kennwort-vergessen")
@public
def show_forgotten(request: Request) -> Response:
    """Ask for the address."""
    return page(request, "forgotten.html", form=blank(AddressForm))


def _mail_reset(email: str) -> None:
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        invitations.request_reset(session, email)


@router.post("/kennwort-vergessen")
@public
def do_forgotten(request: Request, data: Data, background: BackgroundTasks) -> Response:
    """The same answer in the same time, whether the address is known or not: the mail is queued afterwards."""
    form = filled(AddressForm, data)
    if form.value is None:
        return page(request, "forgotten.html", status_code=422, form=form)
    background.add_task(_mail_reset, form.value.email)
    return RedirectResponse("/anmelden?hinweis=unterwegs", 303, background=background)
