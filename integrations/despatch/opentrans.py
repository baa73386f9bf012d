"""openTRANS DISPATCHNOTIFICATION, 1.0 to 2.1: with or without namespaces, BMEcat parts in either.

Sources: openTRANS 2.1 (BME/Fraunhofer IAO) for DISPATCHNOTIFICATION, PARTY, PRODUCT_ID, LOGISTIC_DETAILS; 1.0 for
ARTICLE_ID with its *_AID names and the older party wrapping.
"""

import dataclasses

from lxml import etree

from integrations.despatch.collect import Draft
from integrations.despatch.kinds import wrong_root
from integrations.despatch.types import DespatchAdvice, DespatchLine, Package, SupplierHint
from integrations.despatch.values import day, gln, gtin, ident, quantity, soft_quantity
from integrations.despatch.xmlstream import XmlFile, find, find_all, kids, local, text, text_at, texts_at

ROOT = "DISPATCHNOTIFICATION"
ITEM = "DISPATCHNOTIFICATION_ITEM"
_EAN_TYPES = {"", "ean", "gtin", "gtin13", "gtin14", "ean13", "ean8", "upc"}
_EMAILS = (("EMAIL",), ("EMAILS", "EMAIL"), ("CONTACT_DETAILS", "EMAILS", "EMAIL"), ("CONTACT", "EMAIL"))
_NO = {"false", "0", "no", "nein"}


def read(file: XmlFile) -> DespatchAdvice:
    """The advice in an openTRANS file whose root is already known.

    Raises:
        DespatchError: with place, fault and remedy.
    """
    draft = Draft("opentrans", hints=list(file.hints))
    for element in file.lines(ITEM):
        if local(element) == ITEM:
            _line(draft, element)
        elif local(element) != ROOT:
            raise wrong_root(local(element))
        else:
            _head(draft, element)
    return draft.finish()


def _line(draft: Draft, item: etree._Element) -> None:
    position = len(draft.lines) + 1
    parts = kids(item)
    number = text_at(item, "LINE_ITEM_ID") or str(position)
    place = f"Position {number}"
    exact = f"{place} (Zeile {item.sourceline}, {ITEM}/QUANTITY)"
    product = find(item, "PRODUCT_ID" if "PRODUCT_ID" in parts else "ARTICLE_ID")
    order = find(item, "ORDER_REFERENCE")
    names = kids(product)
    buyer = _first(names, "BUYER_PID", "BUYER_AID")
    if text_at(item, "DELIVERY_COMPLETED").lower() in _NO:
        draft.hint(f"{place}: Laut Absender ist diese Position noch nicht vollständig geliefert.")
    ean = _ean(draft, names, place)
    draft.add(
        DespatchLine(
            number=ident(number, place, "Die Positionsnummer"),
            quantity=quantity(text_at(item, "QUANTITY"), exact),
            unit=text_at(item, "ORDER_UNIT"),
            supplier_article=ident(_first(names, "SUPPLIER_PID", "SUPPLIER_AID"), place, "Die Artikelnummer"),
            our_product=ident(buyer, place, "Unsere Artikelnummer"),
            ean=ean,
            text=_first(names, "DESCRIPTION_SHORT") or _first(names, "DESCRIPTION_LONG"),
            serials=tuple(ident(serial, place, "Die Seriennummer") for serial in _serials(item, product)),
            batch=_batch(product, item),
            order_number=ident(text_at(order, "ORDER_ID"), place, "Die Bestellnummer"),
            order_line=ident(text_at(order, "LINE_ITEM_ID"), place, "Die Bestellposition"),
            packages=_packages(draft, find_all(item, "LOGISTIC_DETAILS")),
            place=place,
        )
    )


def _first(names: dict[str, list[etree._Element]], *wanted: str) -> str:
    return next((value for name in wanted for value in map(text, names.get(name, [])) if value), "")


def _any(element: etree._Element | None, *names: str) -> str:
    return next((value for name in names if (value := text_at(element, name))), "")


def _ean(draft: Draft, names: dict[str, list[etree._Element]], place: str) -> str:
    candidates = names.get("INTERNATIONAL_PID", []) + names.get("INTERNATIONAL_AID", []) + names.get("EAN", [])
    for element in candidates:
        value = text(element)
        if value and (element.get("type") or "").strip().lower().replace("-", "") in _EAN_TYPES:
            if found := gtin(value):
                return found
            draft.hint(f"{place}: »{value[:40]}« ist keine GTIN und wurde nicht übernommen.")
    return ""


def _serials(item: etree._Element, product: etree._Element | None) -> list[str]:
    """Where 2.1 has them, in the product; where some senders put them, beside it."""
    return texts_at(product, "SERIAL_NUMBER") or texts_at(item, "SERIAL_NUMBER")


