"""What a customer's IT service costs and where it goes: by month, site, topic, contract, person; unpaid work by reason.

Read from issued documents and reported work only, so the figures agree with what the customer holds (S78, S160). The money of
a report's group is spread over its entries by what each was charged; the parts add up to the group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.billing import Invoice, InvoiceKind, ServiceReport, ServiceReportGroup, ServiceReportLine
from models.contracts import Contract
from models.parties import Customer, Employee, Site
from models.service_desk import Ticket
from models.work import ServiceEntry
from rules.month import Month

NOTHING_SAID = "ohne Angabe"


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a breakdown: worked minutes, minutes taken from a Kontingent, net money charged beside it."""

    name: str
    minutes: int
    kontingent: int
    net: Decimal


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Work that was not charged, by the reason given at its capture."""

    reason: str
    minutes: int
    entries: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A period of whole months. `by_month`: net of all invoices issued for the month, cancellations against it."""

    first: Month
    last: Month
    by_month: tuple[tuple[Month, Decimal], ...]
    by_kind: tuple[tuple[str, Decimal], ...]
    by_site: tuple[Share, ...]
    by_topic: tuple[Share, ...]
    by_contract: tuple[Share, ...]
    by_person: tuple[Share, ...]
    unpaid: tuple[Unpaid, ...]

    @property
    def net(self) -> Decimal:
        """Everything invoiced in the period."""
        return sum((net for _, net in self.by_month), Decimal(0))

    @property
    def unpaid_minutes(self) -> int:
        return sum(u.minutes for u in self.unpaid)


def statistics(session: Session, last: Month, *, months: int = 12, customer_id: int | None = None) -> Statistics:
    """The last `months` months up to `last`; of one customer, or of the whole house."""
    first = last.plus(1 - months)
    shares = _lines(first, last, customer_id)
    site = sa.func.coalesce(Site.name, "Zentrale") if customer_id else Customer.name
    return Statistics(
        first,
        last,
        _by_month(session, first, last, customer_id),
        _by_kind(session, first, last, customer_id),
        _shares(session, shares, site),
        _shares(session, shares, sa.func.coalesce(Ticket.topic, NOTHING_SAID)),
        _shares(session, shares, sa.func.coalesce(Contract.number, "ohne Vertrag")),
        _shares(session, shares, Employee.first_name + " " + Employee.last_name),
        _unpaid(session, first, last, customer_id),
    )


