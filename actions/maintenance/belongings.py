"""What belongs to a Bedarfsanalyse: the tickets and the documents that came of it (S16)."""

import hashlib
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance.analysis import analysis
from actions.numbers import next_numbers
from kit import clock
from kit.errors import ConflictError, UsageError
from models.maintenance import AgreedCheck, DueDate, NeedsAnalysisDocument, NeedsAnalysisTicket
from models.service_desk import Message, MessageDirection, Ticket, TicketEvent, TicketKind
from rules.retention import RecordClass

DOCUMENT_TYPES = {b"%PDF-": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"PK\x03\x04": "zip"}


def link_ticket(session: Session, analysis_id: int, ticket_id: int) -> None:
    """Note that a ticket came of this analysis. Again changes nothing.

    Raises:
        ConflictError: the ticket belongs to another customer.
    """
    row, ticket = analysis(session, analysis_id), session.get(Ticket, ticket_id)
    if ticket is None or ticket.customer_id != row.customer_id:
        raise ConflictError("Bedarfsanalyse: Dieses Ticket gehört nicht zu diesem Kunden.")
    known = sa.select(NeedsAnalysisTicket.id).where(
        NeedsAnalysisTicket.needs_analysis_id == analysis_id, NeedsAnalysisTicket.ticket_id == ticket_id
    )
    if session.scalar(known) is None:
        session.add(NeedsAnalysisTicket(customer_id=row.customer_id, needs_analysis_id=analysis_id, ticket_id=ticket_id))
        session.flush()


def open_ticket(session: Session, analysis_id: int, subject: str, text: str, kind: TicketKind = TicketKind.REQUEST) -> Ticket:
    """A ticket that the talk about the needs has yielded, linked to the analysis (S16); the same subject twice is one."""
    row = analysis(session, analysis_id)
    key = f"needs-analysis:{row.id}:{hashlib.sha256(subject.strip().lower().encode()).hexdigest()[:16]}"
    known = session.scalar(sa.select(Ticket).where(Ticket.dedup_key == key))
    if known is not None:
        return known
    now, actor = clock.now(), str(session.info.get("actor", "system"))
    ticket = Ticket(
        customer_id=row.customer_id, number=next_numbers(session, "T", clock.local(now).year, 1)[0], kind=kind,
        subject=subject.strip()[:300], received_at=now, dedup_key=key,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    common: dict[str, Any] = {"customer_id": row.customer_id, "ticket_id": ticket.id, "at": now}
    session.add(Message(**common, direction=MessageDirection.INTERNAL, author=actor, text=text))
    session.add(TicketEvent(**common, actor=actor, what="created", detail={"needs_analysis": row.version}))
    session.add(NeedsAnalysisTicket(customer_id=row.customer_id, needs_analysis_id=row.id, ticket_id=ticket.id))
    session.flush()
    return ticket


def add_document(session: Session, analysis_id: int, title: str, file_name: str, content: bytes) -> NeedsAnalysisDocument:
    """Put a file (the signed scan, a network plan) to an analysis; the same bytes twice stay one.

    Raises:
        UsageError: not a PDF, picture or Office file.
    """
    row = analysis(session, analysis_id)
    suffix = next((suffix for magic, suffix in DOCUMENT_TYPES.items() if content.startswith(magic)), None)
    name = PurePath(file_name.replace("\\", "/")).name[:200]
    if suffix is None:
        raise UsageError(f"Bedarfsanalyse: »{name}« ist weder PDF noch Bild noch Office-Datei.")
    sha256 = hashlib.sha256(content).hexdigest()
    known = session.scalar(
        sa.select(NeedsAnalysisDocument).where(
            NeedsAnalysisDocument.needs_analysis_id == analysis_id, NeedsAnalysisDocument.sha256 == sha256
        )
    )
    if known is not None:
        return known
    (kept,) = archive.keep(
        session,
        archive.Document(
            kind="needs-analysis", name=f"analysis-{analysis_id}", content=content, suffix=suffix,
            record_class=RecordClass.LETTER, customer_id=row.customer_id,
        ),
    )  # fmt: skip
    document = NeedsAnalysisDocument(
        customer_id=row.customer_id, needs_analysis_id=analysis_id, title=title.strip() or name, file_name=name,
        archive_key=kept.key, sha256=kept.sha256, added_by=str(session.info.get("actor", "system")),
    )  # fmt: skip
    session.add(document)
    session.flush()
    return document


def tickets_of(session: Session, analysis_id: int, limit: int = 200) -> list[Ticket]:
    """Every ticket that came of an analysis: by its plans and otherwise, latest first."""
    by_plan = (
        sa.select(DueDate.ticket_id)
        .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
        .where(AgreedCheck.needs_analysis_id == analysis_id, DueDate.ticket_id.is_not(None))
    )
    linked = sa.select(NeedsAnalysisTicket.ticket_id).where(NeedsAnalysisTicket.needs_analysis_id == analysis_id)
    statement = sa.select(Ticket).where(sa.or_(Ticket.id.in_(by_plan), Ticket.id.in_(linked)))
    return list(
        session.scalars(statement.order_by(Ticket.received_at.desc(), Ticket.id.desc()).limit(limit), {"analysis": analysis_id})
    )


def documents_of(session: Session, analysis_id: int) -> list[NeedsAnalysisDocument]:
    """The files of an analysis, oldest first."""
    return list(
        session.scalars(
            sa.select(NeedsAnalysisDocument)
            .where(NeedsAnalysisDocument.needs_analysis_id == analysis_id)
            .order_by(NeedsAnalysisDocument.id)
        )
    )
