"""When an over-booked Kontingent is proposed for correction, and by how much (S169, U6). Page: docs/rules/korrektur.md"""

import enum
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from rules.kontingent import Balances, balances, opening_day
from rules.month import Month
from rules.monthly_types import KontingentContract, LedgerKind
from rules.proration import minutes_share

_NUMBERED = re.compile(r"(below_months|after_months)=([1-9]\d{0,3})", re.ASCII)


class RuleKind(enum.StrEnum):
    """The four rules a contract can name."""

    NEVER = "never"
    QUARTER_END = "quarter_end"
    BELOW_MONTHS = "below_months"
    AFTER_MONTHS = "after_months"


@dataclass(frozen=True, slots=True)
class CorrectionRule:
    """Correction rule of a contract; `months` is the N of `below_months=N` and `after_months=N`, else 0."""

    kind: RuleKind
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the contract's field; empty is the default `quarter_end`.

        Raises:
            ValueError: German sentence with the text and what is allowed.
        """
        if text in ("", RuleKind.QUARTER_END):
            return cls(RuleKind.QUARTER_END)
        if text == RuleKind.NEVER:
            return cls(RuleKind.NEVER)
        found = _NUMBERED.fullmatch(text)
        if found is None:
            raise ValueError(
                f"Korrekturregel »{text}« ist unbekannt: erlaubt sind never, quarter_end, below_months=N und "
                "after_months=N mit N ab 1."
            )
        return cls(RuleKind(found[1]), int(found[2]))

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return f"{self.kind}={self.months}" if self.months else self.kind.value


def proposed(contract: KontingentContract, fold: Balances, month: Month) -> int:
    """Missing minutes to propose at the end of the month, 0 = none.

    A month end that the opening contains is never corrected: the ledger row would be contained in it as well.
    """
    closing = fold.on(month.last_day)
    if closing >= 0 or month.last_day <= opening_day(contract):
        return 0
    rule = CorrectionRule.parse(contract.correction_rule)
    due = {
        RuleKind.NEVER: _never,
        RuleKind.QUARTER_END: _quarter_end,
        RuleKind.BELOW_MONTHS: _below_months,
        RuleKind.AFTER_MONTHS: _after_months,
    }[rule.kind]
    return -closing if due(contract, fold, month, rule.months) else 0


def releasable(contract: KontingentContract, month: Month, proposed_minutes: int) -> int:
    """What of a month's proposal may still be billed, by the ledger as it stands now (U6: never the same minutes twice).

    Never more than is missing at the month's end, less what corrections of later months have already billed.
    """
    last = month.last_day
    if last <= opening_day(contract):
        return 0
    later = sum(row.minutes for row in contract.ledger if row.kind is LedgerKind.CORRECTION and row.day > last)
    return max(min(proposed_minutes, -(balances(contract, last).on(last) + later)), 0)


def _never(contract: KontingentContract, fold: Balances, month: Month, months: int) -> bool:
    del contract, fold, month, months
    return False


def _quarter_end(contract: KontingentContract, fold: Balances, month: Month, months: int) -> bool:
    del fold, months
    return month.number % 3 == 0 or (contract.ends_on is not None and month.contains(contract.ends_on))


def _below_months(contract: KontingentContract, fold: Balances, month: Month, months: int) -> bool:
    whole_grant = minutes_share(contract.hours_per_month, Fraction(1))
    return fold.on(month.last_day) < -months * whole_grant


def _after_months(contract: KontingentContract, fold: Balances, month: Month, months: int) -> bool:
    """N closings in a row below zero, this one included; only closings of the contract's own days and ledger count."""
    for back in range(months):
        day = month.plus(-back).last_day
        if day < contract.starts_on or day < opening_day(contract) or fold.on(day) >= 0:
            return False
    return True
