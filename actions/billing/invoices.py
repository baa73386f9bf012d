"""Rechnungen: only after their report was accepted and the grace time passed (S163, U9); checked before they may exist."""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.archive import Document
from actions.billing.around import the_house
from actions.billing.invoice_content import invoice_contents
from actions.billing.recipients import choose, persons_of
from actions.billing.sharing import NUMBERED_INVOICE, invoices_waiting, left_by_others, portion
from actions.mail.outbox import NewMail, queue
from actions.numbers import likely_numbers, next_numbers
from integrations.documents.contents import Face as ContentFace
from integrations.documents.contents import InvoiceContent
from integrations.einvoice import CheckRecord, build_cii, check, check_contents, profile_of
from integrations.mail.catalogue import invoice_mail
from integrations.mail.types import Attachment
from kit import clock
from kit import log as logs
from kit.errors import DrehkreuzError
from kit.settings import settings
from models.billing import (
    BillingItem,
    Invoice,
    InvoiceKind,
    InvoiceState,
    ItemState,
    ReportState,
    ServiceReport,
)
from models.handover import HandOverState, SapDocument
from models.maintenance import CompanyDay
from models.parties import Customer, Site
from models.plumbing import MailState, OutboxMail
from models.work import EntryState, ServiceEntry
from rules import invoice_guard
from rules.workdays import grace_ends

TRIAL_NUMBER = "RE-0000-000000"
_KINDS = {kind: position for position, kind in enumerate(InvoiceKind)}


class InvoiceCheckError(DrehkreuzError):
    """A numbered invoice breaks a rule that it kept before it got its number: a fault of ours, nothing leaves."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One invoice to put on pages: its content, its structured form, the report that travels inside, and which faces."""

    content: InvoiceContent
    xml: bytes
    report_pdf: bytes | None
    einvoice: bool
    paper: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """The pages: the e-invoice (hybrid PDF), the printed face, or both; or why there are none."""

    einvoice: bytes | None
    paper: bytes | None
    error: str = ""


RenderInvoices = Callable[[Sequence[RenderJob]], list[Rendered]]
CheckInvoices = Callable[[Sequence[InvoiceContent]], list[CheckRecord]]
"""Checks invoices that have no number yet, in the given order, on as many processes as this worker has."""
CheckXml = Callable[[bytes], CheckRecord]
"""Checks one structured invoice as it is going to leave."""


def due_ids(session: Session, run_id: int) -> list[int]:
    """Planned invoices whose report (where the part has one) was accepted long enough ago, in order of issue.

    A planned Storno waits for nobody.
    """
    statement = (
        sa.select(Invoice.id, Invoice.kind, ServiceReport.id, ServiceReport.state, OutboxMail.state, OutboxMail.accepted_at)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(Site, Site.id == Invoice.paying_site_id)
        .outerjoin(ServiceReport, ServiceReport.item_id == BillingItem.id)
        .outerjoin(OutboxMail, OutboxMail.id == ServiceReport.mail_id)
        .where(BillingItem.run_id == run_id, Invoice.state == InvoiceState.PLANNED)
        .order_by(Customer.number, sa.func.coalesce(Site.code, ""), Invoice.id)
    )
    now, days = clock.now(), settings().report_grace_days
    closed = frozenset(session.scalars(sa.select(CompanyDay.day)))
    due = []
    for invoice_id, kind, report_id, report_state, mail_state, accepted_at in session.execute(statement):
        if report_id is not None and kind is not InvoiceKind.CANCELLATION:
            if report_state is not ReportState.ISSUED or mail_state is not MailState.ACCEPTED or accepted_at is None:
                continue
            if grace_ends(clock.local(accepted_at), days, closed) > clock.local(now):
                continue
        due.append(invoice_id)
    return due


def number_invoices(
    session: Session, run_id: int, limit: int = 200, *, check_all: CheckInvoices = check_contents
) -> tuple[int, int]:
    """Check due invoices against the e-invoice rules and number those that pass; returns how many, and how many were looked at.

    What fails keeps no number and says why; it is tried again by the next visit. The range is locked last and shortly; so the
    check is made under the numbers that will most likely be given: then the finished invoice is the one that was checked.
    """
    year = clock.today().year
    passed, due, looked = check_due(
        session, run_id, limit, check_all=check_all, trial=lambda count: likely_numbers(session, "RE", year, count)
    )
    number_now(session, passed, due)
    return len(passed), looked


