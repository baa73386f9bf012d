"""The papers of maintenance from rows: Bedarfsanalyse, and a month's Prüfnachweis as PDF and as data (S105, S110)."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from actions import archive
from actions.billing.around import Around, house_content, load_around
from actions.maintenance.analysis import analysis, lines_of
from actions.maintenance.catalogue import Catalogue, load_catalogue, read_catalogue
from actions.maintenance.planbook import CONTRACT_NAMES, Plan, load_plans
from integrations.documents import maintenance as doc
from kit import clock
from kit.errors import NotFoundError
from models.contracts import Contract
from models.maintenance import (
    AgreedCheck,
    CheckEvidence,
    CheckOutcome,
    CheckProof,
    CheckResult,
    DueDate,
    NeedsAnalysis,
    NeedsAnalysisLine,
)
from models.parties import Customer, Employee
from models.service_desk import Ticket
from rules.cadence import Shift, first_day, parse
from rules.cadence_german import describe
from rules.catch_up import CatchUp
from rules.due_ledger import DueState
from rules.month import Month
from rules.retention import RecordClass

SHIFT_WORDS = {
    Shift.NONE: "bleiben Termine",
    Shift.NEXT_WORKDAY: "rücken auf den nächsten Arbeitstag",
    Shift.PREVIOUS_WORKDAY: "rücken auf den vorigen Arbeitstag",
}
CATCH_UP_WORDS = {
    CatchUp.ALL: "werden einzeln nachgeholt",
    CatchUp.LATEST: "nur der jüngste wird nachgeholt",
    CatchUp.ONE_LISTING: "werden in einem Ticket zusammen nachgeholt",
    CatchUp.SKIP: "werden nicht nachgeholt",
}
_OUTCOMES = {
    CheckOutcome.DONE: doc.Outcome.DONE,
    CheckOutcome.FAILED: doc.Outcome.FAILED,
    CheckOutcome.SKIPPED: doc.Outcome.SKIPPED,
}
_STATES = {
    DueState.PLANNED: doc.Outcome.PLANNED,
    DueState.CREATED: doc.Outcome.OPEN,
    DueState.SKIPPED: doc.Outcome.SKIPPED,
    DueState.MOVED: doc.Outcome.MOVED,
}


# ---------------------------------------------------------------- Bedarfsanalyse


def analysis_content(session: Session, analysis_id: int) -> doc.NeedsAnalysisContent:
    """What the paper of a version says."""
    row = analysis(session, analysis_id)
    around = load_around(session, [row.customer_id])
    catalogue = load_catalogue(session)
    lines = lines_of(session, analysis_id)
    people = _people(session, {line.technician_id for line in lines if line.technician_id})
    return doc.NeedsAnalysisContent(
        house=house_content(around.house),
        customer=around.party(row.customer_id),
        contact=around.contact(row.customer_id),
        version=row.version,
        made_on=clock.local(row.created_at).date(),
        agreed_on=row.agreed_on,
        agreed_by=row.agreed_by or "",
        lines=tuple(_agreed_line(line, catalogue, around, people) for line in lines),
        notes=row.notes or "",
    )


def _agreed_line(line: NeedsAnalysisLine, catalogue: Catalogue, around: Around, people: dict[int, str]) -> doc.AgreedLine:
    entry = catalogue.of(line.check)
    cadence = parse(line.cadence) if line.cadence else None
    opens, closes = line.window_opens, line.window_closes
    contract = around.contracts.get(line.contract_id or 0)
    return doc.AgreedLine(
        title=line.check,
        purpose=entry.purpose if entry else "",
        interval=describe(cadence, line.starts_on) if cadence else "nach Absprache",
        first=first_day(cadence, line.starts_on) if cadence else None,
        minutes=line.duration_minutes,
        window=f"{opens:%H:%M}–{closes:%H:%M} Uhr, ersetzt den Anruf vor Arbeitsbeginn" if opens and closes else "",
        responsible=people.get(line.technician_id or 0, "unser Serviceteam"),
        shift=SHIFT_WORDS[line.shift],
        catch_up=CATCH_UP_WORDS[line.catch_up],
        cover=_cover(contract),
        site=around.site_name(line.site_id),
        remark=line.remark or "",
        checklist=tuple(line.checklist),
    )


def _cover(contract: Contract | None) -> str:
    if contract is None:
        return "wie zwischen uns vereinbart"
    return f"{CONTRACT_NAMES[contract.kind]} {contract.number}"


def _people(session: Session, ids: set[int]) -> dict[int, str]:
    return {row.id: row.name for row in session.scalars(sa.select(Employee).where(Employee.id.in_(ids)))}


def analysis_pdf(session: Session, analysis_id: int) -> bytes:
    """The paper of a version as it stands; a signed one comes from the archive, byte for byte.

    Raises:
        RenderError, ArchiveDamagedError.
    """
    row = analysis(session, analysis_id)
    if row.archive_key:
        return archive.read(session, row.archive_key)
    return doc.render_needs_analysis(analysis_content(session, analysis_id))


def file_analysis(session: Session, analysis_id: int) -> NeedsAnalysis:
    """Put the paper of a signed version into the archive, once. A second call finds it there."""
    row = analysis(session, analysis_id)
    if row.agreed_on is None or row.archive_key:
        return row
    customer = session.get_one(Customer, row.customer_id)
    (kept,) = archive.keep(
        session,
        archive.Document(
            kind="needs-analyses",
            name=f"{customer.number}-v{row.version}",
            content=doc.render_needs_analysis(analysis_content(session, analysis_id)),
            record_class=RecordClass.LETTER,
            customer_id=row.customer_id,
            day=row.agreed_on,
        ),
    )
    row.archive_key, row.sha256 = kept.key, kept.sha256
    session.flush()
    return row


def unfiled_analyses(session: Session) -> list[int]:
    """Signed versions whose paper is not in the archive yet."""
    return list(
        session.scalars(
            sa.select(NeedsAnalysis.id)
            .where(NeedsAnalysis.agreed_on.is_not(None), NeedsAnalysis.archive_key.is_(None))
            .order_by(NeedsAnalysis.id)
        )
    )


# ---------------------------------------------------------------- Prüfnachweis


def proof_content(session: Session, customer_id: int, month: Month, version: int = 1) -> doc.CheckProofContent:
    """What was done for a customer in a month, check by check, as the ledger stands now."""
    around = load_around(session, [customer_id])
    if customer_id not in around.customers:
        raise NotFoundError(f"Einen Kunden mit der Nummer {customer_id} gibt es nicht.")
    return doc.CheckProofContent(
        house=house_content(around.house),
        customer=around.party(customer_id),
        contact=around.contact(customer_id),
        month=month.first_day,
        version=version,
        issued_on=clock.today(),
        checks=proof_checks(session, customer_id, month),
    )


def proof_checks(session: Session, customer_id: int, month: Month) -> tuple[doc.ProofCheck, ...]:
    """The checks of a month with their dates; reads only what a customer's session may see as well."""
    dates = _dates(session, customer_id, month)
    plan_ids = {row.agreed_check_id for row, *_ in dates} | set(_running_plans(session, customer_id, month))
    plans = load_plans(session, plan_ids, read_catalogue(session))
    last_done, next_due = _last_done(session, plan_ids, month), _next_due(session, plan_ids, month)
    lines: dict[int, list[doc.ProofLine]] = defaultdict(list)
    evidence = _evidence(session, [result.id for _, result, *_ in dates if result is not None])
    labels = {plan.id: _labels(plan) for plan in plans}
    for row, result, ticket, incident, first_name, last_name in dates:
        count = evidence.get(result.id, 0) if result else 0
        line = _proof_line(row, result, labels.get(row.agreed_check_id, {}), evidence=count)
        who = f"{first_name} {last_name}" if last_name else ""
        lines[row.agreed_check_id].append(replace(line, ticket=ticket or "", incident=incident or "", technician=who))
    return tuple(
        doc.ProofCheck(
            title=plan.title,
            interval=plan.interval,
            site=plan.site_name,
            last_done=last_done.get(plan.id),
            next_due=next_due.get(plan.id),
            lines=tuple(lines.get(plan.id, ())),
        )
        for plan in sorted(plans, key=lambda plan: (plan.title.lower(), plan.site_name, plan.id))
    )


