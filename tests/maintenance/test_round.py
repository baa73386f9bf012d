"""The round: each due date becomes its ticket exactly once, whoever runs it, however often (S18, U25)."""

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from actions.maintenance.ledger import horizon, write_ahead
from actions.maintenance.round import Range, create_due, preview_round
from kit import clock
from kit.database import unit_of_work
from models.maintenance import AgreedCheck, DueDate
from models.parties import Lifecycle
from models.service_desk import Message, Ticket, TicketEvent, TicketKind
from rules.cadence import Shift
from rules.catch_up import BACKFILL_DAYS, CatchUp
from tests import factories as make
from tests.maintenance.making import ledger, plan, round_on, tickets, write

D = dt.date


def covered(session: Session, of: AgreedCheck) -> list[list[dt.date]]:
    return [dates for _, dates in tickets(session, of)]


@pytest.mark.promise("S18")
def test_a_due_date_becomes_one_ticket_however_often_the_round_runs(session: Session) -> None:
    tina = make.employee(session, skills=["Datensicherung"])
    agreed = plan(session, technician_id=tina.id, window_opens=dt.time(22), window_closes=dt.time(23))
    assert [round_on(session, D(2026, 1, 5)) for _ in range(3)] == [1, 0, 0]
    ticket = session.scalars(sa.select(Ticket)).one()
    assert ticket.kind is TicketKind.MAINTENANCE
    assert ticket.subject == "Wartung: Kontrolle der Datensicherung (fällig 05.01.2026)"
    assert (ticket.assignee_id, ticket.topic) == (tina.id, "Sicherung")
    assert ticket.due_at == dt.datetime(2026, 1, 5, 22, tzinfo=dt.UTC)
    text = session.scalars(sa.select(Message.text)).one()
    assert "☐ Fehler und Warnungen klären oder als Ticket anlegen" in text
    assert "Wartungsfenster 22:00–23:00 Uhr; es ersetzt den Anruf vor Arbeitsbeginn." in text
    assert f"Techniker: {tina.name}, ab 05.01.2026 22:00 Uhr" in text
    event = session.scalars(sa.select(TicketEvent)).one()
    assert event.what == "created"
    assert event.detail == {"plan": agreed.id, "due": ["2026-01-05"], "call_before_work": "replaced_by_window"}
    assert round_on(session, D(2026, 1, 12)) == 1


@pytest.mark.promise("U23")
def test_without_a_window_the_call_before_work_stays(session: Session) -> None:
    plan(session)
    round_on(session, D(2026, 1, 5))
    assert "vor Arbeitsbeginn anrufen" in session.scalars(sa.select(Message.text)).one()
    assert "call_before_work" not in session.scalars(sa.select(TicketEvent)).one().detail


# ---------------------------------------------------------------- ten days without a round, over the clock change


@pytest.mark.promise("U25")
@pytest.mark.parametrize(
    ("policy", "made"),
    [
        (CatchUp.ALL, [[D(2026, 10, n)] for n in (21, 22, 23, 26, 27, 28, 29, 30)]),
        (CatchUp.LATEST, [[D(2026, 10, 30)]]),
        (CatchUp.ONE_LISTING, [[D(2026, 10, n) for n in (21, 22, 23, 26, 27, 28, 29, 30)]]),
        (CatchUp.SKIP, [[D(2026, 10, 30)]]),
    ],
)
def test_ten_days_of_outage_over_the_clock_change(session: Session, policy: CatchUp, made: list[list[dt.date]]) -> None:
    agreed = plan(session, cadence="FREQ=DAILY", starts_on=D(2026, 10, 19), catch_up=policy, shift=Shift.NEXT_WORKDAY)
    round_on(session, D(2026, 10, 19))
    round_on(session, D(2026, 10, 20))
    assert round_on(session, D(2026, 10, 30)) == len(made)
    assert covered(session, agreed)[2:] == made
    states = {on: state for on, state in ledger(session, agreed).items() if on <= D(2026, 10, 30)}
    assert set(states.values()) <= {"created", "skipped"}
    assert round_on(session, D(2026, 10, 30)) == 0
    assert round_on(session, D(2026, 11, 2)) == 1


