"""What a file is instead of a despatch advice, in words that the office can pass on to the supplier."""

from integrations.charset import clean
from integrations.despatch.types import DespatchError

XML_ROOTS = {
    "ORDER": "eine Bestellung (openTRANS ORDER)",
    "ORDERCHANGE": "eine Bestelländerung (openTRANS ORDERCHANGE)",
    "ORDERRESPONSE": "eine Auftragsbestätigung (openTRANS ORDERRESPONSE)",
    "QUOTATION": "ein Angebot (openTRANS QUOTATION)",
    "RFQ": "eine Angebotsanfrage (openTRANS RFQ)",
    "INVOICE": "eine Rechnung (openTRANS INVOICE)",
    "INVOICELIST": "eine Rechnungsliste (openTRANS INVOICELIST)",
    "RECEIPTACKNOWLEDGEMENT": "eine Eingangsbestätigung (openTRANS RECEIPTACKNOWLEDGEMENT)",
    "REMITTANCEADVICE": "ein Zahlungsavis (openTRANS REMITTANCEADVICE)",
    "BMECAT": "ein Katalog (BMEcat)",
    "Order": "eine Bestellung (UBL Order)",
    "OrderChange": "eine Bestelländerung (UBL OrderChange)",
    "OrderResponse": "eine Auftragsbestätigung (UBL OrderResponse)",
    "OrderResponseSimple": "eine Auftragsbestätigung (UBL OrderResponseSimple)",
    "OrderCancellation": "eine Stornierung einer Bestellung (UBL OrderCancellation)",
    "Invoice": "eine Rechnung (UBL Invoice)",
    "CreditNote": "eine Gutschrift (UBL CreditNote)",
    "ReceiptAdvice": "eine Wareneingangsmeldung (UBL ReceiptAdvice)",
    "Catalogue": "ein Katalog (UBL Catalogue)",
    "ApplicationResponse": "eine Empfangsquittung (UBL ApplicationResponse)",
    "CrossIndustryInvoice": "eine Rechnung (CII)",
}

EDIFACT_TYPES = {
    "ORDERS": "eine Bestellung (ORDERS)",
    "ORDCHG": "eine Bestelländerung (ORDCHG)",
    "ORDRSP": "eine Auftragsbestätigung (ORDRSP)",
    "INVOIC": "eine Rechnung (INVOIC)",
    "RECADV": "eine Wareneingangsmeldung (RECADV)",
    "DELFOR": "ein Lieferabruf (DELFOR)",
    "DELJIT": "ein Feinabruf (DELJIT)",
    "IFTMIN": "ein Transportauftrag (IFTMIN)",
    "IFTSTA": "eine Sendungsstatusmeldung (IFTSTA)",
    "INVRPT": "ein Bestandsbericht (INVRPT)",
    "PRICAT": "eine Preisliste (PRICAT)",
    "SLSRPT": "ein Verkaufsbericht (SLSRPT)",
    "CONTRL": "eine Empfangsquittung (CONTRL)",
    "APERAK": "eine Fehlermeldung (APERAK)",
    "REMADV": "ein Zahlungsavis (REMADV)",
}

DOCUMENT_CODES = {
    "105": "eine Bestellung",
    "220": "eine Bestellung",
    "221": "eine Rahmenbestellung",
    "224": "eine Eilbestellung",
    "226": "ein Abruf",
    "230": "eine Bestelländerung",
    "231": "eine Auftragsbestätigung",
    "320": "eine Auftragsbestätigung",
    "325": "eine Proforma-Rechnung",
    "345": "eine Meldung der Versandbereitschaft, noch keine Lieferung",
    "380": "eine Rechnung",
    "381": "eine Gutschrift",
    "383": "eine Belastungsanzeige",
    "384": "eine korrigierte Rechnung",
    "389": "eine Gutschrift im Gutschriftverfahren",
    "632": "eine Wareneingangsmeldung",
    "35E": "ein Retourenavis",
}
"""UN/CEFACT 1001 (and GS1's own) document names that contradict a despatch advice."""

ADVICE_CODES = {"351", "270", "350", "352", "730", "YA5", "YB1", ""}
"""Despatch advice, delivery note and their kin."""

CANCELLED = {"1": "storniert", "3": "löscht"}
"""UN/CEFACT 1225 message functions that take a delivery back."""

OTHER_FUNCTIONS = {
    "4": "Der Absender kennzeichnet das Lieferavis als Änderung; bitte mit dem früheren vergleichen.",
    "5": "Der Absender kennzeichnet das Lieferavis als Ersatz für ein früheres.",
    "7": "Der Absender kennzeichnet das Lieferavis als Duplikat.",
    "31": "Der Absender kennzeichnet das Lieferavis als Kopie.",
}

_MAGIC = (
    (b"%PDF", "ein PDF"),
    (b"PK\x03\x04", "ein ZIP-Archiv oder eine Excel-/Word-Datei"),
    (b"\xd0\xcf\x11\xe0", "eine alte Excel- oder Word-Datei"),
    (b"\x1f\x8b", "ein gzip-Archiv"),
    (b"\x89PNG", "ein Bild"),
    (b"\xff\xd8\xff", "ein Bild"),
    (b"{\\rtf", "ein RTF-Dokument"),
    (b"ISA*", "eine ANSI-X12-Nachricht"),
)
SUPPORTED = "openTRANS DISPATCHNOTIFICATION, UBL DespatchAdvice, EDIFACT DESADV oder eine CSV-Liste"


def refuse_known_binary(raw: bytes) -> None:
    """Raises: DespatchError, when the first bytes tell a kind of file that no reader is for."""
    start = raw[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, name in _MAGIC:
        if start.startswith(magic):
            raise DespatchError(
                f"Die Datei ist {name}, kein Lieferavis. Bitte fordern Sie es als {SUPPORTED} an.", supplier_fault=True
            )


def wrong_document(found: str, place: str, said: str = "") -> DespatchError:
    """The refusal of a document of another kind.

    Args:
        found: what it is, with article.
        place: where that stands.
        said: where the file calls itself a despatch advice all the same.
    """
    although = f", obwohl {said} ein Lieferavis nennt" if said else ""
    return DespatchError(
        f"{place}: Die Datei enthält {found}{although}; ein Lieferavis ist das nicht. Bitte fordern Sie beim Lieferanten "
        "das Lieferavis an.",
        supplier_fault=True,
    )


def wrong_root(root: str, said: str = "") -> DespatchError:
    """The refusal of an XML file by its first element."""
    name = clean(root)[:60]
    found = XML_ROOTS.get(root) or XML_ROOTS.get(root.upper())
    if found:
        return wrong_document(found, f"Wurzelelement <{name}>", said)
    return DespatchError(
        f"Wurzelelement <{name}>: Dieses XML ist kein Lieferavis, das gelesen werden kann. Erwartet wird {SUPPORTED}.",
        supplier_fault=True,
    )


def named_as_advice(file_name: str) -> bool:
    """Whether the name of a file claims a despatch advice; used for words only, never for a decision."""
    name = file_name.lower()
    return any(word in name for word in ("desadv", "despatch", "dispatch", "lieferavis", "lieferschein"))
