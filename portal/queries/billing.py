"""A released month in numbers: how far it is, what stands still, which documents there are, what was handed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from models.billing import (
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Invoice,
    InvoiceState,
    ItemState,
    ProposalState,
    ReportState,
    RunState,
    ServiceReport,
)
from models.handover import DatevFile, HandOverState, PostalBatch, SapDocument
from models.parties import Customer, Site
from models.plumbing import ArchivedObject, MailState, OutboxMail
from portal.paging import Page, paged

ISSUED = (InvoiceState.ISSUED, InvoiceState.SENT, InvoiceState.CANCELLED)


def run_of(session: Session, month: str) -> BillingRun | None:
    """The month's run once it is released."""
    return session.scalar(sa.select(BillingRun).where(BillingRun.month == month, BillingRun.state != RunState.OPEN))


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the month: what, how many of how many, and whether it is the one that is under way."""

    title: str
    done: int
    total: int
    now: bool = False

    @property
    def complete(self) -> bool:
        return self.total > 0 and self.done >= self.total

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the run stands."""

    stages: tuple[Stage, ...]
    parts: int
    parts_done: int
    net: Decimal
    vat: Decimal
    gross: Decimal


def progress(session: Session, run_id: int) -> Progress:
    """Counts of all steps, each table once."""
    live = (BillingItem.run_id == run_id, BillingItem.state != ItemState.WITHDRAWN)
    parts, parts_done = session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(BillingItem.state == ItemState.DONE)).where(*live)
    ).one()
    reports, issued, accepted = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(ServiceReport.state == ReportState.ISSUED),
            sa.func.count().filter(OutboxMail.state == MailState.ACCEPTED),
        )
        .select_from(ServiceReport)
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .outerjoin(OutboxMail, OutboxMail.id == ServiceReport.mail_id)
        .where(*live)
    ).one()
    out = Invoice.state.in_(ISSUED)
    row = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(out),
            sa.func.count().filter(SapDocument.state == HandOverState.POSTED),
            sa.func.count().filter(Invoice.datev_file_id.is_not(None)),
            sa.func.count().filter(Invoice.paper_archive_key.is_not(None)),
            sa.func.count().filter(PostalBatch.printed_at.is_not(None)),
            *(
                sa.func.coalesce(sa.func.sum(column).filter(Invoice.number.is_not(None)), 0)
                for column in (Invoice.net, Invoice.vat, Invoice.gross)
            ),
        )
        .select_from(Invoice)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .outerjoin(SapDocument, SapDocument.invoice_id == Invoice.id)
        .outerjoin(PostalBatch, PostalBatch.id == Invoice.postal_batch_id)
        .where(*live)
    ).one()
    invoices, invoiced, sap, datev, letters, printed, net, vat, gross = row
    counted = [
        ("Serviceberichte", issued, reports),
        ("Zustellung", accepted, reports),
        ("Rechnungen", invoiced, invoices),
        ("SAP", sap, invoices),
        ("DATEV", datev, invoices),
        ("Post", printed, letters),
    ]
    current = next((i for i, (_, done, total) in enumerate(counted) if done < total), len(counted))
    stages = tuple(Stage(title, done, total, now=i == current) for i, (title, done, total) in enumerate(counted) if total)
    return Progress(stages, parts, parts_done, net, vat, gross)


@dataclass(frozen=True, slots=True)
class BlockedPart:
    """One customer's part of the run with what waits for a person."""

    customer: str
    name: str
    site: str | None
    unapproved: int
    others: list[dict[str, str]]
    """One of each kind, with how many more like it there are in `more`."""
    withdrawable: bool
    count: int


def blocked(session: Session, run_id: int) -> list[BlockedPart]:
    """Everything that stands still, by customer; missing approvals are counted, all else is listed, graver parts first."""
    rows = session.execute(
        sa.select(BillingItem.blocked, Customer.number, Customer.name, Site.code, BillingItem.state)
        .join(Customer, Customer.id == BillingItem.customer_id)
        .outerjoin(Site, Site.id == BillingItem.paying_site_id)
        .where(
            BillingItem.run_id == run_id,
            BillingItem.state != ItemState.WITHDRAWN,
            sa.func.jsonb_array_length(BillingItem.blocked) > 0,
        )
        .order_by(Customer.number, sa.func.coalesce(Site.code, ""))
    )
    found = []
    for items, number, name, site, state in rows.tuples():
        others = [item for item in items if item["what"] != "entry"]
        found.append(
            BlockedPart(
                customer=number,
                name=name,
                site=site,
                unapproved=len(items) - len(others),
                others=one_of_each(others),
                withdrawable=state is ItemState.PLANNED,
                count=len(items),
            )
        )
    return sorted(found, key=lambda part: not part.others)


