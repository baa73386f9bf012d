"""Who may sign in, who could, and when somebody last did."""

from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from models.access import Login, LoginSession
from models.parties import Contact, Customer, Employee, PortalLevel
from portal.paging import PER_PAGE, Page, paged
from portal.queries.billing import matches

_LOGIN = (
    Login.id.label("login_id"),
    Login.active.label("login_active"),
    Login.password_hash.is_not(None).label("has_password"),
    Login.totp_secret.is_not(None).label("has_factor"),
    Login.last_login_at,
)


class Listed(Protocol):
    """What both lists say of a login; `login_id` is None where there is none."""

    login_id: int | None
    login_active: bool | None
    has_password: bool | None


def staff(session: Session, number: int, search: str = "", per_page: int = PER_PAGE) -> Page[Any]:
    """Active people of the house, with their login if they have one."""
    statement = (
        sa.select(Employee.email, Employee.first_name, Employee.last_name, Employee.roles, *_LOGIN)
        .outerjoin(Login, Login.employee_id == Employee.id)
        .where(Employee.active)
        .order_by(Employee.last_name, Employee.first_name)
    )
    if search:
        statement = statement.where(matches(search, Employee.email, Employee.first_name, Employee.last_name))
    return paged(session, statement, number, per_page)


def contacts(session: Session, number: int, search: str = "", per_page: int = PER_PAGE) -> Page[Any]:
    """Contacts of customers that may have a login."""
    statement = (
        sa.select(Contact.email, Contact.first_name, Contact.last_name, Contact.portal, Customer.name, Customer.number, *_LOGIN)
        .join(Customer, Customer.id == Contact.customer_id)
        .outerjoin(Login, Login.contact_id == Contact.id)
        .where(Contact.active, Contact.portal != PortalLevel.NONE)
        .order_by(Customer.name, Contact.last_name, Contact.first_name)
    )
    if search:
        statement = statement.where(
            matches(search, Contact.email, Contact.first_name, Contact.last_name, Customer.name, Customer.number)
        )
    return paged(session, statement, number, per_page)


def sessions_of(session: Session, login_id: int) -> int:
    """How many browsers are signed in."""
    return session.scalars(
        sa.select(sa.func.count(LoginSession.id)).where(
            LoginSession.login_id == login_id, LoginSession.expires_at > clock.now()
        )
    ).one()


def names(session: Session) -> dict[str, str]:
    """Name of every person of the house by address, for what the rows say of who did something."""
    rows = session.execute(sa.select(Employee.email, Employee.first_name, Employee.last_name)).tuples()
    return {email: f"{first} {last}" for email, first, last in rows}
