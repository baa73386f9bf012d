"""One visit of a run: where it stands, what blocks it and whom that concerns, and whether it is done."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.invoices import due_ids
from actions.billing.preview import Blocked, no_recipient, who_is
from actions.billing.recipients import choose, persons_of
from actions.billing.sharing import ask_for_help, reports_waiting
from kit import clock
from models.billing import (
    BillingItem,
    BillingRun,
    Invoice,
    InvoiceState,
    ItemState,
    ReportState,
    RunState,
    ServiceReport,
)
from models.handover import HandOverState, SapDocument
from models.parties import Customer, Site
from models.plumbing import MailState, OutboxMail
from models.work import EntryState, ServiceEntry
from rules.month import Month


@dataclass(slots=True)
class Standing:
    """Where a run stands after a visit."""

    month: str
    state: str
    items: int = 0
    done: int = 0
    waiting: int = 0
    blocked: list[tuple[str, Blocked]] = field(default_factory=list)


def open_months(session: Session) -> list[str]:
    """Released months that are not done yet: what the daily visit looks at."""
    statement = (
        sa.select(BillingRun.month).where(BillingRun.state.not_in((RunState.OPEN, RunState.DONE))).order_by(BillingRun.month)
    )
    return list(session.scalars(statement))


def begin(session: Session, month: Month) -> int | None:
    """Start a visit; None when the month is not released. A run that was done is visited too (a late Storno)."""
    run = session.scalar(sa.select(BillingRun).where(BillingRun.month == str(month)).with_for_update())
    if run is None or run.state is RunState.OPEN:
        return None
    run.state, run.last_visit_at = RunState.RUNNING, clock.now()
    ask_for_help(session, month, reports_waiting(session, run.id) or len(due_ids(session, run.id)))
    return run.id


def finish(session: Session, run_id: int) -> Standing:
    """Write down what blocks each part and close what is complete."""
    run = session.get_one(BillingRun, run_id, with_for_update=True)
    standing = _Standing(session, run_id).refresh(run.month)
    complete = standing.done == standing.items
    run.state = RunState.DONE if complete else RunState.WAITING
    run.finished_at = (run.finished_at or clock.now()) if complete else None
    standing.state = run.state.value
    return standing


class _Standing:
    """Looks at all parts of a run with a handful of statements."""

    def __init__(self, session: Session, run_id: int) -> None:
        self.session = session
        self.run_id = run_id

    def _rows(self, *columns: Any) -> sa.Select[Any]:
        return (
            sa.select(*columns)
            .join(BillingItem, BillingItem.id == ServiceReport.item_id)
            .outerjoin(OutboxMail, OutboxMail.id == ServiceReport.mail_id)
            .where(BillingItem.run_id == self.run_id)
        )

    def refresh(self, month: str) -> Standing:
        rows = self.session.execute(
            sa.select(BillingItem, Customer.number, Site.code)
            .join(Customer, Customer.id == BillingItem.customer_id)
            .outerjoin(Site, Site.id == BillingItem.paying_site_id)
            .where(BillingItem.run_id == self.run_id, BillingItem.state != ItemState.WITHDRAWN)
            .order_by(Customer.number, sa.func.coalesce(Site.code, ""))
        )
        items = rows.tuples().all()
        reports = {
            item_id: (number, state, mail_state, error, fault)
            for item_id, number, state, mail_state, error, fault in self.session.execute(
                self._rows(
                    ServiceReport.item_id,
                    ServiceReport.number,
                    ServiceReport.state,
                    OutboxMail.state,
                    OutboxMail.error,
                    ServiceReport.fault,
                )
            ).tuples()
        }
        invoices = self._invoices()
        people = persons_of(self.session, sorted({item.customer_id for item, _, _ in items}))
        open_entries = self._still_open(items)
        standing = Standing(month, "", items=len(items))
        for item, number, code in items:
            who = who_is(number, code)
            blocked = [Blocked(**b) for b in item.statement.get("left_out", []) if b["id"] in open_entries]
            complete = True
            if (report := reports.get(item.id)) is not None:
                has_recipient = bool(choose(people.get(item.customer_id, []), item.paying_site_id).emails)
                complete = report[1] is ReportState.ISSUED and report[2] is MailState.ACCEPTED
                blocked += _report_blocked(who, report, has_recipient=has_recipient)
            for invoice in invoices.get(item.id, []):
                complete = complete and invoice.complete
                blocked += _invoice_blocked(invoice)
            shown = [b.as_dict() for b in blocked]
            if shown != item.blocked:
                item.blocked = shown
            if complete and item.state is not ItemState.DONE:
                item.state = ItemState.DONE
            elif not complete and item.state is ItemState.DONE:
                item.state = ItemState.ISSUED
            standing.done += complete
            standing.waiting += not complete
            standing.blocked += [(who, b) for b in blocked]
        return standing

    def _invoices(self) -> dict[int, list["_InvoiceStanding"]]:
        statement = (
            sa.select(Invoice, OutboxMail.state, OutboxMail.error, SapDocument.state, SapDocument.error)
            .join(BillingItem, BillingItem.id == Invoice.item_id)
            .outerjoin(OutboxMail, OutboxMail.id == Invoice.mail_id)
            .outerjoin(SapDocument, SapDocument.invoice_id == Invoice.id)
            .where(BillingItem.run_id == self.run_id)
            .order_by(Invoice.id)
        )
        found: dict[int, list[_InvoiceStanding]] = defaultdict(list)
        for invoice, mail, mail_error, sap, sap_error in self.session.execute(statement).tuples():
            found[invoice.item_id or 0].append(_InvoiceStanding(invoice, mail, mail_error, sap, sap_error))
        return found

    def _still_open(self, items: Any) -> set[str]:
        """Of the entries that a release left out: those without approval, or without a price and in no later run either."""
        left_out = [b for item, _, _ in items for b in item.statement.get("left_out", [])]
        priceless = [b["id"] for b in left_out if b["what"] == "price"]
        statement = sa.select(ServiceEntry.key).where(
            ServiceEntry.key.in_([b["id"] for b in left_out]),
            sa.or_(
                ServiceEntry.state == EntryState.CAPTURED,
                sa.and_(ServiceEntry.key.in_(priceless), ServiceEntry.report_id.is_(None)),
            ),
        )
        return set(self.session.scalars(statement))


@dataclass(frozen=True, slots=True)
class _InvoiceStanding:
    invoice: Invoice
    mail: MailState | None
    mail_error: str | None
    sap: HandOverState | None
    sap_error: str | None

    @property
    def wants_mail(self) -> bool:
        """Whether an e-invoice travels by mail: unless the printed face is all there is, or it was cancelled meanwhile."""
        if self.invoice.state is InvoiceState.CANCELLED:
            return False
        return self.invoice.archive_key is not None and self.invoice.paper_archive_key != self.invoice.archive_key

    @property
    def complete(self) -> bool:
        """Issued, delivered (by mail) or put to the post, booked in SAP and in DATEV's file."""
        if self.invoice.state in (InvoiceState.PLANNED, InvoiceState.NUMBERED):
            return False
        if self.wants_mail and self.mail is not MailState.ACCEPTED:
            return False
        if self.invoice.paper_archive_key is not None and self.invoice.postal_batch_id is None:
            return False
        return self.sap is HandOverState.POSTED and self.invoice.datev_file_id is not None