def test_a_missed_date_is_due_in_the_window_of_the_day_it_is_caught_up(session: Session) -> None:
    plan(session, cadence="FREQ=DAILY", starts_on=D(2026, 10, 20), window_opens=dt.time(2), window_closes=dt.time(3))
    round_on(session, D(2026, 10, 25))
    ticket = session.scalars(sa.select(Ticket)).one()
    assert ticket.due_at == dt.datetime(2026, 10, 25, 2, tzinfo=dt.UTC), "the second 03:00 of that night"
    reasons = set(session.scalars(sa.select(DueDate.reason).where(DueDate.state == "skipped")))
    assert reasons == {"Versäumt; mit dem Termin vom 25.10.2026 erledigt (nur der jüngste wird nachgeholt)"}


def test_an_old_backlog_waits_for_a_person_and_the_preview_names_it(session: Session) -> None:
    agreed = plan(session, cadence="FREQ=WEEKLY;BYDAY=MO", starts_on=D(2026, 1, 5), catch_up=CatchUp.ALL)
    today = D(2026, 6, 1)
    write(session, today)
    parts = list(preview_round(session, Range(today, today)))
    recent = [on for on in ledger(session, agreed) if today - dt.timedelta(days=BACKFILL_DAYS) <= on <= today]
    assert (sum(len(p.tickets) for p in parts), sum(len(p.held) for p in parts)) == (len(recent), 22 - len(recent))
    assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == 0, "a preview creates nothing"
    assert round_on(session, today) == len(recent)
    assert round_on(session, today, first=D(2026, 1, 1), last=D(2026, 3, 31)) == 13
    assert round_on(session, today, first=D(2026, 1, 1), last=today) == 22 - len(recent) - 13
    assert len(covered(session, agreed)) == 22


def test_tickets_for_days_to_come_can_be_made_by_hand(session: Session) -> None:
    agreed = plan(session, catch_up=CatchUp.LATEST)
    assert round_on(session, D(2026, 1, 5), first=D(2026, 1, 5), last=D(2026, 1, 26)) == 4
    assert covered(session, agreed) == [[D(2026, 1, n)] for n in (5, 12, 19, 26)]


def test_a_customer_who_left_gets_no_tickets(session: Session) -> None:
    agreed = plan(session, make.customer(session, lifecycle=Lifecycle.CLOSED))
    assert round_on(session, D(2026, 1, 12)) == 0
    assert [state for on, state in ledger(session, agreed).items() if on <= D(2026, 1, 12)] == ["skipped"] * 2


def test_a_rule_that_nobody_can_read_stops_only_its_own_plan(session: Session) -> None:
    bad = plan(session, cadence="FREQ=HOURLY")
    good = plan(session)
    part = write_ahead(session, D(2026, 1, 5), horizon(D(2026, 1, 5)))
    assert [plan_id for plan_id, _ in part.faults] == [bad.id]
    session.refresh(bad)
    assert bad.fault is not None
    assert "FREQ=HOURLY" in bad.fault
    assert round_on(session, D(2026, 1, 5)) == 1
    assert covered(session, good) == [[D(2026, 1, 5)]]
    session.execute(sa.text("UPDATE agreed_check SET cadence = 'FREQ=DAILY' WHERE id = :id"), {"id": bad.id})
    assert round_on(session, D(2026, 1, 6)) == 1
    session.refresh(bad)
    assert bad.fault is None


def test_a_plan_that_was_changed_elsewhere_is_brought_in_line(session: Session) -> None:
    agreed = plan(session)
    round_on(session, D(2026, 1, 12))
    session.execute(sa.text("UPDATE agreed_check SET cadence = 'FREQ=WEEKLY;BYDAY=WE'"))
    round_on(session, D(2026, 1, 13))
    days = list(ledger(session, agreed).items())
    assert days[:4] == [
        (D(2026, 1, 5), "skipped"), (D(2026, 1, 12), "created"), (D(2026, 1, 14), "planned"), (D(2026, 1, 21), "planned"),
    ]  # fmt: skip


# ---------------------------------------------------------------- restart invariance on the real ledger


def _everything(session: Session) -> set[tuple[str, tuple[dt.date, ...], str]]:
    rows = session.execute(
        sa.select(Ticket.dedup_key, Ticket.subject, sa.func.array_agg(DueDate.due_on))
        .join(DueDate, DueDate.ticket_id == Ticket.id)
        .group_by(Ticket.dedup_key, Ticket.subject)
    )
    found = {(str(key).split(":")[2], tuple(sorted(days)), subject) for key, subject, days in rows}
    skipped = session.execute(sa.select(DueDate.due_on, DueDate.reason).where(DueDate.state == "skipped"))
    return found | {("skipped", (on,), reason or "") for on, reason in skipped}


