"""The direct debit file: against the official schema, against what another writer makes of the same debits, and bad input."""

import datetime as dt
import re
from decimal import Decimal
from importlib import resources
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sepaxml import SepaDD

from integrations.sepa.calendar import collection_date, is_target_day, latest_submission, mandate_lapses_on, next_target_day
from integrations.sepa.checks import creditor_id_holds
from integrations.sepa.pain008 import write_direct_debits
from integrations.sepa.text import IDENTIFIER, sepa_text
from integrations.sepa.types import Amendment, Creditor, Debit, Mandate, SepaError, SepaFile

NOW = dt.datetime(2026, 11, 2, 6, tzinfo=dt.UTC)
HOUSE = Creditor("Müller & Söhne IT GmbH", "DE89 3704 0044 0532 0130 00", "DE98ZZZ09999999999", "COBADEFFXXX")
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}
IBANS = ["DE02120300000000202051", "DE02500105170137075030", "AT611904300234573201", "NL91ABNA0417164300"]
SCHEMA = etree.XMLSchema(etree.fromstring(resources.files("sepaxml").joinpath("schemas/pain.008.001.08.xsd").read_bytes()))


def mandate(**changes: object) -> Mandate:
    values: dict[str, Any] = {
        "reference": "M-K1001-1",
        "signed_on": dt.date(2024, 3, 1),
        "scheme": "CORE",
        "debtor_name": "Bäckerei Größe",
        "iban": IBANS[0],
    }
    return Mandate(**{**values, **changes})


def debit(reference: str = "RE-2026-000001", **changes: object) -> Debit:
    values: dict[str, Any] = {
        "reference": reference,
        "amount": Decimal("113.05"),
        "collect_on": dt.date(2026, 11, 16),
        "mandate": mandate(),
        "text": f"Rechnung {reference}",
    }
    return Debit(**{**values, **changes})


def write(*debits: Debit, run_key: str = "2026-11", creditor: Creditor = HOUSE) -> SepaFile:
    return write_direct_debits(run_key, NOW, creditor, debits)


def tree(file: SepaFile) -> etree._Element:
    root = etree.fromstring(file.content)
    SCHEMA.assertValid(root)
    return root


def texts(root: etree._Element, path: str) -> list[str]:
    return [str(e.text) for e in root.iterfind(path, NS)]


# --- the file -------------------------------------------------------------------------------------------------------------


@pytest.mark.promise("S155")
def test_one_debit_says_all_a_bank_wants() -> None:
    file = write(debit())
    root = tree(file)

    assert (file.name, file.message_id, file.debits, file.total) == (
        "Lastschrift_DK-2026-11.xml",
        "DK-2026-11",
        1,
        Decimal("113.05"),
    )
    found = {
        re.sub(r"\{.*?\}", "", root.getroottree().getelementpath(e)).removeprefix("CstmrDrctDbtInitn/"): e.text  # type: ignore[no-untyped-call]
        for e in root.iter()
        if e.text and e.text.strip()
    }
    assert found == {
        "GrpHdr/MsgId": "DK-2026-11",
        "GrpHdr/CreDtTm": "2026-11-02T06:00:00Z",
        "GrpHdr/NbOfTxs": "1",
        "GrpHdr/CtrlSum": "113.05",
        "GrpHdr/InitgPty/Nm": "Mueller + Soehne IT GmbH",
        "PmtInf/PmtInfId": "DK-2026-11-1",
        "PmtInf/PmtMtd": "DD",
        "PmtInf/BtchBookg": "true",
        "PmtInf/NbOfTxs": "1",
        "PmtInf/CtrlSum": "113.05",
        "PmtInf/PmtTpInf/SvcLvl/Cd": "SEPA",
        "PmtInf/PmtTpInf/LclInstrm/Cd": "CORE",
        "PmtInf/PmtTpInf/SeqTp": "RCUR",
        "PmtInf/ReqdColltnDt": "2026-11-16",
        "PmtInf/Cdtr/Nm": "Mueller + Soehne IT GmbH",
        "PmtInf/CdtrAcct/Id/IBAN": "DE89370400440532013000",
        "PmtInf/CdtrAgt/FinInstnId/BICFI": "COBADEFFXXX",
        "PmtInf/ChrgBr": "SLEV",
        "PmtInf/CdtrSchmeId/Id/PrvtId/Othr/Id": "DE98ZZZ09999999999",
        "PmtInf/CdtrSchmeId/Id/PrvtId/Othr/SchmeNm/Prtry": "SEPA",
        "PmtInf/DrctDbtTxInf/PmtId/EndToEndId": "RE-2026-000001",
        "PmtInf/DrctDbtTxInf/InstdAmt": "113.05",
        "PmtInf/DrctDbtTxInf/DrctDbtTx/MndtRltdInf/MndtId": "M-K1001-1",
        "PmtInf/DrctDbtTxInf/DrctDbtTx/MndtRltdInf/DtOfSgntr": "2024-03-01",
        "PmtInf/DrctDbtTxInf/DbtrAgt/FinInstnId/Othr/Id": "NOTPROVIDED",
        "PmtInf/DrctDbtTxInf/Dbtr/Nm": "Baeckerei Groesse",
        "PmtInf/DrctDbtTxInf/DbtrAcct/Id/IBAN": "DE02120300000000202051",
        "PmtInf/DrctDbtTxInf/RmtInf/Ustrd": "Rechnung RE-2026-000001",
    }


