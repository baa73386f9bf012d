"""One search over what people call by a number or a name; every word has to fit (S166)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.assets import Asset
from models.billing import Invoice, ServiceReport
from models.contracts import Contract, ContractKind
from models.maintenance import DueDate
from models.parties import Contact, Customer
from models.plumbing import ArchivedObject
from models.service_desk import Ticket, TicketKind
from models.work import ServiceEntry
from portal.labels import label
from portal.queries.billing import matches
from portal.security.person import Person

LIMIT = 10
_WORDS = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: its number or name, a second line, and where it is.

    `keys`: what names it and nothing else; whoever types one of them wants exactly this.
    """

    number: str
    about: str
    path: str
    keys: tuple[str, ...] = ()
    state: object = None


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind; `more` when there are others beyond the limit."""

    title: str
    icon: str
    hits: tuple[Hit, ...]
    more: bool


def _all_words(text: str, *columns: Any) -> sa.ColumnElement[bool]:
    return sa.and_(*(matches(word, *columns) for word in text.split()[:_WORDS]))


def found(session: Session, person: Person, text: str) -> list[Group]:
    """What this person may see of what fits, by kind; at most ten of each, the newest first."""
    kinds: Sequence[tuple[str, str, str, Callable[[Session, Person, str], list[Hit]]]] = (
        ("stamm.sehen", "Kunden", "building", _customers),
        ("stamm.sehen", "Ansprechpartner", "user", _contacts),
        ("dokument.sehen", "Serviceberichte", "file-text", _reports),
        ("abrechnung.sehen", "Rechnungen", "receipt-euro", _invoices),
        ("aufgabe.sehen", "Aufgaben", "list-check", _tasks),
        ("stamm.sehen", "Tickets", "headset", _tickets),
        ("asset.sehen", "Assets", "devices", _assets),
        ("stamm.sehen", "Verträge", "report-money", _contracts),
        ("leistung.sehen", "Leistungen", "checklist", _entries),
    )
    groups = []
    for right, title, icon, find in kinds:
        if person.may(right) and (hits := find(session, person, text)):
            groups.append(Group(title, icon, tuple(hits[:LIMIT]), len(hits) > LIMIT))
    return groups


def exact(groups: Sequence[Group], text: str) -> Hit | None:
    """The only one that bears exactly this name."""
    wanted = text.casefold()
    hits = [hit for group in groups for hit in group.hits if wanted in {key.casefold() for key in hit.keys}]
    return hits[0] if len(hits) == 1 else None


def _rows(session: Session, statement: sa.Select[Any]) -> Sequence[Any]:
    return session.execute(statement.limit(LIMIT + 1)).all()


def _customers(session: Session, _person: Person, text: str) -> list[Hit]:
    statement = (
        sa.select(Customer.number, Customer.name, Customer.city)
        .where(_all_words(text, Customer.number, Customer.name, Customer.city))
        .order_by((Customer.number == text).desc(), Customer.name)
    )
    return [Hit(name, f"{no}, {city}", f"/kunden/{no}", (no,)) for no, name, city in _rows(session, statement)]


def _contacts(session: Session, _person: Person, text: str) -> list[Hit]:
    """People of customers: by name, address or telephone number."""
    digits = "".join(filter(str.isdigit, text))
    phone = sa.func.regexp_replace(Contact.phone, r"\D", "", "g")
    by_phone = phone.contains(digits.lstrip("0")) if len(digits.lstrip("0")) >= 5 else sa.false()
    statement = (
        sa.select(Contact.first_name, Contact.last_name, Contact.email, Contact.phone, Customer.number, Customer.name)
        .join(Customer, Customer.id == Contact.customer_id)
        .where(Contact.active, sa.or_(by_phone, _all_words(text, Contact.first_name, Contact.last_name, Contact.email)))
        .order_by(Contact.last_name, Contact.first_name)
    )
    return [
        Hit(f"{first} {last}", ", ".join(filter(None, (name, email, phone))), f"/kunden/{no}#ansprechpartner")
        for first, last, email, phone, no, name in _rows(session, statement)
    ]


def _reports(session: Session, _person: Person, text: str) -> list[Hit]:
    statement = (
        sa.select(ServiceReport.number, ServiceReport.month, Customer.name, ArchivedObject.id)
        .join(Customer, Customer.id == ServiceReport.customer_id)
        .join(ArchivedObject, ArchivedObject.key == ServiceReport.archive_key)
        .where(_all_words(text, ServiceReport.number, Customer.number, Customer.name))
        .order_by(ServiceReport.number.desc())
    )
    return [Hit(n, f"{name}, {month}", f"/archiv/{file}/{n}.pdf", (n,)) for n, month, name, file in _rows(session, statement)]


def _invoices(session: Session, _person: Person, text: str) -> list[Hit]:
    statement = (
        sa.select(Invoice.number, Invoice.month, Customer.name, Invoice.state)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(Invoice.number.is_not(None), _all_words(text, Invoice.number, Customer.number, Customer.name))
        .order_by(Invoice.number.desc())
    )
    return [Hit(n, f"{name}, {month}", f"/rechnungen/{n}", (n,), state) for n, month, name, state in _rows(session, statement)]


def _tasks(session: Session, person: Person, text: str) -> list[Hit]:
    statement = (
        sa.select(Ticket.number, Ticket.subject, Customer.name, Ticket.state)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(
            Ticket.kind == TicketKind.TASK,
            Ticket.role.in_(person.roles),
            _all_words(text, Ticket.number, Ticket.subject, Customer.number, Customer.name),
        )
        .order_by(Ticket.received_at.desc())
    )
    rows = _rows(session, statement)
    return [Hit(subject, f"{no}, {name}", f"/aufgaben/{no}", (no,), state) for no, subject, name, state in rows]


def _tickets(session: Session, person: Person, text: str) -> list[Hit]:
    agreed = sa.exists().where(DueDate.ticket_id == Ticket.id)
    statement = (
        sa.select(Ticket.number, Ticket.subject, Ticket.kind, Ticket.state, Customer.name, agreed)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.kind != TicketKind.TASK, _all_words(text, Ticket.number, Ticket.subject, Customer.number, Customer.name))
        .order_by(Ticket.received_at.desc())
    )
    return [
        Hit(subject, f"{no}, {label(kind)}, {name}", _place_of(person, kind, no, with_dates=dates), (no,), state)
        for no, subject, kind, state, name, dates in _rows(session, statement)
    ]


def _place_of(person: Person, kind: TicketKind, number: str, *, with_dates: bool) -> str:
    """Where this person works on such a ticket; else its own page."""
    if kind is TicketKind.MAINTENANCE and with_dates and person.may("wartung.sehen"):
        return f"/wartung/tickets/{number}"
    if kind is TicketKind.PICK_AND_PACK and person.may("ware.sehen"):
        return f"/lieferungen/suche?code={number}"
    return f"/tickets/{quote(number)}"


def _assets(session: Session, _person: Person, text: str) -> list[Hit]:
    device = (Asset.inventory_no, Asset.serial, Asset.manufacturer, Asset.model, Asset.asset_class)
    columns = (*device, Customer.number, Customer.name)
    statement = (
        sa.select(Asset.id, *columns)
        .join(Customer, Customer.id == Asset.customer_id)
        .where(_all_words(text, *columns))
        .order_by(Asset.retired_on.is_not(None), Customer.name, Asset.inventory_no)
    )
    hits = []
    for key, inventory_no, serial, maker, model, kind, _, name in _rows(session, statement):
        named = [maker] if maker and not (model or "").casefold().startswith(maker.casefold()) else []
        what = " ".join(filter(None, (*named, model))) or kind
        about = ", ".join(filter(None, (inventory_no, f"Seriennummer {serial}" if serial else "", name)))
        hits.append(Hit(what, about, f"/assets/{key}", tuple(filter(None, (inventory_no, serial)))))
    return hits


def _contracts(session: Session, person: Person, text: str) -> list[Hit]:
    """A Kontingent has its account for everybody; the others stand where their prices may be seen."""
    seen = sa.true() if person.may("vertrag.sehen") else Contract.kind == ContractKind.KONTINGENT
    statement = (
        sa.select(Contract.number, Contract.kind, Customer.number, Customer.name)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(seen, _all_words(text, Contract.number, Customer.number, Customer.name))
        .order_by(Contract.number.desc())
    )
    return [
        Hit(
            number,
            f"{label(kind)}, {name}",
            f"/kontingente/{customer}/{number}" if kind is ContractKind.KONTINGENT else f"/kunden/{customer}#vertraege",
            (number,),
        )
        for number, kind, customer, name in _rows(session, statement)
    ]


def _entries(session: Session, _person: Person, text: str) -> list[Hit]:
    statement = (
        sa.select(ServiceEntry.key, ServiceEntry.work_date, Customer.name)
        .join(Customer, Customer.id == ServiceEntry.customer_id)
        .where(ServiceEntry.key == text)
    )
    return [Hit(key, f"{name}, {day:%d.%m.%Y}", f"/leistungen/{key}", (key,)) for key, day, name in _rows(session, statement)]
