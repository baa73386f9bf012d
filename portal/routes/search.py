"""Suche: from a number that somebody reads out, or a name, to the thing itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from portal.pages import Crumb, page
from portal.queries import search
from portal.security.person import Person, StaffSession, need

router = APIRouter()
SHORTEST = 2


@router.get("/suche")
def find(
    request: Request, person: Annotated[Person, Depends(need("uebersicht.sehen"))], session: StaffSession, q: str = ""
) -> Response:
    """What was found; a single exact hit is opened at once."""
    text = " ".join(q.split())[:100]
    groups = search.found(session, person, text) if len(text) >= SHORTEST else []
    if (hit := search.exact(groups, text)) is not None:
        return RedirectResponse(hit.path, 303)
    return page(request, "search.html", crumbs=(Crumb("Suche"),), groups=groups, text=text, too_short=0 < len(text) < SHORTEST)
