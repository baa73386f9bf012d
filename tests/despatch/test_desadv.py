"""What real DESADV messages do: levels of packing, ranges of serials, several messages, references of all kinds."""

import datetime as dt
from decimal import Decimal

import pytest

from integrations.despatch.desadv import expand
from integrations.despatch.reader import read_despatch, read_despatches
from integrations.despatch.types import DespatchAdvice, DespatchError


def _file(*messages: str, head: str = "UNB+UNOC:3+A:14+B:14+261102:0618+1'") -> bytes:
    parts = [f"UNH+{n}+DESADV:D:01B:UN:EAN007'{text}UNT+{text.count(chr(39)) + 2}+{n}'" for n, text in enumerate(messages, 1)]
    return f"{head}{''.join(parts)}UNZ+{len(messages)}+1'".encode("latin-1")


def _read(text: str) -> DespatchAdvice:
    return read_despatch(_file("BGM+351+LS-1+9'" + text))


LINE = "LIN+1++A-1:SA'QTY+12:2:PCE'"


def test_packing_levels() -> None:
    found = _read(
        "CPS+1'PAC+2++201::9'CPS+2+1'PAC+1++201::9'MEA+PD+AAB+KGM:263.2'PCI+33E'GIN+BJ+340123450000000016'" + LINE
        + "CPS+3+1'PAC+1++CT'MEA+PD+AAB+GRM:500'PCI+33E'GIN+BJ+340123450000000023'LIN+2++B-1:SA'QTY+12:5'"
        "CPS+4+3'LIN+3++C-1:SA'QTY+12:1'CNT+2:3'"
    )  # fmt: skip
    assert [line.packages for line in found.lines] == [
        ("340123450000000016",),
        ("340123450000000023",),
        ("340123450000000023",),
    ]
    assert [(package.kind, package.weight_kg) for package in found.packages] == [
        ("201", Decimal("263.2")),
        ("CT", Decimal("0.500")),
    ]
    assert found.hints == ()


def test_serials_in_every_way() -> None:
    found = _read(LINE.replace(":2:", ":9:") + "GIN+BN+S1+S2:S2'GIN+BN+X098:X101'RFF+SE:R1'PIA+1+P1:SN'")
    assert found.lines[0].serials == ("S1", "S2", "X098", "X099", "X100", "X101", "R1", "P1")
    assert found.hints == ("Position 1: 8 Seriennummern bei einer Menge von 9.",)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [("A1", "A9", 9), ("A09", "A10", 2), ("1", "1", 1), ("A9", "A10", None), ("A1", "B2", None), ("A5", "A1", None), ("AB", "AC", None),
     ("0", "99999", None), ("0000000", "9999999", None), ("X1Y", "X2Y", None), ("²", "³", None)],
)  # fmt: skip
def test_ranges(first: str, last: str, count: int | None) -> None:
    found = expand(first, last)
    assert (None if found is None else len(found)) == count


def test_a_range_that_is_none_is_told_not_guessed() -> None:
    found = _read(LINE + "GIN+BN+A9:B3'")
    assert found.lines[0].serials == ()
    assert "Der Bereich A9 bis B3 lässt sich nicht auflösen" in found.hints[0]


def test_articles_and_texts() -> None:
    found = _read(
        "LIN+7++4012345000016:SRV'PIA+1+B-7:BP+S-7:SA'PIA+5+M-7:MF+LOT9:NB'IMD+F++:::Teil eins:und zwei'QTY+12:1.5:MTR'"
    )
    line = found.lines[0]
    assert (line.number, line.ean, line.our_product, line.supplier_article, line.batch) == (
        "7",
        "4012345000016",
        "B-7",
        "S-7",
        "LOT9",
    )
    assert (line.text, line.quantity, line.unit, line.place) == ("Teil eins und zwei", Decimal("1.5"), "MTR", "Position 7")


