"""Suche: from a number that somebody reads out to the thing itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from portal.pages import Crumb, page
from portal.queries import search
from portal.security.person import Person, StaffSession, need

router = APIRouter()


@router.get("/suche")
def find(
    request: Request, person: Annotated[Person, Depends(need("uebersicht.sehen"))], session: StaffSession, q: str = ""
) -> Response:
    """What was found; a single exact hit is opened at once."""
    text = q.strip()[:100]
    hits = search.found(session, person, text) if len(text) >= 2 else []
    exact = [hit for hit in hits if hit.number.casefold() == text.casefold()]
    if len(exact) == 1:
        return RedirectResponse(exact[0].path, 303)
    return page(request, "search.html", crumbs=(Crumb("Suche"),), hits=hits, text=text)
