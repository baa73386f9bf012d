"""Why a month costs what it costs: the difference to last month, taken apart until its parts add up to it.

Per kind of line the difference is split into an effect of quantity (at last month's price) and one of price (the rest),
so the effects of all kinds sum exactly to the difference. Page: docs/rules/abweichungen.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from rules.money import ZERO, cents

NAMES = {
    "standard": "Stunden (Standard)",
    "after_hours": "Stunden außerhalb der Servicezeit",
    "weekend": "Stunden am Wochenende",
    "project_day": "Projekttage",
    "trip": "Anfahrten",
    "kontingent": "Kontingent",
    "correction": "Überbuchung des Kontingents",
}
PART_OF_A_MONTH = "month"
"""The unit of a Kontingent month billed pro rata."""
_ORDER = {kind: position for position, kind in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class ChargedLine:
    """One charged line of a month: kind, quantity in its unit, net EUR. Only equal units compare."""

    kind: str
    quantity: Decimal
    net: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One reason: net EUR that it adds (or takes), and the German sentence."""

    net: Decimal
    text: str


def german(amount: Decimal, places: int = 2) -> str:
    """1234.5 as `1.234,50`."""
    return f"{amount:,.{places}f}".translate(str.maketrans(",.", ".,"))


def euro(amount: Decimal) -> str:
    """A signed difference in EUR: `+95,00 €`, `−12,50 €` (true minus sign)."""
    return f"{'−' if amount < 0 else '+'}{german(abs(amount))} €"


@dataclass(frozen=True, slots=True)
class _Sum:
    """All lines of a kind in one month."""

    quantity: Decimal = Decimal(0)
    net: Decimal = ZERO
    units: frozenset[str] = frozenset()
    lines: int = 0
    """A line holds one price; with several of them only their average can be named."""

    @property
    def in_part(self) -> bool:
        """Whether a month billed pro rata is among them: it is a line of one month, a whole one counts its hours."""
        return PART_OF_A_MONTH in self.units

    def plus(self, line: ChargedLine) -> "_Sum":
        return _Sum(self.quantity + line.quantity, self.net + line.net, self.units | {line.unit}, self.lines + 1)


def _sums(lines: Iterable[ChargedLine]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for line in lines:
        sums[line.kind] = sums.get(line.kind, _Sum()).plus(line)
    return sums


def _effects_of(kind: str, now: _Sum | None, before: _Sum | None) -> list[Effect]:
    name = NAMES.get(kind, kind)
    if before is None and now is not None:
        what = "anteiliger Monat" if now.in_part else german(now.quantity)
        return [Effect(now.net, f"{name}: neu, {what} ({euro(now.net)})")]
    if now is None and before is not None:
        return [Effect(-before.net, f"{name}: entfallen ({euro(-before.net)})")]
    if now is None or before is None:
        return []
    difference = now.net - before.net
    if now.in_part or before.in_part:
        return _effects_in_part(name, now, difference)
    return _effects_in_units(name, now, before, difference)


def _effects_in_part(name: str, now: _Sum, difference: Decimal) -> list[Effect]:
    """Of a month in part the quantity says nothing: one sentence for the whole difference."""
    if not difference:
        return []
    word = "anteiliger Monat" if now.in_part else "voller Monat nach einem anteiligen"
    return [Effect(difference, f"{name}: {word} ({euro(difference)})")]


def _effects_in_units(name: str, now: _Sum, before: _Sum, difference: Decimal) -> list[Effect]:
    (quantity, net), (old_quantity, old_net) = (now.quantity, now.net), (before.quantity, before.net)
    by_quantity = cents((quantity - old_quantity) * old_net / old_quantity) if old_quantity else difference
    effects = []
    if quantity != old_quantity:
        word = "mehr" if quantity > old_quantity else "weniger"
        moved = german(abs(quantity - old_quantity))
        effects.append(Effect(by_quantity, f"{name}: {moved} {word} ({euro(by_quantity)})"))
    if rest := difference - (by_quantity if effects else ZERO):
        old_price, price = (
            (cents(old_net / old_quantity) if old_quantity else ZERO),
            (cents(net / quantity) if quantity else ZERO),
        )
        word = "Preis" if now.lines == before.lines == 1 else "Durchschnittspreis"
        effects.append(Effect(rest, f"{name}: {word} {german(old_price)} € → {german(price)} € ({euro(rest)})"))
    return effects


def effects(now: Iterable[ChargedLine], before: Iterable[ChargedLine]) -> list[Effect]:
    """Every reason of the difference between two months; their `net` sums to it exactly."""
    this, last = _sums(now), _sums(before)
    kinds = sorted(this.keys() | last.keys(), key=lambda kind: (_ORDER.get(kind, 99), kind))
    return [effect for kind in kinds for effect in _effects_of(kind, this.get(kind), last.get(kind))]
