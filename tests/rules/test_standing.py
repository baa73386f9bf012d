"""Where a Kontingent stands today: booked and captured apart, and the same whatever a run has stored."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given

from rules.monthly import bill_month
from rules.monthly_types import CustomerMonth
from rules.standing import standings
from tests.rules.strategies import customers


@given(customers())
@pytest.mark.promise("S75", "S168", "U12")
def test_at_the_months_end_it_is_the_balance_that_the_bill_states(given: CustomerMonth) -> None:
    stated = {s.contract: s.balance for payer in bill_month(given).payers for s in payer.kontingente}
    shown = {s.contract: s for s in standings(given, given.month.last_day)}
    for contract, balance in stated.items():
        assert shown[contract].booked == balance
        assert shown[contract].booked - shown[contract].pending == shown[contract].expected


@given(customers())
def test_captured_work_never_moves_what_is_booked(given: CustomerMonth) -> None:
    day = given.month.last_day
    approved = replace(given, entries=tuple(e for e in given.entries if e.approved or e.reported_elsewhere))
    assert [s.booked for s in standings(given, day)] == [s.booked for s in standings(approved, day)]
    assert all(s.pending == 0 and s.waiting == () for s in standings(approved, day))


@given(customers())
def test_the_balance_of_a_day_is_the_sum_of_its_rows(given: CustomerMonth) -> None:
    for offset in range(0, 31, 6):
        day = min(given.month.first_day + dt.timedelta(offset), given.month.last_day)
        for s in standings(given, day):
            assert s.booked == s.opening + sum(row.minutes for row in s.rows)
            assert all(row.day <= day for row in s.rows)


@given(customers())
@pytest.mark.promise("U12")
def test_once_everything_is_approved_the_expected_balance_is_the_booked_one(given: CustomerMonth) -> None:
    day = given.month.last_day
    approved = replace(given, entries=tuple(replace(e, approved=True) for e in given.entries))
    assert [s.expected for s in standings(given, day)] == [s.booked for s in standings(approved, day)]
