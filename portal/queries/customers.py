"""What the pages of a customer show besides figures: the record, its parts, and what happened lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.recipients import Recipients, choose, persons_of
from models.agreements import CooperationAgreement
from models.billing import Invoice, ServiceReport
from models.contracts import Contract, ContractLine
from models.parties import BillingMode, Contact, Customer, Employee, HouseSite, Site, StaffRole
from models.plumbing import ArchivedObject
from models.service_desk import Ticket, TicketKind, TicketState
from models.work import EntryState, ServiceEntry
from portal.paging import Page, paged

OPEN_TICKETS = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING)
LATELY = 8


def listed(session: Session, number: int, *, text: str = "", manager: str = "") -> Page[Any]:
    """Customers by name, with account manager, number of open tickets and kinds of contract."""
    tickets = (
        sa.select(sa.func.count())
        .where(Ticket.customer_id == Customer.id, Ticket.state.in_(OPEN_TICKETS))
        .correlate(Customer)
        .scalar_subquery()
    )
    kinds = (
        sa.select(sa.func.array_agg(sa.distinct(sa.cast(Contract.kind, sa.Text))))
        .where(Contract.customer_id == Customer.id)
        .correlate(Customer)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            Customer.id, Customer.number, Customer.name, Customer.city, Customer.lifecycle,
            Employee.first_name, Employee.last_name, tickets.label("tickets"), kinds.label("kinds"),
        )
        .outerjoin(Employee, Employee.id == Customer.account_manager_id)
        .order_by(sa.func.lower(Customer.name), Customer.number)
    )  # fmt: skip
    for word in text.split():
        found = [c.icontains(word, autoescape=True) for c in (Customer.name, Customer.number, Customer.city)]
        statement = statement.where(sa.or_(*found))
    if manager:
        statement = statement.where(Employee.email == manager.lower())
    return paged(session, statement, number)


def account_managers(session: Session) -> list[tuple[str, str]]:
    """(address, name) of everybody who looks after customers."""
    rows = session.execute(
        sa.select(Employee.email, Employee.first_name, Employee.last_name)
        .where(Employee.roles.any(StaffRole.ACCOUNT_MANAGER.value))  # type: ignore[arg-type]
        .order_by(Employee.last_name, Employee.first_name)
    )
    return [(email, f"{first} {last}") for email, first, last in rows]


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays and where the service reports of this payer go; empty recipients keep its invoices back."""

    site: Site | None
    recipients: Recipients


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that hangs on a customer."""

    manager: Employee | None
    house_site: HouseSite | None
    sites: Sequence[Site]
    contacts: Sequence[Contact]
    agreements: Sequence[CooperationAgreement]
    contracts: Sequence[Contract]
    payers: Sequence[Payer]

    @property
    def site_names(self) -> dict[int, str]:
        return {site.id: site.name for site in self.sites}


def parts(session: Session, customer: Customer) -> Parts:
    """The customer's sites, people, agreements (newest first), contracts (those in force first) and payers."""

    def own(model: Any, *order: Any) -> Sequence[Any]:
        return session.scalars(sa.select(model).where(model.customer_id == customer.id).order_by(*order)).all()

    sites = own(Site, Site.code)
    people = persons_of(session, [customer.id])[customer.id]
    paying = {site.bills_to_id for site in sites} - {None} if customer.billing is BillingMode.PER_SITE else set()
    payers = [Payer(None, choose(people, None)), *(Payer(s, choose(people, s.id)) for s in sites if s.id in paying)]
    return Parts(
        session.get(Employee, customer.account_manager_id) if customer.account_manager_id else None,
        session.get(HouseSite, customer.house_site_id) if customer.house_site_id else None,
        sites,
        own(Contact, Contact.active.desc(), Contact.last_name, Contact.first_name),
        own(CooperationAgreement, CooperationAgreement.version.desc()),
        own(Contract, Contract.ends_on.is_not(None), Contract.starts_on.desc(), Contract.number),
        payers,
    )


def missing(found: Parts) -> list[str]:
    """What the house must know before it can bill, in words (S34-S37)."""
    gaps = []
    if not any(payer.recipients.emails for payer in found.payers):
        gaps.append("Niemand ist als Empfänger der Serviceberichte benannt, auch kein Hauptansprechpartner.")
    elif any(payer.recipients.fallback for payer in found.payers):
        gaps.append("Als Empfänger der Serviceberichte gilt ersatzweise der Hauptansprechpartner.")
    if not found.agreements:
        gaps.append("Es gibt keine Kooperationsvereinbarung; ohne sie hat keine Leistung einen Preis.")
    elif not any(a.signed_on for a in found.agreements):
        gaps.append("Keine Fassung der Kooperationsvereinbarung ist unterschrieben.")
    if found.manager is None:
        gaps.append("Es ist kein Kundenbetreuer eingetragen.")
    return gaps


@dataclass(frozen=True, slots=True)
class Lately:
    """The newest of each kind, for the account manager's glance (S28)."""

    tickets: Sequence[Any]
    open_tickets: int
    documents: Sequence[Any]
    captured: int


def lately(session: Session, customer_id: int) -> Lately:
    """Tickets, documents and work that waits."""
    tickets = session.execute(
        sa.select(Ticket.number, Ticket.subject, Ticket.kind, Ticket.state, Ticket.received_at, Ticket.topic)
        .where(Ticket.customer_id == customer_id, Ticket.kind != TicketKind.TASK)
        .order_by(Ticket.received_at.desc())
        .limit(LATELY)
    ).all()
    open_tickets = session.scalar(
        sa.select(sa.func.count()).where(Ticket.customer_id == customer_id, Ticket.state.in_(OPEN_TICKETS))
    )
    captured = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(ServiceEntry.minutes), 0)).where(
            ServiceEntry.customer_id == customer_id, ServiceEntry.state == EntryState.CAPTURED
        )
    )
    return Lately(tickets, open_tickets or 0, _documents(session, customer_id), captured or 0)


def _documents(session: Session, customer_id: int) -> list[Any]:
    reports = session.execute(
        sa.select(
            sa.literal("report").label("kind"), ServiceReport.number, ServiceReport.month, ServiceReport.issued_at,
            sa.null().label("gross"), ArchivedObject.id.label("file"),
        )
        .outerjoin(ArchivedObject, ArchivedObject.key == ServiceReport.archive_key)
        .where(ServiceReport.customer_id == customer_id, ServiceReport.number.is_not(None))
        .order_by(ServiceReport.issued_at.desc())
        .limit(LATELY)
    ).all()  # fmt: skip
    invoices = session.execute(
        sa.select(
            sa.cast(Invoice.kind, sa.Text).label("kind"), Invoice.number, Invoice.month, Invoice.issued_at, Invoice.gross,
            ArchivedObject.id.label("file"),
        )
        .outerjoin(ArchivedObject, ArchivedObject.key == Invoice.archive_key)
        .where(Invoice.customer_id == customer_id, Invoice.number.is_not(None))
        .order_by(Invoice.issued_at.desc())
        .limit(LATELY)
    ).all()  # fmt: skip
    rows: list[Any] = [*reports, *invoices]
    return sorted(rows, key=lambda row: (row.issued_at, row.number), reverse=True)[:LATELY]


def contract_lines(session: Session, contract: Contract) -> Sequence[ContractLine]:
    """The positions of a contract, in order of line and day."""
    return session.scalars(
        sa.select(ContractLine)
        .where(ContractLine.contract_id == contract.id)
        .order_by(ContractLine.line, ContractLine.valid_from.nulls_first())
    ).all()
