import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.month import Month
from rules.monthly import bill_month
from rules.monthly_types import (
    Agreement,
    BillingMode,
    CustomerMonth,
    FlatContract,
    FlatKind,
    FlatLine,
    KontingentContract,
    LedgerEntry,
    LedgerKind,
    Opening,
    RestAtEnd,
    ServiceEntry,
    ServiceKind,
    Site,
)
from rules.snapshot import changed_customers, customer_digest, month_snapshot, written
from tests.rules.strategies import customers
from tests.rules.test_monthly_properties import shuffled

DAY = dt.date(2026, 10, 5)
FULL = CustomerMonth(
    "K1",
    Month(2026, 10),
    BillingMode.CENTRAL,
    Decimal(19),
    (Site("S1", "S2", Decimal(40)),),
    (Agreement(1, DAY, Decimal(95), Decimal(700), Decimal(35), Decimal(50), Decimal(100)),),
    (
        KontingentContract(
            "V-1",
            DAY,
            DAY + dt.timedelta(90),
            Decimal(10),
            Decimal(90),
            site="S1",
            billing_minimum_minutes=15,
            billing_unit_minutes=15,
            opening=Opening(DAY, 30),
            ledger=(LedgerEntry("V-1", DAY, LedgerKind.USAGE, -30, "L-0"),),
        ),
    ),
    (FlatContract("M-1", FlatKind.RENTAL, DAY, DAY, "S1", (FlatLine(DAY, DAY, ("server",)),)),),
    (
        ServiceEntry(
            "L-1", "T-1", "S1", DAY, 30, dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC), non_billable_reason="-", asset_class="pc"
        ),
    ),
)


def other(value: Any) -> Any:
    """A different value of the same kind."""
    match value:
        case bool():
            return not value
        case BillingMode():
            return BillingMode.PER_SITE
        case LedgerKind():
            return LedgerKind.GRANT
        case FlatKind():
            return FlatKind.DATA_CENTRE
        case RestAtEnd():
            return RestAtEnd.SERVED
        case ServiceKind():
            return ServiceKind.WEEKEND
        case str():
            return value + "x"
        case int() | Decimal():
            return value + 1
        case Month():
            return value.plus(1)
        case _:
            return value + dt.timedelta(1)


def variants(value: Any) -> list[Any]:
    """Every copy of a value that differs in exactly one field, however deep."""
    if isinstance(value, tuple):
        return [(*value[:n], changed, *value[n + 1 :]) for n in range(len(value)) for changed in variants(value[n])] + [
            value[1:]
        ]
    if isinstance(value, Month) or not dataclasses.is_dataclass(value):
        return [other(value)]
    return [
        dataclasses.replace(value, **{field.name: changed})  # type: ignore[type-var]
        for field in dataclasses.fields(value)
        for changed in variants(getattr(value, field.name))
    ]


def test_every_single_field_of_the_input_shows_in_the_hash() -> None:
    copies = variants(FULL)
    assert len(copies) > 55
    texts = {written(copy) for copy in copies} | {written(FULL)}
    assert len(texts) == len(copies) + 1


def test_every_single_field_of_the_result_shows_in_the_hash() -> None:
    bill = bill_month(dataclasses.replace(FULL, flat_contracts=()))
    copies = [
        dataclasses.replace(bill, payers=(dataclasses.replace(payer, **{field.name: ()}),))  # type: ignore[arg-type]
        for payer in bill.payers
        for field in dataclasses.fields(payer)
        if field.name != "site" and getattr(payer, field.name)
    ]
    assert copies
    digests = {customer_digest(FULL, copy) for copy in copies}
    assert customer_digest(FULL, bill) not in digests
    assert len(digests) == len(copies)


@settings(deadline=None)
@given(customers(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_shows_nowhere(given_month: CustomerMonth, dice: Any) -> None:
    mixed = shuffled(given_month, dice)
    assert customer_digest(mixed, bill_month(mixed)) == customer_digest(given_month, bill_month(given_month))


def test_equal_values_are_written_alike() -> None:
    assert written(Decimal("95.0")) == written(Decimal("95.0000"))
    assert written(Decimal("-0.00")) == written(Decimal(0))
    berlin = dt.datetime(2026, 10, 5, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    assert written(berlin) == written(berlin.astimezone(dt.UTC))
    assert written("1") != written(1)
    assert written(None) != written("~")
    assert written(("a,b",)) != written(("a", "b"))


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(TypeError, match="Schnappschuss"):
        written(1.5)


def test_the_month_holds_every_customer_and_the_rest_of_the_run() -> None:
    october = Month(2026, 10)
    base = month_snapshot(october, {"K1": "a", "K2": "b"}, {"grace": "1"})
    assert base == month_snapshot(october, {"K2": "b", "K1": "a"}, {"grace": "1"})
    different = [
        month_snapshot(Month(2026, 11), {"K1": "a", "K2": "b"}, {"grace": "1"}),
        month_snapshot(october, {"K1": "a"}, {"grace": "1"}),
        month_snapshot(october, {"K1": "b", "K2": "a"}, {"grace": "1"}),
        month_snapshot(october, {"K1": "a", "K2": "b"}),
    ]
    assert len({base, *different}) == 5
    assert changed_customers({"K1": "a", "K2": "b", "K4": "d"}, {"K1": "a", "K2": "x", "K3": "c"}) == ("K2", "K3", "K4")
