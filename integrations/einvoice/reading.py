"""A structured invoice as the checks read it."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import cast

from lxml.etree import _Element as Element

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_TRADE = "/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. Severity: fatal, warning or information; only fatal ones hold the invoice back."""

    rule: str
    severity: str
    text: str


class Reading:
    """Paths into the XML; what is missing reads as an empty text."""

    def __init__(self, root: Element) -> None:
        self._root = root

    def all(self, path: str, start: Element | None = None) -> list[Element]:
        found = (self._root if start is None else start).xpath(path, namespaces=NAMESPACES)
        return cast("list[Element]", found)

    def text(self, path: str, start: Element | None = None) -> str:
        found = self.all(path, start)
        return (found[0].text or "").strip() if found else ""

    def decimal(self, path: str, start: Element | None = None) -> Decimal | None:
        try:
            return Decimal(self.text(path, start))
        except InvalidOperation:
            return None

    @property
    def number(self) -> str:
        return self.text("/rsm:CrossIndustryInvoice/rsm:ExchangedDocument/ram:ID")

    @property
    def type_code(self) -> str:
        return self.text("/rsm:CrossIndustryInvoice/rsm:ExchangedDocument/ram:TypeCode")

    @property
    def guideline(self) -> str:
        return self.text(
            "/rsm:CrossIndustryInvoice/rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
        )

    @property
    def lines(self) -> list[Element]:
        return self.all(f"{_TRADE}/ram:IncludedSupplyChainTradeLineItem")

    def agreement(self, path: str) -> str:
        return self.text(f"{_TRADE}/ram:ApplicableHeaderTradeAgreement/{path}")

    def delivery(self, path: str) -> str:
        return self.text(f"{_TRADE}/ram:ApplicableHeaderTradeDelivery/{path}")

    def settlement(self, path: str) -> str:
        return self.text(f"{_TRADE}/ram:ApplicableHeaderTradeSettlement/{path}")

    def settlements(self, path: str) -> list[Element]:
        return self.all(f"{_TRADE}/ram:ApplicableHeaderTradeSettlement/{path}")
