"""Bedarfsanalysen and Prüfnachweise: chosen with the customer, signed, in force; a month's proof (S16, S105, S106, S110)."""

import datetime as dt
from typing import Annotated, Any, Literal
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from actions import archive
from actions.maintenance import belongings
from actions.maintenance.analysis import analysis, draft, in_force, lines_of, open_draft, remove_line, set_line
from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.papers import analysis_pdf, file_analysis, issue_proof, proof_content
from actions.maintenance.planbook import CONTRACT_NAMES
from actions.maintenance.signing import preview_signing, sign
from kit import clock
from kit.errors import DrehkreuzError, NotFoundError
from models.contracts import Contract
from models.maintenance import CheckProof, NeedsAnalysisDocument, NeedsAnalysisLine
from models.parties import Customer, Site
from models.watching import AccessKind
from portal.forms import Data, Filled, Form, blank, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import maintenance as queries
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads
from rules.cadence import Cadence, Shift, first_day
from rules.cadence_choices import CHOICES, rule_of, words_of
from rules.cadence_german import describe, hints
from rules.cadence_text import CadenceError, parse
from rules.catch_up import CatchUp
from rules.month import Month

router = APIRouter(prefix="/bedarf")
NAV = (NavEntry(Section.MAINTENANCE, "Bedarfsanalysen", "/bedarf", "checklist", ("wartung.sehen",), order=15),)
See = Annotated[Person, Depends(need("wartung.sehen"))]
Agree = Annotated[Person, Depends(need("wartung.vereinbaren"))]
LIST = Crumb("Bedarfsanalysen", "/bedarf")
PDF = {"content-security-policy": "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"}


class LineForm(Form):
    """Eine Prüfung des Entwurfs."""

    check: str = Field(min_length=2, max_length=120)
    cadence: str = Field(default="", max_length=200)
    starts_on: dt.date | None = None
    minutes: int | None = Field(default=None, ge=1, le=1440)
    opens: dt.time | None = None
    closes: dt.time | None = None
    technician: int | None = None
    catch_up: CatchUp = CatchUp.LATEST
    shift: Shift = Shift.NEXT_WORKDAY
    contract: int | None = None
    site: int | None = None
    checklist: str = Field(default="", max_length=4000)
    remark: str = Field(default="", max_length=500)
    undecided: Literal["ja", ""] = ""

    def values(self) -> dict[str, Any]:
        """What the draft is told; empty fields leave what the catalogue says."""
        if (self.opens is None) != (self.closes is None):
            raise ValueError("Bitte beide Zeiten des Wartungsfensters angeben, oder keine.")
        told: dict[str, Any] = {
            "technician_id": self.technician, "catch_up": self.catch_up, "shift": self.shift, "contract_id": self.contract,
            "window_opens": self.opens, "window_closes": self.closes, "remark": self.remark or None,
        }  # fmt: skip
        chosen = (("starts_on", self.starts_on), ("duration_minutes", self.minutes), ("cadence", rule_of(self.cadence)))
        told |= {name: value for name, value in chosen if value}
        if self.undecided:
            told["cadence"] = None
        if self.checklist:
            told["checklist"] = [line.strip() for line in self.checklist.splitlines() if line.strip()]
        return told


class SignForm(Form):
    """Unterschrift."""

    agreed_on: dt.date
    agreed_by: str = Field(min_length=2, max_length=120)


class NoteForm(Form):
    """Bemerkungen des Entwurfs."""

    notes: str = Field(default="", max_length=4000)


class TicketForm(Form):
    """Ticket aus dem Gespräch."""

    subject: str = Field(min_length=3, max_length=200)
    text: str = Field(default="", max_length=4000)


@router.get("")
def list_customers(request: Request, person: See, session: StaffSession, *, suche: str = "", seite: int = 1) -> Response:
    """Customers with what is agreed."""
    del person
    rows = queries.customers_with_analysis(session, search=suche.strip(), number=seite)
    return page(request, "needs.html", crumbs=(LIST,), customers=rows, query={"suche": suche})


