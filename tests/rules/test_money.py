from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import cents, hour_line, hours, invoice, tidy, tidy_percent, vat_groups, vat_of
from rules.monthly_types import InvoiceKind, LineKind, MoneyLine, Unit
from tests.rules.tables import each_row, number

amounts = st.decimals(-1_000_000, 1_000_000, places=6)


def money_line(net: Decimal, rate: Decimal = Decimal(19)) -> MoneyLine:
    return MoneyLine("k", LineKind.TRIP, Decimal(1), Unit.TRIP, net, rate, net)


@each_row("geld.md", "Runden auf Cent")
def test_the_table_of_rounding(row: dict[str, str]) -> None:
    assert str(cents(number(row["Betrag"]))) == str(number(row["gerundet"]))


@each_row("geld.md", "Betrag einer Stundengruppe")
def test_the_table_of_hour_groups(row: dict[str, str]) -> None:
    line = hour_line(LineKind.STANDARD, int(row["Minuten"]), number(row["Stundenpreis"]), Decimal("19.00"))
    assert (str(line.quantity), str(line.net)) == (str(number(row["Menge"])), str(number(row["Netto"])))
    assert str(line.vat_rate) == "19"


@each_row("geld.md", "Umsatzsteuer aus der Nettosumme")
def test_the_table_of_vat(row: dict[str, str]) -> None:
    rate = number(row["Satz"])
    lines = [money_line(number(net), rate) for net in row["Zeilen"].split(" + ")]
    draft = invoice(InvoiceKind.SERVICE, None, lines)
    assert draft is not None
    assert (draft.net, draft.vat, draft.gross) == tuple(number(row[c]) for c in ("Nettosumme", "Umsatzsteuer", "Brutto"))


@given(amounts)
def test_rounding_is_half_up_and_mirrors_below_zero(amount: Decimal) -> None:
    assert abs(cents(amount) - amount) <= Decimal("0.005")
    assert cents(-amount) == -cents(amount)
    assert cents(cents(amount)) == cents(amount)
    if (amount * 100) % 1 == Decimal("0.5"):
        assert cents(amount) > amount


@given(st.integers(0, 500_000), st.decimals(0, 1000, places=4))
def test_an_hour_amount_is_the_exact_fraction_rounded_once(minutes: int, price: Decimal) -> None:
    exact = Fraction(minutes) * Fraction(price) / 60
    net = Fraction(hour_line(LineKind.STANDARD, minutes, price, Decimal(19)).net)
    assert -Fraction(1, 200) < net - exact <= Fraction(1, 200)


@pytest.mark.promise("U33")
@given(st.lists(st.tuples(st.decimals(0, 9999, places=2), st.sampled_from([Decimal(19), Decimal(7), Decimal(0)])), max_size=30))
def test_vat_is_one_rounding_per_rate(items: list[tuple[Decimal, Decimal]]) -> None:
    lines = [money_line(net, rate) for net, rate in items]
    groups = vat_groups(lines)
    assert [group.rate for group in groups] == sorted({rate for _, rate in items}, reverse=True)
    for group in groups:
        assert group.net == sum(net for net, rate in items if rate == group.rate)
        assert group.vat == vat_of(group.net, group.rate)
    draft = invoice(InvoiceKind.SERVICE, None, lines)
    if draft is None:
        assert all(net == 0 for net, _ in items)
    else:
        assert draft.gross == draft.net + draft.vat
        assert draft.net == sum(line.net for line in draft.lines)


@given(amounts)
def test_tidy_never_changes_the_value(amount: Decimal) -> None:
    assert tidy(amount) == amount
    assert -tidy(amount).as_tuple().exponent >= 2  # type: ignore[operator]
    assert tidy_percent(amount) == amount


def test_quantities_show_two_to_four_decimals() -> None:
    assert [str(hours(minutes)) for minutes in (60, 90, 15, 7, 50, 0)] == ["1.00", "1.50", "0.25", "0.1167", "0.8333", "0.00"]
    assert [str(tidy(Decimal(text))) for text in ("95.0000", "1E+2", "0.1250")] == ["95.00", "100.00", "0.125"]


@pytest.mark.promise("U10")
def test_there_is_no_zero_invoice() -> None:
    assert invoice(InvoiceKind.SERVICE, None, []) is None
    assert invoice(InvoiceKind.SERVICE, None, [money_line(Decimal("0.00"))]) is None
