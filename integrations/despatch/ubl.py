"""UBL 2.x DespatchAdvice, Peppol BIS Despatch Advice 3 among them, bare or in a Standard Business Document.

Source: OASIS UBL 2.1 schema DespatchAdvice-2; Peppol transaction T16 for what is usual (OrderReference, ItemInstance,
TransportHandlingUnit with SSCC).
"""

import datetime as dt
from decimal import Decimal

from lxml import etree

from integrations.despatch.collect import Draft
from integrations.despatch.kinds import ADVICE_CODES, DOCUMENT_CODES, wrong_document, wrong_root
from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine, Package, SupplierHint
from integrations.despatch.values import day, gln, gtin, ident, quantity, soft_quantity
from integrations.despatch.xmlstream import XmlFile, find, find_all, local, text, text_at, texts_at

ROOT = "DespatchAdvice"
ENVELOPE = "StandardBusinessDocument"
LINE = "DespatchLine"
_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"
_GLN_SCHEMES = {"0088", "GLN", "9", "EAN"}
_KILOS = {"KGM": Decimal(1), "GRM": Decimal("0.001"), "TNE": Decimal(1000)}


def read(file: XmlFile) -> DespatchAdvice:
    """The advice in a UBL file whose root is already known.

    Raises:
        DespatchError: with place, fault and remedy.
    """
    draft = Draft("ubl", hints=list(file.hints))
    for element in file.lines(LINE):
        if local(element) == LINE:
            _line(draft, element)
        else:
            _head(draft, _unwrap(element))
    return draft.finish()


def _unwrap(root: etree._Element) -> etree._Element:
    if local(root) == ENVELOPE:
        said = text_at(root, f"{ENVELOPE}Header", "DocumentIdentification", "Type")
        inner = [child for child in root if local(child) and local(child) != f"{ENVELOPE}Header"]
        if not inner:
            raise DespatchError(f"<{ENVELOPE}>: Der Umschlag enthält kein Dokument. Bitte fordern Sie das Lieferavis neu an.")
        root = inner[0]
        if local(root) != ROOT:
            raise wrong_root(local(root), "der Umschlag (SBDH)" if said == ROOT else "")
    tag = str(root.tag)
    if tag.startswith("{") and not tag.startswith("{urn:oasis:names:specification:ubl:"):
        raise DespatchError(
            f"Wurzelelement <{ROOT}>: Der Namensraum "
            f"{tag[1:].partition('}')[0][:100]} gehört nicht zu UBL (erwartet {_NAMESPACE}). "
            "Bitte fordern Sie das Lieferavis als UBL 2.1 an.",
            supplier_fault=True,
        )
    return root


def _line(draft: Draft, line: etree._Element) -> None:
    number = text_at(line, "ID") or str(len(draft.lines) + 1)
    place = f"Position {number}"
    amount = find(line, "DeliveredQuantity")
    item = find(line, "Item")
    order = find(line, "OrderLineReference")
    outstanding = text_at(line, "OutstandingQuantity")
    left = soft_quantity(outstanding) if outstanding else None
    if outstanding and left is None:
        draft.hint(f"{place}: Die Restmenge »{outstanding[:40]}« ist keine Zahl und wurde nicht übernommen.")
    draft.add(
        DespatchLine(
            number=ident(number, place, "Die Positionsnummer"),
            quantity=quantity(text(amount), f"{place} (Zeile {line.sourceline}, {LINE}/DeliveredQuantity)"),
            unit=((amount.get("unitCode") or "") if amount is not None else "").strip(),
            supplier_article=ident(text_at(item, "SellersItemIdentification", "ID"), place, "Die Artikelnummer"),
            our_product=ident(text_at(item, "BuyersItemIdentification", "ID"), place, "Unsere Artikelnummer"),
            ean=_ean(draft, item, place),
            text=text_at(item, "Name") or text_at(item, "Description"),
            serials=tuple(ident(serial, place, "Die Seriennummer") for serial in texts_at(item, "ItemInstance", "SerialID")),
            batch=", ".join(dict.fromkeys(texts_at(item, "ItemInstance", "LotIdentification", "LotNumberID"))),
            order_number=ident(text_at(order, "OrderReference", "ID"), place, "Die Bestellnummer"),
            order_line=ident(_order_line(order), place, "Die Bestellposition"),
            packages=_units(draft, find_all(line, "Shipment")),
            outstanding=left,
            outstanding_reason=" ".join(texts_at(line, "OutstandingReason")),
            best_before=_best_before(draft, item, place),
            place=place,
        )
    )


def _order_line(order: etree._Element | None) -> str:
    """Peppol asks senders who do not know the line to write NA."""
    number = text_at(order, "LineID")
    return "" if number.upper() == "NA" else number


def _ean(draft: Draft, item: etree._Element | None, place: str) -> str:
    value = text_at(item, "StandardItemIdentification", "ID")
    if value and not gtin(value):
        draft.hint(f"{place}: »{value[:40]}« ist keine GTIN und wurde nicht übernommen.")
    return gtin(value)


def _best_before(draft: Draft, item: etree._Element | None, place: str) -> dt.date | None:
    told = texts_at(item, "ItemInstance", "BestBeforeDate") + texts_at(item, "ItemInstance", "LotIdentification", "ExpiryDate")
    days = [found for value in told if (found := day(value))]
    if len(set(days)) > 1:
        draft.hint(f"{place}: Mehrere Haltbarkeitsdaten; übernommen ist das früheste.")
    return min(days) if days else None


