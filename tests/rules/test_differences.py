"""The reasons of a difference add up to it, whatever the two months hold."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules.differences import ChargedLine, effects

KINDS = ["standard", "after_hours", "trip", "kontingent", "correction"]
lines = st.lists(
    st.builds(
        ChargedLine,
        st.sampled_from(KINDS),
        st.decimals("0.25", 500, places=2),
        st.decimals(0, 99999, places=2),
    ),
    max_size=8,
)


@given(lines, lines)
def test_effects_sum_to_the_difference(now: list[ChargedLine], before: list[ChargedLine]) -> None:
    difference = sum((x.net for x in now), Decimal(0)) - sum((x.net for x in before), Decimal(0))
    assert sum((e.net for e in effects(now, before)), Decimal(0)) == difference


@given(lines)
def test_the_same_month_again_has_no_reason(now: list[ChargedLine]) -> None:
    assert effects(now, list(reversed(now))) == []


def test_more_hours_at_a_new_price_are_two_reasons() -> None:
    now = [ChargedLine("standard", Decimal("12.00"), Decimal("1200.00"))]
    before = [ChargedLine("standard", Decimal("10.00"), Decimal("950.00"))]
    assert [e.text for e in effects(now, before)] == [
        "Stunden (Standard): 2,00 mehr (+190,00 €)",
        "Stunden (Standard): Preis 95,00 € → 100,00 € (+60,00 €)",
    ]
