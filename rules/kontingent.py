"""Kontingent (prepaid hours): a ledger folded by work date. Pure: no clock, no database. Page: docs/rules/kontingent.md

Nothing is moved at month end, the rest simply stays (S112, S113). Balance at any day = opening + all rows up to it.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from rules.minutes import billed_within
from rules.money import count_line, hour_line, invoice, line_key, tidy, tidy_percent
from rules.month import Month
from rules.monthly_types import (
    InvoiceDraft,
    InvoiceKind,
    KontingentContract,
    KontingentStatement,
    LedgerEntry,
    LedgerKind,
    LineKind,
    MoneyLine,
    Unit,
)
from rules.proration import contract_days, minutes_share, money_share, share

ONE_DAY = dt.timedelta(days=1)


class Balances:
    """The running fold of one contract's ledger: rows in any order, questions by day."""

    __slots__ = ("_days", "_minutes", "_start")

    def __init__(self, start: int, rows: Iterable[LedgerEntry]) -> None:
        """Fold rows onto the opening's minutes."""
        by_day: dict[dt.date, int] = {}
        for row in rows:
            by_day[row.day] = by_day.get(row.day, 0) + row.minutes
        self._start = start
        self._days = sorted(by_day)
        self._minutes = [by_day[day] for day in self._days]

    def add(self, day: dt.date, minutes: int) -> None:
        """Book more minutes (signed) on a day."""
        place = bisect_right(self._days, day)
        if place and self._days[place - 1] == day:
            self._minutes[place - 1] += minutes
        else:
            self._days.insert(place, day)
            self._minutes.insert(place, minutes)

    def on(self, day: dt.date) -> int:
        """Balance at the end of the day."""
        return self._start + sum(self._minutes[: bisect_right(self._days, day)])

    def lowest(self, first: dt.date, last: dt.date) -> int:
        """The lowest balance at the end of any day from `first` to `last`; of `first` alone if `last` lies before."""
        begin = bisect_right(self._days, first)
        end = max(bisect_right(self._days, last), begin)
        return min(accumulate(self._minutes[begin:end], initial=self._start + sum(self._minutes[:begin])))


def opening_day(contract: KontingentContract) -> dt.date:
    """Everything up to and including this day is contained in the opening; the earliest date when there is none."""
    return dt.date.min if contract.opening is None else contract.opening.as_of


def ledger_day(contract: KontingentContract, work_date: dt.date) -> dt.date:
    """The day on which work counts: its own, or the day after an opening that does not contain it."""
    opening = contract.opening
    if opening is None or work_date > opening.as_of:
        return work_date
    return opening.as_of + ONE_DAY


def standing_rows(contract: KontingentContract) -> list[LedgerEntry]:
    """The stored rows that still count: those after the opening's day."""
    if contract.opening is None:
        return list(contract.ledger)
    return [row for row in contract.ledger if row.day > contract.opening.as_of]


def grant_minutes(contract: KontingentContract, month: Month) -> int:
    """Minutes granted for the month: all agreed ones, in the first and last month by calendar days."""
    return minutes_share(contract.hours_per_month, share(month, contract.starts_on, contract.ends_on))


def missing_grants(contract: KontingentContract, through: dt.date) -> tuple[LedgerEntry, ...]:
    """Grants up to and including a day that no run has stored: one a month, on its first day or on `starts_on`.

    A month whose grant is stored keeps it, whatever the contract says today. After an opening only later days count.
    """
    stored = {Month.of(row.day) for row in contract.ledger if row.kind is LedgerKind.GRANT}
    contained = opening_day(contract)
    first = max(Month.of(contract.starts_on), Month.of(contained))
    last = Month.of(through if contract.ends_on is None else min(through, contract.ends_on))
    grants = []
    for month in first.until(last):
        day = max(month.first_day, contract.starts_on)
        if contained < day <= through and month not in stored and (minutes := grant_minutes(contract, month)):
            grants.append(LedgerEntry(contract.number, day, LedgerKind.GRANT, minutes))
    return tuple(grants)


