"""What the demo relies on beyond the month's billing: flat contracts, meters, checks, warranties."""

from collections import Counter, defaultdict

import pytest

from tests.examples.company import contracts, entries, in_flat_contract, read

OCTOBER = "2026-10"


# --- rental, data centre, managed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["K1033", "K1037", "K1038"])
def test_flat_contract_covers_all_work(number: str) -> None:
    assert entries(number)
    assert all(in_flat_contract(e) for e in entries(number))


@pytest.mark.parametrize("number", ["K1034", "K1035", "K1036", "K1039", "K1040"])
def test_flat_contract_covers_a_part_of_the_work(number: str) -> None:
    assert {bool(in_flat_contract(e)) for e in entries(number)} == {True, False}


def test_assets_of_the_house_belong_to_a_contract() -> None:
    ours = [a for a in read("assets") if a["owner"] == "house"]
    assert len(ours) > 30
    assert all(a["contract"] for a in ours)


def test_meters_have_readings_until_the_end_of_october() -> None:
    days = defaultdict(set)
    for row in read("usage"):
        days[row["contract"], row["line"]].add(row["day"])
    metered = {(line["contract"], line["line"]) for line in read("contract_lines") if line["meter"] != "fixed"}
    assert set(days) == metered
    assert all("2026-10-31" in found for found in days.values())
    assert {line["meter"] for line in read("contract_lines")} == {"fixed", "devices", "mailboxes", "gigabytes", "servers"}


def test_meter_that_fell_silent_for_a_week() -> None:
    days = {row["day"] for row in read("usage") if (row["contract"], row["line"]) == ("S-2021-043", "2")}
    assert not any(f"2026-10-{day}" in days for day in range(12, 19))


def test_meter_with_two_sources() -> None:
    found = Counter((row["contract"], row["line"], row["day"]) for row in read("usage"))
    assert max(found.values()) == 2


def test_managed_contract_beginning_in_the_month_with_set_up_fee() -> None:
    (contract,) = contracts("K1044", "managed")
    assert contract["starts_on"] == "2026-10-15"
    assert "yes" in {line["one_time"] for line in read("contract_lines") if line["contract"] == contract["number"]}


def test_line_with_a_new_price_from_october() -> None:
    prices = [line["unit_price"] for line in read("contract_lines") if (line["contract"], line["line"]) == ("S-2022-041", "3")]
    assert prices == ["0.18", "0.16"]


# --- maintenance, assets, licences ------------------------------------------------------------------------------------------------


def test_checks() -> None:
    rows = read("checks")
    assert {"Kontrolle der Datensicherung", "Virenschutz: Stand und Funde prüfen", "Firewall: Firmware und Regeln prüfen"} <= {
        r["check"] for r in rows
    }
    assert {r["catch_up"] for r in rows} == {"", "all", "latest", "one_listing", "skip"}
    assert {r["shift"] for r in rows} == {"none", "next_workday", "previous_workday"}
    assert any("BYMONTHDAY=-1" in r["cadence"] for r in rows)
    assert any(not r["technician"] for r in rows)
    assert any(r["covered_by_contract"] for r in rows)


def test_warranties_and_licences_that_end_soon() -> None:
    assert [a for a in read("assets") if OCTOBER <= a["warranty_until"][:7] <= "2026-12"]
    assert [x for x in read("licences") if OCTOBER <= x["expires_on"][:7] <= "2026-12"]
    assert any(not x["expires_on"] for x in read("licences"))
