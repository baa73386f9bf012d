"""Error pages: German, with a way on, without internals; the incident's number finds the entry in the log.

A machine (`/api/`) gets the same sentence as JSON.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from actions.uploads import UploadLimitError
from integrations.clamd import InfectedError, ScannerAwayError
from kit import clock
from kit.database import DatabaseNotRunningError
from kit.errors import AwayError, DrehkreuzError, NotFoundError
from kit.log import one_line
from portal.forms import german
from portal.kept import Typed, typed
from portal.pages import page
from portal.security import events, watch
from portal.security.person import NotAllowedError, SecondFactorRequiredError, SignInRequiredError

log = logging.getLogger("portal")


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What a person reads: what happened, what to do."""

    title: str
    text: str


TEXTS = {
    400: ErrorText(
        "Anfrage nicht lesbar",
        "Der Browser hat etwas geschickt, das sich nicht lesen lässt. Bitte versuchen Sie es noch einmal.",
    ),
    401: ErrorText(
        "Ihre Anmeldung ist abgelaufen",
        "Das geschieht nach vier Stunden ohne Tätigkeit, nach zwölf Stunden und wenn Sie sich anderswo abmelden. Gespeichert "
        "ist noch nichts, verloren auch nicht: Bitte melden Sie sich in einem neuen Fenster an und senden Sie dann hier noch "
        "einmal.",
    ),
    403: ErrorText(
        "Kein Zugriff",
        "Für diese Seite oder Handlung fehlt Ihnen die Berechtigung. Wer sie vergeben darf, sagt Ihnen die Serviceleitung.",
    ),
    404: ErrorText("Nicht gefunden", "Diese Seite gibt es nicht, oder sie gehört nicht zu dem, was Sie sehen dürfen."),
    405: ErrorText(
        "So nicht möglich",
        "Diese Adresse lässt sich auf diese Weise nicht aufrufen. Bitte gehen Sie zurück und nutzen Sie die Knöpfe der Seite.",
    ),
    409: ErrorText("Das passt so nicht mehr", "Der Stand hat sich geändert. Bitte laden Sie die Seite neu und prüfen Sie ihn."),
    413: ErrorText(
        "Zu groß", "Die übertragenen Daten sind größer als 30 MB. Bitte verkleinern Sie die Datei oder teilen Sie sie auf."
    ),
    422: ErrorText(
        "Angaben passen nicht", "Die Angaben der Seite passen nicht zusammen. Bitte gehen Sie zurück und prüfen Sie sie."
    ),
    429: ErrorText("Einen Augenblick bitte", "Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal."),
    500: ErrorText(
        "Das hat nicht geklappt",
        "Bei uns ist etwas schiefgegangen, nicht bei Ihnen. Bitte versuchen Sie es noch einmal.",
    ),
    503: ErrorText(
        "Gerade nicht erreichbar", "Die Datenbank antwortet nicht. Bitte versuchen Sie es in einigen Minuten noch einmal."
    ),
}

UNSAVED = "Ihre Eingaben sind nicht gespeichert."

API_TEXTS = {
    404: "Diese Adresse gibt es nicht.",
    405: "Diese Adresse lässt sich auf diese Weise nicht aufrufen.",
    422: "Eine Angabe im Kopf oder in der Adresse passt nicht (Idempotency-Key höchstens 200 Zeichen).",
    500: "Bei uns ist etwas schiefgegangen. Bitte mit demselben Idempotency-Key noch einmal senden.",
}


def error_page(request: Request, status: int, text: str = "", kept: Typed | None = None, title: str = "") -> Response:
    """The page for this status; `text` and `title` replace the general ones, `kept` is what the person may send again."""
    known = TEXTS.get(status) or TEXTS[500 if status >= 500 else 400]
    if request.url.path.startswith("/api/"):
        incident = getattr(request.state, "incident", "")
        return JSONResponse(
            {"error": text or API_TEXTS.get(status, known.text)} | ({"incident": incident} if incident else {}), status
        )
    reading = request.method in ("GET", "HEAD")
    if status >= 500 and not reading and not text and kept is None:
        text = f"{known.text} {UNSAVED}"
    return page(
        request,
        "error.html",
        status_code=status,
        status=status,
        title=title or known.title,
        text=text or known.text,
        incident=getattr(request.state, "incident", ""),
        kept=kept,
        back=_came_from(request),
        again=_same_page(request) if reading and status >= 500 else "",
    )


def _came_from(request: Request) -> str:
    """The page of ours that led here, so that one gets back to one's work; empty when there is none or it is this one."""
    came = urlsplit(request.headers.get("referer", ""))
    path = f"/{came.path.lstrip('/')}" + (f"?{came.query}" if came.query else "")
    ours = came.netloc == request.headers.get("host") and came.path not in {"", "/", request.url.path, "/anmelden"}
    return path if ours and path.isprintable() and "\\" not in path else ""


