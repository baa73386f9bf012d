"""Which term of EN 16931 says what."""

from dataclasses import replace

import pytest
from lxml import etree

from integrations.documents.contents import Face, InvoiceContent, Unit
from integrations.einvoice import Profile, build_cii
from integrations.einvoice.reading import NAMESPACES
from tests.documents import hostile, samples
from tests.documents.conftest import Issued

AGREEMENT = "//ram:ApplicableHeaderTradeAgreement"
DELIVERY = "//ram:ApplicableHeaderTradeDelivery"
SETTLEMENT = "//ram:ApplicableHeaderTradeSettlement"
LINE = "//ram:IncludedSupplyChainTradeLineItem"


def values(xml: bytes, path: str) -> list[str]:
    """Texts (or attribute values) at a path."""
    found = etree.fromstring(xml).xpath(path, namespaces=NAMESPACES)
    assert isinstance(found, list)
    return [str(node) if isinstance(node, str) else (node.text or "") for node in found]


TERMS = [
    ("service", "BT-1", "//rsm:ExchangedDocument/ram:ID", ["RE-2026-000311"]),
    ("service", "BT-2", "//rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString", ["20261103"]),
    ("service", "BT-3", "//rsm:ExchangedDocument/ram:TypeCode", ["380"]),
    ("service", "BT-24", "//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", ["urn:cen.eu:en16931:2017"]),
    ("public", "BT-24", "//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", [Profile.XRECHNUNG.value]),
    ("public", "BT-10", f"{AGREEMENT}/ram:BuyerReference", [samples.LEITWEG]),
    ("public", "BT-12", f"{AGREEMENT}/ram:ContractReferencedDocument/ram:IssuerAssignedID", ["V-2041"]),
    ("public", "BT-13", f"{AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", ["B 4711/26"]),
    ("service", "BT-27", f"{AGREEMENT}/ram:SellerTradeParty/ram:Name", [samples.HOUSE.name]),
    ("service", "BT-31, BT-32", f"{AGREEMENT}/ram:SellerTradeParty/ram:SpecifiedTaxRegistration/ram:ID", ["207/5713/0421", "DE811907980"]),
    ("service", "BT-41", f"{AGREEMENT}/ram:SellerTradeParty/ram:DefinedTradeContact/ram:PersonName", ["Jana Krüger"]),
    ("service", "BT-44", f"{AGREEMENT}/ram:BuyerTradeParty/ram:Name", [samples.CUSTOMER.name]),
    ("service", "BT-46", f"{AGREEMENT}/ram:BuyerTradeParty/ram:ID", ["K1001"]),
    ("public", "BT-46", f"{AGREEMENT}/ram:BuyerTradeParty/ram:ID", ["K1001-NE"]),
    ("service", "BT-49", f"{AGREEMENT}/ram:BuyerTradeParty/ram:URIUniversalCommunication/ram:URIID", ["rechnung@ueberlaender.example"]),
    ("public", "BT-49", f"{AGREEMENT}/ram:BuyerTradeParty/ram:URIUniversalCommunication/ram:URIID/@schemeID", ["0204"]),
    ("branch", "BT-71", f"{DELIVERY}/ram:ShipToTradeParty/ram:ID", ["K1001-NE"]),
    ("branch", "BT-75, BT-76", f"{DELIVERY}/ram:ShipToTradeParty/ram:PostalTradeAddress/ram:LineOne", ["Hafenbecken 2"]),
    ("service", "BT-73", f"{SETTLEMENT}/ram:BillingSpecifiedPeriod/ram:StartDateTime/udt:DateTimeString", ["20261001"]),
    ("service", "BT-74", f"{SETTLEMENT}/ram:BillingSpecifiedPeriod/ram:EndDateTime/udt:DateTimeString", ["20261031"]),
    ("service", "BT-81", f"{SETTLEMENT}//ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", ["58"]),
    ("service", "BT-83", f"{SETTLEMENT}/ram:PaymentReference", ["RE-2026-000311"]),
    ("service", "BT-84", f"{SETTLEMENT}//ram:PayeePartyCreditorFinancialAccount/ram:IBANID", [samples.HOUSE.iban]),
    ("service", "BT-86", f"{SETTLEMENT}//ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID", [samples.HOUSE.bic]),
    ("public", "BT-86", f"{SETTLEMENT}//ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID", []),
    ("service", "BT-9", f"{SETTLEMENT}//ram:DueDateDateTime/udt:DateTimeString", ["20261117"]),
    ("branch", "BT-81", f"{SETTLEMENT}//ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", ["59"]),
    ("branch", "BT-89", f"{SETTLEMENT}//ram:DirectDebitMandateID", ["TB-2021-0042"]),
    ("branch", "BT-90", f"{SETTLEMENT}/ram:CreditorReferenceID", ["DE98ZZZ09999999999"]),
    ("branch", "BT-91", f"{SETTLEMENT}//ram:PayerPartyDebtorFinancialAccount/ram:IBANID", ["DE02500105170137075030"]),
    ("branch", "BT-9", f"{SETTLEMENT}//ram:DueDateDateTime/udt:DateTimeString", ["20261118"]),
    ("service", "BT-122", f"{AGREEMENT}/ram:AdditionalReferencedDocument/ram:IssuerAssignedID", [samples.REPORT]),
    ("service", "BT-123", f"{AGREEMENT}/ram:AdditionalReferencedDocument/ram:Name", [f"Servicebericht {samples.REPORT}"]),
    ("service", "BT-125", f"{AGREEMENT}//ram:AttachmentBinaryObject/@filename", []),
    ("public", "BT-125", f"{AGREEMENT}//ram:AttachmentBinaryObject/@filename", [f"Servicebericht_{samples.REPORT}.pdf"]),
    ("service", "BT-128", f"{LINE}//ram:AdditionalReferencedDocument/ram:IssuerAssignedID", [samples.REPORT] * 3),
    ("service", "BT-128 type", f"{LINE}//ram:AdditionalReferencedDocument/ram:TypeCode", ["130"] * 3),
    ("service", "BT-129", f"{LINE}//ram:BilledQuantity", ["12.25", "1.5", "2"]),
    ("recurring", "BT-130", f"{LINE}//ram:BilledQuantity/@unitCode", ["MON", "C62", "E34", "C62", "DAY"]),
    ("service", "BT-130", f"{LINE}//ram:BilledQuantity/@unitCode", ["HUR", "HUR", "C62"]),
    ("recurring", "BT-146", f"{LINE}//ram:NetPriceProductTradePrice/ram:ChargeAmount", ["289.00", "49.90", "0.0825", "39.80", "900.00"]),
    ("recurring", "BT-118", f"{SETTLEMENT}/ram:ApplicableTradeTax/ram:CategoryCode", ["S", "S", "E"]),
    ("recurring", "BT-120", f"{SETTLEMENT}/ram:ApplicableTradeTax/ram:ExemptionReason", ["Umsatzsteuerfreie Leistung"]),
    ("service", "BT-127", f"{LINE}[1]//ram:IncludedNote/ram:Content", ["Preis nach Kooperationsvereinbarung, Fassung 2 vom 14.03.2025"]),
    ("cancellation", "BT-3", "//rsm:ExchangedDocument/ram:TypeCode", ["384"]),
    ("cancellation", "BT-25", f"{SETTLEMENT}/ram:InvoiceReferencedDocument/ram:IssuerAssignedID", ["RE-2026-000311"]),
    ("cancellation", "BT-26", f"{SETTLEMENT}/ram:InvoiceReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString", ["20261103"]),
    ("cancellation", "BT-22", "//rsm:ExchangedDocument/ram:IncludedNote/ram:Content", ["Falscher Leistungszeitraum; Sie erhalten eine neue Rechnung."]),
    ("cancellation", "BT-129", f"{LINE}//ram:BilledQuantity", ["-12.25", "-1.5", "-2"]),
    ("cancellation", "BT-115", f"{SETTLEMENT}//ram:DuePayableAmount", ["-1746.33"]),
    ("refund", "BT-3", "//rsm:ExchangedDocument/ram:TypeCode", ["381"]),
    ("refund", "BT-129", f"{LINE}//ram:BilledQuantity", ["1"]),
    ("refund", "BT-115", f"{SETTLEMENT}//ram:DuePayableAmount", ["104.72"]),
    ("correction", "BT-3", "//rsm:ExchangedDocument/ram:TypeCode", ["380"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "term", "path", "expected"), TERMS, ids=[f"{k}-{t}" for k, t, _, _ in TERMS])
def test_terms(issued: dict[str, Issued], kind: str, term: str, path: str, expected: list[str]) -> None:
    assert values(issued[kind].xml, path) == expected, term


def test_the_same_content_gives_the_same_xml() -> None:
    assert build_cii(samples.recurring()) == build_cii(samples.recurring())


def test_several_reports_only_the_first_is_named() -> None:
    """CII readers warn about a second reference with a name."""
    lines = (
        samples.SERVICE_LINES[0],
        replace(samples.SERVICE_LINES[1], report_number="SB-2026-000418"),
        samples.SERVICE_LINES[2],
    )
    xml = build_cii(samples.invoice(lines=lines))

    assert values(xml, f"{AGREEMENT}/ram:AdditionalReferencedDocument/ram:IssuerAssignedID") == [
        samples.REPORT,
        "SB-2026-000418",
    ]
    assert len(values(xml, f"{AGREEMENT}/ram:AdditionalReferencedDocument/ram:Name")) == 1


def test_hostile_text_stays_text() -> None:
    name = hostile.HOSTILE
    content: InvoiceContent = samples.invoice(
        buyer=replace(samples.CUSTOMER, name=name), lines=(replace(samples.SERVICE_LINES[0], name=name),), note=name
    )
    (said,) = values(build_cii(content), f"{LINE}//ram:Name")

    assert said.startswith('<script>alert(1)</script><img src="file:///etc/passwd"/> & "Zitat"')
    assert "👍🏽 日本語 العربية" in said
    assert not {"\x00", "\x1b", "\u202e", "\u2066", "\ud800"} & set(said)


def test_every_unit_and_face_has_its_code() -> None:
    from integrations.einvoice.codes import UNITS

    assert set(UNITS) == set(Unit)
    assert {Face.POST, Face.EMAIL_EINVOICE, Face.XRECHNUNG} == set(Face)
