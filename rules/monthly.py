"""The month of one customer, whole: entries, contracts and prices in, reports and invoices out. Pure.

Page: docs/rules/monatsabrechnung.md
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from rules.charging import Charged, Charger, Ledgers, Piece, draw_elsewhere
from rules.correction import proposed
from rules.kontingent import (
    Balances,
    balances,
    ledger_day,
    missing_grants,
    monthly_invoice,
    opening_day,
    standing_rows,
    statement,
)
from rules.money import count_line, hour_line, invoice
from rules.month import Month
from rules.monthly_types import (
    Blocker,
    CustomerBill,
    CustomerMonth,
    EntryLine,
    Excluded,
    Hint,
    InvoiceDraft,
    InvoiceKind,
    KontingentContract,
    KontingentStatement,
    LedgerEntry,
    LineKind,
    MoneyLine,
    PayerBill,
    RestAtEnd,
    ServiceEntry,
    Unit,
)
from rules.proration import contract_days
from rules.selection import Payers, Selection, select

_HALF = Decimal("0.5")
_ORDER = {kind: place for place, kind in enumerate(LineKind)}


@dataclass(slots=True)
class _Part:
    """One payer's month while it is being put together."""

    charged: list[Charged] = field(default_factory=list)
    statements: list[KontingentStatement] = field(default_factory=list)
    kontingent_invoices: list[InvoiceDraft] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)


class _Parts:
    """The parts of all payers, found by the site that something belongs to."""

    __slots__ = ("_payers", "by_payer")

    def __init__(self, payers: Payers) -> None:
        self._payers = payers
        self.by_payer: dict[str | None, _Part] = {}

    def of(self, site: str | None) -> _Part:
        """The part of the site's payer; it comes into being with the first thing that belongs there."""
        return self.by_payer.setdefault(self._payers.of(site), _Part())

    def in_order(self) -> list[tuple[str | None, _Part]]:
        """Head office first, then by site code."""
        return sorted(self.by_payer.items(), key=lambda item: (item[0] is not None, item[0] or ""))


def bill_month(given: CustomerMonth) -> CustomerBill:
    """Compute one customer's month. The same input in any order gives the same bill."""
    chosen = select(given)
    parts = _Parts(Payers(given))
    folds = {contract.number: _fold(contract, given.month) for contract in given.kontingente}
    usage = _charge_entries(given, chosen, parts, folds)
    new_rows: list[LedgerEntry] = []
    for contract in sorted(given.kontingente, key=lambda contract: contract.number):
        grants = missing_grants(contract, given.month.last_day)
        drawn = [row for row in usage if row.contract == contract.number]
        new_rows += [*grants, *drawn]
        rows = [*standing_rows(contract), *grants, *drawn]
        if drawn or _touches(contract, rows, given.month):
            _add_contract(given, contract, rows, folds[contract.number], parts.of(contract.site))
    _add_left_out(chosen, parts)
    bills = tuple(_payer_bill(given, payer, part) for payer, part in parts.in_order())
    return CustomerBill(given.customer, given.month, bills, tuple(new_rows))


def _fold(contract: KontingentContract, month: Month) -> Balances:
    """The ledger before this run's work; far enough for work that counts on the day after a late opening."""
    return balances(contract, max(month.last_day, ledger_day(contract, opening_day(contract))))


def _charge_entries(given: CustomerMonth, chosen: Selection, parts: _Parts, folds: dict[str, Balances]) -> list[LedgerEntry]:
    """Charge in drawing order over all sites; what other systems reported counts as use before that."""
    ledgers = Ledgers(given, folds)
    usage = [row for entry in chosen.elsewhere if (row := draw_elsewhere(given, ledgers, entry))]
    charger = Charger(given, ledgers)
    for entry in chosen.due:
        part = parts.of(entry.site)
        outcome = charger.charge(entry)
        if isinstance(outcome, Blocker):
            part.blockers.append(outcome)
            continue
        part.charged.append(outcome)
        if outcome.usage:
            usage.append(outcome.usage)
        if outcome.hint:
            part.hints.append(outcome.hint)
    return usage


