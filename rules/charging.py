"""One entry after the other: minutes, Kontingent, price. Page: docs/rules/monatsabrechnung.md

Amounts are not computed here: an entry yields pieces (kind, price, count) that `rules.monthly` sums per group.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rules.coverage import kontingent_for
from rules.kontingent import Balances, Draw, draw, ledger_day, opening_day, room
from rules.minutes import HALF_DAY, billed_minutes, half_days, usage_minutes
from rules.money import line_key
from rules.monthly_types import (
    Agreement,
    Blocker,
    Charge,
    CustomerMonth,
    EntryLine,
    Hint,
    KontingentContract,
    LedgerEntry,
    LedgerKind,
    LineKind,
    ServiceEntry,
    ServiceKind,
    Site,
)
from rules.pricing import agreement_on, day_price, hour_price, surcharge_percent, travel_price

_HALF = Decimal("0.5")
_NO_DAYS = Decimal(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """An entry's part of a group: minutes of an hour group, halves of a day group, count of a trip group."""

    kind: LineKind
    price: Decimal
    amount: int


@dataclass(frozen=True, slots=True)
class Charged:
    """An entry's line in the report, its pieces in money and its ledger row."""

    line: EntryLine
    pieces: tuple[Piece, ...]
    usage: LedgerEntry | None
    hint: Hint | None


class Ledgers:
    """The ledgers of a customer while a run draws on them: one fold per contract, drawn in one order over all sites."""

    def __init__(self, given: CustomerMonth, folds: Mapping[str, Balances]) -> None:
        """Work on folds that hold stored rows and all grants."""
        self._month = given.month
        self._folds = folds

    def room(self, contract: KontingentContract, day: dt.date) -> int | None:
        """Usage minutes still free from that ledger day on; None = overdraft is allowed."""
        return None if contract.overdraft_allowed else room(self._folds[contract.number], day, self._month)

    def book(self, contract: KontingentContract, entry: ServiceEntry, usage: int) -> LedgerEntry | None:
        """Book usage of an entry on its ledger day; nothing for zero minutes."""
        if not usage:
            return None
        row = LedgerEntry(contract.number, ledger_day(contract, entry.work_date), LedgerKind.USAGE, -usage, entry.id)
        self._folds[contract.number].add(row.day, row.minutes)
        return row


def entry_minutes(entry: ServiceEntry, contract: KontingentContract | None) -> int:
    """Billed minutes of an entry: 0 when non-billable, half days for a project day, else by minimum and unit."""
    if not entry.billable:
        return 0
    if entry.kind is ServiceKind.PROJECT_DAY:
        return half_days(entry.minutes) * HALF_DAY
    if contract is None:
        return billed_minutes(entry.minutes)
    return billed_minutes(entry.minutes, contract.billing_minimum_minutes, contract.billing_unit_minutes)


def draw_elsewhere(given: CustomerMonth, ledgers: Ledgers, entry: ServiceEntry) -> LedgerEntry | None:
    """Book an entry that another system reported: wholly, unless the opening contains it. It is never split or billed."""
    contract = kontingent_for(entry, given.kontingente)
    if contract is None or entry.work_date <= opening_day(contract):
        return None
    percent = surcharge_percent(agreement_on(given.agreements, entry.work_date), entry.kind)
    return ledgers.book(contract, entry, usage_minutes(entry_minutes(entry, contract), percent))


