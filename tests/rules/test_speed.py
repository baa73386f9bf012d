"""5,000 customers with 20 entries each must stay a matter of seconds (< 8 s CPU with snapshot); measured here on a tenth."""

import datetime as dt
import time
from decimal import Decimal

from rules.month import Month
from rules.monthly import bill_month
from rules.monthly_types import (
    Agreement,
    CustomerMonth,
    KontingentContract,
    LedgerEntry,
    LedgerKind,
    ServiceEntry,
    ServiceKind,
    Site,
)
from rules.snapshot import customer_digest

CUSTOMERS = 500
BUDGET_SECONDS = 0.8
KINDS = tuple(ServiceKind)


def customer(index: int) -> CustomerMonth:
    start = dt.date(2024, 1, 1)
    entries = tuple(
        ServiceEntry(
            f"L-{index}-{n}",
            f"T-{n}",
            "S1" if n % 3 else None,
            dt.date(2026, 10, 1 + n),
            20 + n * 7,
            dt.datetime(2026, 10, 1 + n, 8, tzinfo=dt.UTC),
            KINDS[n % 4],
            trips=n % 2,
            billable=n % 7 != 0,
        )
        for n in range(20)
    )
    rows = tuple(LedgerEntry("V", start + dt.timedelta(n * 5), LedgerKind.USAGE, -60, f"alt-{n}") for n in range(120))
    terms = KontingentContract("V", start, None, Decimal(10), Decimal(90), ledger=rows)
    agreement = Agreement(1, start, Decimal(95), travel_price=Decimal(40))
    contracts = (terms,) if index % 2 else ()
    return CustomerMonth(
        str(index), Month(2026, 10), sites=(Site("S1"),), agreements=(agreement,), kontingente=contracts, entries=entries
    )


def seconds_for(given: list[CustomerMonth]) -> float:
    begun = time.process_time()
    for one in given:
        customer_digest(one, bill_month(one))
    return time.process_time() - begun


def test_a_month_of_many_customers_is_quick() -> None:
    given = [customer(index) for index in range(CUSTOMERS)]
    assert any(seconds_for(given) < BUDGET_SECONDS for _ in range(3))
