"""Logins of staff and contacts: who gets one, the mailed links that let a person choose a password, and choosing it.

A link holds 32 random bytes, the row their SHA-256; it is claimed by one UPDATE, so two clicks cannot both win. Mails are
rows of the outbox, written in the same transaction as their token.
"""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.around import house_content, the_house
from actions.mail.outbox import NewMail, queue
from integrations.documents.contents import ContactPerson
from integrations.mail.catalogue import access_changed_mail, password_reset_mail, portal_invitation_mail
from integrations.mail.types import MailTexts
from kit import clock, passwords
from kit.errors import ConflictError, NotFoundError
from kit.phone import international
from kit.settings import settings
from models.access import Login, LoginSession, MailToken, TokenPurpose
from models.parties import Contact, Customer, Employee, House, PortalLevel

INVITATION_DAYS = 7
RESET_HOURS = 2
_RESETS_PER_HOUR = 3
NEW_PASSWORD = "Ihr Kennwort wurde geändert"  # noqa: S105 - a sentence
NEW_FACTOR = "Ein zweiter Faktor wurde eingerichtet"
USED_CODE = "Ein schon benutzter Einmalcode wurde noch einmal eingegeben und abgelehnt"
NO_FACTOR = "Der zweite Faktor wurde entfernt"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a valid link belongs to."""

    login_id: int
    email: str
    name: str


def ensure_login(session: Session, email: str, password: str | None = None) -> Login:
    """The login of the employee or contact with this address; made if missing, with this password if it has none that fits.

    Raises: NotFoundError when nobody active has the address, ConflictError when contacts of several customers share it.
    """
    email = email.strip().lower()
    login = session.scalar(sa.select(Login).where(Login.email == email))
    if login is None:
        login = _new_login(session, email)
    if password is not None and not passwords.verify(login.password_hash, password):
        login.password_hash = passwords.hashed(password)
    session.flush()
    return login


def _new_login(session: Session, email: str) -> Login:
    employee = session.scalar(sa.select(Employee).where(Employee.email == email, Employee.active))
    if employee is not None:
        login = Login(email=email, employee_id=employee.id)
    else:
        contacts = session.scalars(
            sa.select(Contact).where(Contact.email == email, Contact.active, Contact.portal != PortalLevel.NONE)
        ).all()
        if len(contacts) > 1:
            raise ConflictError(
                f"Zugang für {email}: Mehrere Kunden führen diese Adresse als Ansprechpartner mit Portalzugang; "
                "bitte bei allen bis auf einen den Portalzugang auf »none« setzen."
            )
        if not contacts:
            raise NotFoundError(
                f"Zugang für {email}: Niemand mit dieser Adresse ist als aktiver Mitarbeiter oder als Ansprechpartner "
                "mit Portalzugang angelegt; bitte dort zuerst eintragen."
            )
        login = Login(email=email, contact_id=contacts[0].id, customer_id=contacts[0].customer_id)
    session.add(login)
    session.flush()
    return login


def invite(session: Session, email: str) -> Login:
    """Make sure that the login exists and mail its owner a link to choose a password. Earlier links end.

    Raises: NotFoundError, ConflictError (see ensure_login), MailContentError for an address that is none.
    """
    login = ensure_login(session, email)
    if not login.active:
        raise ConflictError(f"Zugang für {login.email}: Er ist gesperrt; bitte zuerst entsperren.")
    token, row = _new_token(session, login, TokenPurpose.INVITATION, dt.timedelta(days=INVITATION_DAYS))
    house = the_house(session)
    texts = portal_invitation_mail(
        house=house_content(house),
        contact=_questions_to(house),
        name=person_name(session, login),
        customer=_customer_name(session, login),
        link=f"{portal_address(house)}/einladung#{token}",
        valid_until=row.expires_at,
    )
    _queue(session, login, row, house, texts)
    return login


def first_link(session: Session, email: str) -> str:
    """The link of an invitation without a mail, for whoever runs the house's first sign-in. Earlier links end.

    Raises: NotFoundError, ConflictError (see ensure_login).
    """
    login = ensure_login(session, email)
    token, _ = _new_token(session, login, TokenPurpose.INVITATION, dt.timedelta(days=INVITATION_DAYS))
    return f"{portal_address(the_house(session))}/einladung#{token}"


def find_login(session: Session, email: str) -> Login:
    """The login with this address. Raises: NotFoundError."""
    login = session.scalar(sa.select(Login).where(Login.email == email.strip().lower()))
    if login is None:
        raise NotFoundError(f"Zugang für {email}: gibt es nicht. Einladen: drehkreuz login invite {email}")
    return login


def request_reset(session: Session, email: str) -> bool:
    """Answer "Kennwort vergessen"; whether a mail was queued. The page says the same in both cases."""
    login = session.scalar(sa.select(Login).where(Login.email == email.strip().lower(), Login.active))
    if login is None or not has_entrance(session, login):
        return False
    recent = session.scalar(
        sa.select(sa.func.count(MailToken.id)).where(
            MailToken.login_id == login.id,
            MailToken.purpose == TokenPurpose.PASSWORD_RESET,
            MailToken.created_at > clock.now() - dt.timedelta(hours=1),
        )
    )
    if recent is not None and recent >= _RESETS_PER_HOUR:
        return False
    token, row = _new_token(session, login, TokenPurpose.PASSWORD_RESET, dt.timedelta(hours=RESET_HOURS))
    house = the_house(session)
    texts = password_reset_mail(
        house=house_content(house),
        contact=_questions_to(house),
        name=person_name(session, login),
        link=f"{portal_address(house)}/kennwort#{token}",
        valid_until=row.expires_at,
    )
    _queue(session, login, row, house, texts)
    return True


def invited(session: Session, token: str, purpose: TokenPurpose) -> Invited | None:
    """Whose link this is, as long as it is valid. Looking claims nothing (mail programs open links by themselves)."""
    login = session.scalar(sa.select(Login).join(MailToken, MailToken.login_id == Login.id).where(*_valid(token, purpose)))
    return Invited(login.id, login.email, person_name(session, login)) if login is not None else None


def accept(session: Session, token: str, purpose: TokenPurpose, password: str) -> Login | None:
    """Claim the link and set the password; None when the link is used, expired or unknown. All sessions of the login end.

    Raises: WeakPasswordError, and the link stays valid.
    """
    known = invited(session, token, purpose)
    if known is None:
        return None
    passwords.check_strength(password, known.email)
    claimed = session.scalar(
        sa.update(MailToken).where(*_valid(token, purpose)).values(used_at=clock.now()).returning(MailToken.login_id)
    )
    if claimed is None:
        return None
    login = session.get_one(Login, claimed)
    set_password(session, login, password)
    return login


def set_password(session: Session, login: Login, password: str, *, keep_session: int | None = None) -> None:
    """A new password; whoever is signed in with the old one is signed out (but for `keep_session`), and mailed links end.

    Raises: WeakPasswordError.
    """
    passwords.check_strength(password, login.email)
    if login.password_hash is not None:
        tell_change(session, login, NEW_PASSWORD)
    login.password_hash = passwords.hashed(password)
    ended = sa.delete(LoginSession).where(LoginSession.login_id == login.id)
    session.execute(ended if keep_session is None else ended.where(LoginSession.id != keep_session))
    _end_links(session, login)
    session.flush()


def tell_change(session: Session, login: Login, what: str) -> None:
    """Mail the person what was changed about its access, whoever did it (ASVS 2.2.3, 2.5.5)."""
    house, now = the_house(session), clock.now()
    texts = access_changed_mail(
        house=house_content(house),
        contact=_questions_to(house),
        name=person_name(session, login),
        what=what,
        at=now,
        link=f"{portal_address(house)}/kennwort-vergessen",
    )
    key = f"access_changed:{login.id}:{now:%Y%m%d%H%M%S%f}"
    queue(session, house, [NewMail(key, "access_changed", (login.email,), texts, login.customer_id)])


def has_entrance(session: Session, login: Login) -> bool:
    """Whether the person behind the login is still active with us."""
    if login.employee_id is not None:
        return bool(session.scalar(sa.select(Employee.active).where(Employee.id == login.employee_id)))
    level = session.execute(sa.select(Contact.active, Contact.portal).where(Contact.id == login.contact_id)).one()
    return level.active and level.portal is not PortalLevel.NONE


def person_name(session: Session, login: Login) -> str:
    """First and last name of the person behind the login."""
    person: type[Employee | Contact] = Employee if login.employee_id is not None else Contact
    key = login.employee_id if login.employee_id is not None else login.contact_id
    first, last = session.execute(sa.select(person.first_name, person.last_name).where(person.id == key)).one()
    return f"{first} {last}"


def portal_address(house: House) -> str:
    """Where people reach the portal, without a slash at the end; never taken from a request."""
    own = settings()
    return (own.portal_url or house.portal_url or f"http://localhost:{own.portal_port or 8000}").rstrip("/")


def _valid(token: str, purpose: TokenPurpose) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        MailToken.token_sha256 == hashlib.sha256(token.encode()).digest(),
        MailToken.purpose == purpose,
        MailToken.used_at.is_(None),
        MailToken.expires_at > clock.now(),
    )


def _end_links(session: Session, login: Login) -> None:
    session.execute(
        sa.update(MailToken).where(MailToken.login_id == login.id, MailToken.used_at.is_(None)).values(used_at=clock.now())
    )


def _new_token(session: Session, login: Login, purpose: TokenPurpose, valid: dt.timedelta) -> tuple[str, MailToken]:
    _end_links(session, login)
    token = secrets.token_urlsafe(32)
    row = MailToken(
        token_sha256=hashlib.sha256(token.encode()).digest(),
        purpose=purpose,
        login_id=login.id,
        expires_at=clock.now() + valid,
    )
    session.add(row)
    session.flush()
    return token, row


def _questions_to(house: House) -> ContactPerson:
    return ContactPerson(name="Unser Service-Team", role="", phone=international(house.phone), email=house.email)


def _customer_name(session: Session, login: Login) -> str:
    if login.customer_id is None:
        return ""
    return session.scalars(sa.select(Customer.name).where(Customer.id == login.customer_id)).one()


def _queue(session: Session, login: Login, token: MailToken, house: House, texts: MailTexts) -> None:
    kind = token.purpose.value
    queue(session, house, [NewMail(f"{kind}:{token.id}", kind, (login.email,), texts, login.customer_id)])
