"""A signed Bedarfsanalyse is put into force: plans begin, go on with new terms, are moved or end (S105)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.analysis import TERMS, lines_of, open_draft
from actions.maintenance.catalogue import SUFFIX, Catalogue, load_catalogue
from actions.maintenance.changes import EditPlan, EndSeries, MoveSeries, PlanPreview, change_plan
from actions.maintenance.ledger import replan
from actions.maintenance.term_words import terms_named
from kit.errors import ConflictError, UsageError
from models.maintenance import AgreedCheck, NeedsAnalysis, NeedsAnalysisLine
from models.parties import Site
from rules.cadence import parse
from rules.workdays import ONE_DAY


@dataclass(slots=True)
class Step:
    """What signing does to one plan."""

    sentence: str
    preview: PlanPreview | None = None


@dataclass(slots=True)
class Signing:
    """What signing does to all plans of the customer, in the order of the list."""

    steps: list[Step] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """For the page and the command line."""
        return [step.sentence + (f" {step.preview.summary}" if step.preview else "") for step in self.steps]


def preview_signing(session: Session, analysis_id: int, today: dt.date) -> Signing:
    """What would happen to the customer's plans if this version were signed today. Writes nothing that stays."""
    savepoint = session.begin_nested()
    try:
        return _put_into_force(session, open_draft(session, analysis_id), today)
    finally:
        savepoint.rollback()
        session.expire_all()


def sign(session: Session, analysis_id: int, agreed_on: dt.date, agreed_by: str, today: dt.date) -> Signing:
    """The customer has signed: the version is frozen and its plans are put into force.

    Args:
        session: the transaction.
        analysis_id: the draft.
        agreed_on: the day of the signature.
        agreed_by: the person who signed for the customer.
        today: plans change from this day on.

    Raises:
        ConflictError: it is signed already, or two plans would collide.
        UsageError: nothing is chosen, no name, or a signature from the future.
    """
    row = open_draft(session, analysis_id)
    if not agreed_by.strip() or agreed_on > today:
        raise UsageError(
            "Bedarfsanalyse: Bitte nennen Sie, wer unterschrieben hat, und einen Tag, der nicht in der Zukunft liegt."
        )
    if not lines_of(session, analysis_id):
        raise UsageError("Bedarfsanalyse: Es ist noch keine Prüfung gewählt.")
    signing = _put_into_force(session, row, today)
    row.agreed_on, row.agreed_by = agreed_on, agreed_by.strip()
    session.flush()
    return signing


def _put_into_force(session: Session, row: NeedsAnalysis, today: dt.date) -> Signing:
    signing = Signing()
    catalogue = load_catalogue(session)
    running = _running(session, row.customer_id, today)
    sites = dict(session.execute(sa.select(Site.id, Site.name).where(Site.customer_id == row.customer_id)).tuples().all())
    agreed: set[int] = set()
    for line in lines_of(session, row.id):
        name = line.check if line.site_id is None else f"{line.check}{SUFFIX}{sites[line.site_id]}"
        if line.cadence is None:
            signing.steps.append(Step(f"»{name}« ist vereinbart, die Termine sind noch offen."))
            continue
        chain = _chain([p for p in running if _same(p, name, line.site_id, catalogue) and p.id not in agreed])
        if chain:
            chain = _go_on(session, chain, line, today, signing)
        else:
            chain = [_begin(session, line, name, today, signing)]
        for plan in chain:
            plan.needs_analysis_id, plan.line_id = row.id, line.id
        session.flush()
        agreed |= {plan.id for plan in chain}
    for plan in running:
        if plan.id not in agreed and plan.needs_analysis_id is not None and plan.ends_on is None:
            preview = change_plan(session, plan.id, EndSeries(today - ONE_DAY), today, remember=False)
            signing.steps.append(Step(f"»{plan.check}« ist nicht mehr vereinbart und endet.", preview))
    return signing


def _running(session: Session, customer_id: int, today: dt.date) -> list[AgreedCheck]:
    return list(
        session.scalars(
            sa.select(AgreedCheck)
            .where(
                AgreedCheck.customer_id == customer_id,
                sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= today),
            )
            .order_by(AgreedCheck.starts_on, AgreedCheck.id)
            .with_for_update(key_share=True)
        )
    )


def _same(plan: AgreedCheck, name: str, site_id: int | None, catalogue: Catalogue) -> bool:
    return plan.site_id == site_id and catalogue.title(plan.check).lower() == name.lower()


def _chain(plans: Sequence[AgreedCheck]) -> list[AgreedCheck]:
    """The first plan, and those that take over from it on a day to come because the series was moved."""
    chain = list(plans[:1])
    for plan in plans[1:]:
        if plan.follows_id == chain[-1].id:
            chain.append(plan)
    return chain


def _begin(session: Session, line: NeedsAnalysisLine, name: str, today: dt.date, signing: Signing) -> AgreedCheck:
    taken = sa.select(AgreedCheck.id).where(
        AgreedCheck.customer_id == line.customer_id, AgreedCheck.check == name, AgreedCheck.starts_on == line.starts_on
    )
    if session.scalar(taken) is not None:
        raise ConflictError(
            f"Bedarfsanalyse: Ein beendeter Plan »{name}« beginnt schon am {line.starts_on:%d.%m.%Y}. "
            "Wählen Sie einen anderen Beginn."
        )
    plan = AgreedCheck(
        customer_id=line.customer_id,
        check=name,
        cadence=str(parse(line.cadence or "")),
        starts_on=line.starts_on,
        site_id=line.site_id,
        **{term: getattr(line, term) for term in TERMS},
    )
    session.add(plan)
    session.flush()
    dates = len(replan(session, plan, today).insert)
    signing.steps.append(
        Step(f"»{name}« beginnt am {line.starts_on:%d.%m.%Y} mit {dates} Terminen in den nächsten 13 Monaten.")
    )
    return plan


def _go_on(
    session: Session, chain: list[AgreedCheck], line: NeedsAnalysisLine, today: dt.date, signing: Signing
) -> list[AgreedCheck]:
    """The plans that run already take on the new terms; another rule moves the series. Returns the plans that go on."""
    changed = False
    for plan in chain:
        terms = {name: getattr(line, name) for name in TERMS if getattr(line, name) != getattr(plan, name)}
        if terms:
            preview = change_plan(session, plan.id, EditPlan(terms), today, remember=False)
            signing.steps.append(Step(f"»{plan.check}« läuft weiter; geändert: {terms_named(terms)}.", preview))
            changed = True
    plan = chain[-1]
    if str(parse(line.cadence or "")) == str(parse(plan.cadence)):
        if not changed:
            signing.steps.append(Step(f"»{plan.check}« läuft unverändert weiter."))
        return chain
    from_on = max(line.starts_on, today)
    for before in chain[:-1]:
        if before.ends_on is None or before.ends_on >= from_on:
            change_plan(session, before.id, EndSeries(from_on - ONE_DAY), today, remember=False)
    moved = change_plan(session, plan.id, MoveSeries(from_on, line.cadence or ""), today, remember=False)
    signing.steps.append(Step(" ".join(moved.sentences), moved))
    successor = session.scalar(sa.select(AgreedCheck).where(AgreedCheck.follows_id == plan.id).order_by(AgreedCheck.id.desc()))
    return [*chain, successor] if successor is not None else chain
