"""Pro rata by calendar days, for hours and money alike (U24). Page: docs/rules/anteilige-monate.md"""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from rules.money import cents_of
from rules.month import Month

_MINUTE = Decimal(1)


def in_force(starts_on: dt.date | None, ends_on: dt.date | None, day: dt.date) -> bool:
    """Whether the day lies between both ends; both inclusive, None = open."""
    return (starts_on is None or starts_on <= day) and (ends_on is None or day <= ends_on)


def contract_days(month: Month, starts_on: dt.date, ends_on: dt.date | None) -> int:
    """Calendar days of the month on which the contract is in force; 0 = none."""
    first = max(month.first_day, starts_on)
    last = month.last_day if ends_on is None else min(month.last_day, ends_on)
    return max((last - first).days + 1, 0)


def share(month: Month, starts_on: dt.date, ends_on: dt.date | None) -> Fraction:
    """The part of the month that the contract is in force: 1 for a whole month, 0 for none."""
    return Fraction(contract_days(month, starts_on, ends_on), month.days)


def minutes_share(hours: Decimal, part: Fraction) -> int:
    """Agreed hours of a month as minutes, times the part, rounded half up to the minute once."""
    exact = Fraction(hours) * 60 * part
    return int((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_MINUTE, ROUND_HALF_UP))


def money_share(hours: Decimal, hour_price: Decimal, part: Fraction) -> Decimal:
    """Agreed hours times their price times the part, rounded half up to the cent once."""
    return cents_of(Fraction(hours) * Fraction(hour_price) * part)
