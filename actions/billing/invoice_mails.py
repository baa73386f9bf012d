"""What becomes of the mails of invoices: sent, or sent again once somebody has named an address."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive, people
from actions.billing.around import the_house
from actions.billing.invoice_content import invoice_contents
from actions.billing.invoices import RenderJob, addresses, mail_of
from actions.billing.recipients import same_addresses
from actions.mail.outbox import queue
from kit import clock
from models.billing import BillingItem, Invoice, InvoiceState
from models.plumbing import MailState, OutboxMail


def mark_sent(session: Session, run_id: int) -> int:
    """Invoices whose mail was accepted are sent; letters are sent when their batch was printed."""
    in_run = sa.select(BillingItem.id).where(BillingItem.run_id == run_id)
    accepted = sa.select(OutboxMail.id).where(OutboxMail.state == MailState.ACCEPTED)
    changed = session.execute(
        sa.update(Invoice)
        .where(
            Invoice.item_id.in_(in_run),
            Invoice.state == InvoiceState.ISSUED,
            Invoice.paper_archive_key.is_(None),
            Invoice.mail_id.in_(accepted),
        )
        .values(state=InvoiceState.SENT, sent_at=clock.now())
        .returning(Invoice.id)
    )
    return len(changed.all())


def queue_missing_mails(session: Session, run_id: int, limit: int = 50) -> int:
    """E-invoices that had nobody to go to, or whose mail came back, once somebody has named an address."""
    invoices = session.scalars(
        sa.select(Invoice)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .outerjoin(OutboxMail, OutboxMail.id == Invoice.mail_id)
        .where(
            BillingItem.run_id == run_id,
            Invoice.state == InvoiceState.ISSUED,
            sa.or_(Invoice.paper_archive_key.is_(None), Invoice.paper_archive_key != Invoice.archive_key),
            sa.or_(Invoice.mail_id.is_(None), OutboxMail.state == MailState.BOUNCED),
        )
        .order_by(Invoice.number)
        .with_for_update(of=Invoice, skip_locked=True)
    ).all()
    to, before = addresses(session, invoices), _mails_before(session, invoices)
    changed = [
        i for i in invoices if to[i.id] and (i.id not in before or not same_addresses(before[i.id].recipients, to[i.id]))
    ]
    _requeue(session, changed[:limit], to, before)
    return len(changed[:limit])


def _mails_before(session: Session, invoices: Sequence[Invoice]) -> dict[int, OutboxMail]:
    """The mail that came back, by invoice; without its bytes."""
    of_mail = {invoice.mail_id: invoice.id for invoice in invoices if invoice.mail_id is not None}
    statement = sa.select(OutboxMail).where(OutboxMail.id.in_(of_mail)).options(sa.orm.defer(OutboxMail.raw))
    return {of_mail[mail.id]: mail for mail in session.scalars(statement)}


def _requeue(
    session: Session, invoices: Sequence[Invoice], to: dict[int, tuple[str, ...]], before: dict[int, OutboxMail]
) -> None:
    contents = invoice_contents(session, [i.id for i in invoices])
    for invoice in invoices:
        attempt = 1
        if (last := before.get(invoice.id)) is not None:
            attempt = int(last.key.rpartition(":")[2]) + 1
            people.answered(session, f"mail-bounced:{last.key}")
        xml = archive.read(session, invoice.xml_archive_key or "")
        job = RenderJob(contents[invoice.id], xml, None, einvoice=True, paper=invoice.paper_archive_key is not None)
        key = f"invoice:{invoice.number}:{attempt}"
        mail = mail_of(key, invoice, job, to[invoice.id], archive.read(session, invoice.archive_key or ""))
        invoice.mail_id = queue(session, the_house(session), [mail])[key]
