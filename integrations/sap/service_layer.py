"""SAP Business One over its Service Layer (OData v4, `/b1s/v2`).

SAP has no idempotency key. So every document carries our key in a field of its own; before each post we look it up, and when
an answer is lost we look it up instead of asking again. One worker per company posts at a time (the caller holds a lock).
"""

import contextlib
import datetime as dt
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal, Self

import httpx

from integrations.sap.payload import KEY_FIELD, VAT_GROUPS, body_json, checked, document, resource
from integrations.sap.port import (
    Posting,
    SapInvoice,
    SapKind,
    SapLoginError,
    SapRefusedError,
    SapTotalsError,
    SapUnavailableError,
)

_SELECT = "DocEntry,DocNum,DocDate,NumAtCard,CardCode,DocTotal,VatSum,Cancelled,CancelStatus"
_PASSING = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ServiceLayer:
    """Where SAP is and how this house uses it.

    `key_field` "" means that the company has no field of ours: documents are then found by customer and our number.
    `storno`: a whole cancellation as a credit note that carries our Storno number, or as SAP's own cancellation.
    """

    url: str
    company: str
    user: str
    password: str = field(repr=False)
    timeout: float = 60.0
    ca_file: str = ""
    vat_groups: Mapping[int, str] = field(default_factory=lambda: dict(VAT_GROUPS))
    key_field: str = KEY_FIELD
    storno: Literal["credit_note", "cancel"] = "credit_note"


class _LostAnswerError(Exception):
    """The request left, the answer never came: done or not, only a look can tell."""


