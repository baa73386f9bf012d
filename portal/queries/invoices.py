"""One issued invoice with its files, its Storno, and where it stands on its way."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.billing import Invoice, ServiceReport
from models.handover import SapDocument
from models.parties import Customer, Site
from models.plumbing import ArchivedObject, MailState, OutboxMail


@dataclass(frozen=True, slots=True)
class InvoiceSheet:
    """An issued invoice with its files and what became of it."""

    invoice: Invoice
    customer: Customer
    site: str | None
    report: str | None
    cancels: str | None
    cancelled_by: str | None
    files: list[tuple[str, int, str]]
    """Title, id in the archive, name of the file."""
    mail: tuple[int, MailState] | None
    sap: SapDocument | None


def invoice_sheet(session: Session, number: str) -> InvoiceSheet | None:
    """The invoice with this number."""
    other, back = sa.orm.aliased(Invoice), sa.orm.aliased(Invoice)
    row = session.execute(
        sa.select(
            Invoice,
            Customer,
            Site.code,
            ServiceReport.number,
            ServiceReport.archive_key,
            other.number,
            back.number,
            OutboxMail.id,
            OutboxMail.state,
            SapDocument,
        )
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(Site, Site.id == Invoice.paying_site_id)
        .outerjoin(ServiceReport, ServiceReport.id == Invoice.report_id)
        .outerjoin(other, other.id == Invoice.cancels_id)
        .outerjoin(back, back.cancels_id == Invoice.id)
        .outerjoin(OutboxMail, OutboxMail.id == Invoice.mail_id)
        .outerjoin(SapDocument, SapDocument.invoice_id == Invoice.id)
        .where(Invoice.number == number)
    ).one_or_none()
    if row is None:
        return None
    invoice, customer, site, report, report_key, cancels, cancelled_by, mail_id, mail_state, sap = row
    wanted = {
        invoice.archive_key: "Rechnung (PDF)",
        invoice.paper_archive_key: "Druckfassung (PDF)",
        invoice.xml_archive_key: "Strukturierte Rechnung (XML)",
        invoice.check_archive_key: "Prüfprotokoll",
        report_key: f"Servicebericht {report} (PDF)",
    }
    if invoice.paper_archive_key == invoice.archive_key:
        wanted[invoice.archive_key] = "Rechnung (PDF)"
    keys = [key for key in wanted if key]
    ids = dict(
        session.execute(sa.select(ArchivedObject.key, ArchivedObject.id).where(ArchivedObject.key.in_(keys))).tuples().all()
    )
    names = {report_key: report, invoice.paper_archive_key: f"{number}-druck"} if report else {}
    files = [
        (title, ids[key], f"{names.get(key) or number}.{key.rpartition('.')[2]}") for key, title in wanted.items() if key in ids
    ]
    mail = (mail_id, mail_state) if mail_id is not None else None
    return InvoiceSheet(invoice, customer, site, report, cancels, cancelled_by, files, mail, sap)
