"""Papers of the Bedarfsanalyse and the month's Prüfnachweis (S105, S110)."""

import datetime as dt
import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance.analysis import draft, set_line
from actions.maintenance.papers import (
    analysis_pdf,
    file_analysis,
    issue_proof,
    proof_checks,
    proof_content,
    proof_data,
    proofs_due,
    unfiled_analyses,
)
from actions.maintenance.results import Report, add_evidence, record_result
from actions.maintenance.signing import sign
from kit import clock
from kit.database import Role, unit_of_work
from models.maintenance import CheckOutcome, DueDate
from models.parties import Customer
from rules.month import Month
from tests import factories as make
from tests.maintenance.making import plan, round_on

D = dt.date
TODAY = D(2026, 1, 12)


@pytest.fixture(autouse=True)
def _on_that_day() -> None:
    clock.set_today(TODAY)


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.mark.promise("S105")
def test_the_paper_says_that_it_is_no_contract_and_is_kept_as_signed(session: Session, home: Path) -> None:
    make.house(session)
    row = draft(session, make.customer(session, name="Bäckerei Korn").id)
    set_line(session, row.id, "backup", starts_on=D(2026, 1, 19))
    text = words(analysis_pdf(session, row.id))
    assert "Bedarfsanalyse (Entwurf)" in text
    assert "Unterschrift Bäckerei Korn" in text
    sign(session, row.id, TODAY, "Karla Korn", TODAY)
    assert unfiled_analyses(session) == [row.id]
    filed = file_analysis(session, row.id)
    assert (filed.archive_key is not None, unfiled_analyses(session)) == (True, [])
    pdf = analysis_pdf(session, row.id)
    text = words(pdf)
    for said in (
        "ist kein Vertrag", "wöchentlich am Montag", "erstmals 19.01.2026", "etwa 15 Minuten", "nur der jüngste wird nachgeholt",
        "Alter der jüngsten vollständigen Sicherung prüfen", "Karla Korn, 12.01.2026",
    ):  # fmt: skip
        assert said in text
    session.execute(sa.text("UPDATE customer SET name = 'Anders'"))
    assert analysis_pdf(session, row.id) == pdf


@pytest.mark.promise("S110")
def test_the_month_proof_names_the_last_check_and_every_date(session: Session, home: Path) -> None:
    make.house(session)
    tina = make.employee(session, first_name="Tina", last_name="Berg")
    agreed = plan(session, technician_id=tina.id)
    plan(session, session.get_one(Customer, agreed.customer_id), check="firewall", cadence="FREQ=MONTHLY;BYDAY=1TH")
    for day, outcome, reason in (
        (5, CheckOutcome.DONE, ""),
        (12, CheckOutcome.FAILED, "Sicherung vom 9. fehlt"),
        (19, CheckOutcome.SKIPPED, "Betriebsferien"),
    ):
        clock.set_today(D(2026, 1, day))
        round_on(session, D(2026, 1, day))
        due = session.scalars(sa.select(DueDate.id).where(DueDate.due_on == D(2026, 1, day))).one()
        result = record_result(
            session,
            due,
            Report(outcome=outcome, technician_id=tina.id, reason=reason, readings={"frei": "512"} if day == 5 else {}),
        )
    add_evidence(session, result.id, "bild.png", b"\x89PNG\r\n\x1a\n123")
    clock.set_today(D(2026, 2, 3))
    assert proofs_due(session, Month(2026, 1)) == [agreed.customer_id]
    proof = issue_proof(session, agreed.customer_id, Month(2026, 1))
    assert issue_proof(session, agreed.customer_id, Month(2026, 1)).id == proof.id
    assert proofs_due(session, Month(2026, 1)) == []
    text = words(archive.read(session, proof.archive_key))
    for said in (
        "Prüfnachweis Januar 2026", "Mangel gefunden", "Sicherung vom 9. fehlt", "Grund: Betriebsferien", "Tina Berg",
        "Freier Platz am Sicherungsziel (GB): 512", "noch nie", "Störungsticket T-2026-", "1 Beleg archiviert",
    ):  # fmt: skip
        assert said in text, text
    data = proof_data(proof_content(session, agreed.customer_id, Month(2026, 1)))
    backup = next(c for c in data["checks"] if c["title"] == "Kontrolle der Datensicherung")
    assert (backup["last_done"], backup["next_due"], len(backup["lines"])) == ("2026-01-12", "2026-02-02", 4)
    assert next(c for c in data["checks"] if c["title"].startswith("Firewall"))["last_done"] is None
    round_on(session, D(2026, 2, 3))  # the 26th was missed, the 2nd takes its place
    assert issue_proof(session, agreed.customer_id, Month(2026, 1)).version == 2, "another state is another version"
    with pytest.raises(DBAPIError, match="frozen"), session.begin_nested():
        session.execute(sa.text("UPDATE check_proof SET version = 9"))


@pytest.mark.promise("S110")
def test_the_customer_reads_the_own_proof_and_no_other(committed: None) -> None:
    clock.set_today(D(2026, 1, 5))
    with unit_of_work("test") as session:
        tina = make.employee(session, last_name="Berg")
        agreed, other = plan(session), plan(session)
        round_on(session, D(2026, 1, 5))
        for due in session.scalars(sa.select(DueDate.id).where(DueDate.state == "created")).all():
            record_result(session, due, Report(outcome=CheckOutcome.DONE, technician_id=tina.id))
    with unit_of_work("test", Role.PORTAL_CUSTOMER, agreed.customer_id) as session:
        (check,) = proof_checks(session, agreed.customer_id, Month(2026, 1))
        assert (check.title, check.last_done) == ("Kontrolle der Datensicherung", clock.today())
        assert check.lines[0].technician == "Tina Berg"
        assert proof_checks(session, other.customer_id, Month(2026, 1)) == ()
