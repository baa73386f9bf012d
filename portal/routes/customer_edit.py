"""Stammdaten pflegen: account managers keep customers, sites, people, agreements and contracts (S13-S15, S34-S37, S43)."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from actions.company import files
from actions.company.editing import ChangedMeanwhileError, Saved, mark, save_row, stored_row
from actions.company.spec import File
from kit.errors import ConflictError, NotFoundError
from models.agreements import CooperationAgreement
from models.base import Record
from models.contracts import Contract, ContractLine
from models.parties import Contact, Customer
from models.watching import AccessKind
from portal import merging
from portal.forms import Data
from portal.master_forms import KINDS, defaults, inputs, read, shown
from portal.pages import Crumb, go, page
from portal.queries import people
from portal.routes.customers import LIST, crumbs, found
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/kunden")
Edit = Annotated[Person, Depends(need("stamm.pflegen"))]
TITLES = {
    "niederlassungen": ("Niederlassung", "Neue Niederlassung"),
    "ansprechpartner": ("Ansprechpartner", "Neuer Ansprechpartner"),
    "vereinbarungen": ("Kooperationsvereinbarung", "Neue Fassung der Kooperationsvereinbarung"),
    "vertraege": ("Vertrag", "Neuer Vertrag"),
}
LEADS = {
    "vereinbarungen": "Eine neue Fassung gilt ab dem Tag der Unterschrift; frühere Fassungen bleiben. Sie ist kein Vertrag.",
    "vertraege": "Was in Rechnungsläufen gebucht ist, bleibt; beenden Sie ihn zum Monatsende und legen Sie einen neuen an.",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else saved the record meanwhile: who, when, where both changed the same, and what is taken over already."""

    who: str
    at: dt.datetime | None
    clashes: list[merging.Difference]
    taken: list[merging.Difference]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form: which record, where it is saved, where one goes then. `fixed`: columns that the address decides."""

    file: File
    title: str
    action: str
    back: str
    fixed: dict[str, str]
    customer: Customer | None = None
    row_id: int | None = None
    lead: str = ""

    def page(
        self,
        request: Request,
        session: Session,
        values: dict[str, str],
        *,
        row: dict[str, str] | None = None,
        seen: str = "",
        errors: dict[str, str] | None = None,
        conflict: Conflict | None = None,
        status_code: int = 200,
    ) -> Response:
        """The form with these texts and complaints; complaints about what it does not show stand above it.

        `row`: what is stored at this moment; the form carries it along, to find out who else changes it.
        """
        told = errors or {}
        fields = inputs(session, self.file, self.customer, hidden=frozenset(self.fixed))
        by_name = {field.name: field for field in fields}
        return page(
            request,
            "master_form.html",
            status_code=status_code,
            crumbs=crumbs(self.customer, Crumb(self.title)) if self.customer else (LIST, Crumb(self.title)),
            sheet=self,
            fields=fields,
            values=values,
            errors=told,
            complaints=[text for name, text in told.items() if name not in by_name],
            seen=mark(row) if row else seen,
            was=merging.written(row) if row else "",
            conflict=conflict,
            words=lambda name, value: merging.words(by_name.get(name), value),
            typed=lambda name, value: shown(self.file, {name: value})[name],
        )

    def opened(self, request: Request, session: Session, values: dict[str, str]) -> Response:
        """The form as it is first seen."""
        row = values if self.row_id is not None else None
        return self.page(request, session, shown(self.file, values), row=row)

    def sent(self, request: Request, session: Session, data: FormData) -> Response:
        """Save it and go on, or show it again with what is wrong; after a refusal nothing of it stays."""
        values, seen = read(self.file, data, self.fixed), str(data.get("seen") or "")
        was = merging.carried(str(data.get("was") or ""), seen)
        if was is not None:
            values |= {name: text for name, text in was.items() if data.get(f"stand-{name}") == "theirs"}
        try:
            with session.begin_nested() as taken_back:
                saved = save_row(session, self.file, values, row_id=self.row_id, seen=seen)
                if not saved.ok:
                    taken_back.rollback()
        except ChangedMeanwhileError as other:
            return self._merge(request, session, values, was, other)
        except ConflictError as refusal:
            return self.page(request, session, shown(self.file, values), errors={"": str(refusal)}, status_code=409)
        if not saved.ok:
            known = shown(self.file, values)
            return self.page(request, session, known, row=was, seen=seen, errors=saved.errors, status_code=422)
        back = self.back.format(number=values.get("number", ""))
        return go(request, back, _told(self.title, saved), "warning" if saved.hints else "success")

    def _merge(
        self,
        request: Request,
        session: Session,
        values: dict[str, str],
        was: dict[str, str] | None,
        other: ChangedMeanwhileError,
    ) -> Response:
        """Nothing typed is lost: both changes stand in the form, and where both touched the same field one chooses."""
        together, differences = merging.merged(self.file, values, was, other.now)
        email = other.by.rpartition(":")[2]
        own = other.by == request.state.person.actor
        who = "Ihnen selbst (anderes Fenster)" if own else people.names(session).get(email, email) or "jemand anderem"
        conflict = Conflict(who, other.at, [d for d in differences if d.clash], [d for d in differences if not d.clash])
        return self.page(request, session, shown(self.file, together), row=other.now, conflict=conflict, status_code=409)


def _told(name: str, saved: Saved) -> str:
    done = "angelegt" if saved.created else "gespeichert" if saved.changed else "unverändert"
    return " ".join([f"{name}: {done}.", *(f"Hinweis: {hint}." for hint in saved.hints)])


def _new_customer() -> Sheet:
    return Sheet(files.CUSTOMERS, "Neuer Kunde", "/kunden/neu", "/kunden/{number}", {})


def _record(customer: Customer) -> Sheet:
    here = f"/kunden/{customer.number}"
    fixed = {"number": customer.number}
    return Sheet(files.CUSTOMERS, "Stammdaten und Abrechnung", f"{here}/bearbeiten", here, fixed, customer, customer.id)


def _part(customer: Customer, kind: str, row_id: int | None = None) -> Sheet:
    """Raises: NotFoundError."""
    if kind not in KINDS:
        raise NotFoundError("Diese Seite gibt es nicht.")
    file, here = KINDS[kind], f"/kunden/{customer.number}"
    fixed, title = {"customer": customer.number}, TITLES[kind][row_id is None]
    action, lead = f"{here}/{kind}/{row_id or 'neu'}", LEADS.get(kind, "")
    return Sheet(file, title, action, f"{here}#{kind}", fixed, customer, row_id, lead)


def _line(customer: Customer, contract: Contract, row_id: int | None = None) -> Sheet:
    here = f"/kunden/{customer.number}"
    title = f"{'Position' if row_id else 'Neue Position'} zu {contract.number}"
    action = f"{here}/vertraege/{contract.id}/positionen/{row_id or 'neu'}"
    fixed = {"contract": contract.number}
    return Sheet(files.CONTRACT_LINES, title, action, f"{here}#vertraege", fixed, customer, row_id)


def _own(session: Session, model: type[Record], customer: Customer, row_id: int) -> int:
    """The id, if it is a row of this customer. Raises: NotFoundError."""
    row = session.get(model, row_id)
    if row is None or getattr(row, "customer_id", None) != customer.id:
        raise NotFoundError("Diesen Eintrag gibt es bei diesem Kunden nicht.")
    return row_id


def _stored(session: Session, sheet: Sheet) -> dict[str, str]:
    return stored_row(session, sheet.file, sheet.row_id or 0) or {}


def _first(session: Session, sheet: Sheet, customer: Customer) -> dict[str, str]:
    """What a new part begins with: an agreement takes over the last version's terms."""
    if sheet.file is not files.AGREEMENTS:
        return defaults(sheet.file)
    own = CooperationAgreement.customer_id == customer.id
    last = session.scalar(sa.select(CooperationAgreement.id).where(own).order_by(CooperationAgreement.version.desc()).limit(1))
    if last is None:
        return defaults(sheet.file) | {"version": "1"}
    row = stored_row(session, sheet.file, last) or {}
    return row | {"version": str(int(row["version"]) + 1), "signed_on": "", "signed_by": ""}


