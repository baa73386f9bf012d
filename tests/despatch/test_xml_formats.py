"""Dresses of openTRANS and UBL that senders really use."""

import datetime as dt
from decimal import Decimal

import pytest

from integrations.despatch.reader import read_despatch
from integrations.despatch.types import DespatchError

from .samples import ADVICE
from .writers import opentrans, ubl

OLD = """<DISPATCHNOTIFICATION version="1.0" type="standard"><DISPATCHNOTIFICATION_HEADER><DISPATCHNOTIFICATION_INFO>
<DISPATCHNOTIFICATION_ID>LS-1</DISPATCHNOTIFICATION_ID><DISPATCHNOTIFICATION_DATE>2026-11-02T08:00:00</DISPATCHNOTIFICATION_DATE>
<DELIVERY_DATE type="fixed"><DELIVERY_START_DATE>2026-11-03</DELIVERY_START_DATE></DELIVERY_DATE>
<DISPATCHNOTIFICATION_PARTIES><SUPPLIER_PARTY><PARTY><PARTY_ID type="iln">4012345000108</PARTY_ID><PARTY_ID type="buyer_specific">L-77</PARTY_ID>
<ADDRESS><NAME>Falkenau Distribution AG</NAME><EMAIL>versand@falkenau.example</EMAIL></ADDRESS></PARTY></SUPPLIER_PARTY>
</DISPATCHNOTIFICATION_PARTIES><REMARK type="delivererName">Spedition Rot</REMARK></DISPATCHNOTIFICATION_INFO></DISPATCHNOTIFICATION_HEADER>
<DISPATCHNOTIFICATION_ITEM_LIST><DISPATCHNOTIFICATION_ITEM><LINE_ITEM_ID/><ARTICLE_ID><SUPPLIER_AID>A-1</SUPPLIER_AID>
<INTERNATIONAL_AID type="EAN">4012345000016</INTERNATIONAL_AID><BUYER_AID>B-1</BUYER_AID><DESCRIPTION_SHORT>Kabel<!-- neu --> 3 m</DESCRIPTION_SHORT>
</ARTICLE_ID><QUANTITY>2,50</QUANTITY><ORDER_UNIT/></DISPATCHNOTIFICATION_ITEM></DISPATCHNOTIFICATION_ITEM_LIST></DISPATCHNOTIFICATION>"""


def test_opentrans_1_0() -> None:
    found = read_despatch(OLD.encode())
    assert (found.supplier.gln, found.supplier.supplier_no, found.supplier.email) == (
        "4012345000108",
        "L-77",
        "versand@falkenau.example",
    )
    assert (found.despatched_on, found.expected_on, found.carrier) == (
        dt.date(2026, 11, 2),
        dt.date(2026, 11, 3),
        "Spedition Rot",
    )
    line = found.lines[0]
    assert (line.number, line.supplier_article, line.our_product, line.ean) == ("1", "A-1", "B-1", "4012345000016")
    assert (line.text, line.quantity, line.unit) == ("Kabel 3 m", Decimal("2.50"), "")


def test_empty_tags_count_as_missing() -> None:
    text = opentrans(ADVICE).replace("<SHIPMENT_ID>S-9</SHIPMENT_ID>", "<SHIPMENT_ID/>").replace("2026-11-02", "  ")
    found = read_despatch(text.encode())
    assert (found.shipment, found.despatched_on, found.hints) == ("", None, ())


def test_compact_and_broken_dates() -> None:
    assert read_despatch(opentrans(ADVICE).replace("2026-11-02", "20261102").encode()).despatched_on == dt.date(2026, 11, 2)
    found = read_despatch(opentrans(ADVICE).replace("2026-11-02", "2026-02-30").encode())
    assert found.despatched_on is None
    assert found.hints == ("DISPATCHNOTIFICATION_DATE: »2026-02-30« ist kein Datum und wurde nicht übernommen.",)


def test_supplier_by_reference() -> None:
    text = opentrans(ADVICE).replace("<PARTY_ROLE>supplier</PARTY_ROLE>", "")
    text = text.replace("</PARTIES>", "</PARTIES><SUPPLIER_IDREF>4012345000108</SUPPLIER_IDREF>")
    assert read_despatch(text.encode()).supplier.name == "Falkenau Distribution AG"


