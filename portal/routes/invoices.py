"""Rechnung: one issued invoice with its files and its way, and its Storno."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kit.errors import DrehkreuzError, NotFoundError
from models.billing import InvoiceKind, InvoiceState
from portal.filters import month as month_name
from portal.forms import Data, Form, blank, filled
from portal.pages import Crumb, go, page
from portal.queries.invoices import InvoiceSheet, invoice_sheet
from portal.routes.runs import LIST
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/rechnungen/{number}")
See = Annotated[Person, Depends(need("abrechnung.sehen"))]
Cancel = Annotated[Person, Depends(need("abrechnung.stornieren"))]


class CancelForm(Form):
    """Why the invoice is taken back; stands on the cancellation."""

    reason: str = Field(min_length=5, max_length=500)


def _sheet(session: StaffSession, number: str) -> InvoiceSheet:
    found = invoice_sheet(session, number)
    if found is None:
        raise NotFoundError(f"Rechnung {number}: gibt es nicht.")
    return found


def _way(sheet: InvoiceSheet, *more: Crumb) -> tuple[Crumb, ...]:
    month = sheet.invoice.month
    return (
        LIST,
        Crumb(month_name(month), f"/abrechnung/{month}"),
        Crumb(sheet.invoice.number or "", f"/rechnungen/{sheet.invoice.number}"),
        *more,
    )


def cancellable(sheet: InvoiceSheet) -> bool:
    """Whether it may be taken back at all."""
    fitting = sheet.invoice.state in (InvoiceState.ISSUED, InvoiceState.SENT)
    return fitting and sheet.invoice.kind is not InvoiceKind.CANCELLATION


@router.get("")
def show(request: Request, person: See, session: StaffSession, number: str) -> Response:
    """The invoice and what became of it."""
    sheet = _sheet(session, number)
    return page(
        request,
        "invoice.html",
        crumbs=_way(sheet),
        sheet=sheet,
        may_cancel=person.may("abrechnung.stornieren") and cancellable(sheet),
        may_open=person.may("dokument.sehen"),
        may_mail=person.may("post.sehen"),
    )


@router.get("/storno")
def ask(request: Request, person: Cancel, session: StaffSession, number: str) -> Response:
    """Ask before the invoice is taken back."""
    del person
    sheet = _sheet(session, number)
    if not cancellable(sheet):
        return go(request, f"/rechnungen/{number}", "Diese Rechnung lässt sich nicht stornieren.", "warning")
    return page(request, "cancel.html", crumbs=_way(sheet, Crumb("Storno")), sheet=sheet, form=blank(CancelForm))


@router.post("/storno")
def do(request: Request, person: Cancel, session: StaffSession, number: str, data: Data) -> Response:
    """Take it back whole, by a document of its own."""
    from actions.billing.cancel import cancel_invoice  # with it comes the whole e-invoice check

    form = filled(CancelForm, data)
    sheet = _sheet(session, number)
    if form.value is not None:
        try:
            with session.begin_nested():
                storno = cancel_invoice(session, number, form.value.reason, person.actor) or "(Nummer aus SAP)"
            return go(
                request,
                f"/rechnungen/{number}",
                f"{number} ist storniert. Die Stornorechnung {storno} wird jetzt erstellt und versendet.",
                "warning",
            )
        except DrehkreuzError as refusal:
            form.complain("", str(refusal))
    return page(request, "cancel.html", status_code=422, crumbs=_way(sheet, Crumb("Storno")), sheet=sheet, form=form)
