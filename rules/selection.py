"""Which entries enter the month's run, and in which order they draw. Page: docs/rules/auswahl.md"""

import datetime as dt
from dataclasses import dataclass

from rules.coverage import flat_contract_for
from rules.monthly_types import BillingMode, CustomerMonth, FlatContract, LedgerKind, ServiceEntry

_MISSING = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries of a run, each in exactly one of four places, all in drawing order.

    `due`: reported and billed now. `elsewhere`: reported by another system, only drawing on the ledger now.
    `excluded`: left to recurring billing. `unapproved`: blockers, left for the next run.
    """

    due: tuple[ServiceEntry, ...]
    elsewhere: tuple[ServiceEntry, ...]
    excluded: tuple[tuple[ServiceEntry, FlatContract], ...]
    unapproved: tuple[ServiceEntry, ...]


def drawing_order(entry: ServiceEntry) -> tuple[dt.date, dt.datetime, str]:
    """Work date, then start (missing first), then id by code point."""
    return entry.work_date, entry.started_at or _MISSING, entry.id


def select(given: CustomerMonth) -> Selection:
    """Sort the customer's entries into their places; later, reported and already drawn ones fall out."""
    last = given.month.last_day
    drawn = {
        row.entry_id
        for contract in given.kontingente
        for row in contract.ledger
        if row.kind is LedgerKind.USAGE and row.entry_id
    }
    due: list[ServiceEntry] = []
    elsewhere: list[ServiceEntry] = []
    excluded: list[tuple[ServiceEntry, FlatContract]] = []
    unapproved: list[ServiceEntry] = []
    for entry in sorted(given.entries, key=drawing_order):
        if entry.reported or entry.work_date > last:
            continue
        if not (entry.approved or entry.reported_elsewhere):
            unapproved.append(entry)
            continue
        flat = flat_contract_for(entry, given.flat_contracts)
        if entry.reported_elsewhere:
            if flat is None and entry.id not in drawn:
                elsewhere.append(entry)
        elif flat is not None:
            excluded.append((entry, flat))
        else:
            due.append(entry)
    return Selection(tuple(due), tuple(elsewhere), tuple(excluded), tuple(unapproved))


class Payers:
    """Who pays for a site: in central billing head office, else what `bills_to` says, followed once and never onward."""

    __slots__ = ("_bills_to",)

    def __init__(self, given: CustomerMonth) -> None:
        """Remember the paying site of every site."""
        central = given.billing is BillingMode.CENTRAL
        self._bills_to = {} if central else {site.code: site.bills_to for site in given.sites}

    def of(self, site: str | None) -> str | None:
        """Code of the paying site; None = head office, also for what has no site."""
        return None if site is None else self._bills_to.get(site)
