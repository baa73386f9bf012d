"""The invoice book as files: one JSON per invoice for whoever takes them over, and a pair of tables for SAP's DTW.

The JSON says everything in plain terms (amounts as text) and holds the finished Service Layer request beside it.
"""

import csv
import io
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from integrations.sap.payload import KEY_FIELD, REPORT_FIELD, VAT_GROUPS, body_json, checked, document, resource
from integrations.sap.port import Posting, SapInvoice, SapRefusedError, SapUnavailableError


def sap_json(invoice: SapInvoice, vat_groups: Mapping[int, str] = VAT_GROUPS) -> bytes:
    """The content of `sap/<number>.json`: the same invoice gives the same bytes. Raises: SapRefusedError."""
    invoice = checked(invoice)
    body = {
        "number": invoice.number,
        "kind": invoice.kind.value,
        "key": invoice.key,
        "card_code": invoice.card_code or None,
        "customer": invoice.customer_name,
        "issued_on": invoice.issued_on.isoformat(),
        "supplied_until": invoice.supplied_until.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "month": invoice.month,
        "report": invoice.report_id or None,
        "cancels": invoice.cancels or None,
        "ship_to": invoice.ship_to or None,
        "mandate_reference": invoice.mandate_reference or None,
        "currency": "EUR",
        "net": f"{invoice.net:.2f}",
        "vat": f"{invoice.vat:.2f}",
        "gross": f"{invoice.gross:.2f}",
        "lines": [
            {
                "text": line.text,
                "net": f"{line.net:.2f}",
                "vat_rate": f"{line.vat_rate.normalize():f}",
                "account": line.account,
                "cost_centre": line.cost_centre or None,
            }
            for line in invoice.lines
        ],
        "service_layer": {
            "resource": resource(invoice.kind),
            "body": json.loads(body_json(document(invoice, vat_groups))),
        },
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode() + b"\n"


class FilesBook:
    """`<folder>/<number>.json`, written once; the next system takes them from there."""

    def __init__(self, folder: Path, vat_groups: Mapping[int, str] = VAT_GROUPS) -> None:
        self._folder = folder
        self._vat_groups = vat_groups

    def post(self, invoice: SapInvoice) -> Posting:
        """Write the file; one with the same content counts as posted before, one with another is refused."""
        path, content = self._path(invoice), sap_json(invoice, self._vat_groups)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            found = not _link_new(path, content)
            held = path.read_bytes() if found else content
        except OSError as fault:
            raise SapUnavailableError(f"SAP-Ordner {self._folder}: {fault.strerror}; bitte Platz und Rechte prüfen.") from fault
        if held != content:
            raise SapRefusedError(f"SAP-Datei {path.name}: liegt schon mit anderem Inhalt dort; bitte die Ursache klären.")
        return Posting(invoice.key, invoice.number, path.name, 0, found)

    def find(self, invoice: SapInvoice) -> Posting | None:
        path = self._path(invoice)
        return Posting(invoice.key, invoice.number, path.name, 0, found=True) if path.exists() else None

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, invoice: SapInvoice) -> Path:
        number = invoice.number
        if not number or not all(c.isascii() and (c.isalnum() or c in "-_") for c in number):
            raise SapRefusedError(
                f"Rechnung {number!r}: diese Nummer ist kein Dateiname; die SAP-Übergabe in Dateien braucht unsere Nummer."
            )
        return self._folder / f"{number}.json"


def _link_new(path: Path, content: bytes) -> bool:
    passing = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        passing.write_bytes(content)
        os.link(passing, path)
    except FileExistsError:
        return False
    finally:
        passing.unlink(missing_ok=True)
    return True


_HEAD = {
    "DocNum": "DocNum",
    "DocType": "DocType",
    "DocDate": "DocDate",
    "TaxDate": "TaxDate",
    "DocDueDate": "DocDueDate",
    "CardCode": "CardCode",
    "NumAtCard": "NumAtCard",
    "Comments": "Comments",
    "JournalMemo": "JrnlMemo",
    "ShipToCode": "ShipToCode",
    KEY_FIELD: KEY_FIELD,
    REPORT_FIELD: REPORT_FIELD,
}
_LINE = {
    "ParentKey": "DocNum",
    "LineNum": "LineNum",
    "ItemDescription": "Dscription",
    "AccountCode": "AcctCode",
    "VatGroup": "VatGroup",
    "LineTotal": "LineTotal",
    "CostingCode": "OcrCode",
}


def dtw_files(invoices: Sequence[SapInvoice], vat_groups: Mapping[int, str] = VAT_GROUPS) -> dict[str, bytes]:
    """Head and line table per kind of document for the Data Transfer Workbench: two title rows, linked by a running number."""
    files: dict[str, bytes] = {}
    for name in ("Invoices", "CreditNotes"):
        bodies = [document(checked(i), vat_groups) for i in invoices if resource(i.kind) == name]
        if bodies:
            heads = [{**body, "DocNum": n, **_plain_dates(body)} for n, body in enumerate(bodies, start=1)]
            lines = [
                {**line, "ParentKey": n, "LineNum": at, "LineTotal": f"{line['LineTotal']:.2f}"}
                for n, body in enumerate(bodies, start=1)
                for at, line in enumerate(body["DocumentLines"])
            ]
            files[f"{name}_Documents.csv"] = _table(_HEAD, heads)
            files[f"{name}_Document_Lines.csv"] = _table(_LINE, lines)
    return files


def _plain_dates(body: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(body[name]).replace("-", "") for name in ("DocDate", "TaxDate", "DocDueDate")}


def _table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([columns.keys(), columns.values()])
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return out.getvalue().encode("utf-8-sig")
