"""The example company's despatch advices, as they lie in the inbox folder."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.despatch.limits import load
from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchAdvice, ReadHints

FOLDER = Path(__file__).parents[2] / "examples" / "despatch"


def _read(pattern: str) -> DespatchAdvice:
    (path,) = FOLDER.glob(pattern)
    return read_despatch(load(path), ReadHints(file_name=path.name))


@pytest.mark.promise("S21")
def test_all_are_read_without_hints() -> None:
    found = {path.name: read_despatch(load(path)) for path in sorted(FOLDER.iterdir())}
    assert {advice.format for advice in found.values()} == {"opentrans", "ubl", "csv", "desadv"}
    assert [advice.hints for advice in found.values()] == [()] * len(found)


@pytest.mark.promise("S22")
def test_opentrans_with_mark_and_namespaces() -> None:
    advice = _read("*LS-884120.xml")
    assert (advice.delivery_note, advice.despatched_on, advice.shipment) == (
        "LS-884120",
        dt.date(2026, 10, 28),
        "00340999884120",
    )
    assert (advice.supplier.name, advice.supplier.gln) == ("Falkenau Distribution AG", "4012345000108")
    assert [line.quantity for line in advice.lines] == [4, 4, 8]
    assert advice.lines[0].serials == ("NB14503152910", "NB14502662601", "NB14503078342", "NB14502654973")
    assert advice.lines[2].text == "Bildschirm Klarsicht 27 Zoll, höhenverstellbar"
    assert advice.lines[2].packages == ("LS-884120-2",)
    assert [package.number for package in advice.packages] == ["LS-884120-1", "LS-884120-2"]


def test_opentrans_without_namespaces() -> None:
    advice = _read("*abweichung.xml")
    assert [(line.our_product, line.order_line) for line in advice.lines] == [
        ("PC-0710", "1"), ("FW-0800", "2"), ("LIC-FW12", "3"), ("TAS-0099", "9"),
    ]  # fmt: skip


def test_ubl_partial_delivery() -> None:
    advice = _read("*LN-26-5531.xml")
    assert (advice.note, advice.expected_on) == ("Teillieferung", dt.date(2026, 10, 29))
    assert (advice.lines[1].quantity, advice.lines[1].outstanding) == (3, Decimal(2))
    assert advice.lines[1].outstanding_reason == "Rest folgt in Kalenderwoche 46"
    assert len(advice.lines[0].serials) == 3


def test_desadv_in_latin_1() -> None:
    advice = _read("*77120043.edi")
    assert (advice.supplier.name, advice.supplier.gln, advice.despatched_on) == (
        "Hochwald Serverwerk KG", "4012345000306", dt.date(2026, 11, 2),
    )  # fmt: skip
    assert advice.orders == ("B-2026-0421",)
    assert [(line.our_product, line.quantity, line.unit, len(line.serials)) for line in advice.lines] == [
        ("SRV-3300", 2, "PCE", 2), ("LIC-SRV", 2, "PCE", 0), ("USV-1500", 2, "PCE", 2),
    ]  # fmt: skip


def test_csv_without_a_mapping() -> None:
    advice = _read("*kueppers*.csv")
    assert (advice.delivery_note, advice.despatched_on) == ("LS20260877", dt.date(2026, 10, 30))
    assert [(line.quantity, line.place) for line in advice.lines] == [(40, "Zeile 2"), (4, "Zeile 3")]
    assert advice.lines[1].serials == ("AP06502951250", "AP06503127501", "AP06503199242", "AP06502851073")
