"""Korrekturen: over-bookings that a contract's rule proposes; nothing of them is billed without a decision (U6, S169)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from actions.billing import corrections
from kit.errors import ConflictError, NotFoundError
from portal.forms import Data, Form, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.paging import sliced
from portal.queries import people
from portal.routes.runs import LIST
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/abrechnung/korrekturen")
NAV = (
    NavEntry(
        Section.BILLING,
        "Überbuchungen",
        "/abrechnung/korrekturen",
        "hourglass",
        ("abrechnung.sehen", "abrechnung.korrigieren"),
        order=20,
        shortcut="k",
    ),
)
Decide = Annotated[Person, Depends(need("abrechnung.korrigieren"))]


class DecisionForm(Form):
    """Freigeben or ablehnen, with a note."""

    decision: Literal["freigeben", "ablehnen"]
    note: str = Field(default="", max_length=500)


@router.get("")
def list_proposals(
    request: Request,
    person: Annotated[Person, Depends(need("abrechnung.sehen", "abrechnung.korrigieren"))],
    session: StaffSession,
    *,
    entschieden: str = "",
    seite: int = 1,
) -> Response:
    """What waits for a decision, or what was decided."""
    found = corrections.open_proposals(session, decided=bool(entschieden))
    return page(
        request,
        "corrections.html",
        crumbs=(LIST, Crumb("Überbuchungen")),
        proposals=sliced(list(reversed(found)) if entschieden else found, seite),
        decided=bool(entschieden),
        names=people.names(session),
        may_decide=person.may("abrechnung.korrigieren"),
        query={"entschieden": entschieden},
    )


@router.post("/{proposal_id}")
def decide(request: Request, person: Decide, session: StaffSession, proposal_id: int, data: Data) -> Response:
    """Bill the missing minutes, or leave them in the balance."""
    form = filled(DecisionForm, data)
    back = "/abrechnung/korrekturen"
    if form.value is None:
        return go(request, back, "Bitte wählen Sie »Freigeben« oder »Ablehnen«.", "warning")
    if form.value.decision == "ablehnen" and not form.value.note:
        return go(request, back, "Bitte begründen Sie die Ablehnung; die Notiz bleibt am Vorschlag stehen.", "warning")
    try:
        with session.begin_nested():
            if form.value.decision == "freigeben":
                minutes = corrections.release_proposal(session, proposal_id, person.actor, form.value.note)
                text = f"Die Überbuchung ist freigegeben, {minutes} Minuten werden berechnet."
            else:
                corrections.reject_proposal(session, proposal_id, person.actor, form.value.note)
                text = "Die Überbuchung ist abgelehnt; die Minuten bleiben im Kontingent stehen."
    except (ConflictError, NotFoundError) as refusal:
        return go(request, back, str(refusal), "danger")
    return go(request, back, text)
