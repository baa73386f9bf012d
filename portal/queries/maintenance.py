"""What the pages of maintenance show: tickets with their dates, plans with their next date, customers with their analysis."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.planbook import Plan, load_plans
from models.maintenance import AgreedCheck, CheckEvidence, CheckProof, CheckResult, DueDate, NeedsAnalysis
from models.parties import Customer, Employee, StaffRole
from models.service_desk import Message, Ticket, TicketKind, TicketState
from portal.paging import Page, paged
from rules.due_ledger import DueState

OPEN = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A maintenance ticket in the list."""

    ticket: Ticket
    customer: Customer
    assignee: str
    suggested: str
    slot: dt.datetime | None
    first_due: dt.date
    dates: int
    proven: int


def tickets(session: Session, *, employee_id: int | None, state: str, number: int) -> Page[TicketRow]:
    """Open maintenance tickets, the earliest due first; of one person or of all. `state` "fertig" shows the ended ones."""
    statement = (
        sa.select(Ticket, Customer)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.kind == TicketKind.MAINTENANCE, sa.exists().where(DueDate.ticket_id == Ticket.id))
    )
    if state == "fertig":
        statement = statement.where(Ticket.state.not_in(OPEN)).order_by(Ticket.resolved_at.desc(), Ticket.id.desc())
    else:
        statement = statement.where(Ticket.state.in_(OPEN)).order_by(Ticket.due_at, Ticket.id)
    if employee_id is not None:
        suggested = sa.exists().where(DueDate.ticket_id == Ticket.id, DueDate.technician_id == employee_id)
        statement = statement.where(sa.or_(Ticket.assignee_id == employee_id, sa.and_(Ticket.assignee_id.is_(None), suggested)))
    found = paged(session, statement, number)
    dates: dict[int, list[DueDate]] = defaultdict(list)
    ids = [ticket.id for ticket, _ in found.rows]
    for due in session.scalars(sa.select(DueDate).where(DueDate.ticket_id.in_(ids)).order_by(DueDate.due_on)):
        dates[due.ticket_id or 0].append(due)
    names = employee_names(session)
    rows = [_ticket_row(ticket, customer, dates[ticket.id], names) for ticket, customer in found.rows]
    return Page(rows, found.number, found.total, found.per_page)


def _ticket_row(ticket: Ticket, customer: Customer, dates: Sequence[DueDate], names: dict[int, str]) -> TicketRow:
    return TicketRow(
        ticket=ticket,
        customer=customer,
        assignee=names.get(ticket.assignee_id or 0, ""),
        suggested=names.get(dates[-1].technician_id or 0, ""),
        slot=dates[-1].slot_at,
        first_due=dates[0].due_on,
        dates=len(dates),
        proven=sum(due.outcome is not None for due in dates),
    )


def employee_names(session: Session) -> dict[int, str]:
    """Everybody of the house by id."""
    return {row.id: row.name for row in session.scalars(sa.select(Employee))}


def technician_choices(session: Session) -> list[tuple[int, str]]:
    """Active technicians, by name."""
    rows = session.scalars(
        sa.select(Employee)
        .where(Employee.active, Employee.roles.contains([StaffRole.TECHNICIAN.value]))
        .order_by(Employee.last_name, Employee.first_name)
    )
    return [(row.id, row.name) for row in rows]


@dataclass(slots=True)
class DueRow:
    """A due date of a ticket with its result, to be filled in."""

    due: DueDate
    plan: Plan
    result: CheckResult | None
    evidence: list[CheckEvidence] = field(default_factory=list)


def dates_of_ticket(session: Session, ticket_id: int) -> list[DueRow]:
    """The due dates that a ticket covers."""
    rows = session.execute(
        sa.select(DueDate, CheckResult)
        .outerjoin(CheckResult, CheckResult.due_date_id == DueDate.id)
        .where(DueDate.ticket_id == ticket_id)
        .order_by(DueDate.due_on)
    ).all()
    plans = {plan.id: plan for plan in load_plans(session, {due.agreed_check_id for due, _ in rows}, load_catalogue(session))}
    evidence: dict[int, list[CheckEvidence]] = defaultdict(list)
    for found in session.scalars(
        sa.select(CheckEvidence)
        .where(CheckEvidence.check_result_id.in_([result.id for _, result in rows if result is not None]))
        .order_by(CheckEvidence.id)
    ):
        evidence[found.check_result_id].append(found)
    return [DueRow(due, plans[due.agreed_check_id], result, evidence[result.id] if result else []) for due, result in rows]


