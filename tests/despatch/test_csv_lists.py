"""Lists of suppliers: mappings, delimiters, numbers that can be read in two ways."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from integrations.despatch.reader import read_despatch, read_despatches
from integrations.despatch.types import CsvMapping, DespatchError, ReadHints

HEAD = "Lieferschein;Artikelnummer;Menge;Seriennummer\n"


def _told(text: str, mapping: CsvMapping | None = None) -> str:
    with pytest.raises(DespatchError) as caught:
        read_despatch(text.encode(), ReadHints(csv=mapping))
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    text = 'Delivery Note;Qty;SKU;Description\nD-1;2;A-1;"Kabel; grau, lang|neu\t"\n'.replace('"', "").replace(
        "; grau, lang|neu\t", " grau"
    )
    assert read_despatch(text.replace(";", delimiter).encode()).lines[0].supplier_article == "A-1"


def test_lines_before_the_header_and_totals_after_it() -> None:
    found = read_despatch(f"Küppers Kabel GmbH\n\nIhr Lieferavis;;;\n{HEAD}L1;A;2;\n;;;\n;Summe;;\n;;2;\n".encode("cp1252"))
    assert [line.supplier_article for line in found.lines] == ["A"]
    assert [hint.partition(":")[0] for hint in found.hints] == ["Zeile 7", "Zeile 8"]


def test_a_total_line_is_told() -> None:
    found = read_despatch(f"{HEAD}L1;A;2;\n;;2;\n".encode())
    assert [line.place for line in found.lines] == ["Zeile 2"]
    assert found.hints == ("Zeile 3: Keine Position erkannt und nicht übernommen (»2«).",)


def test_several_delivery_notes() -> None:
    text = f"{HEAD}L1;A;1;\nL2;B;2;\nL1;C;3;\n"
    assert [(a.delivery_note, [line.quantity for line in a.lines]) for a in read_despatches(text.encode())] == [
        ("L1", [1, 3]),
        ("L2", [2]),
    ]
    assert "2 Lieferavise" in _told(text)
    assert "Zeile 4: Die Lieferscheinnummer fehlt" in _told(f"{HEAD}L1;A;1;\nL2;B;2;\n;C;3;\n")


def test_rows_without_number_belong_to_the_only_delivery_note() -> None:
    found = read_despatch(f"{HEAD};A;1;\nL1;B;2;\n;C;3;\n".encode())
    assert [(line.number, line.supplier_article) for line in found.lines] == [("1", "A"), ("2", "B"), ("3", "C")]
    assert "2 Zeilen ohne Lieferscheinnummer" in found.hints[0]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2", "2"),
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("40,00", "40"),
        ("0,500", "0.5"),
    ],
)
def test_quantities_without_a_mapping(told: str, meant: str) -> None:
    assert read_despatch(f"{HEAD}L1;A;{told};\n".encode()).lines[0].quantity == Decimal(meant)


def test_an_ambiguous_quantity_is_refused() -> None:
    assert "Zeile 2: Die Menge »1.000« ist mehrdeutig" in _told(f"{HEAD}L1;A;1.000;\n")


@pytest.mark.parametrize(("decimal", "meant"), [(",", 1000), (".", 1)])
def test_the_mapping_settles_it(decimal: str, meant: int) -> None:
    mapping = CsvMapping(
        {"delivery_note": "Lieferschein", "quantity": "Menge", "supplier_article": "Artikelnummer"}, decimal=decimal
    )
    assert read_despatch(f"{HEAD}L1;A;1.000;\n".encode(), ReadHints(csv=mapping)).lines[0].quantity == meant


def test_a_mapping_whose_columns_are_gone() -> None:
    mapping = CsvMapping({"delivery_note": "Beleg", "quantity": "Menge", "supplier_article": "Artikelnummer"})
    told = _told(f"{HEAD}L1;A;1;\n", mapping)
    assert "Zeile 1: In der Kopfzeile fehlen: »Beleg« (gefunden: Lieferschein, Artikelnummer, Menge, Seriennummer)." in told
    assert "Zuordnung des Lieferanten" in told


def test_a_mapping_that_misses_what_is_needed() -> None:
    told = _told(f"{HEAD}L1;A;1;\n", CsvMapping({"delivery_note": "Lieferschein", "text": "Menge"}))
    assert "fehlen: Menge, Artikelnummer" in told


def test_date_format_and_separator_of_the_mapping() -> None:
    mapping = CsvMapping(
        {"delivery_note": "Lieferschein", "quantity": "Menge", "supplier_article": "Artikelnummer", "serials": "Seriennummer", "date": "Tag"},
        date_format="%m/%d/%Y", serial_separator="/",
    )  # fmt: skip
    text = "Lieferschein;Artikelnummer;Menge;Seriennummer;Tag\nL1;A;2;X,1/X,2;11/02/2026\n"
    found = read_despatch(text.encode(), ReadHints(csv=mapping))
    assert (found.despatched_on, found.lines[0].serials) == (dt.date(2026, 11, 2), ("X,1", "X,2"))
    broken = dataclasses.replace(mapping, date_format="%Y%")
    assert "kein Datum" in read_despatch(text.encode(), ReadHints(csv=broken)).hints[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, "keine Zeilen"),
        (f"{HEAD}L1\n", "keine lesbare Position. Zeile 2: Keine Position erkannt und nicht übernommen (»L1«)."),
        (f"{HEAD}L1;A;;\n", "Zeile 2: Die Menge fehlt."),
        (f"{HEAD}L1;A;viele;\n", "Zeile 2: Die Menge »viele« ist keine Zahl"),
        (f"{HEAD}L1;A;1;S;mehr\n", "Zeile 2: Die Zeile hat 5 Felder, die Kopfzeile 4."),
        ("Artikelnummer;Menge\nA;1\n", "In der Kopfzeile fehlen: Lieferscheinnummer"),
        (f'{HEAD}L1;"A;1;\n', "bricht in einem Feld mit Anführungszeichen ab"),
        (f'{HEAD}L1;"A"B;1;\n', "fehlerhaft in Anführungszeichen"),
    ],
)
def test_faults(text: str, told: str) -> None:
    assert told in _told(text)
    assert "Bitte" in _told(text)


def test_quoted_line_breaks_keep_the_place() -> None:
    found = read_despatch(f'{HEAD}L1;"A\n1";1;\nL1;B;1;\n'.encode())
    assert [(line.supplier_article, line.place) for line in found.lines] == [("A 1", "Zeile 3"), ("B", "Zeile 4")]
