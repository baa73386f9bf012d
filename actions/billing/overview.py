"""What a month's run has done so far: the content of `billing show`, of the portal's page and of the run's table."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import NotFoundError
from models.billing import (
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Invoice,
    InvoiceKind,
    InvoiceState,
    ItemState,
    KontingentEntry,
    LedgerKind,
    ProposalState,
    ReportState,
    RunState,
    ServiceReport,
    ServiceReportGroup,
    ServiceReportLine,
)
from models.contracts import Contract
from models.parties import Customer, Site
from models.plumbing import MailState, OutboxMail
from models.work import ServiceEntry
from rules.money import tidy
from rules.month import Month

INVOICE_KINDS = (InvoiceKind.SERVICE, InvoiceKind.KONTINGENT, InvoiceKind.CORRECTION, InvoiceKind.CANCELLATION)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in the list of months."""

    month: str
    state: str
    released_at: Any
    released_by: str | None
    parts: int
    reports: int
    invoices: int
    net: Decimal
    gross: Decimal
    blocked: int


def runs(session: Session) -> list[RunSummary]:
    """All runs, newest month first."""
    parts = _counts(session, sa.select(BillingItem.run_id, sa.func.count()).where(BillingItem.state != ItemState.WITHDRAWN))
    blocked = _counts(
        session,
        sa.select(BillingItem.run_id, sa.func.sum(sa.func.jsonb_array_length(BillingItem.blocked))).where(
            BillingItem.state != ItemState.WITHDRAWN
        ),
    )
    reports = _counts(
        session,
        sa.select(BillingItem.run_id, sa.func.count())
        .join(ServiceReport, ServiceReport.item_id == BillingItem.id)
        .where(ServiceReport.number.is_not(None)),
    )
    money = {
        run_id: (count, net, gross)
        for run_id, count, net, gross in session.execute(
            sa.select(BillingItem.run_id, sa.func.count(), sa.func.sum(Invoice.net), sa.func.sum(Invoice.gross))
            .join(Invoice, Invoice.item_id == BillingItem.id)
            .where(Invoice.number.is_not(None))
            .group_by(BillingItem.run_id)
        ).tuples()
    }
    return [
        RunSummary(
            month=run.month,
            state=run.state.value,
            released_at=run.released_at,
            released_by=run.released_by,
            parts=parts.get(run.id, 0),
            reports=reports.get(run.id, 0),
            invoices=money.get(run.id, (0, Decimal(0), Decimal(0)))[0],
            net=money.get(run.id, (0, Decimal(0), Decimal(0)))[1],
            gross=money.get(run.id, (0, Decimal(0), Decimal(0)))[2],
            blocked=blocked.get(run.id, 0),
        )
        for run in session.scalars(sa.select(BillingRun).order_by(BillingRun.month.desc()))
    ]


def _counts(session: Session, statement: sa.Select[Any]) -> dict[int, int]:
    return {run_id: int(count or 0) for run_id, count in session.execute(statement.group_by(BillingItem.run_id))}


def run_of(session: Session, month: Month) -> BillingRun:
    """The run of a month. Raises: NotFoundError when nobody has released it yet."""
    run = session.scalar(sa.select(BillingRun).where(BillingRun.month == str(month)))
    if run is None:
        raise NotFoundError(
            f"Rechnungslauf {month}: gibt es noch nicht. Sehen Sie »drehkreuz billing preview {month}« an und geben Sie "
            "die Vorschau frei."
        )
    return run


def show(session: Session, month: Month) -> dict[str, Any]:
    """The run as `billing show --json` prints it; an unreleased month is an open run without customers."""
    run = session.scalar(sa.select(BillingRun).where(BillingRun.month == str(month)))
    if run is None or run.state is RunState.OPEN:
        return {"month": str(month), "state": "open", "snapshot": None, "customers": [], "totals": _totals([])}
    return _Show(session, run).as_dict()


