"""Catching up (U25): what the policy says, whatever the cut into runs; windows over both clock changes; the ledger's difference."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.cadence import Due, Shift, parse
from rules.catch_up import BACKFILL_DAYS, CatchUp, Decision, Fate, decide
from rules.company_calendar import CompanyCalendar
from rules.due_ledger import Cause, DueState, Pause, Row, Terms, changes
from rules.windows import BERLIN, window_on
from tests.maintenance.rules_given import rules

D = dt.date
TODAY = D(2026, 11, 2)
open_dates = st.lists(st.dates(D(2026, 9, 1), D(2026, 12, 1)), max_size=25, unique=True)
policies = st.sampled_from(CatchUp)


def fates(policy: CatchUp, dates: list[dt.date], today: dt.date = TODAY) -> list[tuple[int, str]]:
    return [((on.on - today).days, on.fate.value) for on in decide(dates, policy, today)]


@pytest.mark.promise("U25")
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (CatchUp.ALL, [(-14, "own_ticket"), (-7, "own_ticket"), (0, "own_ticket")]),
        (CatchUp.LATEST, [(-14, "skipped"), (-7, "skipped"), (0, "own_ticket")]),
        (CatchUp.ONE_LISTING, [(-14, "listed"), (-7, "listed"), (0, "listed")]),
        (CatchUp.SKIP, [(-14, "skipped"), (-7, "skipped"), (0, "own_ticket")]),
    ],
)
def test_missed_dates_by_policy(policy: CatchUp, expected: list[tuple[int, str]]) -> None:
    dates = [TODAY - dt.timedelta(days=n) for n in (14, 7, 0)]
    assert fates(policy, dates) == expected
    assert fates(policy, dates[2:]) == [(0, "own_ticket")], "nothing missed: an ordinary date"


@pytest.mark.parametrize(
    ("policy", "last"), [(CatchUp.LATEST, "own_ticket"), (CatchUp.ONE_LISTING, "listed"), (CatchUp.SKIP, "skipped")]
)
def test_missed_dates_without_one_today(policy: CatchUp, last: str) -> None:
    assert fates(policy, [TODAY - dt.timedelta(days=n) for n in (9, 2)])[-1] == (-2, last)


def test_what_is_very_old_waits_for_a_person_unless_asked_for() -> None:
    old, fresh = TODAY - dt.timedelta(days=BACKFILL_DAYS + 1), TODAY - dt.timedelta(days=BACKFILL_DAYS)
    assert [d.fate for d in decide([old, fresh], CatchUp.ALL, TODAY)] == [Fate.HELD, Fate.OWN_TICKET]
    assert [d.fate for d in decide([old, fresh], CatchUp.ALL, TODAY, first=old, last=TODAY)] == [Fate.OWN_TICKET] * 2
    assert [d.fate for d in decide([old], CatchUp.LATEST, TODAY)] == [Fate.OWN_TICKET], "one ticket floods nobody"


@given(open_dates, policies, st.lists(st.dates(D(2026, 8, 20), D(2026, 12, 5)), max_size=6), st.randoms())
def test_any_cut_of_a_range_into_runs_decides_the_same(
    dates: list[dt.date], policy: CatchUp, cuts: list[dt.date], chance: object
) -> None:
    first, last = D(2026, 8, 1), D(2026, 12, 31)
    whole = decide(dates, policy, TODAY, first=first, last=last)
    edges = [first, *sorted(set(cuts)), last + dt.timedelta(days=1)]
    spans = [(one, other - dt.timedelta(days=1)) for one, other in itertools.pairwise(edges)]
    chance.shuffle(spans)  # type: ignore[attr-defined]
    left, pieces = set(dates), []
    for one, other in [*spans, *spans]:  # every run is made twice
        part = decide(sorted(left), policy, TODAY, first=one, last=other)
        pieces += part
        left -= {decision.on for decision in part}
    assert sorted(pieces, key=lambda d: d.on) == whole
    assert {d.on for d in whole} == set(dates), "no date is lost"


@given(open_dates, policies)
def test_at_most_one_ticket_per_date_and_never_more_than_agreed(dates: list[dt.date], policy: CatchUp) -> None:
    decisions = decide(dates, policy, TODAY, first=D(2026, 1, 1), last=TODAY)
    tickets = sum(d.fate is Fate.OWN_TICKET for d in decisions) + bool([d for d in decisions if d.fate is Fate.LISTED])
    due = [d for d in dates if d <= TODAY]
    assert tickets <= len(due)
    if policy in (CatchUp.LATEST, CatchUp.ONE_LISTING):
        assert tickets == bool(due)
    if policy is CatchUp.ALL:
        assert tickets == len(due)


@given(st.sets(st.dates(D(2026, 9, 1), TODAY), max_size=12), st.sets(st.dates(D(2026, 9, 1), TODAY), max_size=20))
def test_with_all_the_days_of_the_runs_do_not_matter(dates: set[dt.date], run_days: set[dt.date]) -> None:
    left, made = set(dates), []
    for today in sorted({*run_days, TODAY}):
        part = [
            d for d in decide(sorted(left), CatchUp.ALL, today, first=D(2026, 1, 1), last=today) if d.fate is Fate.OWN_TICKET
        ]
        made += [d.on for d in part]
        left -= set(made)
    assert sorted(made) == sorted(dates)


# ---------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("day", "opens", "closes", "utc"),
    [
        (D(2026, 1, 12), dt.time(22), dt.time(2), ("2026-01-12T21:00", "2026-01-13T01:00")),
        (D(2026, 7, 13), dt.time(22), dt.time(2), ("2026-07-13T20:00", "2026-07-14T00:00")),
        (D(2026, 3, 29), dt.time(2), dt.time(4), ("2026-03-29T01:00", "2026-03-29T02:00")),
        (D(2026, 3, 29), dt.time(2, 15), dt.time(2, 45), ("2026-03-29T01:00", "2026-03-29T01:30")),
        (D(2026, 10, 25), dt.time(2), dt.time(3), ("2026-10-25T00:00", "2026-10-25T02:00")),
        (D(2026, 10, 25), dt.time(2, 30), dt.time(2, 45), ("2026-10-25T00:30", "2026-10-25T01:45")),
        (D(2026, 10, 24), dt.time(22), dt.time(6), ("2026-10-24T20:00", "2026-10-25T05:00")),
        (D(2026, 6, 1), None, None, ("2026-06-01T06:00", "2026-06-01T15:00")),
    ],
)
def test_windows_over_both_clock_changes(
    day: dt.date, opens: dt.time | None, closes: dt.time | None, utc: tuple[str, str]
) -> None:
    window = window_on(day, opens, closes)
    assert (f"{window.opens:%Y-%m-%dT%H:%M}", f"{window.closes:%Y-%m-%dT%H:%M}") == utc


@given(st.dates(D(2024, 1, 1), D(2040, 12, 31)), st.times(), st.times())
def test_a_window_is_never_empty_and_never_shorter_than_the_wall_clock_allows(
    day: dt.date, opens: dt.time, closes: dt.time
) -> None:
    opens, closes = opens.replace(second=0, microsecond=0), closes.replace(second=0, microsecond=0)
    window = window_on(day, opens, closes)
    nominal = (closes.hour * 60 + closes.minute - opens.hour * 60 - opens.minute) % 1440 or 1440
    assert window.closes > window.opens
    assert abs(window.minutes - nominal) <= 60
    assert window.opens.astimezone(BERLIN).date() == day


# ---------------------------------------------------------------- the difference that is shown is the difference that is made


@settings(max_examples=80, deadline=None)
@given(rules, rules, st.dates(D(2026, 1, 1), D(2026, 6, 30)), st.sampled_from(Shift), st.dates(D(2026, 2, 1), D(2026, 8, 1)))
def test_after_a_change_the_ledger_is_what_the_new_terms_want(
    before: str, after: str, starts: dt.date, shift: Shift, today: dt.date
) -> None:
    calendar, until = CompanyCalendar(), D(2027, 6, 30)
    old, new = (
        Terms(parse(before), starts, shift=shift),
        Terms(parse(after), starts, shift=shift, pauses=(Pause(D(2026, 10, 1), D(2026, 10, 20), "Umbau"),)),
    )
    rows = [Row(n, due.nominal, due.on, DueState.PLANNED) for n, due in enumerate(old.due_between(starts, until, calendar))]
    diff = changes(new, rows, today, until, calendar)
    ledger = {row.on: "planned" for row in rows if row not in diff.delete}
    ledger |= {row.on: "paused" for row, _ in diff.pause} | {w.due.on: "paused" if w.pause else "planned" for w in diff.insert}
    assert not {row.on for row in diff.delete if row.on < today or row.nominal < today}, "the past stays"
    wanted = {due.on for due in new.due_between(today, until, calendar) if due.on >= today}
    assert wanted <= set(ledger)
    assert all((state == "paused") == (D(2026, 10, 1) <= on <= D(2026, 10, 20)) for on, state in ledger.items() if on >= today)
    again = [
        Row(n, on, on, DueState.PLANNED if s == "planned" else DueState.SKIPPED, None if s == "planned" else Cause.PAUSE)
        for n, (on, s) in enumerate(ledger.items())
    ]
    if shift is Shift.NONE:
        assert not changes(new, again, today, until, calendar), "a second time changes nothing"


def test_what_a_person_decided_stays() -> None:
    terms = Terms(parse("FREQ=WEEKLY;BYDAY=MO"), D(2026, 11, 2))
    rows = [
        Row(1, D(2026, 11, 9), D(2026, 11, 9), DueState.MOVED, Cause.PERSON),
        Row(2, D(2026, 11, 9), D(2026, 11, 11), DueState.PLANNED, Cause.PERSON),
        Row(3, D(2026, 11, 16), D(2026, 11, 16), DueState.SKIPPED, Cause.PERSON),
        Row(4, D(2026, 11, 23), D(2026, 11, 23), DueState.CREATED),
    ]
    diff = changes(terms, rows, TODAY, D(2026, 11, 30), CompanyCalendar())
    assert (diff.delete, diff.pause, diff.revive) == ([], [], [])
    assert [w.due for w in diff.insert] == [Due(D(2026, 11, 2), D(2026, 11, 2)), Due(D(2026, 11, 30), D(2026, 11, 30))]


def test_decisions_are_plain_values() -> None:
    assert decide([], CatchUp.ALL, TODAY) == []
    assert decide([TODAY], CatchUp.SKIP, TODAY) == [Decision(TODAY, Fate.OWN_TICKET)]
