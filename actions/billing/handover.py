"""Übergabe: issued invoices go to SAP, into a DATEV batch and into the postal batch; each exactly once."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive, sap
from actions.archive import Document
from actions.billing.around import house_content, load_around, the_house
from actions.billing.overview import amount
from integrations.datev.types import DatevClient, DatevInvoice
from integrations.datev.types import DatevFile as Batch
from integrations.documents.contents import PostalItem, PostalListContent
from integrations.documents.postal_list import page_count
from integrations.sap.port import Posting, SapInvoice, SapKind, SapLine
from kit import clock
from kit.settings import settings
from models.billing import (
    BillingItem,
    BillingRun,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    ServiceReport,
)
from models.handover import DatevFile, HandOverState, PostalBatch, SapDocument
from models.parties import Customer, Site
from rules.money import vat_of
from rules.month import Month
from rules.retention import RecordClass

Posted = tuple[SapDocument, SapInvoice, Posting]
"""A document, what SAP was told of it, and what SAP made of that."""
ISSUED = (InvoiceState.ISSUED, InvoiceState.SENT, InvoiceState.CANCELLED)


def _lines(session: Session, ids: Sequence[int]) -> dict[int, list[InvoiceLine]]:
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in session.scalars(sa.select(InvoiceLine).where(InvoiceLine.invoice_id.in_(ids)).order_by(InvoiceLine.position)):
        lines[line.invoice_id].append(line)
    return lines


def revenue_accounts() -> dict[int, str]:
    """Revenue account per VAT rate in percent."""
    chosen = settings()
    return {19: chosen.datev_revenue_account, 7: chosen.datev_revenue_account_reduced, 0: chosen.datev_revenue_account_free}


# --- SAP ---------------------------------------------------------------------------------------------------------------


def sap_waiting(session: Session, run_id: int, *, after: int = 0, limit: int = 200) -> list[SapDocument]:
    """Documents of the run that SAP does not have yet, locked for this transaction, in order of their issue."""
    return list(
        session.scalars(
            sa.select(SapDocument)
            .join(Invoice, Invoice.id == SapDocument.invoice_id)
            .join(BillingItem, BillingItem.id == Invoice.item_id)
            .where(
                BillingItem.run_id == run_id,
                SapDocument.state != HandOverState.POSTED,
                Invoice.state.in_(ISSUED),
                SapDocument.id > after,
            )
            .order_by(SapDocument.id)
            .limit(limit)
            .with_for_update(of=SapDocument, skip_locked=True)
        )
    )


def sap_invoices(session: Session, documents: Sequence[SapDocument]) -> dict[int, SapInvoice]:
    """What SAP is told of each invoice; by the document's id. Amounts are positive, the kind says the direction."""
    ids = [d.invoice_id for d in documents]
    rows = session.execute(
        sa.select(Invoice, Customer, Site.code, ServiceReport.number)
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(Site, Site.id == Invoice.paying_site_id)
        .outerjoin(ServiceReport, ServiceReport.id == Invoice.report_id)
        .where(Invoice.id.in_(ids))
    ).tuples()
    lines, accounts = _lines(session, ids), revenue_accounts()
    cancelled = _cancelled(session, ids)
    result = {}
    key_of = {d.invoice_id: d for d in documents}
    for invoice, customer, site, report in rows:
        cancels, cancels_key = cancelled.get(invoice.cancels_id or 0, ("", ""))
        result[key_of[invoice.id].id] = SapInvoice(
            key=key_of[invoice.id].key,
            number=invoice.number or "",
            kind=SapKind.CANCELLATION if invoice.kind is InvoiceKind.CANCELLATION else SapKind.INVOICE,
            card_code=customer.sap_card_code or customer.number,
            customer_name=customer.name,
            issued_on=clock.local(invoice.issued_at or clock.now()).date(),
            supplied_until=invoice.supply_to,
            due_on=invoice.due_on or clock.today(),
            lines=tuple(
                SapLine(
                    text=f"{line.description}, {amount(abs(line.quantity))} × {amount(line.price)} EUR",
                    net=abs(line.net),
                    vat_rate=line.vat_rate,
                    account=accounts.get(int(line.vat_rate), accounts[0]),
                )
                for line in lines[invoice.id]
            ),
            net=abs(invoice.net),
            vat=abs(invoice.vat),
            gross=abs(invoice.gross),
            month=invoice.month,
            report_id=report or "",
            ship_to=site or "",
            cancels=cancels,
            cancels_key=cancels_key,
        )
    return result


