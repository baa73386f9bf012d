"""What holds for every customer and every month."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.money import cents, vat_of
from rules.monthly import bill_month
from rules.monthly_types import Charge, CustomerMonth, InvoiceKind, LedgerKind, LineKind, Unit
from tests.rules.strategies import customers

several = settings(max_examples=150, deadline=None)


def shuffled(given_month: CustomerMonth, dice: Any) -> CustomerMonth:
    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dice.sample(items, len(items)))

    contracts = tuple(dataclasses.replace(c, ledger=mixed(c.ledger)) for c in given_month.kontingente)
    return dataclasses.replace(
        given_month,
        entries=mixed(given_month.entries),
        kontingente=mixed(contracts),
        agreements=mixed(given_month.agreements),
        sites=mixed(given_month.sites),
        flat_contracts=mixed(given_month.flat_contracts),
    )


@several
@given(customers(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(given_month: CustomerMonth, dice: Any) -> None:
    assert bill_month(shuffled(given_month, dice)) == bill_month(given_month)


@pytest.mark.promise("S156")
@several
@given(customers())
def test_every_entry_of_the_month_stands_in_exactly_one_place(given_month: CustomerMonth) -> None:
    bill = bill_month(given_month)
    places = [line.entry_id for payer in bill.payers for line in payer.entries]
    places += [e.entry_id for e in bill.excluded] + [blocker.id for blocker in bill.blockers]
    due = [e.id for e in given_month.entries if e.work_date <= given_month.month.last_day and not e.reported_elsewhere]
    assert sorted(places) == sorted(due)


@pytest.mark.promise("S159")
@several
@given(customers())
def test_non_billable_work_touches_neither_money_nor_ledger(given_month: CustomerMonth) -> None:
    bill = bill_month(given_month)
    non_billable = {e.id for e in given_month.entries if not e.billable}
    assert not non_billable & {row.entry_id for row in bill.new_ledger}
    for payer in bill.payers:
        for line in payer.entries:
            if line.entry_id in non_billable:
                assert not any((line.billed_minutes, line.usage_minutes, line.charged_minutes, line.charged_trips, line.days))
                assert (line.charge, line.group, line.trip_group) == (Charge.NONE, None, None)
    without = dataclasses.replace(given_month, entries=tuple(e for e in given_month.entries if e.billable))
    quiet = bill_month(without)
    assert quiet.new_ledger == bill.new_ledger
    assert [p.invoices for p in quiet.payers if p.invoices] == [p.invoices for p in bill.payers if p.invoices]


@several
@given(customers())
def test_groups_are_the_sum_of_their_entries_and_rounded_once(given_month: CustomerMonth) -> None:
    for payer in bill_month(given_month).payers:
        keys = [group.key for group in payer.groups]
        assert len(keys) == len(set(keys))
        used = {key for line in payer.entries for key in (line.group, line.trip_group) if key}
        assert set(keys) == used
        for group in payer.groups:
            lines = [line for line in payer.entries if group.key in (line.group, line.trip_group)]
            if group.unit is Unit.HOUR:
                minutes = sum(line.charged_minutes for line in lines)
                assert group.minutes == minutes
                assert group.net == cents(minutes * group.price / 60)
            elif group.kind is LineKind.TRIP:
                assert group.quantity == sum(line.charged_trips for line in lines)
                assert group.net == cents(group.quantity * group.price)
            else:
                assert group.quantity == sum((line.days for line in lines), Decimal(0))
                assert group.net == cents(group.quantity * group.price)


@several
@given(customers())
def test_invoices_add_up_and_a_service_invoice_is_the_report_in_money(given_month: CustomerMonth) -> None:
    bill = bill_month(given_month)
    for payer in bill.payers:
        service = [draft for draft in payer.invoices if draft.kind is InvoiceKind.SERVICE]
        assert len(service) == (1 if any(group.net for group in payer.groups) else 0)
        assert [draft.lines for draft in service] == [payer.groups] * len(service)
        for draft in payer.invoices:
            assert draft.net == sum(line.net for line in draft.lines)
            assert draft.vat == sum(vat_of(group.net, group.rate) for group in draft.vat_groups)
            assert draft.gross == draft.net + draft.vat
            assert draft.gross > 0
    assert len([p for p in bill.payers if given_month.billing == "central"]) <= 1


@pytest.mark.promise("S117")
@several
@given(customers())
def test_statements_and_stored_rows_tell_the_same_story(given_month: CustomerMonth) -> None:
    bill = bill_month(given_month)
    contracts = {c.number: c for c in given_month.kontingente}
    for payer in bill.payers:
        for said in payer.kontingente:
            contract = contracts[said.contract]
            assert said.carried + said.granted - said.used + said.corrected == said.balance
            rows = [*contract.ledger, *(row for row in bill.new_ledger if row.contract == said.contract)]
            opening = contract.opening
            if opening:
                rows = [row for row in rows if row.day > opening.as_of]
            total = sum(row.minutes for row in rows if row.day <= given_month.month.last_day)
            assert said.balance == total + (opening.minutes if opening else 0)
            assert said.correction_proposed in (0, -said.balance)


@pytest.mark.promise("U11")
@several
@given(customers())
def test_a_second_run_over_the_stored_rows_changes_nothing(given_month: CustomerMonth) -> None:
    """Once reported and stored, the same month yields no new row, no service invoice, and the same statements."""
    first = bill_month(given_month)
    reported = {line.entry_id for payer in first.payers for line in payer.entries}
    stored = tuple(
        dataclasses.replace(c, ledger=(*c.ledger, *(row for row in first.new_ledger if row.contract == c.number)))
        for c in given_month.kontingente
    )
    entries = tuple(dataclasses.replace(e, reported=e.id in reported) for e in given_month.entries)
    second = bill_month(dataclasses.replace(given_month, kontingente=stored, entries=entries))
    retried = {line.entry_id for payer in second.payers for line in payer.entries}
    assert not retried & reported
    assert not retried - {blocker.id for blocker in first.blockers}
    if not retried:
        assert second.new_ledger == ()
        before = {s.contract: s for payer in first.payers for s in payer.kontingente}
        after = {s.contract: s for payer in second.payers for s in payer.kontingente}
        assert all(before[number] == said for number, said in after.items())


@pytest.mark.promise("U32")
@several
@given(customers())
def test_our_own_work_never_pushes_a_bound_kontingent_below_zero(given_month: CustomerMonth) -> None:
    bill = bill_month(given_month)
    last = given_month.month.last_day
    for contract in given_month.kontingente:
        if contract.overdraft_allowed:
            continue
        ours = {line.entry_id for payer in bill.payers for line in payer.entries}
        new = [row for row in bill.new_ledger if row.contract == contract.number]
        opening = contract.opening
        rows = [row for row in (*contract.ledger, *new) if opening is None or row.day > opening.as_of]
        start = opening.minutes if opening else 0
        for row in new:
            if row.kind is LedgerKind.USAGE and row.entry_id in ours and row.day <= last:
                days = {r.day for r in rows if row.day <= r.day <= last}
                assert min(start + sum(r.minutes for r in rows if r.day <= day) for day in days) >= 0


@several
@given(customers())
def test_without_overdraft_covered_and_charged_minutes_make_the_billed_ones(given_month: CustomerMonth) -> None:
    for payer in bill_month(given_month).payers:
        for line in payer.entries:
            in_money = line.charged_minutes + int(line.days * 480)
            if line.charge is Charge.INVOICE:
                assert (in_money, line.usage_minutes) == (line.billed_minutes, 0)
            elif line.charge is Charge.KONTINGENT:
                assert in_money == 0
                assert line.usage_minutes >= line.billed_minutes
            elif line.charge is Charge.SPLIT:
                assert 0 < in_money <= line.billed_minutes
                assert line.usage_minutes > 0
