"""Where a Kontingent stands on a day: what is booked, and what is captured but not yet approved (U12). Pure.

Page: docs/rules/kontingent.md. The same figures serve the portal, the call view and the report (S75, S168).
"""

import datetime as dt
from dataclasses import dataclass, replace

from rules.kontingent import Balances, missing_grants, standing_rows
from rules.monthly import bill_month
from rules.monthly_types import CustomerMonth, KontingentContract, LedgerEntry, LedgerKind


@dataclass(frozen=True, slots=True)
class Standing:
    """One contract on one day, in minutes.

    `booked`: balance with every approved entry, whether a run has reported it or not. `pending`: what captured work would
    draw once it is approved. `rows`: the ledger up to the day, oldest first, with rows that no run has stored yet.
    """

    contract: str
    day: dt.date
    booked: int
    pending: int
    opening: int
    rows: tuple[LedgerEntry, ...]
    waiting: tuple[LedgerEntry, ...]

    @property
    def expected(self) -> int:
        """The balance once everything captured is approved as it stands."""
        return self.booked - self.pending


def _usage(given: CustomerMonth, *, captured: bool) -> list[LedgerEntry]:
    """What unreported work draws; with the captured part as if it were approved."""
    if captured:
        given = replace(given, entries=tuple(replace(entry, approved=True) for entry in given.entries))
    return [row for row in bill_month(given).new_ledger if row.kind is LedgerKind.USAGE]


def _order(row: LedgerEntry) -> tuple[dt.date, int, str]:
    """Grants first on their day, as a statement reads."""
    return row.day, 0 if row.kind is LedgerKind.GRANT else 1, row.entry_id or ""


def _one(contract: KontingentContract, day: dt.date, booked: list[LedgerEntry], every: list[LedgerEntry]) -> Standing:
    own = [row for row in booked if row.contract == contract.number]
    rows = [*standing_rows(contract), *missing_grants(contract, day), *own]
    rows = sorted((row for row in rows if row.day <= day), key=_order)
    opening = 0 if contract.opening is None else contract.opening.minutes
    known = {row.entry_id for row in own}
    waiting = [row for row in every if row.contract == contract.number and row.entry_id not in known and row.day <= day]
    pending = -sum(row.minutes for row in every if row.contract == contract.number and row.day <= day)
    pending += sum(row.minutes for row in own if row.day <= day)
    balance = Balances(opening, rows).on(day)
    return Standing(contract.number, day, balance, pending, opening, tuple(rows), tuple(sorted(waiting, key=_order)))


def standings(given: CustomerMonth, day: dt.date) -> tuple[Standing, ...]:
    """All Kontingente of a customer on a day of `given.month`; work after the day does not count yet.

    Args:
        given: the month that the day lies in, with every unreported entry, approved or not.
        day: the day to look at.
    """
    until = replace(given, entries=tuple(entry for entry in given.entries if entry.work_date <= day))
    booked, every = _usage(until, captured=False), _usage(until, captured=True)
    contracts = sorted(given.kontingente, key=lambda contract: contract.number)
    return tuple(_one(contract, day, booked, every) for contract in contracts)
