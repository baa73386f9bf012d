"""What a despatch advice means against the open orders: who gets how much, and what does not fit. Pure.

A position is laid against the order line that it names; without one, against the open lines of that product, oldest first.
What does not fit is never forced: it becomes a difference that a person answers.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


class DifferenceKind(enum.StrEnum):
    """What does not fit between order, advice and shelf."""

    UNKNOWN_ARTICLE = "unknown_article"
    UNKNOWN_ORDER = "unknown_order"
    NOT_ORDERED = "not_ordered"
    OVER_DELIVERY = "over_delivery"
    UNDER_DELIVERY = "under_delivery"
    SERIAL_MISSING = "serial_missing"
    SERIAL_SURPLUS = "serial_surplus"
    SERIAL_TWICE = "serial_twice"
    SERIAL_KNOWN = "serial_known"
    COUNTED_LESS = "counted_less"
    COUNTED_MORE = "counted_more"
    TOLD_OTHERWISE = "told_otherwise"


@dataclass(frozen=True, slots=True)
class Position:
    """One position as told. `product` is None while the article is unknown."""

    position: int
    article: str
    text: str
    quantity: Decimal
    product: int | None = None
    serial_tracked: bool = False
    serials: tuple[str, ...] = ()
    order_number: str = ""
    order_line: str = ""
    outstanding: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OpenLine:
    """One order line of the supplier. `open` may be zero: what is told beyond it is an over-delivery."""

    key: int
    number: str
    line: str
    product: int
    product_name: str
    ordered: Decimal
    open: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of a position belongs to that order line."""

    position: int
    order_line: int
    quantity: Decimal
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit; `text` is the German sentence of the list that the supplier gets."""

    kind: DifferenceKind
    subject: str
    text: str
    position: int | None = None
    expected: str = ""
    received: str = ""


@dataclass(slots=True)
class Matched:
    """Result of `match`."""

    allocations: list[Allocation] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    fulfilled: list[str] = field(default_factory=list)
    """Order lines (`number/line`) of which nothing is open any more: a rest that was missed earlier has come."""


def amount(value: Decimal) -> str:
    """4.0000 -> 4; 2.5 -> 2,5"""
    shown = f"{value.normalize():f}"
    return shown.replace(".", ",")


def match(positions: Sequence[Position], lines: Sequence[OpenLine], known_serials: Iterable[str] = ()) -> Matched:
    """Lay an advice against the orders of its supplier.

    Args:
        positions: in the advice's order.
        lines: all order lines of the supplier that matter, oldest first.
        known_serials: serials of the advice that another receipt or an asset already has.
    """
    result = Matched()
    left = {line.key: line.open for line in lines}
    known, seen = set(known_serials), set[str]()
    for position in positions:
        _serial_checks(position, known, seen, result)
        if position.product is None:
            result.differences.append(_unknown_article(position))
            continue
        _allocate(position, _candidates(position, lines, result), left, result)
    _rests(positions, lines, left, result)
    return result


def _unknown_article(position: Position) -> Difference:
    return Difference(
        DifferenceKind.UNKNOWN_ARTICLE,
        f"{position.position}:{position.article or position.text}",
        f"Position {position.position}: Artikel {position.article or 'ohne Nummer'} ({position.text or 'ohne Text'}), "
        f"{amount(position.quantity)} Stück, ist uns nicht bekannt und nicht bestellt.",
        position.position,
        received=amount(position.quantity),
    )


def _candidates(position: Position, lines: Sequence[OpenLine], result: Matched) -> list[OpenLine]:
    if not position.order_number:
        return [line for line in lines if line.product == position.product]
    order = [line for line in lines if line.number == position.order_number]
    if not order:
        result.differences.append(
            Difference(
                DifferenceKind.UNKNOWN_ORDER,
                f"{position.position}:{position.order_number}",
                f"Position {position.position}: Die Bestellung {position.order_number} gibt es bei uns für Sie nicht.",
                position.position,
                received=amount(position.quantity),
            )
        )
        return []
    exact = [line for line in order if line.line == position.order_line and line.product == position.product]
    others = [line for line in order if line.product == position.product and line not in exact]
    found = exact or others
    if not found:
        result.differences.append(
            Difference(
                DifferenceKind.NOT_ORDERED,
                f"{position.position}:{position.article}",
                f"Position {position.position}: Artikel {position.article} ({position.text}) ist mit {position.order_number} "
                "nicht bestellt.",
                position.position,
                received=amount(position.quantity),
            )
        )
    return found


def _allocate(position: Position, candidates: Sequence[OpenLine], left: dict[int, Decimal], result: Matched) -> None:
    rest, serials = position.quantity, list(dict.fromkeys(position.serials))
    for line in candidates:
        take = min(rest, left[line.key])
        if take <= ZERO:
            continue
        left[line.key] -= take
        rest -= take
        mine = tuple(serials[: int(take)]) if position.serial_tracked else ()
        serials = serials[len(mine) :]
        result.allocations.append(Allocation(position.position, line.key, take, mine))
    if rest > ZERO and candidates:
        ordered = sum((line.ordered for line in candidates), ZERO)
        where = ", ".join(f"{line.number}/{line.line}" for line in candidates)
        result.differences.append(
            Difference(
                DifferenceKind.OVER_DELIVERY,
                f"{position.position}:{position.article}",
                f"Position {position.position}: Von {position.article} ({position.text}) kommen {amount(rest)} Stück mehr, "
                f"als zu {where} offen sind (bestellt {amount(ordered)}).",
                position.position,
                amount(position.quantity - rest),
                amount(position.quantity),
            )
        )
    elif rest > ZERO and not position.order_number:
        result.differences.append(
            Difference(
                DifferenceKind.NOT_ORDERED,
                f"{position.position}:{position.article}",
                f"Position {position.position}: Artikel {position.article} ({position.text}) ist bei Ihnen nicht bestellt.",
                position.position,
                received=amount(position.quantity),
            )
        )


def _rests(positions: Sequence[Position], lines: Sequence[OpenLine], left: dict[int, Decimal], result: Matched) -> None:
    """A touched order line that stays open without the sender saying so is an under-delivery; announced rests are not."""
    told: dict[int, Decimal] = {}
    by_position = {p.position: p for p in positions}
    for allocation in result.allocations:
        told[allocation.order_line] = told.get(allocation.order_line, ZERO) + (
            by_position[allocation.position].outstanding or ZERO
        )
    result.fulfilled = [f"{line.number}/{line.line}" for line in lines if line.key in told and left[line.key] <= ZERO]
    for line in lines:
        rest = left[line.key]
        if line.key in told and rest > told[line.key]:
            result.differences.append(
                Difference(
                    DifferenceKind.UNDER_DELIVERY,
                    f"{line.number}/{line.line}",
                    f"Zu Bestellung {line.number} Position {line.line} ({line.product_name}) "
                    f"{'fehlt' if rest == 1 else 'fehlen'} {amount(rest)} von "
                    f"{amount(line.ordered)} Stück.",
                    None,
                    amount(line.open),
                    amount(line.open - rest),
                )
            )


def _serial_checks(position: Position, known: set[str], seen: set[str], result: Matched) -> None:
    where = f"Position {position.position} ({position.article})"
    own = set[str]()
    for serial in position.serials:
        kind = (
            DifferenceKind.SERIAL_TWICE if serial in seen or serial in own
            else DifferenceKind.SERIAL_KNOWN if serial in known
            else None
        )  # fmt: skip
        own.add(serial)
        if kind is not None:
            what = "steht im Avis mehrfach" if kind is DifferenceKind.SERIAL_TWICE else "ist bei uns schon erfasst"
            result.differences.append(
                Difference(kind, serial, f"{where}: Die Seriennummer {serial} {what}.", position.position)
            )
    seen |= own
    if not position.serial_tracked:
        return
    count = Decimal(len(own))
    if count != position.quantity:
        kind = DifferenceKind.SERIAL_MISSING if count < position.quantity else DifferenceKind.SERIAL_SURPLUS
        result.differences.append(
            Difference(
                kind,
                f"{position.position}:{position.article}",
                f"{where}: {amount(position.quantity)} Stück, aber {amount(count)} Seriennummern.",
                position.position,
                amount(position.quantity),
                amount(count),
            )
        )
