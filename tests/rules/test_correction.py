import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.correction import CorrectionRule, proposed, releasable
from rules.kontingent import balances, correction_invoice
from rules.month import Month
from rules.monthly_types import KontingentContract, LedgerEntry, LedgerKind, Opening
from tests.rules.strategies import RULES, kontingente
from tests.rules.tables import each_row, maybe_day, number

START = dt.date(2026, 1, 1)


def with_closings(rule: str, month: Month, ends_on: dt.date | None, closings: list[int]) -> KontingentContract:
    """A contract of 10 hours whose last month ends stand at these balances."""
    terms = KontingentContract("V-1", START, ends_on, Decimal(10), Decimal(90), overdraft_allowed=True, correction_rule=rule)
    for back, wanted in zip(range(len(closings) - 1, -1, -1), closings, strict=True):
        end = month.plus(-back).last_day
        off = balances(terms, end).on(end) - wanted
        row = LedgerEntry("V-1", end, LedgerKind.USAGE, -off, f"L{back}")
        terms = dataclasses.replace(terms, ledger=(*terms.ledger, row))
    return terms


@pytest.mark.promise("S169")
@pytest.mark.promise("U6")
@each_row("korrektur.md", "Vorschläge")
def test_the_table_of_proposals(row: dict[str, str]) -> None:
    month = Month.parse(row["Monat"])
    closings = [int(row[c]) for c in ("vorvorletzter", "vorletzter", "letzter")]
    terms = with_closings(row["Regel"], month, maybe_day(row["Vertragsende"]), closings)
    assert proposed(terms, balances(terms, month.last_day), month) == int(row["Vorschlag"])


@pytest.mark.promise("U7")
@each_row("korrektur.md", "Abrechnung")
def test_the_table_of_correction_invoices(row: dict[str, str]) -> None:
    terms = KontingentContract("V-1", START, None, Decimal(10), number(row["Stundenpreis"]))
    draft, back = correction_invoice(terms, Month(2026, 9), int(row["fehlende Minuten"]), Decimal(19))
    assert draft is not None
    assert (draft.kind, draft.contract) == ("correction", "V-1")
    assert [draft.net, draft.vat, draft.gross] == [number(row[c]) for c in ("Netto", "Umsatzsteuer 19 %", "Brutto")]
    assert back == LedgerEntry("V-1", dt.date(2026, 9, 30), LedgerKind.CORRECTION, int(row["zurück ins Konto"]))


@pytest.mark.promise("U6")
@given(kontingente(), st.sampled_from(RULES), st.integers(0, 9))
def test_a_corrected_month_closes_at_zero_and_proposes_nothing_again(terms: KontingentContract, rule: str, step: int) -> None:
    terms = dataclasses.replace(terms, correction_rule=rule)
    month = Month(2026, 6).plus(step)
    missing = proposed(terms, balances(terms, month.last_day), month)
    if not missing:
        return
    later = sum(row.minutes for row in terms.ledger if row.kind is LedgerKind.CORRECTION and row.day > month.last_day)
    assert releasable(terms, month, missing) == max(missing - later, 0)
    _, back = correction_invoice(terms, month, missing, Decimal(19))
    paid = dataclasses.replace(terms, ledger=(*terms.ledger, back))
    fold = balances(paid, month.last_day)
    assert fold.on(month.last_day) == 0
    assert proposed(paid, fold, month) == 0
    assert releasable(paid, month, missing) == 0
    assert releasable(terms, month, missing + 100) <= missing


def test_the_same_minutes_are_never_released_twice() -> None:
    terms = with_closings("after_months=1", Month(2026, 10), None, [0, -60, -100])
    september, october = Month(2026, 9), Month(2026, 10)
    _, back = correction_invoice(terms, october, 100, Decimal(19))
    assert releasable(dataclasses.replace(terms, ledger=(*terms.ledger, back)), september, 60) == 0
    _, back = correction_invoice(terms, september, 60, Decimal(19))
    assert releasable(dataclasses.replace(terms, ledger=(*terms.ledger, back)), october, 100) == 40


def test_an_opening_is_never_corrected_and_starts_the_count() -> None:
    terms = KontingentContract("V-1", START, None, Decimal(0), Decimal(90), opening=Opening(dt.date(2026, 9, 30), -60))
    assert proposed(terms, balances(terms, dt.date(2026, 9, 30)), Month(2026, 9)) == 0
    assert releasable(terms, Month(2026, 9), 60) == 0
    counted = dataclasses.replace(terms, correction_rule="after_months=2")
    assert proposed(counted, balances(counted, dt.date(2026, 10, 31)), Month(2026, 10)) == 60
    longer = dataclasses.replace(terms, correction_rule="after_months=3")
    assert proposed(longer, balances(longer, dt.date(2026, 10, 31)), Month(2026, 10)) == 0


@given(st.sampled_from(RULES))
def test_a_rule_survives_being_written(text: str) -> None:
    assert str(CorrectionRule.parse(text)) == text
    assert CorrectionRule.parse("") == CorrectionRule.parse("quarter_end")


@pytest.mark.parametrize(
    "text", ["monthly", "below_months", "below_months=0", "after_months=-1", "after_months=1.5", "never=1", " never"]
)
def test_an_unknown_rule_is_refused_in_german(text: str) -> None:
    with pytest.raises(ValueError, match=r"Korrekturregel .* erlaubt sind"):
        CorrectionRule.parse(text)
