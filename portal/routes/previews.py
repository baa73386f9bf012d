"""Vorschau and Freigabe: the whole month before anything is kept, and the release of exactly that."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from actions.billing import release as billing
from actions.billing.release import ChangedSinceError
from kit import clock
from kit.errors import ConflictError
from portal import previews
from portal.filters import month as month_name
from portal.forms import Data, Form, filled
from portal.pages import Crumb, go, is_partial, page
from portal.paging import sliced
from portal.previews import MonthPreview, PreviewRow
from portal.queries.billing import run_of
from portal.routes.runs import Monat, Release, See, crumbs
from portal.security.person import Person, StaffSession, need
from rules.month import Month

router = APIRouter(prefix="/abrechnung/{month}")
PREVIEW = Crumb("Vorschau")


class ReleaseForm(Form):
    """The snapshot that the person has seen."""

    snapshot: str = Field(min_length=8, max_length=200)


def _shown(preview: MonthPreview, view: str, search: str) -> list[PreviewRow]:
    """The rows that view and search leave; the greatest differences first where that was asked for."""
    rows = list(preview.rows)
    if view == "unterschied":
        rows = sorted((r for r in rows if r.difference), key=lambda r: -abs(r.difference))
    elif view == "blockiert":
        rows = [r for r in rows if r.blocked]
    elif view == "hinweise":
        rows = [r for r in rows if r.hints]
    wanted = search.strip().casefold()
    return [r for r in rows if wanted in f"{r.address} {r.name}".casefold()] if wanted else rows


@router.get("/vorschau")
def show_preview(
    request: Request,
    person: See,
    session: StaffSession,
    month: Monat,
    *,
    seite: int = 1,
    ansicht: str = "",
    suche: str = "",
    neu: str = "",
) -> Response:
    """The preview; when it must be computed first and scripts run, the page comes at once and the preview follows."""
    del person
    if run_of(session, str(month)) is not None:
        return RedirectResponse(f"/abrechnung/{month}", 303)
    ready = None if neu else previews.known(session, month)
    waits = request.headers.get("hx-request") == "true" or "rechnen" in request.query_params
    if ready is None and not waits:
        return page(request, "preview_wait.html", crumbs=crumbs(month, PREVIEW), month=month)
    preview = ready or previews.month_preview(session, month, anew=bool(neu))
    return page(
        request,
        "preview_part.html" if is_partial(request) else "preview.html",
        crumbs=crumbs(month, PREVIEW),
        month=month,
        preview=preview,
        rows=sliced(_shown(preview, ansicht, suche), seite, 25),
        query={"ansicht": ansicht, "suche": suche},
        over=month >= Month.of(clock.today()),
    )


@router.get("/freigabe")
def ask_release(request: Request, person: Release, session: StaffSession, month: Monat) -> Response:
    """Show once more what will be released, and ask."""
    del person
    if run_of(session, str(month)) is not None:
        return RedirectResponse(f"/abrechnung/{month}", 303)
    preview = previews.month_preview(session, month)
    return page(
        request,
        "release.html",
        crumbs=crumbs(month, Crumb("Vorschau", f"/abrechnung/{month}/vorschau"), Crumb("Freigabe")),
        month=month,
        preview=preview,
        over=month >= Month.of(clock.today()),
    )


@router.post("/freigabe")
def do_release(
    request: Request,
    person: Annotated[Person, Depends(need("abrechnung.freigeben"))],
    session: StaffSession,
    month: Monat,
    data: Data,
) -> Response:
    """Release exactly the snapshot that the person saw; if anything changed since, say what."""
    form = filled(ReleaseForm, data)
    if form.value is None:
        return RedirectResponse(f"/abrechnung/{month}/freigabe", 303)
    try:
        with session.begin_nested():
            done = billing.release(session, month, form.value.snapshot, person.actor)
    except ChangedSinceError as changed:
        return page(
            request,
            "release_changed.html",
            status_code=409,
            crumbs=crumbs(month, Crumb("Freigabe")),
            month=month,
            changes=[line.strip() for line in str(changed).splitlines() if line.startswith("  ")],
        )
    except ConflictError as refusal:
        return go(request, f"/abrechnung/{month}", str(refusal), "warning")
    return go(request, f"/abrechnung/{month}", _said(done, month))


def _said(done: billing.Released, month: Month) -> str:
    if not done.new:
        return f"{month_name(month)} war schon freigegeben."
    count = len(done.blocked)
    waiting = f" {count} {'Punkt braucht' if count == 1 else 'Punkte brauchen'} noch jemanden." if count else ""
    what = f"{done.parts} {'Abrechnung ist' if done.parts == 1 else 'Abrechnungen sind'} festgeschrieben"
    return f"{month_name(month)} ist freigegeben, {what}. Der Lauf beginnt jetzt.{waiting}"