def amount(value: Decimal) -> str:
    """Money and prices with at least two decimals."""
    return str(tidy(value))


def rate(value: Decimal) -> str:
    """A VAT rate without needless zeros."""
    return f"{value.normalize():f}"


def report_state(report: ServiceReport, mail: MailState | None) -> str:
    """issued, queued, in_flight, accepted, bounced, unclear."""
    if report.state is not ReportState.ISSUED or mail is None:
        return "issued"
    return "bounced" if mail is MailState.CANCELLED else mail.value


def invoice_state(state: InvoiceState) -> str:
    """issued, sent, cancelled; a number without pages yet is issued too."""
    return "issued" if state is InvoiceState.NUMBERED else state.value


def _totals(customers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    invoices = [invoice for customer in customers for invoice in customer["invoices"]]
    sums = {key: sum((Decimal(i[key]) for i in invoices), Decimal("0.00")) for key in ("net", "vat", "gross")}
    return {
        "reports": sum(1 for customer in customers if customer["report"] and customer["report"]["id"]),
        "invoices": len(invoices),
        **{key: str(value) for key, value in sums.items()},
    }


class _Show:
    """Loads a whole run with a handful of statements."""

    def __init__(self, session: Session, run: BillingRun) -> None:
        self.session = session
        self.run = run

    def _by_item(self, entity: type[Any], *more: Any) -> dict[int, list[Any]]:
        rows: dict[int, list[Any]] = defaultdict(list)
        statement = (
            sa.select(entity)
            .join(BillingItem, BillingItem.id == entity.item_id)
            .where(BillingItem.run_id == self.run.id, *more)
            .order_by(entity.id)
        )
        for row in self.session.scalars(statement):
            rows[row.item_id].append(row)
        return rows

    def _in_reports(self, statement: sa.Select[Any], column: Any) -> dict[int, list[Any]]:
        rows: dict[int, list[Any]] = defaultdict(list)
        joined = (
            statement.join(ServiceReport, ServiceReport.id == column)
            .join(BillingItem, BillingItem.id == ServiceReport.item_id)
            .where(BillingItem.run_id == self.run.id)
        )
        for row in self.session.execute(joined):
            rows[row.report_id].append(row)
        return rows

    def _load(self) -> None:
        line, group = ServiceReportLine, ServiceReportGroup
        self.reports = self._by_item(ServiceReport)
        self.invoices = self._by_item(Invoice, Invoice.number.is_not(None), Invoice.kind.in_(INVOICE_KINDS))
        self.lines = self._in_reports(
            sa.select(
                line.report_id, line.raw_minutes, line.billed_minutes, line.charge,
                ServiceEntry.key, ServiceEntry.billable, ServiceEntry.kind,
            )
            .join(ServiceEntry, ServiceEntry.id == line.entry_id)
            .order_by(line.report_id, line.position),
            line.report_id,
        )  # fmt: skip
        self.groups = self._in_reports(
            sa.select(group.report_id, group.kind, group.quantity, group.unit, group.price, group.vat_rate, group.net).order_by(
                group.report_id, group.position
            ),
            group.report_id,
        )
        self.mails = {
            mail_id: (state, recipients, accepted_at)
            for mail_id, state, recipients, accepted_at in self.session.execute(
                sa.select(OutboxMail.id, OutboxMail.state, OutboxMail.recipients, OutboxMail.accepted_at)
                .join(ServiceReport, ServiceReport.mail_id == OutboxMail.id)
                .join(BillingItem, BillingItem.id == ServiceReport.item_id)
                .where(BillingItem.run_id == self.run.id)
            ).tuples()
        }
        self._load_corrections()

    def _load_corrections(self) -> None:
        """Corrections released for this month, and proposals that are still open."""
        booked = self.session.execute(
            sa.select(Contract.number, sa.func.sum(KontingentEntry.minutes))
            .join(Contract, Contract.id == KontingentEntry.contract_id)
            .where(KontingentEntry.kind == LedgerKind.CORRECTION, KontingentEntry.month == self.run.month)
            .group_by(Contract.number)
        )
        self.corrected = {number: int(minutes) for number, minutes in booked}
        self.open_proposals = set(
            self.session.scalars(
                sa.select(Contract.number)
                .join(CorrectionProposal, CorrectionProposal.contract_id == Contract.id)
                .where(CorrectionProposal.month == self.run.month, CorrectionProposal.state == ProposalState.PROPOSED)
            )
        )

    def as_dict(self) -> dict[str, Any]:
        self._load()
        items = self.session.execute(
            sa.select(BillingItem, Customer.number, Site.code)
            .join(Customer, Customer.id == BillingItem.customer_id)
            .outerjoin(Site, Site.id == BillingItem.paying_site_id)
            .where(BillingItem.run_id == self.run.id, BillingItem.state != ItemState.WITHDRAWN)
            .order_by(Customer.number, sa.func.coalesce(Site.code, ""))
        )
        customers = [self._customer(item, number, code) for item, number, code in items.tuples()]
        return {
            "month": self.run.month,
            "state": self.run.state.value,
            "snapshot": self.run.snapshot,
            "customers": customers,
            "totals": _totals(customers),
        }

    def _customer(self, item: BillingItem, number: str, code: str | None) -> dict[str, Any]:
        report = next(iter(self.reports.get(item.id, [])), None)
        return {
            "number": number,
            "site": code,
            "report": self._report(report) if report else None,
            "kontingent": [self._statement(said) for said in item.statement.get("kontingent", [])],
            "invoices": [self._invoice(invoice, report) for invoice in self.invoices.get(item.id, [])],
            "excluded": item.statement.get("excluded", []),
            "blocked": item.blocked,
        }

    def _report(self, report: ServiceReport) -> dict[str, Any]:
        state, recipients, accepted_at = self.mails.get(report.mail_id or 0, (None, [], None))
        return {
            "id": report.number,
            "state": report_state(report, state) if report.number else "planned",
            "recipients": list(recipients),
            "accepted_at": clock.local(accepted_at).isoformat() if accepted_at and state is MailState.ACCEPTED else None,
            "entries": [
                {
                    "id": row.key,
                    "raw_minutes": row.raw_minutes,
                    "billed_minutes": row.billed_minutes,
                    "billable": row.billable,
                    "kind": row.kind.value,
                    "charge": row.charge.value,
                }
                for row in self.lines.get(report.id, [])
            ],
            "groups": [
                {
                    "kind": row.kind,
                    "quantity": amount(row.quantity),
                    "unit": row.unit.value,
                    "price": amount(row.price),
                    "vat_rate": rate(row.vat_rate),
                    "net": amount(row.net),
                }
                for row in self.groups.get(report.id, [])
            ],
        }

    def _statement(self, said: dict[str, Any]) -> dict[str, Any]:
        """As released; a correction that was released for this month since then stands in it."""
        more = self.corrected.get(said["contract"], 0) - said["corrected"]
        return {
            **said,
            "corrected": said["corrected"] + more,
            "balance": said["balance"] + more,
            "correction_proposed": said["correction_proposed"] if said["contract"] in self.open_proposals else 0,
        }

    @staticmethod
    def _invoice(invoice: Invoice, report: ServiceReport | None) -> dict[str, Any]:
        return {
            "number": invoice.number,
            "kind": invoice.kind.value,
            "net": amount(invoice.net),
            "vat": amount(invoice.vat),
            "gross": amount(invoice.gross),
            "report": report.number if report and invoice.kind is InvoiceKind.SERVICE else None,
            "face": invoice.face.value,
            "state": invoice_state(invoice.state),
            "issued_at": clock.local(invoice.issued_at).isoformat() if invoice.issued_at else None,
        }