def test_schemes_sequences_and_days_have_blocks_of_their_own() -> None:
    root = tree(
        write(
            debit("RE-1"),
            debit("RE-2", mandate=mandate(scheme="B2B")),
            debit("RE-3", sequence="OOFF"),
            debit("RE-4", collect_on=dt.date(2026, 11, 17)),
            debit("RE-5"),
        )
    )
    blocks = root.findall(".//p:PmtInf", NS)
    described = [
        [
            *texts(b, "p:PmtTpInf/p:LclInstrm/p:Cd"),
            *texts(b, "p:PmtTpInf/p:SeqTp"),
            *texts(b, "p:ReqdColltnDt"),
            *texts(b, ".//p:EndToEndId"),
        ]
        for b in blocks
    ]
    assert described == [
        ["B2B", "RCUR", "2026-11-16", "RE-2"],
        ["CORE", "OOFF", "2026-11-16", "RE-3"],
        ["CORE", "RCUR", "2026-11-16", "RE-1", "RE-5"],
        ["CORE", "RCUR", "2026-11-17", "RE-4"],
    ]
    assert texts(root, ".//p:PmtInfId") == [f"DK-2026-11-{n}" for n in range(1, 5)]


def test_an_amended_mandate_says_what_it_was() -> None:
    amendment = Amendment(
        "M-ALT", account_changed=True, former_creditor_id="DE98ZZZ09999999999", former_creditor_name="Alt & Söhne"
    )
    root = tree(write(debit(mandate=mandate(amendment=amendment))))

    assert texts(root, ".//p:AmdmntInd") == ["true"]
    assert texts(root, ".//p:OrgnlMndtId") == ["M-ALT"]
    assert texts(root, ".//p:OrgnlCdtrSchmeId/p:Nm") == ["Alt + Soehne"]
    assert texts(root, ".//p:OrgnlDbtrAcct/p:Id/p:Othr/p:Id") == ["SMNDA"]


def test_ids_are_those_of_the_run_and_the_file_is_the_same_again() -> None:
    some = [debit(f"RE-{n}", amount=Decimal(n)) for n in range(1, 20)]
    assert write(*some) == write(*reversed(some))
    assert write(*some, run_key="2026-12").message_id != write(*some).message_id
    long = write(*some, run_key="Abrechnung November 2026 für alle Kunden")
    assert IDENTIFIER.fullmatch(f"{long.message_id}-999999")
    tree(long)


