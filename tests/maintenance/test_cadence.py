"""Recurrence: RFC 5545 to the letter, the same from wherever it is started, working days and month ends."""

import datetime as dt
import itertools

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.cadence import Due, Shift, days, due_days, ended, first_day, parse
from rules.cadence_german import describe, hints
from rules.cadence_text import CadenceError
from rules.check_catalogue import STANDARD_CHECKS
from rules.company_calendar import CompanyCalendar
from rules.workdays import ONE_DAY
from tests.maintenance.rules_given import FIRST, LAST, rules
from tests.maintenance.rules_given import days as some_day

D = dt.date


def on(rule: str, starts: dt.date, first: dt.date, last: dt.date) -> list[dt.date]:
    return list(days(parse(rule), starts, first, last))


def plainly(rule: str, starts: dt.date, last: dt.date) -> list[dt.date]:
    """The library's own answer, counted from the agreed start."""
    text = ";".join(part for part in rule.split(";") if not part.startswith("UNTIL"))
    if "BYWEEKNO" in text and "BYDAY" not in text:  # dateutil gives all seven days; the standard takes the start's weekday
        text += f";BYDAY={('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')[starts.weekday()]}"
    until = parse(rule).until or last
    found = []
    for moment in rrulestr(text, dtstart=dt.datetime(starts.year, starts.month, starts.day)):
        if moment.date() > min(last, until):
            break
        found.append(moment.date())
    return found


# ---------------------------------------------------------------- the letter of RFC 5545


@pytest.mark.parametrize(
    ("rule", "starts", "expected"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", D(2026, 1, 31), [D(2026, 1, 31), D(2026, 3, 31), D(2026, 5, 31), D(2026, 7, 31)]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", D(2024, 1, 1), [D(2024, 1, 31), D(2024, 2, 29), D(2024, 3, 31), D(2024, 4, 30)]),
        ("FREQ=MONTHLY", D(2026, 1, 31), [D(2026, 1, 31), D(2026, 3, 31), D(2026, 5, 31), D(2026, 7, 31)]),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", D(2026, 1, 1), [D(2026, 1, 30), D(2026, 2, 28), D(2026, 3, 30), D(2026, 4, 30)]),
        ("FREQ=YEARLY", D(2024, 2, 29), [D(2024, 2, 29), D(2028, 2, 29), D(2032, 2, 29), D(2036, 2, 29)]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", D(2024, 1, 1), [D(2024, 2, 29), D(2025, 2, 28), D(2026, 2, 28), D(2027, 2, 28)]),
        ("FREQ=MONTHLY;BYDAY=2TU", D(2026, 1, 1), [D(2026, 1, 13), D(2026, 2, 10), D(2026, 3, 10), D(2026, 4, 14)]),
        ("FREQ=MONTHLY;BYDAY=-1FR", D(2026, 1, 1), [D(2026, 1, 30), D(2026, 2, 27), D(2026, 3, 27), D(2026, 4, 24)]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", D(1997, 8, 5), [D(1997, 8, 5), D(1997, 8, 17), D(1997, 8, 19), D(1997, 8, 31)]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", D(1997, 8, 5), [D(1997, 8, 5), D(1997, 8, 10), D(1997, 8, 19), D(1997, 8, 24)]),
        ("FREQ=YEARLY;BYWEEKNO=20", D(1997, 5, 12), [D(1997, 5, 12), D(1998, 5, 11), D(1999, 5, 17), D(2000, 5, 15)]),
        ("FREQ=DAILY;COUNT=3", D(2026, 3, 28), [D(2026, 3, 28), D(2026, 3, 29), D(2026, 3, 30)]),
        ("RRULE:freq=daily;until=20260330T220000Z", D(2026, 3, 29), [D(2026, 3, 29), D(2026, 3, 30), D(2026, 3, 31)]),
    ],
)  # fmt: skip
def test_the_letter_of_the_standard(rule: str, starts: dt.date, expected: list[dt.date]) -> None:
    assert (
        list(itertools.islice(days(parse(rule), starts, starts, starts.replace(year=starts.year + 13, day=28)), 4)) == expected
    )


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("", "leer"),
        ("wöchentlich", "kein Paar"),
        ("FREQ=HOURLY", "DAILY, WEEKLY, MONTHLY oder YEARLY"),
        ("FREQ=MONTHLY;BYHOUR=2", "Wartungsfenster"),
        ("FREQ=DAILY;FREQ=DAILY", "zweimal"),
        ("FREQ=DAILY;INTERVAL=0", "von 1 bis"),
        ("FREQ=DAILY;COUNT=12;UNTIL=20261231", "schließen einander aus"),
        ("FREQ=DAILY;UNTIL=20260230", "JJJJMMTT"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "−31"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "−31"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "nicht mit FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "nur mit FREQ=MONTHLY oder YEARLY"),
        ("FREQ=MONTHLY;BYDAY=MONTAG", "2TU"),
        ("FREQ=MONTHLY;BYDAY=0MO", "2TU"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "nur mit FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYSETPOS=1", "weitere BY-Angabe"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "1 oder −1"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "keiner der genannten Monate"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_place_and_remedy(rule: str, named: str) -> None:
    with pytest.raises(CadenceError, match="Wiederkehr") as refusal:
        parse(rule)
    assert named in str(refusal.value)


@settings(deadline=None)
@given(rules, some_day, some_day)
def test_a_start_in_the_middle_gives_the_same_days(rule: str, starts: dt.date, first: dt.date) -> None:
    last = first + dt.timedelta(days=500)
    assert on(rule, starts, first, last) == [day for day in plainly(rule, starts, last) if day >= first]


@settings(deadline=None)
@given(rules, some_day)
def test_a_rule_is_written_as_it_is_read(rule: str, starts: dt.date) -> None:
    cadence = parse(rule)
    assert parse(str(cadence)) == cadence
    assert describe(cadence, starts)
    assert all(hint.endswith(".") for hint in hints(cadence, starts))


# ---------------------------------------------------------------- restart invariance, 2024 to 2040


def parts_of(cuts: list[dt.date]) -> list[tuple[dt.date, dt.date]]:
    edges = [FIRST, *sorted({cut for cut in cuts if FIRST < cut <= LAST}), LAST + ONE_DAY]
    return [(one, other - ONE_DAY) for one, other in itertools.pairwise(edges)]


closings = st.dictionaries(st.dates(D(2024, 1, 1), D(2026, 12, 31)), st.just("Betriebsruhe"), max_size=12)


@settings(max_examples=100, deadline=None)
@given(rules, some_day, st.lists(some_day, max_size=12), st.sampled_from(Shift), closings)
def test_any_split_of_the_years_gives_the_same_dates(
    rule: str, starts: dt.date, cuts: list[dt.date], shift: Shift, closed: dict[dt.date, str]
) -> None:
    cadence, calendar = parse(rule), CompanyCalendar(closed)
    whole = list(due_days(cadence, starts, FIRST, LAST, shift=shift, calendar=calendar))
    pieces = [
        due for first, last in parts_of(cuts) for due in due_days(cadence, starts, first, last, shift=shift, calendar=calendar)
    ]
    assert pieces == whole
    assert len({due.on for due in whole}) == len(whole), "no two dates of a plan on one day"


@pytest.mark.parametrize("shift", Shift)
@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU,MO", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1,-2,29,30,31"]
)
def test_a_run_for_every_single_day_gives_the_same_dates(rule: str, shift: Shift) -> None:
    """Each border between two days is once the border of a run: weekends, holidays, closing days, 29 February."""
    cadence, calendar = parse(rule), CompanyCalendar({D(2024, 2, 12): "Rosenmontag", D(2024, 12, 24): "Heiligabend"})
    starts, first, last = D(2023, 11, 6), D(2024, 1, 1), D(2025, 1, 10)
    single = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    pieces = [due for day in single for due in due_days(cadence, starts, day, day, shift=shift, calendar=calendar)]
    assert pieces == list(due_days(cadence, starts, first, last, shift=shift, calendar=calendar))


