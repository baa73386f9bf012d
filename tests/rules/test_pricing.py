import dataclasses
import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.monthly_types import Agreement, ServiceKind, Site
from rules.pricing import agreement_on, day_price, hour_price, surcharge_percent, travel_price
from tests.rules.tables import day, each_row, maybe, number

VERSIONS = (
    Agreement(1, dt.date(2025, 3, 15), Decimal(80)),
    Agreement(2, dt.date(2026, 10, 1), Decimal(95)),
    Agreement(3, None, Decimal(99)),
)


@pytest.mark.promise("U11")
@each_row("preise.md", "Welche Fassung gilt")
def test_the_table_of_versions_in_any_order(row: dict[str, str]) -> None:
    for order in itertools.permutations(VERSIONS):
        found = agreement_on(order, day(row["Leistungstag"]))
        assert found is not None
        assert found.version == int(row["Fassung"])


@each_row("preise.md", "Preis je Stunde")
def test_the_table_of_hour_prices(row: dict[str, str]) -> None:
    percent = maybe(row["Zuschlag"])
    agreement = Agreement(1, None, number(row["Stundenpreis"]), after_hours_percent=percent, weekend_percent=percent)
    assert hour_price(agreement, ServiceKind(row["Art"])) == number(row["Preis"])


@each_row("preise.md", "Preis je Projekttag")
def test_the_table_of_day_prices(row: dict[str, str]) -> None:
    assert day_price(Agreement(1, None, number(row["Stundenpreis"]), maybe(row["Tagespreis"]))) == number(row["Preis"])


@each_row("preise.md", "Preis je Anfahrt")
def test_the_table_of_travel_prices(row: dict[str, str]) -> None:
    agreement = Agreement(1, None, Decimal(95), travel_price=maybe(row["Vereinbarung"]))
    assert travel_price(Site("S1", travel_price=maybe(row["Standort"])), agreement) == maybe(row["Preis"])


def test_without_agreement_and_site_nothing_is_agreed() -> None:
    assert agreement_on((), dt.date(2026, 10, 1)) is None
    assert travel_price(None, None) is None
    assert [surcharge_percent(None, kind) for kind in ServiceKind] == [0, 50, 100, 0]


def test_two_versions_of_one_day_and_a_first_one_without_signature() -> None:
    same_day = [
        Agreement(1, None, Decimal(1)),
        Agreement(5, dt.date(2026, 1, 1), Decimal(5)),
        Agreement(4, dt.date(2026, 1, 1), Decimal(4)),
    ]
    later, earlier = agreement_on(same_day, dt.date(2026, 1, 1)), agreement_on(same_day, dt.date(2025, 12, 31))
    assert later is not None
    assert earlier is not None
    assert (later.version, earlier.version) == (5, 1)


versions = st.lists(
    st.builds(
        Agreement,
        version=st.integers(1, 30),
        signed_on=st.none() | st.dates(dt.date(2024, 1, 1), dt.date(2027, 1, 1)),
        hour_price=st.just(Decimal(90)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda agreement: agreement.version,
)


@given(versions, st.dates(dt.date(2024, 1, 1), dt.date(2027, 1, 1)), st.randoms(use_true_random=False))
def test_the_version_in_force_is_the_latest_signed_one(agreements: list[Agreement], work_date: dt.date, dice: object) -> None:
    found = agreement_on(agreements, work_date)
    dice.shuffle(agreements)  # type: ignore[attr-defined]
    assert agreement_on(agreements, work_date) == found
    signed = [a.signed_on for a in agreements if a.signed_on and a.signed_on <= work_date]
    assert found is not None
    if signed:
        assert found.signed_on == max(signed)
    else:
        assert found.version == min(a.version for a in agreements)
    assert dataclasses.replace(found) == found