def _customer(session: Session, number: str) -> Customer:
    found = session.scalar(sa.select(Customer).where(Customer.number == number))
    if found is None:
        raise NotFoundError(f"Kunde {number}: gibt es nicht.")
    return found


def _shown_lines(session: Session, analysis_id: int) -> list[dict[str, Any]]:
    shown = []
    for line in lines_of(session, analysis_id):
        rule = parse(line.cadence) if line.cadence else None
        shown.append(
            {
                "line": line,
                "interval": describe(rule, line.starts_on) if rule else "Termine noch offen",
                "since": _since(line, rule),
                "hints": [h for h in hints(rule, line.starts_on) if not h.startswith("Der erste Termin")] if rule else [],
            }
        )
    return shown


def _since(line: NeedsAnalysisLine, rule: Cadence | None) -> str:
    """From when on it is done: what runs already has had its first date."""
    first = first_day(rule, line.starts_on) if rule else None
    if first is not None and first >= clock.today():
        return f"erstmals {first:%d.%m.%Y}"
    return f"{'ab' if line.starts_on >= clock.today() else 'seit'} {line.starts_on:%d.%m.%Y}"


def _page(
    request: Request, person: Person, session: Session, customer: Customer, *, form: Filled[Any] | None = None,
    signature: Filled[Any] | None = None, status_code: int = 200,
) -> Response:  # fmt: skip
    versions = queries.versions(session, customer.id)
    current = versions[0] if versions else None
    open_ = current is not None and current.agreed_on is None
    force = in_force(session, customer.id)
    return page(
        request,
        "needs_customer.html",
        status_code=status_code,
        crumbs=(LIST, Crumb(customer.name)),
        customer=customer,
        versions=versions,
        current=current,
        is_draft=open_,
        lines=_shown_lines(session, current.id) if current else [],
        entries=load_catalogue(session).entries,
        technicians=queries.technician_choices(session),
        names=queries.employee_names(session),
        contracts=_contracts(session, customer.id),
        sites=[(s.id, s.name) for s in session.scalars(sa.select(Site).where(Site.customer_id == customer.id))],
        catch_ups=[(v.value, v) for v in CatchUp],
        shifts=[(v.value, v) for v in Shift],
        form=form or blank(LineForm, catch_up="latest", shift="next_workday"),
        signature=signature or blank(SignForm, agreed_on=clock.today()),
        effects=_effects(session, current.id) if open_ and current and signature is None else [],
        intervals=list(CHOICES),
        documents=belongings.documents_of(session, force.id) if force else [],
        tickets=belongings.tickets_of(session, force.id, limit=20) if force else [],
        force=force,
        proofs=queries.proofs(session, customer.id),
        month=str(Month.of(clock.today()).plus(-1)),
        may_agree=person.may("wartung.vereinbaren"),
    )


def _contracts(session: Session, customer_id: int) -> list[tuple[int, str]]:
    rows = session.scalars(sa.select(Contract).where(Contract.customer_id == customer_id).order_by(Contract.number))
    return [(row.id, f"{CONTRACT_NAMES[row.kind]} {row.number}") for row in rows]


def _effects(session: Session, analysis_id: int) -> list[str]:
    """What a signature today would do, or why it cannot be given."""
    try:
        return preview_signing(session, analysis_id, clock.today()).sentences
    except (CadenceError, DrehkreuzError) as refusal:
        return [str(refusal)]


@router.get("/{number}")
def show_customer(request: Request, person: See, session: StaffSession, number: str, *, pruefung: int = 0) -> Response:
    """The draft or the version in force, its papers, tickets and proofs; with `pruefung` that line stands in the form."""
    customer = _customer(session, number)
    line = session.get(NeedsAnalysisLine, pruefung) if pruefung else None
    chosen = _as_chosen(line) if line is not None and line.customer_id == customer.id else None
    return _page(request, person, session, customer, form=chosen)


