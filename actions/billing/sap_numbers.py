"""Rechnungsnummern aus SAP (U31): the document is made there first, its number comes back and is the legal one.

Our key goes ahead of the document: a row of its own, committed before anything is posted. So a visit that was interrupted
finds the document by its key, and with it the number that SAP has given already.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing import handover
from actions.billing.invoice_content import invoice_contents
from actions.billing.invoices import TRIAL_NUMBER, CheckInvoices, check_due, due_ids, give_numbers
from integrations.einvoice import check_contents
from integrations.sap.port import SapInvoice
from kit import clock
from kit.errors import UsageError
from kit.settings import settings
from models.billing import (
    BillingItem,
    Invoice,
    InvoiceKind,
    InvoiceState,
)
from models.handover import HandOverState, SapDocument

CREDIT_NOTE = "ST-"
"""Credit notes count in a range of their own, which knows the same figures as that of the invoices."""


def wanted() -> bool:
    """Whether SAP gives the numbers. Raises: UsageError when the settings contradict each other."""
    chosen = settings()
    if chosen.invoice_numbers == "sap" and chosen.sap != "service_layer":
        raise UsageError(
            "Einstellungen: DREHKREUZ_INVOICE_NUMBERS=sap verlangt DREHKREUZ_SAP=service_layer, denn eine Datei gibt keine "
            "Nummer zurück. Stellen Sie eines von beiden um."
        )
    return chosen.invoice_numbers == "sap"


def announce(session: Session, run_id: int, limit: int = 200, *, check_all: CheckInvoices = check_contents) -> tuple[int, int]:
    """Check due invoices and give those that pass their key for SAP; returns how many, and how many were looked at."""
    known = session.scalars(
        sa.select(SapDocument.invoice_id)
        .join(Invoice, Invoice.id == SapDocument.invoice_id)
        .join(BillingItem, BillingItem.id == Invoice.item_id)
        .where(BillingItem.run_id == run_id, Invoice.state == InvoiceState.PLANNED)
    )
    passed, _, looked = check_due(session, run_id, limit, without=frozenset(known), check_all=check_all)
    session.add_all(
        SapDocument(
            customer_id=invoice.customer_id, invoice_id=invoice.id, key=_key(invoice), adapter=settings().sap,
            state=HandOverState.QUEUED,
        )
        for invoice in passed
    )  # fmt: skip
    session.flush()
    return len(passed), looked


def _key(invoice: Invoice) -> str:
    """Unique for ever, also when a backup is restored and ids are given a second time."""
    return f"DK-{invoice.id}-{clock.now():%Y%m%d%H%M%S%f}"


def waiting(session: Session, run_id: int, *, after: int = 0, limit: int = 200) -> list[SapDocument]:
    """Announced documents without a number whose invoice is still due, locked for this transaction, in order of issue."""
    return list(
        session.scalars(
            sa.select(SapDocument)
            .join(Invoice, Invoice.id == SapDocument.invoice_id)
            .where(Invoice.id.in_(due_ids(session, run_id)), Invoice.fault.is_(None), SapDocument.id > after)
            .order_by(SapDocument.id)
            .limit(limit)
            .with_for_update(of=(SapDocument, Invoice), skip_locked=True)
        )
    )


def told(session: Session, documents: Sequence[SapDocument]) -> dict[int, SapInvoice]:
    """What SAP is told of each, by the document's id: as of today, without a number."""
    for invoice_id, day in _due_days(session, [d.invoice_id for d in documents], clock.today()).items():
        session.get_one(Invoice, invoice_id).due_on = day
    session.flush()
    return handover.sap_invoices(session, documents)


def _due_days(session: Session, ids: Sequence[int], issued_on: dt.date) -> dict[int, dt.date]:
    """The day by which each is to be paid when it is issued on that day, whatever an earlier attempt said."""
    for invoice_id in ids:
        session.get_one(Invoice, invoice_id).due_on = None
    contents = invoice_contents(session, ids, numbers=dict.fromkeys(ids, (TRIAL_NUMBER, issued_on)))
    return {invoice_id: content.due_on for invoice_id, content in contents.items()}


def numbered(session: Session, posted: Sequence[handover.Posted]) -> int:
    """Take over number and day that SAP's documents have; a number that another invoice has already is refused.

    Returns:
        how many invoices have their number now.
    """
    taken: list[handover.Posted] = []
    for document, invoice, posting in posted:
        row = session.get_one(Invoice, document.invoice_id)
        number = (CREDIT_NOTE if row.kind is InvoiceKind.CANCELLATION else "") + posting.document
        if session.scalar(sa.select(Invoice.id).where(Invoice.number == number)) is not None:
            why = f"SAP-Beleg {posting.document}: Diese Nummer trägt hier schon eine andere Rechnung."
            handover.sap_failed(document, f"{why} Bitte den Nummernkreis in SAP prüfen.", final=True)
            continue
        now = clock.now()
        day = posting.day or clock.local(now).date()
        issued_at = min(clock.at_local(day, clock.local(now).time()), now)
        give_numbers(session, [row], [number], _due_days(session, [row.id], day), issued_at)
        taken.append((document, replace(invoice, number=number, issued_on=day), posting))
    return handover.sap_posted(session, taken)
