"""All papers of a month as files, each compared with its hash before it is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.billing.overview import run_of
from models.billing import (
    BillingItem,
    BillingRun,
    Invoice,
    ServiceReport,
)
from models.handover import DatevFile, PostalBatch, SapDocument
from rules.month import Month


@dataclass(frozen=True, slots=True)
class Paper:
    """One file of the month: where `documents --to` puts it, and where it lies in the archive."""

    path: str
    key: str


def papers(session: Session, month: Month) -> list[Paper]:
    """Everything issued for the month, in the order of its folders."""
    run = run_of(session, month)
    return [*_reports(session, run), *_invoices(session, run), *_handed_over(session, run)]


def _reports(session: Session, run: BillingRun) -> Iterator[Paper]:
    statement = (
        sa.select(ServiceReport.number, ServiceReport.archive_key)
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .where(BillingItem.run_id == run.id, ServiceReport.archive_key.is_not(None))
        .order_by(ServiceReport.number)
    )
    for number, key in session.execute(statement):
        yield Paper(f"reports/{number}.pdf", key)


def _invoices(session: Session, run: BillingRun) -> Iterator[Paper]:
    statement = (
        sa.select(Invoice, SapDocument.archive_key)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .outerjoin(SapDocument, SapDocument.invoice_id == Invoice.id)
        .where(BillingItem.run_id == run.id, Invoice.archive_key.is_not(None))
        .order_by(Invoice.number)
    )
    for invoice, sap_key in session.execute(statement).tuples():
        yield Paper(f"invoices/{invoice.number}.pdf", invoice.archive_key or "")
        if invoice.xml_archive_key:
            yield Paper(f"invoices/{invoice.number}.xml", invoice.xml_archive_key)
        if invoice.check_archive_key:
            yield Paper(f"checks/{invoice.number}.json", invoice.check_archive_key)
        if invoice.paper_archive_key:
            yield Paper(f"post/{invoice.number}.pdf", invoice.paper_archive_key)
        if sap_key:
            yield Paper(f"sap/{invoice.number}.json", sap_key)


def _handed_over(session: Session, run: BillingRun) -> Iterator[Paper]:
    for file in session.scalars(sa.select(DatevFile).where(DatevFile.run_id == run.id).order_by(DatevFile.sequence)):
        stem, _, ending = file.file_name.rpartition(".")
        yield Paper(f"datev/{stem}{f'_{file.sequence}' if file.sequence > 1 else ''}.{ending}", file.archive_key)
    for batch in session.scalars(sa.select(PostalBatch).where(PostalBatch.run_id == run.id).order_by(PostalBatch.sequence)):
        yield Paper(f"post/Postmappe_{run.month}-{batch.sequence}.pdf", batch.archive_key)


def write(session: Session, month: Month, folder: Path) -> list[Path]:
    """Write all papers below a folder; existing files of the same name are replaced. Returns the paths."""
    written = []
    for paper in papers(session, month):
        path = folder / paper.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.read(session, paper.key))
        written.append(path)
    return written
