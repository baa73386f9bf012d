"""Proof per check: done, failed or skipped with its reason, readings and screenshots, before the ticket can end (S110)."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance.alarms import settle
from actions.maintenance.catalogue import Catalogue, load_catalogue
from actions.numbers import next_numbers
from kit import clock
from kit.errors import ConflictError, NotFoundError, UsageError
from models.maintenance import AgreedCheck, CheckEvidence, CheckOutcome, CheckResult, DueDate
from models.service_desk import Message, MessageDirection, Priority, Ticket, TicketEvent, TicketKind, TicketState
from rules.due_ledger import DueState

GERMAN_OUTCOME = {CheckOutcome.DONE: "erledigt", CheckOutcome.FAILED: "fehlgeschlagen", CheckOutcome.SKIPPED: "ausgelassen"}
EVIDENCE_TYPES = {
    "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "application/pdf": "pdf", "text/plain": "txt",
    "text/csv": "csv",
}  # fmt: skip
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"%PDF-", "application/pdf"))
MAX_EVIDENCE = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist as it was worked through. `ok` None = does not apply here."""

    text: str
    ok: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the technician says about one due date."""

    outcome: CheckOutcome
    technician_id: int
    reason: str = ""
    """Why it failed or was left out; required then."""
    note: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    items: Sequence[Item] = ()
    performed_at: dt.datetime | None = None
    """Aware; None = now."""


def record_result(session: Session, due_id: int, report: Report, catalogue: Catalogue | None = None) -> CheckResult:
    """Write the result of a due date, or correct it while its ticket is not closed. A failed check opens an incident, once.

    Args:
        session: the transaction.
        due_id: the date.
        report: what the technician says.
        catalogue: for whoever writes many results and has read it already.

    Raises:
        NotFoundError: no such date.
        ConflictError: it has no ticket, or its ticket is closed.
        UsageError: the reason is missing, or a reading is unknown.
    """
    due = session.get(DueDate, due_id)
    if due is None:
        raise NotFoundError(f"Wartung: Einen Termin mit der Nummer {due_id} gibt es nicht.")
    plan = session.get_one(AgreedCheck, due.agreed_check_id)
    if due.state is not DueState.CREATED or due.ticket_id is None:
        raise ConflictError(f"Wartung »{plan.check}« am {due.due_on:%d.%m.%Y}: Zu diesem Termin gibt es kein Ticket.")
    ticket = session.scalars(sa.select(Ticket).where(Ticket.id == due.ticket_id).with_for_update()).one()
    if ticket.state is TicketState.CLOSED:
        raise ConflictError(f"Ticket {ticket.number} ist geschlossen; sein Prüfergebnis ändert sich nicht mehr.")
    catalogue = catalogue or load_catalogue(session)
    _refuse(plan, report, catalogue)
    before = due.outcome
    result = _write(session, due, report)
    _tell(session, ticket, due, result, plan)
    if report.outcome is CheckOutcome.FAILED and result.incident_id is None:
        entry = catalogue.of(plan.check)
        topic = entry.topic if entry else ticket.topic
        result.incident_id = _open_incident(session, ticket, due, result, title=catalogue.title(plan.check), topic=topic).id
    elif before is CheckOutcome.FAILED and report.outcome is not before and result.incident_id is not None:
        _correct_incident(session, ticket, due, result)
    if ticket.state is TicketState.NEW:
        ticket.state = TicketState.OPEN
    session.flush()
    session.refresh(due)  # a trigger has copied the outcome
    settle(session, plan)
    return result


def record_all(session: Session, ticket_id: int, report: Report) -> list[CheckResult]:
    """The same result for every date of a ticket that has none yet (a listing of missed dates)."""
    open_ids = session.scalars(
        sa.select(DueDate.id).where(DueDate.ticket_id == ticket_id, DueDate.outcome.is_(None)).order_by(DueDate.due_on)
    ).all()
    return [record_result(session, due_id, report) for due_id in open_ids]


def _refuse(plan: AgreedCheck, report: Report, catalogue: Catalogue) -> None:
    if report.outcome is not CheckOutcome.DONE and not report.reason.strip():
        word = GERMAN_OUTCOME[report.outcome]
        raise UsageError(f"Prüfung »{plan.check}«: »{word}« braucht einen Grund, der Kunde liest ihn im Prüfnachweis.")
    entry = catalogue.of(plan.check)
    known = {reading.key for reading in entry.readings} if entry else set()
    if entry and (unknown := set(report.readings) - known):
        raise UsageError(
            f"Prüfung »{plan.check}«: Den Messwert {', '.join(sorted(unknown))} kennt der Prüfkatalog nicht. "
            f"Vorgesehen: {', '.join(sorted(known)) or 'keiner'}."
        )


def _write(session: Session, due: DueDate, report: Report) -> CheckResult:
    result = session.scalar(sa.select(CheckResult).where(CheckResult.due_date_id == due.id))
    if result is None:
        result = CheckResult(customer_id=due.customer_id, due_date_id=due.id)
        session.add(result)
    result.outcome = report.outcome
    result.reason = report.reason.strip() or None
    result.note = report.note.strip() or None
    result.performed_at = report.performed_at or clock.now()
    result.performed_by_id = report.technician_id
    result.readings = {key: value.strip() for key, value in report.readings.items() if value.strip()}
    result.items = [{"text": item.text, "ok": item.ok, "note": item.note} for item in report.items]
    session.flush()
    return result


def _tell(session: Session, ticket: Ticket, due: DueDate, result: CheckResult, plan: AgreedCheck) -> None:
    detail: dict[str, Any] = {
        "check": plan.check, "due": due.due_on.isoformat(), "outcome": result.outcome.value, "reason": result.reason,
    }  # fmt: skip
    session.add(
        TicketEvent(
            customer_id=ticket.customer_id,
            ticket_id=ticket.id,
            at=clock.now(),
            actor=str(session.info.get("actor", "system")),
            what="check_result",
            detail=detail,
        )
    )


def _open_incident(
    session: Session, ticket: Ticket, due: DueDate, result: CheckResult, *, title: str, topic: str | None
) -> Ticket:
    """The incident of a failed check; whoever comes second finds the first one's."""
    key = f"check-failed:{due.id}"
    known = session.scalar(sa.select(Ticket).where(Ticket.dedup_key == key))
    if known is not None:
        return known
    now = clock.now()
    incident = Ticket(
        customer_id=ticket.customer_id,
        number=next_numbers(session, "T", clock.local(now).year, 1)[0],
        kind=TicketKind.INCIDENT,
        state=TicketState.NEW,
        priority=Priority.HIGH,
        subject=f"Prüfung fehlgeschlagen: {title}"[:300],
        received_at=now,
        site_id=ticket.site_id,
        asset_id=ticket.asset_id,
        topic=topic,
        dedup_key=key,
    )
    session.add(incident)
    session.flush()
    text = (
        f"Die Prüfung »{title}« (fällig {due.due_on:%d.%m.%Y}, Ticket {ticket.number}) ist fehlgeschlagen:\n{result.reason}"
        + (f"\n\n{result.note}" if result.note else "")
    )
    session.add(
        Message(
            customer_id=incident.customer_id,
            ticket_id=incident.id,
            direction=MessageDirection.INTERNAL,
            author="Wartung",
            at=now,
            text=text,
        )
    )
    for one, other in ((incident, ticket), (ticket, incident)):
        session.add(
            TicketEvent(
                customer_id=one.customer_id, ticket_id=one.id, at=now, actor="Wartung", what="linked",
                detail={"ticket": other.number, "because": "check_failed", "due_date": due.id},
            )
        )  # fmt: skip
    session.flush()
    return incident