def _cancelled(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Number of each invoice that one of these takes back, and the key by which SAP knows it."""
    cancels = sa.select(Invoice.cancels_id).where(Invoice.id.in_(ids), Invoice.cancels_id.is_not(None))
    rows = session.execute(
        sa.select(Invoice.id, Invoice.number, SapDocument.key)
        .outerjoin(SapDocument, SapDocument.invoice_id == Invoice.id)
        .where(Invoice.id.in_(cancels))
    ).tuples()
    return {invoice_id: (number or "", key or number or "") for invoice_id, number, key in rows}


def sap_posted(session: Session, posted: Sequence[Posted]) -> int:
    """SAP has these; what was handed over is kept. Returns how many."""
    kept = archive.keep(
        session,
        *(
            Document("sap", document.key, sap.as_json(invoice), "json", RecordClass.VOUCHER, document.customer_id)
            for document, invoice, _ in posted
        ),
    )
    for (document, _, posting), place in zip(posted, kept, strict=True):
        document.state, document.posted_at, document.error = HandOverState.POSTED, clock.now(), None
        document.remote_id, document.archive_key = posting.document, place.key
    return len(posted)


def sap_failed(document: SapDocument, why: str, *, final: bool) -> None:
    """SAP said no, or did not answer; the next visit looks there first and tries again."""
    document.attempts += 1
    document.state = HandOverState.FAILED if final else HandOverState.QUEUED
    document.error = why


# --- DATEV -------------------------------------------------------------------------------------------------------------


def datev_client() -> DatevClient:
    """For whom the batch is, from the settings."""
    chosen = settings()
    return DatevClient(
        consultant=chosen.datev_consultant,
        client=chosen.datev_client,
        account_length=chosen.datev_account_length,
        revenue_accounts=revenue_accounts(),
        chart="04" if chosen.datev_revenue_account.startswith("4") else "03",
    )


def datev_waiting(session: Session, run_id: int) -> list[Invoice]:
    """Issued invoices of the run that stand in no batch yet, locked for this transaction."""
    return list(
        session.scalars(
            sa.select(Invoice)
            .join(BillingItem, BillingItem.id == Invoice.item_id)
            .where(BillingItem.run_id == run_id, Invoice.state.in_(ISSUED), Invoice.datev_file_id.is_(None))
            .order_by(Invoice.number)
            .with_for_update(of=Invoice)
        )
    )


def datev_invoices(session: Session, invoices: Sequence[Invoice]) -> list[DatevInvoice]:
    """What the batch says of each invoice."""
    customers = {
        c.id: c for c in session.scalars(sa.select(Customer).where(Customer.id.in_({i.customer_id for i in invoices})))
    }
    lines = _lines(session, [i.id for i in invoices])
    cancelled = _cancelled(session, [i.id for i in invoices])
    result = []
    for invoice in invoices:
        nets: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in lines[invoice.id]:
            nets[line.vat_rate] += abs(line.net)
        customer = customers[invoice.customer_id]
        result.append(
            DatevInvoice(
                number=invoice.number or "",
                issued_on=clock.local(invoice.issued_at or clock.now()).date(),
                debtor_account=customer.debtor_account or settings().datev_collective_debtor,
                gross_by_rate={int(rate): net + vat_of(net, rate) for rate, net in nets.items()},
                text=f"{customer.number} {customer.name}",
                due_on=invoice.due_on,
                supplied_until=invoice.supply_to,
                reverses=cancelled.get(invoice.cancels_id or 0, ("", ""))[0],
            )
        )
    return result


def next_datev_sequence(session: Session, run_id: int) -> int:
    """The number of the run's next batch, from 1."""
    return 1 + int(session.scalar(sa.select(sa.func.count()).select_from(DatevFile).where(DatevFile.run_id == run_id)) or 0)


def datev_filed(session: Session, run_id: int, invoices: Sequence[Invoice], files: Sequence[Batch]) -> list[str]:
    """Keep the files and remember that these invoices stand in them; returns their names."""
    run, sequence = session.get_one(BillingRun, run_id), next_datev_sequence(session, run_id)
    rows = []
    for number, file in enumerate(files, start=sequence):
        kept = archive.keep(session, Document("datev", f"{run.month}-{number}", file.content, "csv", RecordClass.BOOK))
        rows.append(DatevFile(run_id=run_id, sequence=number, file_name=file.name, archive_key=kept[0].key))
    session.add_all(rows)
    session.flush()
    for invoice in invoices if rows else ():
        invoice.datev_file_id = rows[0].id
    return [row.file_name for row in rows]


# --- post --------------------------------------------------------------------------------------------------------------


LETTERS_PER_BATCH = 250
"""What a printer and a person can take at once; it also keeps memory flat."""


def letters_waiting(session: Session, run_id: int) -> list[Invoice]:
    """Issued invoices with a printed face that lie in no batch yet, locked for this transaction; one batch of them."""
    return list(
        session.scalars(
            sa.select(Invoice)
            .join(BillingItem, BillingItem.id == Invoice.item_id)
            .where(
                BillingItem.run_id == run_id,
                Invoice.state.in_(ISSUED),
                Invoice.paper_archive_key.is_not(None),
                Invoice.postal_batch_id.is_(None),
            )
            .order_by(Invoice.number)
            .limit(LETTERS_PER_BATCH)
            .with_for_update(of=Invoice)
        )
    )


def postal_list(session: Session, run_id: int, letters: Sequence[Invoice]) -> tuple[PostalListContent, list[bytes]]:
    """The check list of a batch and the letters in its order."""
    around = load_around(session, (i.customer_id for i in letters))
    run = session.get_one(BillingRun, run_id)
    sequence = _next_batch(session, run_id)
    reports = dict(
        session.execute(
            sa.select(ServiceReport.id, ServiceReport.number).where(
                ServiceReport.id.in_([i.report_id for i in letters if i.report_id])
            )
        )
        .tuples()
        .all()
    )
    stored = archive.read_all(session, [letter.paper_archive_key or "" for letter in letters])
    pages = [stored[letter.paper_archive_key or ""] for letter in letters]
    items = tuple(
        PostalItem(
            invoice_number=letter.number or "",
            customer_number=around.customers[letter.customer_id].number,
            recipient=around.party(letter.customer_id, letter.paying_site_id),
            report_number=reports.get(letter.report_id or 0) or "",
            gross=letter.gross,
            pages=page_count(pdf),
        )
        for letter, pdf in zip(letters, pages, strict=True)
    )
    content = PostalListContent(
        batch=f"{run.month}/{sequence}",
        month=Month.parse(run.month).first_day,
        issued_on=clock.today(),
        house=house_content(the_house(session)),
        items=items,
    )
    return content, pages


def _next_batch(session: Session, run_id: int) -> int:
    statement = sa.select(sa.func.count()).select_from(PostalBatch).where(PostalBatch.run_id == run_id)
    return 1 + int(session.scalar(statement) or 0)


def letters_filed(session: Session, run_id: int, letters: Sequence[Invoice], printable: bytes) -> str:
    """Keep the batch and remember which letters lie in it; returns its name."""
    sequence, run = _next_batch(session, run_id), session.get_one(BillingRun, run_id)
    name = f"{run.month}-{sequence}"
    kept = archive.keep(session, Document("post", name, printable))
    batch = PostalBatch(run_id=run_id, sequence=sequence, archive_key=kept[0].key)
    session.add(batch)
    session.flush()
    for letter in letters:
        letter.postal_batch_id = batch.id
    return name


def mark_printed(session: Session, batch_id: int, actor: str) -> int:
    """A person put the letters into the post: they are sent. Returns how many."""
    batch = session.get_one(PostalBatch, batch_id, with_for_update=True)
    if batch.printed_at is None:
        batch.printed_at, batch.printed_by = clock.now(), actor
    changed = session.execute(
        sa.update(Invoice)
        .where(Invoice.postal_batch_id == batch_id, Invoice.state == InvoiceState.ISSUED)
        .values(state=InvoiceState.SENT, sent_at=batch.printed_at)
        .returning(Invoice.id)
    )
    return len(changed.all())
