"""Any advice, written in any format and dress, is read as what was meant."""

import dataclasses
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydifact.control import Characters
from pydifact.parser import Parser

from integrations.despatch import edifact
from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchAdvice, ReadHints, SupplierHint

from .samples import ADVICE
from .strategies import advices, bare
from .writers import MAPPING, csv_list, desadv, opentrans, ubl


@settings(max_examples=60, deadline=None)
@given(
    advices(),
    st.sampled_from(["bmecat:", "b:", "x-1:"]),
    st.booleans(),
    st.sampled_from(["", "T23:59:59", "T00:30:00+02:00", "Z"]),
)
def test_opentrans(advice: DespatchAdvice, prefix: str, namespaces: bool, suffix: str) -> None:
    found = read_despatch(opentrans(advice, prefix=prefix, namespaces=namespaces, date_suffix=suffix).encode("utf-8-sig"))
    assert found.format == "opentrans"
    assert bare(found) == advice


@settings(max_examples=60, deadline=None)
@given(advices(), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_ubl(advice: DespatchAdvice, envelope: bool, encoding: str) -> None:
    found = read_despatch(ubl(advice, envelope=envelope).encode(encoding))
    assert found.format == "ubl"
    assert bare(found) == advice


_DRESSES = [
    (Characters(), True, ""),
    (Characters(), False, ""),
    (Characters(), True, "\r\n"),
    (Characters.from_str(":+.? '"), True, "\n"),
    (Characters.from_str("|*.\\ ~"), True, ""),
    (Characters.from_str(":+,? \n"), True, ""),
    (Characters.from_str("\x1f\x1d.? \x1c"), True, ""),
]


@settings(max_examples=80, deadline=None)
@given(advices(), st.sampled_from(_DRESSES), st.sampled_from(["96A", "01B", "13B"]))
def test_desadv(advice: DespatchAdvice, dress: tuple[Characters, bool, str], release: str) -> None:
    characters, una, between = dress
    found = read_despatch(desadv(advice, characters=characters, una=una, between=between, release=release).encode())
    assert found.format == "desadv"
    # outside of lines the level's packages are known to every line that names none
    lines = tuple(
        dataclasses.replace(line, packages=line.packages or tuple(package.number for package in advice.packages))
        for line in advice.lines
    )
    assert bare(found) == dataclasses.replace(advice, lines=lines)


def test_desadv_wrapped_at_eighty_columns() -> None:
    text = desadv(ADVICE, between="")
    wrapped = "\r\n".join(text[at : at + 80] for at in range(0, len(text), 80))
    assert read_despatch(wrapped.encode()) == read_despatch(text.encode())


@settings(max_examples=60, deadline=None)
@given(advices(), st.sampled_from([";", ",", "\t"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_csv(advice: DespatchAdvice, delimiter: str, encoding: str) -> None:
    mapping = dataclasses.replace(MAPPING, delimiter=delimiter, encoding="cp1252" if encoding == "cp1252" else "")
    found = read_despatch(csv_list(advice, delimiter=delimiter).encode(encoding), ReadHints(csv=mapping))
    assert found.format == "csv"
    assert bare(found) == dataclasses.replace(advice, supplier=SupplierHint(), shipment="", note="")


@pytest.mark.filterwarnings("ignore::pydifact.exceptions.MissingImplementationWarning", "ignore::SyntaxWarning")
@settings(max_examples=60, deadline=None)
@given(advices())
def test_segments_agree_with_pydifact(advice: DespatchAdvice) -> None:
    """A library by others takes the same text apart in the same way."""
    text = desadv(advice, characters=Characters())
    theirs = [
        (segment.tag, [[part] if isinstance(part, str) else part for part in segment.elements])
        for segment in itertools.islice(Parser().parse(text), 1, None)
    ]
    ours = [(segment.tag, segment.elements) for segment in edifact.segments(text)]
    assert [tag for tag, _ in ours] == [tag for tag, _ in theirs]
    for (_, mine), (_, other) in zip(ours, theirs, strict=True):
        assert [_bare_parts(part) for part in mine] == [_bare_parts(part) for part in other]


def _bare_parts(parts: list[str]) -> list[str]:
    """pydifact drops empty components at the end of an element."""
    found = list(parts)
    while found and not found[-1]:
        found.pop()
    return found


@pytest.mark.parametrize("write", [opentrans, ubl, desadv])
def test_the_plain_sample(write: Callable[[DespatchAdvice], str]) -> None:
    found = read_despatch(write(ADVICE).encode())
    assert [line.serials for line in found.lines] == [("A1", "A2"), ()]