def check_due(
    session: Session,
    run_id: int,
    limit: int,
    *,
    without: AbstractSet[int] = frozenset(),
    check_all: CheckInvoices = check_contents,
    trial: Callable[[int], Sequence[str]] = lambda count: [TRIAL_NUMBER] * count,
) -> tuple[list[Invoice], dict[int, dt.date], int]:
    """Check due invoices (but those in `without`) against the e-invoice rules; what fails says why.

    Args:
        session: the transaction.
        run_id: the billing run.
        limit: how many to look at.
        without: invoices to leave out.
        check_all: how they are checked.
        trial: numbers to check so many invoices under.

    Returns:
        those that pass, locked, in order of issue; the day by which each is to be paid; how many were looked at.
    """
    ids = [invoice_id for invoice_id in due_ids(session, run_id) if invoice_id not in without]
    rows = _locked(session, ids, portion(len(ids), limit))
    if not rows:
        return [], {}, 0
    today = clock.today()
    numbers = {i.id: (number, today) for i, number in zip(rows, trial(len(rows)), strict=True)}
    contents = invoice_contents(session, [i.id for i in rows], numbers=numbers)
    passed = []
    for invoice, record in zip(rows, check_all([contents[i.id] for i in rows]), strict=True):
        if record.ok:
            passed.append(invoice)
        else:
            invoice.fault = "; ".join(record.reasons)[:2000]
    return passed, {i.id: contents[i.id].due_on for i in passed}, len(rows)


def _locked(session: Session, ids: Sequence[int], limit: int) -> list[Invoice]:
    rank = {invoice_id: position for position, invoice_id in enumerate(ids)}
    found: list[Invoice] = []
    for start in range(0, len(ids), limit):
        rows = session.scalars(
            sa.select(Invoice)
            .where(Invoice.id.in_(ids[start : start + limit]), Invoice.state == InvoiceState.PLANNED, Invoice.fault.is_(None))
            .with_for_update(skip_locked=True)
        ).all()
        found.extend(rows)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda invoice: rank[invoice.id])[:limit]


def clear_faults(session: Session, run_id: int) -> None:
    """At the start of a visit: what failed is tried again, somebody may have mended the data."""
    in_run = sa.select(BillingItem.id).where(BillingItem.run_id == run_id)
    for entity in (Invoice, ServiceReport):
        session.execute(sa.update(entity).where(entity.item_id.in_(in_run), entity.fault.is_not(None)).values(fault=None))


def number_now(session: Session, invoices: Sequence[Invoice], due: dict[int, dt.date]) -> None:
    """Take the legal numbers for these invoices from our own range."""
    now = clock.now()
    give_numbers(session, invoices, next_numbers(session, "RE", clock.local(now).year, len(invoices)), due, now)


def give_numbers(
    session: Session, invoices: Sequence[Invoice], numbers: Sequence[str], due: Mapping[int, dt.date], issued_at: dt.datetime
) -> None:
    """Number these invoices; their entries are invoiced from here on."""
    for invoice, number in zip(invoices, numbers, strict=True):
        invoice.number, invoice.state, invoice.issued_at = number, InvoiceState.NUMBERED, issued_at
        invoice.due_on = due[invoice.id]
    session.flush()
    reports = [i.report_id for i in invoices if i.report_id is not None and i.kind is InvoiceKind.SERVICE]
    session.execute(
        sa.update(ServiceEntry)
        .where(ServiceEntry.report_id.in_(reports), ServiceEntry.billable)
        .values(state=EntryState.INVOICED)
    )
    items = [i.item_id for i in invoices if i.item_id is not None]
    session.execute(
        sa.update(BillingItem)
        .where(BillingItem.id.in_(items), BillingItem.state == ItemState.PLANNED)
        .values(state=ItemState.ISSUED)
    )


