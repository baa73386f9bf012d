"""Minutes: raw ones stay, billed ones follow minimum and unit, usage adds the surcharge. Page: docs/rules/minuten.md"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

DEFAULT_MINIMUM = 15
DEFAULT_UNIT = 15
HALF_DAY = 240
"""Minutes of half a project day."""


def billed_minutes(raw: int, minimum: int | None = None, unit: int | None = None) -> int:
    """Raw minutes raised to the minimum, then rounded up to a multiple of the unit; None = 15.

    A unit below one minute cannot exist and counts as one minute.
    """
    raised = max(raw, DEFAULT_MINIMUM if minimum is None else minimum)
    step = DEFAULT_UNIT if unit is None else max(unit, 1)
    return -(-raised // step) * step


def half_days(raw: int) -> int:
    """Half project days begun: raw / 480 rounded up to the next 0.5, counted in halves."""
    return -(-raw // HALF_DAY)


def usage_minutes(billed: int, percent: Decimal) -> int:
    """What billed minutes take from a Kontingent: raised by the surcharge, rounded up to the minute."""
    if not percent:
        return billed
    return int((billed * (100 + percent) / 100).to_integral_value(ROUND_CEILING))


def billed_within(usage: int, percent: Decimal) -> int:
    """The billed minutes that so much usage pays for: usage * 100 / (100 + percent), rounded down."""
    if not percent:
        return usage
    return int((usage * 100 / (100 + percent)).to_integral_value(ROUND_FLOOR))
