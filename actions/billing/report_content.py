"""From the rows of a released month to what its service reports say."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.around import Around, grouped, house_content, load_around, totals_of
from integrations.documents import contents as doc
from kit import clock
from models.billing import (
    BillingItem,
    Invoice,
    InvoiceKind,
    KontingentEntry,
    LedgerKind,
    ServiceReport,
    ServiceReportGroup,
    ServiceReportLine,
)
from models.contracts import Contract, ContractKind, KontingentOpening
from models.parties import Employee
from models.service_desk import Ticket
from models.work import ServiceEntry
from rules.month import Month

HISTORY_MONTHS = 12
TOPICS_SHOWN = 3
DOCUMENTS_SHOWN = 3


def _entry_rows(session: Session, report_ids: Sequence[int]) -> dict[int, list[Any]]:
    line, entry = ServiceReportLine, ServiceEntry
    statement = (
        sa.select(
            line.report_id,
            line.raw_minutes,
            line.billed_minutes,
            line.usage_minutes,
            line.charged_minutes,
            line.charged_trips,
            line.charge,
            line.contract_id,
            entry.key,
            entry.work_date,
            entry.started_at,
            entry.ended_at,
            entry.text,
            entry.place,
            entry.kind,
            entry.billable,
            entry.non_billable_reason,
            entry.trips,
            Ticket.number,
            Ticket.subject,
            Ticket.site_id,
            Employee.first_name,
            Employee.last_name,
        )
        .join(entry, entry.id == line.entry_id)
        .join(Ticket, Ticket.id == entry.ticket_id)
        .join(Employee, Employee.id == entry.technician_id)
        .where(line.report_id.in_(report_ids))
        .order_by(line.report_id, line.position)
    )
    return grouped(session.execute(statement), "report_id")


def _entry_line(row: Any, around: Around) -> doc.EntryLine:
    contract = around.contracts.get(row.contract_id or 0)
    return doc.EntryLine(
        id=row.key,
        site=around.site_name(row.site_id),
        work_date=row.work_date,
        started_at=row.started_at,
        ended_at=row.ended_at,
        technician=f"{row.first_name} {row.last_name}",
        ticket_number=row.number,
        ticket_subject=row.subject,
        text=row.text,
        place=doc.Place(row.place.value),
        kind=doc.Kind(row.kind.value),
        raw_minutes=row.raw_minutes,
        billed_minutes=row.billed_minutes,
        billable=row.billable,
        reason=row.non_billable_reason or "",
        charge=doc.Charge(row.charge.value),
        contract_number=contract.number if contract else "",
        kontingent_minutes=row.usage_minutes,
        invoiced_minutes=row.charged_minutes,
        trips=row.trips,
        trips_charged=row.charged_trips,
    )


def _ledger_months(session: Session, contract_ids: Sequence[int]) -> dict[int, dict[str, dict[LedgerKind, int]]]:
    months: dict[int, dict[str, dict[LedgerKind, int]]] = defaultdict(lambda: defaultdict(dict))
    statement = (
        sa.select(
            KontingentEntry.contract_id, KontingentEntry.month, KontingentEntry.kind, sa.func.sum(KontingentEntry.minutes)
        )
        .where(KontingentEntry.contract_id.in_(contract_ids))
        .group_by(KontingentEntry.contract_id, KontingentEntry.month, KontingentEntry.kind)
    )
    for contract_id, month, kind, minutes in session.execute(statement):
        months[contract_id][month][kind] = int(minutes)
    return months


def _history(
    ledger: dict[str, dict[LedgerKind, int]], opening: KontingentOpening | None, month: Month
) -> tuple[doc.KontingentMonth, ...]:
    """Up to twelve months that end with this one; the balance is the running fold of all before."""
    first = min((Month.parse(m) for m in ledger), default=month)
    if opening is not None:
        first = min(first, Month.of(opening.as_of + dt.timedelta(days=1)))
    balance = opening.minutes if opening else 0
    months = []
    for each in first.until(month):
        rows = ledger.get(str(each), {})
        balance += sum(rows.values())
        months.append(
            doc.KontingentMonth(
                month=each.first_day,
                granted=rows.get(LedgerKind.GRANT, 0),
                used=-rows.get(LedgerKind.USAGE, 0),
                balance=balance,
            )
        )
    return tuple(months[-HISTORY_MONTHS:])


def _statements(session: Session, reports: Sequence[Any], around: Around) -> dict[int, tuple[doc.KontingentStatement, ...]]:
    numbers = {c.number: c for c in around.contracts.values()}
    named = [numbers[s["contract"]].id for r in reports for s in r.statement.get("kontingent", [])]
    ledger = _ledger_months(session, named)
    openings = {
        o.contract_id: o for o in session.scalars(sa.select(KontingentOpening).where(KontingentOpening.contract_id.in_(named)))
    }
    return {
        report.id: tuple(
            _statement(said, numbers[said["contract"]], ledger, openings, (around, Month.parse(report.month)))
            for said in report.statement.get("kontingent", [])
        )
        for report in reports
    }


def _statement(
    said: dict[str, Any],
    contract: Contract,
    ledger: dict[int, dict[str, dict[LedgerKind, int]]],
    openings: dict[int, KontingentOpening],
    place: tuple[Around, Month],
) -> doc.KontingentStatement:
    around, month = place
    return doc.KontingentStatement(
        contract_number=contract.number,
        site=around.site_name(contract.site_id),
        carried=said["carried"],
        granted=said["granted"],
        used=said["used"],
        corrected=said["corrected"],
        balance=said["balance"],
        correction_proposed=said["correction_proposed"],
        overdraft_allowed=contract.overdraft_allowed,
        includes_travel=contract.includes_travel,
        hour_price=contract.kontingent_hour_price,
        history=_history(ledger.get(contract.id, {}), openings.get(contract.id), month),
    )


CONTRACT_KINDS = {ContractKind.RENTAL: "Mietvertrag", ContractKind.DATA_CENTRE: "Rechenzentrumsvertrag"}


def _excluded(statement: dict[str, Any], around: Around) -> tuple[doc.ExcludedHint, ...]:
    """Contracts whose covered work is not in this report (S154), with how many services each covers."""
    counts = Counter(entry["contract"] for entry in statement.get("excluded", []))
    kinds = {c.number: c.kind for c in around.contracts.values()}
    return tuple(
        doc.ExcludedHint(contract_number=number, contract_kind=CONTRACT_KINDS.get(kinds[number], "Vertrag"), count=count)
        for number, count in sorted(counts.items())
    )


def _related(session: Session, report_ids: Sequence[int]) -> dict[int, tuple[doc.RelatedTopic, ...]]:
    """What was done about the topics of these reports before, with its reports and invoices (S76)."""
    line, entry, ticket = ServiceReportLine, ServiceEntry, Ticket
    earlier_ticket, earlier_entry = sa.orm.aliased(Ticket), sa.orm.aliased(ServiceEntry)
    report, earlier = sa.orm.aliased(ServiceReport), sa.orm.aliased(ServiceReport)
    statement = (
        sa.select(line.report_id, ticket.topic, earlier_ticket.number, earlier.number, earlier.issued_at, Invoice.number)
        .distinct()
        .join(report, report.id == line.report_id)
        .join(entry, entry.id == line.entry_id)
        .join(ticket, ticket.id == entry.ticket_id)
        .join(
            earlier_ticket,
            sa.and_(earlier_ticket.customer_id == ticket.customer_id, earlier_ticket.topic == ticket.topic),
        )
        .join(earlier_entry, earlier_entry.ticket_id == earlier_ticket.id)
        .join(
            earlier, sa.and_(earlier.id == earlier_entry.report_id, earlier.number.is_not(None), earlier.month < report.month)
        )
        .outerjoin(
            Invoice,
            sa.and_(Invoice.report_id == earlier.id, Invoice.kind == InvoiceKind.SERVICE, Invoice.number.is_not(None)),
        )
        .where(line.report_id.in_(report_ids), ticket.topic.is_not(None))
        .order_by(line.report_id, ticket.topic, earlier.number.desc(), earlier_ticket.number)
    )
    found: dict[int, dict[str, tuple[dict[str, None], dict[str, doc.EarlierDocument]]]] = defaultdict(dict)
    for report_id, topic, ticket_number, number, issued_at, invoice_number in session.execute(statement):
        tickets, documents = found[report_id].setdefault(topic, ({}, {}))
        tickets[ticket_number] = None
        documents[number] = doc.EarlierDocument(
            report_number=number, issued_on=clock.local(issued_at).date(), invoice_number=invoice_number or ""
        )
    return {
        report_id: tuple(
            doc.RelatedTopic(
                topic=topic,
                tickets=tuple(tickets)[:DOCUMENTS_SHOWN],
                documents=tuple(documents.values())[:DOCUMENTS_SHOWN],
            )
            for topic, (tickets, documents) in list(topics.items())[:TOPICS_SHOWN]
        )
        for report_id, topics in found.items()
    }


def report_contents(session: Session, report_ids: Sequence[int]) -> dict[int, doc.ReportContent]:
    """What each numbered report says; by report id."""
    reports = session.execute(
        sa.select(
            ServiceReport.id,
            ServiceReport.customer_id,
            ServiceReport.month,
            ServiceReport.number,
            ServiceReport.issued_at,
            ServiceReport.paying_site_id,
            BillingItem.statement,
        )
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .where(ServiceReport.id.in_(report_ids))
        .order_by(ServiceReport.id)
    ).all()
    around = load_around(session, (r.customer_id for r in reports))
    entries = _entry_rows(session, report_ids)
    groups = grouped(
        session.scalars(
            sa.select(ServiceReportGroup)
            .where(ServiceReportGroup.report_id.in_(report_ids))
            .order_by(ServiceReportGroup.report_id, ServiceReportGroup.position)
        ),
        "report_id",
    )
    statements = _statements(session, reports, around)
    related = _related(session, report_ids)
    return {
        r.id: doc.ReportContent(
            number=r.number,
            month=Month.parse(r.month).first_day,
            issued_on=clock.local(r.issued_at).date(),
            house=house_content(around.house),
            customer=around.party(r.customer_id),
            payer=around.party(r.customer_id, r.paying_site_id),
            contact=around.contact(r.customer_id),
            entries=tuple(_entry_line(row, around) for row in entries[r.id]),
            groups=tuple(_group_line(row, around) for row in groups[r.id]),
            totals=totals_of(groups[r.id]) if groups[r.id] else None,
            kontingent=statements[r.id],
            excluded=_excluded(r.statement, around),
            related=related.get(r.id, ()),
            agreement=around.agreement_on(r.customer_id, Month.parse(r.month).last_day),
        )
        for r in reports
    }


def _group_line(row: ServiceReportGroup, around: Around) -> doc.GroupLine:
    return doc.GroupLine(
        kind=doc.Kind(row.kind),
        quantity=row.quantity,
        unit=doc.Unit(row.unit.value),
        price=row.price,
        vat_rate=row.vat_rate,
        net=row.net,
        agreement=around.agreement(row.agreement_id),
    )