@router.get("/neu")
def new_customer(request: Request, person: Edit, session: StaffSession) -> Response:
    """An empty record."""
    del person
    return _new_customer().opened(request, session, defaults(files.CUSTOMERS))


@router.post("/neu")
def create_customer(request: Request, person: Edit, session: StaffSession, data: Data) -> Response:
    """Create it when everything is right."""
    del person
    return _new_customer().sent(request, session, data)


@router.get("/{number}/bearbeiten", dependencies=[reads.noted(AccessKind.BANK_DATA)])
def open_customer(request: Request, person: Edit, session: StaffSession, number: str) -> Response:
    """The record as a form."""
    del person
    sheet = _record(found(session, number))
    return sheet.opened(request, session, _stored(session, sheet))


@router.post("/{number}/bearbeiten")
def change_customer(request: Request, person: Edit, session: StaffSession, number: str, data: Data) -> Response:
    """Save the record."""
    del person
    return _record(found(session, number)).sent(request, session, data)


@router.get("/{number}/{part}/neu")
def new_part(request: Request, person: Edit, session: StaffSession, number: str, part: str) -> Response:
    """An empty site, contact, agreement or contract."""
    del person
    customer = found(session, number)
    sheet = _part(customer, part)
    return sheet.opened(request, session, _first(session, sheet, customer))


