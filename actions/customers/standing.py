"""The Kontingente of a customer as of a day: one figure for portal, call view and account manager (S75, S117, S168)."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.inputs import load_months
from models.contracts import Contract
from models.parties import Employee
from models.service_desk import Ticket
from models.work import ServiceEntry
from rules.month import Month
from rules.monthly_types import LedgerEntry, LedgerKind
from rules.standing import Standing, standings


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One booking as the customer reads it: day, what, minutes (signed) and the balance after it."""

    day: dt.date
    kind: LedgerKind
    minutes: int
    balance: int
    entry: str | None = None
    ticket: str | None = None
    subject: str | None = None
    technician: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A contract's standing with its bookings, newest last, and what waits for approval apart."""

    standing: Standing
    contract: Contract
    lines: tuple[LedgerLine, ...]
    waiting: tuple[LedgerLine, ...]


def as_of(session: Session, customer_id: int, day: dt.date) -> tuple[Standing, ...]:
    """All Kontingente of the customer on a day."""
    month = Month.of(day)
    for _, given in load_months(session, month, [customer_id]):
        return standings(given, day)
    return ()


def account(session: Session, customer_id: int, contract: str, day: dt.date) -> Account | None:
    """One Kontingent with every booking up to the day; None when the customer has none of that number."""
    found = next((s for s in as_of(session, customer_id, day) if s.contract == contract), None)
    row = session.scalar(sa.select(Contract).where(Contract.customer_id == customer_id, Contract.number == contract))
    if found is None or row is None:
        return None
    work = _work(session, customer_id, {r.entry_id for r in (*found.rows, *found.waiting) if r.entry_id})
    balance, lines = found.opening, []
    for ledger in found.rows:
        balance += ledger.minutes
        lines.append(_line(ledger, balance, work))
    waiting = []
    for ledger in found.waiting:
        balance += ledger.minutes
        waiting.append(_line(ledger, balance, work))
    return Account(found, row, tuple(lines), tuple(waiting))


def _work(session: Session, customer_id: int, keys: set[str]) -> dict[str, sa.Row[tuple[str, str, str, str, str, str]]]:
    rows = session.execute(
        sa.select(ServiceEntry.key, ServiceEntry.text, Ticket.number, Ticket.subject, Employee.first_name, Employee.last_name)
        .join(Ticket, Ticket.id == ServiceEntry.ticket_id)
        .join(Employee, Employee.id == ServiceEntry.technician_id)
        .where(ServiceEntry.customer_id == customer_id, ServiceEntry.key.in_(keys))
    )
    return {row.key: row for row in rows}


def _line(row: LedgerEntry, balance: int, work: dict[str, sa.Row[tuple[str, str, str, str, str, str]]]) -> LedgerLine:
    done = work.get(row.entry_id or "")
    if done is None:
        return LedgerLine(row.day, row.kind, row.minutes, balance, row.entry_id)
    who = f"{done.first_name} {done.last_name}"
    return LedgerLine(row.day, row.kind, row.minutes, balance, row.entry_id, done.number, done.subject, who, done.text)
