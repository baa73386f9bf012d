"""Tickets as a list, and one ticket with everything that hangs on it: work, documents, mails, related things, history."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.assets import Asset, ExpiryNotice, Replacement
from models.billing import Invoice, ServiceReport, ServiceReportLine
from models.goods import Delivery, GoodsReceipt
from models.maintenance import NeedsAnalysis, NeedsAnalysisTicket
from models.parties import Contact, Customer, Employee, Site
from models.plumbing import ArchivedObject, AuditEntry, OutboxMail
from models.service_desk import Attachment, Message, Ticket, TicketEvent, TicketKind, TicketState
from models.work import ServiceEntry
from portal.labels import label
from portal.paging import Page, paged
from portal.queries import desk
from portal.queries.billing import matches
from portal.queries.maintenance import DueRow, dates_of_ticket
from portal.queries.work import changes_of

OPEN = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING)
STATES = {"offen": "offen", "neu": "neu", "wartet": "wartet", "fertig": "gelöst oder geschlossen", "alle": "alle"}
"""What the list can be narrowed to, by its word in the address."""
_STATE_VALUES = {
    "offen": OPEN,
    "neu": (TicketState.NEW,),
    "wartet": (TicketState.WAITING,),
    "fertig": (TicketState.RESOLVED, TicketState.CLOSED),
}
KINDS = tuple(kind for kind in TicketKind if kind is not TicketKind.TASK)
"""Tasks have a list of their own, by role."""
_WORDS = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of tickets is narrowed to. `customer` is a number, `state` a key of STATES."""

    text: str = ""
    kind: str = ""
    state: str = "offen"
    customer: str = ""
    assignee_id: int | None = None


def listed(session: Session, wanted: Wanted, number: int) -> Page[Any]:
    """Tickets, the newest first, a page at a time."""
    statement = (
        sa.select(
            Ticket.number, Ticket.subject, Ticket.kind, Ticket.state, Ticket.priority, Ticket.received_at, Ticket.due_at,
            Customer.number.label("customer"), Customer.name, Employee.first_name, Employee.last_name,
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Employee, Employee.id == Ticket.assignee_id)
        .where(Ticket.kind != TicketKind.TASK)
        .order_by(Ticket.received_at.desc(), Ticket.id.desc())
    )  # fmt: skip
    if states := _STATE_VALUES.get(wanted.state):
        statement = statement.where(Ticket.state.in_(states))
    if wanted.kind in set(KINDS):
        statement = statement.where(Ticket.kind == TicketKind(wanted.kind))
    if wanted.customer:
        statement = statement.where(Customer.number == wanted.customer)
    if wanted.assignee_id is not None:
        statement = statement.where(Ticket.assignee_id == wanted.assignee_id)
    for word in wanted.text.split()[:_WORDS]:
        statement = statement.where(matches(word, Ticket.number, Ticket.subject, Customer.number, Customer.name))
    return paged(session, statement, number)


@dataclass(frozen=True, slots=True)
class Related:
    """Something the ticket belongs to: its title, what it is called, and where it is (empty = no page)."""

    title: str
    text: str
    path: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history. `fields`: (title, before, after) where values changed."""

    at: dt.datetime
    actor: str
    what: str
    text: str = ""
    path: str = ""
    fields: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A ticket with everything that hangs on it."""

    ticket: Ticket
    customer: Customer
    site: Site | None
    contact: Contact | None
    assignee: Employee | None
    entries: Sequence[Any]
    hidden: int
    """Entries of others that this person may not see."""
    dates: Sequence[DueRow]
    documents: Sequence[Any]
    mails: Sequence[Any]
    messages: Sequence[Message]
    attachments: Sequence[Attachment]
    related: Sequence[Related]
    history: Sequence[Step]

    @property
    def minutes(self) -> int:
        """Worked minutes of the entries shown."""
        return sum(entry.minutes for entry in self.entries)


