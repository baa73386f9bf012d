"""Two months of checks through the real billing: each date is charged where it belongs, and never twice (S105, U25)."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import approval
from actions.billing import preview, release
from actions.maintenance.results import Report, finish_ticket, record_all
from actions.maintenance.work import Work, capture_work
from kit import clock
from models.billing import ServiceReportLine
from models.contracts import ContractKind
from models.maintenance import CheckOutcome, DueDate
from models.parties import Customer, Employee
from models.service_desk import Ticket, TicketKind, TicketState
from models.work import ServiceEntry
from rules.month import Month
from tests import factories as make
from tests.maintenance.making import plan, round_on

D = dt.date
AGREED, NEEDED = 30, 40
"""Minutes agreed for one date, and what a date that was caught up really takes."""
Charged = tuple[int, int]
"""Minutes drawn from the Kontingent, minutes charged in money."""


def customers(session: Session) -> dict[str, Customer]:
    """One with a Kontingent, one with a rental that ends with January, one without a contract; the same weekly check."""
    found = {}
    for name, kind in (("kontingent", ContractKind.KONTINGENT), ("rental", ContractKind.RENTAL), ("effort", None)):
        found[name] = customer = make.customer(session)
        make.agreement(session, customer)
        make.contact(session, customer)
        contract = None
        if kind is ContractKind.KONTINGENT:
            contract = make.contract(session, customer, kind=kind)
        elif kind is ContractKind.RENTAL:
            contract = make.contract(
                session, customer, kind=kind, kontingent_hours_per_month=None, kontingent_hour_price=None,
                starts_on=D(2025, 1, 1), ends_on=D(2026, 1, 31),
            )  # fmt: skip
        plan(session, customer, duration_minutes=AGREED, catch_up="one_listing", contract_id=contract.id if contract else None)
    return found


def work_off(session: Session, tina: Employee, day: dt.date) -> None:
    """Tina does what is open, writes down what it took, the back office approves."""
    clock.set_today(day)
    round_on(session, day)
    for ticket in session.scalars(
        sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE, Ticket.state == TicketState.NEW)
    ).all():
        dates = session.scalar(sa.select(sa.func.count()).where(DueDate.ticket_id == ticket.id)) or 0
        minutes = AGREED if dates == 1 else NEEDED * dates
        record_all(session, ticket.id, Report(outcome=CheckOutcome.DONE, technician_id=tina.id))
        work = Work(key=f"L-{ticket.number}", technician_id=tina.id, work_date=day, minutes=minutes, text="Sicherung geprüft.")
        entries = capture_work(session, ticket.id, work)
        approval.approve(session, [entry.key for entry in entries], "Gudrun")
        finish_ticket(session, ticket.id)


def billed(session: Session, month: Month, of: dict[str, Customer]) -> dict[str, Charged]:
    """Preview and release the month on the second of the next one; what each customer is charged."""
    clock.set_today(month.plus(1).first_day + dt.timedelta(days=1))
    seen = preview.build(session, month)
    release.release(session, month, seen.snapshot, "Gudrun")
    names = {customer.number: name for name, customer in of.items()}
    return {
        names[item.keys.number]: (
            sum(line.usage_minutes for line in item.payer.entries), sum(line.charged_minutes for line in item.payer.entries),
        )
        for item in seen.items
    }  # fmt: skip


@pytest.mark.promise("S105")
@pytest.mark.promise("U25")
def test_two_months_charge_every_date_once(session: Session) -> None:
    make.house(session)
    tina, of = make.employee(session), customers(session)
    for day in (5, 12):
        work_off(session, tina, D(2026, 1, day))
    january = billed(session, Month(2026, 1), of)
    assert january == {"kontingent": (60, 0), "rental": (0, 0), "effort": (0, 60)}

    # the house stood still from 13 January to 2 February: 19 and 26 January and 2 February are done together on the third
    for day in (3, 9, 16, 23):
        work_off(session, tina, D(2026, 2, day))
    february = billed(session, Month(2026, 2), of)
    caught_up, on_time = 3 * AGREED, 3 * AGREED
    assert february["kontingent"] == (caught_up + on_time, 0)
    assert february["effort"] == (0, caught_up + on_time), "three dates of thirty minutes, not the two hours they took"
    assert february["rental"] == (0, on_time), "what was missed in January is paid with January's rent"

    dates = sa.select(sa.func.count()).where(DueDate.outcome.is_not(None))
    assert session.scalar(dates) == 3 * (2 + 3 + 3)
    twice = sa.select(ServiceReportLine.entry_id).group_by(ServiceReportLine.entry_id).having(sa.func.count() > 1)
    assert session.scalars(twice).all() == []
    free = session.scalars(sa.select(ServiceEntry.non_billable_reason).where(~ServiceEntry.billable)).all()
    assert len(free) == 2 + 1 + 2, "the rental's three, and for both others what the standstill took beyond the agreement"
