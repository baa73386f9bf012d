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
_ORDER = {kind: position for position, kind in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class ChargedLine:
    """One charged line of a month: kind, quantity in its unit, net EUR."""

    kind: str
    quantity: Decimal
    net: Decimal


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


def _sums(lines: Iterable[ChargedLine]) -> dict[str, tuple[Decimal, Decimal]]:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines:
        quantity, net = sums.get(line.kind, (Decimal(0), ZERO))
        sums[line.kind] = (quantity + line.quantity, net + line.net)
    return sums


def _effects_of(kind: str, now: tuple[Decimal, Decimal] | None, before: tuple[Decimal, Decimal] | None) -> list[Effect]:
    name = NAMES.get(kind, kind)
    if before is None and now is not None:
        return [Effect(now[1], f"{name}: neu, {german(now[0])} ({euro(now[1])})")]
    if now is None and before is not None:
        return [Effect(-before[1], f"{name}: entfallen ({euro(-before[1])})")]
    if now is None or before is None:
        return []
    (quantity, net), (old_quantity, old_net) = now, before
    difference = net - old_net
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
        effects.append(Effect(rest, f"{name}: Preis {german(old_price)} € → {german(price)} € ({euro(rest)})"))
    return effects


def effects(now: Iterable[ChargedLine], before: Iterable[ChargedLine]) -> list[Effect]:
    """Every reason of the difference between two months; their `net` sums to it exactly."""
    this, last = _sums(now), _sums(before)
    kinds = sorted(this.keys() | last.keys(), key=lambda kind: (_ORDER.get(kind, 99), kind))
    return [effect for kind in kinds for effect in _effects_of(kind, this.get(kind), last.get(kind))]
