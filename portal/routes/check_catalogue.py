"""Prüfkatalog: the open list of checks of the house, seen by all, kept by those who agree them (S106, S109)."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import ensure_catalogue, key_for, retire_check, save_check
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.maintenance import CheckCatalogue
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.security.person import Person, StaffSession, need
from rules.cadence_choices import CHOICES, rule_of, words_of
from rules.cadence_german import describe
from rules.cadence_text import CadenceError, parse

router = APIRouter(prefix="/wartung/katalog")
NAV = (NavEntry(Section.MAINTENANCE, "Prüfkatalog", "/wartung/katalog", "list-check", ("wartung.sehen",), order=18),)
See = Annotated[Person, Depends(need("wartung.sehen"))]
Agree = Annotated[Person, Depends(need("wartung.vereinbaren"))]
LIST = Crumb("Prüfkatalog", "/wartung/katalog")
NEW = "neu"


class CheckForm(Form):
    """Eine Prüfung des Katalogs."""

    title: str = Field(min_length=3, max_length=120)
    cadence: str = Field(min_length=3, max_length=200)
    minutes: int = Field(ge=1, le=1440)
    topic: str = Field(default="", max_length=60)
    skill: str = Field(default="", max_length=60)
    purpose: str = Field(default="", max_length=500)
    checklist: str = Field(min_length=3, max_length=4000)
    readings: str = Field(default="", max_length=1000)


@router.get("")
def list_checks(request: Request, person: See, session: StaffSession) -> Response:
    """Every check with its usual interval and duration."""
    ensure_catalogue(session)
    rows = session.scalars(sa.select(CheckCatalogue).order_by(CheckCatalogue.active.desc(), CheckCatalogue.title)).all()
    today = clock.today()
    shown = [(row, describe(parse(row.cadence), today)) for row in rows]
    may = person.may("wartung.vereinbaren")
    return page(request, "check_catalogue.html", crumbs=(LIST,), checks=shown, may_agree=may)


def _row(session: Session, key: str) -> CheckCatalogue:
    found = session.scalar(sa.select(CheckCatalogue).where(CheckCatalogue.key == key))
    if found is None:
        raise NotFoundError(f"Prüfkatalog: Eine Prüfung »{key}« gibt es nicht.")
    return found


def _page(
    request: Request, person: Person, key: str, form: Filled[Any], *, row: CheckCatalogue | None, status_code: int = 200
) -> Response:
    crumbs = (LIST, Crumb(row.title if row else "Neue Prüfung"))
    return page(
        request, "check_catalogue_entry.html", status_code=status_code, crumbs=crumbs, key=key, form=form, row=row,
        intervals=list(CHOICES), may_agree=person.may("wartung.vereinbaren"),
    )  # fmt: skip


@router.get("/{key}")
def show_check(request: Request, person: See, session: StaffSession, key: str) -> Response:
    """One check, or an empty form for a new one."""
    if key == NEW:
        return _page(request, person, key, blank(CheckForm, minutes=30), row=None)
    row = _row(session, key)
    readings = "\n".join(f"{r['label']} ({r['unit']})" if r.get("unit") else r["label"] for r in row.readings)
    form = blank(
        CheckForm, title=row.title, cadence=words_of(row.cadence), minutes=row.duration_minutes, topic=row.topic or "",
        skill=row.skill or "", purpose=row.purpose or "", checklist="\n".join(row.checklist), readings=readings,
    )  # fmt: skip
    return _page(request, person, key, form, row=row)


@router.post("/{key}")
def save(request: Request, person: Agree, session: StaffSession, key: str, data: Data) -> Response:
    """Add a check or change one; what was agreed with it before stays as it was agreed."""
    row = None if key == NEW else _row(session, key)
    form = filled(CheckForm, data)
    if form.value is None:
        return _page(request, person, key, form, row=row, status_code=422)
    value = form.value
    try:
        with session.begin_nested():
            saved = save_check(
                session, key_for(session, value.title) if row is None else row.key, title=value.title,
                cadence=rule_of(value.cadence), minutes=value.minutes, checklist=value.checklist.splitlines(),
                readings=value.readings.splitlines(), topic=value.topic or None, skill=value.skill or None,
                purpose=value.purpose or None,
            )  # fmt: skip
    except (CadenceError, DrehkreuzError) as refusal:
        form.complain("cadence" if isinstance(refusal, CadenceError) else "title", str(refusal))
        return _page(request, person, key, form, row=row, status_code=422)
    return go(request, "/wartung/katalog", f"»{saved.title}« steht im Prüfkatalog.")


@router.post("/{key}/herausnehmen")
def retire(request: Request, person: Agree, session: StaffSession, key: str) -> Response:
    """Take a check out of the list; what was agreed with it goes on. Saving it again brings it back."""
    del person
    row = _row(session, key)
    retire_check(session, row.key)
    return go(request, "/wartung/katalog", f"»{row.title}« wird nicht mehr angeboten.")
