"""Does a Kontingent fit: the table of the page, and what no history may break."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.contract_fit import MONTHS_NEEDED, ClosedMonth, Fit, advise, suggested_minutes
from tests.rules.tables import each_row, number

WORDS = {"zu knapp": Fit.TOO_TIGHT, "zu großzügig": Fit.TOO_GENEROUS, "passt": Fit.FITS, "noch zu früh": Fit.TOO_EARLY}


@each_row("vertragspassung.md", "Beispiele")
@pytest.mark.promise("S116", "S170", "S172")
def test_the_table_of_verdicts(row: dict[str, str]) -> None:
    grant = int(number(row["vereinbart"]) * 60)
    needs = [int(number(part) * 60) for part in row["gebraucht"].split("; ")]
    balance, months = int(number(row["Stand davor"].replace("−", "-")) * 60), []
    for needed in needs:
        balance += grant - needed
        months.append(ClosedMonth(grant, needed, balance))
    advice = advise(months, grant)
    assert advice.fit is WORDS[row["Urteil"]]
    assert advice.suggested == int(number(row["passend"]) * 60)


closed = st.builds(ClosedMonth, st.integers(0, 6000), st.integers(0, 9000), st.integers(-20000, 20000))


@given(st.lists(closed, max_size=20), st.integers(1, 6000))
def test_less_than_three_months_say_nothing_and_one_month_never_turns_a_verdict(months: list[ClosedMonth], grant: int) -> None:
    advice = advise(months, grant)
    if len(months) < MONTHS_NEEDED:
        assert advice.fit is Fit.TOO_EARLY
        return
    fits = replace(months[-1], needed=months[-1].granted)  # used to the minute: neither too much nor too little
    calm = advise([*months[:-1], fits], grant)
    if fits.granted:
        assert calm.fit in (Fit.FITS, Fit.TOO_EARLY)


@given(st.lists(st.integers(0, 9000), max_size=30))
def test_the_suggestion_is_in_half_hours_and_between_the_least_and_the_most(needs: list[int]) -> None:
    minutes = suggested_minutes(needs)
    assert minutes % 30 == 0
    recent = needs[-12:]
    if recent:
        assert min(recent) <= minutes < max(recent) + 30
