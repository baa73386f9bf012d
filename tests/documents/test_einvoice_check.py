"""The check before an invoice may leave: right ones pass, every fault is named in German, doubt means no."""

import json
import re
from itertools import takewhile
from pathlib import Path

import pytest

from integrations.einvoice import build, build_cii, check, checks, own_rules
from integrations.einvoice.codes import UNITS
from integrations.einvoice.own_rules import describes_work
from tests.documents import mutations, samples
from tests.documents.conftest import Issued

KINDS = tuple(samples.every_invoice())
Official = dict[str, dict[str, list[list[str]]]]


@pytest.mark.parametrize("kind", KINDS)
def test_right_invoices_pass_without_a_finding(issued: dict[str, Issued], kind: str) -> None:
    record = check(issued[kind].xml)

    assert record.ok
    assert record.findings == ()
    assert record.profile == issued[kind].profile
    assert record.invoice_number == issued[kind].content.number


@pytest.mark.promise("U8")
@pytest.mark.parametrize("kind", KINDS)
def test_the_official_rules_agree(official: Official, kind: str) -> None:
    found = official[kind]

    assert found["cen"] == []
    if kind.startswith("public"):
        assert found["xrechnung"] == []
    else:
        assert found["facturx"] == []


@pytest.mark.parametrize("name", mutations.ALL)
def test_each_fault_is_refused_and_named(issued: dict[str, Issued], name: str) -> None:
    mutation = mutations.ALL[name]
    record = check(mutation.apply(issued[mutation.of].xml))

    assert not record.ok
    assert mutation.rule in {reason.split(":")[0] for reason in record.reasons}


@pytest.mark.parametrize("name", mutations.ALL)
def test_the_official_rules_refuse_what_we_expect_of_them(official: Official, name: str) -> None:
    mutation, found = mutations.ALL[name], official[f"mutated-{name}"]
    sheets = ("cen", "xrechnung") if mutation.of.startswith("public") else ("cen",)
    fatal = {rule for sheet in sheets for rule, severity, _ in found[sheet] if severity == "fatal"}

    assert bool(fatal) is mutation.official


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "kein lesbares XML"),
        (b"%PDF-1.7", "kein lesbares XML"),
        (b"<a><b></a>", "kein lesbares XML"),
        (b"<Invoice/>", "entspricht nicht dem Schema"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>', ""),
        ("<x>\ud800</x>".encode("utf-8", "surrogatepass"), "kein lesbares XML"),
    ],
)
def test_what_is_no_invoice_is_refused(raw: bytes, words: str) -> None:
    record = check(raw)

    assert not record.ok
    assert any(words in reason for reason in record.reasons)


@pytest.mark.parametrize(("place", "rule"), [("einvoice.validate_root", "EN16931"), ("own_findings", "DK"), ("_schema", "XSD")])
def test_a_check_that_stumbles_has_approved_nothing(monkeypatch: pytest.MonkeyPatch, place: str, rule: str) -> None:
    def stumble(*_arguments: object) -> None:
        raise OSError("kaputt")

    monkeypatch.setattr(f"{checks.__name__}.{place}" if "." not in place else place, stumble)
    record = check(build_cii(samples.invoice()))

    assert not record.ok
    assert [f.rule for f in record.findings] == [rule]
    assert "konnte" in record.findings[0].text


def test_the_record_is_json_and_always_the_same() -> None:
    xml = build_cii(samples.invoice(house=samples.replace(samples.HOUSE, iban="DE00")))
    record = check(xml)
    said = json.loads(json.dumps(record.as_json()))

    assert said == json.loads(json.dumps(check(xml).as_json()))
    assert said["ok"] is False
    assert said["findings"][0]["rule"] == "DK-08"
    assert len(said["sha256"]) == 64
    assert said["tools"]["verifyhash-einvoice"] == "0.2.9"


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules" / "erechnung.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The table of the page that starts with this heading cell."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in takewhile(lambda x: x.startswith("|"), lines)][2:]


def test_the_page_names_every_rule_unit_and_term_that_we_use() -> None:
    source = Path(own_rules.__file__).read_text("utf-8")

    assert {row[0] for row in rows("Regel") if row[0].startswith("DK")} == set(re.findall(r"DK-\d\d", source))
    assert {row[0]: row[1] for row in rows("Einheit")} == {unit.value: code for unit, code in UNITS.items()}
    named = set(re.findall(r"BT-\d+", " ".join(row[0] for row in rows("Feld"))))
    assert set(re.findall(r"BT-\d+", Path(build.__file__).read_text("utf-8"))) <= named


@pytest.mark.parametrize(("name", "enough"), [(row[0], row[1] == "ja") for row in rows("Text der Position")])
def test_what_the_page_says_about_descriptions_holds(name: str, enough: bool) -> None:
    assert describes_work(name) is enough


@pytest.mark.promise("U8")
@pytest.mark.parametrize(
    ("name", "enough"),
    [
        ("", False),
        ("1234", False),
        ("s. Anlage", False),
        ("Server", True),
    ],
)
def test_a_bare_reference_describes_no_work(name: str, enough: bool) -> None:
    assert describes_work(name) is enough


@pytest.mark.parametrize("minutes", [7, 20, 50, 100, 119])
@pytest.mark.parametrize("price", ["95", "142.50", "480"])
def test_minutes_that_are_no_even_part_of_an_hour_pass(minutes: int, price: str) -> None:
    """The net comes from the minutes, the quantity has four decimals."""
    rate = samples.Decimal(price)
    quantity = (samples.Decimal(minutes) / 60).quantize(samples.Decimal("0.0001"))
    net = (samples.Decimal(minutes) * rate / 60).quantize(samples.Decimal("0.01"), "ROUND_HALF_UP")
    line = samples.line("Arbeitszeit", str(quantity), samples.Unit.HOUR, price, str(net))

    assert check(build_cii(samples.invoice(lines=(line,), totals=samples.totals((19, str(net)))))).ok


def test_amounts_with_too_many_decimals_are_refused_not_rounded() -> None:
    half_cent = samples.replace(samples.SERVICE_LINES[2], net=samples.Decimal("90.005"))
    record = check(build_cii(samples.invoice(lines=(*samples.SERVICE_LINES[:2], half_cent))))

    assert any(reason.startswith("BR-DEC-23") for reason in record.reasons)
