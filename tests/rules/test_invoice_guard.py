import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.invoice_guard import Delivery, Face, GuardedInvoice, Verdict, faces, judge
from tests.rules.tables import day, each_row, number, yes


@pytest.mark.promise("U8")
@each_row("rechnungsform.md")
def test_the_table_of_the_law(row: dict[str, str]) -> None:
    invoice = GuardedInvoice(
        issued_on=day(row["ausgestellt"]),
        supplied_from=day(row["geleistet von"]),
        supplied_to=day(row["geleistet bis"]),
        gross=number(row["Brutto"]),
        large_turnover=yes(row["Vorjahr über 800.000"]),
        domestic_business=yes(row["Inland B2B"]),
    )
    verdict = judge(invoice)
    assert verdict.einvoice_required is yes(row["E-Rechnung Pflicht"])
    assert verdict.reason.endswith(".")


@pytest.mark.promise("U30")
@each_row("rechnungsform.md", "Was das Haus verlässt")
def test_the_table_of_faces(row: dict[str, str]) -> None:
    verdict = Verdict(einvoice_required=yes(row["Pflicht"]), reason="-")
    assert [face.value for face in faces(Delivery(row["Wunsch des Kunden"]), verdict)] == row["Formen"].split(" + ")


days = st.dates(dt.date(2026, 6, 1), dt.date(2028, 6, 1))


@given(days, days, days, st.booleans())
def test_one_date_outside_the_window_is_enough(issued: dt.date, one: dt.date, two: dt.date, large: bool) -> None:
    first, last = min(one, two), max(one, two)
    verdict = judge(GuardedInvoice(issued, first, last, Decimal(1000), large))
    years = {issued.year, first.year, last.year}
    allowed = years == {2026} or (years == {2027} and not large)
    assert verdict.einvoice_required is not allowed
    assert Face.EINVOICE in faces(Delivery.POST, verdict) or allowed
