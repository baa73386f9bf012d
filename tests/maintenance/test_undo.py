"""A change of a plan is remembered and can be undone; what has come of it stays."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.changes import Change, EditPlan, EndSeries, MoveSeries, PauseSeries, ResumeSeries, change_plan
from actions.maintenance.dates import DropDate, change_date
from actions.maintenance.undo import history, preview_undo, undo
from kit import clock
from kit.errors import ConflictError
from models.maintenance import AgreedCheck, DueDate, PlanPause
from tests.maintenance.making import ledger, plan, round_on, tickets

D = dt.date
TODAY = D(2026, 1, 12)


@pytest.fixture(autouse=True)
def _on_that_day() -> None:
    clock.set_today(TODAY)


def began(session: Session, **values: object) -> AgreedCheck:
    agreed = plan(session, **values)
    round_on(session, D(2026, 1, 5))
    round_on(session, TODAY)
    return agreed


@pytest.mark.parametrize(
    "change",
    [
        EndSeries(D(2026, 2, 2)),
        PauseSeries(D(2026, 2, 1), D(2026, 3, 1), "Umzug"),
        PauseSeries(D(2026, 2, 1), None, "Umzug"),
        MoveSeries(D(2026, 2, 1), "FREQ=WEEKLY;BYDAY=WE"),
        EditPlan({"duration_minutes": 90, "catch_up": "all", "shift": "next_workday", "window_opens": dt.time(22), "window_closes": dt.time(2)}),
    ],
)  # fmt: skip
def test_undoing_brings_back_what_was(session: Session, change: Change) -> None:
    agreed = began(session)
    before = ledger(session, agreed)
    terms = {c.key: getattr(agreed, c.key) for c in sa.inspect(AgreedCheck).columns}
    change_plan(session, agreed.id, change, TODAY)
    changed = ledger(session, agreed)
    told = preview_undo(session, agreed.id, TODAY)
    assert ledger(session, agreed) == changed, "a preview changes nothing"
    done = undo(session, agreed.id, TODAY, shown=told.fingerprint)
    assert (done.sentences, done.added, done.dropped) == (told.sentences, told.added, told.dropped)
    assert ledger(session, agreed) == before
    assert {c.key: getattr(agreed, c.key) for c in sa.inspect(AgreedCheck).columns} == terms
    assert session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(PlanPause)) == 0
    with pytest.raises(ConflictError, match="keine Änderung"):
        undo(session, agreed.id, TODAY)


def test_changes_are_undone_one_after_the_other_and_stay_in_the_history(session: Session) -> None:
    agreed = began(session)
    change_plan(session, agreed.id, PauseSeries(D(2026, 2, 1), D(2026, 3, 1), "Umzug"), TODAY)
    paused = ledger(session, agreed)
    change_plan(session, agreed.id, ResumeSeries(D(2026, 2, 16)), TODAY)
    told = preview_undo(session, agreed.id, TODAY)
    assert (told.paused, told.added, told.resumed) == ([D(2026, 2, 16), D(2026, 2, 23)], [], [])
    undo(session, agreed.id, TODAY)
    assert ledger(session, agreed) == paused
    undo(session, agreed.id, TODAY)
    assert set(ledger(session, agreed).values()) == {"created", "planned"}
    assert [each.undone_by for each in history(session, agreed.id)] == ["test", "test"] or all(
        each.undone_by for each in history(session, agreed.id)
    )


def test_a_moved_series_that_has_tickets_is_not_undone(session: Session) -> None:
    agreed = began(session)
    change_plan(session, agreed.id, MoveSeries(D(2026, 1, 13), "FREQ=DAILY"), TODAY)
    round_on(session, D(2026, 1, 13))
    successor = session.scalars(sa.select(AgreedCheck).where(AgreedCheck.follows_id == agreed.id)).one()
    with pytest.raises(ConflictError, match="läuft schon"):
        undo(session, agreed.id, D(2026, 1, 13))
    assert [days for _, days in tickets(session, successor)] == [[D(2026, 1, 13)]]


def test_a_plan_that_was_changed_elsewhere_since_is_not_undone(session: Session) -> None:
    agreed = began(session)
    change_plan(session, agreed.id, EndSeries(D(2026, 2, 2)), TODAY)
    session.execute(sa.text("UPDATE agreed_check SET ends_on = '2026-03-02'"))
    with pytest.raises(ConflictError, match="anderweitig"):
        undo(session, agreed.id, TODAY)


def test_undoing_later_leaves_the_past_and_what_people_decided(session: Session) -> None:
    agreed = began(session)
    due = session.scalars(sa.select(DueDate).where(DueDate.due_on == D(2026, 3, 9))).one()
    change_date(session, due.id, DropDate("Messe"), TODAY)
    change_plan(session, agreed.id, PauseSeries(D(2026, 1, 19), D(2026, 3, 1), "Umzug"), TODAY)
    undo(session, agreed.id, D(2026, 2, 3))
    states = ledger(session, agreed)
    assert [states[D(2026, 1, 19)], states[D(2026, 2, 2)], states[D(2026, 2, 9)], states[D(2026, 3, 9)]] == [
        "skipped", "skipped", "planned", "skipped",
    ]  # fmt: skip
    change_plan(session, agreed.id, EndSeries(D(2026, 6, 1)), D(2026, 2, 3))
    told = preview_undo(session, agreed.id, D(2026, 2, 3))
    later = session.scalars(sa.select(DueDate).where(DueDate.due_on == D(2026, 5, 4))).one()
    change_date(session, later.id, DropDate("Messe"), D(2026, 2, 3))
    assert undo(session, agreed.id, D(2026, 2, 3), shown=told.fingerprint).added, "the same days come back"