def _verdict(invoice: Invoice, content: InvoiceContent) -> invoice_guard.Verdict:
    return invoice_guard.judge(
        invoice_guard.GuardedInvoice(
            issued_on=content.issued_on,
            supplied_from=invoice.supply_from,
            supplied_to=invoice.supply_to,
            gross=invoice.gross,
            large_turnover=settings().previous_year_turnover_over_800k,
            domestic_business=content.buyer.country == "DE",
        )
    )


def issue_invoices(
    session: Session, run_id: int, render: RenderInvoices, limit: int = 50, *, check_one: CheckXml = check
) -> int:
    """Render, archive, queue and register a batch of numbered invoices; returns how many. Safe to repeat at any point.

    Several visits share a run: each takes rows that no other holds.
    """
    limit = portion(invoices_waiting(session, run_id), limit)
    invoices = session.scalars(
        sa.select(Invoice)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .where(BillingItem.run_id == run_id, *NUMBERED_INVOICE)
        .order_by(Invoice.number)
        .limit(limit)
        .with_for_update(of=Invoice, skip_locked=True)
    ).all()
    if not invoices:
        return 0
    contents = invoice_contents(session, [i.id for i in invoices])
    reports = _report_pdfs(session, invoices)
    ready: list[tuple[Invoice, RenderJob, CheckRecord]] = []
    for invoice in invoices:
        job = _job(invoice, contents[invoice.id], reports)
        record = check_one(job.xml)
        if record.ok:
            ready.append((invoice, job, record))
        else:
            invoice.fault = "; ".join(record.reasons)[:2000]
    made: list[tuple[Invoice, RenderJob, CheckRecord, Rendered]] = []
    for (invoice, job, record), pages in zip(ready, render([job for _, job, _ in ready]), strict=True):
        invoice.fault = pages.error or None
        about = {"invoice": invoice.number, "customer": job.content.buyer.number}
        logs.item("Rechnung gesetzt", fault=invoice.fault, **about)
        if not pages.error:
            made.append((invoice, job, record, pages))
    _file(session, made)
    _queue(session, [(invoice, job, pages.einvoice or b"") for invoice, job, _, pages in made if job.einvoice])
    issued = [invoice for invoice, *_ in made]
    known = set(
        session.scalars(sa.select(SapDocument.invoice_id).where(SapDocument.invoice_id.in_([i.id for i in issued])))
    )  # SAP has what it gave the number to
    session.add_all(
        SapDocument(
            customer_id=i.customer_id, invoice_id=i.id, key=i.number or "", adapter=settings().sap, state=HandOverState.QUEUED
        )
        for i in issued
        if i.id not in known
    )
    return len(invoices)


def invoices_left(session: Session, run_id: int) -> bool:
    """Wait for the invoices that other visits hold; whether any of them is still to be issued."""
    return left_by_others(session, Invoice, run_id, *NUMBERED_INVOICE)


def due_left(session: Session, run_id: int) -> bool:
    """Wait for the due invoices that other visits are checking; whether any of them still has neither number nor fault."""
    due = Invoice.id.in_(due_ids(session, run_id))
    return left_by_others(session, Invoice, run_id, due, Invoice.state == InvoiceState.PLANNED, Invoice.fault.is_(None))


def _report_pdfs(session: Session, invoices: Sequence[Invoice]) -> dict[int, bytes]:
    ids = [i.report_id for i in invoices if i.report_id is not None]
    rows = session.execute(sa.select(ServiceReport.id, ServiceReport.archive_key).where(ServiceReport.id.in_(ids))).tuples()
    keys = {report_id: key for report_id, key in rows if key}
    stored = archive.read_all(session, list(keys.values()))
    return {report_id: stored[key] for report_id, key in keys.items()}


def _job(invoice: Invoice, content: InvoiceContent, reports: dict[int, bytes]) -> RenderJob:
    faces = invoice_guard.faces(invoice_guard.Delivery(invoice.face.value), _verdict(invoice, content))
    einvoice = any(face is not invoice_guard.Face.POST for face in faces)
    report_pdf = reports.get(invoice.report_id or 0)
    content = replace(content, einvoice_exists=einvoice)
    xml = build_cii(content, profile_of(content.face), report_pdf=report_pdf)
    return RenderJob(content, xml, report_pdf, einvoice=einvoice, paper=invoice_guard.Face.POST in faces)