def _as_chosen(line: NeedsAnalysisLine) -> Filled[Any]:
    """A line of the draft as the form that changes it."""
    return blank(
        LineForm, check=line.check, cadence=words_of(line.cadence) if line.cadence else "", starts_on=line.starts_on,
        minutes=line.duration_minutes, opens=_clock(line.window_opens), closes=_clock(line.window_closes),
        technician=line.technician_id or "", catch_up=line.catch_up.value, shift=line.shift.value,
        contract=line.contract_id or "", site=line.site_id or "", checklist="\n".join(line.checklist),
        remark=line.remark or "", undecided="" if line.cadence else "ja",
    )  # fmt: skip


def _clock(time: dt.time | None) -> str:
    return f"{time:%H:%M}" if time else ""


@router.post("/{number}/entwurf")
def begin(request: Request, person: Agree, session: StaffSession, number: str) -> Response:
    """Begin the next version with what holds now."""
    customer = _customer(session, number)
    draft(session, customer.id, person.employee_id)
    return go(request, f"/bedarf/{number}", "Der Entwurf ist angelegt.")


@router.post("/{number}/pruefung")
def save_line(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """Choose a check, or change the choice."""
    customer = _customer(session, number)
    form = filled(LineForm, data)
    try:
        if form.value is None:
            return _page(request, person, session, customer, form=form, status_code=422)
        with session.begin_nested():
            row = draft(session, customer.id, person.employee_id)
            line = set_line(session, row.id, form.value.check, site_id=form.value.site, **form.value.values())
    except (CadenceError, DrehkreuzError, ValueError) as refusal:
        form.complain("cadence" if isinstance(refusal, CadenceError) else "", str(refusal))
        return _page(request, person, session, customer, form=form, status_code=422)
    return go(request, f"/bedarf/{number}", f"»{line.check}« steht im Entwurf.")


@router.post("/{number}/pruefung/{line_id}/entfernen")
def drop_line(request: Request, person: Agree, session: StaffSession, number: str, line_id: int) -> Response:
    """Take a check out of the draft."""
    row = _draft(session, number)
    del person
    remove_line(session, row.id, line_id)
    return go(request, f"/bedarf/{number}", "Die Prüfung steht nicht mehr im Entwurf.")


@router.post("/{number}/bemerkung")
def save_notes(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """What else was said."""
    del person
    row = open_draft(session, _draft(session, number).id)
    form = filled(NoteForm, data)
    row.notes = form.value.notes if form.value else row.notes
    return go(request, f"/bedarf/{number}", "Die Bemerkung ist gespeichert.")


def _draft(session: Session, number: str) -> Any:
    versions = queries.versions(session, _customer(session, number).id)
    if not versions or versions[0].agreed_on is not None:
        raise NotFoundError(f"Kunde {number}: hat zurzeit keinen Entwurf.")
    return versions[0]


@router.post("/{number}/unterschrift")
def save_signature(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """The customer has signed: freeze the version, put it into force, file its paper."""
    customer = _customer(session, number)
    row = _draft(session, number)
    form = filled(SignForm, data)
    if form.value is None:
        return _page(request, person, session, customer, signature=form, status_code=422)
    try:
        with session.begin_nested():
            done = sign(session, row.id, form.value.agreed_on, form.value.agreed_by, clock.today())
            file_analysis(session, row.id)
    except DrehkreuzError as refusal:
        form.complain("", str(refusal))
        return _page(request, person, session, customer, signature=form, status_code=422)
    return go(request, f"/bedarf/{number}", f"Version {row.version} gilt. {' '.join(done.sentences)}")


@router.get("/{number}/version/{analysis_id}.pdf")
def open_paper(person: See, session: StaffSession, number: str, analysis_id: int) -> Response:
    """The paper of a version: a draft as it stands, a signed one from the archive."""
    del person
    row = analysis(session, analysis_id)
    if row.customer_id != _customer(session, number).id:
        raise NotFoundError("Diese Bedarfsanalyse gehört zu einem anderen Kunden.")
    return _pdf(analysis_pdf(session, analysis_id), f"Bedarfsanalyse-{number}-v{row.version}.pdf")


def _pdf(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f"inline; filename*=UTF-8''{quote(name)}", **PDF}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/{number}/dokument")
def save_document(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """A file that belongs to the version in force: the signed scan, a plan of the network."""
    del person
    force = _force(session, number)
    file = data.get("datei")
    if not isinstance(file, UploadFile) or not file.filename:
        return go(request, f"/bedarf/{number}", "Bitte wählen Sie eine Datei.", "warning")
    try:
        with session.begin_nested():
            belongings.add_document(session, force.id, str(data.get("titel") or ""), file.filename, file.file.read())
    except DrehkreuzError as refusal:
        return go(request, f"/bedarf/{number}", str(refusal), "danger")
    return go(request, f"/bedarf/{number}", "Das Dokument ist abgelegt.")


@router.get("/{number}/dokument/{document_id}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_document(person: See, session: StaffSession, number: str, document_id: int) -> Response:
    """A file of the analysis from the archive; it is saved, never shown."""
    del person
    row = session.get(NeedsAnalysisDocument, document_id)
    if row is None or row.customer_id != _customer(session, number).id:
        raise NotFoundError("Dieses Dokument gibt es nicht.")
    return Response(
        archive.read(session, row.archive_key),
        media_type="application/octet-stream",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(row.file_name)}",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/{number}/ticket")
def save_ticket(request: Request, person: Agree, session: StaffSession, number: str, data: Data) -> Response:
    """A ticket that the talk has yielded."""
    del person
    force = _force(session, number)
    form = filled(TicketForm, data)
    if form.value is None:
        return go(request, f"/bedarf/{number}", "Bitte einen Betreff mit mindestens drei Zeichen angeben.", "warning")
    ticket = belongings.open_ticket(session, force.id, form.value.subject, form.value.text or form.value.subject)
    return go(request, f"/bedarf/{number}", f"Ticket {ticket.number} ist angelegt.")


def _force(session: Session, number: str) -> Any:
    force = in_force(session, _customer(session, number).id)
    if force is None:
        raise NotFoundError(f"Kunde {number}: hat noch keine unterschriebene Bedarfsanalyse.")
    return force


# ---------------------------------------------------------------- proofs


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise NotFoundError(str(error)) from None


@router.get("/{number}/nachweis/{month}")
def show_proof(request: Request, person: See, session: StaffSession, number: str, month: str) -> Response:
    """A month's proof as it stands, and what was issued."""
    customer, parsed = _customer(session, number), _month(month)
    content = proof_content(session, customer.id, parsed)
    crumbs = (LIST, Crumb(customer.name, f"/bedarf/{number}"), Crumb(f"Nachweis {parsed}"))
    return page(
        request, "needs_proof.html", crumbs=crumbs, customer=customer, content=content, month=parsed,
        before=str(parsed.plus(-1)), after=str(parsed.plus(1)), may_agree=person.may("wartung.vereinbaren"),
        proofs=[proof for proof in queries.proofs(session, customer.id) if proof.month == str(parsed)],
    )  # fmt: skip


@router.post("/{number}/nachweis/{month}")
def make_proof(request: Request, person: Agree, session: StaffSession, number: str, month: str) -> Response:
    """Issue the proof of a month; the same state again is the same paper."""
    del person
    proof = issue_proof(session, _customer(session, number).id, _month(month))
    return go(request, f"/bedarf/{number}/nachweis/{month}", f"Der Nachweis liegt als Stand {proof.version} im Archiv.")


@router.get("/{number}/nachweis/{month}/{proof_id}.pdf", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_proof(person: See, session: StaffSession, number: str, month: str, proof_id: int) -> Response:
    """An issued proof from the archive."""
    del person
    row = session.get(CheckProof, proof_id)
    if row is None or row.month != month or row.customer_id != _customer(session, number).id:
        raise NotFoundError("Diesen Nachweis gibt es nicht.")
    return _pdf(archive.read(session, row.archive_key), f"Pruefnachweis-{number}-{month}-v{row.version}.pdf")
