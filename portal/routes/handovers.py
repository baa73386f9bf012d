"""Übergabe: SAP documents with state, error and retry; DATEV files; the letters to print."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from actions.billing import corrections, handover
from kit.errors import NotFoundError
from models.handover import PostalBatch
from portal.pages import Crumb, go, page
from portal.queries import billing, people
from portal.routes.runs import Monat, See, crumbs, released
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/abrechnung/{month}/uebergabe")
HandOver = Annotated[Person, Depends(need("abrechnung.uebergeben"))]


@router.get("")
def show(request: Request, person: See, session: StaffSession, month: Monat, *, seite: int = 1, stand: str = "") -> Response:
    """What went where."""
    run = released(session, month)
    return page(
        request,
        "handover.html",
        crumbs=crumbs(month, Crumb("Übergabe")),
        run=run,
        names=people.names(session),
        month=month,
        over=billing.hand_overs(session, run.id),
        sap=billing.sap_documents(session, run.id, seite, stand),
        query={"stand": stand},
        may_retry=person.may("abrechnung.uebergeben"),
    )


@router.post("/erneut")
def retry(request: Request, person: HandOver, session: StaffSession, month: Monat) -> Response:
    """Try what is not handed over yet; what SAP has already is found there and not posted again."""
    del person
    released(session, month)
    corrections.visit_again(session, str(month), f"portal:{secrets.token_hex(6)}")
    return go(request, f"/abrechnung/{month}/uebergabe", "Die Übergabe wird erneut versucht.")


@router.post("/post/{batch_id}/gedruckt")
def printed(request: Request, person: HandOver, session: StaffSession, month: Monat, batch_id: int) -> Response:
    """The letters are on their way: the invoices count as sent."""
    run = released(session, month)
    batch = session.get(PostalBatch, batch_id)
    if batch is None or batch.run_id != run.id:
        raise NotFoundError(f"Postausgang {batch_id}: gibt es in diesem Monat nicht.")
    count = handover.mark_printed(session, batch_id, person.actor)
    return go(request, f"/abrechnung/{month}/uebergabe", f"{count} Briefe sind als versendet vermerkt.")
