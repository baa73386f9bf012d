"""The reasons of a difference add up to it, whatever the two months hold."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules.differences import ChargedLine, effects
from tests.rules.tables import each_row, number

KINDS = ["standard", "after_hours", "trip", "kontingent", "correction"]
lines = st.lists(
    st.builds(
        ChargedLine,
        st.sampled_from(KINDS),
        st.decimals("0.25", 500, places=2),
        st.decimals(0, 99999, places=2),
        st.sampled_from(["hour", "month"]),
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


@each_row("abweichungen.md")
def test_the_reasons_are_those_of_the_page(row: dict[str, str]) -> None:
    assert "; ".join(e.text for e in effects(charged(row, "jetzt"), charged(row, "vorher"))) == row["Gründe"].replace(
        "keine", ""
    )


def charged(row: dict[str, str], when: str) -> list[ChargedLine]:
    if row[f"Menge {when}"] == "keine":
        return []
    quantity, unit = row[f"Menge {when}"].split()
    return [ChargedLine(row["Art"], number(quantity), number(row[f"Netto {when}"]), unit)]


def test_two_prices_side_by_side_have_an_average() -> None:
    near, far = ChargedLine("trip", Decimal(2), Decimal(78), "trip"), ChargedLine("trip", Decimal(1), Decimal(55), "trip")
    (more, dearer) = effects([near, far], [near])
    assert (more.text, dearer.text) == (
        "Anfahrten: 1,00 mehr (+39,00 €)",
        "Anfahrten: Durchschnittspreis 39,00 € → 44,33 € (+16,00 €)",
    )