def notes_of(session: Session, ticket_id: int) -> Sequence[Message]:
    """What was written on a ticket, oldest first."""
    return session.scalars(sa.select(Message).where(Message.ticket_id == ticket_id).order_by(Message.at, Message.id)).all()


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan in the list."""

    plan: Plan
    technician: str
    next_due: dt.date | None


def plans(session: Session, today: dt.date, *, customer: str, state: str, number: int) -> Page[PlanRow]:
    """Plans by customer and check, running ones or all."""
    statement = (
        sa.select(AgreedCheck.id)
        .join(Customer, Customer.id == AgreedCheck.customer_id)
        .order_by(Customer.number, AgreedCheck.check, AgreedCheck.starts_on, AgreedCheck.id)
    )
    if customer:
        statement = statement.where(sa.or_(Customer.number == customer, Customer.name.icontains(customer, autoescape=True)))
    if state != "alle":
        statement = statement.where(sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= today))
    found = paged(session, statement, number)
    ids = [plan_id for (plan_id,) in found.rows]
    coming = session.execute(
        sa.select(DueDate.agreed_check_id, sa.func.min(DueDate.due_on))
        .where(DueDate.agreed_check_id.in_(ids), DueDate.state == DueState.PLANNED, DueDate.due_on >= today)
        .group_by(DueDate.agreed_check_id)
    )
    upcoming = dict(coming.tuples().all())
    loaded = {plan.id: plan for plan in load_plans(session, ids, load_catalogue(session))}
    names = employee_names(session)
    rows = [PlanRow(loaded[i], names.get(loaded[i].row.technician_id or 0, ""), upcoming.get(i)) for i in ids]
    return Page(rows, found.number, found.total, found.per_page)


def dates_of_plan(session: Session, plan_id: int, today: dt.date, *, before: int = 12, after: int = 26) -> list[Any]:
    """The last dates and the next ones of a plan, in order, with the ticket's number."""
    base = (
        sa.select(DueDate, Ticket.number)
        .outerjoin(Ticket, Ticket.id == DueDate.ticket_id)
        .where(DueDate.agreed_check_id == plan_id)
    )
    past = session.execute(base.where(DueDate.due_on < today).order_by(DueDate.due_on.desc()).limit(before)).all()
    coming = session.execute(base.where(DueDate.due_on >= today).order_by(DueDate.due_on).limit(after)).all()
    return [*reversed(past), *coming]


def customers_with_analysis(session: Session, *, search: str, number: int) -> Page[Any]:
    """Customers with the version in force, an open draft and the number of running plans."""
    agreed = (
        sa.select(
            NeedsAnalysis.customer_id,
            sa.func.max(NeedsAnalysis.version).label("version"),
            sa.func.max(NeedsAnalysis.agreed_on).label("on"),
        )
        .where(NeedsAnalysis.agreed_on.is_not(None))
        .group_by(NeedsAnalysis.customer_id)
        .subquery()
    )
    drafts = sa.select(NeedsAnalysis.customer_id).where(NeedsAnalysis.agreed_on.is_(None)).subquery()
    running = (
        sa.select(AgreedCheck.customer_id, sa.func.count().label("plans"))
        .where(AgreedCheck.ends_on.is_(None))
        .group_by(AgreedCheck.customer_id)
        .subquery()
    )
    statement = (
        sa.select(Customer, agreed.c.version, agreed.c.on, drafts.c.customer_id.label("draft"), running.c.plans)
        .outerjoin(agreed, agreed.c.customer_id == Customer.id)
        .outerjoin(drafts, drafts.c.customer_id == Customer.id)
        .outerjoin(running, running.c.customer_id == Customer.id)
        .order_by(Customer.number)
    )
    if search:
        statement = statement.where(sa.or_(Customer.number == search, Customer.name.icontains(search, autoescape=True)))
    return paged(session, statement, number)


def versions(session: Session, customer_id: int) -> Sequence[NeedsAnalysis]:
    """All versions of a customer, latest first."""
    return session.scalars(
        sa.select(NeedsAnalysis).where(NeedsAnalysis.customer_id == customer_id).order_by(NeedsAnalysis.version.desc())
    ).all()


def proofs(session: Session, customer_id: int) -> Sequence[CheckProof]:
    """The proofs issued to a customer, latest first."""
    return session.scalars(
        sa.select(CheckProof)
        .where(CheckProof.customer_id == customer_id)
        .order_by(CheckProof.month.desc(), CheckProof.version.desc())
        .limit(24)
    ).all()
