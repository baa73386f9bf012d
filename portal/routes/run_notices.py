"""Auffällige Läufe: what Prefect's automations tell (`POST /api/run-notices`), and the page where people see it."""

import datetime as dt
import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from actions import run_notices as action
from kit.database import Role, unit_of_work
from kit.errors import NotFoundError
from kit.log import one_line
from models.plumbing import RunTrouble
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import run_notices
from portal.security.person import Person, StaffSession, need, public

log = logging.getLogger("portal")

router = APIRouter()
NAV = (
    NavEntry(Section.ADMINISTRATION, "Auffällige Läufe", "/verwaltung/laeufe", "alert-triangle", ("betrieb.laeufe",), order=60),
)
See = Annotated[Person, Depends(need("betrieb.laeufe"))]
LIST = Crumb("Auffällige Läufe", "/verwaltung/laeufe")

RESOURCE = "prefect.flow-run."
"""How Prefect's events name a run."""


class Telling(BaseModel):
    """The body that the automations send; everything but the run itself may be unknown to them."""

    trouble: RunTrouble
    run: str = Field(pattern=r"^prefect\.flow-run\.[0-9a-fA-F-]{36}$")
    flow: str = ""
    name: str = ""
    message: str = ""
    occurred: AwareDatetime


async def _body(request: Request) -> bytes:
    return await request.body()


def _known(authorization: Annotated[str, Header()] = "") -> bool:
    return hmac.compare_digest(authorization.encode(), f"Bearer {action.secret()}".encode())


@router.post("/api/run-notices")
@public
def tell(known: Annotated[bool, Depends(_known)], raw: Annotated[bytes, Depends(_body)]) -> JSONResponse:
    """201 noted, 200 known already; 401 without the secret of the house."""
    if not known:
        return JSONResponse({"error": "Dieses Kennwort gilt hier nicht."}, 401)
    try:
        told = Telling.model_validate_json(raw)
    except ValidationError as fault:
        log.warning(
            "Meldung über einen Lauf nicht zu lesen: %s: %s", fault.errors(include_url=False), one_line(repr(raw[:2000]))
        )
        return JSONResponse({"error": "Diese Meldung ist nicht zu lesen; sie steht im Protokoll des Portals."}, 422)
    with unit_of_work("prefect", Role.PORTAL_STAFF) as session:
        new = action.tell(
            session,
            action.Told(
                flow_run_id=told.run.removeprefix(RESOURCE),
                trouble=told.trouble,
                flow=told.flow,
                run_name=told.name,
                message=told.message,
                occurred_at=told.occurred.astimezone(dt.UTC),
            ),
        )
    return JSONResponse({"new": new}, 201 if new else 200)


@router.get("/verwaltung/laeufe")
def list_notices(request: Request, person: See, session: StaffSession, seite: int = 1, erledigt: str = "") -> Response:
    """What still stands, or what is settled."""
    del person
    return page(
        request,
        "run_notices.html",
        crumbs=(LIST,),
        closed=bool(erledigt),
        notices=run_notices.notices(session, seite, closed=bool(erledigt)),
        query={"erledigt": erledigt},
    )


@router.post("/verwaltung/laeufe/{notice_id}/erledigt")
def settle(request: Request, person: See, session: StaffSession, notice_id: int) -> Response:
    """A person has looked."""
    name = run_notices.name_of(session, notice_id)
    if name is None:
        raise NotFoundError(f"Auffälliger Lauf {notice_id}: gibt es nicht.")
    action.settle(session, notice_id, person.actor)
    return go(request, "/verwaltung/laeufe", f"{name} ist erledigt.")
