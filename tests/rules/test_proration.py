import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.kontingent import monthly_invoice
from rules.month import Month
from rules.monthly_types import KontingentContract
from rules.proration import contract_days, in_force, minutes_share, share
from tests.rules.tables import day, each_row, maybe, maybe_day, number
from tests.rules.test_month import months


@pytest.mark.promise("U24")
@pytest.mark.promise("S115")
@each_row("anteilige-monate.md")
def test_the_table_of_partial_months(row: dict[str, str]) -> None:
    month, hours = Month.parse(row["Monat"]), number(row["Stunden"])
    start, end = day(row["Beginn"]), maybe_day(row["Ende"])
    assert contract_days(month, start, end) == int(row["Tage"])
    assert minutes_share(hours, share(month, start, end)) == int(row["Minuten"])
    contract = KontingentContract("V", start, end, hours, number(row["Stundenpreis"]))
    draft = monthly_invoice(contract, month, Decimal(19))
    assert (draft.net if draft else None) == maybe(row["Rechnung"])
    if draft:
        assert draft.lines[0].net == draft.net
        if draft.lines[0].unit == "month":
            assert draft.lines[0].quantity * draft.lines[0].price == draft.net


days = st.dates(dt.date(2023, 12, 1), dt.date(2025, 4, 1))


@given(days, st.none() | days, st.integers(-3, 15))
def test_contract_days_are_counted_one_by_one(start: dt.date, end: dt.date | None, step: int) -> None:
    month = Month(2024, 1).plus(step)
    counted = sum(in_force(start, end, month.first_day + dt.timedelta(n)) for n in range(month.days))
    assert contract_days(month, start, end) == counted
    assert share(month, start, end) == Fraction(counted, month.days)


@given(months, st.integers(2, 28), st.decimals(0, 400, places=2))
def test_two_parts_of_a_month_make_the_whole_but_for_one_minute(month: Month, cut: int, hours: Decimal) -> None:
    border = month.first_day.replace(day=cut)
    before = share(month, month.first_day, border - dt.timedelta(1))
    after = share(month, border, None)
    assert before + after == 1
    assert abs(minutes_share(hours, before) + minutes_share(hours, after) - minutes_share(hours, Fraction(1))) <= 1