def _dates(session: Session, customer_id: int, month: Month) -> Sequence[Any]:
    incident = aliased(Ticket)
    return session.execute(
        sa.select(DueDate, CheckResult, Ticket.number, incident.number, Employee.first_name, Employee.last_name)
        .outerjoin(CheckResult, CheckResult.due_date_id == DueDate.id)
        .outerjoin(Ticket, Ticket.id == DueDate.ticket_id)
        .outerjoin(incident, incident.id == CheckResult.incident_id)
        .outerjoin(Employee, Employee.id == CheckResult.performed_by_id)
        .where(DueDate.customer_id == customer_id, DueDate.due_on.between(month.first_day, month.last_day))
        .order_by(DueDate.due_on, DueDate.id)
    ).all()


def _running_plans(session: Session, customer_id: int, month: Month) -> Sequence[int]:
    return session.scalars(
        sa.select(AgreedCheck.id).where(
            AgreedCheck.customer_id == customer_id,
            AgreedCheck.starts_on <= month.last_day,
            sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= month.first_day),
        )
    ).all()


def _last_done(session: Session, plan_ids: set[int], month: Month) -> dict[int, dt.date]:
    """When each check was really done last, up to the end of the month."""
    rows = session.execute(
        sa.select(DueDate.agreed_check_id, sa.func.max(CheckResult.performed_at))
        .join(CheckResult, CheckResult.due_date_id == DueDate.id)
        .where(
            DueDate.agreed_check_id.in_(plan_ids),
            CheckResult.outcome.in_([CheckOutcome.DONE, CheckOutcome.FAILED]),
            CheckResult.performed_at < clock.at_local(month.plus(1).first_day),
        )
        .group_by(DueDate.agreed_check_id)
    )
    return {plan_id: clock.local(at).date() for plan_id, at in rows}


