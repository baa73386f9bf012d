import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.kontingent import Balances, Draw, balances, draw, grant_minutes, missing_grants, monthly_invoice, room, statement
from rules.minutes import usage_minutes
from rules.month import Month
from rules.monthly import bill_month
from rules.monthly_types import (
    Agreement,
    CustomerBill,
    CustomerMonth,
    KontingentContract,
    KontingentStatement,
    LedgerEntry,
    LedgerKind,
    Opening,
    RestAtEnd,
    ServiceEntry,
    ServiceKind,
)
from tests.rules.strategies import DAYS, kontingente
from tests.rules.tables import day, each_row, table, yes

OCTOBER = Month(2026, 10)
AGREEMENTS = (Agreement(1, dt.date(2026, 1, 1), Decimal(95)),)


def contract(starts_on: str = "01.01.2026", hours: int = 10, **terms: Any) -> KontingentContract:
    ends_on = terms.pop("ends_on", None)
    return KontingentContract("V-1", day(starts_on), ends_on, Decimal(hours), Decimal(90), **terms)


def october(terms: KontingentContract, *entries: ServiceEntry, month: Month = OCTOBER) -> CustomerBill:
    return bill_month(CustomerMonth("K1", month, agreements=AGREEMENTS, kontingente=(terms,), entries=entries))


def only_statement(bill: CustomerBill) -> KontingentStatement:
    (said,) = [said for payer in bill.payers for said in payer.kontingente]
    return said


def figures(said: KontingentStatement) -> list[int]:
    return [said.carried, said.granted, said.used, said.corrected, said.balance]


@pytest.mark.promise("S111")
@pytest.mark.promise("S112")
@pytest.mark.promise("S113")
@pytest.mark.promise("U5")
@each_row("kontingent.md", "Vier Monate ohne und mit Arbeit")
def test_the_table_of_four_months(row: dict[str, str]) -> None:
    work = LedgerEntry("V-1", dt.date(2026, 9, 14), LedgerKind.USAGE, -960, "L-0")
    terms = contract("15.07.2026", overdraft_allowed=True, ledger=(work,))
    said = only_statement(october(terms, month=Month.parse(row["Monat"])))
    assert figures(said) == [int(row[c]) for c in ("Übertrag", "Gutschrift", "Verbrauch", "Korrektur", "Stand")]


@each_row("kontingent.md", "Anfangsbestand")
def test_the_table_of_openings(row: dict[str, str]) -> None:
    opening = Opening(day(row["Anfangsbestand am"]), int(row["Minuten"]))
    terms = contract(overdraft_allowed=True, opening=opening)
    elsewhere = yes(row["anderswo berichtet"])
    entry = ServiceEntry("L-1", "T", None, day(row["Leistungstag"]), 60, reported_elsewhere=elsewhere)
    bill = october(terms, entry)
    assert figures(only_statement(bill)) == [
        *(int(row[c]) for c in ("Übertrag", "Gutschrift", "Verbrauch")),
        0,
        int(row["Stand"]),
    ]
    assert [line.charge for payer in bill.payers for line in payer.entries] == ([] if elsewhere else ["kontingent"])


def test_work_of_a_late_opening_counts_on_the_day_after_it() -> None:
    bill = october(
        contract(opening=Opening(dt.date(2026, 10, 31), 0)), ServiceEntry("L-1", "T", None, dt.date(2026, 10, 5), 60)
    )
    assert [(row.day, row.kind, row.minutes) for row in bill.new_ledger] == [(dt.date(2026, 11, 1), "usage", -60)]


@pytest.mark.promise("U32")
@each_row("kontingent.md", "Teilung an der Grenzminute")
def test_the_table_of_splits(row: dict[str, str]) -> None:
    kind = ServiceKind(row["Art"])
    percent = {ServiceKind.AFTER_HOURS: Decimal(50), ServiceKind.WEEKEND: Decimal(100)}.get(kind, Decimal(0))
    billed, free = int(row["verrechnet"]), int(row["Raum"])
    assert usage_minutes(billed, percent) == int(row["Verbrauch"])
    drawn = draw(int(row["Verbrauch"]), billed, percent, free, divisible=kind is not ServiceKind.PROJECT_DAY)
    assert drawn == Draw(int(row["aus dem Kontingent"]), int(row["in Geld"]))
    opening = Opening(dt.date(2026, 10, 1), free)
    entry = ServiceEntry("L-1", "T", None, dt.date(2026, 10, 5), billed, kind=kind)
    (line,) = [line for payer in october(contract(opening=opening), entry).payers for line in payer.entries]
    assert (line.usage_minutes, line.charge) == (drawn.usage, row["Kennzeichen"])
    assert line.charged_minutes + int(line.days * 480) == drawn.beyond