class ServiceLayerBook:
    """See `InvoiceBook`. Logs in at the first call, again when the session has ended, out at `close`."""

    def __init__(self, sap: ServiceLayer) -> None:
        self._sap = sap
        base = sap.url.rstrip("/")
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=sap.ca_file) if sap.ca_file else True
        self._http = httpx.Client(base_url=base if "/b1s/" in base else f"{base}/b1s/v2", timeout=sap.timeout, verify=verify)
        self._logged_in = False

    def post(self, invoice: SapInvoice) -> Posting:
        """Look up, and post what is not there; SAP's totals are compared with ours in either case."""
        invoice = self._ready(invoice)
        if found := self.find(invoice):
            return found
        if invoice.kind is SapKind.CANCELLATION and self._sap.storno == "cancel":
            return self._cancel(invoice)
        try:
            answer = self._request("POST", f"/{resource(invoice.kind)}", self._body(invoice))
        except _LostAnswerError as lost:
            if found := self.find(invoice):
                return replace(found, found=False)
            raise self._unknown(invoice, lost) from lost
        return self._posting(invoice, answer, found=False)

    def find(self, invoice: SapInvoice) -> Posting | None:
        """The document with our key, if SAP has it. Raises: SapTotalsError when it says other amounts."""
        if invoice.kind is SapKind.CANCELLATION and self._sap.storno == "cancel":
            original = self._original(invoice)
            return self._posting(invoice, original, found=True) if original.get("Cancelled") == "tYES" else None
        rows = self._look_up(resource(invoice.kind), invoice.key, invoice.number, invoice.card_code)
        return self._posting(invoice, rows[0], found=True) if rows else None

    def close(self) -> None:
        """Log out, so that SAP does not hold a licence until its time-out."""
        if self._logged_in:
            with contextlib.suppress(httpx.HTTPError):  # SAP ends the session by itself
                self._http.post("/Logout")
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self, invoice: SapInvoice) -> SapInvoice:
        if not invoice.card_code:
            raise SapRefusedError(f"Rechnung {invoice.number}: die SAP-Kundennummer fehlt; bitte beim Kunden eintragen.")
        if not invoice.number and not self._sap.key_field:
            raise SapRefusedError("Rechnung ohne eigene Nummer: dafür braucht SAP unser Schlüsselfeld, bitte anlegen.")
        return checked(invoice)

    def _body(self, invoice: SapInvoice) -> dict[str, Any]:
        body = document(invoice, self._sap.vat_groups, self._sap.key_field)
        if invoice.kind is SapKind.CANCELLATION:
            entry = self._original(invoice)["DocEntry"]
            body["DocumentLines"] = [
                {"BaseType": 13, "BaseEntry": entry, "BaseLine": at} for at in range(len(body["DocumentLines"]))
            ]
        return body

    def _cancel(self, invoice: SapInvoice) -> Posting:
        entry = self._original(invoice)["DocEntry"]
        try:
            self._request("POST", f"/Invoices({entry})/Cancel", {})
        except _LostAnswerError as lost:
            if found := self.find(invoice):
                return replace(found, found=False)
            raise self._unknown(invoice, lost) from lost
        return self._posting(invoice, self._original(invoice), found=False)

    def _original(self, invoice: SapInvoice) -> Mapping[str, Any]:
        rows = self._look_up("Invoices", invoice.cancels_key, invoice.cancels, invoice.card_code)
        if not rows:
            raise SapRefusedError(
                f"Storno {invoice.number}: die Rechnung {invoice.cancels} ist nicht in SAP; bitte sie zuerst übergeben."
            )
        return rows[0]

    def _look_up(self, collection: str, key: str, number: str, card_code: str) -> list[Mapping[str, Any]]:
        name = self._sap.key_field
        by_number = f"NumAtCard eq {_quoted(number)} and CardCode eq {_quoted(card_code)}"
        query = {"$filter": f"{name} eq {_quoted(key)}" if name else by_number, "$select": _SELECT}
        try:
            answer = self._request("GET", f"/{collection}", query)
        except _LostAnswerError as lost:
            raise self._later(str(lost)) from lost
        # SAP's own cancellation document copies our fields from the invoice it cancels
        rows = [row for row in answer.get("value", []) if row.get("CancelStatus") != "csCancellation"]
        if len(rows) > 1:
            listed = ", ".join(str(row.get("DocNum")) for row in rows)
            raise SapRefusedError(f"Rechnung {number}: SAP hat dazu mehrere Belege ({listed}); bitte in SAP bereinigen.")
        return rows

    def _posting(self, invoice: SapInvoice, row: Mapping[str, Any], *, found: bool) -> Posting:
        try:
            gross, vat = Decimal(row["DocTotal"]), Decimal(row["VatSum"])
            entry, shown = int(row["DocEntry"]), str(row["DocNum"])
            day = dt.date.fromisoformat(str(row["DocDate"])[:10]) if row.get("DocDate") else None
        except (KeyError, TypeError, ArithmeticError, ValueError) as fault:
            raise SapUnavailableError(
                f"SAP {self._sap.url}: unverständliche Antwort zu {invoice.number} ({fault!r})."
            ) from fault
        if (gross, vat) != (invoice.gross, invoice.vat):
            raise SapTotalsError(
                f"Rechnung {invoice.number or shown}: SAP-Beleg {shown} lautet auf {gross} EUR (Steuer {vat}), unsere Rechnung "
                f"auf {invoice.gross} EUR (Steuer {invoice.vat}); bitte Steuergruppe und Rundung in SAP prüfen und berichtigen."
            )
        return Posting(invoice.key, invoice.number or shown, shown, entry, found, day)

    def _unknown(self, invoice: SapInvoice, lost: _LostAnswerError) -> SapUnavailableError:
        place = f"Rechnung {invoice.number or invoice.key}"
        return SapUnavailableError(f"{place}: {lost}; SAP zeigt noch keinen Beleg, der nächste Lauf sieht zuerst wieder nach.")

    def _later(self, why: str) -> SapUnavailableError:
        return SapUnavailableError(f"SAP {self._sap.url}: {why}; wird später erneut versucht.")

    def _request(self, method: str, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """One call, with a login before it where needed. Raises: _LostAnswerError when the outcome is open."""
        if not self._logged_in:
            self._login()
        response = self._send(method, path, content)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._login()
            response = self._send(method, path, content)
        if not response.is_success:
            raise self._refusal(response, path)
        return _parsed(response)

    def _send(self, method: str, path: str, content: Mapping[str, Any]) -> httpx.Response:
        json_type = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            if method == "GET":
                return self._http.get(path, params=dict(content))
            return self._http.request(method, path, content=body_json(content), headers=json_type)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as fault:
            raise SapUnavailableError(
                f"SAP {self._sap.url}: nicht erreichbar ({fault}); wird später erneut versucht."
            ) from fault
        except httpx.HTTPError as fault:
            raise _LostAnswerError(f"die Antwort blieb aus ({fault})") from fault

    def _login(self) -> None:
        sap = self._sap
        self._http.cookies.clear()
        self._logged_in = False
        try:
            response = self._send("POST", "/Login", {"CompanyDB": sap.company, "UserName": sap.user, "Password": sap.password})
        except _LostAnswerError as lost:
            raise self._later(str(lost)) from lost
        if not response.is_success:
            code, text = _fault(response)
            if response.status_code in _PASSING or response.is_server_error:
                raise SapUnavailableError(
                    f"SAP {sap.url}: Anmeldung nicht möglich ({code} {text}); wird später erneut versucht."
                )
            raise SapLoginError(
                f"SAP {sap.url}: Anmeldung von {sap.user} an {sap.company} abgelehnt ({code} {text}); "
                "bitte DREHKREUZ_SAP_COMPANY, DREHKREUZ_SAP_USER und DREHKREUZ_SAP_PASSWORD prüfen."
            )
        self._logged_in = True

    def _refusal(self, response: httpx.Response, path: str) -> Exception:
        code, text = _fault(response)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return SapLoginError(f"SAP {self._sap.url}: trotz neuer Anmeldung kein Zugriff auf {path} ({code} {text}).")
        if response.status_code in _PASSING or response.is_server_error:
            return _LostAnswerError(f"SAP antwortet mit Fehler {response.status_code} ({code} {text})")
        return SapRefusedError(
            f"SAP lehnt {path.lstrip('/')} ab: {text} (Code {code}); bitte Kunde, Konto und Steuergruppe in SAP prüfen."
        )


def _quoted(text: str) -> str:
    """A string in an OData filter."""
    return "'" + text.replace("'", "''") + "'"


def _parsed(response: httpx.Response) -> dict[str, Any]:
    if not response.content:
        return {}
    try:
        answer = json.loads(response.content, parse_float=Decimal)
    except ValueError as fault:
        raise _LostAnswerError(f"die Antwort ist kein JSON ({fault})") from fault
    return answer if isinstance(answer, dict) else {}


def _fault(response: httpx.Response) -> tuple[str, str]:
    """Code and text of an error, in the shapes of v1 and v2."""
    try:
        error = json.loads(response.content)["error"]
        message = error["message"]
        return str(error.get("code", "")), str(message["value"] if isinstance(message, dict) else message)
    except (ValueError, KeyError, TypeError):
        return str(response.status_code), response.text[:200].strip() or response.reason_phrase
