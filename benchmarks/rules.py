"""What the rules cost alone: a month of many customers with 20 entries each, with its snapshot. `python -m benchmarks.rules`

Prints processor seconds per thousand customers at each size and the ratio to the smallest: it must not grow.
"""

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

SIZES = (500, 1000, 5000)
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


def main() -> None:
    first = 0.0
    for size in SIZES:
        cost = 1000 * seconds_for([customer(index) for index in range(size)]) / size
        first = first or cost
        print(f"{size:5} customers: {cost:.2f} s per thousand, {cost / first:.2f} times that of {SIZES[0]}")


if __name__ == "__main__":
    main()