class Charger:
    """Charges the due entries of one customer's month; call `charge` in drawing order."""

    def __init__(self, given: CustomerMonth, ledgers: Ledgers) -> None:
        """Look up sites by code once."""
        self._given = given
        self._ledgers = ledgers
        self._sites: dict[str | None, Site] = {site.code: site for site in given.sites}

    def charge(self, entry: ServiceEntry) -> Charged | Blocker:
        """One entry's line, pieces and usage; a blocker when it needs a price that no agreement gives."""
        if not entry.billable:
            return Charged(self._line(entry, None, 0, Charge.NONE), (), None, None)
        agreement = agreement_on(self._given.agreements, entry.work_date)
        contract = kontingent_for(entry, self._given.kontingente)
        billed = entry_minutes(entry, contract)
        drawn = self._draw(entry, contract, billed, surcharge_percent(agreement, entry.kind))
        if drawn.beyond and agreement is None:
            return _price_missing(self._given, entry)
        usage = self._ledgers.book(contract, entry, drawn.usage) if contract else None
        time = _time_piece(entry, agreement, drawn.beyond) if agreement and drawn.beyond else None
        trip, hint = self._trip_piece(entry, contract, agreement)
        line = self._line(entry, contract, billed, _charge_of(contract, drawn), drawn=drawn, time=time, trip=trip)
        return Charged(line, tuple(piece for piece in (time, trip) if piece), usage, hint)

    def _draw(self, entry: ServiceEntry, contract: KontingentContract | None, billed: int, percent: Decimal) -> Draw:
        if contract is None:
            return Draw(0, billed)
        free = self._ledgers.room(contract, ledger_day(contract, entry.work_date))
        divisible = entry.kind is not ServiceKind.PROJECT_DAY
        return draw(usage_minutes(billed, percent), billed, percent, free, divisible=divisible)

    def _trip_piece(
        self, entry: ServiceEntry, contract: KontingentContract | None, agreement: Agreement | None
    ) -> tuple[Piece | None, Hint | None]:
        if not entry.trips or (contract and contract.includes_travel):
            return None, None
        price = travel_price(self._sites.get(entry.site), agreement)
        if price is not None:
            return Piece(LineKind.TRIP, price, entry.trips), None
        text = (
            f"Leistung {entry.id} vom {entry.work_date:%d.%m.%Y}: {entry.trips} Anfahrt(en) bleiben unberechnet, weil weder am "
            "Standort noch in der Vereinbarung ein Anfahrtspreis steht. Bei Bedarf dort nachtragen."
        )
        return None, Hint(entry.id, text)

    def _line(
        self,
        entry: ServiceEntry,
        contract: KontingentContract | None,
        billed: int,
        charge: Charge,
        *,
        drawn: Draw | None = None,
        time: Piece | None = None,
        trip: Piece | None = None,
    ) -> EntryLine:
        rate = self._given.vat_rate
        by_day = time is not None and time.kind is LineKind.PROJECT_DAY
        return EntryLine(
            entry_id=entry.id,
            ticket=entry.ticket,
            site=entry.site,
            work_date=entry.work_date,
            kind=entry.kind,
            raw_minutes=entry.minutes,
            billed_minutes=billed,
            billable=entry.billable,
            non_billable_reason=entry.non_billable_reason,
            charge=charge,
            contract=contract.number if contract else None,
            usage_minutes=drawn.usage if drawn else 0,
            charged_minutes=time.amount if time and not by_day else 0,
            days=time.amount * _HALF if time and by_day else _NO_DAYS,
            trips=entry.trips,
            charged_trips=trip.amount if trip else 0,
            group=line_key(time.kind, time.price, rate) if time else None,
            trip_group=line_key(trip.kind, trip.price, rate) if trip else None,
            late=entry.work_date < self._given.month.first_day,
        )


def _time_piece(entry: ServiceEntry, agreement: Agreement, beyond: int) -> Piece:
    """The part to be paid in money: half days of a project day, else minutes at the price of the entry's kind."""
    if entry.kind is ServiceKind.PROJECT_DAY:
        return Piece(LineKind.PROJECT_DAY, day_price(agreement), beyond // HALF_DAY)
    return Piece(LineKind(entry.kind.value), hour_price(agreement, entry.kind), beyond)


def _charge_of(contract: KontingentContract | None, drawn: Draw) -> Charge:
    if contract is None or (drawn.beyond and not drawn.usage):
        return Charge.INVOICE
    return Charge.SPLIT if drawn.beyond else Charge.KONTINGENT


def _price_missing(given: CustomerMonth, entry: ServiceEntry) -> Blocker:
    why = (
        f"Leistung {entry.id} vom {entry.work_date:%d.%m.%Y}: Kunde {given.customer} hat keine Kooperationsvereinbarung, also "
        "keinen Preis. Bitte die Vereinbarung anlegen; die Leistung kommt in den nächsten Lauf."
    )
    return Blocker("price", entry.id, why, "account_manager")