def sheet(session: Session, number: str, *, only_technician: int | None) -> Sheet | None:
    """The ticket with this number; None when there is none.

    Args:
        session: of the house.
        number: the ticket's number.
        only_technician: the employee whose entries alone may be seen; None = all may.
    """
    row = session.execute(
        sa.select(Ticket, Customer, Site, Contact, Employee)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Site, Site.id == Ticket.site_id)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Employee, Employee.id == Ticket.assignee_id)
        .where(Ticket.number == number)
    ).one_or_none()
    if row is None:
        return None
    ticket, customer, site, contact, assignee = row
    work = _entries(session, ticket.id)
    seen = [entry for entry in work if only_technician is None or entry.technician_id == only_technician]
    documents = _documents(session, {entry.report_id for entry in work} - {None})
    messages = session.scalars(sa.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.at, Message.id)).all()
    events = session.scalars(sa.select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)).all()
    maintenance = ticket.kind is TicketKind.MAINTENANCE
    return Sheet(
        ticket=ticket,
        customer=customer,
        site=site,
        contact=contact,
        assignee=assignee,
        entries=seen,
        hidden=len(work) - len(seen),
        dates=dates_of_ticket(session, ticket.id) if maintenance else (),
        documents=documents,
        mails=_mails(session, documents, messages),
        messages=messages,
        attachments=session.scalars(
            sa.select(Attachment).where(Attachment.ticket_id == ticket.id).order_by(Attachment.id)
        ).all(),
        related=_related(session, ticket),
        history=_history(session, ticket, contact.name if contact else customer.name, events, seen),
    )


def may_open(session: Session, ticket_id: int, roles: tuple[str, ...]) -> bool:
    """Whether somebody with these roles has a page for the ticket: a task opens to whom it waits for, all else to the house."""
    ticket = session.get_one(Ticket, ticket_id)
    return ticket.kind is not TicketKind.TASK or desk.task(session, roles, ticket.number) is not None


def _entries(session: Session, ticket_id: int) -> Sequence[Any]:
    """Work on the ticket, the newest first, with its report and where it was charged."""
    return session.execute(
        sa.select(
            ServiceEntry.id, ServiceEntry.key, ServiceEntry.work_date, ServiceEntry.minutes, ServiceEntry.place,
            ServiceEntry.trips, ServiceEntry.text, ServiceEntry.billable, ServiceEntry.non_billable_reason,
            ServiceEntry.state, ServiceEntry.returned_reason, ServiceEntry.reported_elsewhere, ServiceEntry.technician_id,
            ServiceEntry.report_id, Employee.first_name, Employee.last_name, ServiceReport.number.label("report"),
            ServiceReportLine.charge, ServiceReportLine.billed_minutes,
        )
        .join(Employee, Employee.id == ServiceEntry.technician_id)
        .outerjoin(ServiceReport, ServiceReport.id == ServiceEntry.report_id)
        .outerjoin(ServiceReportLine, ServiceReportLine.entry_id == ServiceEntry.id)
        .where(ServiceEntry.ticket_id == ticket_id)
        .order_by(ServiceEntry.work_date.desc(), ServiceEntry.started_at.desc().nulls_last(), ServiceEntry.id.desc())
    ).all()  # fmt: skip


def _documents(session: Session, reports: set[int]) -> Sequence[Any]:
    """Issued reports that tell of the work, and the invoices of these reports; the oldest first."""
    report = sa.select(
        sa.literal("report").label("kind"), ServiceReport.number, ServiceReport.month, ServiceReport.issued_at,
        sa.null().cast(sa.Text).label("state"), ServiceReport.archive_key, ServiceReport.mail_id,
    ).where(ServiceReport.id.in_(reports), ServiceReport.number.is_not(None))  # fmt: skip
    invoice = sa.select(
        sa.cast(Invoice.kind, sa.Text).label("kind"), Invoice.number, Invoice.month, Invoice.issued_at,
        sa.cast(Invoice.state, sa.Text).label("state"), Invoice.archive_key, Invoice.mail_id,
    ).where(Invoice.report_id.in_(reports), Invoice.number.is_not(None))  # fmt: skip
    found = report.union_all(invoice).subquery()
    return session.execute(
        sa.select(found, ArchivedObject.id.label("file"))
        .outerjoin(ArchivedObject, ArchivedObject.key == found.c.archive_key)
        .order_by(found.c.issued_at, found.c.number)
    ).all()


def _mails(session: Session, documents: Sequence[Any], messages: Sequence[Message]) -> Sequence[Any]:
    """Mails that brought these documents, or that are messages of the ticket; the newest first."""
    ids = {document.mail_id for document in documents} - {None}
    written = {message.message_id for message in messages} - {None}
    return session.execute(
        sa.select(
            OutboxMail.id, OutboxMail.kind, OutboxMail.state, OutboxMail.subject, OutboxMail.recipients,
            OutboxMail.created_at, OutboxMail.accepted_at,
        )
        .where(sa.or_(OutboxMail.id.in_(ids), OutboxMail.message_id.in_(written)))
        .order_by(OutboxMail.id.desc())
    ).all()  # fmt: skip


