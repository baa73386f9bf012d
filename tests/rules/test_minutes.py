from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rules.minutes import HALF_DAY, billed_minutes, billed_within, half_days, usage_minutes
from tests.rules.tables import each_row, number, whole

percents = st.decimals(0, 300, places=2)


@each_row("minuten.md", "Verrechnete Minuten")
def test_the_table_of_billed_minutes(row: dict[str, str]) -> None:
    assert billed_minutes(int(row["erfasst"]), whole(row["Mindestzeit"]), whole(row["Takt"])) == int(row["verrechnet"])


@each_row("minuten.md", "Projekttage")
def test_the_table_of_project_days(row: dict[str, str]) -> None:
    halves = half_days(int(row["erfasst"]))
    assert halves == int(row["halbe Tage"])
    assert halves * Decimal("0.5") == number(row["Tage"])
    assert halves * HALF_DAY == int(row["verrechnet"])


@each_row("minuten.md", "Verbrauch im Kontingent")
def test_the_table_of_usage(row: dict[str, str]) -> None:
    assert usage_minutes(int(row["verrechnet"]), number(row["Zuschlag in %"])) == int(row["Verbrauch"])


@each_row("minuten.md", "Zurück: wie viele verrechnete Minuten ein Verbrauch trägt")
def test_the_table_of_carried_minutes(row: dict[str, str]) -> None:
    assert billed_within(int(row["Verbrauch"]), number(row["Zuschlag in %"])) == int(row["getragen"])


@given(st.integers(0, 10_000), st.none() | st.integers(0, 600), st.none() | st.integers(1, 480))
def test_billed_minutes_are_the_least_multiple_that_covers(raw: int, minimum: int | None, unit: int | None) -> None:
    billed = billed_minutes(raw, minimum, unit)
    step = unit or 15
    least = max(raw, 15 if minimum is None else minimum)
    assert billed % step == 0
    assert least <= billed < least + step


def test_a_unit_below_one_minute_counts_as_one() -> None:
    assert billed_minutes(37, 0, 0) == 37


@given(st.integers(0, 10_000), percents)
def test_usage_is_raised_up_to_the_minute(billed: int, percent: Decimal) -> None:
    exact = Fraction(billed) * (100 + Fraction(percent)) / 100
    assert 0 <= usage_minutes(billed, percent) - exact < 1


@given(st.integers(0, 10_000), percents)
def test_whole_usage_pays_for_all_and_less_for_less(billed: int, percent: Decimal) -> None:
    usage = usage_minutes(billed, percent)
    assert billed_within(usage, percent) >= billed
    if usage:
        assert billed_within(usage - 1, percent) < billed