def _touches(contract: KontingentContract, rows: list[LedgerEntry], month: Month) -> bool:
    """Whether the month has a day of the contract or a row of its ledger."""
    return contract_days(month, contract.starts_on, contract.ends_on) > 0 or any(month.contains(row.day) for row in rows)


def _add_contract(
    given: CustomerMonth, contract: KontingentContract, rows: list[LedgerEntry], fold: Balances, part: _Part
) -> None:
    """Statement, invoice and hint of a contract, at the payer of its site."""
    month = given.month
    said = statement(contract.number, rows, fold, month)
    part.statements.append(replace(said, correction_proposed=proposed(contract, fold, month)))
    if draft := monthly_invoice(contract, month, given.vat_rate):
        part.kontingent_invoices.append(draft)
    if contract.ends_on is not None and month.contains(contract.ends_on) and said.balance > 0:
        part.hints.append(_rest_hint(contract, said.balance))


def _rest_hint(contract: KontingentContract, minutes: int) -> Hint:
    what = "auszuzahlen" if contract.rest_at_end is RestAtEnd.PAID_OUT else "noch abzuleisten"
    text = (
        f"Vertrag {contract.number} endet am {contract.ends_on:%d.%m.%Y} mit einem Rest von {minutes} Minuten. "
        f"Vereinbart ist: {what}. Bitte mit dem Kunden abwickeln."
    )
    return Hint(contract.number, text)


def _add_left_out(chosen: Selection, parts: _Parts) -> None:
    for entry, contract in chosen.excluded:
        parts.of(entry.site).excluded.append(Excluded(entry.id, contract.number))
    for entry in chosen.unapproved:
        parts.of(entry.site).blockers.append(_unapproved(entry))


def _unapproved(entry: ServiceEntry) -> Blocker:
    why = (
        f"Leistung {entry.id} vom {entry.work_date:%d.%m.%Y} ist nicht freigegeben. Bitte freigeben; sonst kommt sie in den "
        "nächsten Lauf."
    )
    return Blocker("entry", entry.id, why, "back_office")


def _payer_bill(given: CustomerMonth, site: str | None, part: _Part) -> PayerBill:
    groups = _groups((piece for charged in part.charged for piece in charged.pieces), given.vat_rate)
    service = invoice(InvoiceKind.SERVICE, None, groups)
    return PayerBill(
        site=site,
        entries=_by_site([charged.line for charged in part.charged]),
        groups=groups,
        kontingente=tuple(part.statements),
        invoices=((service,) if service else ()) + tuple(part.kontingent_invoices),
        excluded=tuple(part.excluded),
        blockers=tuple(part.blockers),
        hints=tuple(part.hints),
    )


def _by_site(lines: list[EntryLine]) -> tuple[EntryLine, ...]:
    """Grouped by site, in drawing order within; entries without a site first."""
    return tuple(sorted(lines, key=lambda line: line.site or ""))


def _groups(pieces: Iterable[Piece], vat_rate: Decimal) -> tuple[MoneyLine, ...]:
    """Sum per kind and unit price, then compute each amount once."""
    sums: dict[tuple[LineKind, Decimal], int] = {}
    for piece in pieces:
        key = (piece.kind, piece.price)
        sums[key] = sums.get(key, 0) + piece.amount
    order = sorted(sums, key=lambda key: (_ORDER[key[0]], key[1]))
    return tuple(_line(kind, price, sums[kind, price], vat_rate) for kind, price in order)


def _line(kind: LineKind, price: Decimal, amount: int, vat_rate: Decimal) -> MoneyLine:
    if kind is LineKind.TRIP:
        return count_line(kind, Unit.TRIP, Decimal(amount), price, vat_rate)
    if kind is LineKind.PROJECT_DAY:
        return count_line(kind, Unit.DAY, amount * _HALF, price, vat_rate)
    return hour_line(kind, amount, price, vat_rate)
