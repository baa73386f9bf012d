"""Plans as maintenance reads them: the agreed check with its terms, names and cover, many in few statements."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import Catalogue, Entry
from kit.errors import NotFoundError
from models.contracts import Contract, ContractKind
from models.maintenance import AgreedCheck, CompanyDay, NeedsAnalysis, PlanPause
from models.parties import Customer, Lifecycle, Site
from rules.cadence import Cadence, parse
from rules.cadence_german import describe
from rules.company_calendar import CompanyCalendar
from rules.due_ledger import Pause, Terms

CONTRACT_NAMES = {
    ContractKind.KONTINGENT: "Kontingent",
    ContractKind.RENTAL: "Mietvertrag",
    ContractKind.DATA_CENTRE: "Rechenzentrumsvertrag",
    ContractKind.MANAGED: "Managed-Services-Vertrag",
}


@dataclass(frozen=True, slots=True)
class Cover:
    """The contract that covers the work of a plan."""

    number: str
    kind: ContractKind
    starts_on: dt.date
    ends_on: dt.date | None

    @property
    def german(self) -> str:
        """E.g. `Mietvertrag R-2022-037`."""
        return f"{CONTRACT_NAMES[self.kind]} {self.number}"

    def in_force(self, day: dt.date) -> bool:
        """Whether it runs on that day; both ends belong to it."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Plan:
    """One agreed check with everything that its dates and tickets say."""

    row: AgreedCheck
    title: str
    entry: Entry | None
    minutes: int
    customer_number: str
    customer_name: str
    customer_active: bool
    site_name: str
    cover: Cover | None
    agreed: str
    """E.g. `Bedarfsanalyse Version 2 vom 03.02.2026`; empty without one."""
    pauses: tuple[Pause, ...]

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def cadence(self) -> Cadence:
        """The rule. Raises: CadenceError."""
        return parse(self.row.cadence)

    @property
    def terms(self) -> Terms:
        """What its dates follow from. Raises: CadenceError."""
        return Terms(self.cadence, self.row.starts_on, self.row.ends_on, self.row.shift, self.pauses)

    @property
    def checklist(self) -> Sequence[str]:
        """As agreed with the customer, else the catalogue's."""
        return self.row.checklist or (self.entry.checklist if self.entry else ())

    @property
    def interval(self) -> str:
        """In German words; an unreadable rule as it is written."""
        try:
            return describe(self.cadence, self.row.starts_on)
        except ValueError:
            return self.row.cadence


def company_calendar(session: Session) -> CompanyCalendar:
    """NRW holidays and the house's own closing days."""
    days = session.execute(sa.select(CompanyDay.day, CompanyDay.name)).tuples()
    return CompanyCalendar(dict(days.all()))


def pauses_of(session: Session, plan_ids: Collection[int]) -> dict[int, tuple[Pause, ...]]:
    """The pauses of plans, earliest first."""
    found: dict[int, list[Pause]] = defaultdict(list)
    rows = session.execute(
        sa.select(PlanPause.agreed_check_id, PlanPause.first_on, PlanPause.last_on, PlanPause.reason)
        .where(PlanPause.agreed_check_id.in_(plan_ids))
        .order_by(PlanPause.first_on, PlanPause.id)
    )
    for plan_id, first, last, reason in rows:
        found[plan_id].append(Pause(first, last, reason))
    return {plan_id: tuple(pauses) for plan_id, pauses in found.items()}


def load_plans(session: Session, plan_ids: Collection[int], catalogue: Catalogue) -> list[Plan]:
    """Plans by id, in order of id."""
    pauses = pauses_of(session, plan_ids)
    rows = session.execute(
        sa.select(AgreedCheck, Customer, Site.name, Contract, NeedsAnalysis)
        .join(Customer, Customer.id == AgreedCheck.customer_id)
        .outerjoin(Site, Site.id == AgreedCheck.site_id)
        .outerjoin(Contract, Contract.id == AgreedCheck.contract_id)
        .outerjoin(NeedsAnalysis, NeedsAnalysis.id == AgreedCheck.needs_analysis_id)
        .where(AgreedCheck.id.in_(plan_ids))
        .order_by(AgreedCheck.id)
        .execution_options(populate_existing=True)
    )
    return [
        Plan(
            row=row,
            title=catalogue.title(row.check),
            entry=catalogue.of(row.check),
            minutes=catalogue.minutes(row.check, row.duration_minutes),
            customer_number=customer.number,
            customer_name=customer.name,
            customer_active=customer.lifecycle is not Lifecycle.CLOSED,
            site_name=site_name or "",
            cover=Cover(contract.number, contract.kind, contract.starts_on, contract.ends_on) if contract else None,
            agreed=_agreed(analysis),
            pauses=pauses.get(row.id, ()),
        )
        for row, customer, site_name, contract, analysis in rows
    ]


def _agreed(analysis: NeedsAnalysis | None) -> str:
    if analysis is None or analysis.agreed_on is None:
        return ""
    return f"Bedarfsanalyse Version {analysis.version} vom {analysis.agreed_on:%d.%m.%Y}"


def locked_plan(session: Session, plan_id: int) -> AgreedCheck:
    """One plan, held against the round and other changes until the transaction ends.

    Raises:
        NotFoundError: no such plan.
    """
    statement = sa.select(AgreedCheck).where(AgreedCheck.id == plan_id).with_for_update(key_share=True)
    row = session.scalar(statement.execution_options(populate_existing=True))
    if row is None:
        raise NotFoundError(f"Wartung: Einen Plan mit der Nummer {plan_id} gibt es nicht.")
    return row
