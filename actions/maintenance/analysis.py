"""Bedarfsanalyse in versions: checks chosen with the customer (S106); signing is `signing`, what belongs to it `belongings`."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from kit import clock
from kit.errors import ConflictError, NotFoundError, UsageError
from models.maintenance import AgreedCheck, NeedsAnalysis, NeedsAnalysisLine
from models.parties import Customer
from rules.cadence import parse
from rules.workdays import ONE_DAY

TERMS = ("duration_minutes", "window_opens", "window_closes", "technician_id", "catch_up", "shift", "contract_id", "checklist")
"""What a line and a plan have in common besides the rule."""


def analysis(session: Session, analysis_id: int) -> NeedsAnalysis:
    """One version. Raises: NotFoundError."""
    row = session.get(NeedsAnalysis, analysis_id)
    if row is None:
        raise NotFoundError(f"Eine Bedarfsanalyse mit der Nummer {analysis_id} gibt es nicht.")
    return row


def lines_of(session: Session, analysis_id: int) -> list[NeedsAnalysisLine]:
    """The checks of a version in their order."""
    return list(
        session.scalars(
            sa.select(NeedsAnalysisLine)
            .where(NeedsAnalysisLine.needs_analysis_id == analysis_id)
            .order_by(NeedsAnalysisLine.position)
        )
    )


def in_force(session: Session, customer_id: int) -> NeedsAnalysis | None:
    """The latest signed version of a customer."""
    return session.scalar(
        sa.select(NeedsAnalysis)
        .where(NeedsAnalysis.customer_id == customer_id, NeedsAnalysis.agreed_on.is_not(None))
        .order_by(NeedsAnalysis.version.desc())
        .limit(1)
    )


def draft(session: Session, customer_id: int, prepared_by_id: int | None = None) -> NeedsAnalysis:
    """The customer's open draft; a new one begins with what holds now.

    That is what the version in force says, with the rule and terms that its running plan has come to meanwhile: a series
    that the dispatcher has moved is not moved back by the next signature.
    """
    customer = session.scalar(sa.select(Customer).where(Customer.id == customer_id).with_for_update())
    if customer is None:
        raise NotFoundError(f"Einen Kunden mit der Nummer {customer_id} gibt es nicht.")
    latest = session.scalar(
        sa.select(NeedsAnalysis).where(NeedsAnalysis.customer_id == customer_id).order_by(NeedsAnalysis.version.desc()).limit(1)
    )
    if latest is not None and latest.agreed_on is None:
        return latest
    row = NeedsAnalysis(
        customer_id=customer_id, version=(latest.version if latest else 0) + 1, prepared_by_id=prepared_by_id,
        notes=latest.notes if latest else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    copied = ("position", "check", "cadence", "starts_on", "site_id", "remark", *TERMS)
    for line in lines_of(session, latest.id) if latest else ():
        values = {name: getattr(line, name) for name in copied} | _as_it_runs(session, line)
        session.add(NeedsAnalysisLine(customer_id=customer_id, needs_analysis_id=row.id, **values))
    if latest is None:
        _offer_running(session, row)
    session.flush()
    return row


def _offer_running(session: Session, row: NeedsAnalysis) -> None:
    """The first draft begins with the checks that run already without an agreement (they came with an import)."""
    catalogue = load_catalogue(session)
    plans = session.scalars(
        sa.select(AgreedCheck)
        .where(
            AgreedCheck.customer_id == row.customer_id,
            AgreedCheck.needs_analysis_id.is_(None),
            AgreedCheck.contract_id.is_(None),
            AgreedCheck.site_id.is_(None),
            AgreedCheck.ends_on.is_(None),
            AgreedCheck.fault.is_(None),
        )
        .order_by(AgreedCheck.check, AgreedCheck.starts_on, AgreedCheck.id)
    )
    offered: dict[str, AgreedCheck] = {}
    for plan in plans:
        offered.setdefault(catalogue.title(plan.check), plan)
    for position, (name, plan) in enumerate(offered.items(), start=1):
        entry = catalogue.of(plan.check)
        terms = {term: getattr(plan, term) for term in TERMS} | {
            "duration_minutes": catalogue.minutes(plan.check, plan.duration_minutes),
            "checklist": list(plan.checklist or (entry.checklist if entry else ())),
        }
        session.add(
            NeedsAnalysisLine(
                customer_id=row.customer_id, needs_analysis_id=row.id, position=position, check=name, cadence=plan.cadence,
                starts_on=plan.starts_on, **terms,
            )
        )  # fmt: skip


def _as_it_runs(session: Session, line: NeedsAnalysisLine) -> dict[str, Any]:
    """Rule and terms of the plan that follows a line now; empty when none runs."""
    plan = session.scalar(
        sa.select(AgreedCheck)
        .where(
            AgreedCheck.line_id == line.id,
            sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= clock.today()),
        )
        .order_by(AgreedCheck.starts_on.desc(), AgreedCheck.id.desc())
        .limit(1)
    )
    if plan is None or line.cadence is None:
        return {}
    kept = {name: getattr(plan, name) for name in ("cadence", "starts_on", *TERMS)}
    return {name: value for name, value in kept.items() if name not in ("duration_minutes", "checklist") or value}


def set_line(session: Session, analysis_id: int, check: str, *, site_id: int | None = None, **values: Any) -> NeedsAnalysisLine:
    """Choose a check for a draft, or change the choice. What is not said comes from the catalogue.

    Args:
        session: the transaction.
        analysis_id: the draft.
        check: key or title of the catalogue, or the name of a check of this customer alone.
        site_id: a site, if the check is for one only.
        values: cadence, starts_on, remark and the `TERMS`.

    Raises:
        ConflictError: the version is signed.
        CadenceError: the interval cannot be read.
        UsageError: nothing is known about the check and its interval is missing.
    """
    row = open_draft(session, analysis_id)
    catalogue = load_catalogue(session)
    entry, name = catalogue.of(check), catalogue.title(check)
    line = session.scalar(
        sa.select(NeedsAnalysisLine).where(
            NeedsAnalysisLine.needs_analysis_id == row.id,
            NeedsAnalysisLine.check == name,
            NeedsAnalysisLine.site_id.is_not_distinct_from(site_id),
        )
    )
    if line is None:
        if entry is None and "cadence" not in values:
            raise UsageError(f"Bedarfsanalyse: »{check}« steht nicht im Prüfkatalog; bitte geben Sie ein Intervall an.")
        last = session.scalar(
            sa.select(sa.func.max(NeedsAnalysisLine.position)).where(NeedsAnalysisLine.needs_analysis_id == row.id)
        )
        line = NeedsAnalysisLine(
            customer_id=row.customer_id,
            needs_analysis_id=row.id,
            position=(last or 0) + 1,
            check=name,
            site_id=site_id,
            cadence=entry.cadence if entry else None,
            starts_on=clock.today() + ONE_DAY,
            duration_minutes=catalogue.minutes(check, None),
            checklist=list(entry.checklist) if entry else [],
        )
        session.add(line)
    for field_name, value in values.items():
        if field_name not in {*TERMS, "cadence", "starts_on", "remark"}:
            raise UsageError(f"Bedarfsanalyse: »{field_name}« gibt es an einer Prüfung nicht.")
        setattr(line, field_name, str(parse(value)) if field_name == "cadence" and value else value)
    session.flush()
    return line


def remove_line(session: Session, analysis_id: int, line_id: int) -> None:
    """Take a check out of a draft. Raises: ConflictError when the version is signed."""
    open_draft(session, analysis_id)
    session.execute(
        sa.delete(NeedsAnalysisLine).where(NeedsAnalysisLine.id == line_id, NeedsAnalysisLine.needs_analysis_id == analysis_id)
    )


def open_draft(session: Session, analysis_id: int) -> NeedsAnalysis:
    row = analysis(session, analysis_id)
    if row.agreed_on is not None:
        raise ConflictError(
            f"Bedarfsanalyse Version {row.version} ist seit dem {row.agreed_on:%d.%m.%Y} unterschrieben und ändert sich nicht "
            "mehr. Beginnen Sie eine neue Version."
        )
    return row