@router.post("/{number}/{part}/neu")
def create_part(request: Request, person: Edit, session: StaffSession, *, number: str, part: str, data: Data) -> Response:
    """Create it when everything is right."""
    del person
    return _part(found(session, number), part).sent(request, session, data)


@router.get("/{number}/{part}/{row_id:int}")
def open_part(request: Request, person: Edit, session: StaffSession, *, number: str, part: str, row_id: int) -> Response:
    """A stored one as a form."""
    del person
    customer = found(session, number)
    sheet = _part(customer, part, row_id)
    _own(session, sheet.file.model, customer, row_id)
    return sheet.opened(request, session, _stored(session, sheet))


@router.post("/{number}/{part}/{row_id:int}")
def change_part(
    request: Request, person: Edit, session: StaffSession, *, number: str, part: str, row_id: int, data: Data
) -> Response:
    """Save it; what stands fast is refused with the way that remains."""
    del person
    customer = found(session, number)
    sheet = _part(customer, part, row_id)
    _own(session, sheet.file.model, customer, row_id)
    return sheet.sent(request, session, data)


@router.post("/{number}/ansprechpartner/{row_id:int}/aktiv")
def leave(request: Request, person: Edit, session: StaffSession, *, number: str, row_id: int, data: Data) -> Response:
    """Somebody has left (or is back): no mail, no login; what the person did stays (U17)."""
    del person
    customer = found(session, number)
    contact = session.get_one(Contact, _own(session, Contact, customer, row_id), with_for_update=True)
    contact.active = data.get("aktiv") == "ja"
    session.flush()
    told = "ist wieder aktiv" if contact.active else "ist ausgeschieden und bekommt keine Mails mehr"
    return go(request, f"/kunden/{number}#ansprechpartner", f"{contact.name} {told}.", "info")


def _contract(session: Session, customer: Customer, contract_id: int) -> Contract:
    return session.get_one(Contract, _own(session, Contract, customer, contract_id))


@router.get("/{number}/vertraege/{contract_id:int}/positionen/neu")
def new_line(request: Request, person: Edit, session: StaffSession, number: str, contract_id: int) -> Response:
    """An empty position."""
    del person
    customer = found(session, number)
    sheet = _line(customer, _contract(session, customer, contract_id))
    return sheet.opened(request, session, defaults(files.CONTRACT_LINES))


@router.post("/{number}/vertraege/{contract_id:int}/positionen/neu")
def create_line(
    request: Request, person: Edit, session: StaffSession, *, number: str, contract_id: int, data: Data
) -> Response:
    """Create it when everything is right."""
    del person
    customer = found(session, number)
    return _line(customer, _contract(session, customer, contract_id)).sent(request, session, data)


@router.get("/{number}/vertraege/{contract_id:int}/positionen/{line_id:int}")
def open_line(
    request: Request, person: Edit, session: StaffSession, *, number: str, contract_id: int, line_id: int
) -> Response:
    """A stored position."""
    del person
    customer = found(session, number)
    _own(session, ContractLine, customer, line_id)
    sheet = _line(customer, _contract(session, customer, contract_id), line_id)
    return sheet.opened(request, session, _stored(session, sheet))


@router.post("/{number}/vertraege/{contract_id:int}/positionen/{line_id:int}")
def change_line(
    request: Request, person: Edit, session: StaffSession, *, number: str, contract_id: int, line_id: int, data: Data
) -> Response:
    """Save it."""
    del person
    customer = found(session, number)
    _own(session, ContractLine, customer, line_id)
    return _line(customer, _contract(session, customer, contract_id), line_id).sent(request, session, data)
