"""Column titles that suppliers use in their lists, and the delimiter of a list."""

import re
from collections.abc import Iterator

_DELIMITERS = ";\t,|"
_LINE_END = re.compile(r"\r\n?|\n")
_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))
ALIASES: dict[str, tuple[str, ...]] = {
    "delivery_note": (
        "lieferschein",
        "lieferscheinnr",
        "lieferscheinnummer",
        "lsnr",
        "lieferungsnr",
        "deliverynote",
        "deliverynoteno",
        "deliverynotenumber",
        "deliverynumber",
        "despatchadvice",
        "despatchadviceno",
    ),
    "date": ("lieferdatum", "lieferscheindatum", "versanddatum", "datum", "deliverydate", "despatchdate", "shipdate", "date"),
    "order": (
        "bestellung",
        "ihrebestellung",
        "bestellnr",
        "bestellnummer",
        "ihrebestellnr",
        "ihrebestellnummer",
        "kundenbestellnr",
        "order",
        "orderno",
        "ordernumber",
        "purchaseorder",
        "ponumber",
        "po",
        "yourorder",
    ),
    "order_line": ("pos", "position", "bestellpos", "bestellposition", "posnr", "orderline", "polines", "poline", "line"),
    "supplier_article": (
        "artikelnr",
        "artikelnummer",
        "artikel",
        "lieferantenartikelnr",
        "unsereartikelnr",
        "articleno",
        "articlenumber",
        "itemno",
        "itemnumber",
        "sku",
        "partnumber",
        "partno",
    ),
    "our_product": (
        "ihreartikelnr",
        "ihreartikelnummer",
        "kundenartikelnr",
        "kundenartikelnummer",
        "yourarticleno",
        "customersku",
    ),
    "ean": ("ean", "gtin", "eancode", "ean13", "barcode"),
    "text": ("bezeichnung", "artikelbezeichnung", "beschreibung", "text", "artikeltext", "description", "name"),
    "quantity": (
        "menge",
        "liefermenge",
        "geliefertemenge",
        "anzahl",
        "stueckzahl",
        "quantity",
        "qty",
        "deliveredquantity",
        "shippedqty",
    ),
    "unit": ("einheit", "me", "mengeneinheit", "unit", "uom"),
    "serials": (
        "seriennummern",
        "seriennummer",
        "seriennr",
        "sn",
        "snr",
        "serialnumbers",
        "serialnumber",
        "serials",
        "serial",
        "serialno",
    ),
    "batch": ("charge", "chargennr", "chargennummer", "los", "losnummer", "batch", "lot", "lotnumber"),
    "package": (
        "packstueck",
        "packstuecknr",
        "packstuecknummer",
        "paket",
        "paketnr",
        "paketnummer",
        "karton",
        "colli",
        "sscc",
        "nve",
        "package",
        "parcel",
    ),
}
"""Our field -> usual titles, in order of preference; without blanks, dots and case; umlauts spelled out."""


def normal(title: str) -> str:
    """A column title without case, blanks and punctuation; umlauts spelled out."""
    spelled = title.lower()
    for umlaut, letters in _UMLAUTS:
        spelled = spelled.replace(umlaut, letters)
    return re.sub(r"[^a-z0-9]", "", spelled)


def guess_delimiter(text: str) -> str:
    """The delimiter that stands most often in the first filled lines outside of quotes."""
    head = re.sub(r'"[^"]*"', "", "\n".join(text[:20_000].splitlines()[:30]))
    return max(_DELIMITERS, key=head.count)


def physical_lines(text: str) -> Iterator[str]:
    """Lines with their ends, one at a time; CR, LF and CRLF all end one."""
    at = 0
    for end in _LINE_END.finditer(text):
        yield text[at : end.end()]
        at = end.end()
    if at < len(text):
        yield text[at:]
