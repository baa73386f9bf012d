"""The edge of the web application: what every request passes and every answer carries, whatever a route does.

- writes from other sites are refused by what the browser says of their origin (Fetch Metadata, else Origin against Host);
- bodies end at a limit, and so does haste (`portal/pace.py`);
- an answer without cache, frame or script of others (strict Content-Security-Policy);
- whatever fails inside leaves as a page without internals, with the number under which the log has it.
"""

import datetime as dt
import logging
import re
import secrets
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import clock
from kit.log import one_line
from portal.kept import Typed, typed
from portal.pace import Pace
from portal.security import events
from portal.security.cookies import read_token

log = logging.getLogger("portal")

BODY_LIMIT = 30 * 1024 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=()",
}
CAMERA = {"permissions-policy": "geolocation=(), microphone=(), camera=(self)"}
"""For the pages that read barcodes; no other page may ask for the camera."""
WORKER = "/static/camera-worker.js"
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
"""A worker follows the policy of its own answer (CSP 3, 4.2.2), so the reader compiles without loosening any page."""
ASSETS, API = "/static/", "/api/"
TOO_MANY = 429
TOO_LARGE = 413
DRAINED = 10 * BODY_LIMIT
"""Bytes of a body that is too large which are let in and thrown away, before the connection ends."""
UNCOUNTED = (ASSETS, API, "/gesund")
YEAR = "max-age=31536000"

DEAR = re.compile(r"^/(suche|auswertung|archiv/.*|bedarf/.*\.pdf|kunden/[^/]+/statistik|abrechnung/[^/]+/vorschau)$")
"""Pages that cost more than others: searches, sums over years, papers, previews."""
CHEAP = "/staerke"
"""How good a password is, asked while it is typed: a write by its form alone."""
SMALL = 1_000_000
"""Bytes of a form that is read although it is refused, so that what was typed can be sent again."""


class ErrorPage(Protocol):
    """Builds the German page for what fails here."""

    def __call__(self, request: Request, status: int, text: str = "", kept: Typed | None = None) -> Response: ...


def same_origin(headers: Headers) -> bool:
    """Whether a write comes from our own pages: `Sec-Fetch-Site`, for old browsers and programs `Origin` against `Host`."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


class Edge:
    """Pure ASGI, around everything."""

    def __init__(self, app: ASGIApp, error_page: ErrorPage, is_secure: Callable[[Request], bool]) -> None:
        """`error_page` builds the German page for what fails here."""
        self.app = app
        self.error_page = error_page
        self.is_secure = is_secure
        self.pace = Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let lifespan pass, guard HTTP, refuse web sockets."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        scope.setdefault("state", {})["incident"] = secrets.token_hex(4).upper()
        await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(request, MutableHeaders(scope=message))
            await send(message)

        refusal = self._refusal(request)
        if refusal:
            if refusal == TOO_LARGE:
                await _drained(receive)
            answer = await self._slow(scope, receive) if refusal == TOO_MANY else self.error_page(request, refusal)
            await answer(scope, receive, dressed)
            return
        try:
            await self.app(scope, _limited(receive), dressed)
        except Exception:
            log.exception("Vorfall %s: %s %s", request.state.incident, request.method, one_line(request.url.path))
            if started:
                raise
            await self.error_page(request, 500)(scope, receive, dressed)

    async def _slow(self, scope: Scope, receive: Receive) -> Response:
        """When to go on, and what was typed, to be sent then."""
        request, seconds = Request(scope, _limited(receive)), self.pace.wait()
        small = int(request.headers.get("content-length", SMALL + 1)) <= SMALL
        at = clock.local(clock.now() + dt.timedelta(seconds=seconds))
        text = f"Von Ihrer Anmeldung kam in kurzer Zeit sehr viel. Ab {at:%H:%M:%S} Uhr (in {seconds} Sekunden) geht es weiter."
        answer = self.error_page(request, TOO_MANY, text, await typed(request) if small else None)
        answer.headers["retry-after"] = str(seconds)
        return answer

    def _refusal(self, request: Request) -> int:
        if request.method not in SAFE and not same_origin(request.headers):
            return 403
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            return TOO_LARGE
        return TOO_MANY if self._hasty(request) else 0

    def _hasty(self, request: Request) -> bool:
        if request.url.path.startswith(UNCOUNTED):
            return False
        address = request.client.host if request.client else ""
        path = request.url.path
        costly = bool(DEAR.match(path)) if request.method in SAFE else not path.endswith(CHEAP)
        hasty = self.pace.too_fast(read_token(request), address, costly=costly)
        if hasty:
            events.note("Zu viele Anfragen", address=address, refused=True)
        return hasty

    def _dress(self, request: Request, headers: MutableHeaders) -> None:
        if request.url.path.startswith(API):
            headers.setdefault("content-disposition", 'attachment; filename="antwort.json"')
        headers.setdefault("content-security-policy", WORKER_POLICY if request.url.path == WORKER else POLICY)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.is_secure(request):
            headers["strict-transport-security"] = YEAR
        if not request.url.path.startswith(ASSETS):
            headers["cache-control"] = "no-store"
        elif "v" in request.query_params:
            headers["cache-control"] = f"public, {YEAR}, immutable"


async def _drained(receive: Receive) -> None:
    """Let a body arrive that nobody reads: a browser that is cut off while sending shows an error of its own."""
    seen, more = 0, True
    while more and seen <= DRAINED:
        message = await receive()
        seen += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


def _limited(receive: Receive) -> Receive:
    """Count the body while it arrives: a missing or wrong length does not help."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BODY_LIMIT:
            raise HTTPException(413)
        return message

    return counted