def test_references_and_dates() -> None:
    found = _read(
        "DTM+137:20261101:102'DTM+11:202611021530:203'DTM+17:20261104:102'RFF+ON:B-1'RFF+AAS:T-9'RFF+DQ:LS-9'FTX+AAI+++Rampe 2'"
        "NAD+SU+S77::92++Hochwald Serverwerk KG'RFF+VA:DE123456789'CTA+IC'COM+versand@hochwald.example:EM'NAD+CA+++Spedition Rot'"
        + LINE + "RFF+ON:B-2:30'DTM+361:20270101:102'LIN+2++B:SA'QTY+12:1'QTY+83:4'QVR+4:21+BP'"
    )  # fmt: skip
    assert (found.delivery_note, found.shipment, found.note, found.carrier) == ("LS-9", "T-9", "Rampe 2", "Spedition Rot")
    assert (found.despatched_on, found.expected_on) == (dt.date(2026, 11, 2), dt.date(2026, 11, 4))
    assert found.supplier.supplier_no == "S77"
    assert (found.supplier.email, found.supplier.vat_id, found.supplier.gln) == ("versand@hochwald.example", "DE123456789", "")
    first, second = found.lines
    assert (first.order_number, first.order_line, first.best_before) == ("B-2", "30", dt.date(2027, 1, 1))
    assert (second.order_number, second.outstanding, second.outstanding_reason) == ("", Decimal(4), "Teillieferung, Rest folgt")
    assert any("keine Bestellung" in hint for hint in found.hints)


def test_the_only_order_is_that_of_every_line() -> None:
    assert _read("RFF+ON:B-1'" + LINE).lines[0].order_number == "B-1"


def test_quantities_only_per_package_are_summed() -> None:
    found = _read("LIN+1++A:SA'PAC+1++CT'PCI+33E'QTY+12:2'GIN+BJ+1'PAC+1++CT'PCI+33E'QTY+12:3'GIN+BJ+2'")
    assert (found.lines[0].quantity, found.lines[0].packages) == (5, ("1", "2"))


def test_several_messages_and_interchanges() -> None:
    body = "BGM+351+LS-{}+9'" + LINE
    raw = (
        _file(body.format(1), body.format(2))
        + b"\r\n"
        + _file(body.format(3), head="UNA;*.? 'UNB+UNOC:3+A+B+261102:0618+1'".replace(";*", ":+"))
    )
    assert [advice.delivery_note for advice in read_despatches(raw)] == ["LS-1", "LS-2", "LS-3"]
    with pytest.raises(DespatchError, match=r"enthält 3 Lieferavise \(LS-1, LS-2, LS-3\)"):
        read_despatch(raw)
    again = read_despatches(_file(body.format(1), body.format(1)))
    assert len(again) == 1
    with pytest.raises(DespatchError, match="LS-1 zweimal mit verschiedenen Positionen"):
        read_despatches(_file(body.format(1), body.format(1) + "LIN+2++B:SA'QTY+12:1'"))


def test_another_message_beside_the_advice_is_told() -> None:
    raw = _file("BGM+351+LS-1+9'" + LINE, "BGM+380+R-1+9'").replace(b"UNH+2+DESADV", b"UNH+2+INVOIC")
    assert read_despatch(raw).hints == ("Die Datei enthält außerdem eine Rechnung (INVOIC); sie wurde nicht gelesen.",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("LIN+4++A:SA'", "Position 4, Segment 4 (LIN): Die Liefermenge (QTY+12) fehlt."),
        ("LIN+4++A:SA'QTY+12:zwei'", "Position 4, Segment 5 (QTY): »zwei« ist keine Liefermenge"),
        ("LIN+4++A:SA'QTY+12:-2'", "»-2« ist keine Liefermenge"),
        ("CPS+1'", "enthält keine Positionen"),
        ("LIN+1++" + "X" * 300 + ":SA'QTY+12:1'", "Die Artikelnummer hat 300 Zeichen"),
    ],
)
def test_faults_name_place_and_remedy(text: str, told: str) -> None:
    with pytest.raises(DespatchError) as caught:
        _read(text)
    assert told in str(caught.value)
    assert "Bitte" in str(caught.value)


def test_no_delivery_note() -> None:
    with pytest.raises(DespatchError, match="keine Lieferscheinnummer"):
        read_despatch(_file("BGM+351'" + LINE))


def test_a_blank_release_character_is_none() -> None:
    """Some senders have no release character; blanks and question marks are then plain text."""
    head = "UNA:+.  'UNB+UNOC:3+A+B+261102:0618+1'"
    found = read_despatch(_file("BGM+351+LS-1+9'" + LINE + "IMD+F++:::Was ist drin? Ein Server'", head=head))
    assert found.lines[0].text == "Was ist drin? Ein Server"


def test_wrong_counts_are_hints() -> None:
    found = read_despatch(_file("BGM+351+LS-1+9'" + LINE + "CNT+2:7'").replace(b"UNT+6+1", b"UNT+60+9"))
    assert [hint.partition(":")[0] for hint in found.hints] == [
        "Segment 7 (UNT) nennt 60 Segmente, gelesen sind 6; bitte auf Vollständigkeit prüfen.",
        "Segment 7 (UNT)",
        "Segment 6 (CNT) nennt 7 Positionen, gelesen sind 1.",
    ]
