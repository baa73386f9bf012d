"""A second, slow computation of a customer's month, day by day in fractions, that shares no code with `rules/`.

It knows the value types only. Where both agree on thousands of random customers, neither has a slip of its own.
"""

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from math import ceil, floor
from typing import Any

from rules.monthly_types import CustomerMonth, KontingentContract, ServiceEntry

DAY = dt.timedelta(1)


def half_up(value: Fraction, places: int) -> Fraction:
    scaled = value * 10**places
    return Fraction(floor(scaled + Fraction(1, 2)), 10**places)


class Oracle:
    def __init__(self, given: CustomerMonth) -> None:
        self.given = given
        first = dt.date(given.month.year, given.month.number, 1)
        self.first, self.last = first, (first + 31 * DAY).replace(day=1) - DAY
        self.books: dict[str, list[tuple[dt.date, str, int]]] = {c.number: self.book(c) for c in given.kontingente}
        self.charges: dict[str, str] = {}
        self.excluded: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.groups: dict[str | None, dict[tuple[str, Fraction], Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self.run()

    def book(self, c: KontingentContract) -> list[tuple[dt.date, str, int]]:
        rows = [(row.day, row.kind.value, row.minutes) for row in c.ledger]
        day = c.starts_on
        while day <= self.last + 40 * DAY and (c.ends_on is None or day <= c.ends_on):
            of_month = [d for n in range(31) if (d := day.replace(day=1) + n * DAY).month == day.month]
            live = [d for d in of_month if d >= c.starts_on and (c.ends_on is None or d <= c.ends_on)]
            minutes = half_up(Fraction(c.hours_per_month) * 60 * len(live) / len(of_month), 0)
            rows.append((day, "grant", int(minutes)))
            day = of_month[-1] + DAY
        return [row for row in rows if c.opening is None or row[0] > c.opening.as_of]

    def balance(self, c: KontingentContract, day: dt.date) -> int:
        return (c.opening.minutes if c.opening else 0) + sum(m for d, _, m in self.books[c.number] if d <= day)

    def agreement(self, day: dt.date) -> Any:
        signed = [a for a in self.given.agreements if a.signed_on is not None and a.signed_on <= day]
        if signed:
            return max(signed, key=lambda a: (a.signed_on, a.version))
        return min(self.given.agreements, key=lambda a: a.version, default=None)

    def percent(self, e: ServiceEntry) -> Fraction:
        a = self.agreement(e.work_date)
        if e.kind == "after_hours":
            return Fraction(a.after_hours_percent if a and a.after_hours_percent is not None else 50)
        if e.kind == "weekend":
            return Fraction(a.weekend_percent if a and a.weekend_percent is not None else 100)
        return Fraction(0)

    def flat(self, e: ServiceEntry) -> str | None:
        found = []
        for c in self.given.flat_contracts:
            if not (c.starts_on <= e.work_date <= (c.ends_on or dt.date.max)) or c.site not in (None, e.site):
                continue
            classes = [
                name
                for line in c.lines
                if (line.valid_from or dt.date.min) <= e.work_date <= (line.valid_to or dt.date.max)
                for name in line.covered_asset_classes
            ]
            if not classes or e.asset_class in classes:
                found.append((0 if c.site else 1, c.number))
        return min(found)[1] if found else None

    def contract(self, e: ServiceEntry) -> KontingentContract | None:
        found = [
            ((0 if c.site else 1), c.starts_on, c.number, n)
            for n, c in enumerate(self.given.kontingente)
            if c.starts_on <= e.work_date <= (c.ends_on or dt.date.max) and c.site in (None, e.site)
        ]
        return self.given.kontingente[min(found)[-1]] if found else None

    def billed(self, e: ServiceEntry, c: KontingentContract | None) -> int:
        if e.kind == "project_day":
            return ceil(Fraction(e.minutes, 240)) * 240
        unit = c.billing_unit_minutes if c and c.billing_unit_minutes is not None else 15
        minimum = c.billing_minimum_minutes if c and c.billing_minimum_minutes is not None else 15
        return ceil(Fraction(max(e.minutes, minimum), unit)) * unit

    def payer(self, site: str | None) -> str | None:
        if self.given.billing == "central" or site is None:
            return None
        return {s.code: s.bills_to for s in self.given.sites}[site]

    def run(self) -> None:
        drawn = {r.entry_id for c in self.given.kontingente for r in c.ledger}
        pool = [e for e in self.given.entries if not e.reported and e.work_date <= self.last]
        for e in pool:
            c = self.contract(e)
            contained = c is not None and c.opening is not None and e.work_date <= c.opening.as_of
            if e.reported_elsewhere and e.billable and c and not self.flat(e) and not contained and e.id not in drawn:
                usage = ceil(self.billed(e, c) * (100 + self.percent(e)) / 100)
                self.books[c.number].append((e.work_date, "usage", -usage))
        pool = [e for e in pool if not e.reported_elsewhere]
        early = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
        for e in sorted(pool, key=lambda e: (e.work_date, e.started_at is not None, e.started_at or early, e.id)):
            if not e.approved:
                self.blocked.add(e.id)
            elif flat := self.flat(e):
                self.excluded[e.id] = flat
            else:
                self.one(e)

    def one(self, e: ServiceEntry) -> None:
        if not e.billable:
            self.charges[e.id] = "none"
            return
        c, a = self.contract(e), self.agreement(e.work_date)
        billed, percent = self.billed(e, c), self.percent(e)
        covered, beyond, day = 0, billed, e.work_date
        if c:
            usage = ceil(billed * (100 + percent) / 100)
            if c.opening and day <= c.opening.as_of:
                day = c.opening.as_of + DAY
            stretch = [day + n * DAY for n in range(max((self.last - day).days, 0) + 1)]
            room = max(min(self.balance(c, d) for d in stretch), 0)
            if c.overdraft_allowed or usage <= room:
                covered, beyond = usage, 0
            elif e.kind != "project_day":
                covered, beyond = room, billed - floor(room * 100 / (100 + percent))
        if beyond and a is None:
            self.blocked.add(e.id)
            return
        if c and covered:
            self.books[c.number].append((day, "usage", -covered))
        self.charges[e.id] = "invoice" if not c or (beyond and not covered) else "split" if beyond else "kontingent"
        groups = self.groups[self.payer(e.site)]
        if beyond:
            groups[e.kind.value, self.price(e, a)] += Fraction(beyond, 480 if e.kind == "project_day" else 60)
        travel = next((s.travel_price for s in self.given.sites if s.code == e.site), None)
        if travel is None and a:
            travel = a.travel_price
        if e.trips and travel is not None and not (c and c.includes_travel):
            groups["trip", Fraction(travel)] += e.trips

    def price(self, e: ServiceEntry, a: Any) -> Fraction:
        if e.kind == "project_day":
            return Fraction(a.hour_price) * 8 if a.day_price is None else Fraction(a.day_price)
        return half_up(Fraction(a.hour_price) * (100 + self.percent(e)) / 100, 2)

    def statement(self, c: KontingentContract) -> tuple[int, int, int, int, int]:
        rows = [(kind, m) for d, kind, m in self.books[c.number] if self.first <= d <= self.last]
        grant, usage, correction = (sum(m for k, m in rows if k == kind) for kind in ("grant", "usage", "correction"))
        return self.balance(c, self.first - DAY), grant, -usage, correction, self.balance(c, self.last)

    def nets(self, payer: str | None) -> dict[tuple[str, Fraction], Fraction]:
        return {key: half_up(quantity * key[1], 2) for key, quantity in self.groups[payer].items()}
