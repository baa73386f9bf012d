"""When a document comes back the customer's account manager hears of it by mail: who knows whom to ask at the customer."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from actions.billing.around import house_content, the_house
from actions.invitations import portal_address
from actions.mail.outbox import NewMail, queue
from integrations.mail.catalogue import bounce_notice_mail
from integrations.mail.types import BouncedRecipient
from kit import clock
from models.parties import Customer, Employee
from models.plumbing import OutboxMail

DOCUMENTS = ("service_report", "invoice")
"""Kinds whose return is told. A notice that comes back itself tells nobody: it would go round for ever."""


def tell(session: Session, mail: OutboxMail, recipients: Sequence[BouncedRecipient], task: str | None) -> None:
    """Queue the notice about a document's mail that came back, once per mail (U9); the task of the back office stays the lead.

    Args:
        session: the transaction that notes the return.
        mail: what came back.
        recipients: the addresses that did not take it, with what was said.
        task: number of the back office's task.
    """
    if mail.kind not in DOCUMENTS or mail.customer_id is None:
        return
    customer = session.get_one(Customer, mail.customer_id)
    manager = session.get(Employee, customer.account_manager_id) if customer.account_manager_id else None
    if manager is None or not manager.active or not manager.email:
        return
    house = the_house(session)
    texts = bounce_notice_mail(
        house=house_content(house),
        document=mail.subject,
        customer=customer.name,
        customer_number=customer.number,
        bounced_at=clock.now(),
        recipients=recipients,
        holds_invoice=mail.kind == "service_report",
        mail_url=f"{portal_address(house)}/postausgang/{mail.id}",
        task=task or "",
    )
    queue(session, house, [NewMail(f"bounce_notice:{mail.key}", "bounce_notice", (manager.email,), texts, customer.id)])
