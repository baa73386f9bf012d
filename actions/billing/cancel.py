"""Storno: an issued invoice is never changed; a cancellation invoice of its own number takes it back whole."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing import sap_numbers
from actions.billing.corrections import visit_again
from actions.billing.invoice_content import invoice_contents
from actions.billing.invoices import TRIAL_NUMBER, InvoiceCheckError, number_now
from integrations.einvoice import check_content
from kit import clock
from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.billing import Invoice, InvoiceKind, InvoiceLine, InvoiceState, KontingentEntry, LedgerKind


def cancel_invoice(session: Session, number: str, reason: str, actor: str) -> str:
    """Cancel an issued invoice; returns the number of the cancellation invoice ("" where SAP gives it at the next visit).

    The cancellation is rendered, sent and handed over by the next visit of the month. A cancelled correction gives its
    minutes back to the Kontingent's debt; a cancelled Kontingent invoice leaves the credited hours as they are.

    Raises:
        NotFoundError: no such invoice.
        ConflictError: not issued yet, cancelled already, or itself a cancellation.
    """
    if not reason.strip():
        raise DrehkreuzError(f"Rechnung {number}: Bitte begründen Sie das Storno; die Begründung steht auf dem Beleg.")
    original = session.scalar(sa.select(Invoice).where(Invoice.number == number).with_for_update())
    if original is None:
        raise NotFoundError(f"Rechnung {number}: gibt es nicht.")
    if original.kind is InvoiceKind.CANCELLATION:
        raise ConflictError(f"Rechnung {number}: ist selbst ein Storno und kann nicht storniert werden.")
    if original.state not in (InvoiceState.ISSUED, InvoiceState.SENT):
        word = "schon storniert" if original.state is InvoiceState.CANCELLED else "noch nicht ausgestellt"
        raise ConflictError(f"Rechnung {number}: ist {word}.")
    cancellation = _mirror(session, original, reason.strip())
    today = clock.today()
    contents = invoice_contents(session, [cancellation.id], numbers={cancellation.id: (TRIAL_NUMBER, today)})
    record = check_content(contents[cancellation.id])
    if not record.ok:
        raise InvoiceCheckError(f"Storno zu {number}: verletzt die Regeln der E-Rechnung: {'; '.join(record.reasons)}")
    if not sap_numbers.wanted():
        number_now(session, [cancellation], {cancellation.id: today})
    original.state = InvoiceState.CANCELLED
    _give_minutes_back(session, original)
    visit_again(session, original.month, f"cancel:{number}")
    session.flush()
    del actor  # stands in the audit trail by the unit of work
    return cancellation.number or ""


def _mirror(session: Session, original: Invoice, reason: str) -> Invoice:
    cancellation = Invoice(
        customer_id=original.customer_id,
        item_id=original.item_id,
        kind=InvoiceKind.CANCELLATION,
        month=original.month,
        report_id=original.report_id,
        contract_id=original.contract_id,
        paying_site_id=original.paying_site_id,
        cancels_id=original.id,
        face=original.face,
        supply_from=original.supply_from,
        supply_to=original.supply_to,
        net=-original.net,
        vat=-original.vat,
        gross=-original.gross,
        reason=reason,
    )
    session.add(cancellation)
    session.flush()
    lines = session.scalars(sa.select(InvoiceLine).where(InvoiceLine.invoice_id == original.id).order_by(InvoiceLine.position))
    for line in lines:
        session.add(
            InvoiceLine(
                customer_id=line.customer_id,
                invoice_id=cancellation.id,
                position=line.position,
                kind=line.kind,
                description=line.description,
                quantity=-line.quantity,
                unit=line.unit,
                price=line.price,
                vat_rate=line.vat_rate,
                net=-line.net,
            )
        )
    session.flush()
    return cancellation


def _give_minutes_back(session: Session, original: Invoice) -> None:
    bookings = session.scalars(
        sa.select(KontingentEntry).where(
            KontingentEntry.invoice_id == original.id, KontingentEntry.kind == LedgerKind.CORRECTION
        )
    ).all()
    for booking in bookings:
        session.add(
            KontingentEntry(
                customer_id=booking.customer_id,
                contract_id=booking.contract_id,
                day=booking.day,
                kind=LedgerKind.CORRECTION,
                minutes=-booking.minutes,
                month=booking.month,
                item_id=booking.item_id,
                invoice_id=original.id,
            )
        )
