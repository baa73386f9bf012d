"""The booking batch: read back by a parser of its own, by a reader of others where it is installed, and held against
DATEV's format description and sample where a copy lies at hand (they may be used, not passed on).

DREHKREUZ_TEST_DATEV_SPECS   folder with Format_Buchungsstapel.xml and EXTF_Buchungsstapel.csv
DREHKREUZ_TEST_LEDGER_PYTHON interpreter that has mloda-community-german-ledger
"""

import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.datev.batch import BatchHead, booking_rows, fiscal_year_start, write_batches
from integrations.datev.fields import COLUMNS, Kind, encodable
from integrations.datev.types import DatevClient, DatevError, DatevFile, DatevInvoice

SPECS = Path(os.environ.get("DREHKREUZ_TEST_DATEV_SPECS", ".cache/datev"))
LEDGER = os.environ.get("DREHKREUZ_TEST_LEDGER_PYTHON", ".cache/ledger/bin/python")
CLIENT = DatevClient(consultant=29098, client=55003, account_length=4, revenue_accounts={19: "8400", 7: "8300", 0: "8200"})
NOW = dt.datetime(2026, 11, 2, 6, 0, 0, 439000, tzinfo=dt.UTC)


def invoice(number: str = "RE-2026-000001", **changes: object) -> DatevInvoice:
    values: dict[str, Any] = {
        "number": number,
        "issued_on": dt.date(2026, 11, 2),
        "debtor_account": "10001",
        "gross_by_rate": {19: Decimal("113.05")},
        "text": "Müller & Söhne KG",
        "due_on": dt.date(2026, 11, 16),
        "supplied_until": dt.date(2026, 10, 31),
    }
    return DatevInvoice(**{**values, **changes})


def one_file(*invoices: DatevInvoice, client: DatevClient = CLIENT) -> DatevFile:
    (file,) = write_batches(invoices, client, name="Abrechnung 2026-10", created_at=NOW)
    return file


def split_line(line: str) -> list[str]:
    """Fields with their quotes, by hand: a check that shares nothing with the writer."""
    fields, current, quoted = [], "", False
    for char in line:
        if char == '"':
            quoted = not quoted
        if char == ";" and not quoted:
            fields.append(current)
            current = ""
        else:
            current += char
    assert not quoted
    return [*fields, current]


def rows(file: DatevFile) -> list[dict[str, str]]:
    lines = file.content.decode("cp1252").split("\r\n")
    assert lines[-1] == ""
    names = lines[1].split(";")
    return [dict(zip(names, next(csv.reader(io.StringIO(line), delimiter=";")), strict=True)) for line in lines[2:-1]]


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


# --- header and form ----------------------------------------------------------------------------------------------------


def test_the_header_has_31_fields_in_the_agreed_order() -> None:
    line = BatchHead(CLIENT, dt.date(2026, 1, 1), "Abrechnung 2026-10", NOW, dt.date(2026, 11, 1), dt.date(2026, 11, 30)).line()

    assert line == (
        '"EXTF";700;21;"Buchungsstapel";13;20261102070000439;;"RE";"";"";29098;55003;20260101;4;20261101;20261130;'
        '"Abrechnung 2026-10";"DK";1;0;0;"EUR";;"";;;"03";;;"";""'
    )
    assert len(split_line(line)) == 31


def test_every_line_has_125_columns_and_texts_stand_in_quotes() -> None:
    file = one_file(invoice(text='Zeichen ; " und\r\nUmbruch'), invoice("RE-2026-000002"))
    lines = file.content.decode("cp1252").split("\r\n")

    assert len(COLUMNS) == 125
    assert lines[1].split(";") == [c.name for c in COLUMNS]
    for line in lines[2:-1]:
        fields = split_line(line)
        assert len(fields) == 125
        for column, field in zip(COLUMNS, fields, strict=True):
            assert (field[:1] == '"' and field[-1:] == '"') == (column.kind is Kind.TEXT), column.name
    assert rows(file)[0]["Buchungstext"] == 'Zeichen ; " und  Umbruch'


