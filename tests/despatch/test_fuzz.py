"""Valid files, damaged at random: read or refused in German, never anything else."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.despatch.reader import read_despatches
from integrations.despatch.types import DespatchAdvice, DespatchError, ReadHints
from integrations.inventory.reader import read_inventory
from integrations.inventory.types import InventoryError

from .samples import ADVICE
from .test_inventory import REPORT
from .writers import MAPPING, csv_list, desadv, opentrans, ubl

EXAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "examples" / "despatch").iterdir())]
VALID = [
    *EXAMPLES,
    *(write(ADVICE).encode() for write in (opentrans, ubl, desadv, csv_list)),
    ubl(ADVICE, envelope=True).encode("utf-16"),
]
PIECES = [b"\x00", b"\xff", b"<", b">", b"&", b"'", b"+", b":", b"?", b'"', b";", b"\n", b"\r", b"&#0;", b"<!DOCTYPE a>", b"<![CDATA[",
          b"]]>", b"UNZ+1+1'UNA:+.? 'UNB+UNOC:3", b"GIN+BN+A1:A99999999'", b"-1", b"1e999", b"9" * 400, "\U0001f4e6".encode(), b"\xef\xbb\xbf",
          b"UNT+1+1'", b"<x:y/>", b"\xed\xa0\x80"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    raw = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.sampled_from(["cut", "insert", "drop", "copy", "change"])):
            case "cut":
                del raw[at:]
            case "insert":
                raw[at:at] = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)))
            case "drop":
                del raw[at : at + draw(st.integers(1, 60))]
            case "copy":
                raw[at:at] = raw[at : at + draw(st.integers(1, 400))]
            case "change":
                raw[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(raw)


@settings(max_examples=700, deadline=None)
@given(damaged(VALID), st.booleans())
def test_despatch_advices(raw: bytes, mapped: bool) -> None:
    refusal = "."
    found: tuple[DespatchAdvice, ...] = ()
    try:
        found = read_despatches(raw, ReadHints(csv=MAPPING if mapped else None))
    except DespatchError as fault:
        refusal = str(fault)
    assert refusal.endswith(".")
    assert found or "itte " in refusal or "Erwartet wird" in refusal
    for advice in found:
        assert advice.delivery_note
        assert advice.lines
        assert all(line.quantity >= 0 and line.quantity.is_finite() for line in advice.lines)
        repr(advice).encode()  # storable: no half characters
        assert "\x00" not in repr(advice)


@settings(max_examples=300, deadline=None)
@given(
    damaged(
        [
            json.dumps(REPORT).encode(),
            json.dumps([REPORT, REPORT], indent=1).encode(),
            b"Seriennummer;Name;Kaufdatum\nA1;PC;1.2.2024\n",
        ]
    )
)
def test_inventories(raw: bytes) -> None:
    try:
        found = read_inventory(raw)
    except InventoryError:
        return
    assert found.devices
    repr(found).encode()


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*REPORT["content"], "serial", "name", "ips"]), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(REPORT["content"])), _JSON, max_size=6))
def test_reports_with_sections_of_any_shape(content: dict[str, object]) -> None:
    raw = json.dumps({"deviceid": "pc-1", "content": content}).encode()
    assert read_inventory(raw).devices[0].agent_id == "pc-1"


@pytest.mark.parametrize(
    "raw",
    [
        b"UNA",
        b"UNB",
        b"UNB+UNOC",
        b"UNH+1'",
        b"UNA:+.? 'UNB",
        b"<",
        b"<?xml",
        b"<!--",
        b"\xff\xfe<",
        b"\xef\xbb\xbf",
        b"[",
        b"UNB\x1d",
    ],
)
def test_stumps(raw: bytes) -> None:
    with pytest.raises(DespatchError):
        read_despatches(raw)
