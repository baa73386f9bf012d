"""Does a Kontingent fit? Too tight, too generous, and how many hours would (S116, S170-S172). Pure.

Page: docs/rules/vertragspassung.md. One month says nothing: a verdict needs three closed months, and the last three must
all point the same way.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

MONTHS_NEEDED = 3
"""Closed months before anything is said."""
LOOK_BACK = 12
"""Months that the need is measured over."""
GENEROUS_MONTHS = 3
"""A saved balance of so many monthly grants is more than a reserve."""
GENEROUS_SHARE = Decimal("0.70")
"""Using no more than this share of the grants lets the balance grow."""
SOON = 3
"""Months ahead in which a balance that runs out is a matter of today."""
STEP_MINUTES = 30
"""Hours are proposed in halves."""


class Fit(enum.StrEnum):
    """The verdict."""

    TOO_TIGHT = "too_tight"
    TOO_GENEROUS = "too_generous"
    FITS = "fits"
    TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """One closed month of a contract, in minutes: granted, needed (use, and what went to money beyond it), closing balance."""

    granted: int
    needed: int
    balance: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The verdict with its figures.

    `needed`: mean minutes a month. `suggested`: minutes a month that would fit, in half hours, 0 = unknown.
    `months_left`: months until the balance is used up at this pace; None = it does not fall.
    """

    fit: Fit
    needed: int
    suggested: int
    months_left: int | None
    overdrawn_months: int


def suggested_minutes(needs: Sequence[int]) -> int:
    """The monthly need to agree on: the mean of the last twelve months, up to the next half hour; 0 without history."""
    recent = list(needs)[-LOOK_BACK:]
    if not recent:
        return 0
    mean = Decimal(sum(recent)) / len(recent)
    return int((mean / STEP_MINUTES).to_integral_value(ROUND_CEILING)) * STEP_MINUTES


def advise(months: Sequence[ClosedMonth], monthly_grant: int) -> Advice:
    """Judge a contract by its closed months, oldest first.

    Args:
        months: closed whole months of the contract.
        monthly_grant: minutes granted in a whole month today.
    """
    recent = list(months)[-LOOK_BACK:]
    needed = round(Decimal(sum(m.needed for m in recent)) / len(recent)) if recent else 0
    overdrawn = 0
    for month in reversed(recent):
        if month.balance >= 0:
            break
        overdrawn += 1
    if len(recent) < MONTHS_NEEDED:
        return Advice(Fit.TOO_EARLY, needed, suggested_minutes([m.needed for m in recent]), None, overdrawn)
    last = recent[-MONTHS_NEEDED:]
    loss = needed - monthly_grant
    balance = recent[-1].balance
    left = None if loss <= 0 else max(balance, 0) // loss
    fit = Fit.FITS
    if all(m.needed > m.granted for m in last) and (balance < 0 or (left is not None and left < SOON)):
        fit = Fit.TOO_TIGHT
    elif all(Decimal(m.needed) <= m.granted * GENEROUS_SHARE for m in last) and balance >= GENEROUS_MONTHS * monthly_grant > 0:
        fit = Fit.TOO_GENEROUS
    return Advice(fit, needed, suggested_minutes([m.needed for m in recent]), left, overdrawn)
