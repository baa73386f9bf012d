"""The product against a second computation that shares no code with it."""

from fractions import Fraction

from hypothesis import given, settings

from rules.monthly import bill_month
from rules.monthly_types import CustomerMonth, InvoiceKind
from tests.rules.oracle import Oracle, half_up
from tests.rules.strategies import customers


@settings(max_examples=400, deadline=None)
@given(customers())
def test_every_amount_and_minute_agrees(given_month: CustomerMonth) -> None:
    bill, oracle = bill_month(given_month), Oracle(given_month)
    lines = {line.entry_id: line for payer in bill.payers for line in payer.entries}
    assert {key: line.charge.value for key, line in lines.items()} == oracle.charges
    assert {e.entry_id: e.contract for e in bill.excluded} == oracle.excluded
    assert {blocker.id for blocker in bill.blockers} == oracle.blocked
    for payer in bill.payers:
        groups = {(g.kind.value, Fraction(g.price)): Fraction(g.net) for g in payer.groups}
        assert groups == oracle.nets(payer.site)
        net = sum(groups.values(), Fraction(0))
        service = [i for i in payer.invoices if i.kind is InvoiceKind.SERVICE]
        assert [Fraction(i.net) for i in service] == ([net] if net else [])
        for draft in service:
            assert Fraction(draft.vat) == half_up(net * Fraction(given_month.vat_rate) / 100, 2)
    assert not {p for p, g in oracle.groups.items() if g} - {payer.site for payer in bill.payers}
    statements = {s.contract: s for payer in bill.payers for s in payer.kontingente}
    for contract in given_month.kontingente:
        carried, granted, used, corrected, balance = oracle.statement(contract)
        if (said := statements.get(contract.number)) is None:
            assert (granted, used, corrected) == (0, 0, 0)
            continue
        assert (said.carried, said.granted, said.used, said.corrected, said.balance) == (
            carried,
            granted,
            used,
            corrected,
            balance,
        )