@pytest.mark.promise("S27")
def test_one_row_per_invoice_and_rate_with_everything_the_bookkeeper_needs() -> None:
    file = one_file(
        invoice(
            gross_by_rate={7: Decimal("10.70"), 19: Decimal("113.05"), 0: Decimal("0.00")},
            mandate_reference="M-1",
            cost_centre="100",
        )
    )

    assert file.name == "EXTF_Abrechnung-2026-10_202611-202611_1.csv"
    assert (file.rows, file.total) == (2, Decimal("123.75"))
    assert [filled(r) for r in rows(file)] == [
        {
            "Umsatz (ohne Soll/Haben-Kz)": amount,
            "Soll/Haben-Kennzeichen": "S",
            "Konto": "10001",
            "Gegenkonto (ohne BU-Schlüssel)": account,
            "Belegdatum": "0211",
            "Belegfeld 1": "RE-2026-000001",
            "Buchungstext": "Müller & Söhne KG",
            "KOST1 - Kostenstelle": "100",
            "SEPA-Mandatsreferenz": "M-1",
            "Festschreibung": "0",
            "Leistungsdatum": "31102026",
            "Datum Zuord. Steuerperiode": "31102026",
            "Fälligkeit": "16112026",
        }
        for amount, account in (("113,05", "8400"), ("10,70", "8300"))
    ]


def test_a_cancellation_is_a_generalumkehr_of_the_original() -> None:
    original, storno = rows(
        one_file(invoice(), invoice("RE-2026-000009", reverses="RE-2026-000001", issued_on=dt.date(2026, 11, 3)))
    )

    assert (original["Soll/Haben-Kennzeichen"], original["Generalumkehr (GU)"]) == ("S", "")
    assert (storno["Soll/Haben-Kennzeichen"], storno["Generalumkehr (GU)"]) == ("H", "1")
    assert storno["Umsatz (ohne Soll/Haben-Kz)"] == original["Umsatz (ohne Soll/Haben-Kz)"]
    assert (storno["Konto"], storno["Gegenkonto (ohne BU-Schlüssel)"]) == ("10001", "8400")
    # the open item of the original is settled, the cancellation's own number is not lost
    assert storno["Belegfeld 1"] == "RE-2026-000001"
    assert storno["Buchungstext"].startswith("Storno RE-2026-000009: ")
    assert (storno["Beleginfo - Art 1"], storno["Beleginfo - Inhalt 1"]) == ("Stornorechnung", "RE-2026-000009")


def test_a_credit_stands_on_the_other_side_without_the_mark() -> None:
    (row,) = rows(one_file(invoice(gross_by_rate={19: Decimal("-50.00")})))
    assert (row["Umsatz (ohne Soll/Haben-Kz)"], row["Soll/Haben-Kennzeichen"], row["Generalumkehr (GU)"]) == ("50,00", "H", "")


def test_supply_date_and_tax_period_stand_together_or_not_at_all() -> None:
    (row,) = rows(one_file(invoice(supplied_until=None, due_on=None)))
    assert not row["Leistungsdatum"] + row["Datum Zuord. Steuerperiode"] + row["Fälligkeit"]


def test_finalised_stands_in_header_and_rows() -> None:
    client = DatevClient(29098, 55003, 4, {19: "8400"}, finalised=True)
    file = one_file(invoice(), client=client)
    assert split_line(file.content.decode("cp1252").split("\r\n")[0])[20] == "1"
    assert rows(file)[0]["Festschreibung"] == "1"


def test_longer_accounts_and_the_other_chart() -> None:
    client = DatevClient(29098, 55003, 6, {19: "440000"}, chart="04")
    file = one_file(invoice(debtor_account="1000100"), client=client)
    assert split_line(file.content.decode("cp1252").split("\r\n")[0])[26] == '"04"'
    assert rows(file)[0]["Konto"] == "1000100"


def test_a_file_holds_one_fiscal_year() -> None:
    client = DatevClient(29098, 55003, 4, {19: "8400"}, fiscal_year_first_month=7)
    days = [dt.date(2026, 6, 30), dt.date(2026, 7, 1), dt.date(2027, 6, 30), dt.date(2026, 12, 31)]
    files = write_batches([invoice(f"RE-{d}", issued_on=d) for d in days], client, name="Test", created_at=NOW)

    heads = [split_line(f.content.decode("cp1252").split("\r\n")[0]) for f in files]
    assert [(h[12], h[14], h[15]) for h in heads] == [
        ("20250701", "20260601", "20260630"),
        ("20260701", "20260701", "20270630"),
    ]
    assert [f.rows for f in files] == [1, 3]
    assert [f.name for f in files] == ["EXTF_Test_202606-202606_1.csv", "EXTF_Test_202607-202706_2.csv"]


def test_a_file_holds_at_most_99999_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.datev.batch.MAX_ROWS", 3)
    files = write_batches([invoice(f"RE-{n}") for n in range(7)], CLIENT, name="Test", created_at=NOW)
    assert [f.rows for f in files] == [3, 3, 1]
    assert len({f.name for f in files}) == 3


def test_nothing_to_book_is_no_file() -> None:
    assert write_batches([], CLIENT, name="Test", created_at=NOW) == ()
    assert write_batches([invoice(gross_by_rate={19: Decimal(0)})], CLIENT, name="Test", created_at=NOW) == ()


