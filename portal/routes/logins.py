"""Verwaltung: who may sign in, invitations, locks, lost phones; and which role may do what."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from actions import invitations
from kit.errors import DrehkreuzError, NotFoundError
from models.access import Login
from models.parties import StaffRole
from models.watching import AccessKind
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import people
from portal.rights import RIGHTS, STAFF_ROLES
from portal.security import second_factor, signin
from portal.security.lockout import forgive
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/verwaltung")
NAV = (
    NavEntry(
        Section.ADMINISTRATION, "Zugänge", "/verwaltung/zugaenge", "users", ("verwaltung.zugaenge",), order=10, shortcut="z"
    ),
    NavEntry(
        Section.ADMINISTRATION, "Rollen und Rechte", "/verwaltung/rechte", "shield-check", ("verwaltung.zugaenge",), order=20
    ),
)
Manage = Annotated[Person, Depends(need("verwaltung.zugaenge"))]
LIST = Crumb("Zugänge", "/verwaltung/zugaenge")
HOME = "/verwaltung/zugaenge"


class InviteForm(Form):
    """Who is invited."""

    email: str = Field(min_length=3, max_length=254)


class ResetForm(Form):
    """How somebody was known who asks for a new second factor."""

    way: Literal[
        "Persönlich, mit Ausweis oder bekannt",
        "Rückruf unter der hinterlegten Nummer",
        "Videogespräch mit Ausweis",
        "Bestätigung durch die Leitung",
    ]
    note: str = Field(min_length=second_factor.PROOF, max_length=400)


WAYS: tuple[str, ...] = get_args(ResetForm.model_fields["way"].annotation)


@router.get("/zugaenge", dependencies=[reads.noted(AccessKind.STAFF_LIST)])
def list_logins(
    request: Request, person: Manage, session: StaffSession, *, seite: int = 1, suche: str = "", kreis: str = ""
) -> Response:
    """People of the house, or contacts of customers."""
    del person
    customers = kreis == "kunden"
    return page(
        request,
        "logins.html",
        crumbs=(LIST,),
        people=(people.contacts if customers else people.staff)(session, seite, suche),
        customers=customers,
        query={"suche": suche, "kreis": kreis},
        roles=StaffRole,
    )


@router.post("/zugaenge/einladen")
def invite(request: Request, person: Manage, session: StaffSession, data: Data) -> Response:
    """Mail a link to choose a password."""
    del person
    form = filled(InviteForm, data)
    if form.value is None:
        return go(request, HOME, "Bitte geben Sie eine E-Mail-Adresse an.", "warning")
    try:
        with session.begin_nested():
            login = invitations.invite(session, form.value.email)
    except DrehkreuzError as refusal:
        return go(request, HOME, str(refusal), "danger")
    back = HOME if login.customer_id is None else f"{HOME}?kreis=kunden"
    return go(request, back, f"Die Einladung an {login.email} ist unterwegs. Sie gilt {invitations.INVITATION_DAYS} Tage.")


def _login(session: StaffSession, login_id: int, person: Person) -> Login:
    login = session.get(Login, login_id, with_for_update=True)
    if login is None:
        raise NotFoundError("Zugang: Diesen gibt es nicht.")
    if login.id == person.login_id:
        raise DrehkreuzError("Zugang: Den eigenen ändern Sie unter »Mein Konto«; sperren kann ihn nur jemand anderes.")
    return login


def _back(login: Login) -> str:
    return HOME if login.customer_id is None else f"{HOME}?kreis=kunden"


@router.get("/zugaenge/{login_id}")
def show_login(request: Request, person: Manage, session: StaffSession, login_id: int) -> Response:
    """One login with what may be done about it."""
    login = session.get(Login, login_id)
    if login is None:
        raise NotFoundError("Zugang: Diesen gibt es nicht.")
    return page(
        request,
        "login.html",
        crumbs=(LIST, Crumb(login.email)),
        login=login,
        name=invitations.person_name(session, login),
        sessions=people.sessions_of(session, login.id),
        own=login.id == person.login_id,
    )


@router.post("/zugaenge/{login_id}/sperren")
def lock(request: Request, person: Manage, session: StaffSession, login_id: int) -> Response:
    """No signing in any more; whoever is signed in is out at once."""
    login = _login(session, login_id, person)
    login.active = False
    signin.sign_out_everywhere(session, login.id)
    return go(request, _back(login), f"Der Zugang {login.email} ist gesperrt.", "warning")


@router.post("/zugaenge/{login_id}/entsperren")
def unlock(request: Request, person: Manage, session: StaffSession, login_id: int) -> Response:
    """Let the person in again; failed attempts are forgotten."""
    login = _login(session, login_id, person)
    login.active = True
    forgive(session, login.email)
    return go(request, _back(login), f"Der Zugang {login.email} ist entsperrt.")


def _reset_page(
    request: Request, session: StaffSession, login: Login, form: Filled[ResetForm], status_code: int = 200
) -> Response:
    return page(
        request,
        "login_factor.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(login.email, f"{HOME}/{login.id}"), Crumb("Zweiter Faktor")),
        login=login,
        name=invitations.person_name(session, login),
        ways=[(way, way) for way in WAYS],
        form=form,
    )


@router.get("/zugaenge/{login_id}/zweiter-faktor")
def ask_reset(request: Request, person: Manage, session: StaffSession, login_id: int) -> Response:
    """Ask how the person was known."""
    return _reset_page(request, session, _login(session, login_id, person), blank(ResetForm))


@router.post("/zugaenge/{login_id}/zweiter-faktor")
def reset_factor(request: Request, person: Manage, session: StaffSession, login_id: int, data: Data) -> Response:
    """The phone is lost: the next sign-in sets up a new second factor. Whoever takes it away says how the person was known."""
    login = _login(session, login_id, person)
    form = filled(ResetForm, data)
    if form.value is None:
        return _reset_page(request, session, login, form, 422)
    second_factor.reset(session, login, f"{form.value.way}: {form.value.note}")
    return go(request, _back(login), f"Der zweite Faktor von {login.email} ist zurückgesetzt.", "warning")


@router.post("/zugaenge/{login_id}/abmelden")
def sign_out(request: Request, person: Manage, session: StaffSession, login_id: int) -> Response:
    """End all sessions of this person."""
    login = _login(session, login_id, person)
    ended = signin.sign_out_everywhere(session, login.id)
    return go(request, f"{HOME}/{login.id}", f"{ended} Anmeldungen sind beendet.")


@router.get("/rechte")
def show_rights(request: Request, person: Manage) -> Response:
    """Which role may do what."""
    del person
    rights = [(name, text) for name, text in RIGHTS.items() if not name.startswith("kunde.")]
    return page(
        request,
        "rights.html",
        crumbs=(Crumb("Rollen und Rechte"),),
        rights=rights,
        roles=[(role, STAFF_ROLES[role]) for role in StaffRole],
    )
