"""Leistungen: the back office approves work, corrects it or gives it back; technicians see and mend their own (S25)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from actions import approval, own_entries
from actions.approval import EntryFilter, ListedEntry
from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.work import EntryState
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, address, go, page
from portal.paging import PER_PAGE, Page
from portal.queries import people, work
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/leistungen")
NAV = (
    NavEntry(
        Section.SERVICE_DESK,
        "Leistungen",
        "/leistungen",
        "checklist",
        ("leistung.eigene", "leistung.sehen", "leistung.freigeben"),
        order=30,
        shortcut="f",
        bottom=True,
    ),
)
See = Annotated[Person, Depends(need("leistung.eigene", "leistung.sehen", "leistung.freigeben"))]
Approve = Annotated[Person, Depends(need("leistung.freigeben"))]
LIST = Crumb("Leistungen", "/leistungen")
STATES = {
    "offen": EntryState.CAPTURED,
    "zurueck": EntryState.CAPTURED,
    "freigegeben": EntryState.APPROVED,
    "berichtet": EntryState.REPORTED,
    "alle": None,
}
ALL_AT_ONCE = 5000


class CorrectionForm(Form):
    """Leistung berichtigen."""

    minutes: int = Field(ge=0, le=10_000)
    trips: int = Field(default=0, ge=0, le=50)
    text: str = Field(min_length=1, max_length=5000)
    billable: Literal["ja", "nein"]
    reason: str = Field(default="", max_length=500)


class ReasonForm(Form):
    """Why an entry goes back."""

    returned: str = Field(min_length=3, max_length=500)


def _sees_all(person: Person) -> bool:
    return person.may("leistung.sehen") or person.may("leistung.freigeben")


class Filter:
    """What the list's address says: customer, technician, month, state."""

    def __init__(
        self,
        person: See,
        *,
        kunde: str = "",
        technik: str = "",
        monat: str = "",
        stand: str = "offen",
    ) -> None:
        """Whoever may only see the own work gets nothing else, whatever the address says."""
        self.state = stand if stand in STATES else "offen"
        self.wanted = EntryFilter(
            customer=kunde.strip(),
            technician=technik if _sees_all(person) else person.email,
            month=monat,
            state=STATES[self.state],
            returned=True if self.state == "zurueck" else None,
        )
        self.query: dict[str, Any] = {
            "kunde": kunde,
            "technik": technik if _sees_all(person) else "",
            "monat": monat,
            "stand": "" if self.state == "offen" else self.state,
        }

    @property
    def address(self) -> str:
        """The list with this filter."""
        return address("/leistungen", self.query)


Wanted = Annotated[Filter, Depends()]