def one_of_each(blocked: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """The first obstacle of each kind, with `more`: how many others are like it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in blocked:
        kind = (item["what"], item["role"])
        if kind in found:
            found[kind]["more"] += 1
        else:
            found[kind] = {**item, "more": 0}
    return list(found.values())


def parts(session: Session, run_id: int, number: int, search: str = "") -> Page[Any]:
    """The parts of a run with their report and amounts, a page at a time."""
    invoices = (
        sa.select(
            Invoice.item_id,
            sa.func.count().label("count"),
            sa.func.count().filter(Invoice.state.in_(ISSUED)).label("issued"),
            sa.func.sum(Invoice.net).label("net"),
            sa.func.array_agg(aggregate_order_by(Invoice.number, Invoice.number))
            .filter(Invoice.number.is_not(None))
            .label("numbers"),
        )
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .where(BillingItem.run_id == run_id)
        .group_by(Invoice.item_id)
        .subquery()
    )
    statement = (
        sa.select(
            Customer.number,
            Customer.name,
            Site.code,
            BillingItem.state,
            BillingItem.last_month_net,
            BillingItem.reasons,
            ServiceReport.number.label("report"),
            OutboxMail.state.label("mail"),
            ServiceReport.mail_id,
            invoices.c.count,
            invoices.c.issued,
            invoices.c.numbers,
            ArchivedObject.id.label("pdf_id"),
            sa.func.coalesce(invoices.c.net, 0).label("net"),
        )
        .join(Customer, Customer.id == BillingItem.customer_id)
        .outerjoin(Site, Site.id == BillingItem.paying_site_id)
        .outerjoin(ServiceReport, ServiceReport.item_id == BillingItem.id)
        .outerjoin(OutboxMail, OutboxMail.id == ServiceReport.mail_id)
        .outerjoin(ArchivedObject, ArchivedObject.key == ServiceReport.archive_key)
        .outerjoin(invoices, invoices.c.item_id == BillingItem.id)
        .where(BillingItem.run_id == run_id, BillingItem.state != ItemState.WITHDRAWN)
        .order_by(Customer.number, sa.func.coalesce(Site.code, ""))
    )
    if search:
        statement = statement.where(matches(search, Customer.number, Customer.name, ServiceReport.number))
    return paged(session, statement, number, 25)


def matches(search: str, *columns: Any) -> sa.ColumnElement[bool]:
    """Whether any of the columns holds the text, whatever its case; `%` and `_` mean themselves."""
    return sa.or_(*(column.icontains(search.strip(), autoescape=True) for column in columns))


def documents(session: Session, month: str, number: int, search: str = "", kind: str = "") -> Page[Any]:
    """Reports and invoices of a month with where their files lie, a page at a time."""
    report = sa.select(
        sa.literal("report").label("kind"),
        ServiceReport.number.label("number"),
        ServiceReport.customer_id,
        ServiceReport.paying_site_id,
        ServiceReport.issued_at,
        sa.null().cast(sa.Numeric(14, 2)).label("gross"),
        sa.literal("issued").label("state"),
        ServiceReport.archive_key.label("pdf"),
        sa.null().cast(sa.Text).label("xml"),
        sa.null().cast(sa.Text).label("paper"),
    ).where(ServiceReport.month == month, ServiceReport.number.is_not(None))
    invoice = sa.select(
        sa.cast(Invoice.kind, sa.Text).label("kind"),
        Invoice.number,
        Invoice.customer_id,
        Invoice.paying_site_id,
        Invoice.issued_at,
        Invoice.gross,
        sa.cast(Invoice.state, sa.Text).label("state"),
        Invoice.archive_key.label("pdf"),
        Invoice.xml_archive_key.label("xml"),
        Invoice.paper_archive_key.label("paper"),
    ).where(Invoice.month == month, Invoice.number.is_not(None))
    chosen: dict[str, sa.SelectBase] = {"berichte": report, "rechnungen": invoice}
    found = chosen.get(kind, report.union_all(invoice)).subquery()
    pdf, xml, paper = (sa.orm.aliased(ArchivedObject) for _ in range(3))
    statement = (
        sa.select(
            found.c.kind,
            found.c.number,
            found.c.issued_at,
            found.c.gross,
            found.c.state,
            Customer.number.label("customer"),
            Customer.name,
            Site.code,
            pdf.id.label("pdf_id"),
            xml.id.label("xml_id"),
            sa.case((found.c.paper == found.c.pdf, None), else_=paper.id).label("paper_id"),
        )
        .join(Customer, Customer.id == found.c.customer_id)
        .outerjoin(Site, Site.id == found.c.paying_site_id)
        .outerjoin(pdf, pdf.key == found.c.pdf)
        .outerjoin(xml, xml.key == found.c.xml)
        .outerjoin(paper, paper.key == found.c.paper)
        .order_by(Customer.number, sa.func.coalesce(Site.code, ""), found.c.number.desc())
    )
    if search:
        statement = statement.where(matches(search, Customer.number, Customer.name, found.c.number))
    return paged(session, statement, number)


@dataclass(frozen=True, slots=True)
class HandOvers:
    """What left for bookkeeping and post."""

    sap: dict[str, int]
    datev: Sequence[Any]
    batches: Sequence[Any]


def hand_overs(session: Session, run_id: int) -> HandOvers:
    """Counts of SAP documents by state, the DATEV files, the postal batches."""
    sap = session.execute(
        sa.select(SapDocument.state, sa.func.count())
        .join(Invoice, Invoice.id == SapDocument.invoice_id)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .where(BillingItem.run_id == run_id)
        .group_by(SapDocument.state)
    ).tuples()
    count = sa.select(sa.func.count(Invoice.id))
    datev = session.execute(
        sa.select(
            DatevFile.sequence,
            DatevFile.file_name,
            DatevFile.created_at,
            ArchivedObject.id.label("object_id"),
            count.where(Invoice.datev_file_id == DatevFile.id).scalar_subquery().label("invoices"),
        )
        .outerjoin(ArchivedObject, ArchivedObject.key == DatevFile.archive_key)
        .where(DatevFile.run_id == run_id)
        .order_by(DatevFile.sequence)
    ).all()
    batches = session.execute(
        sa.select(
            PostalBatch.id,
            PostalBatch.sequence,
            PostalBatch.created_at,
            PostalBatch.printed_at,
            PostalBatch.printed_by,
            ArchivedObject.id.label("object_id"),
            count.where(Invoice.postal_batch_id == PostalBatch.id).scalar_subquery().label("letters"),
        )
        .outerjoin(ArchivedObject, ArchivedObject.key == PostalBatch.archive_key)
        .where(PostalBatch.run_id == run_id)
        .order_by(PostalBatch.sequence)
    ).all()
    return HandOvers({state.value: n for state, n in sap}, datev, batches)


def sap_documents(session: Session, run_id: int, number: int, state: str = "") -> Page[Any]:
    """SAP documents of a run, failed ones first, a page at a time."""
    statement = (
        sa.select(
            Invoice.number,
            Invoice.gross,
            Customer.number.label("customer"),
            Customer.name,
            SapDocument.state,
            SapDocument.adapter,
            SapDocument.remote_id,
            SapDocument.attempts,
            SapDocument.posted_at,
            SapDocument.error,
            ArchivedObject.id.label("object_id"),
        )
        .join(Invoice, Invoice.id == SapDocument.invoice_id)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .join(Customer, Customer.id == SapDocument.customer_id)
        .outerjoin(ArchivedObject, ArchivedObject.key == SapDocument.archive_key)
        .where(BillingItem.run_id == run_id)
        .order_by(sa.case((SapDocument.state == HandOverState.FAILED, 0), else_=1), Invoice.number)
    )
    if state in set(HandOverState):
        statement = statement.where(SapDocument.state == HandOverState(state))
    return paged(session, statement, number)


def letters_to_print(session: Session, run_id: int) -> int:
    """Letters of the run in a folder that nobody has marked as sent yet."""
    return session.scalars(
        sa.select(sa.func.count(Invoice.id))
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .join(PostalBatch, PostalBatch.id == Invoice.postal_batch_id)
        .where(BillingItem.run_id == run_id, PostalBatch.printed_at.is_(None))
    ).one()


def open_proposals(session: Session, month: str) -> int:
    """Over-bookings of the month that wait for a decision."""
    return session.scalars(
        sa.select(sa.func.count(CorrectionProposal.id)).where(
            CorrectionProposal.month == month, CorrectionProposal.state == ProposalState.PROPOSED
        )
    ).one()
