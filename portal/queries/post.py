"""The outbox for its list: without the bytes of the mails."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.parties import Customer
from models.plumbing import MailState, OutboxMail
from portal.paging import Page, paged
from portal.queries.billing import matches


def mails(session: Session, number: int, state: str = "", search: str = "") -> Page[Any]:
    """Newest first, a page at a time."""
    statement = (
        sa.select(
            OutboxMail.id,
            OutboxMail.kind,
            OutboxMail.state,
            OutboxMail.subject,
            OutboxMail.recipients,
            OutboxMail.created_at,
            OutboxMail.accepted_at,
            OutboxMail.attempts,
            OutboxMail.error,
            OutboxMail.reply,
            Customer.name.label("customer"),
        )
        .outerjoin(Customer, Customer.id == OutboxMail.customer_id)
        .order_by(OutboxMail.id.desc())
    )
    if state in set(MailState):
        statement = statement.where(OutboxMail.state == MailState(state))
    if search:
        recipients = sa.func.array_to_string(OutboxMail.recipients, " ")
        statement = statement.where(matches(search, OutboxMail.subject, Customer.name, Customer.number, recipients))
    return paged(session, statement, number)


def customer_of(session: Session, mail: OutboxMail) -> Customer | None:
    """Whom the mail concerns."""
    return session.get(Customer, mail.customer_id) if mail.customer_id is not None else None