@pytest.mark.promise("S18")
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.dates(D(2024, 1, 1), D(2040, 12, 31)), max_size=5),
    rule=st.sampled_from(
        ["FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY", "FREQ=MONTHLY;BYDAY=-1SU"]
    ),
    shift=st.sampled_from(Shift),
)
def test_any_split_of_2024_to_2040_makes_the_same_tickets(
    session: Session, cuts: list[dt.date], rule: str, shift: Shift
) -> None:
    first, last = D(2024, 1, 1), D(2040, 12, 31)
    edges = [first, *sorted(set(cuts) - {first}), last + dt.timedelta(days=1)]
    spans = [(one, other - dt.timedelta(days=1)) for one, other in itertools.pairwise(edges)]
    seen = []
    for runs in ([(first, last)], spans, list(reversed(spans)) * 2):
        savepoint = session.begin_nested()
        for policy in CatchUp:
            plan(session, cadence=rule, starts_on=D(2024, 2, 29), catch_up=policy, shift=shift)
        write(session, D(2040, 12, 31), last)
        for one, other in runs:
            after = 0
            while (part := create_due(session, Range(D(2040, 6, 30), other, one), after=after, limit=2)).plans:
                after = part.last_id
        seen.append(_everything(session))
        savepoint.rollback()
        session.expunge_all()
    assert seen[0] == seen[1] == seen[2]


# ---------------------------------------------------------------- what the database refuses by itself


def _refused(session: Session, statement: str, **values: object) -> str:
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(sa.text(statement), values)
    return str(refusal.value.orig)


def test_one_row_per_plan_and_day_and_one_living_row_per_day_of_the_rule(session: Session) -> None:
    agreed = plan(session)
    write(session, D(2026, 1, 5))
    row = {"customer_id": agreed.customer_id, "agreed_check_id": agreed.id}
    for nominal, on, name in ((D(2026, 1, 6), D(2026, 1, 5), "due_on"), (D(2026, 1, 5), D(2026, 1, 6), "living")):
        second = DueDate(**row, nominal_on=nominal, due_on=on)
        with pytest.raises(IntegrityError, match=name), session.begin_nested():
            make._add(session, second)


def test_a_date_with_its_ticket_never_changes_again(session: Session) -> None:
    plan(session)
    round_on(session, D(2026, 1, 5))
    for change in ("due_on = '2026-01-06'", "state = 'planned', ticket_id = NULL", "ticket_id = ticket_id + 1"):
        assert "frozen" in _refused(session, f"UPDATE due_date SET {change} WHERE state = 'created'")
    assert "frozen" in _refused(session, "DELETE FROM due_date WHERE state = 'created'")
    assert "left_out_says_why" in _refused(session, "UPDATE due_date SET state = 'skipped' WHERE state = 'planned'")


def test_customers_see_their_own_dates_only(committed: None) -> None:
    from kit.database import Role

    with unit_of_work("test") as session:
        one, other = plan(session), plan(session)
        round_on(session, D(2026, 1, 5))
        owner = one.customer_id
        assert other.customer_id != owner
    with unit_of_work("test", Role.PORTAL_CUSTOMER, owner) as session:
        seen = set(session.scalars(sa.select(DueDate.customer_id)))
        assert seen == {owner}
    with unit_of_work("test", Role.PORTAL_CUSTOMER, None) as session:
        assert session.scalars(sa.select(DueDate.id)).all() == []
    with unit_of_work("test", Role.PORTAL_CUSTOMER, owner) as session, pytest.raises(Exception, match="permission denied"):
        session.connection().execute(sa.text("UPDATE due_date SET state = 'planned'"))


def test_the_ledger_is_written_a_year_ahead_and_costs_nothing_on_the_next_day(session: Session) -> None:
    agreed = plan(session)
    assert write(session, D(2026, 1, 5)) == len(ledger(session, agreed))
    assert max(ledger(session, agreed)) == D(2027, 2, 22), "to the end of the thirteenth month"
    assert write(session, D(2026, 1, 31)) == 0
    assert write(session, D(2026, 2, 1)) == 5, "March 2027"
    assert clock.at_local(D(2026, 1, 1)) < clock.now()