def _invoices(first: Month, last: Month, customer_id: int | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [Invoice.number.is_not(None), Invoice.month.between(str(first), str(last))]
    return [*wanted, Invoice.customer_id == customer_id] if customer_id else wanted


def _by_month(session: Session, first: Month, last: Month, customer_id: int | None) -> tuple[tuple[Month, Decimal], ...]:
    rows = session.execute(
        sa.select(Invoice.month, sa.func.sum(Invoice.net)).where(*_invoices(first, last, customer_id)).group_by(Invoice.month)
    ).tuples()
    found = {Month.parse(month): net for month, net in rows}
    return tuple((month, found.get(month, Decimal(0))) for month in first.until(last))


def _by_kind(session: Session, first: Month, last: Month, customer_id: int | None) -> tuple[tuple[str, Decimal], ...]:
    kind = sa.case((Invoice.kind == InvoiceKind.CANCELLATION, "cancellation"), else_=sa.cast(Invoice.kind, sa.Text))
    rows = session.execute(
        sa.select(kind, sa.func.sum(Invoice.net)).where(*_invoices(first, last, customer_id)).group_by(kind).order_by(kind)
    ).tuples()
    return tuple(rows)


def _lines(first: Month, last: Month, customer_id: int | None) -> sa.Subquery:
    """Each reported entry with its part of the money: the group of its kind, and that of the trips, spread by quantity."""
    line, entry = ServiceReportLine, ServiceEntry
    group = (
        sa.select(
            ServiceReportGroup.report_id,
            sa.cast(ServiceReportGroup.kind, sa.Text).label("kind"),
            sa.func.sum(ServiceReportGroup.net).label("net"),
        )
        .group_by(ServiceReportGroup.report_id, sa.cast(ServiceReportGroup.kind, sa.Text))
        .subquery()
    )
    trips = sa.select(group).where(group.c.kind == "trip").subquery()
    units = sa.cast(line.charged_minutes, sa.Numeric) + line.charged_days * 480
    all_units = sa.func.sum(units).over(partition_by=[line.report_id, entry.kind])
    all_trips = sa.func.sum(line.charged_trips).over(partition_by=line.report_id)
    work = sa.case((all_units > 0, sa.func.coalesce(group.c.net, 0) * units / sa.func.nullif(all_units, 0)), else_=0)
    travel = sa.case(
        (all_trips > 0, sa.func.coalesce(trips.c.net, 0) * line.charged_trips / sa.func.nullif(all_trips, 0)), else_=0
    )
    statement = (
        sa.select(
            entry.id.label("entry_id"), entry.ticket_id, entry.technician_id, entry.customer_id, line.contract_id,
            line.raw_minutes.label("minutes"), line.usage_minutes.label("kontingent"), (work + travel).label("net"),
        )
        .join(line, line.entry_id == entry.id)
        .join(ServiceReport, ServiceReport.id == line.report_id)
        .outerjoin(group, sa.and_(group.c.report_id == line.report_id, group.c.kind == sa.cast(entry.kind, sa.Text)))
        .outerjoin(trips, trips.c.report_id == line.report_id)
        .where(ServiceReport.number.is_not(None), ServiceReport.month.between(str(first), str(last)))
    )  # fmt: skip
    if customer_id:
        statement = statement.where(entry.customer_id == customer_id)
    return statement.subquery()


def _shares(session: Session, lines: sa.Subquery, name: Any, most: int = 12) -> tuple[Share, ...]:
    rows = session.execute(
        sa.select(name.label("name"), sa.func.sum(lines.c.minutes), sa.func.sum(lines.c.kontingent), sa.func.sum(lines.c.net))
        .select_from(lines)
        .join(Ticket, Ticket.id == lines.c.ticket_id)
        .join(Customer, Customer.id == lines.c.customer_id)
        .join(Employee, Employee.id == lines.c.technician_id)
        .outerjoin(Site, Site.id == Ticket.site_id)
        .outerjoin(Contract, Contract.id == lines.c.contract_id)
        .group_by(name)
        .order_by(sa.func.sum(lines.c.minutes).desc(), name)
    ).tuples()
    shares = [Share(text, int(minutes), int(kontingent), Decimal(net)) for text, minutes, kontingent, net in rows]
    return _short(shares, most)


def _short(shares: Sequence[Share], most: int) -> tuple[Share, ...]:
    """The largest, and what is left as one line: the list always adds up to the whole."""
    if len(shares) <= most:
        return tuple(shares)
    kept, rest = shares[: most - 1], shares[most - 1 :]
    others = Share(
        f"{len(rest)} weitere", sum(r.minutes for r in rest), sum(r.kontingent for r in rest),
        sum((r.net for r in rest), Decimal(0)),
    )  # fmt: skip
    return (*kept, others)


def _unpaid(session: Session, first: Month, last: Month, customer_id: int | None) -> tuple[Unpaid, ...]:
    """All captured work of the months that nobody is charged for, reported or not (S160)."""
    reason = sa.func.trim(ServiceEntry.non_billable_reason)
    statement = (
        sa.select(reason, sa.func.sum(ServiceEntry.minutes), sa.func.count())
        .where(~ServiceEntry.billable, ServiceEntry.work_date.between(first.first_day, last.last_day))
        .group_by(reason)
        .order_by(sa.func.sum(ServiceEntry.minutes).desc(), reason)
    )
    if customer_id:
        statement = statement.where(ServiceEntry.customer_id == customer_id)
    return tuple(Unpaid(text, int(minutes), int(count)) for text, minutes, count in session.execute(statement).tuples())
