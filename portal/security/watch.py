"""What the portal notes of who reads what, and what stands out about it (ASVS 8.3.5, 11.1.7; `actions/access_log.py`)."""

import hashlib
import logging
import secrets
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from actions import access_log
from actions.access_log import Reader
from kit.database import Role, unit_of_work
from models.watching import AccessKind
from portal.security import cookies, events
from portal.security.person import Person, StaffSession, signed_in
from portal.security.signin import ACTOR

log = logging.getLogger("portal")


def address_of(request: Request) -> str:
    """The peer's address (behind a proxy uvicorn has put the real one there)."""
    return request.client.host if request.client else "unknown"


def browser_name(user_agent: str | None) -> str:
    """Browser and system as a person would say them."""
    text = user_agent or ""
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in text), "Unbekannter Browser")
    system = next((name for mark, name in systems if mark in text), "")
    return f"{browser} auf {system}" if system else browser


class reads:  # noqa: N801 - reads as a word in the decorator of a route
    """Dependency of a route that shows something confidential: who has got it is noted in the same transaction.

    `@router.get("/archiv/…", dependencies=[reads.noted(AccessKind.DOCUMENT)])`. What was not found or refused was not read.
    """

    def __init__(self, kind: AccessKind) -> None:
        self.kind = kind

    def __call__(
        self, request: Request, person: Annotated[Person, Depends(signed_in)], session: StaffSession
    ) -> Iterator[None]:
        """Wait for the page, then note it."""
        yield
        reader = Reader(person.login_id, person.actor, address_of(request))
        _say(access_log.read(session, reader, self.kind, request.url.path), reader)

    @classmethod
    def noted(cls, kind: AccessKind) -> Any:
        """The dependency as FastAPI takes it: it ends before the transaction does."""
        return Depends(cls(kind), scope="function")


def refused(request: Request) -> None:
    """Somebody who is signed in was turned away. A fault in noting it never hides the refusal."""
    person: Person | None = getattr(request.state, "person", None)
    if person is None:
        return
    reader = Reader(person.login_id, person.actor, address_of(request))
    try:
        with unit_of_work(person.actor, Role.PORTAL_STAFF) as session:
            told = access_log.refused(session, reader, f"{request.method} {request.url.path}")
    except SQLAlchemyError:
        log.exception("Ein abgewiesener Zugriff ist nicht vermerkt")
        return
    _say(told, reader)


def arrived(request: Request, response: Response, login_id: int, actor: str) -> None:
    """Somebody has wholly signed in with this browser: note it, and mark the browser."""
    mark = cookies.read_mark(request) or secrets.token_urlsafe(16)
    reader = Reader(login_id, actor, address_of(request))
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        device = browser_name(request.headers.get("user-agent"))
        told = access_log.signed_in(session, reader, device, hashlib.sha256(mark.encode()).hexdigest())
    _say(told, reader)
    cookies.set_mark(request, response, mark)


def locked_out(email: str, origin: str) -> None:
    """An account or an address is locked after too many failures."""
    with unit_of_work(ACTOR, Role.PORTAL_STAFF) as session:
        access_log.locked_out(session, email, origin)


def _say(told: str | None, reader: Reader) -> None:
    if told is not None:
        events.note("Auffälliger Zugriff", address=reader.origin, login=reader.login_id, refused=True)