def _same_page(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/{quote(request.url.path.lstrip('/'))}{query}"  # never "//host": that would lead elsewhere


def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this type
    response = error_page(request, fault.status_code)
    for name, value in (fault.headers or {}).items():
        response.headers[name] = value
    return response


def _invalid(request: Request, fault: Exception) -> Response:
    """A value in the address that is none of its kind: in the path there is nothing by that name, else it is named."""
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this type
    if request.url.path.startswith("/api/"):
        return error_page(request, 422)
    wrong = fault.errors()
    if any(error["loc"][0] == "path" for error in wrong):
        return error_page(request, 404)
    named = "\n".join(f"»{error['loc'][-1]}={str(error['input'])[:60]}«: {german(error)}" for error in wrong)
    return error_page(
        request, 422, f"In der Adresse der Seite passt etwas nicht.\n{named}\nBitte berichtigen Sie sie oder gehen Sie zurück."
    )


async def _refused(request: Request, fault: Exception) -> Response:
    """A refusal of an action that no route has turned into a message of its own. What was typed stays to be read and copied."""
    if isinstance(fault, NotFoundError):
        await run_in_threadpool(watch.refused, request)
        return error_page(request, 404, str(fault), kept=await typed(request))
    return error_page(request, 409, str(fault), kept=await typed(request))


def _no_such_value(request: Request, fault: Exception) -> Response:
    """A value that no column can hold, as a number beyond all numbers or a text with a zero byte: nothing by that name."""
    log.info("Vorfall %s: %s", getattr(request.state, "incident", ""), type(getattr(fault, "orig", fault)).__name__)
    return error_page(request, 404 if request.method in {"GET", "HEAD"} else 400)


async def _unreachable(request: Request, fault: Exception) -> Response:
    """The database is away, or all its connections are taken."""
    log.error("Vorfall %s: Datenbank nicht erreichbar", getattr(request.state, "incident", ""), exc_info=fault)
    response = error_page(request, 503, kept=await typed(request))
    response.headers["retry-after"] = "60"
    return response


def _infected(request: Request, fault: Exception) -> Response:
    """An upload in which the virus check found something: refused, and noted with who sent it."""
    person = getattr(request.state, "person", None)
    address = request.client.host if request.client else ""
    events.note(one_line(f"Schadcode abgelehnt: {fault}"), address=address, login=person and person.login_id, refused=True)
    return error_page(request, 422, str(fault))


async def _uploads_full(request: Request, fault: Exception) -> Response:
    """Enough for today: what was typed beside the files can be sent without them."""
    person = getattr(request.state, "person", None)
    events.note(
        "Grenze der Uploads erreicht", address=watch.address_of(request), login=person and person.login_id, refused=True
    )
    response = error_page(request, 429, str(fault), kept=await typed(request), title="Für heute ist es genug")
    tomorrow = clock.at_local(clock.today() + dt.timedelta(days=1))
    response.headers["retry-after"] = str(int((tomorrow - clock.now()).total_seconds()))
    return response


async def _unchecked(request: Request, fault: Exception) -> Response:
    """The virus check is away: nothing is kept unchecked, what was typed can be sent again."""
    log.error("Vorfall %s: %s", getattr(request.state, "incident", ""), one_line(str(fault)))
    response = error_page(request, 503, str(fault), kept=await typed(request))
    response.headers["retry-after"] = "60"
    return response


async def _away(request: Request, fault: Exception) -> Response:
    """The store of the documents does not answer; where it lies stands in the log alone."""
    log.error("Vorfall %s: %s", getattr(request.state, "incident", ""), one_line(str(fault)))
    text = "Der Speicher der Belege antwortet nicht. Bitte versuchen Sie es in einigen Minuten noch einmal."
    response = error_page(request, 503, text, kept=await typed(request))
    response.headers["retry-after"] = "60"
    return response


def _not_allowed(request: Request, _fault: Exception) -> Response:
    person = getattr(request.state, "person", None)
    login = person.login_id if person is not None else "?"
    log.warning("Zugriff verweigert: Zugang %s, %s %s", login, request.method, one_line(request.url.path))
    watch.refused(request)
    return error_page(request, 403)


def _go_to(request: Request, target: str) -> Response:
    """Send the whole browser there, also when only a part of a page was asked for."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"hx-redirect": target})
    return RedirectResponse(target, 303)


async def _sign_in(request: Request, _fault: Exception) -> Response:
    """To the sign-in; whoever has just typed something keeps it."""
    if request.headers.get("hx-request") != "true" and (kept := await typed(request)) is not None:
        return error_page(request, 401, kept=kept)
    if request.method not in {"GET", "HEAD"} or request.url.path == "/":
        return _go_to(request, "/anmelden")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("hx-request") == "true":
        return _go_to(request, "/anmelden")
    return _go_to(request, f"/anmelden?weiter={quote(wanted, safe='/')}")


def _second_factor(request: Request, _fault: Exception) -> Response:
    return _go_to(request, "/zweiter-faktor")


def install(app: FastAPI) -> None:
    """Put the handlers on the application. What none of them knows ends at the edge as 500."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DrehkreuzError, _refused)
    app.add_exception_handler(AwayError, _away)
    app.add_exception_handler(InfectedError, _infected)
    app.add_exception_handler(ScannerAwayError, _unchecked)
    app.add_exception_handler(UploadLimitError, _uploads_full)
    app.add_exception_handler(DatabaseNotRunningError, _unreachable)
    app.add_exception_handler(OperationalError, _unreachable)
    app.add_exception_handler(DataError, _no_such_value)
    app.add_exception_handler(PoolTimeoutError, _unreachable)
    app.add_exception_handler(NotAllowedError, _not_allowed)
    app.add_exception_handler(SignInRequiredError, _sign_in)
    app.add_exception_handler(SecondFactorRequiredError, _second_factor)
