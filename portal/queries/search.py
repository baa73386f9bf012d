"""One search over what has a number: reports, invoices, services, tasks, customers (S166)."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.billing import Invoice, ServiceReport
from models.parties import Customer
from models.plumbing import ArchivedObject
from models.service_desk import Ticket, TicketKind
from models.work import ServiceEntry
from portal.queries.billing import matches
from portal.security.person import Person

LIMIT = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what it is, its number, a second line, and where it is."""

    kind: str
    number: str
    about: str
    path: str


def found(session: Session, person: Person, text: str) -> list[Hit]:
    """What the person may see of what matches, the most telling kinds first; at most ten of each."""
    hits: list[Hit] = []
    if person.may("dokument.sehen"):
        hits += _reports(session, text)
    if person.may("abrechnung.sehen"):
        hits += _invoices(session, text)
    if person.may("leistung.sehen"):
        hits += _entries(session, text)
    if person.may("stamm.sehen"):
        hits += _customers(session, text)
    if person.may("aufgabe.sehen"):
        hits += _tasks(session, person, text)
    return hits


def _reports(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        sa.select(ServiceReport.number, ServiceReport.month, Customer.name, ArchivedObject.id)
        .join(Customer, Customer.id == ServiceReport.customer_id)
        .join(ArchivedObject, ArchivedObject.key == ServiceReport.archive_key)
        .where(matches(text, ServiceReport.number))
        .order_by(ServiceReport.number)
        .limit(LIMIT)
    ).tuples()
    return [Hit("Servicebericht", n or "", f"{name}, {month}", f"/archiv/{file}/{n}.pdf") for n, month, name, file in rows]


def _invoices(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        sa.select(Invoice.number, Invoice.month, Customer.name)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(matches(text, Invoice.number))
        .order_by(Invoice.number)
        .limit(LIMIT)
    ).tuples()
    return [Hit("Rechnung", n or "", f"{name}, {month}", f"/rechnungen/{n}") for n, month, name in rows]


def _entries(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        sa.select(ServiceEntry.key, ServiceEntry.work_date, Customer.name)
        .join(Customer, Customer.id == ServiceEntry.customer_id)
        .where(ServiceEntry.key == text)
        .limit(LIMIT)
    ).tuples()
    return [Hit("Leistung", key, f"{name}, {day:%d.%m.%Y}", f"/leistungen/{key}") for key, day, name in rows]


def _customers(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        sa.select(Customer.number, Customer.name)
        .where(matches(text, Customer.number, Customer.name))
        .order_by(Customer.name)
        .limit(LIMIT)
    ).tuples()
    return [Hit("Kunde", number, name, f"/kunden/{number}") for number, name in rows]


def _tasks(session: Session, person: Person, text: str) -> list[Hit]:
    rows = session.execute(
        sa.select(Ticket.number, Ticket.subject)
        .where(Ticket.kind == TicketKind.TASK, Ticket.role.in_(person.roles), matches(text, Ticket.number, Ticket.subject))
        .order_by(Ticket.number.desc())
        .limit(LIMIT)
    ).tuples()
    return [Hit("Aufgabe", number, subject, f"/aufgaben/{number}") for number, subject in rows]
