"""Despatch advices that others wrote: files of installed packages, read where they lie, and a trading partner's messages."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import distribution

import pytest
from mockedi import edifact, transactions

from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine

WAREHOUSE, SUPPLIER = "odoo-addon-base-wamas-ubl", "odoo-addon-despatch-advice-import-ubl"
MOMENT = dt.datetime(2026, 11, 2, 9, 30, tzinfo=dt.UTC)


def their_file(package: str, name: str) -> str:
    (found,) = (path for path in distribution(package).files or () if path.name == name)
    return found.locate().read_text(encoding="utf-8")


def theirs(package: str, name: str, values: Mapping[str, str] | None = None) -> DespatchAdvice:
    """Their file, the places that they leave open filled as their own tests do."""
    text = their_file(package, name)
    return read_despatch((text.format(**values) if values else text).encode())


def brief(line: DespatchLine) -> tuple[str, int, str, str, str]:
    return line.number, int(line.quantity), line.supplier_article, line.our_product, line.order_number


@pytest.mark.promise("S21")
def test_what_a_warehouse_system_sends_and_gets() -> None:
    inbound = theirs(WAREHOUSE, "UBL2WAMAS-SAMPLE_WEAK_WEAP-DESPATCH_ADVICE.xml")
    assert (inbound.delivery_note, inbound.shipment, inbound.orders) == ("WH/IN/000377", "130377", ("PO001040",))
    assert (inbound.supplier.name, inbound.supplier.supplier_no) == ("MyCompany", "1040")
    assert (inbound.despatched_on, inbound.expected_on) == (dt.date(2023, 5, 1), dt.date(2023, 5, 1))
    assert [brief(line) for line in inbound.lines] == [
        ("0001", 1536, "7910063", "1151", "PO001040"), ("0002", 5184, "7910105", "1156", "PO001040"),
        ("0003", 3840, "7910004", "1160", "PO001040"), ("0004", 3072, "12156876", "1162", "PO001040"),
        ("0005", 3024, "7910044", "1176", "PO001040"),
    ]  # fmt: skip
    outbound = theirs(WAREHOUSE, "UBL2WAMAS-SAMPLE_AUSK_AUSP-DESPATCH_ADVICE2.xml")
    assert [brief(line) for line in outbound.lines] == [
        ("10001", 1500, "7076", "", "SO1700802"), ("10002", 50, "5225", "", "SO1700802"),
    ]  # fmt: skip
    returned = theirs(WAREHOUSE, "UBL2WAMAS-SAMPLE_KRETK_KRETP-DESPATCH_ADVICE.xml")
    assert [(line.our_product, int(line.quantity)) for line in returned.lines][2:4] == [("1160", 3840), ("1162", 3072)]
    assert returned.lines[2].order_line == "0003"


def test_blanks_around_numbers_packages_per_line_and_a_line_that_holds_nothing() -> None:
    packed = theirs(WAREHOUSE, "WAMAS2UBL-SAMPLE_AUSKQ_WATEKQ_WATEPQ-DESPATCH_ADVICE.xml")
    assert [(line.number, line.quantity, line.supplier_article) for line in packed.lines] == [
        ("101", Decimal(7), "15455"), ("102", Decimal(8), "15455"), ("103", Decimal(0), "15455"),
    ]  # fmt: skip
    assert {line.packages for line in packed.lines} == {("376401426411929180",)}
    assert [package.number for package in packed.packages] == ["376401426411929180"]
    bare = theirs(WAREHOUSE, "WAMAS2UBL-SAMPLE_SIMPLE_WEAKQ_WEAPQ-DESPATCH_ADVICE.xml")
    assert (bare.delivery_note, bare.orders, len(bare.lines)) == ("130377", (), 5)


@pytest.mark.parametrize("sample", ["COMB_WEAKQ_WEAPQ", "KRETKQ_KRETPQ"])
def test_two_documents_in_one_file_are_refused_with_the_place(sample: str) -> None:
    with pytest.raises(DespatchError, match=r"Zeile \d+, Spalte 1: Nach dem Ende des Dokuments folgt weiterer Inhalt"):
        theirs(WAREHOUSE, f"WAMAS2UBL-SAMPLE_{sample}-DESPATCH_ADVICE.xml")


@pytest.mark.promise("S21")
def test_a_supplier_with_batches_backorders_and_two_orders() -> None:
    values = {
        "picking_name": "LS-77", "line_1_id": "10", "line_2_id": "20", "line_1_qty": "15", "line_2_qty": "42.0",
        "line_1_backorder_qty": "12", "line_1_order_id": "B-1", "line_2_order_id": "B-2", "order_id": "B-9",
    }  # fmt: skip
    advice = theirs(SUPPLIER, "despatch_advice_2.xml", values)
    assert (advice.delivery_note, advice.supplier.name, advice.supplier.vat_id) == ("LS-77", "S.A. SOCIETY", "BE0477472701")
    assert [(line.quantity, line.outstanding, line.batch) for line in advice.lines] == [
        (Decimal(15), Decimal(12), "1234890"), (Decimal(42), None, "876540"),
    ]  # fmt: skip
    assert [(line.order_number, line.order_line, line.supplier_article) for line in advice.lines] == [
        ("B-1", "10", "1234567"), ("B-2", "20", "2345678"),
    ]  # fmt: skip
    assert [line.best_before for line in advice.lines] == [dt.date(2022, 3, 31), dt.date(2021, 12, 31)]
    one_order = theirs(SUPPLIER, "despatch_advice_tmpl.xml", values)
    assert {line.order_number for line in one_order.lines} == {"B-9"}
    assert one_order.orders == ("B-9",)


@pytest.mark.promise("S21")
@pytest.mark.parametrize("version", ["D:96A:UN", "D:01B:UN:EAN010"])
def test_the_desadv_of_another_trading_partner(version: str) -> None:
    us = transactions.Party("SU", "Falkenau Großhandel & Söhne", "4012345000108", "Weg 1", "Aachen", "", "52062", "DE")
    lines = [
        {"line": "1", "sku": "FW-0800", "upc": "4012345000016", "uom": "EA", "shipped": "2"},
        {"line": "2", "sku": "KAB-1", "upc": "", "uom": "EA", "shipped": "0"},
        {"line": "3", "sku": "NB-1450", "upc": "", "uom": "EA", "shipped": "12"},
    ]
    shipment = {
        "shipment_id": "SH-4711", "shipped_on": "2026-11-01", "tracking": "00340999884120", "bol": "BOL-9",
        "carrier": "Spedition Rot", "cartons": 2,
    }  # fmt: skip
    body = transactions.write_despatch("EDIFACT", us, {}, {"po_number": "B-2026-0501"}, lines, shipment, MOMENT)
    message = edifact.message("DESADV", "1", body, version)
    interchange = edifact.wrap([message], "4012345000108", "4098765000004", "77", moment=MOMENT)
    told = transactions.read_despatch(message, "EDIFACT")
    for newline in (False, True):
        advice = read_despatch(edifact.render(interchange, newline=newline).encode("latin-1"))
        assert advice.format == "desadv"
        assert (advice.delivery_note, advice.orders, advice.despatched_on) == ("SH-4711", ("B-2026-0501",), told.shipped_on)
        assert advice.supplier.name == "Falkenau Großhandel & Söhne"
        assert advice.carrier == "Spedition Rot"
        assert [(line.number, line.quantity) for line in advice.lines] == [("1", Decimal(2)), ("3", Decimal(12))]
        assert sum(line.quantity for line in advice.lines) == told.total_quantity
        assert [(line.order_number, line.order_line) for line in advice.lines] == [("B-2026-0501", "1"), ("B-2026-0501", "3")]
        assert [line.supplier_article for line in advice.lines] == ["FW-0800", "NB-1450"]
        assert advice.lines[0].ean == "4012345000016"