def _units(draft: Draft, shipments: list[etree._Element]) -> tuple[str, ...]:
    """Handling units with their SSCC; where a unit has no number, the packages in it."""
    numbers: dict[str, None] = {}
    for unit in (found for shipment in shipments for found in find_all(shipment, "TransportHandlingUnit")):
        own = text_at(unit, "ID")
        parts = [] if own and own.upper() != "NA" else find_all(unit, "ActualPackage") + find_all(unit, "Package")
        for element in [unit] if own and own.upper() != "NA" else parts:
            number = ident(text_at(element, "ID"), "TransportHandlingUnit/ID", "Die Packstücknummer")
            if number:
                kind = text_at(element, "TransportHandlingUnitTypeCode") or text_at(element, "PackagingTypeCode")
                draft.package(Package(number, kind, _weight(element)))
                numbers.setdefault(number)
    return tuple(numbers)


def _weight(unit: etree._Element) -> Decimal | None:
    measures = find_all(unit, "TotalGrossWeightMeasure") + [
        measure
        for dimension in find_all(unit, "MeasurementDimension")
        if text_at(dimension, "AttributeID") in ("AAB", "AAD", "G")
        for measure in find_all(dimension, "Measure")
    ]
    for measure in measures:
        factor, value = _KILOS.get(measure.get("unitCode") or ""), soft_quantity(text(measure))
        if factor is not None and value is not None:
            return value * factor
    return None


def _head(draft: Draft, root: etree._Element) -> None:
    code = text_at(root, "DespatchAdviceTypeCode")
    if code in DOCUMENT_CODES:
        raise wrong_document(DOCUMENT_CODES[code], f"{ROOT}/DespatchAdviceTypeCode {code}", "das Wurzelelement")
    if code not in ADVICE_CODES:
        draft.hint(f"{ROOT}/DespatchAdviceTypeCode: Die Dokumentart {code[:20]} ist unbekannt; als Lieferavis gelesen.")
    if text_at(root, "CopyIndicator").lower() in ("true", "1"):
        draft.hint("Der Absender kennzeichnet das Lieferavis als Kopie.")
    draft.delivery_note = ident(text_at(root, "ID"), f"{ROOT}/ID", "Die Lieferscheinnummer")
    for number in texts_at(root, "OrderReference", "ID"):
        if number.upper() != "NA":
            draft.order(ident(number, "OrderReference/ID", "Die Bestellnummer"))
    draft.notes.extend(texts_at(root, "Note"))
    draft.supplier = _supplier(root)
    _shipment(draft, root)


def _supplier(root: etree._Element) -> SupplierHint:
    wrapper = find(root, "DespatchSupplierParty")
    party = find(wrapper, "Party")
    if party is None:
        wrapper = find(root, "SellerSupplierParty")
        party = find(wrapper, "Party")
    numbers = [
        gln(text(element))
        for element in find_all(party, "EndpointID") + find_all(party, "PartyIdentification", "ID")
        if (element.get("schemeID") or "").strip() in _GLN_SCHEMES
    ]
    return SupplierHint(
        name=text_at(party, "PartyName", "Name") or text_at(party, "PartyLegalEntity", "RegistrationName"),
        gln=next((number for number in numbers if number), ""),
        supplier_no=text_at(wrapper, "CustomerAssignedAccountID"),
        email=text_at(party, "Contact", "ElectronicMail"),
        vat_id=text_at(party, "PartyTaxScheme", "CompanyID") or _vat_among_ids(party),
    )


def _vat_among_ids(party: etree._Element | None) -> str:
    """Some senders name their VAT number as an identification, with the country in the scheme's name (`BE:VAT`)."""
    for element in find_all(party, "PartyIdentification", "ID"):
        scheme = f"{element.get('schemeName') or ''} {element.get('schemeID') or ''}".upper()
        if "VAT" in scheme:
            return text(element)
    return ""


def _shipment(draft: Draft, root: etree._Element) -> None:
    shipment = find(root, "Shipment")
    delivery = find(shipment, "Delivery")
    _units(draft, find_all(root, "Shipment"))
    told = text_at(delivery, "Despatch", "ActualDespatchDate") or text_at(root, "IssueDate")
    draft.despatched_on = day(told)
    if told and draft.despatched_on is None:
        draft.hint(f"Das Versanddatum »{told[:40]}« ist kein Datum und wurde nicht übernommen.")
    period = find(delivery, "EstimatedDeliveryPeriod")
    expected = text_at(period, "StartDate") or text_at(period, "EndDate")
    draft.expected_on = day(expected or text_at(delivery, "ActualDeliveryDate"))
    number = text_at(delivery, "TrackingID") or text_at(shipment, "Consignment", "ID") or text_at(shipment, "ID")
    draft.shipment = ident("" if number.upper() == "NA" else number, "Shipment/ID", "Die Sendungsnummer")
    carriers = texts_at(delivery, "CarrierParty", "PartyName", "Name") + texts_at(
        shipment, "Consignment", "CarrierParty", "PartyName", "Name"
    )
    stages = texts_at(shipment, "ShipmentStage", "CarrierParty", "PartyName", "Name")
    draft.carrier = (carriers + stages + [""])[0]
