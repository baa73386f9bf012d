"""Customers as they may come: several contracts, openings, late work, surcharges, splits."""

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from rules.month import Month
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
    ServiceEntry,
    ServiceKind,
    Site,
)

MONTH = Month(2026, 10)
DAYS = st.dates(dt.date(2026, 7, 1), dt.date(2026, 11, 10))
RULES = ["never", "quarter_end", "below_months=1", "below_months=2", "after_months=1", "after_months=2", "after_months=3"]
SITES = (Site("S0"), Site("S1", "S0", Decimal("45.50")), Site("S2", "S2"))
CODES = st.sampled_from([None, "S0", "S1", "S2"])
percents = st.none() | st.sampled_from([Decimal(0), Decimal(25), Decimal("33.33"), Decimal(50), Decimal(100)])
money = st.decimals(0, 250, places=2)


def agreements(min_size: int = 0) -> st.SearchStrategy[tuple[Agreement, ...]]:
    one = st.builds(
        Agreement,
        version=st.integers(1, 9),
        signed_on=st.none() | DAYS,
        hour_price=money,
        day_price=st.none() | money,
        travel_price=st.none() | money,
        after_hours_percent=percents,
        weekend_percent=percents,
    )
    return st.lists(one, min_size=min_size, max_size=3, unique_by=lambda a: a.version).map(tuple)


def entries(max_size: int = 12) -> st.SearchStrategy[tuple[ServiceEntry, ...]]:
    start = st.none() | st.datetimes(dt.datetime(2026, 10, 1), dt.datetime(2026, 10, 2), timezones=st.just(dt.UTC))
    one = st.builds(
        ServiceEntry,
        id=st.text("Ll-019ä", min_size=1, max_size=4),
        ticket=st.just("T-1"),
        site=CODES,
        work_date=DAYS,
        minutes=st.integers(0, 600),
        started_at=start,
        kind=st.sampled_from(ServiceKind),
        trips=st.integers(0, 2),
        billable=st.sampled_from([True, True, True, False]),
        approved=st.sampled_from([True, True, True, False]),
        reported_elsewhere=st.sampled_from([False, False, False, True]),
        asset_class=st.none() | st.sampled_from(["firewall", "server"]),
    )
    return st.lists(one, max_size=max_size, unique_by=lambda e: e.id).map(tuple)


@st.composite
def kontingente(draw: st.DrawFn, number: str = "V-1", *, overdraft: bool | None = None) -> KontingentContract:
    starts_on = draw(DAYS)
    stored = draw(st.lists(st.tuples(DAYS, st.integers(1, 200)), max_size=4))
    rows = [LedgerEntry(number, day, LedgerKind.USAGE, -minutes, f"alt-{n}") for n, (day, minutes) in enumerate(stored)]
    if draw(st.booleans()):
        rows.append(LedgerEntry(number, dt.date(2026, 9, 30), LedgerKind.CORRECTION, draw(st.integers(1, 300))))
    return KontingentContract(
        number,
        starts_on,
        draw(st.none() | st.dates(starts_on, dt.date(2026, 12, 31))),
        draw(st.decimals(0, 12, places=2)),
        draw(money),
        site=draw(CODES),
        overdraft_allowed=draw(st.booleans()) if overdraft is None else overdraft,
        correction_rule=draw(st.sampled_from(RULES)),
        includes_travel=draw(st.booleans()),
        billing_minimum_minutes=draw(st.none() | st.integers(0, 60)),
        billing_unit_minutes=draw(st.none() | st.sampled_from([1, 5, 10, 15, 30])),
        opening=draw(st.none() | st.builds(Opening, DAYS, st.integers(-300, 600))),
        ledger=tuple(rows),
    )


@st.composite
def flat_contracts(draw: st.DrawFn) -> tuple[FlatContract, ...]:
    line = st.builds(
        FlatLine,
        valid_from=st.none() | DAYS,
        valid_to=st.none() | DAYS,
        covered_asset_classes=st.sampled_from([(), ("firewall",), ("firewall", "server")]),
    )
    one = st.builds(
        FlatContract,
        number=st.sampled_from(["M-1", "M-2", "M-3"]),
        kind=st.sampled_from(FlatKind),
        starts_on=DAYS,
        ends_on=st.none() | DAYS,
        site=st.sampled_from(["S1", "S2"]),
        lines=st.lists(line, max_size=2).map(tuple),
    )
    return tuple(draw(st.lists(one, max_size=2, unique_by=lambda c: c.number)))


@st.composite
def customers(draw: st.DrawFn) -> CustomerMonth:
    count = draw(st.integers(0, 2))
    return CustomerMonth(
        "K1001",
        MONTH,
        billing=draw(st.sampled_from(BillingMode)),
        vat_rate=draw(st.sampled_from([Decimal(19), Decimal("19.00"), Decimal(7)])),
        sites=SITES,
        agreements=draw(agreements()),
        kontingente=tuple(draw(kontingente(f"V-{n}")) for n in range(1, count + 1)),
        flat_contracts=draw(flat_contracts()),
        entries=draw(entries()),
    )