def test_the_same_invoices_in_any_order_give_the_same_bytes() -> None:
    some = [invoice(f"RE-2026-00000{n}", issued_on=dt.date(2026, 11, 1 + n % 3)) for n in range(6)]
    assert one_file(*some) == one_file(*reversed(some))


# --- properties -----------------------------------------------------------------------------------------------------------

amounts = st.decimals(min_value=Decimal("-999999.99"), max_value=Decimal("999999.99"), places=2)
invoices = st.lists(
    st.builds(
        invoice,
        st.integers(1, 10**6).map(lambda n: f"RE-2026-{n:06d}"),
        issued_on=st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
        gross_by_rate=st.dictionaries(st.sampled_from([19, 7, 0]), amounts, max_size=3),
        text=st.text(max_size=120),
        reverses=st.sampled_from(["", "RE-2025-000007"]),
    ),
    max_size=20,
)


@given(invoices)
def test_sums_survive_whatever_the_texts_hold(some: list[DatevInvoice]) -> None:
    files = write_batches(some, CLIENT, name="Test", created_at=NOW)
    read = [r for f in files for r in rows(f)]

    debit = sum(
        Decimal(r["Umsatz (ohne Soll/Haben-Kz)"].replace(",", ".")) * (1 if r["Soll/Haben-Kennzeichen"] == "S" else -1)
        for r in read
    )
    expected = sum(gross * (-1 if i.reverses else 1) for i in some for gross in i.gross_by_rate.values())
    assert debit == expected == sum(f.total for f in files)
    assert all(Decimal(r["Umsatz (ohne Soll/Haben-Kz)"].replace(",", ".")) > 0 for r in read)
    assert all(r["Generalumkehr (GU)"] == ("1" if r["Beleginfo - Art 1"] else "") for r in read)
    assert all(len(r["Buchungstext"]) <= 60 for r in read)


@given(st.text(max_size=80))
def test_any_text_becomes_one_that_windows_1252_holds(text: str) -> None:
    result = encodable(text)
    assert result.encode("cp1252").decode("cp1252") == result
    assert not re.search(r"[\r\n\t\x00]", result)
    if text.isascii() and text.isprintable():
        assert result == text


def test_foreign_letters_lose_their_marks_only() -> None:
    assert encodable("Łukasz Dvořák, Größe – 5 €, 漢") == "?ukasz Dvorák, Größe – 5 €, ?"


@given(st.dates(dt.date(2020, 1, 1), dt.date(2040, 12, 31)), st.integers(1, 12))
def test_a_day_lies_in_its_fiscal_year(day: dt.date, first_month: int) -> None:
    start = fiscal_year_start(day, first_month)
    assert start <= day < dt.date(start.year + 1, start.month, 1)