def _next_due(session: Session, plan_ids: set[int], month: Month) -> dict[int, dt.date]:
    rows = session.execute(
        sa.select(DueDate.agreed_check_id, sa.func.min(DueDate.due_on))
        .where(
            DueDate.agreed_check_id.in_(plan_ids),
            DueDate.due_on > month.last_day,
            DueDate.state.in_([DueState.PLANNED, DueState.CREATED]),
        )
        .group_by(DueDate.agreed_check_id)
    )
    return dict(rows.tuples().all())


def _evidence(session: Session, result_ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(CheckEvidence.check_result_id, sa.func.count())
        .where(CheckEvidence.check_result_id.in_(result_ids))
        .group_by(CheckEvidence.check_result_id)
    )
    return dict(rows.tuples().all())


def _labels(plan: Plan) -> dict[str, str]:
    readings = plan.entry.readings if plan.entry else ()
    return {r.key: f"{r.label} ({r.unit})" if r.unit else r.label for r in readings}


def _proof_line(row: DueDate, result: CheckResult | None, labels: dict[str, str], *, evidence: int) -> doc.ProofLine:
    if result is None:
        reason = f"verlegt auf den {row.moved_to:%d.%m.%Y}: {row.reason}" if row.moved_to else row.reason or ""
        return doc.ProofLine(due_on=row.due_on, outcome=_STATES[row.state], reason=reason)
    return doc.ProofLine(
        due_on=row.due_on,
        outcome=_OUTCOMES[result.outcome],
        done_at=clock.local(result.performed_at),
        reason=result.reason or "",
        note=result.note or "",
        readings=tuple((labels.get(key, key), value) for key, value in result.readings.items()),
        evidence=evidence,
    )


def proof_data(content: doc.CheckProofContent) -> dict[str, Any]:
    """The proof as plain values, for JSON and for the customer's pages."""
    return {
        "customer": content.customer.number,
        "month": f"{content.month:%Y-%m}",
        "version": content.version,
        "checks": [_json(asdict(check)) for check in content.checks],
    }


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def issue_proof(session: Session, customer_id: int, month: Month) -> CheckProof:
    """Issue the proof of a month: a frozen PDF. The same state again gives the issued one, another state a new version.

    Raises:
        NotFoundError: no such customer.
        RenderError, ArchiveUnavailableError.
    """
    session.execute(sa.select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True))
    latest = session.scalar(
        sa.select(CheckProof)
        .where(CheckProof.customer_id == customer_id, CheckProof.month == str(month))
        .order_by(CheckProof.version.desc())
        .limit(1)
    )
    content = proof_content(session, customer_id, month)
    said = _digest(content)
    if latest is not None and latest.content_sha256 == said:
        return latest
    content = replace(content, version=latest.version + 1 if latest else 1)
    (kept,) = archive.keep(
        session,
        archive.Document(
            kind="check-proofs",
            name=f"{content.customer.number}-{month}-v{content.version}",
            content=doc.render_check_proof(content),
            record_class=RecordClass.LETTER,
            customer_id=customer_id,
            day=content.issued_on,
        ),
    )
    proof = CheckProof(
        customer_id=customer_id, month=str(month), version=content.version, issued_on=content.issued_on,
        content_sha256=said, archive_key=kept.key, sha256=kept.sha256,
    )  # fmt: skip
    session.add(proof)
    session.flush()
    return proof


def _digest(content: doc.CheckProofContent) -> str:
    """Of what is said about the checks; addresses and the day of issue do not make another state."""
    return hashlib.sha256(repr(content.checks).encode()).hexdigest()


def proofs_due(session: Session, month: Month) -> list[int]:
    """Customers with dates in a month and no proof of it yet."""
    had_dates = sa.select(DueDate.customer_id).where(DueDate.due_on.between(month.first_day, month.last_day))
    have_proof = sa.select(CheckProof.customer_id).where(CheckProof.month == str(month))
    return list(
        session.scalars(
            sa.select(Customer.id).where(Customer.id.in_(had_dates), Customer.id.not_in(have_proof)).order_by(Customer.id)
        )
    )
