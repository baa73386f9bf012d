"""From the rows of an invoice to what it says; the same rows that its report showed."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.around import Around, house_content, load_around, totals_of
from integrations.documents import contents as doc
from kit import clock
from models.billing import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    ServiceReport,
    ServiceReportGroup,
    ServiceReportLine,
)
from models.service_desk import Ticket
from models.work import ServiceEntry


def invoice_contents(
    session: Session, invoice_ids: Sequence[int], *, numbers: dict[int, tuple[str, dt.date]] | None = None
) -> dict[int, doc.InvoiceContent]:
    """What each invoice says; by invoice id.

    Args:
        session: the transaction.
        invoice_ids: the invoices.
        numbers: number and day of issue for invoices that have none yet (a trial before they are issued).
    """
    invoices = session.execute(
        sa.select(Invoice, ServiceReport.number.label("report_number"))
        .outerjoin(ServiceReport, ServiceReport.id == Invoice.report_id)
        .where(Invoice.id.in_(invoice_ids))
        .order_by(Invoice.id)
    ).all()
    around = load_around(session, (row.Invoice.customer_id for row in invoices))
    lines = _invoice_lines(session, invoice_ids)
    served = _sites_served(session, [row.Invoice.report_id for row in invoices if row.Invoice.report_id])
    cancelled = _cancelled(session, [row.Invoice.cancels_id for row in invoices if row.Invoice.cancels_id])
    result = {}
    for row in invoices:
        invoice: Invoice = row.Invoice
        number, issued_on = (numbers or {}).get(invoice.id) or (
            invoice.number or "",
            clock.local(invoice.issued_at or clock.now()).date(),
        )
        result[invoice.id] = _invoice(
            _Facts(invoice, number, issued_on, row.report_number or "", lines[invoice.id], served, cancelled), around
        )
    return result


@dataclass(frozen=True, slots=True)
class _Facts:
    """One invoice with what was loaded around it."""

    invoice: Invoice
    number: str
    issued_on: dt.date
    report_number: str
    lines: list[tuple[InvoiceLine, int | None]]
    served: dict[int, set[int | None]]
    cancelled: dict[int, doc.InvoiceReference]


def _invoice_lines(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[tuple[InvoiceLine, int | None]]]:
    lines: dict[int, list[tuple[InvoiceLine, int | None]]] = defaultdict(list)
    statement = (
        sa.select(InvoiceLine, ServiceReportGroup.agreement_id)
        .outerjoin(ServiceReportGroup, ServiceReportGroup.id == InvoiceLine.group_id)
        .where(InvoiceLine.invoice_id.in_(invoice_ids))
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    )
    for line, agreement_id in session.execute(statement).tuples():
        lines[line.invoice_id].append((line, agreement_id))
    return lines


def _sites_served(session: Session, report_ids: Sequence[int]) -> dict[int, set[int | None]]:
    """The sites whose charged work stands on a report."""
    served: dict[int, set[int | None]] = defaultdict(set)
    statement = (
        sa.select(ServiceReportLine.report_id, Ticket.site_id)
        .distinct()
        .join(ServiceEntry, ServiceEntry.id == ServiceReportLine.entry_id)
        .join(Ticket, Ticket.id == ServiceEntry.ticket_id)
        .where(ServiceReportLine.report_id.in_(report_ids), ServiceEntry.billable)
    )
    for report_id, site_id in session.execute(statement):
        served[report_id].add(site_id)
    return served


def _cancelled(session: Session, ids: Sequence[int]) -> dict[int, doc.InvoiceReference]:
    rows = session.execute(sa.select(Invoice.id, Invoice.number, Invoice.issued_at).where(Invoice.id.in_(ids)))
    return {
        invoice_id: doc.InvoiceReference(number=number or "", issued_on=clock.local(issued_at or clock.now()).date())
        for invoice_id, number, issued_at in rows
    }


def _line_name(line: InvoiceLine, facts: _Facts) -> str:
    """Words that describe the supply; a bare report id would be no invoice (BMF, 15 October 2025)."""
    if facts.report_number:
        return f"{line.description} gemäß Servicebericht {facts.report_number}"
    return f"{line.description} {facts.invoice.month[5:]}/{facts.invoice.month[:4]}"


def _invoice(facts: _Facts, around: Around) -> doc.InvoiceContent:
    invoice = facts.invoice
    customer = around.customers[invoice.customer_id]
    sign = -1 if invoice.kind is InvoiceKind.CANCELLATION else 1  # documents name the amounts of the original
    contract = around.contracts.get(invoice.contract_id or 0)
    sites = facts.served.get(invoice.report_id or 0, set())
    only = next(iter(sites)) if len(sites) == 1 else None
    lines = tuple(
        doc.InvoiceLine(
            name=_line_name(line, facts),
            quantity=sign * line.quantity,
            unit=doc.Unit(line.unit),
            price=line.price,
            vat_rate=line.vat_rate,
            net=sign * line.net,
            period_from=invoice.supply_from,
            period_to=invoice.supply_to,
            report_number=facts.report_number,
            agreement=around.agreement(agreement_id),
        )
        for line, agreement_id in facts.lines
    )
    return doc.InvoiceContent(
        number=facts.number,
        kind=doc.InvoiceKind(invoice.kind.value),
        issued_on=facts.issued_on,
        supply_from=invoice.supply_from,
        supply_to=invoice.supply_to,
        due_on=invoice.due_on or facts.issued_on + dt.timedelta(days=customer.payment_days),
        house=house_content(around.house),
        buyer=around.party(invoice.customer_id, invoice.paying_site_id),
        contact=around.contact(invoice.customer_id),
        lines=lines,
        totals=totals_of(lines),
        face=doc.Face(invoice.face.value),
        ship_to=around.party(invoice.customer_id, only) if only is not None and only != invoice.paying_site_id else None,
        report_number=facts.report_number,
        buyer_reference=customer.leitweg_id or "",
        contract_number=contract.number if contract else "",
        cancels=facts.cancelled.get(invoice.cancels_id or 0),
        reason=invoice.reason or "",
    )
