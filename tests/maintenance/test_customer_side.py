"""What a customer's session reads of its checks: the month's proof as data, its own and no other's (S110)."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.maintenance.papers import issue_proof, proof_checks, proof_content, proof_data
from actions.maintenance.results import Report, record_all
from kit import clock
from kit.database import Role, unit_of_work
from models.maintenance import CheckOutcome, CheckProof, NeedsAnalysis
from models.offers import Offer
from models.service_desk import Ticket, TicketKind
from rules.month import Month
from tests import factories as make
from tests.maintenance.making import plan, round_on

D = dt.date
JANUARY = Month(2026, 1)


@pytest.mark.promise("S110")
def test_a_customer_reads_its_own_proof_and_no_other(committed: None, home: Path) -> None:
    clock.set_today(D(2026, 1, 5))
    with unit_of_work("test") as session:
        make.house(session)
        tina = make.employee(session)
        mine, other = make.customer(session), make.customer(session)
        for customer in (mine, other):
            plan(session, customer)
        round_on(session, D(2026, 1, 5))
        for ticket in session.scalars(sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE)).all():
            failed = Report(
                outcome=CheckOutcome.FAILED,
                technician_id=tina.id,
                reason="Band fehlt",
                readings={"frei": "12"},
                note="im Schrank",
            )
            record_all(session, ticket.id, failed)
        for customer in (mine, other):
            issue_proof(session, customer.id, JANUARY)
        session.add(NeedsAnalysis(customer_id=mine.id, version=1))
        of_the_house = proof_content(session, mine.id, JANUARY)
        ids = mine.id, other.id
    with unit_of_work("portal", Role.PORTAL_CUSTOMER, ids[0]) as session:
        checks = proof_checks(session, ids[0], JANUARY)
        assert checks == of_the_house.checks, "the same data as the paper"
        (line, *_) = checks[0].lines
        assert (line.outcome.value, line.reason, line.technician) == ("Mangel gefunden", "Band fehlt", tina.name)
        assert line.readings == (("Freier Platz am Sicherungsziel (GB)", "12"),)
        assert line.incident, "the number of the incident that came of it"
        assert proof_checks(session, ids[1], JANUARY) == (), "asked for another, it finds nothing"
        assert session.scalars(sa.select(CheckProof.customer_id)).all() == [ids[0]]
        assert session.scalars(sa.select(NeedsAnalysis)).all() == [], "a draft is not agreed yet"
        assert session.scalars(sa.select(Offer)).all() == []
    told = proof_data(of_the_house)
    assert told["checks"][0]["lines"][0]["due_on"] == "2026-01-05"
    for statement in ("UPDATE check_result SET outcome = 'done'", "DELETE FROM check_proof", "DELETE FROM offer"):
        with (
            unit_of_work("portal", Role.PORTAL_CUSTOMER, ids[0]) as session,
            pytest.raises(Exception, match="permission denied"),
        ):
            session.connection().execute(sa.text(statement))