def balances(contract: KontingentContract, through: dt.date) -> Balances:
    """The contract's fold with every grant up to the day, stored or not: what portal, preview and call view show."""
    start = 0 if contract.opening is None else contract.opening.minutes
    return Balances(start, [*standing_rows(contract), *missing_grants(contract, through)])


@dataclass(frozen=True, slots=True)
class Draw:
    """What one entry takes: `usage` minutes from the ledger, `beyond` billed minutes left to be paid in money."""

    usage: int
    beyond: int


def draw(wanted: int, billed: int, percent: Decimal, room: int | None, *, divisible: bool) -> Draw:
    """Draw `wanted` usage minutes for `billed` minutes.

    `room` None: overdraft is allowed, all is drawn. Else what would pass the room is split at the boundary minute;
    what is not divisible (a project day) goes to money as a whole.
    """
    if room is None or wanted <= room:
        return Draw(wanted, 0)
    if not divisible:
        return Draw(0, billed)
    return Draw(room, billed - billed_within(room, percent))


def room(fold: Balances, day: dt.date, month: Month) -> int:
    """What an entry of that ledger day may use: the lowest balance from there to the month's end, at least 0."""
    return max(fold.lowest(day, month.last_day), 0)


def statement(contract: str, rows: Iterable[LedgerEntry], fold: Balances, month: Month) -> KontingentStatement:
    """One month as the customer reads it; `rows` are those that the fold holds."""
    total = dict.fromkeys(LedgerKind, 0)
    for row in rows:
        if month.contains(row.day):
            total[row.kind] += row.minutes
    return KontingentStatement(
        contract=contract,
        carried=fold.on(month.first_day - ONE_DAY),
        granted=total[LedgerKind.GRANT],
        used=-total[LedgerKind.USAGE],
        corrected=total[LedgerKind.CORRECTION],
        balance=fold.on(month.last_day),
    )


def monthly_invoice(contract: KontingentContract, month: Month, vat_rate: Decimal) -> InvoiceDraft | None:
    """The month's constant invoice: hours * hour price, pro rata in the first and last month, none outside (S115).

    A month in part is one line of one month at its share of the sum, so that quantity * price is the net to the cent.
    """
    if not contract_days(month, contract.starts_on, contract.ends_on):
        return None
    part = share(month, contract.starts_on, contract.ends_on)
    net = money_share(contract.hours_per_month, contract.hour_price, part)
    line = _whole_month(contract, net, vat_rate) if part == Fraction(1) else None
    line = line or count_line(LineKind.KONTINGENT, Unit.MONTH, Decimal(1), net, vat_rate)
    return invoice(InvoiceKind.KONTINGENT, contract.number, (line,))


def _whole_month(contract: KontingentContract, net: Decimal, vat_rate: Decimal) -> MoneyLine:
    price, rate = tidy(contract.hour_price), tidy_percent(vat_rate)
    key = line_key(LineKind.KONTINGENT, price, rate)
    return MoneyLine(key, LineKind.KONTINGENT, tidy(contract.hours_per_month), Unit.HOUR, price, rate, net)


def correction_invoice(
    contract: KontingentContract, month: Month, minutes: int, vat_rate: Decimal
) -> tuple[InvoiceDraft | None, LedgerEntry]:
    """A released over-booking: missing minutes / 60 * hour price, and the same minutes back on the month's last day.

    The ledger row belongs to the invoice: both are stored together or not at all (U6).
    """
    line = hour_line(LineKind.CORRECTION, minutes, contract.hour_price, vat_rate)
    row = LedgerEntry(contract.number, month.last_day, LedgerKind.CORRECTION, minutes)
    return invoice(InvoiceKind.CORRECTION, contract.number, (line,)), row