@settings(max_examples=60, deadline=None)
@given(rules, some_day, st.sampled_from([Shift.NEXT_WORKDAY, Shift.PREVIOUS_WORKDAY]), closings)
def test_shifted_dates_lie_on_working_days_and_none_is_lost(
    rule: str, starts: dt.date, shift: Shift, closed: dict[dt.date, str]
) -> None:
    cadence, calendar = parse(rule), CompanyCalendar(closed)
    first, last = D(2025, 1, 1), D(2026, 12, 31)
    done = {due.on for due in due_days(cadence, starts, D(2024, 12, 1), D(2027, 1, 31), shift=shift, calendar=calendar)}
    assert all(calendar.is_workday(day) for day in done)
    for day in days(cadence, starts, first, last):
        kept = calendar.next_workday(day) if shift is Shift.NEXT_WORKDAY else calendar.previous_workday(day)
        assert kept in done


@settings(deadline=None)
@given(rules, some_day, some_day)
def test_an_ended_rule_keeps_everything_up_to_its_end_and_nothing_after(rule: str, starts: dt.date, last: dt.date) -> None:
    cadence = parse(rule)
    cut = ended(cadence, starts, last)
    until = min(last, LAST)
    assert list(days(cut, starts, starts, LAST)) == list(days(cadence, starts, starts, until))
    assert parse(str(cut)) == cut


# ---------------------------------------------------------------- NRW and the company's own days