def _related(session: Session, ticket: Ticket) -> list[Related]:
    """Device, delivery, exchange, needs analysis, ends that were told."""
    found = []
    if ticket.asset_id is not None:
        asset = session.get_one(Asset, ticket.asset_id)
        name = " ".join(filter(None, (asset.inventory_no, asset.model)))
        found.append(Related("Gerät", name, f"/assets/{asset.id}", "asset.sehen"))
    for delivery, note in session.execute(
        sa.select(Delivery, GoodsReceipt.delivery_note)
        .join(GoodsReceipt, GoodsReceipt.id == Delivery.receipt_id)
        .where(Delivery.ticket_id == ticket.id)
    ).tuples():
        name = f"{delivery.number or delivery.customer_order or 'ohne Auftragsnummer'}, {label(delivery.state)}"
        found.append(Related("Lieferung", name, f"/lieferungen/{delivery.id}", "ware.sehen"))
        found.append(Related("Wareneingang", f"Lieferschein {note}", f"/wareneingang/{delivery.receipt_id}", "ware.sehen"))
    exchange = session.scalar(sa.select(Replacement).where(Replacement.ticket_id == ticket.id))
    if exchange is not None:
        name = f"{label(exchange.reason)}, {'abgeschlossen' if exchange.finished_at else 'läuft'}"
        found.append(Related("Austausch", name, f"/assets/{exchange.asset_id}", "asset.sehen"))
    for version, customer in session.execute(
        sa.select(NeedsAnalysis.version, Customer.number)
        .join(NeedsAnalysisTicket, NeedsAnalysisTicket.needs_analysis_id == NeedsAnalysis.id)
        .join(Customer, Customer.id == NeedsAnalysis.customer_id)
        .where(NeedsAnalysisTicket.ticket_id == ticket.id)
    ).tuples():
        found.append(Related("Bedarfsanalyse", f"Version {version}", f"/bedarf/{customer}", "wartung.sehen"))
    notices = session.scalars(
        sa.select(ExpiryNotice)
        .where(ExpiryNotice.customer_id == ticket.customer_id, ExpiryNotice.ticket_id == ticket.id)
        .order_by(ExpiryNotice.ends_on)
    )
    return found + [Related("Endet", f"{label(notice.kind)} am {notice.ends_on:%d.%m.%Y}") for notice in notices]


def _history(
    session: Session, ticket: Ticket, came_from: str, events: Sequence[TicketEvent], entries: Sequence[Any]
) -> list[Step]:
    """The arrival, events of the ticket and the trail of its work, the newest first."""
    steps = [_step(event) for event in events]
    if not any(event.what in ("opened", "created") for event in events):
        steps.append(Step(ticket.received_at, came_from, "eingegangen"))
    keys = {entry.id: entry.key for entry in entries}
    captured = session.execute(
        sa.select(AuditEntry.row_id, AuditEntry.at, AuditEntry.actor).where(
            AuditEntry.table_name == "service_entry", AuditEntry.row_id.in_(keys), AuditEntry.action == "insert"
        )
    ).tuples()
    for row_id, at, actor in captured:
        key = keys[row_id or 0]
        steps.append(Step(at, actor, f"Leistung {key} erfasst", path=f"/leistungen/{key}"))
    for row_id, change in changes_of(session, keys):
        key = keys[row_id]
        steps.append(Step(change.at, change.actor, f"Leistung {key}", path=f"/leistungen/{key}", fields=change.fields))
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _step(event: TicketEvent) -> Step:
    what, detail = label(event.what, "event"), event.detail
    if event.what == "linked":
        number = str(detail.get("ticket", ""))
        return Step(event.at, event.actor, what, number, path=f"/tickets/{number}")
    if event.what == "check_result":
        due = dt.date.fromisoformat(str(detail["due"]))
        said = f"Termin {due:%d.%m.%Y}: {label(detail.get('outcome'), 'outcome')}"
        reason = detail.get("reason")
        return Step(event.at, event.actor, what, f"{said} ({reason})" if reason else said)
    return Step(event.at, event.actor, what)
