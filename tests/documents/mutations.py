"""Invoices with one fault each, and the rule that must name it."""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from integrations.einvoice.reading import NAMESPACES


@dataclass(frozen=True)
class Mutation:
    """A fault put into a right invoice.

    `rule` is what our check must say; `official` whether the official rules refuse it too (some faults they let pass).
    """

    of: str
    rule: str
    change: Callable[[etree._Element], None]
    official: bool = True

    def apply(self, xml: bytes) -> bytes:
        root = etree.fromstring(xml)
        self.change(root)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _all(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path, namespaces=NAMESPACES)
    assert isinstance(found, list)
    assert found, path
    return found


def say(path: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        _all(root, path)[0].text = text

    return change


def drop(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for node in _all(root, path):
            parent = node.getparent()
            assert parent is not None
            parent.remove(node)

    return change


def unit(code: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        _all(root, "//ram:BilledQuantity")[0].set("unitCode", code)

    return change


def both(*changes: Callable[[etree._Element], None]) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for each in changes:
            each(root)

    return change


_LINE = "//ram:IncludedSupplyChainTradeLineItem[1]"
_SUMS = "//ram:SpecifiedTradeSettlementHeaderMonetarySummation"
_SELLER, _BUYER = "//ram:SellerTradeParty", "//ram:BuyerTradeParty"
_TAX = "//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"

ALL = {
    "line-sum": Mutation("service", "BR-CO-10", say(f"{_SUMS}/ram:LineTotalAmount", "1467.51")),
    "vat-sum": Mutation("service", "BR-CO-14", say(f"{_SUMS}/ram:TaxTotalAmount", "278.84")),
    "gross": Mutation("service", "BR-CO-15", say(f"{_SUMS}/ram:GrandTotalAmount", "1746.34")),
    "due": Mutation("service", "BR-CO-16", say(f"{_SUMS}/ram:DuePayableAmount", "1746.30")),
    "vat-of-rate": Mutation("service", "BR-CO-17", say(f"{_TAX}/ram:CalculatedAmount", "300.00")),
    "vat-basis": Mutation("service", "BR-S-08", say(f"{_TAX}/ram:BasisAmount", "1400.00")),
    "no-number": Mutation("service", "BR-02", drop("//rsm:ExchangedDocument/ram:ID")),
    "no-buyer-name": Mutation("service", "BR-07", drop(f"{_BUYER}/ram:Name")),
    "no-country": Mutation("service", "BR-11", drop(f"{_BUYER}//ram:CountryID")),
    "no-line-name": Mutation("service", "BR-25", drop(f"{_LINE}//ram:Name")),
    "unit": Mutation("service", "BR-CL-23", unit("STD")),
    "currency": Mutation("service", "BR-CL-04", say("//ram:InvoiceCurrencyCode", "EURO")),
    "cents": Mutation("service", "BR-DEC-23", say(f"{_LINE}//ram:LineTotalAmount", "1163.755")),
    "no-exemption-reason": Mutation("recurring", "BR-E-10", drop("//ram:ExemptionReason")),
    "leitweg": Mutation("public", "BR-DE-15", drop("//ram:BuyerReference")),
    "phone": Mutation("public", "BR-DE-6", drop(f"{_SELLER}//ram:TelephoneUniversalCommunication")),
    "mandate": Mutation("public-debit", "DK-10", drop("//ram:DirectDebitMandateID")),
    # what the official rules let pass, or only warn about
    "bare-report-id": Mutation("service", "DK-05", say(f"{_LINE}//ram:Name", "SB-2026-000417"), official=False),
    "bare-reference": Mutation(
        "service", "DK-05", say(f"{_LINE}//ram:Name", "Gemäß Servicebericht Nr. SB-2026-000417"), official=False
    ),
    "own-iban": Mutation(
        "service", "DK-08", say("//ram:PayeePartyCreditorFinancialAccount/ram:IBANID", "DE02120300000000202052"), official=False
    ),
    "payer-iban": Mutation(
        "branch", "DK-09", say("//ram:PayerPartyDebtorFinancialAccount/ram:IBANID", "DE02500105170137075031"), official=False
    ),
    "no-creditor": Mutation("branch", "DK-10", drop("//ram:CreditorReferenceID"), official=False),
    "no-period": Mutation(
        "service", "DK-03", drop("//ram:ApplicableHeaderTradeSettlement/ram:BillingSpecifiedPeriod"), official=False
    ),
    "no-street": Mutation("service", "DK-01", drop(f"{_BUYER}//ram:LineOne"), official=False),
    "no-tax-number": Mutation("service", "DK-02", drop(f"{_SELLER}/ram:SpecifiedTaxRegistration")),
    "product": Mutation("service", "DK-07", say(f"{_LINE}//ram:BilledQuantity", "13.25"), official=False),
    "nothing": Mutation("service", "DK-06", both(say(f"{_LINE}//ram:BilledQuantity", "0")), official=False),
    "no-original": Mutation("cancellation", "DK-11", drop("//ram:InvoiceReferencedDocument"), official=False),
}