def _file(session: Session, made: Sequence[tuple[Invoice, RenderJob, CheckRecord, Rendered]]) -> None:
    """Keep the papers of these invoices; they are issued then."""
    documents = [_documents(*one) for one in made]
    kept = iter(archive.keep(session, *(document for several in documents for document in several)))
    for (invoice, _, _, pages), several in zip(made, documents, strict=True):
        main, structured, proof, *paper = [next(kept) for _ in several]
        invoice.archive_key, invoice.sha256 = main.key, main.sha256
        invoice.xml_archive_key, invoice.check_archive_key = structured.key, proof.key
        if pages.paper is not None:
            invoice.paper_archive_key = (paper[0] if paper else main).key
        invoice.state = InvoiceState.ISSUED


def _documents(invoice: Invoice, job: RenderJob, record: CheckRecord, pages: Rendered) -> list[Document]:
    """Main face, structured form, proof of the check, and the printed face where it is another one."""
    number, day, customer = job.content.number, job.content.issued_on, invoice.customer_id
    main = pages.einvoice or pages.paper or b""
    proof = json.dumps(record.as_json(), ensure_ascii=False).encode()
    documents = [
        Document("invoices", number, main, customer_id=customer, day=day),
        Document("invoices", number, job.xml, "xml", customer_id=customer, day=day),
        Document("checks", number, proof, "json", customer_id=customer, day=day),
    ]
    if pages.paper is not None and pages.einvoice is not None:
        documents.append(Document("paper", number, pages.paper, customer_id=customer, day=day))
    return documents


def addresses(session: Session, invoices: Sequence[Invoice]) -> dict[int, tuple[str, ...]]:
    """Where each e-invoice goes: the address that the customer named for invoices, else the reports' recipients."""
    customers = sorted({invoice.customer_id for invoice in invoices})
    named = dict(
        session.execute(sa.select(Customer.id, Customer.invoice_email).where(Customer.id.in_(customers))).tuples().all()
    )
    persons = persons_of(session, customers)
    return {
        i.id: (email,) if (email := named[i.customer_id]) else choose(persons.get(i.customer_id, []), i.paying_site_id).emails
        for i in invoices
    }


def _queue(session: Session, issued: Sequence[tuple[Invoice, RenderJob, bytes]]) -> None:
    """The e-invoice by mail, to the address that the customer named for invoices (else the reports' recipients)."""
    if not issued:
        return
    house = the_house(session)
    to = addresses(session, [invoice for invoice, *_ in issued])
    mails, keys = [], {}
    for invoice, job, pdf in issued:
        if not to[invoice.id]:
            continue  # stands in the item's blockers until somebody names an address
        keys[invoice.id] = f"invoice:{invoice.number}:1"
        mails.append(mail_of(keys[invoice.id], invoice, job, to[invoice.id], pdf))
    ids = queue(session, house, mails)
    for invoice, *_ in issued:
        if invoice.id in keys:
            invoice.mail_id = ids[keys[invoice.id]]


def mail_of(key: str, invoice: Invoice, job: RenderJob, to: tuple[str, ...], pdf: bytes) -> NewMail:
    """The mail of one e-invoice with its one attachment."""
    content = job.content
    xrechnung = content.face is ContentFace.XRECHNUNG
    texts = invoice_mail(
        house=content.house,
        contact=content.contact,
        customer=content.buyer.name,
        number=content.number,
        issued_on=content.issued_on,
        gross=abs(content.totals.gross),
        due_on=content.due_on,
        face="xrechnung" if xrechnung else "zugferd",
        report_id=content.report_number,
        cancels=content.cancels.number if content.cancels else "",
        also_by_post=job.paper,
    )
    attachment = (
        Attachment(f"{content.number}.xml", job.xml, "application/xml")
        if xrechnung
        else Attachment(f"{content.number}.pdf", pdf)
    )
    return NewMail(key, "invoice", to, texts, invoice.customer_id, (attachment,))
