"""An invoice in the words of SAP Business One (DI API names, as the Service Layer takes them), exact to the cent."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integrations.sap.port import SapInvoice, SapKind, SapLine, SapRefusedError

VAT_GROUPS: Mapping[int, str] = {19: "A3", 7: "A2", 0: "A0"}
"""Output tax groups of the German localisation per rate in percent; a house with other ones sets its own."""
KEY_FIELD = "U_DK_BillingId"
"""User-defined field on marketing documents that carries our key, so that a document can be found again."""
REPORT_FIELD = "U_DK_ServiceReport"
_TEXT, _MEMO, _COMMENT = 100, 50, 254
_EXACT_DIGITS = 15


def checked(invoice: SapInvoice) -> SapInvoice:
    """The invoice itself. Raises: SapRefusedError when its figures do not add up; nothing is handed over then."""
    net = sum((line.net for line in invoice.lines), Decimal(0))
    sums = f"Zeilen {net}, netto {invoice.net}, Steuer {invoice.vat}, brutto {invoice.gross}"
    if not invoice.key or not invoice.lines or net != invoice.net or invoice.net + invoice.vat != invoice.gross:
        raise SapRefusedError(
            f"Rechnung {invoice.number or invoice.key}: die Summen gehen nicht auf ({sums}) oder der Schlüssel fehlt; "
            "sie wird nicht an SAP übergeben, bitte die Entwicklung verständigen."
        )
    return invoice


def resource(kind: SapKind) -> str:
    """The collection a document belongs to."""
    return "Invoices" if kind is SapKind.INVOICE else "CreditNotes"


def document(invoice: SapInvoice, vat_groups: Mapping[int, str] = VAT_GROUPS, key_field: str = KEY_FIELD) -> dict[str, Any]:
    """The body of a POST. Amounts are Decimal; `body_json` writes them. Raises: SapRefusedError for a rate without group."""
    body: dict[str, Any] = {
        "CardCode": invoice.card_code,
        "DocType": "dDocument_Service",
        "DocDate": invoice.issued_on.isoformat(),
        "TaxDate": invoice.issued_on.isoformat(),
        "DocDueDate": invoice.due_on.isoformat(),
        "NumAtCard": invoice.number,
        "Comments": _comment(invoice)[:_COMMENT],
        "JournalMemo": f"Abrechnung {invoice.month}".strip()[:_MEMO],
        "ShipToCode": invoice.ship_to,
        REPORT_FIELD: invoice.report_id,
        "DocumentLines": [_line(line, invoice, vat_groups) for line in invoice.lines],
    }
    if key_field:
        body[key_field] = invoice.key
    else:
        del body[REPORT_FIELD]  # a company without our fields has neither
    return {name: value for name, value in body.items() if value not in ("", None)}


def _comment(invoice: SapInvoice) -> str:
    parts = [f"Servicebericht {invoice.report_id}"] if invoice.report_id else []
    if invoice.cancels:
        word = "Storno von" if invoice.kind is SapKind.CANCELLATION else "Gutschrift zu"
        parts.append(f"{word} {invoice.cancels}")
    return ", ".join(parts)


def _line(line: SapLine, invoice: SapInvoice, vat_groups: Mapping[int, str]) -> dict[str, Any]:
    group = vat_groups.get(int(line.vat_rate)) if line.vat_rate == int(line.vat_rate) else None
    if group is None:
        raise SapRefusedError(
            f"Rechnung {invoice.number or invoice.key}: für {line.vat_rate} % ist die SAP-Steuergruppe nicht bekannt."
        )
    body = {"ItemDescription": " ".join(line.text.split())[:_TEXT], "AccountCode": line.account, "VatGroup": group}
    cost = {"CostingCode": line.cost_centre} if line.cost_centre else {}
    return {**body, "LineTotal": line.net, **cost}


def body_json(body: Mapping[str, Any]) -> bytes:
    """JSON with amounts as numbers that say exactly the cents (a float that prints as the Decimal it came from)."""
    return json.dumps(body, ensure_ascii=False, default=_number).encode()


def _number(value: object) -> float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} has no JSON form")
    number = float(value)
    if Decimal(repr(number)) != value or len(value.as_tuple().digits) > _EXACT_DIGITS:
        raise SapRefusedError(f"Betrag {value} hat zu viele Stellen für SAP.")
    return number
