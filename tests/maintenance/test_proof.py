"""Proof per check, incidents, alarms, and where the work is charged (S110, U25)."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions import approval
from actions.billing import preview
from actions.maintenance.alarms import raise_alarms
from actions.maintenance.results import Item, Report, add_evidence, finish_ticket, record_all, record_result, unproven
from actions.maintenance.work import CAUGHT_UP, Work, capture_work, work_terms
from kit import clock
from kit.errors import ConflictError, UsageError
from models.contracts import Contract, ContractKind
from models.maintenance import CheckOutcome, CheckResult, DueDate
from models.parties import Customer, Employee
from models.service_desk import Ticket, TicketEvent, TicketKind, TicketState
from models.work import ServiceEntry
from rules.catch_up import CatchUp
from rules.month import Month
from tests import factories as make
from tests.maintenance.making import plan, round_on

D = dt.date
FIRST = D(2026, 1, 5)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def ticket_of(session: Session, day: dt.date = FIRST, **values: object) -> tuple[Ticket, list[int], Employee]:
    """The maintenance ticket of one weekly plan, its due dates, and a technician."""
    tina = make.employee(session)
    clock.set_today(day)
    agreed = plan(session, **values)
    round_on(session, day)
    mine = sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE, Ticket.customer_id == agreed.customer_id)
    ticket = session.scalars(mine).one()
    due = session.scalars(sa.select(DueDate.id).where(DueDate.ticket_id == ticket.id).order_by(DueDate.due_on)).all()
    return ticket, list(due), tina


def done(tina: Employee, **values: object) -> Report:
    return Report(**{"outcome": CheckOutcome.DONE, "technician_id": tina.id} | values)


def refused(session: Session, statement: str, **values: object) -> str:
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(sa.text(statement), values)
    return str(refusal.value.orig)


@pytest.mark.promise("S110")
@pytest.mark.parametrize("state", ["resolved", "closed"])
def test_a_ticket_cannot_end_before_each_of_its_dates_has_a_result(session: Session, state: str) -> None:
    ticket, due, tina = ticket_of(session, D(2026, 1, 19), catch_up=CatchUp.ONE_LISTING)
    assert len(due) == 3
    end = f"UPDATE ticket SET state = '{state}' WHERE id = {ticket.id}"
    assert "3 due date(s) without a result" in refused(session, end)
    record_result(session, due[0], done(tina, readings={"frei": "512"}, items=[Item("Fehler geklärt", ok=True)]))
    assert "2 due date(s)" in refused(session, end)
    with pytest.raises(ConflictError, match=r"Kontrolle der Datensicherung am 12\.01\.2026"):
        finish_ticket(session, ticket.id)
    assert len(record_all(session, ticket.id, done(tina))) == 2
    assert unproven(session, ticket.id) == []
    assert finish_ticket(session, ticket.id, TicketState(state)).state is TicketState(state)
    assert session.scalar(sa.select(DueDate.outcome).where(DueDate.id == due[0])) is CheckOutcome.DONE


@pytest.mark.promise("S110")
@pytest.mark.parametrize("outcome", [CheckOutcome.FAILED, CheckOutcome.SKIPPED])
def test_failed_and_skipped_need_a_reason_in_the_database_too(session: Session, outcome: CheckOutcome) -> None:
    _, due, tina = ticket_of(session)
    with pytest.raises(UsageError, match="Grund"):
        record_result(session, due[0], Report(outcome=outcome, technician_id=tina.id, reason="  "))
    record_result(session, due[0], Report(outcome=outcome, technician_id=tina.id, reason="Band nicht eingelegt"))
    assert "reason_unless_done" in refused(session, "UPDATE check_result SET reason = ' '")


@pytest.mark.promise("S110")
def test_a_failed_check_opens_one_incident_that_is_linked(session: Session) -> None:
    ticket, due, tina = ticket_of(session)
    report = Report(outcome=CheckOutcome.FAILED, technician_id=tina.id, reason="Letzte Sicherung vom 28.12.2025")
    first = record_result(session, due[0], report)
    again = record_result(session, due[0], report)
    incident = session.scalars(sa.select(Ticket).where(Ticket.kind == TicketKind.INCIDENT)).one()
    assert first.incident_id == again.incident_id == incident.id
    assert (incident.subject, incident.topic, incident.priority.value) == (
        "Prüfung fehlgeschlagen: Kontrolle der Datensicherung", "Sicherung", "high",
    )  # fmt: skip
    links = session.scalars(sa.select(TicketEvent).where(TicketEvent.what == "linked").order_by(TicketEvent.id)).all()
    assert [(e.ticket_id, e.detail["ticket"]) for e in links] == [(incident.id, ticket.number), (ticket.id, incident.number)]
    assert ticket.state is TicketState.OPEN


def test_a_result_can_be_corrected_until_the_ticket_is_closed(session: Session) -> None:
    ticket, due, tina = ticket_of(session)
    record_result(session, due[0], done(tina))
    record_result(session, due[0], done(tina, note="Nachgetragen"))
    finish_ticket(session, ticket.id, TicketState.CLOSED)
    with pytest.raises(ConflictError, match="geschlossen"):
        record_result(session, due[0], done(tina))
    assert "frozen" in refused(session, "UPDATE check_result SET note = 'anders'")
    assert "frozen" in refused(session, "DELETE FROM check_result")
    assert session.scalar(sa.select(sa.func.count()).select_from(CheckResult)) == 1


def test_readings_that_the_catalogue_does_not_know_are_refused(session: Session) -> None:
    _, due, tina = ticket_of(session)
    with pytest.raises(UsageError, match="frei, letzte_sicherung"):
        record_result(session, due[0], done(tina, readings={"temperatur": "21"}))


def test_screenshots_go_into_the_archive_once(session: Session, home: Path) -> None:
    _, due, tina = ticket_of(session)
    result = record_result(session, due[0], done(tina))
    shot = add_evidence(session, result.id, r"C:\Bilder\Sicherung.png", PNG)
    assert add_evidence(session, result.id, "nochmal.png", PNG).id == shot.id
    assert (shot.file_name, shot.content_type) == ("Sicherung.png", "image/png")
    assert (home / "archive" / shot.archive_key).is_file() or shot.archive_key.endswith(".png")
    for name, content in (("leer.png", b""), ("bild.png", b"<svg onload=alert(1)>"), ("a.exe", b"MZ\x00\x01")):
        with pytest.raises(UsageError, match="Nachweis"):
            add_evidence(session, result.id, name, content)


# ---------------------------------------------------------------- alarms


def alarms(session: Session) -> list[tuple[str, str | None]]:
    rows = session.execute(sa.select(Ticket.subject, Ticket.role).where(Ticket.kind == TicketKind.TASK).order_by(Ticket.id))
    return [(subject, role) for subject, role in rows]


def _day(session: Session, day: dt.date) -> list[str]:
    clock.set_today(day)
    round_on(session, day)
    return raise_alarms(session, day)


@pytest.mark.promise("S110")
def test_a_check_that_is_never_done_alarms_the_dispatcher_once(session: Session) -> None:
    customer = make.customer(session, name="Bäckerei Korn")
    plan(session, customer)
    assert _day(session, D(2026, 1, 5)) == []
    assert _day(session, D(2026, 1, 7)) == [], "two working days are given"
    assert len(_day(session, D(2026, 1, 8))) == 1
    assert alarms(session) == [("Nie ausgeführt: Kontrolle der Datensicherung (Bäckerei Korn)", "dispatcher")]
    for day in (8, 9, 12, 15, 19, 23):
        assert _day(session, D(2026, 1, day)) == [], "one alarm while it is open"
    ended = {"at": clock.at_local(D(2026, 1, 23), dt.time(9))}
    session.execute(sa.text("UPDATE ticket SET state = 'closed', closed_at = :at WHERE kind = 'task'"), ended)
    session.expire_all()
    assert _day(session, D(2026, 1, 23)) == [], "nothing new since"
    assert _day(session, D(2026, 1, 26)) == []
    assert len(_day(session, D(2026, 1, 29))) == 1, "the next date passed as well"


@pytest.mark.promise("S110")
def test_a_check_that_was_done_once_and_then_forgotten_is_overdue(session: Session) -> None:
    ticket, due, tina = ticket_of(session)
    record_result(session, due[0], done(tina))
    finish_ticket(session, ticket.id)
    assert _day(session, D(2026, 1, 12)) == []
    assert _day(session, D(2026, 1, 14)) == []
    assert len(_day(session, D(2026, 1, 15))) == 1
    assert alarms(session)[0][0].startswith("Überfällig: Kontrolle der Datensicherung")


def test_a_check_that_is_always_left_out_is_an_alarm_too(session: Session) -> None:
    tina = make.employee(session)
    plan(session)
    for week in range(5):
        day = D(2026, 1, 5) + dt.timedelta(weeks=week)
        _day(session, day)
        due = session.scalars(sa.select(DueDate.id).where(DueDate.due_on == day)).one()
        outcome = (
            Report(outcome=CheckOutcome.DONE, technician_id=tina.id)
            if week == 0
            else Report(outcome=CheckOutcome.SKIPPED, technician_id=tina.id, reason="keine Zeit")
        )
        record_result(session, due, outcome)
    assert alarms(session) == [], "the third in a row still has its grace"
    _day(session, D(2026, 2, 5))
    assert alarms(session)[0][0].startswith("Überfällig")


def test_pauses_and_dates_that_were_caught_up_are_no_alarm(session: Session) -> None:
    plan(session)
    assert _day(session, D(2026, 1, 30)) == [], "the ticket of the latest is new, whatever its day was"
    assert len(_day(session, D(2026, 2, 4))) == 1


# ---------------------------------------------------------------- charging


def _covered(session: Session, kind: ContractKind, **values: object) -> tuple[Ticket, Employee, Contract]:
    customer: Customer = make.customer(session)
    terms = {} if kind is ContractKind.KONTINGENT else {"kontingent_hours_per_month": None, "kontingent_hour_price": None}
    contract = make.contract(session, customer, kind=kind, **terms, **values)
    tina = make.employee(session)
    clock.set_today(D(2026, 1, 5))
    plan(session, customer, contract_id=contract.id)
    round_on(session, D(2026, 1, 5))
    ticket = sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE, Ticket.customer_id == customer.id)
    return session.scalars(ticket).one(), tina, contract


def _work(tina: Employee, minutes: int, key: str = "L-1", day: dt.date = FIRST) -> Work:
    return Work(key=key, technician_id=tina.id, work_date=day, minutes=minutes, text="Sicherung geprüft.")


@pytest.mark.promise("S105")
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ContractKind.RENTAL, "Mietvertrag"),
        (ContractKind.MANAGED, "Managed-Services-Vertrag"),
        (ContractKind.DATA_CENTRE, "Rechenzentrumsvertrag"),
    ],
)
def test_what_a_flat_contract_covers_is_never_charged(session: Session, kind: ContractKind, name: str) -> None:
    ticket, tina, contract = _covered(session, kind)
    (entry,) = capture_work(session, ticket.id, _work(tina, 30))
    assert (entry.billable, entry.non_billable_reason) == (False, f"In {name} {contract.number} enthalten (Wartung)")
    assert "covered by contract" in refused(session, "UPDATE service_entry SET billable = true, non_billable_reason = NULL")


@pytest.mark.promise("S105")
def test_without_a_contract_in_force_it_is_charged_as_agreed_with_the_customer(session: Session) -> None:
    ticket, tina, _ = _covered(session, ContractKind.RENTAL, ends_on=D(2026, 1, 4), starts_on=D(2025, 1, 1))
    (entry,) = capture_work(session, ticket.id, _work(tina, 30))
    assert entry.billable
    assert work_terms(session, ticket.id, D(2026, 1, 4)).billable is False


@pytest.mark.promise("U25")
def test_what_was_owed_while_the_contract_ran_stays_included_when_it_is_done_later(session: Session) -> None:
    """The fee was paid for that date; a shift over a holiday or an outage of the house must not charge it once more."""
    ticket, tina, contract = _covered(session, ContractKind.RENTAL, starts_on=D(2025, 1, 1), ends_on=FIRST)
    later = D(2026, 1, 12)
    assert work_terms(session, ticket.id, later).to == f"Mietvertrag {contract.number}"
    (entry,) = capture_work(session, ticket.id, _work(tina, 30, day=later))
    assert not entry.billable
    assert "covered by contract" in refused(session, "UPDATE service_entry SET billable = true, non_billable_reason = NULL")
    round_on(session, later)
    second = session.scalars(sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE).order_by(Ticket.id.desc())).first()
    assert second is not None
    assert work_terms(session, second.id, later).to == "nach Aufwand", "owed after the contract had ended"


def test_what_a_kontingent_covers_stays_billable_and_draws_on_it(session: Session) -> None:
    ticket, tina, contract = _covered(session, ContractKind.KONTINGENT)
    terms = work_terms(session, ticket.id, D(2026, 1, 5))
    assert (terms.billable, terms.to, terms.minutes_left) == (True, f"Kontingent {contract.number}", None)
    assert capture_work(session, ticket.id, _work(tina, 30))[0].billable


@pytest.mark.promise("U25")
@pytest.mark.parametrize(("policy", "agreed"), [(CatchUp.LATEST, 15), (CatchUp.ONE_LISTING, 45)])
def test_a_missed_date_is_never_charged_beyond_what_was_agreed(session: Session, policy: CatchUp, agreed: int) -> None:
    ticket, _, tina = ticket_of(session, D(2026, 1, 20), catch_up=policy)
    assert work_terms(session, ticket.id, D(2026, 1, 20)).minutes_left == agreed
    charged, rest = capture_work(session, ticket.id, _work(tina, 60))
    assert (charged.minutes, charged.billable) == (agreed, True)
    assert (rest.minutes, rest.billable, rest.non_billable_reason) == (60 - agreed, False, CAUGHT_UP)
    assert [e.key for e in capture_work(session, ticket.id, _work(tina, 60))] == ["L-1", "L-1/2"], "sent twice"
    (more,) = capture_work(session, ticket.id, _work(tina, 10, "L-2"))
    assert not more.billable
    assert "was caught up" in refused(
        session, "UPDATE service_entry SET billable = true, non_billable_reason = NULL WHERE key = 'L-2'"
    )
    assert session.scalar(sa.select(sa.func.sum(ServiceEntry.minutes)).where(ServiceEntry.billable)) == agreed


@pytest.mark.promise("U25")
def test_the_back_office_is_told_why_it_cannot_charge_more(session: Session) -> None:
    ticket, _, tina = ticket_of(session, D(2026, 1, 20))
    charged, rest = capture_work(session, ticket.id, _work(tina, 60))
    values = {"trips": 0, "text": "x", "billable": True, "reason": None}
    with pytest.raises(ConflictError, match="noch 15 Minuten"):
        approval.correct(session, charged.key, minutes=16, **values)
    with pytest.raises(ConflictError, match="noch 0 Minuten"):
        approval.correct(session, rest.key, minutes=45, **values)
    approval.correct(session, charged.key, minutes=10, **values)
    covered, tina, contract = _covered(session, ContractKind.MANAGED)
    (entry,) = capture_work(session, covered.id, _work(tina, 30, "L-9"))
    with pytest.raises(ConflictError, match=f"{contract.number} enthalten"):
        approval.correct(session, entry.key, minutes=30, **values)


def test_a_date_done_on_its_day_is_charged_by_effort(session: Session) -> None:
    ticket, _, tina = ticket_of(session)
    (entry,) = capture_work(session, ticket.id, _work(tina, 60))
    assert (entry.minutes, entry.billable) == (60, True)


@pytest.mark.promise("S105")
def test_the_month_charges_each_check_where_it_belongs(session: Session) -> None:
    """Kontingent draws, a managed contract includes, nothing agreed is charged by effort: as the billing run sees it."""
    make.house(session)
    places = []
    for kind in (ContractKind.KONTINGENT, ContractKind.MANAGED, None):
        if kind is None:
            ticket, _, tina = ticket_of(session, FIRST)
        else:
            ticket, tina, _ = _covered(session, kind)
        customer = session.get_one(Customer, ticket.customer_id)
        make.agreement(session, customer)
        make.contact(session, customer)
        entry = capture_work(session, ticket.id, _work(tina, 30, f"L-{customer.number}"))[0]
        approval.approve(session, [entry.key], "test")
        places.append((customer.number, entry.key))
    clock.set_today(D(2026, 2, 2))
    seen = {item.keys.number: item.payer for item in preview.build(session, Month(2026, 1)).items}
    lines = [next(line for line in seen[number].entries if line.entry_id == key) for number, key in places]
    assert [(line.charge.value, line.usage_minutes, line.charged_minutes) for line in lines] == [
        ("kontingent", 30, 0), ("none", 0, 0), ("invoice", 0, 30),
    ]  # fmt: skip
    assert lines[1].non_billable_reason is not None
    assert "Managed-Services-Vertrag" in lines[1].non_billable_reason