@router.get("")
def list_entries(request: Request, person: See, session: StaffSession, wanted: Wanted, seite: int = 1) -> Response:
    """Fifty entries of the filter, oldest work first."""
    total = approval.count_pending(session, wanted.wanted)
    number = max(1, min(seite, -(-total // PER_PAGE) or 1))
    rows = approval.pending(session, wanted.wanted, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    return page(
        request,
        "approvals.html",
        crumbs=(LIST,),
        entries=Page(rows, number, total),
        minutes=work.minutes_of(session, wanted.wanted),
        wanted=wanted,
        sees_all=_sees_all(person),
        may_approve=person.may("leistung.freigeben"),
        choices=work.filter_choices(session) if _sees_all(person) else None,
    )


@router.post("/freigeben")
def approve(person: Approve, session: StaffSession, wanted: Wanted, data: Data, request: Request) -> Response:
    """Approve the ticked entries, or all that the filter finds as long as they are as many as the person saw."""
    keys = [value for value in data.getlist("key") if isinstance(value, str)]
    if data.get("alle") == "ja":
        found = approval.pending(session, wanted.wanted, limit=ALL_AT_ONCE)
        if str(approval.count_pending(session, wanted.wanted)) != str(data.get("anzahl")):
            return go(request, wanted.address, "Die Liste hat sich geändert. Bitte sehen Sie sie noch einmal durch.", "warning")
        keys = [entry.key for entry in found]
    if not keys:
        return go(request, wanted.address, "Es war keine Leistung ausgewählt.", "warning")
    try:
        count = approval.approve(session, keys, person.actor)
    except (ConflictError, NotFoundError) as refusal:
        return go(request, wanted.address, str(refusal), "danger")
    done = "Eine Leistung ist freigegeben." if count == 1 else f"{count} Leistungen sind freigegeben."
    return go(request, wanted.address, f"{done} Zurücknehmen lässt sich das unter dem Stand »freigegeben«.")


@router.post("/zuruecknehmen")
def withdraw_many(person: Approve, session: StaffSession, wanted: Wanted, data: Data, request: Request) -> Response:
    """Take the approval of the ticked entries back; possible until the month is released."""
    del person
    keys = [value for value in data.getlist("key") if isinstance(value, str)]
    if not keys:
        return go(request, wanted.address, "Es war keine Leistung ausgewählt.", "warning")
    try:
        with session.begin_nested():
            count = approval.withdraw_approval(session, keys)
    except (ConflictError, NotFoundError) as refusal:
        return go(request, wanted.address, str(refusal), "danger")
    done = "Eine Freigabe ist zurückgenommen." if count == 1 else f"{count} Freigaben sind zurückgenommen."
    return go(request, wanted.address, done, "warning")


def _entry(person: Person, session: Any, key: str) -> ListedEntry:
    entry = approval.one(session, key)
    if not _sees_all(person) and entry.technician_email != person.email:
        raise NotFoundError(f"Leistung {key}: gibt es nicht.")
    return entry


def _entry_page(
    request: Request,
    person: Person,
    session: Any,
    entry: ListedEntry,
    *,
    form: Filled[Any] | None = None,
    back: Filled[Any] | None = None,
    status_code: int = 200,
) -> Response:
    own = person.email == entry.technician_email
    captured = entry.state == EntryState.CAPTURED.value
    known = blank(
        CorrectionForm,
        minutes=entry.minutes,
        trips=entry.trips,
        text=entry.text,
        billable="ja" if entry.billable else "nein",
        reason=entry.reason or "",
    )
    return page(
        request,
        "approval.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(entry.key)),
        entry=entry,
        state=EntryState(entry.state),
        form=form or known,
        back=back or blank(ReasonForm),
        captured=captured,
        may_approve=person.may("leistung.freigeben"),
        may_edit=not entry.locked and (person.may("leistung.freigeben") or (own and captured)),
        history=work.history(session, entry.key),
        names=people.names(session),
    )


@router.get("/{key}")
def show_entry(request: Request, person: See, session: StaffSession, key: str) -> Response:
    """One entry with everything that may be done with it."""
    return _entry_page(request, person, session, _entry(person, session, key))


@router.post("/{key}/berichtigen")
def correct(request: Request, person: See, session: StaffSession, key: str, data: Data) -> Response:
    """Change it before the month is released; a technician hands it in again by that."""
    entry = _entry(person, session, key)
    form = filled(CorrectionForm, data)
    if form.value is None:
        return _entry_page(request, person, session, entry, form=form, status_code=422)
    values: dict[str, Any] = {
        "minutes": form.value.minutes,
        "trips": form.value.trips,
        "text": form.value.text,
        "billable": form.value.billable == "ja",
        "reason": form.value.reason or None,
    }
    try:
        with session.begin_nested():
            if person.may("leistung.freigeben"):
                approval.correct(session, key, **values)
            else:
                own_entries.resubmit(session, key, person.employee_id or 0, **values)
    except (ConflictError, NotFoundError) as refusal:
        return go(request, f"/leistungen/{key}", str(refusal), "danger")
    except DrehkreuzError as refusal:
        form.complain("reason" if "Begründung" in str(refusal) else "", str(refusal))
        return _entry_page(request, person, session, entry, form=form, status_code=422)
    return go(request, f"/leistungen/{key}", f"Leistung {key} ist berichtigt.")


@router.post("/{key}/zurueckgeben")
def send_back(request: Request, person: Approve, session: StaffSession, key: str, data: Data) -> Response:
    """Give it back to the technician, who reads why."""
    entry = _entry(person, session, key)
    form = filled(ReasonForm, data)
    if form.value is None:
        return _entry_page(request, person, session, entry, back=form, status_code=422)
    approval.send_back(session, key, form.value.returned)
    return go(request, "/leistungen", f"Leistung {key} ist zurückgegeben an {entry.technician}.")


@router.post("/{key}/freigeben")
def approve_one(request: Request, person: Approve, session: StaffSession, key: str) -> Response:
    """Approve this one."""
    approval.approve(session, [key], person.actor)
    return go(request, f"/leistungen/{key}", f"Leistung {key} ist freigegeben.")


@router.post("/{key}/zuruecknehmen")
def withdraw(request: Request, person: Approve, session: StaffSession, key: str) -> Response:
    """Take the approval back; possible until the month is released."""
    del person
    approval.withdraw_approval(session, [key])
    return go(request, f"/leistungen/{key}", f"Die Freigabe der Leistung {key} ist zurückgenommen.", "warning")
