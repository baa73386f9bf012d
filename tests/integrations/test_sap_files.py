"""The invoice book as files: one JSON per invoice, tables for the workbench."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.sap.files import FilesBook, dtw_files, sap_json
from integrations.sap.port import SapRefusedError, SapUnavailableError
from tests.fake_service_layer import FakeServiceLayer
from tests.integrations.making_sap import invoice, line, storno


def test_a_file_per_invoice_says_everything(tmp_path: Path) -> None:
    with FilesBook(tmp_path / "sap") as out:
        first, again = out.post(invoice()), out.post(invoice())

    assert (first.document, first.found, again.found) == ("RE-2026-000001.json", False, True)
    body = json.loads((tmp_path / "sap" / "RE-2026-000001.json").read_text("utf-8"))
    assert {k: body[k] for k in ("number", "kind", "key", "report", "net", "vat", "gross", "currency", "cancels")} == {
        "number": "RE-2026-000001",
        "kind": "invoice",
        "key": "6f1c",
        "report": "SB-2026-000001",
        "net": "95.00",
        "vat": "18.05",
        "gross": "113.05",
        "currency": "EUR",
        "cancels": None,
    }
    assert body["lines"] == [
        {
            "text": "IT-Dienstleistungen gemäß SB-2026-000001",
            "net": "95.00",
            "vat_rate": "19",
            "account": "8400",
            "cost_centre": None,
        }
    ]
    assert [p.name for p in (tmp_path / "sap").iterdir()] == ["RE-2026-000001.json"]


def test_the_request_in_the_file_is_one_that_sap_takes() -> None:
    body = json.loads(sap_json(invoice()))["service_layer"]
    with FakeServiceLayer() as fake:
        row = fake.add(body["resource"], json.loads(json.dumps(body["body"]), parse_float=Decimal))
    assert (row["DocTotal"], row["VatSum"]) == (113.05, 18.05)


def test_other_content_under_one_number_is_refused(tmp_path: Path) -> None:
    out = FilesBook(tmp_path)
    out.post(invoice())
    with pytest.raises(SapRefusedError, match="anderem Inhalt"):
        out.post(invoice("other"))


@pytest.mark.parametrize("number", ["", "../x", "a/b", "RE 1", "Ä"])
def test_a_number_that_is_no_file_name(tmp_path: Path, number: str) -> None:
    with pytest.raises(SapRefusedError, match="Dateiname"):
        FilesBook(tmp_path).post(invoice(number=number))


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "sap").write_text("")
    with pytest.raises(SapUnavailableError, match="Rechte"):
        FilesBook(tmp_path / "sap").post(invoice())


def test_files_do_without_a_sap_customer(tmp_path: Path) -> None:
    assert FilesBook(tmp_path).post(invoice(card_code="")).found is False


def test_tables_for_the_workbench_link_lines_to_heads() -> None:
    two = invoice("b", number="RE-2026-000002", lines=(line("50.00"), line("45.00", text='Zeile ";" zwei')))
    files = dtw_files([invoice(), two, storno()])

    assert sorted(files) == [
        "CreditNotes_Document_Lines.csv",
        "CreditNotes_Documents.csv",
        "Invoices_Document_Lines.csv",
        "Invoices_Documents.csv",
    ]
    heads = list(csv.reader(io.StringIO(files["Invoices_Documents.csv"].decode("utf-8-sig"), newline=""), delimiter=";"))
    lines = list(csv.reader(io.StringIO(files["Invoices_Document_Lines.csv"].decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [h[:2] for h in heads[:2]] == [["DocNum", "DocType"], ["DocNum", "DocType"]]
    assert [(h[0], h[2], h[6]) for h in heads[2:]] == [("1", "20261102", "RE-2026-000001"), ("2", "20261102", "RE-2026-000002")]
    assert [one[:3] + one[5:6] for one in lines[2:]] == [
        ["1", "0", "IT-Dienstleistungen gemäß SB-2026-000001", "95.00"],
        ["2", "0", "IT-Dienstleistungen gemäß SB-2026-000001", "50.00"],
        ["2", "1", 'Zeile ";" zwei', "45.00"],
    ]