def test_the_table_of_room() -> None:
    rows = table("kontingent.md", "Freier Raum")
    stored = tuple(
        LedgerEntry("V-1", day(when), LedgerKind.USAGE, -minutes, f"alt-{when}")
        for when, minutes in (("10.09.2026", 90), ("20.10.2026", 100))
    )
    terms = contract("01.09.2026", hours=2, ledger=stored)
    entries = [ServiceEntry(row["Leistung"], "T", None, day(row["Leistungstag"]), int(row["erfasst"])) for row in rows]
    bill = october(terms, *reversed(entries))
    lines = {line.entry_id: line for payer in bill.payers for line in payer.entries}
    fold = balances(terms, OCTOBER.last_day)
    for row in rows:
        line = lines[row["Leistung"]]
        assert room(fold, line.work_date, OCTOBER) == int(row["Raum"])
        assert (line.usage_minutes, line.charged_minutes) == (int(row["aus dem Kontingent"]), int(row["in Geld"]))
        fold.add(line.work_date, -line.usage_minutes)


@given(st.lists(st.tuples(DAYS, st.integers(-500, 500)), max_size=30), DAYS, DAYS, st.randoms(use_true_random=False))
def test_the_fold_is_the_sum_in_any_order(rows: list[tuple[dt.date, int]], one: dt.date, two: dt.date, dice: Any) -> None:
    entries = [LedgerEntry("V", when, LedgerKind.USAGE, minutes) for when, minutes in rows]
    first, last = min(one, two), max(one, two)
    by_sum = 7 + sum(minutes for when, minutes in rows if when <= last)
    half = len(entries) // 2
    dice.shuffle(entries)
    fold = Balances(7, entries[:half])
    for entry in entries[half:]:
        fold.add(entry.day, entry.minutes)
    assert fold.on(last) == by_sum == Balances(7, reversed(entries)).on(last)
    each_day = [fold.on(first + dt.timedelta(n)) for n in range((last - first).days + 1)]
    assert fold.lowest(first, last) == min(each_day)
    assert fold.lowest(last, first) == (fold.on(last) if first < last else each_day[0])


@pytest.mark.promise("U11")
@given(kontingente(), DAYS, st.integers(1, 300), DAYS)
def test_a_late_entry_moves_every_balance_from_its_day_on_and_none_before(
    terms: KontingentContract, when: dt.date, minutes: int, asked: dt.date
) -> None:
    before = balances(terms, dt.date(2026, 11, 30))
    late = LedgerEntry(terms.number, when, LedgerKind.USAGE, -minutes, "spät")
    after = balances(dataclasses.replace(terms, ledger=(*terms.ledger, late)), dt.date(2026, 11, 30))
    contained = terms.opening is not None and when <= terms.opening.as_of
    assert after.on(asked) - before.on(asked) == (-minutes if asked >= when and not contained else 0)


@given(kontingente(), st.integers(0, 12))
def test_statements_follow_each_other_without_a_gap(terms: KontingentContract, step: int) -> None:
    month = Month(2026, 5).plus(step)
    through = month.plus(1).last_day
    fold = balances(terms, through)
    rows = [*terms.ledger, *missing_grants(terms, through)]
    if terms.opening:
        rows = [row for row in rows if row.day > terms.opening.as_of]
    this, following = (statement(terms.number, rows, fold, m) for m in (month, month.plus(1)))
    for said in (this, following):
        assert said.carried + said.granted - said.used + said.corrected == said.balance
    assert following.carried == this.balance


@pytest.mark.promise("S112")
@given(st.integers(1, 60), st.integers(0, 40))
def test_n_unused_months_leave_n_grants(months: int, hours: int) -> None:
    terms = contract(hours=hours)
    last = Month(2026, 1).plus(months - 1).last_day
    assert balances(terms, last).on(last) == months * hours * 60


@given(kontingente(), st.integers(0, 6))
def test_stored_grants_are_never_granted_again(terms: KontingentContract, step: int) -> None:
    through = Month(2026, 7).plus(step).last_day
    first = missing_grants(terms, through)
    stored = dataclasses.replace(terms, ledger=(*terms.ledger, *first), hours_per_month=terms.hours_per_month + 1)
    assert [g for g in missing_grants(stored, through) if g.day in {row.day for row in first}] == []
    assert len({Month.of(g.day) for g in first}) == len(first)
    assert all(g.minutes == grant_minutes(terms, Month.of(g.day)) for g in first)


