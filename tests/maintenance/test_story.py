"""A quarter of maintenance, told as the people involved live it."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.analysis import draft, set_line
from actions.maintenance.changes import MoveSeries, PauseSeries, change_plan, preview_change
from actions.maintenance.dates import MoveDate, change_date
from actions.maintenance.papers import issue_proof, proof_content
from actions.maintenance.results import Report, finish_ticket, record_all, record_result
from actions.maintenance.signing import sign
from actions.maintenance.work import Work, capture_work
from flows.maintenance_proofs import maintenance_proofs
from flows.maintenance_round import maintenance_round
from integrations.documents.maintenance import Outcome
from kit import clock
from kit.database import unit_of_work
from models.maintenance import AgreedCheck, CheckOutcome, CheckProof, DueDate
from models.parties import Customer, Employee
from models.service_desk import Ticket, TicketKind, TicketState
from models.work import ServiceEntry
from rules.month import Month
from tests import factories as make

D = dt.date


def _tickets(session: Session, kind: TicketKind = TicketKind.MAINTENANCE) -> list[Ticket]:
    return list(session.scalars(sa.select(Ticket).where(Ticket.kind == kind).order_by(Ticket.received_at, Ticket.number)))


def _round(day: dt.date) -> None:
    clock.set_today(day)
    maintenance_round()


def _work_off(tina: Employee, outcome: CheckOutcome = CheckOutcome.DONE, reason: str = "") -> None:
    """Tina does what is on her list today."""
    with unit_of_work("employee:tina@probehaus.example") as session:
        for ticket in _tickets(session):
            if ticket.state in (TicketState.NEW, TicketState.OPEN):
                record_all(session, ticket.id, Report(outcome=outcome, technician_id=tina.id, reason=reason))
                work = Work(
                    key=f"L-{ticket.number}", technician_id=tina.id, work_date=clock.today(), minutes=15, text="Geprüft."
                )
                capture_work(session, ticket.id, work)
                finish_ticket(session, ticket.id, TicketState.CLOSED)


@pytest.mark.promise("S18")
@pytest.mark.promise("S110")
def test_a_quarter(committed: None, home: Path) -> None:
    # In September the account manager sits with the bakery and goes through the list of what is easily forgotten.
    clock.set_today(D(2026, 9, 28))
    with unit_of_work("employee:betreuung@probehaus.example") as session:
        make.house(session)
        tina = make.employee(session, email="tina@probehaus.example", skills=["Datensicherung"])
        bakery = make.customer(session, name="Bäckerei Korn")
        analysis = draft(session, bakery.id)
        set_line(session, analysis.id, "backup", starts_on=D(2026, 10, 1), technician_id=tina.id, catch_up="one_listing")
        set_line(session, analysis.id, "firewall", starts_on=D(2026, 10, 1), window_opens=dt.time(1), window_closes=dt.time(4))
        sign(session, analysis.id, D(2026, 9, 28), "Karla Korn", clock.today())

    # October begins. Each morning the round runs; Tina works off what it made.
    for day in (1, 5, 12):
        _round(D(2026, 10, day))
        _work_off(tina)

    # Then the server stands still for two weeks, over the night in which the clocks go back.
    _round(D(2026, 10, 27))
    with unit_of_work("test") as session:
        late = _tickets(session)[-1]
        assert late.subject == "Wartung: Kontrolle der Datensicherung (2 Termine 19.10.2026 bis 26.10.2026)"
        dates = session.scalars(sa.select(DueDate).where(DueDate.ticket_id == late.id).order_by(DueDate.due_on)).all()
        skipped = Report(outcome=CheckOutcome.SKIPPED, technician_id=tina.id, reason="Server stand still")
        record_result(session, dates[0].id, skipped)
        failed = Report(outcome=CheckOutcome.FAILED, technician_id=tina.id, reason="Sicherungsziel voll")
        record_result(session, dates[1].id, failed)
        capture_work(
            session,
            late.id,
            Work(key="L-late", technician_id=tina.id, work_date=D(2026, 10, 27), minutes=50, text="Nachgeholt."),
        )
        finish_ticket(session, late.id, TicketState.CLOSED)
        assert [t.subject for t in _tickets(session, TicketKind.INCIDENT)] == [
            "Prüfung fehlgeschlagen: Kontrolle der Datensicherung"
        ]
        charged = session.scalars(
            sa.select(ServiceEntry.minutes).where(ServiceEntry.ticket_id == late.id, ServiceEntry.billable)
        )
        assert sum(charged) == 30, "two dates of fifteen minutes were agreed, not fifty minutes"

    # In November the bakery rebuilds: the backup check is moved to Thursdays, one date goes elsewhere, the firewall waits.
    clock.set_today(D(2026, 10, 30))
    with unit_of_work("employee:betreuung@probehaus.example") as session:
        plans = {plan.check.split(":")[0].split()[0]: plan for plan in session.scalars(sa.select(AgreedCheck))}
        move = MoveSeries(D(2026, 11, 2), "FREQ=WEEKLY;BYDAY=TH")
        seen = preview_change(session, plans["Kontrolle"].id, move, clock.today())
        assert D(2026, 11, 2) in seen.dropped
        assert D(2026, 11, 5) in seen.added
        change_plan(session, plans["Kontrolle"].id, move, clock.today(), shown=seen.fingerprint)
        change_plan(session, plans["Firewall"].id, PauseSeries(D(2026, 11, 1), D(2026, 11, 30), "Umbau"), clock.today())
        moved = session.scalars(sa.select(DueDate).where(DueDate.due_on == D(2026, 11, 19))).one()
        change_date(session, moved.id, MoveDate(D(2026, 11, 20), "Inventur"), clock.today())
    for day in range(2, 31):
        _round(D(2026, 11, day))
        if day != 20:
            _work_off(tina)
    with unit_of_work("test") as session:
        done_on = session.scalars(
            sa.select(DueDate.due_on)
            .where(DueDate.state == "created", DueDate.due_on.between(D(2026, 11, 1), D(2026, 11, 30)))
            .order_by(DueDate.due_on)
        ).all()
        assert done_on == [D(2026, 11, 5), D(2026, 11, 12), D(2026, 11, 20), D(2026, 11, 26)]

    # Every ticket of the quarter has its proof, none was made twice, and the customer can read it.
    for day in range(1, 32):
        _round(D(2026, 12, day))
        _work_off(tina)
    clock.set_today(D(2027, 1, 4))
    assert maintenance_proofs().summary.startswith("Prüfnachweise: Der Vormonat ist noch nicht reif")
    clock.set_today(D(2027, 1, 6))
    assert maintenance_proofs().summary == "Prüfnachweise 2026-12: 1 erstellt."
    assert maintenance_proofs().summary == "Prüfnachweise 2026-12: 0 erstellt."
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer)).one()
        november = proof_content(session, customer.id, Month(2026, 11))
        counts = {outcome.value: november.count(outcome) for outcome in Outcome if november.count(outcome)}
        assert counts == {"erledigt": 4, "ausgelassen": 1, "verlegt": 1}
        backup = next(
            c
            for c in proof_content(session, customer.id, Month(2026, 12)).checks
            if c.interval.endswith("Donnerstag") and c.title.startswith("Kontrolle")
        )
        assert backup.last_done == D(2026, 12, 31)
        assert issue_proof(session, customer.id, Month(2026, 11)).version == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(CheckProof)) == 2
        keys = session.scalars(sa.select(Ticket.dedup_key).where(Ticket.kind == TicketKind.MAINTENANCE)).all()
        assert len(keys) == len(set(keys))
        assert {t.state for t in _tickets(session)} == {TicketState.CLOSED}
