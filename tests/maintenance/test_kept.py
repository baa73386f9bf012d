"""What changes and corrections must not lose: an agreed check keeps its dates, an alarm ends with its cause, proof stays proof."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.maintenance.alarms import ask_about_backlog, raise_alarms
from actions.maintenance.analysis import draft, set_line
from actions.maintenance.catalogue import load_catalogue, retire_check
from actions.maintenance.changes import EndSeries, MoveSeries, change_plan
from actions.maintenance.coverage import coverage
from actions.maintenance.results import Report, add_evidence, finish_ticket, record_result
from actions.maintenance.signing import sign
from kit import clock
from kit.errors import ConflictError
from models.maintenance import AgreedCheck, CheckOutcome, DueDate, NeedsAnalysis
from models.parties import Employee
from models.service_desk import Message, Ticket, TicketKind, TicketState
from tests import factories as make
from tests.maintenance.making import ledger, plan, round_on

D = dt.date
TODAY = D(2026, 1, 12)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


@pytest.fixture(autouse=True)
def _on_that_day() -> None:
    clock.set_today(TODAY)


def signed(session: Session) -> NeedsAnalysis:
    """The weekly backup check, agreed and running."""
    row = draft(session, make.customer(session).id)
    set_line(session, row.id, "backup", starts_on=D(2026, 1, 19))
    sign(session, row.id, TODAY, "Karla Kontakt", TODAY)
    return row


def only_plan(session: Session) -> AgreedCheck:
    return session.scalars(sa.select(AgreedCheck)).one()


# ---------------------------------------------------------------- agreed stays agreed


def test_a_new_version_signed_while_a_move_waits_keeps_the_check_alive(session: Session) -> None:
    row, moved_on = signed(session), D(2026, 3, 2)
    change_plan(session, only_plan(session).id, MoveSeries(moved_on, "FREQ=WEEKLY;BYDAY=TH"), TODAY)
    second = draft(session, row.customer_id)
    set_line(session, second.id, "backup", duration_minutes=45)
    told = sign(session, second.id, TODAY, "Karla Kontakt", TODAY).sentences
    assert not [sentence for sentence in told if "nicht mehr vereinbart" in sentence]
    plans = session.scalars(sa.select(AgreedCheck).order_by(AgreedCheck.starts_on)).all()
    later = [on for each in plans for on, state in ledger(session, each).items() if on >= moved_on and state == "planned"]
    assert len(later) >= 52, "the check goes on after the day of the move"
    assert {each.needs_analysis_id for each in plans if each.ends_on is None or each.ends_on >= TODAY} == {second.id}
    assert {each.duration_minutes for each in plans} == {45}


@pytest.mark.promise("S105")
def test_an_agreed_check_whose_series_was_ended_is_a_gap(session: Session) -> None:
    signed(session)
    change_plan(session, only_plan(session).id, EndSeries(D(2026, 2, 2)), TODAY)
    assert [g.kind for g in coverage(session, D(2026, 2, 2)) if g.kind == "no_schedule"] == []
    (gap,) = [g for g in coverage(session, D(2026, 2, 3)) if g.kind == "no_schedule"]
    assert (gap.check, gap.role) == ("Kontrolle der Datensicherung", "account_manager")
    assert "02.02.2026" in gap.why


def test_an_agreed_check_that_was_agreed_to_end_is_no_gap(session: Session) -> None:
    row = draft(session, make.customer(session).id)
    set_line(session, row.id, "backup", starts_on=D(2026, 1, 19), cadence="FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    sign(session, row.id, TODAY, "Karla Kontakt", TODAY)
    assert [g.kind for g in coverage(session, D(2026, 6, 1)) if g.kind == "no_schedule"] == []


# ---------------------------------------------------------------- an alarm ends with its cause


def _day(session: Session, day: dt.date) -> list[str]:
    clock.set_today(day)
    round_on(session, day)
    return raise_alarms(session, day)


def tasks(session: Session) -> list[str]:
    session.expire_all()
    return [t.state.value for t in session.scalars(sa.select(Ticket).where(Ticket.kind == TicketKind.TASK).order_by(Ticket.id))]


def overdue(session: Session) -> tuple[list[int], Employee]:
    """A check that two dates have gone by; the alarm is open."""
    tina = make.employee(session)
    plan(session, catch_up="all")
    for day in (5, 8, 12, 15):
        _day(session, D(2026, 1, day))
    assert tasks(session) == ["new"]
    due = session.scalars(sa.select(DueDate.id).where(DueDate.state == "created").order_by(DueDate.due_on)).all()
    return list(due), tina


@pytest.mark.promise("S110")
@pytest.mark.parametrize("outcome", [CheckOutcome.DONE, CheckOutcome.FAILED])
def test_the_alarm_ends_when_the_check_is_done(session: Session, outcome: CheckOutcome) -> None:
    due, tina = overdue(session)
    report = Report(outcome=outcome, technician_id=tina.id, reason="Band fehlt" if outcome is CheckOutcome.FAILED else "")
    record_result(session, due[0], report)
    assert tasks(session) == ["new"], "the second date is still without result"
    record_result(session, due[1], report)
    assert tasks(session) == ["closed"]
    said = session.scalars(sa.select(Message.text).join(Ticket, Ticket.id == Message.ticket_id).where(Ticket.kind == "task"))
    assert any("erledigt sich" in text for text in said)
    assert _day(session, D(2026, 1, 16)) == []
    assert len([t for day in (19, 22) for t in _day(session, D(2026, 1, day))]) == 1, "the next one that is forgotten is new"


@pytest.mark.promise("S110")
def test_leaving_a_check_out_does_not_end_the_alarm(session: Session) -> None:
    due, tina = overdue(session)
    for due_id in due:
        record_result(session, due_id, Report(outcome=CheckOutcome.SKIPPED, technician_id=tina.id, reason="keine Zeit"))
    assert tasks(session) == ["new"]


def test_the_alarm_of_a_plan_that_ended_or_a_customer_who_left_ends_with_the_round(session: Session) -> None:
    due, tina = overdue(session)
    for due_id in due:
        record_result(session, due_id, Report(outcome=CheckOutcome.SKIPPED, technician_id=tina.id, reason="entfällt"))
    agreed = only_plan(session)
    change_plan(session, agreed.id, EndSeries(D(2026, 1, 14)), D(2026, 1, 15))
    _day(session, D(2026, 1, 16))
    assert tasks(session) == ["closed"]


def test_the_question_about_old_dates_ends_when_they_are_decided(session: Session) -> None:
    agreed = plan(session, catch_up="all")
    (number,) = ask_about_backlog(session, [(agreed.id, D(2026, 1, 5))], D(2026, 3, 2))
    assert ask_about_backlog(session, [(agreed.id, D(2026, 1, 5))], D(2026, 3, 3)) == []
    assert tasks(session) == ["new"]
    ask_about_backlog(session, [], D(2026, 3, 4), whole=True)
    assert tasks(session) == ["closed"], number


# ---------------------------------------------------------------- proof stays proof


def refused(session: Session, statement: str) -> str:
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(sa.text(statement))
    return str(refusal.value.orig)


def proven(session: Session) -> tuple[Ticket, int, Employee]:
    tina = make.employee(session)
    plan(session)
    round_on(session, D(2026, 1, 5))
    due = session.scalars(sa.select(DueDate).where(DueDate.state == "created")).one()
    result = record_result(session, due.id, Report(outcome=CheckOutcome.DONE, technician_id=tina.id))
    return session.get_one(Ticket, due.ticket_id), result.id, tina


@pytest.mark.promise("S110")
def test_a_ticket_that_is_done_keeps_its_proof(session: Session) -> None:
    ticket, _, _ = proven(session)
    finish_ticket(session, ticket.id)
    assert "frozen" in refused(session, "DELETE FROM check_result")
    finish_ticket(session, ticket.id, TicketState.CLOSED)
    assert "frozen" in refused(session, "UPDATE check_result SET outcome = 'skipped', reason = 'x'")


@pytest.mark.promise("S110")
def test_screenshots_are_part_of_the_closed_proof(session: Session, home: object) -> None:
    ticket, result_id, _ = proven(session)
    add_evidence(session, result_id, "bild.png", PNG)
    finish_ticket(session, ticket.id, TicketState.CLOSED)
    with pytest.raises(ConflictError, match="geschlossen"):
        add_evidence(session, result_id, "spaeter.png", PNG + b"1")
    assert "frozen" in refused(session, "DELETE FROM check_evidence")
    assert "frozen" in refused(session, "UPDATE check_evidence SET file_name = 'anders.png'")
    late = "INSERT INTO check_evidence (customer_id, check_result_id, file_name, content_type, size, sha256, archive_key, created_at)"
    assert "frozen" in refused(
        session, f"{late} SELECT customer_id, check_result_id, 'x', 'image/png', 1, 'x', 'x', now() FROM check_evidence"
    )


def test_a_corrected_failure_tells_its_incident(session: Session) -> None:
    tina = make.employee(session)
    plan(session)
    round_on(session, D(2026, 1, 5))
    due = session.scalars(sa.select(DueDate.id).where(DueDate.state == "created")).one()
    failed = record_result(session, due, Report(outcome=CheckOutcome.FAILED, technician_id=tina.id, reason="Band fehlt"))
    incident = failed.incident_id
    record_result(session, due, Report(outcome=CheckOutcome.DONE, technician_id=tina.id))
    said = session.scalars(sa.select(Message.text).where(Message.ticket_id == incident).order_by(Message.id)).all()
    assert "auf »erledigt« geändert" in said[-1]
    record_result(session, due, Report(outcome=CheckOutcome.DONE, technician_id=tina.id, note="Nachtrag"))
    assert len(session.scalars(sa.select(Message.id).where(Message.ticket_id == incident)).all()) == len(said), "told once"


def test_a_check_that_is_no_longer_offered_goes_on_as_it_was_agreed(session: Session) -> None:
    load_catalogue(session)
    retire_check(session, "backup")
    plan(session)
    round_on(session, D(2026, 1, 5))
    text = session.scalars(sa.select(Message.text)).one()
    assert "☐ Fehler und Warnungen klären oder als Ticket anlegen" in text
    catalogue = load_catalogue(session)
    assert "backup" not in {entry.key for entry in catalogue.entries}
    assert catalogue.of("backup") is not None