def _batch(product: etree._Element | None, item: etree._Element) -> str:
    return ", ".join(dict.fromkeys(texts_at(product, "LOT_NUMBER") or texts_at(item, "LOT_NUMBER")))


def _packages(draft: Draft, details: list[etree._Element]) -> tuple[str, ...]:
    numbers: dict[str, None] = {}
    for detail in details:
        for package in detail.iter("PACKAGE", "{*}PACKAGE"):
            number = ident(text_at(package, "PACKAGE_ID"), "Packstück", "Die Packstücknummer")
            if number:
                kind = _any(package, "PACKAGE_DESCR", "PACKING_UNIT_DESCR", "PACKING_UNIT_CODE")
                weight = soft_quantity(text_at(package, "PACKAGE_DIMENSIONS", "WEIGHT"))
                draft.package(Package(number, kind, weight))
                numbers.setdefault(number)
    return tuple(numbers)


def _head(draft: Draft, root: etree._Element) -> None:
    info = find(root, f"{ROOT}_HEADER", f"{ROOT}_INFO")
    draft.delivery_note = ident(text_at(info, f"{ROOT}_ID"), f"{ROOT}_INFO/{ROOT}_ID", "Die Lieferscheinnummer")
    told = text_at(info, f"{ROOT}_DATE")
    draft.despatched_on = day(told)
    if told and draft.despatched_on is None:
        draft.hint(f"{ROOT}_DATE: »{told[:40]}« ist kein Datum und wurde nicht übernommen.")
    draft.expected_on = day(_any(find(info, "DELIVERY_DATE"), "DELIVERY_START_DATE", "DELIVERY_END_DATE"))
    draft.shipment = ident(text_at(info, "SHIPMENT_ID"), "SHIPMENT_ID", "Die Sendungsnummer")
    for number in texts_at(info, "ORDER_REFERENCE", "ORDER_ID"):
        draft.order(ident(number, "ORDER_REFERENCE/ORDER_ID", "Die Bestellnummer"))
    _packages(draft, find_all(info, "LOGISTIC_DETAILS_INFO") + find_all(info, "LOGISTIC_DETAILS"))
    _parties(draft, info)
    _remarks(draft, info)
    total = text_at(root, f"{ROOT}_SUMMARY", "TOTAL_ITEM_NUM")
    if total.isdecimal() and total.isascii() and total.lstrip("0") != str(len(draft.lines)):
        draft.hint(f"{ROOT}_SUMMARY/TOTAL_ITEM_NUM nennt {total[:20]} Positionen, gelesen sind {len(draft.lines)}.")


def _remarks(draft: Draft, info: etree._Element | None) -> None:
    for remark in find_all(info, "REMARKS") + find_all(info, "REMARK"):
        value = text(remark)
        if "deliverer" in (remark.get("type") or "").lower():
            draft.carrier = draft.carrier or value
        else:
            draft.notes.append(value)


def _parties(draft: Draft, info: etree._Element | None) -> None:
    supplier, carrier = _supplier_2(info), ""
    for party in find_all(info, "PARTIES", "PARTY"):
        roles = {role.lower() for role in texts_at(party, "PARTY_ROLE")}
        if "deliverer" in roles and "supplier" not in roles:
            carrier = _party(party).name
    if supplier is None:
        wrappers = find_all(info, f"{ROOT}_PARTIES") or find_all(info, "PARTIES")
        supplier = next(
            (found for wrapper in wrappers if (found := find(wrapper, "SUPPLIER_PARTY", "PARTY")) is not None),
            None,
        )
    if supplier is not None:
        draft.supplier = _party(supplier)
    draft.carrier = carrier or draft.carrier


def _supplier_2(info: etree._Element | None) -> etree._Element | None:
    """By role; without one, the party that SUPPLIER_IDREF points to."""
    parties = find_all(info, "PARTIES", "PARTY")
    for party in parties:
        if "supplier" in (role.lower() for role in texts_at(party, "PARTY_ROLE")):
            return party
    reference = text_at(info, "SUPPLIER_IDREF")
    return next((party for party in parties if reference and reference in texts_at(party, "PARTY_ID")), None)


def _party(party: etree._Element) -> SupplierHint:
    address = find(party, "ADDRESS")
    found = SupplierHint(
        name=text_at(address, "NAME") or text_at(party, "NAME"),
        email=next((value for path in _EMAILS if (value := text_at(address, *path))), ""),
        vat_id=text_at(address, "VAT_ID"),
    )
    for element in find_all(party, "PARTY_ID"):
        kind = (element.get("type") or "").strip().lower()
        if kind in ("gln", "iln") and gln(text(element)):
            found = dataclasses.replace(found, gln=gln(text(element)))
        elif kind == "buyer_specific":
            found = dataclasses.replace(found, supplier_no=text(element))
    return found