def test_holidays_of_nrw_and_closing_days_move_dates() -> None:
    calendar = CompanyCalendar({D(2026, 2, 16): "Rosenmontag", D(2026, 12, 24): "Heiligabend", D(2026, 12, 31): "Silvester"})
    assert calendar.day_off(D(2026, 6, 4)) == "Fronleichnam"
    assert calendar.day_off(D(2026, 8, 15)) == "Samstag"
    assert calendar.day_off(D(2026, 2, 16)) == "Rosenmontag"
    assert calendar.day_off(D(2026, 11, 2)) == ""
    assert calendar.is_workday(D(2026, 10, 31)) is False, "a Saturday; Reformation day is no holiday in NRW"
    assert calendar.next_workday(D(2026, 12, 24)) == D(2026, 12, 28)
    assert calendar.previous_workday(D(2027, 1, 1)) == D(2026, 12, 30)
    assert calendar.plus_workdays(D(2026, 4, 2), 1) == D(2026, 4, 7), "over Good Friday and Easter"
    mondays = due_days(
        parse("FREQ=WEEKLY;BYDAY=MO"), D(2026, 2, 9), D(2026, 2, 9), D(2026, 2, 23), shift=Shift.NEXT_WORKDAY, calendar=calendar
    )
    assert list(mondays) == [
        Due(D(2026, 2, 9), D(2026, 2, 9)),
        Due(D(2026, 2, 16), D(2026, 2, 17)),
        Due(D(2026, 2, 23), D(2026, 2, 23)),
    ]


def test_a_daily_check_is_done_once_on_the_day_after_the_weekend() -> None:
    found = list(
        due_days(
            parse("FREQ=DAILY"),
            D(2026, 1, 1),
            D(2026, 1, 2),
            D(2026, 1, 6),
            shift=Shift.NEXT_WORKDAY,
            calendar=CompanyCalendar(),
        )
    )
    assert [due.on for due in found] == [D(2026, 1, 2), D(2026, 1, 5), D(2026, 1, 6)]
    back = list(
        due_days(
            parse("FREQ=DAILY"),
            D(2026, 1, 1),
            D(2026, 1, 2),
            D(2026, 1, 6),
            shift=Shift.PREVIOUS_WORKDAY,
            calendar=CompanyCalendar(),
        )
    )
    assert [due.on for due in back] == [D(2026, 1, 2), D(2026, 1, 5), D(2026, 1, 6)]


def test_a_calendar_without_any_working_day_is_a_mistake() -> None:
    closed = {D(2026, 1, 1) + dt.timedelta(days=n): "zu" for n in range(-400, 800)}
    with pytest.raises(ValueError, match="Betriebskalender"):
        CompanyCalendar(closed).next_workday(D(2026, 1, 1))


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "täglich (Mo–Fr)"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "wöchentlich am Montag, Mittwoch und Freitag"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", "vierteljährlich am Monatsletzten"),
        ("FREQ=MONTHLY;INTERVAL=6;BYDAY=2TU;COUNT=4", "halbjährlich am 2. Dienstag, 4-mal"),
        ("FREQ=YEARLY;BYMONTH=10;BYDAY=2MO;UNTIL=20301231", "jährlich am 2. Montag im Oktober, bis 31.12.2030"),
        ("FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=30", "jährlich am 30. September"),
        ("FREQ=YEARLY;BYYEARDAY=100", "jährlich nach der Regel FREQ=YEARLY;BYYEARDAY=100"),
    ],
)
def test_a_rule_in_german_words(rule: str, words: str) -> None:
    assert describe(parse(rule), D(2026, 1, 5)) == words


def test_a_rule_that_loses_dates_says_so_before_it_is_agreed() -> None:
    assert "BYMONTHDAY=-1" in hints(parse("FREQ=MONTHLY;BYMONTHDAY=31"), D(2026, 1, 31))[0]
    assert "Am 30. entfällt" in hints(parse("FREQ=MONTHLY"), D(2026, 1, 30))[0]
    assert "Schaltjahren" in hints(parse("FREQ=YEARLY"), D(2028, 2, 29))[0]
    assert "nie einen Termin" in hints(parse("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31"), D(2026, 2, 1))[0]
    assert hints(parse("FREQ=MONTHLY;BYMONTHDAY=-1"), D(2026, 1, 31)) == []


@pytest.mark.promise("S106")
@pytest.mark.promise("S107")
@pytest.mark.promise("S108")
@pytest.mark.promise("S109")
def test_the_catalogue_names_what_is_easily_forgotten() -> None:
    keys = {check.key for check in STANDARD_CHECKS}
    assert {"backup", "antivirus", "firewall"} <= keys
    assert len(keys) == len(STANDARD_CHECKS) >= 23
    for check in STANDARD_CHECKS:
        assert first_day(parse(check.cadence), D(2026, 1, 1)) is not None
        assert len(check.checklist) >= 3
        assert check.minutes > 0
        assert check.purpose.endswith(".")
        assert [h for h in hints(parse(check.cadence), D(2026, 1, 1)) if not h.startswith("Der erste")] == []
