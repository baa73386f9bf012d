"""Figures about customers over real rows: they agree with the documents, and the watch list speaks once."""

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing import preview, release
from actions.customers import fit, standing, statistics
from kit import clock
from models.billing import BillingItem, KontingentEntry, LedgerKind, ReportState, ServiceReport, ServiceReportGroup
from models.contracts import Contract
from models.parties import Customer
from models.service_desk import Message, Ticket
from rules.contract_fit import Fit
from rules.month import Month
from tests import factories as make

OCTOBER = Month(2026, 10)


def months_of(session: Session, contract: Contract, used: list[int], last: Month = OCTOBER) -> None:
    """Closed months with these used minutes, as runs would have stored them."""
    for back, minutes in enumerate(reversed(used)):
        month = last.plus(-back)
        run = make.run(session, month=str(month))
        customer = session.get_one(Customer, contract.customer_id)
        item = make.item(session, customer, run)
        rows = [(LedgerKind.GRANT, round((contract.kontingent_hours_per_month or 0) * 60)), (LedgerKind.USAGE, -minutes)]
        for kind, amount in rows:
            if kind is LedgerKind.USAGE:
                technician = make.employee(session, email=f"t{month}@haus.example")
                entry = make.entry(session, customer, technician, make.ticket(session, customer), work_date=month.first_day)
            session.add(
                KontingentEntry(
                    customer_id=customer.id, contract_id=contract.id, day=month.first_day, kind=kind, minutes=amount,
                    month=str(month), item_id=item.id, entry_id=entry.id if kind is LedgerKind.USAGE else None,
                )
            )  # fmt: skip
    session.flush()


@pytest.mark.promise("S169", "S170", "S171", "S172")
def test_the_account_manager_is_told_once_of_what_no_longer_fits(session: Session) -> None:
    make.house(session)
    customer = make.customer(session)
    tight = make.contract(
        session, customer, starts_on=dt.date(2026, 1, 1), kontingent_hours_per_month=Decimal(10), overdraft_allowed=True
    )
    months_of(session, tight, [600, 700, 720, 750])
    found = fit.watch_list(session, OCTOBER)
    assert [(w.contract.id, w.advice.fit, w.balance) for w in found] == [(tight.id, Fit.TOO_TIGHT, 2400 - 2770)]
    for _ in range(2):
        assert fit.tell(session, OCTOBER) == 1
    ticket = session.scalars(sa.select(Ticket).where(Ticket.dedup_key.like("contract-fit:%"))).one()
    assert ticket.role == "account_manager"
    assert "zu knapp" in ticket.subject
    text = session.scalars(sa.select(Message.text).where(Message.ticket_id == ticket.id)).one()
    assert "Vereinbart sind 10,00 Stunden im Monat" in text
    assert "etwa 12,0 Stunden" in text
    assert fit.tell(session, OCTOBER.plus(3)) == 1  # a quarter later it is asked again
    assert session.scalars(sa.select(sa.func.count()).where(Ticket.dedup_key.like("contract-fit:%"))).one() == 2


def test_one_bad_month_is_nobodys_business(session: Session) -> None:
    make.house(session)
    customer = make.customer(session)
    contract = make.contract(
        session, customer, starts_on=dt.date(2026, 1, 1), kontingent_hours_per_month=Decimal(10), overdraft_allowed=True
    )
    months_of(session, contract, [600, 600, 600, 1500])
    assert [w.advice.fit for w in fit.watch_list(session, OCTOBER)] == [Fit.FITS]
    assert fit.tell(session, OCTOBER) == 0


def issued(session: Session, customer: Customer) -> ServiceReport:
    """October released, its report issued."""
    seen = preview.build(session, OCTOBER)
    preview.remember(session, seen, clock.now())
    release.release(session, OCTOBER, seen.snapshot, "test")
    report = session.scalars(sa.select(ServiceReport).where(ServiceReport.customer_id == customer.id)).one()
    report.number, report.state, report.issued_at = "SB-2026-000001", ReportState.ISSUED, clock.now()
    report.archive_key, report.sha256 = "reports/x", "0" * 64
    session.flush()
    return report


@pytest.mark.promise("S78", "S116", "S160")
def test_the_parts_of_every_breakdown_add_up_to_the_reports_money(session: Session) -> None:
    make.house(session)
    customer = make.customer(session)
    technician = make.employee(session)
    make.contact(session, customer, functions=["service_report", "main"])
    make.agreement(session, customer, hour_price=Decimal("95.00"), travel_price=Decimal("39.00"))
    site = make.site(session, customer)
    for n, (topic, place, minutes, trips) in enumerate(
        [("VPN", None, 50, 0), ("Druck", site.id, 35, 2), ("VPN", site.id, 20, 1)]
    ):
        ticket = make.ticket(session, customer, topic=topic, site_id=place)
        make.entry(
            session,
            customer,
            technician,
            ticket,
            key=f"L-{n}",
            work_date=dt.date(2026, 10, 5 + n),
            minutes=minutes,
            trips=trips,
        )
    free = make.ticket(session, customer)
    make.entry(
        session, customer, technician, free, key="L-9", work_date=dt.date(2026, 10, 20), minutes=25, billable=False,
        non_billable_reason="Fehlalarm",
    )  # fmt: skip
    report = issued(session, customer)
    money = session.scalars(
        sa.select(sa.func.sum(ServiceReportGroup.net)).where(ServiceReportGroup.report_id == report.id)
    ).one()
    told = statistics.statistics(session, OCTOBER, customer_id=customer.id)
    for rows in (told.by_site, told.by_topic, told.by_contract, told.by_person):
        assert sum(row.net for row in rows).quantize(Decimal("0.01")) == money
        assert sum(row.minutes for row in rows) == 130
    assert {row.name for row in told.by_topic} == {"VPN", "Druck", statistics.NOTHING_SAID}
    assert [(u.reason, u.minutes, u.entries) for u in told.unpaid] == [("Fehlalarm", 25, 1)]
    needs, suggested = fit.needs_without_contract(session, customer.id, OCTOBER)
    assert needs == [(OCTOBER, 60 + 45 + 30)]
    assert suggested == 150
    assert session.scalars(sa.select(sa.func.count()).select_from(BillingItem)).one() == 1


@pytest.mark.promise("S75", "S117", "U12", "U13")
def test_the_account_of_a_day_before_and_after_a_release_is_the_same(session: Session) -> None:
    make.house(session)
    customer = make.customer(session)
    make.contact(session, customer, functions=["service_report", "main"])
    make.agreement(session, customer)
    contract = make.contract(session, customer, starts_on=dt.date(2026, 9, 1), kontingent_hours_per_month=Decimal(5))
    technician = make.employee(session, first_name="Tilda", last_name="Techow")
    ticket = make.ticket(session, customer, subject="Drucker")
    make.entry(session, customer, technician, ticket, key="L-1", work_date=dt.date(2026, 10, 7), minutes=50)
    day = dt.date(2026, 10, 31)
    before = standing.account(session, customer.id, contract.number, day)
    issued(session, customer)
    after = standing.account(session, customer.id, contract.number, day)
    assert before is not None
    assert after is not None
    assert before.standing.booked == after.standing.booked == 600 - 60
    assert [(line.day, line.minutes, line.balance) for line in before.lines] == [
        (line.day, line.minutes, line.balance) for line in after.lines
    ]
    assert after.lines[-1].technician == "Tilda Techow"
    assert standing.account(session, customer.id, "V-fremd", day) is None
