"""Auffällige Zugriffe, and the log of who read what is confidential."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from actions import access_log
from kit.errors import NotFoundError
from kit.settings import settings
from models.watching import AccessKind, AccessNotice
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import accesses
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/verwaltung/zugriffe")
HOME = "/verwaltung/zugriffe"
NAV = (NavEntry(Section.ADMINISTRATION, "Auffällige Zugriffe", HOME, "eye", ("verwaltung.zugriffe",), order=70),)
See = Annotated[Person, Depends(need("verwaltung.zugriffe"))]
LIST = Crumb("Auffällige Zugriffe", HOME)


@router.get("")
def list_notices(request: Request, person: See, session: StaffSession, seite: int = 1, erledigt: str = "") -> Response:
    """What somebody should look at, or what was looked at."""
    del person
    return page(
        request,
        "access_notices.html",
        crumbs=(LIST,),
        closed=bool(erledigt),
        notices=accesses.notices(session, seite, closed=bool(erledigt)),
        query={"erledigt": erledigt},
    )


@router.post("/{notice_id}/erledigt")
def settle(request: Request, person: See, session: StaffSession, notice_id: int) -> Response:
    """A person has looked. Who is meant may not settle it: somebody else has to look."""
    notice = session.get(AccessNotice, notice_id)
    if notice is None:
        raise NotFoundError(f"Auffälliger Zugriff {notice_id}: gibt es nicht.")
    if notice.login_id == person.login_id:
        return go(request, HOME, "Das betrifft Ihren eigenen Zugang: Bitte lassen Sie jemand anderen nachsehen.", "warning")
    access_log.settle(session, notice_id, person.actor)
    return go(request, HOME, "Der Zugriff ist als angesehen vermerkt.")


@router.get("/protokoll", dependencies=[reads.noted(AccessKind.STAFF_LIST)])
def list_entries(
    request: Request, person: See, session: StaffSession, *, seite: int = 1, suche: str = "", art: str = ""
) -> Response:
    """Who read what, signed in or was refused."""
    del person
    return page(
        request,
        "access_entries.html",
        crumbs=(LIST, Crumb("Protokoll")),
        entries=accesses.entries(session, seite, suche, art),
        kinds=list(AccessKind),
        days=settings().access_log_days,
        query={"suche": suche, "art": art},
    )
