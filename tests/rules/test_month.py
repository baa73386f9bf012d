import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.month import Month

months = st.builds(Month, st.integers(1900, 2200), st.integers(1, 12))


@given(months)
def test_a_month_survives_being_written(month: Month) -> None:
    assert Month.parse(str(month)) == month


@given(months, st.integers(-500, 500), st.integers(-500, 500))
def test_steps_add_up_and_keep_the_order(month: Month, one: int, two: int) -> None:
    assert month.plus(one).plus(two) == month.plus(one + two)
    assert (month.plus(one) < month.plus(two)) == (one < two)


@given(months)
def test_a_month_holds_its_days_and_no_other(month: Month) -> None:
    assert (month.last_day - month.first_day).days + 1 == month.days
    assert month.contains(month.first_day)
    assert month.contains(month.last_day)
    assert not month.contains(month.first_day - dt.timedelta(1))
    assert month.plus(1).first_day == month.last_day + dt.timedelta(1)
    assert Month.of(month.last_day) == month


def test_until_walks_both_ends() -> None:
    assert [str(m) for m in Month(2026, 11).until(Month(2027, 1))] == ["2026-11", "2026-12", "2027-01"]
    assert list(Month(2027, 1).until(Month(2026, 12))) == []


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "", "2026-10 ", "٢٠٢٦-١٠", "0000-01"])
def test_a_bad_month_is_refused_in_german(text: str) -> None:
    with pytest.raises(ValueError, match=r"Monat .*erlaubt ist"):
        Month.parse(text)
