"""A small house with everything that pages show: people of all roles, customers, work, a released month, post."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.invitations import ensure_login
from kit import clock
from models.access import Login
from models.parties import Customer, Employee, StaffRole
from models.work import EntryState
from portal.security.signin import open_session
from rules.month import Month
from tests import factories as make

PASSWORD = "richtig gutes Kennwort 7"
LAST = Month.of(clock.today()).plus(-1)
"""The month that is to be billed."""

PEOPLE = {
    StaffRole.TECHNICIAN: ("Tilda", "Techow"),
    StaffRole.DISPATCHER: ("Detlef", "Disse"),
    StaffRole.ACCOUNT_MANAGER: ("Karin", "Kamp"),
    StaffRole.BACK_OFFICE: ("Ines", "Innert"),
    StaffRole.MATERIALS: ("Mats", "Lagerström"),
    StaffRole.MONITORING: ("Mona", "Mohr"),
    StaffRole.SERVICE_HEAD: ("Selma", "Leitner"),
    StaffRole.OPERATOR: ("Ole", "Opitz"),
}


@dataclass
class World:
    """Ids to ask for; `token` signs a person in without the form."""

    people: dict[str, Employee] = field(default_factory=dict)
    customers: list[Customer] = field(default_factory=list)
    contact_email: str = ""


def email_of(role: str) -> str:
    return f"{role.replace('_', '.')}@probehaus.example"


def people(session: Session, world: World) -> None:
    """One person per role, with a login."""
    for role, (first, last) in PEOPLE.items():
        person = make.employee(session, email=email_of(role), first_name=first, last_name=last, roles=[role.value])
        world.people[role.value] = person
        ensure_login(session, person.email)


def customers(session: Session, world: World, count: int = 3) -> None:
    """Customers with agreement and contact; the first has a Kontingent, the second nobody who receives reports."""
    names = ("Bäckerei Brömmelkamp GmbH", "Autohaus Öztürk KG", "Praxis Dr. Weiß", "Zimmerei Höfer", "Kanzlei Lüth & Partner")
    for index in range(count):
        customer = make.customer(
            session,
            number=f"K{1001 + index}",
            name=names[index % len(names)],
            account_manager_id=world.people["account_manager"].id,
        )
        world.customers.append(customer)
        make.agreement(session, customer)
        functions = ["main"] if index == 1 else ["service_report", "main"]
        if index != 1:
            contact = make.contact(
                session,
                customer,
                functions=functions,
                portal="reporter" if index == 0 else "none",
                email=f"kontakt{index}@kunde.example",
            )
            if index == 0:
                world.contact_email = contact.email
                ensure_login(session, contact.email)
    make.contract(session, world.customers[0], overdraft_allowed=True, starts_on=dt.date(2026, 1, 1))


def work(session: Session, world: World, approved: int = 4, captured: int = 3) -> None:
    """Entries of last month at every customer: approved ones, and the last `captured` at the first customer still open."""
    texts = (
        "Druckertreiber erneuert und Testseite gedruckt.",
        "VPN-Zugang für zwei neue Mitarbeiterinnen eingerichtet, Anleitung übergeben.",
        "Firewall-Regel für die Telefonanlage angepasst.",
        "Datensicherung geprüft, Rücksicherung einer Datei vorgeführt.",
    )
    technician = world.people["technician"]
    for index, customer in enumerate(world.customers):
        ticket = make.ticket(
            session, customer, subject=("Drucker druckt nicht", "VPN bricht ab", "Sicherung prüfen")[index % 3]
        )
        for n in range(approved):
            billable = n != 3
            make.entry(
                session, customer, technician, ticket,
                key=f"L-{index + 1}{n:02}", work_date=LAST.first_day + dt.timedelta(days=3 + n), minutes=45 + 30 * n,
                text=texts[n % 4], trips=1 if n == 1 else 0, billable=billable,
                non_billable_reason=None if billable else "Kulanz nach Rückfrage",
            )  # fmt: skip
    ticket = make.ticket(session, world.customers[0], subject="Postfach voll")
    for n in range(captured):
        make.entry(
            session, world.customers[0], technician, ticket,
            key=f"L-9{n:02}", work_date=LAST.first_day + dt.timedelta(days=10 + n), minutes=30 + n,
            text=texts[n % 4], state=EntryState.CAPTURED, approved_by=None, approved_at=None,
        )  # fmt: skip


def build(session: Session, **sizes: int) -> World:
    """The whole house, nothing released yet."""
    world = World()
    make.house(session, phone="+49 2581 55500")
    people(session, world)
    customers(session, world, sizes.get("customers", 3))
    work(session, world, sizes.get("approved", 4), sizes.get("captured", 3))
    session.flush()
    return world


def token_for(session: Session, email: str, *, second_factor: bool = True) -> str:
    """A session for this person, as if signed in."""
    login = session.scalars(sa.select(Login).where(Login.email == email)).one()
    return open_session(session, login, "Mozilla/5.0 (X11; Linux x86_64) Chrome/156", second_factor=second_factor)


NET = Decimal("95.00")