def test_another_writer_agrees_on_every_debit() -> None:
    some = [debit(f"RE-{n}", amount=Decimal(n) + Decimal("0.01"), mandate=mandate(iban=IBANS[n % 4])) for n in range(12)]
    peer = SepaDD(
        {"name": "x", "IBAN": "DE89370400440532013000", "batch": True, "creditor_id": "DE98ZZZ09999999999", "currency": "EUR"},
        schema="pain.008.001.08",
    )
    for d in some:
        peer.add_payment(
            {
                "name": "x",
                "IBAN": d.mandate.iban,
                "amount": int(d.amount * 100),
                "type": "RCUR",
                "collection_date": d.collect_on,
                "mandate_id": d.mandate.reference,
                "mandate_date": d.mandate.signed_on,
                "description": d.text,
                "endtoend_id": d.reference,
            }
        )
    theirs = etree.fromstring(peer.export(validate=False))
    ours = tree(write(*some))
    for path in (".//p:GrpHdr/p:CtrlSum", ".//p:GrpHdr/p:NbOfTxs"):
        assert texts(ours, path) == texts(theirs, path)
    facts = (
        "p:PmtId/p:EndToEndId",
        "p:InstdAmt",
        ".//p:MndtId",
        ".//p:DtOfSgntr",
        "p:DbtrAcct/p:Id/p:IBAN",
        "p:RmtInf/p:Ustrd",
    )

    def collected(root: etree._Element) -> list[list[str]]:
        return sorted([t for path in facts for t in texts(tx, path)] for tx in root.iterfind(".//p:DrctDbtTxInf", NS))

    assert collected(ours) == collected(theirs)


# --- properties -----------------------------------------------------------------------------------------------------------

cents = st.integers(1, 99_999_999_999).map(lambda c: Decimal(c) / 100)
names = st.text(min_size=1, max_size=100).filter(lambda s: sepa_text(s, 70))
days = st.dates(dt.date(2026, 11, 3), dt.date(2028, 12, 31)).map(next_target_day)
mandates = st.builds(
    mandate,
    debtor_name=names,
    iban=st.sampled_from(IBANS),
    scheme=st.sampled_from(["CORE", "B2B"]),
    bic=st.sampled_from(["", "BYLADEM1001"]),
    amendment=st.none() | st.builds(Amendment, former_reference=st.just("M-ALT"), account_changed=st.booleans()),
)
debits = st.lists(
    st.builds(
        debit,
        st.integers(1, 10**6).map(lambda n: f"RE-2026-{n:06d}"),
        amount=cents,
        collect_on=days,
        mandate=mandates,
        text=st.text(max_size=300).map(lambda s: f"RE {s}"),
        sequence=st.sampled_from(["RCUR", "OOFF"]),
    ),
    min_size=1,
    max_size=15,
    unique_by=lambda d: d.reference,
)


@settings(deadline=None)
@given(debits, st.text(min_size=1, max_size=60))
def test_whatever_goes_in_fits_the_schema_and_the_sums_hold(some: list[Debit], run_key: str) -> None:
    file = write(*some, run_key=run_key)
    root = tree(file)

    total = sum((d.amount for d in some), Decimal(0))
    assert Decimal(texts(root, ".//p:GrpHdr/p:CtrlSum")[0]) == total == file.total
    assert sum(Decimal(t) for t in texts(root, ".//p:PmtInf/p:CtrlSum")) == total
    assert sum(Decimal(t) for t in texts(root, ".//p:InstdAmt")) == total
    assert sorted(texts(root, ".//p:EndToEndId")) == sorted(d.reference for d in some)
    assert texts(root, ".//p:GrpHdr/p:NbOfTxs") == [str(len(some))]
    for name in ("MsgId", "PmtInfId", "EndToEndId", "MndtId", "Nm", "Ustrd"):
        for text in texts(root, f".//p:{name}"):
            assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]+", text), name


@given(st.text(max_size=200), st.integers(1, 140))
def test_any_text_becomes_one_that_banks_take(text: str, length: int) -> None:
    result = sepa_text(text, length)
    assert len(result) <= length
    assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]*", result)
    assert result == sepa_text(result, length)


def test_german_letters_become_two() -> None:
    assert sepa_text("Größe & Öl: 5 €, Café!", 70) == "Groesse + Oel: 5 EUR, Cafe"


# --- days -------------------------------------------------------------------------------------------------------------------


def test_bank_days_are_those_of_the_central_bank() -> None:
    closed = holidays.financial_holidays("XECB", years=range(2002, 2050))
    day = dt.date(2002, 1, 1)
    while day.year < 2050:
        assert is_target_day(day) == (day.weekday() < 5 and day not in closed), day
        day += dt.timedelta(days=1)


@given(st.dates(dt.date(2024, 1, 1), dt.date(2040, 12, 31)), st.integers(0, 30))
def test_the_payer_always_has_the_agreed_days(told_on: dt.date, agreed: int) -> None:
    collect_on = collection_date(told_on, agreed)
    assert (collect_on - told_on).days >= max(1, agreed)
    assert is_target_day(collect_on)
    assert told_on <= latest_submission(collect_on) < collect_on or not is_target_day(told_on)
    assert collect_on == min(
        d for d in (told_on + dt.timedelta(n) for n in range(max(1, agreed), agreed + 8)) if is_target_day(d)
    )