def _correct_incident(session: Session, ticket: Ticket, due: DueDate, result: CheckResult) -> None:
    """Tell the incident of a failed check that its result was corrected; whether it ends is for who works on it."""
    why = f": {result.reason}" if result.reason else "."
    session.add(
        Message(
            customer_id=ticket.customer_id,
            ticket_id=result.incident_id,
            direction=MessageDirection.INTERNAL,
            author="Wartung",
            at=clock.now(),
            text=f"Das Ergebnis der Prüfung (fällig {due.due_on:%d.%m.%Y}, Ticket {ticket.number}) wurde auf "
            f"»{GERMAN_OUTCOME[result.outcome]}« geändert{why}",
        )
    )


def add_evidence(session: Session, result_id: int, file_name: str, content: bytes) -> CheckEvidence:
    """Put a screenshot or file into the archive and to its result; the same file twice stays one.

    The type is read from the bytes, not from the name.

    Raises:
        UsageError: empty, too large, or of a type that proves nothing.
        ConflictError: the ticket is closed.
    """
    result = session.get(CheckResult, result_id)
    if result is None:
        raise NotFoundError(f"Wartung: Ein Ergebnis mit der Nummer {result_id} gibt es nicht.")
    of_date = sa.select(DueDate.ticket_id).where(DueDate.id == result.due_date_id).scalar_subquery()
    ticket = session.scalars(sa.select(Ticket).where(Ticket.id == of_date).with_for_update(read=True)).one()
    if ticket.state is TicketState.CLOSED:
        raise ConflictError(f"Ticket {ticket.number} ist geschlossen; sein Nachweis bekommt keine Belege mehr.")
    name = PurePath(file_name.replace("\\", "/")).name[:200] or "nachweis"
    content_type = _content_type(name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    known = session.scalar(
        sa.select(CheckEvidence).where(CheckEvidence.check_result_id == result_id, CheckEvidence.sha256 == sha256)
    )
    if known is not None:
        return known
    (kept,) = archive.keep(
        session,
        archive.Document(
            kind="checks",
            name=f"result-{result_id}",
            content=content,
            suffix=EVIDENCE_TYPES[content_type],
            customer_id=result.customer_id,
            day=clock.local(result.performed_at).date(),
        ),
    )
    evidence = CheckEvidence(
        customer_id=result.customer_id,
        check_result_id=result_id,
        file_name=name,
        content_type=content_type,
        size=len(content),
        sha256=sha256,
        archive_key=kept.key,
    )
    session.add(evidence)
    session.flush()
    return evidence


def _content_type(name: str, content: bytes) -> str:
    if not content:
        raise UsageError(f"Nachweis »{name}«: Die Datei ist leer.")
    if len(content) > MAX_EVIDENCE:
        raise UsageError(f"Nachweis »{name}«: Die Datei ist größer als {MAX_EVIDENCE // 1024 // 1024} MB.")
    for magic, content_type in _MAGIC:
        if content.startswith(magic):
            return content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text or text.lstrip()[:1] == "<":
        raise UsageError(f"Nachweis »{name}«: Erlaubt sind Bilder (PNG, JPEG, WebP), PDF, Text und CSV.")
    return "text/csv" if name.lower().endswith(".csv") else "text/plain"


def unproven(session: Session, ticket_id: int) -> list[tuple[str, dt.date]]:
    """Check and day of every due date of a ticket that has no result yet."""
    rows = session.execute(
        sa.select(AgreedCheck.check, DueDate.due_on)
        .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
        .where(DueDate.ticket_id == ticket_id, DueDate.outcome.is_(None))
        .order_by(DueDate.due_on)
    )
    return [(check, on) for check, on in rows]


def finish_ticket(session: Session, ticket_id: int, state: TicketState = TicketState.RESOLVED) -> Ticket:
    """Resolve or close a maintenance ticket.

    Raises:
        ConflictError: a due date has no result yet; the sentence names each. (The database refuses it as well.)
    """
    ticket = session.scalar(sa.select(Ticket).where(Ticket.id == ticket_id).with_for_update())
    if ticket is None:
        raise NotFoundError(f"Ein Ticket mit der Nummer {ticket_id} gibt es nicht.")
    if missing := unproven(session, ticket_id):
        named = ", ".join(f"{check} am {on:%d.%m.%Y}" for check, on in missing[:5])
        more = f" und {len(missing) - 5} weitere" if len(missing) > 5 else ""
        raise ConflictError(
            f"Ticket {ticket.number} kann noch nicht abgeschlossen werden: Es fehlt das Ergebnis von {named}{more}. "
            "Bitte tragen Sie erledigt, fehlgeschlagen oder ausgelassen ein."
        )
    now = clock.now()
    ticket.state = state
    ticket.resolved_at = ticket.resolved_at or now
    if state is TicketState.CLOSED:
        ticket.closed_at = now
    session.add(
        TicketEvent(
            customer_id=ticket.customer_id, ticket_id=ticket.id, at=now,
            actor=str(session.info.get("actor", "system")), what=state.value, detail={},
        )
    )  # fmt: skip
    session.flush()
    return ticket
