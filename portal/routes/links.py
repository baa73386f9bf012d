"""What the links of mails lead to: an invitation, a new password (ASVS 8.3.1).

The code of a link stands behind the `#`, the part of an address that no browser sends to anybody: not into the log of a web
server, not as a referrer. A script of ours puts it into the form and sends that; without scripts it is pasted. Until the
password is saved nothing is used up, however often mail programs open the link.
"""

import re
from dataclasses import asdict
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import Field
from starlette.datastructures import FormData

from actions import invitations
from kit.database import Role, unit_of_work
from kit.passwords import MINIMUM, WeakPasswordError, strength
from models.access import TokenPurpose
from portal.forms import Data, Filled, Form, blank, filled
from portal.pages import page
from portal.security import events
from portal.security.lockout import forgive
from portal.security.person import public
from portal.security.signin import ACTOR
from portal.security.watch import address_of

router = APIRouter()

PLACES = {TokenPurpose.INVITATION: "/einladung", TokenPurpose.PASSWORD_RESET: "/kennwort"}


class CodeForm(Form):
    """The code of a link, or all of the link, as it was pasted."""

    code: str = Field(min_length=1, max_length=500)


class NewPasswordForm(Form):
    """Kennwort festlegen, twice the same."""

    code: str = Field(min_length=1, max_length=500)
    password: str = Field(min_length=1, max_length=1000)
    again: str = Field(min_length=1, max_length=1000)


def _code(data: FormData) -> str:
    """The code alone, whether it or the whole link was pasted."""
    return re.split(r"[#/]", str(data.get("code") or "").strip())[-1][:200]


def _ask(request: Request, purpose: TokenPurpose, form: Filled[CodeForm], status_code: int = 200) -> Response:
    return page(
        request,
        "link.html",
        status_code=status_code,
        form=form,
        place=PLACES[purpose],
        invitation=purpose is TokenPurpose.INVITATION,
    )


def _ended(request: Request, purpose: TokenPurpose) -> Response:
    return page(request, "link_ended.html", status_code=410, invitation=purpose is TokenPurpose.INVITATION)


def _new_password_page(
    request: Request, code: str, purpose: TokenPurpose, form: Filled[NewPasswordForm], status_code: int = 200
) -> Response:
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        who = invitations.invited(session, code, purpose)
    if who is None:
        return _ended(request, purpose)
    return page(
        request,
        "new_password.html",
        status_code=status_code,
        form=form,
        who=who,
        code=code,
        place=PLACES[purpose],
        invitation=purpose is TokenPurpose.INVITATION,
        minimum=MINIMUM,
    )


def _followed(request: Request, purpose: TokenPurpose, data: FormData) -> Response:
    """The code alone opens the form for the password; code and password claim the link."""
    if "password" in data:
        return _take_new_password(request, _code(data), purpose, data)
    form = filled(CodeForm, data)
    if form.value is None:
        return _ask(request, purpose, form, 422)
    return _new_password_page(request, _code(data), purpose, blank(NewPasswordForm))


def _take_new_password(request: Request, code: str, purpose: TokenPurpose, data: FormData) -> Response:
    form = filled(NewPasswordForm, data)
    if form.value is None or form.value.password != form.value.again:
        form.errors.setdefault("again", "Beide Eingaben müssen gleich sein.")
        return _new_password_page(request, code, purpose, form, 422)
    try:
        with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
            login = invitations.accept(session, code, purpose, form.value.password)
            if login is not None:
                events.note("Kennwort über einen Link gesetzt", address=address_of(request), login=login.id)
                forgive(session, login.email)
    except WeakPasswordError as weak:
        form.complain("password", str(weak))
        return _new_password_page(request, code, purpose, form, 422)
    if login is None:
        return _ended(request, purpose)
    return RedirectResponse("/anmelden?hinweis=kennwort", 303)


def judged(data: FormData, email: str) -> Response:
    """Level 0 to 4 and a sentence about the typed password, for the display beside its field."""
    typed = str(data.get("password") or "")[:1000]
    return JSONResponse(asdict(strength(typed, email)))


def _judged_by_link(purpose: TokenPurpose, data: FormData) -> Response:
    """Only for whoever holds a valid link: judging costs time."""
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        who = invitations.invited(session, _code(data), purpose)
    return judged(data, who.email) if who is not None else JSONResponse({}, 410)


def _moved(purpose: TokenPurpose, token: str) -> Response:
    """A link of a mail from before its code stood behind the `#`: it goes on there, until it expires."""
    return RedirectResponse(f"{PLACES[purpose]}#{quote(token)}", 303)


@router.get("/einladung")
@public
def show_invitation(request: Request) -> Response:
    """Ask for the code; a script answers by itself."""
    return _ask(request, TokenPurpose.INVITATION, blank(CodeForm))


@router.post("/einladung")
@public
def follow_invitation(request: Request, data: Data) -> Response:
    """Choose the first password, or claim the invitation with it."""
    return _followed(request, TokenPurpose.INVITATION, data)


@router.post("/einladung/staerke")
@public
def judge_invitation(data: Data) -> Response:
    """How good the first password is, while it is typed."""
    return _judged_by_link(TokenPurpose.INVITATION, data)


@router.get("/einladung/{token}")
@public
def old_invitation(token: str) -> Response:
    """The form of links in mails of version 0.1."""
    return _moved(TokenPurpose.INVITATION, token)


@router.get("/kennwort")
@public
def show_reset(request: Request) -> Response:
    """Ask for the code; a script answers by itself."""
    return _ask(request, TokenPurpose.PASSWORD_RESET, blank(CodeForm))


@router.post("/kennwort")
@public
def follow_reset(request: Request, data: Data) -> Response:
    """Choose a new password, or claim the link with it."""
    return _followed(request, TokenPurpose.PASSWORD_RESET, data)


@router.post("/kennwort/staerke")
@public
def judge_reset(data: Data) -> Response:
    """How good the new password is, while it is typed."""
    return _judged_by_link(TokenPurpose.PASSWORD_RESET, data)


@router.get("/kennwort/{token}")
@public
def old_reset(token: str) -> Response:
    """The form of links in mails of version 0.1."""
    return _moved(TokenPurpose.PASSWORD_RESET, token)
