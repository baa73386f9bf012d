"""Typed by content: what is something else is refused by its real name, whatever it calls itself."""

from pathlib import Path
from sysconfig import get_paths

import pytest

from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchError, ReadHints

from .samples import ADVICE
from .writers import desadv, opentrans, ubl

EDI = "UNB+UNOC:3+4012345000108:14+4012345000016:14+261102:0618+7712{app}'UNH+1+{kind}:D:96A:UN'BGM+{bgm}+99+9'LIN+1++A:SA'QTY+12:1'UNT+5+1'UNZ+1+7712'"


def _refusal(raw: str | bytes, name: str = "") -> DespatchError:
    with pytest.raises(DespatchError) as caught:
        read_despatch(raw.encode() if isinstance(raw, str) else raw, ReadHints(file_name=name))
    return caught.value


def test_orders_under_the_name_of_desadv() -> None:
    fault = _refusal(EDI.format(app="", kind="ORDERS", bgm="220"), "DESADV_4711.edi")
    assert fault.supplier_fault
    assert str(fault) == (
        "Segment 2 (UNH): Die Datei enthält eine Bestellung (ORDERS), obwohl der Dateiname ein Lieferavis nennt; ein Lieferavis ist "
        "das nicht. Bitte fordern Sie beim Lieferanten das Lieferavis an."
    )


def test_orders_in_an_interchange_that_says_desadv() -> None:
    assert "eine Bestellung (ORDERS), obwohl die Übertragung (UNB) ein Lieferavis nennt" in str(
        _refusal(EDI.format(app="++DESADV", kind="ORDERS", bgm="220"))
    )


def test_message_desadv_that_holds_an_order() -> None:
    assert "Segment 3 (BGM): Die Datei enthält eine Bestellung (BGM 220), obwohl der Nachrichtentyp (UNH)" in str(
        _refusal(EDI.format(app="", kind="DESADV", bgm="220"))
    )


@pytest.mark.parametrize(("function", "word"), [("1", "storniert"), ("3", "löscht")])
def test_a_cancellation_is_no_delivery(function: str, word: str) -> None:
    text = desadv(ADVICE).replace("+LS-4711+9'", f"+LS-4711+{function}'")
    assert f"{word} das Lieferavis LS-4711" in str(_refusal(text))


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("ORDER", "eine Bestellung (openTRANS ORDER)"),
        ("INVOICE", "eine Rechnung (openTRANS INVOICE)"),
        ("ORDERRESPONSE", "eine Auftragsbestätigung (openTRANS ORDERRESPONSE)"),
        ("Invoice", "eine Rechnung (UBL Invoice)"),
        ("Order", "eine Bestellung (UBL Order)"),
        ("rsm:CrossIndustryInvoice", "eine Rechnung (CII)"),
        ("html", "Dieses XML ist kein Lieferavis"),
    ],
)
def test_other_xml(root: str, told: str) -> None:
    fault = _refusal(f'<?xml version="1.0"?><!-- DISPATCHNOTIFICATION --><{root}/>')
    assert told in str(fault)
    assert fault.supplier_fault


def test_an_order_in_an_envelope_that_says_despatch_advice() -> None:
    text = ubl(ADVICE, envelope=True).replace("<DespatchAdvice ", "<Order ").replace("</DespatchAdvice>", "</Order>")
    text = text.replace("cac:DespatchLine", "cac:OrderLine")
    assert "eine Bestellung (UBL Order), obwohl der Umschlag (SBDH) ein Lieferavis nennt" in str(_refusal(text))


def test_a_ubl_type_code_that_contradicts() -> None:
    text = ubl(ADVICE).replace("<cbc:IssueDate>", "<cbc:DespatchAdviceTypeCode>380</cbc:DespatchAdviceTypeCode><cbc:IssueDate>")
    assert "enthält eine Rechnung, obwohl das Wurzelelement ein Lieferavis nennt" in str(_refusal(text))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "ein PDF"),
        (b"PK\x03\x04rest", "ZIP-Archiv oder eine Excel"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"ISA*00*", "X12"),
        (b"Sehr geehrte Damen und Herren,\n\nanbei der Lieferschein.\n", "kein Lieferavis, das gelesen werden kann"),
        (b"   \n\n ", "kein Lieferavis, das gelesen werden kann"),
        (b"", "leer"),
        (b"{}", "kein Lieferavis"),
    ],
)
def test_no_format_at_all(raw: bytes, told: str) -> None:
    assert told in str(_refusal(raw))


def test_a_wrong_name_changes_nothing() -> None:
    assert read_despatch(desadv(ADVICE).encode(), ReadHints(file_name="Rechnung.xml")).format == "desadv"
    assert read_despatch(opentrans(ADVICE).encode(), ReadHints(file_name="liste.csv")).format == "opentrans"


def test_files_by_others_are_refused_in_words() -> None:
    """XML, JSON and text that other packages brought along: none is a despatch advice, none upsets the reader."""
    folder = Path(get_paths()["purelib"])
    found = [path for pattern in ("*.xml", "*.xsl*", "*.csv", "*.json") for path in sorted(folder.glob(f"*/**/{pattern}"))]
    small = [path for path in found if path.stat().st_size < 300_000][::7][:150]
    assert len(small) > 20
    for path in small:
        assert len(str(_refusal(path.read_bytes()))) > 30
