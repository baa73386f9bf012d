"""The worked tables of docs/rules/ for DATEV, SEPA, SAP and keeping, held against the code."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from integrations.datev.batch import booking_rows, fiscal_year_start
from integrations.datev.fields import encodable
from integrations.datev.types import DatevClient, DatevInvoice
from integrations.sap.port import SapInvoice, SapKind, SapLine, SapRefusedError, SapUnavailableError
from integrations.sap.service_layer import ServiceLayer, ServiceLayerBook
from integrations.sepa.calendar import collection_date, latest_submission, mandate_lapses_on
from integrations.sepa.text import sepa_text
from rules.retention import RecordClass, retain_until
from tests.fake_service_layer import FakeServiceLayer
from tests.rules.tables import day, each_row, number, word

Row = dict[str, str]
CLIENT = DatevClient(29098, 55003, 4, {19: "8400", 7: "8300", 0: "8200"})


@each_row("datev.md", "Eine Zeile je Rechnung und Steuersatz")
def test_booking_rows(row: Row) -> None:
    reverses = "RE-2026-000001" if row["Fall"].startswith("Storno") else ""
    gross = {int(row["Satz"]): number(row["Brutto"])}
    (booking,) = booking_rows(DatevInvoice("RE-1", dt.date(2026, 11, 2), "10001", gross, "x", reverses=reverses), CLIENT)

    assert booking.amount == number(row["Umsatz"])
    assert (booking.side, booking.contra_account) == (row["Seite"], row["Gegenkonto"])
    assert booking.reverses == (word(row["GU"]) == "1")
    assert booking.voucher == (reverses or "RE-1")


@each_row("datev.md", "Wirtschaftsjahr und Dateien")
def test_fiscal_years(row: Row) -> None:
    assert fiscal_year_start(day(row["Rechnungstag"]), int(row["erster Monat"])) == day(row["Wirtschaftsjahr ab"])


@each_row("datev.md", "Zeichen")
def test_datev_characters(row: Row) -> None:
    assert encodable(row["Text"]) == row["in der Datei"]


@each_row("sepa.md", "Vorankündigung und Einzugstag")
def test_collection_days(row: Row) -> None:
    collect_on = collection_date(day(row["angekündigt"]), int(row["Tage"]))
    assert collect_on == day(row["Einzug"])
    assert latest_submission(collect_on) == day(row["spätestens eingereicht"])


@each_row("sepa.md", "Mandat")
def test_mandates(row: Row) -> None:
    assert mandate_lapses_on(day(row["zuletzt genutzt"])) == day(row["gilt nicht mehr ab"])


@each_row("sepa.md", "Zeichen")
def test_sepa_characters(row: Row) -> None:
    assert sepa_text(row["Text"], 70) == row["in der Datei"]


@each_row("aufbewahrung.md")
def test_keeping(row: Row) -> None:
    kind, of = RecordClass(row["Art"]), day(row["Dokument vom"])
    until = retain_until(kind, of)
    assert until == day(row["bleibt bis vor dem"])
    assert until.year - of.year - 1 == int(row["Jahre"])


FAULTS = {
    "Antwort kam": "",
    "Verbindung brach nach dem Anlegen ab": "drop after",
    "Verbindung brach vor dem Anlegen ab": "drop before",
    "SAP meldet 503": "503",
    "SAP meldet 500 nach dem Anlegen": "500 after",
    "Sitzung war abgelaufen": "expire",
    "Kunde in SAP unbekannt": "",
}


@each_row("sap.md", "Warum kein Beleg doppelt entsteht")
def test_no_document_twice(row: Row) -> None:
    what = row["was geschah"]
    card_code = "C99999" if what == "Kunde in SAP unbekannt" else "C10023"
    made = sap_invoice((SapLine("x", Decimal("95.00"), Decimal(19), "8400"),), Decimal("18.05"), card_code)
    errors = {"später": SapUnavailableError, "abgelehnt": SapRefusedError}
    with FakeServiceLayer(faults=(FAULTS[what],)) as fake:
        with ServiceLayerBook(ServiceLayer(fake.url, "RURTAL", "drehkreuz", "geheim", timeout=5)) as book:
            if row["Ergebnis"] in errors:
                with pytest.raises(errors[row["Ergebnis"]]):
                    book.post(made)
            else:
                assert book.post(made).found is False
        assert len(fake.documents["Invoices"]) == {"ein Beleg": 1, "kein Beleg": 0}[row["in SAP"]]


@each_row("sap.md", "Summen")
def test_rounding_in_sap(row: Row) -> None:
    found = re.fullmatch(r"(\d+) × (\S+)", row["Zeilen"])
    assert found
    lines = (SapLine("x", number(found[2]), Decimal(row["Satz"]), "8400"),) * int(found[1])
    for way, column in (("document", "Steuer aus der Summe"), ("row", "Summe der Zeilensteuern")):
        fake = FakeServiceLayer(vat_by=way)
        with fake, ServiceLayerBook(ServiceLayer(fake.url, "RURTAL", "drehkreuz", "geheim")) as book:
            assert book.post(sap_invoice(lines, number(row[column]))).found is False


def sap_invoice(lines: tuple[SapLine, ...], vat: Decimal, card_code: str = "C10023") -> SapInvoice:
    net = sum((line.net for line in lines), Decimal(0))
    today = dt.date(2026, 11, 2)
    return SapInvoice("k", "RE-1", SapKind.INVOICE, card_code, "x", today, today, today, lines, net, vat, net + vat)