def test_the_first_grant_stands_on_the_day_the_contract_starts() -> None:
    terms = contract("15.07.2026")
    assert [(g.day, g.minutes) for g in missing_grants(terms, dt.date(2026, 8, 31))] == [
        (dt.date(2026, 7, 15), 329),
        (dt.date(2026, 8, 1), 600),
    ]
    assert balances(terms, dt.date(2026, 8, 31)).on(dt.date(2026, 7, 14)) == 0
    assert missing_grants(terms, dt.date(2026, 7, 14)) == ()
    day_before = dataclasses.replace(terms, opening=Opening(dt.date(2026, 7, 14), 5))
    assert balances(day_before, dt.date(2026, 7, 31)).on(dt.date(2026, 7, 31)) == 334
    same_day = dataclasses.replace(terms, opening=Opening(dt.date(2026, 7, 15), 5))
    assert balances(same_day, dt.date(2026, 7, 31)).on(dt.date(2026, 7, 31)) == 5


@pytest.mark.promise("S115")
@pytest.mark.promise("S167")
@given(st.integers(0, 600))
def test_the_monthly_invoice_is_the_same_whatever_was_used(used: int) -> None:
    stored = LedgerEntry("V-1", dt.date(2026, 10, 2), LedgerKind.USAGE, -used, "alt")
    terms = contract(ledger=(stored,))
    draft = monthly_invoice(terms, OCTOBER, Decimal(19))
    assert draft == monthly_invoice(contract(), Month(2026, 11), Decimal(19))
    assert draft is not None
    assert (str(draft.net), str(draft.vat), str(draft.gross)) == ("900.00", "171.00", "1071.00")
    assert (str(draft.lines[0].quantity), draft.lines[0].unit) == ("10.00", "hour")


@given(st.integers(0, 900), st.sampled_from([Decimal(p) for p in ("0", "25", "33.33", "50", "100")]), st.integers(0, 900))
def test_a_split_never_loses_a_minute(billed: int, percent: Decimal, free: int) -> None:
    wanted = usage_minutes(billed, percent)
    drawn = draw(wanted, billed, percent, free, divisible=True)
    assert 0 <= drawn.usage <= max(free, 0)
    assert 0 <= drawn.beyond <= billed
    if wanted > free:
        paid_by_kontingent = billed - drawn.beyond
        assert drawn.usage == free
        assert paid_by_kontingent * (100 + percent) <= free * 100 < (paid_by_kontingent + 1) * (100 + percent)
    else:
        assert drawn == Draw(wanted, 0)
    whole = draw(wanted, billed, percent, free, divisible=False)
    assert whole in (Draw(wanted, 0), Draw(0, billed))


@pytest.mark.promise("S114")
def test_overdraft_goes_below_zero_only_where_agreed() -> None:
    entry = ServiceEntry("L-1", "T", None, dt.date(2026, 1, 5), 900)
    january = Month(2026, 1)
    free = only_statement(october(contract(overdraft_allowed=True), entry, month=january))
    bound = only_statement(october(contract(), entry, month=january))
    assert (free.balance, bound.balance) == (-300, 0)


def test_a_negative_balance_without_overdraft_is_not_claimed_from_new_work() -> None:
    entry = ServiceEntry("L-1", "T", None, dt.date(2026, 10, 5), 30)
    bill = october(contract(opening=Opening(dt.date(2026, 10, 1), -50)), entry)
    (line,) = bill.payers[0].entries
    assert (line.charge, line.usage_minutes, line.charged_minutes) == ("invoice", 0, 30)


def test_what_another_system_reported_draws_wholly_even_below_zero_and_before_the_run() -> None:
    ours = ServiceEntry("L-1", "T", None, dt.date(2026, 1, 2), 30)
    theirs = ServiceEntry("L-2", "T", None, dt.date(2026, 1, 20), 900, reported_elsewhere=True, approved=False)
    bill = october(contract(), theirs, ours, month=Month(2026, 1))
    assert figures(only_statement(bill)) == [0, 600, 900, 0, -300]
    assert [(line.entry_id, line.charge) for line in bill.payers[0].entries] == [("L-1", "invoice")]
    again = dataclasses.replace(contract(), ledger=bill.new_ledger)
    assert october(again, theirs, month=Month(2026, 1)).new_ledger == ()


@pytest.mark.promise("U24")
@pytest.mark.parametrize(("rest", "word"), [(RestAtEnd.PAID_OUT, "auszuzahlen"), (RestAtEnd.SERVED, "abzuleisten")])
def test_a_rest_at_the_end_is_named(rest: RestAtEnd, word: str) -> None:
    bill = october(contract(ends_on=dt.date(2026, 10, 31), rest_at_end=rest))
    (hint,) = bill.hints
    assert hint.id == "V-1"
    assert word in hint.text
    assert "6000 Minuten" in hint.text
    assert october(contract(ends_on=dt.date(2026, 10, 31)), month=Month(2026, 11)).payers == ()
