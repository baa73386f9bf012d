"""Überbuchung: a proposal becomes an invoice only when the account manager releases it (U6, S169)."""

from dataclasses import dataclass, replace
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.inputs import load_months
from actions.billing.release import invoice_line
from actions.billing.sharing import DEPLOYMENT
from kit import clock
from kit.database import lock, notify
from kit.errors import ConflictError, NotFoundError
from kit.settings import settings
from models.billing import (
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Face,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    KontingentEntry,
    LedgerKind,
    ProposalState,
    RunState,
)
from models.contracts import Contract
from models.parties import Customer, Employee
from models.plumbing import OutboxEvent
from rules.correction import releasable
from rules.kontingent import correction_invoice
from rules.month import Month


@dataclass(frozen=True, slots=True)
class ListedProposal:
    """An over-booking as the list shows it; `releasable_minutes` is what of it may still be billed today."""

    id: int
    customer: str
    customer_name: str
    account_manager: str | None
    contract: str
    month: str
    minutes: int
    releasable_minutes: int
    price: Decimal
    net: Decimal
    rule: str
    state: str
    decided_by: str | None
    note: str | None


def _releasable(session: Session, proposal: CorrectionProposal, contract: Contract) -> int:
    month = Month.parse(proposal.month)
    _, given = next(iter(load_months(session, month, [proposal.customer_id])))
    terms = next(k for k in given.kontingente if k.number == contract.number)
    return releasable(terms, month, proposal.minutes)


def open_proposals(session: Session, *, decided: bool = False) -> list[ListedProposal]:
    """Proposals that wait for a decision (or all that were decided), oldest month first."""
    wanted = (
        CorrectionProposal.state != ProposalState.PROPOSED if decided else CorrectionProposal.state == ProposalState.PROPOSED
    )
    rows = session.execute(
        sa.select(CorrectionProposal, Contract, Customer, Employee)
        .join(Contract, Contract.id == CorrectionProposal.contract_id)
        .join(Customer, Customer.id == CorrectionProposal.customer_id)
        .outerjoin(Employee, Employee.id == Customer.account_manager_id)
        .where(wanted)
        .order_by(CorrectionProposal.month, Customer.number)
    ).tuples()
    return [
        ListedProposal(
            id=proposal.id,
            customer=customer.number,
            customer_name=customer.name,
            account_manager=manager.name if manager else None,
            contract=contract.number,
            month=proposal.month,
            minutes=proposal.minutes,
            releasable_minutes=0 if decided else _releasable(session, proposal, contract),
            price=proposal.price,
            net=proposal.net,
            rule=proposal.rule,
            state=proposal.state.value,
            decided_by=proposal.decided_by,
            note=proposal.note,
        )
        for proposal, contract, customer, manager in rows
    ]


def find_proposal(session: Session, contract: str, month: Month) -> int:
    """The proposal of a contract's month. Raises: NotFoundError."""
    found = session.scalar(
        sa.select(CorrectionProposal.id)
        .join(Contract, Contract.id == CorrectionProposal.contract_id)
        .where(Contract.number == contract, CorrectionProposal.month == str(month))
    )
    if found is None:
        raise NotFoundError(f"Vertrag {contract}, {month}: Dafür ist keine Überbuchung vorgeschlagen.")
    return found


def _take(session: Session, proposal_id: int) -> CorrectionProposal:
    proposal = session.get(CorrectionProposal, proposal_id, with_for_update=True)
    if proposal is None:
        raise NotFoundError(f"Korrekturvorschlag {proposal_id}: gibt es nicht.")
    if proposal.state is not ProposalState.PROPOSED:
        raise ConflictError(f"Korrekturvorschlag {proposal.month}: schon entschieden ({proposal.state.value}).")
    return proposal


def release_proposal(session: Session, proposal_id: int, actor: str, note: str = "") -> int:
    """Bill the missing minutes: an invoice of kind correction, and the same minutes back on the month's last day.

    Returns:
        the minutes that will be billed; less than proposed when later corrections have billed a part of them.

    Raises:
        ConflictError: decided already, or nothing is missing any more.
    """
    proposal = _take(session, proposal_id)
    contract = session.get_one(Contract, proposal.contract_id)
    lock(session, f"kontingent:{contract.number}")
    month = Month.parse(proposal.month)
    _, given = next(iter(load_months(session, month, [proposal.customer_id])))
    terms = next(k for k in given.kontingente if k.number == contract.number)
    minutes = releasable(terms, month, proposal.minutes)
    if minutes <= 0:
        raise ConflictError(f"Vertrag {contract.number}, {month}: Es fehlen keine Minuten mehr, die berechnet werden könnten.")
    draft, row = correction_invoice(
        replace(terms, hour_price=proposal.price), month, minutes, Decimal(settings().service_vat_rate)
    )
    proposal.state, proposal.decided_at = ProposalState.RELEASED, clock.now()
    proposal.decided_by, proposal.note = actor, note or None
    item = session.get_one(BillingItem, proposal.item_id)
    customer = session.get_one(Customer, proposal.customer_id)
    invoice_id = None
    if draft is not None:
        invoice = Invoice(
            customer_id=customer.id,
            item_id=item.id,
            kind=InvoiceKind.CORRECTION,
            month=proposal.month,
            contract_id=contract.id,
            paying_site_id=item.paying_site_id,
            face=Face(customer.delivery.value),
            supply_from=month.first_day,
            supply_to=month.last_day,
            net=draft.net,
            vat=draft.vat,
            gross=draft.gross,
            reason=f"Überbuchung des Kontingents {contract.number} im Monat {month}",
        )
        session.add(invoice)
        session.flush()
        invoice_id = invoice.id
        for position, line in enumerate(draft.lines, start=1):
            session.add(InvoiceLine(**invoice_line(customer.id, invoice.id, position, line, None)))
    session.add(
        KontingentEntry(
            customer_id=customer.id,
            contract_id=contract.id,
            day=row.day,
            kind=LedgerKind.CORRECTION,
            minutes=row.minutes,
            month=str(month),
            item_id=item.id,
            invoice_id=invoice_id,
        )
    )
    visit_again(session, proposal.month, f"correction:{proposal.id}")
    session.flush()
    return minutes


def reject_proposal(session: Session, proposal_id: int, actor: str, note: str) -> None:
    """Leave the minutes in the balance; later credits offset them."""
    proposal = _take(session, proposal_id)
    proposal.state, proposal.decided_at = ProposalState.REJECTED, clock.now()
    proposal.decided_by, proposal.note = actor, note or None
    session.flush()


def visit_again(session: Session, month: str, why: str) -> None:
    """Something of the month can go on: start its next visit; the daily one sees the month as well."""
    session.execute(
        sa.update(BillingRun).where(BillingRun.month == month, BillingRun.state == RunState.DONE).values(state=RunState.WAITING)
    )
    session.add(OutboxEvent(deployment=DEPLOYMENT, parameters={"month": month}, key=f"billing-visit:{month}:{why}"))
    notify(session, "outbox_event")
