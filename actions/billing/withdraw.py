"""Zurückziehen: a customer is taken out of a released month as long as nothing of it has a number."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.overview import run_of
from kit.database import lock
from kit.errors import ConflictError, NotFoundError
from models.billing import (
    BillingExclusion,
    BillingItem,
    CorrectionProposal,
    Invoice,
    InvoiceLine,
    ItemState,
    KontingentEntry,
    ServiceReport,
    ServiceReportGroup,
    ServiceReportLine,
)
from models.handover import SapDocument
from models.parties import Customer
from models.work import ServiceEntry
from rules.month import Month


def withdraw_customer(session: Session, month: Month, number: str) -> int:
    """Unlock the entries of a customer and forget its part of the run; returns how many entries are free again.

    They come into the next month's run. All parts of the customer go together, since they share one Kontingent.

    Raises:
        NotFoundError: the month has no such customer.
        ConflictError: a report or invoice of it has a number already.
    """
    run = run_of(session, month)
    lock(session, f"billing:{month}")
    items = session.scalars(
        sa.select(BillingItem)
        .join(Customer, Customer.id == BillingItem.customer_id)
        .where(BillingItem.run_id == run.id, Customer.number == number, BillingItem.state != ItemState.WITHDRAWN)
        .with_for_update(of=BillingItem)
    ).all()
    if not items:
        raise NotFoundError(f"Rechnungslauf {month}: Der Kunde {number} ist nicht darin.")
    ids = [item.id for item in items]
    issued = session.scalar(
        sa.select(sa.func.count())
        .select_from(ServiceReport)
        .where(ServiceReport.item_id.in_(ids), ServiceReport.number.is_not(None))
    ) or session.scalar(
        sa.select(sa.func.count()).select_from(Invoice).where(Invoice.item_id.in_(ids), Invoice.number.is_not(None))
    )
    if issued:
        raise ConflictError(
            f"Rechnungslauf {month}: Für {number} sind schon Belege ausgestellt. Ändern kann das nur noch ein Storno."
        )
    in_sap = sa.select(Invoice.id).join(SapDocument, SapDocument.invoice_id == Invoice.id).where(Invoice.item_id.in_(ids))
    if session.scalar(sa.select(in_sap.exists())):
        raise ConflictError(
            f"Rechnungslauf {month}: Für {number} ist eine Rechnung zu SAP unterwegs, deren Nummer noch aussteht. Warten Sie "
            "den nächsten Besuch des Laufs ab; danach hilft ein Storno."
        )
    return _forget(session, run.id, items)


def _forget(session: Session, run_id: int, items: Sequence[BillingItem]) -> int:
    ids, customer_id = [item.id for item in items], items[0].customer_id
    reports = sa.select(ServiceReport.id).where(ServiceReport.item_id.in_(ids))
    invoices = sa.select(Invoice.id).where(Invoice.item_id.in_(ids))
    freed = session.execute(
        sa.update(ServiceEntry).where(ServiceEntry.report_id.in_(reports)).values(report_id=None).returning(ServiceEntry.id)
    ).all()
    for statement in (
        # a part without documents was done at once; its bookings go with the customer all the same
        sa.update(BillingItem).where(BillingItem.id.in_(ids)).values(state=ItemState.PLANNED),
        sa.delete(KontingentEntry).where(KontingentEntry.item_id.in_(ids)),
        sa.delete(InvoiceLine).where(InvoiceLine.invoice_id.in_(invoices)),
        sa.delete(Invoice).where(Invoice.item_id.in_(ids)),
        sa.delete(ServiceReportGroup).where(ServiceReportGroup.report_id.in_(reports)),
        sa.delete(ServiceReportLine).where(ServiceReportLine.report_id.in_(reports)),
        sa.delete(ServiceReport).where(ServiceReport.item_id.in_(ids)),
        sa.delete(CorrectionProposal).where(CorrectionProposal.item_id.in_(ids)),
        sa.delete(BillingExclusion).where(BillingExclusion.run_id == run_id, BillingExclusion.customer_id == customer_id),
        sa.update(BillingItem).where(BillingItem.id.in_(ids)).values(state=ItemState.WITHDRAWN, blocked=[]),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})
    return len(freed)
