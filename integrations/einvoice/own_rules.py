"""Rules that no validator knows, or only as a warning: what § 14 UStG and the tax office ask, and what pays us. Ids `DK-nn`."""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from lxml.etree import _Element as Element
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from integrations.einvoice.codes import CORRECTED, CREDIT_NOTE, DIRECT_DEBIT, TRANSFER
from integrations.einvoice.reading import Finding, Reading

_NOT_WORK = re.compile(
    r"\b(?:[A-ZÄÖÜ]{1,4}-\d{2,4}-\d+|service-?berichte?s?|leistungs?nachweise?s?|berichte?s?|reports?|lieferscheine?s?|laut|lt|"
    r"gemäß|gemäss|gem|siehe|s|zu|zum|vom|nach|nr|nummer|anlage|position|pos|rechnung)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_CENT = Decimal("0.01")
_HALF_LAST_DIGIT = Decimal("0.00005")


def own_findings(reading: Reading) -> list[Finding]:
    """All of them, fatal each."""
    return [*_parties(reading), *_supply(reading), *_lines(reading), *_payment(reading), *_references(reading)]


def _fatal(rule: str, text: str) -> Finding:
    return Finding(rule=rule, severity="fatal", text=text)


def describes_work(name: str) -> bool:
    """Whether words are left once numbers and references are taken away: a bare report id describes nothing."""
    return _WORD.search(_NOT_WORK.sub(" ", name)) is not None


def _parties(reading: Reading) -> Iterator[Finding]:
    for party, who, place in (
        ("SellerTradeParty", "das eigene Haus", "house.csv"),
        ("BuyerTradeParty", "den Kunden", "Stammdaten"),
    ):
        parts = {"Name": "ram:Name", "Straße": "ram:PostalTradeAddress/ram:LineOne"}
        parts |= {"PLZ": "ram:PostalTradeAddress/ram:PostcodeCode", "Ort": "ram:PostalTradeAddress/ram:CityName"}
        missing = [label for label, path in parts.items() if not reading.agreement(f"ram:{party}/{path}")]
        if missing:
            yield _fatal(
                "DK-01", f"Die Anschrift für {who} ist unvollständig ({', '.join(missing)} fehlt); bitte in {place} ergänzen."
            )
    if not reading.agreement("ram:SellerTradeParty/ram:SpecifiedTaxRegistration/ram:ID"):
        yield _fatal(
            "DK-02", "Steuernummer oder USt-IdNr. des Hauses fehlt (§ 14 Abs. 4 Nr. 2 UStG); bitte in house.csv ergänzen."
        )


def _supply(reading: Reading) -> Iterator[Finding]:
    date = "udt:DateTimeString"
    start = reading.settlement(f"ram:BillingSpecifiedPeriod/ram:StartDateTime/{date}")
    end = reading.settlement(f"ram:BillingSpecifiedPeriod/ram:EndDateTime/{date}")
    day = reading.delivery(f"ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/{date}")
    if not day and not (start and end):
        yield _fatal(
            "DK-03", "Der Zeitpunkt der Leistung fehlt: weder Leistungsdatum noch Leistungszeitraum (§ 14 Abs. 4 Nr. 6 UStG)."
        )
    if start and end and start > end:
        yield _fatal("DK-03", "Der Leistungszeitraum endet, bevor er beginnt.")


def _lines(reading: Reading) -> Iterator[Finding]:
    if not reading.lines:
        yield _fatal("DK-04", "Die Rechnung hat keine Position.")
    for line in reading.lines:
        yield from _line(reading, line)


def _line(reading: Reading, line: Element) -> Iterator[Finding]:
    place = f"Position {reading.text('ram:AssociatedDocumentLineDocument/ram:LineID', line) or '?'}"
    name = reading.text("ram:SpecifiedTradeProduct/ram:Name", line)
    if not describes_work(name):
        yield _fatal(
            "DK-05", f"{place}: „{name}“ beschreibt die Leistung nicht; ein bloßer Verweis genügt nicht (BMF 15.10.2025)."
        )
    quantity = reading.decimal("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", line)
    price = reading.decimal("ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount", line)
    unit = reading.all("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity/@unitCode", line)
    net = reading.decimal(
        "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount", line
    )
    if not quantity or not unit or price is None or net is None:
        yield _fatal("DK-06", f"{place}: Menge, Einheit, Preis und Betrag müssen angegeben sein.")
        return
    # the net comes from exact minutes; the quantity has four decimals, so the product may be off by half of the last one
    if abs((quantity * price).quantize(_CENT, ROUND_HALF_UP) - net) > _CENT + abs(price) * _HALF_LAST_DIGIT:
        yield _fatal("DK-07", f"{place}: Menge {quantity} × Preis {price} ergibt nicht den Betrag {net}.")


def _payment(reading: Reading) -> Iterator[Finding]:
    means = "ram:SpecifiedTradeSettlementPaymentMeans"
    code = reading.settlement(f"{means}/ram:TypeCode")
    own = reading.settlement(f"{means}/ram:PayeePartyCreditorFinancialAccount/ram:IBANID")
    payer = reading.settlement(f"{means}/ram:PayerPartyDebtorFinancialAccount/ram:IBANID")
    if code == TRANSFER and not own:
        yield _fatal("DK-08", "Die IBAN des Hauses fehlt; bitte in house.csv ergänzen.")
    if own and not _valid_iban(own):
        yield _fatal("DK-08", f"Die IBAN des Hauses „{own}“ ist ungültig; bitte in house.csv berichtigen.")
    if code == DIRECT_DEBIT:
        if not _valid_iban(payer):
            yield _fatal(
                "DK-09", f"Lastschrift: Die IBAN des Kunden „{payer}“ ist ungültig; bitte in den Stammdaten berichtigen."
            )
        if not reading.settlement("ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID"):
            yield _fatal("DK-10", "Lastschrift: Die Mandatsreferenz des Kunden fehlt.")
        if not reading.settlement("ram:CreditorReferenceID"):
            yield _fatal(
                "DK-10", "Lastschrift: Die Gläubiger-Identifikationsnummer des Hauses fehlt; bitte in house.csv ergänzen."
            )


def _valid_iban(value: str) -> bool:
    try:
        IBAN(value, validate_bban=True)
    except (SchwiftyException, ValueError):
        return False
    return True


def _references(reading: Reading) -> Iterator[Finding]:
    if reading.type_code in {CORRECTED, CREDIT_NOTE} and not reading.settlement(
        "ram:InvoiceReferencedDocument/ram:IssuerAssignedID"
    ):
        yield _fatal("DK-11", "Storno oder Berichtigung ohne Bezug auf die ursprüngliche Rechnung (BT-25).")
