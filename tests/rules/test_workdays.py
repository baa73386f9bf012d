import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.workdays import add_working_days, grace_ends, is_working_day, next_working_day, nrw_holidays
from tests.rules.tables import day, each_row

CLOSED = frozenset({dt.date(2026, 12, 24), dt.date(2026, 12, 31)})
BERLIN = ZoneInfo("Europe/Berlin")
days = st.dates(dt.date(2024, 1, 1), dt.date(2034, 12, 31))


def instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=BERLIN)


@each_row("werktage.md", "Tage weiterzählen")
def test_the_table_of_working_days(row: dict[str, str]) -> None:
    assert add_working_days(day(row["Tag"]), int(row["Werktage"]), CLOSED) == day(row["Ergebnis"])


@pytest.mark.promise("U9")
@each_row("werktage.md", "Wartefrist nach Annahme des Berichts")
def test_the_table_of_grace(row: dict[str, str]) -> None:
    assert grace_ends(instant(row["angenommen"]), int(row["Werktage"]), CLOSED) == instant(row["frühestens"])


def test_nrw_keeps_corpus_christi_and_all_saints_but_not_epiphany() -> None:
    assert {dt.date(2026, 6, 4), dt.date(2026, 11, 1), dt.date(2026, 10, 3)} <= nrw_holidays(2026)
    assert dt.date(2026, 1, 6) not in nrw_holidays(2026)
    assert dt.date(2026, 2, 16) not in nrw_holidays(2026)


@given(days, st.integers(0, 30), st.integers(0, 30))
def test_working_days_add_up(start: dt.date, one: int, two: int) -> None:
    there = add_working_days(add_working_days(start, one), two)
    assert there == add_working_days(start, one + two)
    between = sum(is_working_day(start + dt.timedelta(n)) for n in range(1, (there - start).days + 1))
    assert between == one + two
    if one + two:
        assert is_working_day(there)


@given(days, st.integers(1, 5), st.integers(0, 23))
def test_grace_never_ends_early(start: dt.date, count: int, hour: int) -> None:
    accepted = dt.datetime.combine(start, dt.time(hour), BERLIN)
    end = grace_ends(accepted, count)
    assert is_working_day(end.date())
    first = next_working_day(start)
    assert end.date() == add_working_days(first, count)
    assert end.utcoffset() is not None
