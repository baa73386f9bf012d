"""A Service Layer of SAP Business One as far as invoices need it: real HTTP on loopback, its own rules, its own faults.

It knows nothing of our code: sessions by cookie, case-sensitive paths, OData filters, rounding, cancellation documents and
credit notes behave as SAP's, errors have the texts and codes of v1 and v2. `faults` says, per coming POST of a document,
what goes wrong: "drop before" / "drop after" (commit), "503", "500 after", "not json after", "stall after", "expire".
"""

import itertools
import json
import re
import threading
import uuid
from decimal import ROUND_HALF_UP, Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

CENT = Decimal("0.01")


class _RefusedError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeServiceLayer:
    """`documents["Invoices"]` is what SAP would hold."""

    def __init__(
        self, *, version: str = "v2", faults: tuple[str, ...] = (), vat_by: str = "document", fields: bool = True
    ) -> None:
        self.version = version
        self.faults = list(faults)
        self.vat_by = vat_by
        self.vat_offset = Decimal(0)
        self.fields = {"U_DK_BillingId", "U_DK_ServiceReport"} if fields else set()
        self.login = {"CompanyDB": "RURTAL", "UserName": "drehkreuz", "Password": "geheim"}
        self.partners = {"C10023", "C10024"}
        self.accounts = {"8400", "8300", "8200"}
        self.vat_groups = {"A3": Decimal(19), "A2": Decimal(7), "A0": Decimal(0)}
        self.documents: dict[str, dict[int, dict[str, Any]]] = {"Invoices": {}, "CreditNotes": {}}
        self.sessions: set[str] = set()
        self.logins = 0
        self.requests: list[str] = []
        self._entries = itertools.count(501)
        self._numbers = itertools.count(20001)
        self._lock = threading.RLock()
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/b1s/{self.version}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def expire(self) -> None:
        self.sessions.clear()

    # --- what SAP does ------------------------------------------------------------------------------------------------

    def open_session(self, body: dict[str, Any]) -> str:
        if {k: body.get(k) for k in self.login} != self.login:
            raise _RefusedError(
                401, 100000027, "Fail to get DB Credentials from SLD" if body.get("CompanyDB") != "RURTAL" else "Login failed"
            )
        self.logins += 1
        session = str(uuid.uuid4())
        self.sessions.add(session)
        return session

    def query(self, collection: str, query: dict[str, list[str]]) -> dict[str, Any]:
        rows = list(self.documents[collection].values())
        for condition in re.split(r"\s+and\s+", query.get("$filter", [""])[0]):
            if not condition:
                continue
            found = re.fullmatch(r"(\w+) eq '((?:[^']|'')*)'", condition)
            if not found:
                raise _RefusedError(400, -1000, f"Invalid filter: {condition}")
            name, value = found[1], found[2].replace("''", "'")
            if name.startswith("U_") and name not in self.fields:
                raise _RefusedError(400, 201, f"Property '{name}' of 'Document' is invalid")
            rows = [row for row in rows if row.get(name) == value]
        names = [n for n in query.get("$select", [""])[0].split(",") if n]
        return {
            ("@odata.context" if self.version == "v2" else "odata.metadata"): f"{self.url}/$metadata#{collection}",
            "value": [{n: row.get(n) for n in names} if names else row for row in rows[:20]],
        }

    def add(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        for name in body:
            if name.startswith("U_") and name not in self.fields:
                raise _RefusedError(400, -1000, f"Property '{name}' of 'Document' is invalid")
        if body.get("CardCode") not in self.partners:
            raise _RefusedError(400, -5002, f"Invalid BP code '{body.get('CardCode')}'  [OINV.CardCode]")
        lines = body.get("DocumentLines") or []
        if not lines:
            raise _RefusedError(400, -5002, "No matching records found (ODBC -2028)")
        lines = [self._line(line, at) for at, line in enumerate(lines)]
        with self._lock:
            entry, number = next(self._entries), next(self._numbers)
            net, vat = self._sums(lines)
            row = {
                **body,
                "DocEntry": entry,
                "DocNum": number,
                "DocumentLines": lines,
                "DocTotal": float(net + vat),
                "VatSum": float(vat),
                "Cancelled": "tNO",
                "CancelStatus": "csNo",
                "DocumentStatus": "bost_Open",
            }
            self.documents[collection][entry] = row
            return row

    def _line(self, line: dict[str, Any], at: int) -> dict[str, Any]:
        if "BaseEntry" in line:
            base = self.documents["Invoices"].get(line["BaseEntry"])
            if line.get("BaseType") != 13 or base is None or base["DocumentStatus"] != "bost_Open":
                raise _RefusedError(400, -5002, "Base document is closed or does not exist  [RIN1.BaseEntry]")
            copied = base["DocumentLines"][line["BaseLine"]]
            base["DocumentStatus"] = "bost_Close" if line["BaseLine"] == len(base["DocumentLines"]) - 1 else "bost_Open"
            return {**copied, **line, "LineNum": at}
        if line.get("AccountCode") not in self.accounts:
            raise _RefusedError(400, -5002, f"Account not found: '{line.get('AccountCode')}'  [INV1.AcctCode]")
        if line.get("VatGroup") not in self.vat_groups:
            raise _RefusedError(400, -5002, f"Tax group '{line.get('VatGroup')}' not found")
        return {**line, "LineNum": at}

    def _sums(self, lines: list[dict[str, Any]]) -> tuple[Decimal, Decimal]:
        net = sum((line["LineTotal"] for line in lines), Decimal(0))
        groups: dict[Any, Decimal] = {}
        for line in lines:
            key = line["VatGroup"] if self.vat_by == "document" else (line["VatGroup"], line["LineNum"])
            groups[key] = groups.get(key, Decimal(0)) + line["LineTotal"]
        rates = {key: self.vat_groups[key if isinstance(key, str) else key[0]] for key in groups}
        vat = sum(((amount * rates[key] / 100).quantize(CENT, ROUND_HALF_UP) for key, amount in groups.items()), Decimal(0))
        return net, vat + self.vat_offset

    def cancel(self, entry: int) -> None:
        row = self.documents["Invoices"].get(entry)
        if row is None:
            raise _RefusedError(404, -2028, "No matching records found (ODBC -2028)")
        if row["Cancelled"] == "tYES" or row["DocumentStatus"] == "bost_Close":
            raise _RefusedError(400, -5006, "The requested action is not supported for this object.")
        with self._lock:
            row |= {"Cancelled": "tYES", "CancelStatus": "csYes", "DocumentStatus": "bost_Close"}
            copy = {**row, "DocEntry": next(self._entries), "DocNum": next(self._numbers), "CancelStatus": "csCancellation"}
            self.documents["Invoices"][copy["DocEntry"]] = {**copy, "Cancelled": "tYES"}


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServiceLayer
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet: without it every answer waits 40 ms for an acknowledgement

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path).removeprefix(f"/b1s/{self.fake.version}")
        self.fake.requests.append(f"{method} {path}")
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw, parse_float=Decimal, parse_int=Decimal) if raw else {}
            self._route(method, path, parse_qs(parts.query), _whole(body))
        except _RefusedError as no:
            message: Any = no.message if self.fake.version == "v2" else {"lang": "en-us", "value": no.message}
            code: Any = str(no.code) if self.fake.version == "v2" else no.code
            self._answer(no.status, {"error": {"code": code, "message": message}})
        except ValueError:
            self._answer(400, {"error": {"code": "-1000", "message": "Malformed JSON"}})

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> None:
        fake = self.fake
        if (method, path) == ("POST", "/Login"):
            session = fake.open_session(body)
            cookies = [f"B1SESSION={session}; HttpOnly; Path=/b1s/", "ROUTEID=.node1; Path=/"]
            self._answer(200, {"SessionId": session, "Version": "1000190", "SessionTimeout": 30}, cookies)
            return
        held = re.search(r"B1SESSION=([\w-]+)", self.headers.get("Cookie") or "")
        if not held or held[1] not in fake.sessions:
            raise _RefusedError(401, 301, "Invalid session or session already timeout.")
        if (method, path) == ("POST", "/Logout"):
            fake.sessions.discard(held[1])
            self._answer(204, None)
        elif found := re.fullmatch(r"/(Invoices|CreditNotes)", path):
            if method == "GET":
                self._answer(200, fake.query(found[1], query))
            else:
                self._post(found[1], body)
        elif (found := re.fullmatch(r"/Invoices\((\d+)\)/Cancel", path)) and method == "POST":
            self._with_faults(lambda: fake.cancel(int(found[1])), 204)
        elif (found := re.fullmatch(r"/(Invoices|CreditNotes)\((\d+)\)", path)) and method == "GET":
            row = fake.documents[found[1]].get(int(found[2]))
            if row is None:
                raise _RefusedError(404, -2028, "No matching records found (ODBC -2028)")
            self._answer(200, row)
        else:
            raise _RefusedError(404, -1000, f"Unrecognized resource path: {path}")

    def _post(self, collection: str, body: dict[str, Any]) -> None:
        self._with_faults(lambda: self.fake.add(collection, body), 201)

    def _with_faults(self, commit: Any, status: int) -> None:
        fault = self.fake.faults.pop(0) if self.fake.faults else ""
        if fault == "expire":
            self.fake.expire()
            raise _RefusedError(401, 301, "Invalid session or session already timeout.")
        if fault == "drop before":
            self._hang_up()
            return
        if fault == "503":
            self._raw(503, b"<html>Service Unavailable</html>")
            return
        result = commit()
        if fault == "drop after":
            self._hang_up()
        elif fault == "stall after":
            self.fake.over.wait(30)
            self._hang_up()
        elif fault == "500 after":
            raise _RefusedError(500, -1, "Internal error (-1) occurred")
        elif fault == "not json after":
            self._raw(status, b"<html>proxy</html>")
        else:
            self._answer(status, result)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, body: Any, cookies: list[str] | None = None) -> None:
        self._raw(status, b"" if body is None else json.dumps(body, default=float).encode(), cookies)

    def _raw(self, status: int, content: bytes, cookies: list[str] | None = None) -> None:
        self.send_response(status)
        for cookie in cookies or []:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _whole(value: Any) -> Any:
    """Integers as int where SAP compares entries, amounts as Decimal."""
    if isinstance(value, dict):
        return {k: int(v) if k.startswith("Base") and isinstance(v, Decimal) else _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value