@pytest.mark.parametrize(
    ("told_on", "agreed", "collect_on"),
    [
        (dt.date(2026, 11, 2), 14, dt.date(2026, 11, 16)),
        (dt.date(2026, 12, 11), 14, dt.date(2026, 12, 28)),  # Christmas Day falls on it, then a weekend
        (dt.date(2027, 3, 12), 14, dt.date(2027, 3, 30)),  # Good Friday to Easter Monday
        (dt.date(2026, 11, 13), 1, dt.date(2026, 11, 16)),
    ],
)
def test_collection_days_by_hand(told_on: dt.date, agreed: int, collect_on: dt.date) -> None:
    assert collection_date(told_on, agreed) == collect_on


def test_a_mandate_sleeps_in_after_36_months() -> None:
    assert mandate_lapses_on(dt.date(2024, 2, 29)) == dt.date(2027, 2, 28)


# --- refusals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": Decimal(0)}, "nicht einziehbar"),
        ({"amount": Decimal(-1)}, "nicht einziehbar"),
        ({"amount": Decimal("1.001")}, "nicht einziehbar"),
        ({"amount": Decimal("1000000000.00")}, "nicht einziehbar"),
        ({"collect_on": dt.date(2026, 11, 15)}, "kein künftiger Bankarbeitstag"),
        ({"collect_on": dt.date(2026, 11, 2)}, "kein künftiger Bankarbeitstag"),
        ({"text": "漢字"}, "Verwendungszweck"),
        ({"mandate": mandate(iban="DE02120300000000202052")}, "ist falsch"),
        ({"mandate": mandate(iban="")}, "ist falsch"),
        ({"mandate": mandate(bic="XX")}, "ist falsch"),
        ({"mandate": mandate(iban="CH9300762011623852957")}, "nicht im EWR"),
        ({"mandate": mandate(reference="")}, "Mandatsreferenz"),
        ({"mandate": mandate(reference="M" * 36)}, "Mandatsreferenz"),
        ({"mandate": mandate(reference="Mü-1")}, "Mandatsreferenz"),
        ({"mandate": mandate(signed_on=dt.date(2026, 12, 1))}, "erst nach dem Einzug unterschrieben"),
        ({"mandate": mandate(debtor_name=" ")}, "Name des Zahlers"),
    ],
)
def test_what_no_bank_takes_is_refused_by_name(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SepaError, match=f"RE-2026-000001.*{words}"):
        write(debit(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", ["", "/RE", "RE/", "RE//1", "R" * 36, "RÉ-1"])
def test_references_that_banks_reject(reference: str) -> None:
    with pytest.raises(SepaError, match="Referenz"):
        write(debit(reference))


def test_the_same_invoice_is_never_collected_twice_in_one_file() -> None:
    with pytest.raises(SepaError, match="RE-1: steht zweimal"):
        write(debit("RE-1"), debit("RE-2"), debit("RE-1"))


def test_an_empty_file_is_none() -> None:
    with pytest.raises(SepaError, match="ohne Lastschriften"):
        write()


@pytest.mark.parametrize(
    ("creditor", "words"),
    [
        (Creditor("", HOUSE.iban, HOUSE.creditor_id), "Name des Hauses"),
        (Creditor("x", "DE00", HOUSE.creditor_id), "Konto des Hauses"),
        (Creditor("x", HOUSE.iban, "DE97ZZZ09999999999"), "Gläubiger-ID"),
        (Creditor("x", HOUSE.iban, ""), "Gläubiger-ID"),
    ],
)
def test_a_house_that_cannot_collect(creditor: Creditor, words: str) -> None:
    with pytest.raises(SepaError, match=words):
        write(debit(), creditor=creditor)


@given(st.text(max_size=40))
def test_creditor_ids_never_raise(text: str) -> None:
    creditor_id_holds(text)


def test_a_creditor_id_may_have_any_business_code_and_blanks() -> None:
    assert creditor_id_holds("DE98 ABC 0999 9999 999")
    assert not creditor_id_holds("DE98ZZZ09999999998")