# --- refusals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"debtor_account": ""}, "Debitorenkonto '': erwartet werden genau 5 Ziffern"),
        ({"debtor_account": "1000"}, "genau 5 Ziffern"),
        ({"debtor_account": "1000x"}, "genau 5 Ziffern"),
        ({"debtor_account": "１０００１"}, "genau 5 Ziffern"),
        ({"gross_by_rate": {16: Decimal(1)}}, "kein Erlöskonto für 16 %"),
        ({"gross_by_rate": {19: Decimal("1.005")}}, "2 Nachkommastellen"),
        ({"gross_by_rate": {19: Decimal(10) ** 10}}, "Umsatz"),
        ({"number": "RE 2026"}, "Belegfeld"),
        ({"number": "RE-" + "1" * 40}, "Belegfeld"),
        ({"number": ""}, "Belegfeld"),
        ({"mandate_reference": "M" * 36}, "SEPA-Mandatsreferenz"),
        ({"cost_centre": "K" * 37}, "KOST1"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_by_name(changes: dict[str, object], words: str) -> None:
    values = {"number": "RE-2026-000001", **changes}
    with pytest.raises(DatevError, match=re.escape(words)):
        write_batches([invoice(**values)], CLIENT, name="Test", created_at=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("client", "name", "words"),
    [
        (DatevClient(1000, 1, 4, {}), "Test", "Beraternummer"),
        (DatevClient(1001, 0, 4, {}), "Test", "Mandantennummer"),
        (DatevClient(1001, 1, 9, {}), "Test", "Sachkontenlänge"),
        (DatevClient(1001, 1, 4, {}, fiscal_year_first_month=13), "Test", "Wirtschaftsjahr"),
        (DatevClient(1001, 1, 4, {}, initials='X"'), "Test", "Diktatkürzel"),
        (CLIENT, "x" * 31, "Bezeichnung"),
        (CLIENT, 'Abrechnung "', "Bezeichnung"),
        (CLIENT, "Abrechnung 漢", "Bezeichnung"),
    ],
)
def test_a_client_that_datev_does_not_know_is_refused(client: DatevClient, name: str, words: str) -> None:
    with pytest.raises(DatevError, match=words):
        write_batches([invoice()], client, name=name, created_at=NOW)


def test_a_wrong_revenue_account_is_named() -> None:
    with pytest.raises(DatevError, match="Erlöskonto 19 %"):
        booking_rows(invoice(), DatevClient(1001, 1, 4, {19: "84000"}))


# --- others ---------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("datev-specs")
@pytest.mark.skipif(not SPECS.is_dir(), reason="DATEV format description not at hand (DREHKREUZ_TEST_DATEV_SPECS)")
def test_columns_are_those_of_the_format_description() -> None:
    fields = list(ET.parse(SPECS / "Format_Buchungsstapel.xml").getroot().iter("Field"))
    kinds = {kind.value: kind for kind in Kind}

    assert [
        (kinds[str(f.findtext("FormatType"))], int(str(f.findtext("Length"))), int(str(f.findtext("DecimalPlaces"))))
        for f in fields
    ] == [(c.kind, c.length, c.places) for c in COLUMNS]


@pytest.mark.needs("datev-specs")
@pytest.mark.skipif(not SPECS.is_dir(), reason="DATEV sample not at hand (DREHKREUZ_TEST_DATEV_SPECS)")
def test_form_is_that_of_the_sample() -> None:
    sample = (SPECS / "EXTF_Buchungsstapel.csv").read_text("utf-8").splitlines()
    made = dt.datetime(2024, 1, 30, 13, 4, 40, 439000, tzinfo=dt.UTC)
    client = DatevClient(29098, 55003, 4, {}, initials="WD")
    head = BatchHead(client, dt.date(2024, 1, 1), "Buchungsstapel", made, dt.date(2024, 1, 1), dt.date(2024, 8, 31))

    assert head.line() == sample[0]
    assert ";".join(c.name for c in COLUMNS) == sample[1]
    by_column = list(zip(*([field.startswith('"') for field in split_line(line)] for line in sample[2:]), strict=True))
    # the sample itself puts quotes around three numeric columns here and there; texts always have them
    assert [all(quoted) for quoted in by_column] == [c.kind is Kind.TEXT for c in COLUMNS]
    # how the sample writes a Generalumkehr: the pair "501" / "501 GU" stands on opposite sides
    by_text = {split_line(line)[13]: split_line(line) for line in sample[2:]}
    original, reversal = by_text['"501"'], by_text['"501 GU"']
    assert (original[1], original[117], reversal[1], reversal[117]) == ('"H"', '"0"', '"S"', '"1"')


@pytest.mark.needs("german-ledger")
@pytest.mark.skipif(not Path(LEDGER).exists(), reason="foreign reader not installed (DREHKREUZ_TEST_LEDGER_PYTHON)")
def test_a_reader_by_others_gets_the_same_amounts(tmp_path: Path) -> None:
    file = one_file(
        invoice(gross_by_rate={19: Decimal("113.05"), 7: Decimal("10.70")}),
        invoice("RE-2026-000002", gross_by_rate={19: Decimal("-50.00")}, text='Ärger mit ";"'),
        invoice("RE-2026-000009", reverses="RE-2026-000001"),
    )
    (tmp_path / file.name).write_bytes(file.content)
    script = (
        "import json,sys; from mloda.community.feature_groups.experimental.german_ledger.datev import read_batch\n"
        "head, legs = read_batch(sys.argv[1])\n"
        "print(json.dumps([head.berater, head.mandant, {k: [str(v) for v in vs] for k, vs in legs.items()}]))"
    )
    answer = subprocess.run(
        [LEDGER, "-c", script, str(tmp_path / file.name)], capture_output=True, text=True, timeout=60, check=True
    )
    consultant, client, legs = json.loads(answer.stdout)

    debtor = [n for n, leg in enumerate(legs["Leg"]) if leg == "K"]
    assert (consultant, client) == ("29098", "55003")
    # the reader takes a Generalumkehr for a booking on the original's side, DATEV's sample does not: only its mark is compared
    assert [(legs["Betrag"][n], legs["Gegenkonto"][n]) for n in debtor if legs["Generalumkehr"][n] == "False"] == [
        ("113.05", "8400"),
        ("10.70", "8300"),
        ("-50.00", "8400"),
    ]
    assert [legs["Belegfeld 1"][n] for n in debtor if legs["Generalumkehr"][n] == "True"] == ["RE-2026-000001"]
    assert {legs["Leistungsdatum"][n] for n in debtor} == {"2026-10-31"}
