"""The only place that rounds money: half up to cents, VAT per rate from the net sum. Page: docs/rules/geld.md"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from rules.monthly_types import InvoiceDraft, InvoiceKind, LineKind, MoneyLine, Unit, VatGroup

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
_QUANTITY = Decimal("0.0001")
_WHOLE = Decimal(1)


def cents(amount: Decimal) -> Decimal:
    """EUR rounded half up to the cent; below zero away from zero, so a cancellation mirrors its invoice."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def cents_of(amount: Fraction) -> Decimal:
    """An exact fraction of EUR, rounded half up to the cent."""
    return cents(Decimal(amount.numerator) / Decimal(amount.denominator))


def tidy(value: Decimal) -> Decimal:
    """The same value with at least two decimals and no needless zeros: 95.0000 becomes 95.00, 0.1250 becomes 0.125."""
    if value == (rounded := value.quantize(CENT, ROUND_HALF_UP)):
        return rounded
    return value.normalize()


def tidy_percent(value: Decimal) -> Decimal:
    """A percent without needless zeros: 19.00 becomes 19."""
    return value.quantize(_WHOLE) if value == value.to_integral_value() else value.normalize()


def hours(minutes: int) -> Decimal:
    """Minutes as hours for print: two decimals where they suffice, else four, half up. Amounts never use this."""
    return tidy((Decimal(minutes) / 60).quantize(_QUANTITY, ROUND_HALF_UP))


def hour_amount(minutes: int, price: Decimal) -> Decimal:
    """Net of an hour group: minutes / 60 * price, rounded once."""
    return cents(minutes * price / 60)


def vat_of(net: Decimal, rate: Decimal) -> Decimal:
    """VAT of a net sum at a rate in percent (EN 16931, BT-117)."""
    return cents(net * rate / 100)


def line_key(kind: LineKind, price: Decimal, vat_rate: Decimal) -> str:
    """The key of a group inside its report: kind of service, unit price, VAT rate."""
    return f"{kind}:{tidy(price)}:{tidy_percent(vat_rate)}"


def hour_line(kind: LineKind, minutes: int, price: Decimal, vat_rate: Decimal) -> MoneyLine:
    """A line charged by the hour; the net comes from the exact minutes, not from the printed quantity."""
    rate = tidy_percent(vat_rate)
    net = hour_amount(minutes, price)
    return MoneyLine(line_key(kind, price, rate), kind, hours(minutes), Unit.HOUR, tidy(price), rate, net, minutes)


def count_line(kind: LineKind, unit: Unit, quantity: Decimal, price: Decimal, vat_rate: Decimal) -> MoneyLine:
    """A line of counted units (days, trips, a month): quantity * price, rounded once."""
    rate = tidy_percent(vat_rate)
    net = cents(quantity * price)
    return MoneyLine(line_key(kind, price, rate), kind, tidy(quantity), unit, tidy(price), rate, net)


def vat_groups(lines: Iterable[MoneyLine]) -> tuple[VatGroup, ...]:
    """Net sum and VAT per rate, highest rate first."""
    sums: dict[Decimal, Decimal] = {}
    for line in lines:
        sums[line.vat_rate] = sums.get(line.vat_rate, ZERO) + line.net
    return tuple(VatGroup(rate, sums[rate], vat_of(sums[rate], rate)) for rate in sorted(sums, reverse=True))


def invoice(kind: InvoiceKind, contract: str | None, lines: Sequence[MoneyLine]) -> InvoiceDraft | None:
    """Totals over the lines: gross = net + VAT. None when nothing is to be paid: there is no zero invoice (U10)."""
    if not any(line.net for line in lines):
        return None
    groups = vat_groups(lines)
    net = sum((group.net for group in groups), ZERO)
    vat = sum((group.vat for group in groups), ZERO)
    return InvoiceDraft(kind, contract, tuple(lines), net, groups, vat, net + vat)