def test_nested_packages_with_weight() -> None:
    inner = "<PACKAGE><PACKAGE_ID>P-2</PACKAGE_ID></PACKAGE>"
    detail = f"<PACKAGE_ID>P-1</PACKAGE_ID><PACKAGE_DESCR>Karton</PACKAGE_DESCR><SUB_PACKAGES>{inner}</SUB_PACKAGES>"
    weight = "<PACKAGE_DIMENSIONS><WEIGHT>0.36</WEIGHT></PACKAGE_DIMENSIONS>"
    text = opentrans(ADVICE).replace("<PACKAGE_ID>P-1</PACKAGE_ID>", detail + weight, 1)
    found = read_despatch(text.encode())
    assert [(package.number, package.kind, package.weight_kg) for package in found.packages] == [
        ("P-1", "Karton", Decimal("0.36")),
        ("P-2", "", None),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "<QUANTITY>2</QUANTITY>",
            "<QUANTITY>-2</QUANTITY>",
            "Position 1 (Zeile 2, DISPATCHNOTIFICATION_ITEM/QUANTITY): »-2« ist keine",
        ),
        ("<QUANTITY>2</QUANTITY>", "", "Position 1 (Zeile 2, DISPATCHNOTIFICATION_ITEM/QUANTITY): Die Liefermenge fehlt."),
        ("<QUANTITY>2</QUANTITY>", "<QUANTITY>NaN</QUANTITY>", "»NaN« ist keine Liefermenge"),
        ("LS-4711", "", "keine Lieferscheinnummer"),
        ("</PARTIES>", "</PARTY>", "Zeile 2, Spalte"),
    ],
)
def test_faults(old: str, new: str, told: str) -> None:
    with pytest.raises(DespatchError) as caught:
        read_despatch(opentrans(ADVICE).replace(old, new, 1).encode())
    assert told in str(caught.value)
    assert "Bitte" in str(caught.value)


def test_what_does_not_fit_together_is_told() -> None:
    text = opentrans(ADVICE).replace(
        "<SERIAL_NUMBER>A2</SERIAL_NUMBER>", "<SERIAL_NUMBER>A1</SERIAL_NUMBER><SERIAL_NUMBER>A3</SERIAL_NUMBER>"
    )
    text = text.replace("<TOTAL_ITEM_NUM>2<", "<TOTAL_ITEM_NUM>3<").replace(">4012345000016<", ">40-xx<")
    assert read_despatch(text.encode()).hints == (
        "Position 1: »40-xx« ist keine GTIN und wurde nicht übernommen.",
        "Position 1: 3 Seriennummern bei einer Menge von 2.",
        "Position 1: Seriennummern stehen mehrfach in der Zeile: A1.",
        "DISPATCHNOTIFICATION_SUMMARY/TOTAL_ITEM_NUM nennt 3 Positionen, gelesen sind 2.",
    )


def test_ubl_with_other_prefixes_and_none() -> None:
    text = ubl(ADVICE)
    assert (
        read_despatch(text.replace("cbc:", "b:").replace(":cbc=", ":b=").encode()).lines == read_despatch(text.encode()).lines
    )
    bare = text.replace("cbc:", "").replace("cac:", "").replace("xmlns:cac", "x").replace("xmlns:cbc", "y")
    assert read_despatch(bare.encode()).lines == read_despatch(text.encode()).lines


def test_a_despatch_advice_of_another_vocabulary() -> None:
    text = ubl(ADVICE).replace(
        "urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2", "urn:gs1:ecom:despatch_advice:xsd:3"
    )
    with pytest.raises(DespatchError, match="gehört nicht zu UBL"):
        read_despatch(text.encode())


def test_ubl_details() -> None:
    unit = (
        "<cac:TransportHandlingUnit><cbc:ID>P-1</cbc:ID><cac:MeasurementDimension><cbc:AttributeID>AAB</cbc:AttributeID>"
        '<cbc:Measure unitCode="KGM">12.5</cbc:Measure></cac:MeasurementDimension></cac:TransportHandlingUnit>'
    )
    text = ubl(ADVICE).replace("<cac:TransportHandlingUnit><cbc:ID>P-1</cbc:ID></cac:TransportHandlingUnit>", unit, 1)
    lot = "<cac:LotIdentification><cbc:LotNumberID>L1</cbc:LotNumberID><cbc:ExpiryDate>2027-03-01</cbc:ExpiryDate></cac:LotIdentification>"
    text = text.replace(
        "<cbc:SerialID>A1</cbc:SerialID>", "<cbc:SerialID>A1</cbc:SerialID><cbc:SerialID>A9</cbc:SerialID>" + lot
    )
    text = text.replace("<cbc:LineID>1</cbc:LineID>", "<cbc:LineID>NA</cbc:LineID>")
    line = read_despatch(text.encode()).lines[0]
    assert (line.serials, line.batch, line.best_before, line.order_line) == (("A1", "A9", "A2"), "L1", dt.date(2027, 3, 1), "")
    assert read_despatch(text.encode()).packages[0].weight_kg == Decimal("12.5")
