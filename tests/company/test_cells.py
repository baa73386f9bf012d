"""Each kind of cell: what it takes, what it refuses in which words, and that writing is the inverse of reading."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.company import cells, terms
from actions.company.cells import Cell, CellError

UTC = dt.UTC

READS: list[tuple[Cell, str, Any]] = [
    (cells.Text(), "=1+1", "=1+1"),
    (cells.Text(), ' a;"b",\r\nc ', ' a;"b",\r\nc '),
    (cells.Code(), "  K-1  ", "K-1"),
    (cells.YesNo(), "yes", True),
    (cells.Integer(1001, 9_999_999), "9999999", 9_999_999),
    (cells.Number("0", "100", places=4), "12.3400", Decimal("12.34")),
    (cells.VatRate(), "7", Decimal(7)),
    (cells.Day(), "2026-02-28", dt.date(2026, 2, 28)),
    (cells.Instant(), "2026-10-31T08:15", dt.datetime(2026, 10, 31, 7, 15, tzinfo=UTC)),
    (cells.Instant(), "2026-07-31T08:15", dt.datetime(2026, 7, 31, 6, 15, tzinfo=UTC)),
    (cells.Instant(), "2026-07-31T08:15Z", dt.datetime(2026, 7, 31, 8, 15, tzinfo=UTC)),
    (cells.Instant(), "2026-07-31T08:15:30.5+05:30", dt.datetime(2026, 7, 31, 2, 45, 30, 500_000, tzinfo=UTC)),
    (cells.Instant(), "2026-10-25T02:30", dt.datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of the two
    (cells.Instant(), "2026-10-25T02:30+01:00", dt.datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    (cells.Listed(cells.Choice(["a", "b"])), "b| a |b|", ["b", "a"]),
    (terms.Email(), " Tina@Haus.Example ", "tina@haus.example"),
    (terms.Email(), "info@müller.example", "info@müller.example"),
    (terms.Phone(), "02581 / 12 34", "+4925811234"),
    (terms.Phone(), "+49 (2581) 1234-0", "+49258112340"),
    (terms.Person(), "employee:Ines@Haus.example", "ines@haus.example"),
    (terms.Person(), "Altsystem Meier", "Altsystem Meier"),
    (terms.Phone(), "Durchwahl 12", "Durchwahl 12"),
    (terms.Iban(), "DE02 1203 0000 0000 2020 51", "DE02120300000000202051"),
    (terms.Bic(), "deutdeff", "DEUTDEFF"),
    (terms.VatId(), "DE 123 456 789", "DE123456789"),
    (terms.VatId(), "ATU12345678", "ATU12345678"),
    (terms.Country(), "AT", "AT"),
    (terms.LeitwegId(), "04011000-1234512345-06", "04011000-1234512345-06"),
    (terms.CreditorId(), "DE98 ZZZ 09999999999", "DE98ZZZ09999999999"),
    (terms.MandateReference(), "SZB-K1005/01", "SZB-K1005/01"),
    (terms.WebAddress(), "https://portal.haus.example", "https://portal.haus.example"),
    (terms.Correction(), "below_months=2", "below_months=2"),
    (terms.ServiceHours(), "mo-do 08:00-17:00|fr  08:00-12:00,13:00-15:00", "mo-do 08:00-17:00|fr 08:00-12:00,13:00-15:00"),
    (terms.ServiceHours(), "mo-so 00:00-24:00", "mo-so 00:00-24:00"),
    (terms.ReactionHours(), "normal=8|high=2.50", {"normal": "8", "high": "2.5"}),
    (terms.Cadence(), "RRULE:freq=monthly;bymonthday=1", "FREQ=MONTHLY;BYMONTHDAY=1"),
]
REFUSES: list[tuple[Cell, str, str]] = [
    (cells.Text(10), "x" * 11, "zu lang, erlaubt sind 10"),
    (cells.Text(lines=False), "a\nb", "Zeilenumbruch"),
    (cells.Text(), "a\x07b", "Steuerzeichen U+0007"),
    (cells.Choice(["incident", "request"]), "incdent", "gemeint ist wohl incident; erlaubt: incident, request"),
    (cells.YesNo(), "ja", "erlaubt: yes, no"),
    (cells.Integer(1001, 9_999_999), "1000", "erlaubt: ganze Zahl 1001 bis 9999999"),
    (cells.Integer(0, 9), "1.5", "keine ganze Zahl"),
    (cells.Integer(0, 9), "٣", "keine ganze Zahl"),
    (cells.Number("0", "9", places=2), "1,50", "das Dezimalzeichen ist ein Punkt"),
    (cells.Number("0", "9", places=2), "1.505", "höchstens 2 Nachkommastellen"),
    (cells.Number("0", "9", places=2), "-1", "außerhalb"),
    (cells.Number("0", "9", places=2), "NaN", "keine Zahl"),
    (cells.Number("0", "9", places=2), "1e3", "keine Zahl"),
    (cells.VatRate(), "16", "erlaubt: 19, 7, 0"),
    (cells.Day(), "31.10.2026", "erlaubt: JJJJ-MM-TT"),
    (cells.Day(), "2026-02-29", "kein Datum"),
    (cells.Day(), "1989-12-31", "unglaubwürdig"),
    (cells.Day(), "20261031", "kein Datum"),
    (cells.Instant(), "2026-03-29T02:30", "springt die Uhr"),
    (cells.Instant(), "2026-10-31", "kein Zeitpunkt"),
    (cells.Instant(), "2026-10-31T24:00", "kein Zeitpunkt"),
    (cells.Instant(), "0001-01-01T00:00+23:00", "kein Zeitpunkt"),
    (cells.Instant(), "2101-01-01T08:00", "unglaubwürdig"),
    (terms.Email(), "tina", "zustellbare Mailadresse"),
    (terms.Email(), "müller@haus.example", "ohne Umlaute"),
    (terms.Email(), "tina@localhost", "vollständige Domain"),
    (terms.Phone(strict=True), "02581 1234", "E.164"),
    (terms.Phone(), "ohne", "keine Rufnummer"),
    (terms.Iban(), "DE02120300000000202052", "keine gültige IBAN"),
    (terms.Bic(), "XX", "kein BIC"),
    (terms.VatId(), "DE12345678", "keine USt-IdNr."),
    (terms.Country(), "D", "Ländercode"),
    (terms.Country(), "ZZ", "Ländercode"),
    (terms.LeitwegId(), "991", "keine Leitweg-ID"),
    (terms.CreditorId(), "DE98", "keine Gläubiger-ID"),
    (terms.MandateReference(), "Mandat_1", "keine Mandatsreferenz"),
    (terms.WebAddress(), "portal", "https://"),
    (terms.Correction(), "after_months=0", "after_months=N, below_months=N mit N ab 1"),
    (terms.ServiceHours(), "mo-fr 17:00-08:00", "keine Servicezeit"),
    (terms.ServiceHours(), "täglich", "keine Servicezeit"),
    (terms.ReactionHours(), "urgent=1", "keine Reaktionszeit"),
    (terms.ReactionHours(), "high=1|high=2", "keine Reaktionszeit"),
    (terms.Cadence(), "FREQ=HOURLY", "DAILY, WEEKLY, MONTHLY oder YEARLY"),
    (terms.Cadence(), "jeden Montag", "RFC 5545"),
    (terms.Cadence(), "FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
]


def _named(case: tuple[Any, ...]) -> str:
    return f"{type(case[0]).__name__}-{case[1][:25]}"


@pytest.mark.parametrize("case", READS, ids=_named)
def test_reads(case: tuple[Cell, str, Any]) -> None:
    cell, text, value = case
    assert cell.read(text) == value
    assert cell.read(cell.write(value)) == value


@pytest.mark.parametrize("case", REFUSES, ids=_named)
def test_refuses_in_words(case: tuple[Cell, str, str]) -> None:
    cell, text, words = case
    with pytest.raises(CellError) as refusal:
        cell.read(text)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("cell", "text", "words"),
    [
        (terms.Phone(), "+49110", "scheint nicht vergeben"),
        (terms.LeitwegId(), "04011000-12345-34", "Prüfziffer"),
        (terms.CreditorId(), "DE99ZZZ09999999999", "Prüfziffer"),
        (cells.Text(lines=False), " Haus", "Leerzeichen"),
    ],
)
def test_doubts_are_no_refusals(cell: Cell, text: str, words: str) -> None:
    assert words in cell.doubt(cell.read(text))


@given(st.datetimes(min_value=dt.datetime(1991, 1, 1), max_value=dt.datetime(2099, 1, 1), timezones=st.just(UTC)))
def test_every_instant_survives(instant: dt.datetime) -> None:
    cell = cells.Instant()
    assert cell.read(cell.write(instant)) == instant


@given(st.decimals(min_value=0, max_value=99_999_999, places=4))
def test_every_price_survives_in_one_spelling(price: Decimal) -> None:
    cell = cells.Number("0", "99999999", places=4, shown=2)
    text = cell.write(price)
    assert cell.read(text) == price
    assert cell.write(cell.read(text)) == text
    assert len(text.partition(".")[2]) >= 2


@given(st.text(max_size=300))
def test_no_text_escapes_as_another_error(text: str) -> None:
    for cell in {type(case[0]): case[0] for case in READS}.values():
        try:
            cell.doubt(cell.read(text))
        except CellError:
            continue
