"""Moving, pausing, resuming, ending, and single dates: what is shown before it is saved is what is saved."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.changes import (
    Change,
    EditPlan,
    EndSeries,
    MoveSeries,
    PauseSeries,
    ResumeSeries,
    change_plan,
    preview_change,
)
from actions.maintenance.closing_days import preview_company_day, set_company_day, take_over, undo_take_over
from actions.maintenance.coverage import coverage
from actions.maintenance.dates import DropDate, MoveDate, RestoreDate, assign_date, change_date, preview_date
from actions.maintenance.round import checked_range
from kit.errors import ConflictError, UsageError
from models.maintenance import AgreedCheck, DueDate
from models.plumbing import AuditEntry
from models.service_desk import Ticket, TicketKind
from rules.cadence import Shift
from rules.cadence_text import CadenceError
from tests import factories as make
from tests.maintenance.making import ledger, plan, round_on, tickets, write

D = dt.date
TODAY = D(2026, 1, 12)


def began(session: Session, **values: object) -> AgreedCheck:
    """A weekly plan whose second date has just got its ticket."""
    agreed = plan(session, **values)
    round_on(session, D(2026, 1, 5))
    round_on(session, TODAY)
    return agreed


def living(session: Session, of: AgreedCheck) -> set[dt.date]:
    return {on for on, state in ledger(session, of).items() if state in ("planned", "created")}


def made(session: Session, of: AgreedCheck, change: Change) -> None:
    """Change a plan; what the preview said must be what happens, and a second preview says nothing changes any more."""
    before, told = living(session, of), preview_change(session, of.id, change, TODAY)
    assert living(session, of) == before, "a preview changes nothing"
    change_plan(session, of.id, change, TODAY, shown=told.fingerprint)
    plans = session.scalars(sa.select(AgreedCheck).where((AgreedCheck.id == of.id) | (AgreedCheck.follows_id == of.id)))
    after = set().union(*(living(session, each) for each in plans))
    assert after - before == set(told.added) | set(told.resumed)
    assert before - after == set(told.dropped) | set(told.paused)


def test_a_series_ends(session: Session) -> None:
    agreed = began(session)
    made(session, agreed, EndSeries(D(2026, 2, 2)))
    assert max(ledger(session, agreed)) == D(2026, 2, 2)
    round_on(session, D(2026, 3, 2))
    assert max(on for on, state in ledger(session, agreed).items() if state == "created") == D(2026, 2, 2)


def test_a_pause_is_told_with_its_reason_and_can_end_early(session: Session) -> None:
    agreed = began(session)
    made(session, agreed, PauseSeries(D(2026, 2, 1), D(2026, 3, 1), "Umzug der Filiale"))
    assert {on for on, state in ledger(session, agreed).items() if state == "skipped"} == {
        D(2026, 2, n) for n in (2, 9, 16, 23)
    }
    assert session.scalars(sa.select(DueDate.reason).where(DueDate.state == "skipped").distinct()).all() == [
        "Ausgesetzt: Umzug der Filiale"
    ]
    made(session, agreed, ResumeSeries(D(2026, 2, 16)))
    assert {on for on, state in ledger(session, agreed).items() if state == "skipped"} == {D(2026, 2, 2), D(2026, 2, 9)}


def test_what_is_not_paused_cannot_go_on(session: Session) -> None:
    agreed = began(session)
    with pytest.raises(UsageError, match="nicht ausgesetzt"):
        preview_change(session, agreed.id, ResumeSeries(D(2026, 2, 16)), TODAY)
    change_plan(session, agreed.id, PauseSeries(D(2026, 2, 1), D(2026, 3, 1), "Umzug"), TODAY)
    with pytest.raises(UsageError, match="nicht ausgesetzt"):
        change_plan(session, agreed.id, ResumeSeries(D(2026, 3, 2)), TODAY)


def test_a_pause_without_end_holds_for_what_is_written_later(session: Session) -> None:
    agreed = began(session)
    change_plan(session, agreed.id, PauseSeries(D(2026, 2, 1), None, "Kunde wünscht Ruhe"), TODAY)
    write(session, D(2026, 6, 1))
    later = {state for on, state in ledger(session, agreed).items() if on >= D(2026, 2, 1)}
    assert later == {"skipped"}
    assert max(ledger(session, agreed)) > D(2027, 6, 1)


def test_a_series_is_moved_and_the_old_one_keeps_its_history(session: Session) -> None:
    agreed = began(session, duration_minutes=40)
    made(session, agreed, MoveSeries(D(2026, 2, 1), "FREQ=WEEKLY;BYDAY=WE"))
    successor = session.scalars(sa.select(AgreedCheck).where(AgreedCheck.follows_id == agreed.id)).one()
    assert (successor.starts_on, successor.duration_minutes) == (D(2026, 2, 1), 40)
    assert min(ledger(session, successor)) == D(2026, 2, 4)
    assert max(ledger(session, agreed)) == D(2026, 1, 26)
    round_on(session, D(2026, 2, 11))
    assert [days for _, days in tickets(session, successor)] == [[D(2026, 2, 11)]]


def test_a_series_that_has_not_begun_is_moved_as_a_whole(session: Session) -> None:
    agreed = plan(session, starts_on=D(2026, 3, 2))
    write(session, TODAY)
    made(session, agreed, MoveSeries(D(2026, 2, 1), "FREQ=MONTHLY;BYMONTHDAY=-1"))
    assert (agreed.starts_on, agreed.ends_on) == (D(2026, 2, 1), None)
    assert min(ledger(session, agreed)) == D(2026, 2, 28)


def test_the_preview_warns_of_lost_months_and_free_days(session: Session) -> None:
    agreed = began(session)
    told = preview_change(session, agreed.id, MoveSeries(D(2026, 2, 1), "FREQ=MONTHLY;BYMONTHDAY=31"), TODAY)
    assert "BYMONTHDAY=-1" in told.hints[0]
    assert "31.05.2026 (Sonntag)" in told.hints[-1]
    assert "kommen hinzu" in told.summary


def test_other_terms_move_no_date_but_the_shift(session: Session) -> None:
    agreed = began(session, cadence="FREQ=MONTHLY;BYMONTHDAY=1", starts_on=D(2026, 1, 1))
    tina = make.employee(session)
    made(session, agreed, EditPlan({"technician_id": tina.id, "duration_minutes": 90, "catch_up": "all"}))
    assert (agreed.technician_id, agreed.duration_minutes) == (tina.id, 90)
    made(session, agreed, EditPlan({"shift": Shift.NEXT_WORKDAY}))
    assert D(2026, 2, 2) in ledger(session, agreed)
    assert D(2026, 2, 1) not in ledger(session, agreed)


def test_changes_that_cannot_be_are_refused_with_a_remedy(session: Session) -> None:
    agreed = began(session)
    for change, why in (
        (EndSeries(D(2026, 1, 4)), "heute oder später"),
        (PauseSeries(D(2026, 2, 1), None, " "), "Grund"),
        (PauseSeries(D(2026, 2, 1), D(2026, 1, 31), "x"), "vor ihrem Beginn"),
        (MoveSeries(D(2026, 2, 1), "FREQ=DAILY", D(2026, 1, 20)), "vor dem Tag"),
        (EditPlan({"check": "x"}), "lässt sich so nicht ändern"),
    ):
        with pytest.raises(UsageError, match=why):
            preview_change(session, agreed.id, change, TODAY)
    with pytest.raises(CadenceError):
        preview_change(session, agreed.id, MoveSeries(D(2026, 2, 1), "FREQ=HOURLY"), TODAY)
    plan(session, session.get_one(type(make.customer(session)), agreed.customer_id), starts_on=D(2026, 2, 1))
    with pytest.raises(ConflictError, match="anderen Beginn"):
        change_plan(session, agreed.id, MoveSeries(D(2026, 2, 1), "FREQ=DAILY"), TODAY)


def test_a_change_is_refused_when_the_ledger_is_another_than_was_shown(session: Session) -> None:
    agreed = began(session)
    told = preview_change(session, agreed.id, EndSeries(D(2026, 3, 2)), TODAY)
    due = session.scalars(sa.select(DueDate).where(DueDate.due_on == D(2026, 3, 9))).one()
    change_date(session, due.id, DropDate("Messe"), TODAY)
    with pytest.raises(ConflictError, match="seit der Vorschau geändert"):
        change_plan(session, agreed.id, EndSeries(D(2026, 3, 2)), TODAY, shown=told.fingerprint)


# ---------------------------------------------------------------- single dates


def on_day(session: Session, day: dt.date) -> DueDate:
    return session.scalars(sa.select(DueDate).where(DueDate.due_on == day)).one()


def test_one_date_is_moved_and_gets_one_ticket(session: Session) -> None:
    agreed = began(session)
    due = on_day(session, D(2026, 1, 19))
    told = preview_date(session, due.id, MoveDate(D(2026, 1, 25), "Urlaub"), TODAY)
    assert told.hints == ["Der 25.01.2026 ist kein Arbeitstag (Sonntag)."]
    change_date(session, due.id, MoveDate(D(2026, 1, 21), "Urlaub"), TODAY)
    change_plan(session, agreed.id, EditPlan({"shift": "next_workday"}), TODAY)
    states = ledger(session, agreed)
    assert (states[D(2026, 1, 19)], states[D(2026, 1, 21)]) == ("moved", "planned"), "a change of the series leaves it alone"
    for n in range(19, 24):
        round_on(session, D(2026, 1, n))
    assert [days for _, days in tickets(session, agreed)][-1] == [D(2026, 1, 21)]
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.table_name == "due_date")) == 1


def test_a_moved_date_goes_back(session: Session) -> None:
    agreed = began(session)
    change_date(session, on_day(session, D(2026, 1, 19)).id, MoveDate(D(2026, 1, 21), "Urlaub"), TODAY)
    change_date(session, on_day(session, D(2026, 1, 21)).id, MoveDate(D(2026, 1, 19), "doch"), TODAY)
    states = ledger(session, agreed)
    assert (states[D(2026, 1, 19)], states[D(2026, 1, 21)]) == ("planned", "moved")


def test_a_date_is_dropped_and_restored(session: Session) -> None:
    began(session)
    due = on_day(session, D(2026, 1, 19))
    change_date(session, due.id, DropDate("Kunde hat geschlossen"), TODAY)
    assert (due.state.value, due.reason) == ("skipped", "Kunde hat geschlossen")
    change_date(session, due.id, RestoreDate(), TODAY)
    assert due.state.value == "planned"
    tina = make.employee(session)
    assert assign_date(session, due.id, tina.id).technician_id == tina.id


def test_dates_that_cannot_be_changed_say_why(session: Session) -> None:
    began(session)
    planned = on_day(session, D(2026, 1, 19))
    for due, change, why in (
        (on_day(session, D(2026, 1, 12)), DropDate("x"), "hat schon ein Ticket"),
        (planned, DropDate(" "), "Grund"),
        (planned, MoveDate(D(2026, 1, 11), "x"), "vergangen"),
        (planned, MoveDate(D(2026, 1, 26), "x"), "schon ein Termin"),
        (planned, RestoreDate(), "ausgelassener Termin"),
    ):
        with pytest.raises((ConflictError, UsageError), match=why):
            change_date(session, due.id, change, TODAY)
    change_date(session, planned.id, DropDate("Messe"), TODAY)
    with pytest.raises(ConflictError, match="Messe"):
        change_date(session, planned.id, MoveDate(D(2026, 1, 20), "x"), TODAY)


# ---------------------------------------------------------------- days of the house


def test_a_closing_day_moves_what_falls_on_it_and_opening_again_brings_it_back(session: Session) -> None:
    shifting = plan(session, shift=Shift.NEXT_WORKDAY)
    daily = plan(session, cadence="FREQ=DAILY", shift=Shift.NEXT_WORKDAY)
    fixed = plan(session)
    write(session, TODAY)
    before = [ledger(session, each) for each in (shifting, daily, fixed)]
    carnival = D(2026, 2, 16)
    told = preview_company_day(session, carnival, "Rosenmontag", TODAY)
    assert ledger(session, shifting) == before[0]
    assert set_company_day(session, carnival, "Rosenmontag", TODAY) == told
    assert [(s.plan_id, s.before, s.after) for s in told] == [
        (shifting.id, carnival, D(2026, 2, 17)), (daily.id, carnival, None),
    ]  # fmt: skip
    assert ledger(session, shifting)[D(2026, 2, 17)] == "planned"
    assert carnival not in ledger(session, daily)
    assert ledger(session, fixed) == before[2]
    set_company_day(session, carnival, None, TODAY)
    assert [ledger(session, each) for each in (shifting, daily, fixed)] == before
    with pytest.raises(UsageError, match="ohnehin nicht gearbeitet"):
        set_company_day(session, D(2026, 4, 6), "Ostern", TODAY)


def test_what_was_done_before_the_take_over_is_not_caught_up(session: Session) -> None:
    agreed = plan(session, catch_up="all")
    write(session, D(2026, 2, 2))
    with pytest.raises(UsageError, match="liegt in der Zukunft"):
        take_over(session, D(2026, 2, 3), D(2026, 2, 2))
    told = take_over(session, D(2026, 2, 2), D(2026, 2, 2), dry=True)
    assert told.german == "4 Termine aus 1 Plan, 05.01.2026 bis 26.01.2026"
    assert take_over(session, D(2026, 2, 2), D(2026, 2, 2)) == told
    assert undo_take_over(session, D(2026, 2, 1)).dates == 0, "another day, another take-over"
    assert undo_take_over(session, D(2026, 2, 2), dry=True) == told
    assert undo_take_over(session, D(2026, 2, 2)) == told
    assert set(ledger(session, agreed).values()) == {"planned"}
    take_over(session, D(2026, 2, 2), D(2026, 2, 2))
    assert round_on(session, D(2026, 2, 2)) == 1
    assert session.scalars(sa.select(DueDate.reason).where(DueDate.state == "skipped").distinct()).all() == [
        "Vor der Übernahme am 02.02.2026"
    ]
    assert [days for _, days in tickets(session, agreed)] == [[D(2026, 2, 2)]]


def test_a_date_that_was_moved_beyond_the_horizon_meets_the_series_there(session: Session) -> None:
    agreed = began(session)
    beyond = D(2027, 3, 1)
    assert beyond not in ledger(session, agreed)
    change_date(session, on_day(session, D(2026, 1, 19)).id, MoveDate(beyond, "Umbau"), TODAY)
    write(session, D(2026, 2, 2))
    days = ledger(session, agreed)
    assert days[beyond] == "planned"
    assert {D(2027, 3, 8), D(2027, 3, 15), D(2027, 3, 22), D(2027, 3, 29)} <= set(days), (
        "and the others are written all the same"
    )


def test_sentences_end_and_speak_german(session: Session) -> None:
    agreed = began(session)
    for reason in ("Kunde wünscht Ruhe", "Kunde wünscht Ruhe."):
        told = preview_change(session, agreed.id, PauseSeries(D(2026, 2, 1), None, reason), TODAY)
        assert told.sentences[0].endswith("bis auf Weiteres ausgesetzt: Kunde wünscht Ruhe.")
    edit = EditPlan(
        {"checklist": ["Band wechseln"], "window_opens": dt.time(8), "window_closes": dt.time(9), "duration_minutes": 20}
    )
    (words,) = preview_change(session, agreed.id, edit, TODAY).sentences
    assert words.endswith(
        ": Dauer 15 Minuten → 20 Minuten; Zeitfenster keines → 08:00–09:00 Uhr; Prüfpunkte wie im Katalog → 1 eigene Punkte."
    )
    with pytest.raises(UsageError, match="es ändert sich nichts"):
        preview_change(session, agreed.id, EditPlan({"duration_minutes": 15}), TODAY)


def test_two_dispatchers_at_once_do_not_undo_each_other_unseen(session: Session) -> None:
    agreed = began(session)
    tina, tom = make.employee(session), make.employee(session)
    mine = EditPlan({"technician_id": tina.id, "duration_minutes": 15})
    shown = preview_change(session, agreed.id, mine, TODAY)
    assert shown.sentences[0].endswith(f": Technik niemand → {tina.name}."), "only what really changes"
    change_plan(session, agreed.id, EditPlan({"technician_id": tom.id}), TODAY)
    with pytest.raises(ConflictError, match="seit der Vorschau geändert"):
        change_plan(session, agreed.id, mine, TODAY, shown=shown.fingerprint)
    assert agreed.technician_id == tom.id


def test_whoever_ends_a_series_hears_of_its_open_tickets_and_they_stay(session: Session) -> None:
    agreed = plan(session, starts_on=TODAY)
    write(session, TODAY)
    assert preview_change(session, agreed.id, EndSeries(TODAY), TODAY).hints == []
    round_on(session, TODAY)
    (number,) = session.scalars(sa.select(Ticket.number).where(Ticket.kind == TicketKind.MAINTENANCE)).all()
    told = change_plan(session, agreed.id, EndSeries(TODAY), TODAY)
    assert told.hints == [f"Noch ohne Ergebnis: {number}. Diese Tickets bleiben; bitte tragen Sie ihr Ergebnis ein."]
    assert ledger(session, agreed)[TODAY] == "created"


def test_tickets_of_somebody_who_left_the_house_are_a_gap_until_taken_over(session: Session) -> None:
    tina, tom = make.employee(session), make.employee(session)
    agreed = plan(session, starts_on=TODAY, technician_id=tina.id)
    round_on(session, TODAY)
    tina.active = False
    session.flush()
    whys = [gap.why for gap in coverage(session, TODAY) if gap.kind == "no_technician"]
    assert any("nicht mehr tätig; bitte jemand anderem geben" in why for why in whys)
    change_plan(session, agreed.id, EditPlan({"technician_id": tom.id}), TODAY)
    ticket = session.scalars(sa.select(Ticket).where(Ticket.kind == TicketKind.MAINTENANCE)).one()
    ticket.assignee_id = tom.id
    session.flush()
    assert not [gap for gap in coverage(session, TODAY) if gap.kind == "no_technician"]


def test_a_range_is_refused_when_it_is_reversed_or_reaches_too_far(session: Session) -> None:
    assert checked_range(TODAY, None, None).last == TODAY
    with pytest.raises(UsageError, match="endet vor seinem Beginn"):
        checked_range(TODAY, D(2026, 2, 1), D(2026, 1, 31))
    with pytest.raises(UsageError, match=r"stehen bis zum 28\.02\.2027 fest"):
        checked_range(TODAY, None, D(2076, 1, 1))
