"""The person behind a request, and the rights that routes ask for."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from actions import restoration
from kit import clock
from kit.database import Role, unit_of_work
from kit.settings import settings
from models.access import Login, LoginSession
from models.parties import Contact, Employee, House, PortalLevel
from portal.rights import RIGHTS, customer_rights, staff_rights
from portal.security.cookies import read_token
from portal.security.signin import ACTOR, IDLE, LASTS, token_hash

_SEEN_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. `customer_id` is None for the people of the house."""

    login_id: int
    session_id: int
    email: str
    name: str
    employee_id: int | None
    customer_id: int | None
    roles: tuple[str, ...]
    rights: frozenset[str]
    house: str
    has_second_factor: bool
    second_factor_proven: bool
    notice: str
    """What all of the house must know at this moment; empty for customers."""
    started_at: dt.datetime = field(compare=False)

    @property
    def staff(self) -> bool:
        return self.customer_id is None

    @property
    def actor(self) -> str:
        """How the audit trail names this person."""
        return f"{'employee' if self.staff else 'contact'}:{self.email}"

    def may(self, right: str) -> bool:
        """Whether the person has the right."""
        if right not in RIGHTS:
            raise KeyError(right)
        return right in self.rights


class SignInRequiredError(Exception):
    """Nobody is signed in."""


class SecondFactorRequiredError(Exception):
    """The password was right, the second factor is still to come (or to be set up)."""


class NotAllowedError(Exception):
    """Signed in, but without the right that this page asks for."""


def second_factor_rule() -> bool:
    """Whether the people of the house must have a second factor."""
    return settings().second_factor == "required"


def _found(session: Session, token: str) -> Any | None:
    now = clock.now()
    return session.execute(
        sa.select(
            Login.id,
            Login.email,
            Login.customer_id,
            Login.totp_secret.is_not(None).label("has_factor"),
            LoginSession.id.label("session_id"),
            LoginSession.second_factor,
            LoginSession.last_seen_at,
            LoginSession.created_at,
            Employee.id.label("employee_id"),
            Employee.roles,
            sa.func.coalesce(Employee.first_name, Contact.first_name).label("first_name"),
            sa.func.coalesce(Employee.last_name, Contact.last_name).label("last_name"),
            Contact.portal,
            sa.select(House.name).limit(1).scalar_subquery().label("house"),
        )
        .join(LoginSession, LoginSession.login_id == Login.id)
        .outerjoin(Employee, sa.and_(Employee.id == Login.employee_id, Employee.active))
        .outerjoin(Contact, sa.and_(Contact.id == Login.contact_id, Contact.active, Contact.portal != PortalLevel.NONE))
        .where(
            LoginSession.token_sha256 == token_hash(token),
            LoginSession.expires_at.between(now, now + LASTS + _SEEN_EVERY),  # further away: begun by a clock that was ahead
            LoginSession.last_seen_at > now - IDLE,
            Login.active,
            sa.or_(Employee.id.is_not(None), Contact.id.is_not(None)),
        )
    ).one_or_none()


def identify(token: str) -> Person | None:
    """Who holds this token, or None. Notes at most once a minute that the person was seen."""
    if not token:
        return None
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        row = _found(session, token)
        if row is None:
            return None
        if row.last_seen_at < clock.now() - _SEEN_EVERY:
            session.execute(sa.update(LoginSession).where(LoginSession.id == row.session_id).values(last_seen_at=clock.now()))
        held = restoration.why_held(session)
    staff = row.employee_id is not None
    return Person(
        login_id=row.id,
        session_id=row.session_id,
        email=row.email,
        name=f"{row.first_name} {row.last_name}",
        employee_id=row.employee_id,
        customer_id=None if staff else row.customer_id,
        roles=tuple(row.roles or ()),
        rights=staff_rights(row.roles) if staff else customer_rights(row.portal),
        house=row.house or "Drehkreuz",
        has_second_factor=row.has_factor,
        second_factor_proven=row.second_factor,
        notice=held if staff else "",
        started_at=row.created_at,
    )


def half_signed_in(request: Request) -> Person:
    """Somebody whose password was right, the second factor proven or not. Raises: SignInRequiredError."""
    person = identify(read_token(request))
    if person is None:
        raise SignInRequiredError
    return person


def signed_in(request: Request, person: Annotated[Person, Depends(half_signed_in)]) -> Person:
    """Somebody who is wholly signed in. Raises: SignInRequiredError, SecondFactorRequiredError."""
    due = person.has_second_factor or (person.staff and second_factor_rule())
    if due and not person.second_factor_proven:
        raise SecondFactorRequiredError
    request.state.person = person
    return person


class need:  # noqa: N801 - reads as a word in the signature of a route
    """Dependency: a signed-in person with this right, e.g. `Annotated[Person, Depends(need("post.sehen"))]`."""

    def __init__(self, *rights: str) -> None:
        """Any one of the rights suffices. Raises: KeyError for a right that does not exist."""
        unknown = set(rights) - set(RIGHTS)
        if unknown or not rights:
            raise KeyError(f"unbekanntes Recht: {', '.join(sorted(unknown)) or 'keines'}")
        self.rights = rights

    def __call__(self, person: Annotated[Person, Depends(signed_in)]) -> Person:
        if not any(person.may(right) for right in self.rights):
            raise NotAllowedError
        return person


def public(endpoint: Any) -> Any:
    """Mark a route that anybody may call: signing in, health."""
    endpoint.public = True
    return endpoint


def _staff_session(person: Annotated[Person, Depends(signed_in)]) -> Iterator[Session]:
    if not person.staff:
        raise NotAllowedError
    with unit_of_work(person.actor, Role.PORTAL_STAFF) as session:
        yield session


def _customer_session(person: Annotated[Person, Depends(signed_in)]) -> Iterator[Session]:
    if person.staff:
        raise NotAllowedError
    with unit_of_work(person.actor, Role.PORTAL_CUSTOMER, person.customer_id) as session:
        yield session


StaffSession = Annotated[Session, Depends(_staff_session, scope="function")]
"""The request's transaction for a page of the house; committed before the answer leaves."""

CustomerSession = Annotated[Session, Depends(_customer_session, scope="function")]
"""The request's transaction for a customer's page, in the role that sees only that customer's rows."""
