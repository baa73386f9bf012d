"""Former contacts: what the law still keeps of them and until when, and making anonymous what it no longer does (Art. 17 GDPR).

A contact is in the master data because the house works with it; whoever has left is inactive at once (Art. 18) and stays only
as long as its name explains what must be kept. Then name, address and telephone go, the login too; tickets and documents stay
with a former contact in its place. The trail of changes and the log of tickets only grow and keep the name for their own time.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import ConflictError
from models.access import Login
from models.parties import Contact, Customer, PortalLevel
from models.plumbing import AuditEntry, OutboxMail
from models.service_desk import Message, Ticket
from rules.retention import RecordClass, limitation, retain_until

DOMAIN = "anonym.invalid"
"""RFC 2606: nobody ever gets a mail there."""
NAME = ("Ehemaliger", "Ansprechpartner")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Why a name must stay, and the first day on which it need not."""

    reason: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Former:
    """A contact who has left and is not anonymous yet. `trail_until`: until when the trail of changes names it anyway."""

    contact_id: int
    customer: str
    name: str
    email: str
    has_login: bool
    keepings: tuple[Keeping, ...]
    trail_until: dt.date | None

    @property
    def until(self) -> dt.date:
        """The first day on which nothing keeps the name any more."""
        return max(keeping.until for keeping in self.keepings)

    def due(self, today: dt.date) -> bool:
        """Whether it may be made anonymous."""
        return self.until <= today


def former(session: Session, customer: str = "") -> list[Former]:
    """Inactive contacts with what keeps them, whoever is due first at the head; of one customer if its number is given."""
    statement = (
        sa.select(Contact, Customer.number, Login.id.is_not(None))
        .join(Customer, Customer.id == Contact.customer_id)
        .outerjoin(Login, Login.contact_id == Contact.id)
        .where(~Contact.active, Contact.email.not_like(f"%@{DOMAIN}"))
    )
    if customer:
        statement = statement.where(Customer.number == customer)
    found = session.execute(statement).tuples().all()
    people = [contact for contact, _, _ in found]
    tickets, mails, trail = _tickets(session, people), _mails(session, people), _trail(session, people)
    told = [
        Former(
            contact.id,
            number,
            contact.name,
            contact.email,
            has_login,
            _keepings(contact, tickets, mails, trail),
            retain_until(RecordClass.BOOK, clock.local(trail[contact.id]).date()) if contact.id in trail else None,
        )
        for contact, number, has_login in found
    ]
    return sorted(told, key=lambda one: (one.until, one.customer, one.email))


def anonymise(session: Session, one: Former, who: str) -> None:
    """Take name, address, telephone and login of a former contact; one entry of the trail says so, without what was there.

    The session has to be a bulk one: else the trail would copy what is taken away.

    Raises: ConflictError when the contact is active again or something keeps it still.
    """
    contact = session.get_one(Contact, one.contact_id, with_for_update=True)
    if contact.active or not one.due(clock.today()):
        raise ConflictError(f"{one.customer}, {one.email}: Bleibt bis {one.until:%d.%m.%Y}; anonymisiert ist nichts.")
    nobody = f"ehemals-{contact.id}@{DOMAIN}"
    own_mail = sa.and_(OutboxMail.customer_id == contact.customer_id, OutboxMail.recipients.overlap([contact.email]))
    renamed = sa.func.array_replace(OutboxMail.recipients, contact.email, nobody)
    session.execute(sa.update(OutboxMail).where(own_mail).values(recipients=renamed))
    written = sa.and_(Message.customer_id == contact.customer_id, Message.author == contact.email)
    session.execute(sa.update(Message).where(written).values(author=" ".join(NAME)))
    session.execute(sa.delete(Login).where(Login.contact_id == contact.id))
    contact.first_name, contact.last_name = NAME
    contact.email, contact.phone, contact.functions, contact.portal = nobody, None, [], PortalLevel.NONE
    told = {"kept_until": one.until.isoformat(), "reasons": [keeping.reason for keeping in one.keepings]}
    session.add(AuditEntry(at=clock.now(), actor=who, action="anonymise", table_name="contact", row_id=contact.id, after=told))
    session.flush()


def _keepings(
    contact: Contact,
    tickets: Mapping[int, dt.datetime],
    mails: Mapping[tuple[int, str], dt.datetime],
    trail: Mapping[int, dt.datetime],
) -> tuple[Keeping, ...]:
    def day(instant: dt.datetime) -> dt.date:
        return clock.local(instant).date()

    left = day(trail.get(contact.id, contact.created_at))
    kept = [Keeping("Verjährung von Ansprüchen (§§ 195, 199 BGB)", limitation(left))]
    if (ticket := tickets.get(contact.id)) is not None:
        kept.append(Keeping("Tickets erklären Serviceberichte (§ 147 AO)", retain_until(RecordClass.VOUCHER, day(ticket))))
    if (mail := mails.get((contact.customer_id, contact.email))) is not None:
        kept.append(Keeping("Geschäftsbriefe an die Person (§ 257 HGB)", retain_until(RecordClass.LETTER, day(mail))))
    return tuple(kept)


def _tickets(session: Session, people: Sequence[Contact]) -> dict[int, dt.datetime]:
    last = sa.select(Ticket.contact_id, sa.func.max(Ticket.received_at)).where(Ticket.contact_id.in_([c.id for c in people]))
    return {contact: at for contact, at in session.execute(last.group_by(Ticket.contact_id)).tuples() if contact is not None}


def _mails(session: Session, people: Sequence[Contact]) -> dict[tuple[int, str], dt.datetime]:
    """The last mail to each of them, by customer and address."""
    emails, of = [c.email for c in people], {c.customer_id for c in people}
    each = (
        sa.select(OutboxMail.customer_id, sa.func.unnest(OutboxMail.recipients).label("recipient"), OutboxMail.created_at)
        .where(OutboxMail.customer_id.in_(of), OutboxMail.recipients.overlap(emails))
        .subquery()
    )
    last = sa.select(each.c.customer_id, each.c.recipient, sa.func.max(each.c.created_at)).where(each.c.recipient.in_(emails))
    found = session.execute(last.group_by(each.c.customer_id, each.c.recipient)).tuples()
    return {(customer, email): at for customer, email, at in found}


def _trail(session: Session, people: Sequence[Contact]) -> dict[int, dt.datetime]:
    """The last change of each: for an inactive contact usually that it left."""
    of = sa.and_(AuditEntry.table_name == "contact", AuditEntry.row_id.in_([c.id for c in people]))
    last = sa.select(AuditEntry.row_id, sa.func.max(AuditEntry.at)).where(of).group_by(AuditEntry.row_id)
    return {row: at for row, at in session.execute(last).tuples() if row is not None}
