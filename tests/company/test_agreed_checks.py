"""What agreed checks ask of imported tickets and work, said with a line instead of by a trigger."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from kit.database import unit_of_work
from models.contracts import Contract
from models.maintenance import AgreedCheck, CheckOutcome, DueDate
from models.service_desk import Ticket
from rules.due_ledger import DueState
from tests.company.helpers import BASE, counts, errors, load, loaded, row

pytestmark = pytest.mark.usefixtures("database")


def check_on_ticket(*, due_on: str = "2026-10-01", covered: bool = False) -> None:
    """The ticket T1 does an agreed check of 60 minutes."""
    with unit_of_work("test") as session:
        ticket = session.scalars(sa.select(Ticket)).one()
        contract = session.scalars(sa.select(Contract)).one()
        if covered:
            contract.kind = "managed"  # type: ignore[assignment]
        plan = AgreedCheck(
            customer_id=ticket.customer_id, check="Datensicherung", cadence="FREQ=MONTHLY", starts_on=dt.date(2026, 9, 1),
            duration_minutes=60, contract_id=contract.id if covered else None,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        day = dt.date.fromisoformat(due_on)
        session.add(
            DueDate(
                customer_id=ticket.customer_id,
                agreed_check_id=plan.id,
                nominal_on=day,
                due_on=day,
                state=DueState.CREATED,
                ticket_id=ticket.id,
            )
        )


@pytest.mark.promise("S110")
def test_a_ticket_ends_only_with_the_result_of_its_checks(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    check_on_ticket()
    closing = {"tickets.csv": [row("tickets", state="closed")]}
    (line,) = errors(load(tmp_path, closing))
    assert line.startswith("tickets.csv:2: state: closed ist nicht möglich: zum Ticket »T1« fehlt das Ergebnis von 1 Prüfungen")
    with unit_of_work("test") as session:
        due = session.scalars(sa.select(DueDate)).one()
        due.outcome = CheckOutcome.DONE
    assert counts(loaded(tmp_path, closing), "tickets") == (0, 1, 0)


def test_covered_checks_are_not_charged(tmp_path: Path) -> None:
    without = {name: rows for name, rows in BASE.items() if name != "service_entries.csv"}
    loaded(tmp_path, without)
    check_on_ticket(covered=True)
    (line,) = errors(load(tmp_path / "work", {"service_entries.csv": [row("service_entries")]}))
    assert line == (
        "service_entries.csv:2: billable: yes ist nicht möglich: die Prüfung deckt der Vertrag »V1« ab; erlaubt ist no mit Grund"
    )
    free = row("service_entries", billable="no", non_billable_reason="im Vertrag enthalten")
    assert loaded(tmp_path / "work", {"service_entries.csv": [free]}).files[0].created == 1


@pytest.mark.promise("U25")
def test_caught_up_checks_charge_no_more_than_agreed(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)  # L1: 50 charged minutes
    check_on_ticket(due_on="2026-09-01")
    more = {"service_entries.csv": [row("service_entries", id="L2", minutes="11")]}
    (line,) = errors(load(tmp_path / "more", more))
    assert line.startswith(
        "service_entries.csv:2: minutes: das nachgeholte Ticket »T1« hätte 61 berechnete Minuten, vereinbart sind 60"
    )
    fits = {"service_entries.csv": [row("service_entries", id="L2", minutes="10")]}
    assert loaded(tmp_path / "more", fits).files[0].created == 1