def _report_blocked(who: str, report: tuple[Any, ...], *, has_recipient: bool) -> list[Blocked]:
    number, state, mail, error, fault = report
    if number is not None and mail is None and not has_recipient:
        return [no_recipient(who)]
    if fault:
        return [Blocked("document", number, f"Servicebericht {number} konnte nicht gesetzt werden: {fault}", "operator")]
    if state is ReportState.PLANNED:
        return [] if has_recipient else [no_recipient(who)]
    if mail is MailState.BOUNCED:
        why = f"Servicebericht {number} ist nicht zustellbar: {error}. Ohne zugestellten Bericht keine Rechnung."
        return [Blocked("bounce", number, why, "back_office")]
    if mail is MailState.UNCLEAR:
        why = f"Servicebericht {number}: Es ist unklar, ob die Mail ankam. Bitte im Postausgang entscheiden."
        return [Blocked("unclear", number, why, "back_office")]
    return []


def _invoice_blocked(standing: _InvoiceStanding) -> list[Blocked]:
    invoice = standing.invoice
    number = invoice.number or ""
    blocked = []
    if invoice.fault:
        why = f"Rechnung {number or 'ohne Nummer'} kann nicht ausgestellt werden: {invoice.fault}"
        blocked.append(Blocked("einvoice", number or str(invoice.id), why, "back_office"))
    if standing.wants_mail and standing.mail is None and invoice.state is InvoiceState.ISSUED:
        why = f"Rechnung {number}: Es gibt keine E-Mail-Adresse für die E-Rechnung."
        blocked.append(Blocked("recipient", number, why, "account_manager"))
    if standing.wants_mail and standing.mail is MailState.BOUNCED:
        why = f"Rechnung {number} ist nicht zustellbar: {standing.mail_error}"
        blocked.append(Blocked("bounce", number, why, "back_office"))
    if standing.mail is MailState.UNCLEAR:
        why = f"Rechnung {number}: Es ist unklar, ob die Mail ankam. Bitte im Postausgang entscheiden."
        blocked.append(Blocked("unclear", number, why, "back_office"))
    if standing.sap is HandOverState.FAILED:
        why = f"SAP nimmt Rechnung {number or 'ohne Nummer'} nicht an: {standing.sap_error}"
        blocked.append(Blocked("sap", number or str(invoice.id), why, "back_office"))
    return blocked
