"""Which Kontingente no longer fit: the account managers' watch list, and their alert after each month (S116, S169-S172)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import people
from models.billing import KontingentEntry, LedgerKind, ServiceReport, ServiceReportLine
from models.contracts import Contract, ContractKind, KontingentOpening
from models.parties import Customer, StaffRole
from models.service_desk import Ticket
from models.work import ServiceEntry, WorkKind
from rules.contract_fit import LOOK_BACK, Advice, ClosedMonth, Fit, advise, suggested_minutes
from rules.month import Month
from rules.proration import contract_days

USED = (LedgerKind.USAGE,)


@dataclass(frozen=True, slots=True)
class Watched:
    """A contract with its verdict; `months` are the closed ones behind it, oldest first."""

    contract: Contract
    customer: Customer
    advice: Advice
    months: tuple[tuple[Month, ClosedMonth], ...]

    @property
    def balance(self) -> int:
        """Closing balance of the last closed month, minutes."""
        return self.months[-1][1].balance if self.months else 0

    @property
    def granted(self) -> int:
        """Minutes granted in a whole month today."""
        return round((self.contract.kontingent_hours_per_month or 0) * 60)


def watch_list(session: Session, last: Month, *, account_manager_id: int | None = None) -> list[Watched]:
    """Every Kontingent in force with its verdict by the months closed up to `last`: what does not fit first.

    Args:
        session: reads.
        last: the last month that counts; only months with a stored grant (billed by a run) are closed.
        account_manager_id: only this person's customers.
    """
    statement = (
        sa.select(Contract, Customer)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(Contract.kind == ContractKind.KONTINGENT, sa.or_(Contract.ends_on.is_(None), Contract.ends_on > last.last_day))
        .order_by(Customer.number, Contract.number)
    )
    if account_manager_id is not None:
        statement = statement.where(Customer.account_manager_id == account_manager_id)
    pairs = session.execute(statement).tuples().all()
    closed = _closed_months(session, [contract for contract, _ in pairs], last)
    found = []
    for contract, customer in pairs:
        months = tuple(closed[contract.id])
        grant = round((contract.kontingent_hours_per_month or 0) * 60)
        found.append(Watched(contract, customer, advise([m for _, m in months], grant), months))
    rank = {Fit.TOO_TIGHT: 0, Fit.TOO_GENEROUS: 1, Fit.FITS: 2, Fit.TOO_EARLY: 3}
    return sorted(found, key=lambda w: (rank[w.advice.fit], w.customer.number, w.contract.number))


def _closed_months(session: Session, contracts: Sequence[Contract], last: Month) -> dict[int, list[tuple[Month, ClosedMonth]]]:
    """Whole months of each contract that a run has granted, up to `last`."""
    ids = [contract.id for contract in contracts]
    sums: dict[int, dict[Month, dict[LedgerKind, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    by_month = sa.func.date_trunc("month", KontingentEntry.day).cast(sa.Date)
    rows = session.execute(
        sa.select(KontingentEntry.contract_id, by_month, KontingentEntry.kind, sa.func.sum(KontingentEntry.minutes))
        .where(KontingentEntry.contract_id.in_(ids))
        .group_by(KontingentEntry.contract_id, by_month, KontingentEntry.kind)
    )
    for contract_id, first, kind, minutes in rows:
        sums[contract_id][Month.of(first)][kind] += int(minutes)
    beyond = _beyond(session, ids)
    openings = {
        o.contract_id: o for o in session.scalars(sa.select(KontingentOpening).where(KontingentOpening.contract_id.in_(ids)))
    }
    return {contract.id: _fold(contract, sums[contract.id], beyond, openings.get(contract.id), last) for contract in contracts}


def _fold(
    contract: Contract,
    sums: dict[Month, dict[LedgerKind, int]],
    beyond: dict[tuple[int, Month], int],
    opening: KontingentOpening | None,
    last: Month,
) -> list[tuple[Month, ClosedMonth]]:
    balance = opening.minutes if opening else 0
    contained = Month.of(opening.as_of) if opening else None
    months = []
    for month in sorted(sums):
        if month > last or (contained is not None and month < contained):
            continue
        balance += sum(sums[month].values())
        granted = sums[month].get(LedgerKind.GRANT, 0)
        days = contract_days(month, contract.starts_on, contract.ends_on)
        whole = days == (month.last_day - month.first_day).days + 1
        if granted and whole:
            used = -sum(sums[month].get(kind, 0) for kind in USED)
            months.append((month, ClosedMonth(granted, used + beyond.get((contract.id, month), 0), balance)))
    return months[-LOOK_BACK:]


def _beyond(session: Session, ids: Sequence[int]) -> dict[tuple[int, Month], int]:
    """Minutes that covered work needed beyond an exhausted Kontingent and that were paid in money, by month of work."""
    by_month = sa.func.date_trunc("month", ServiceEntry.work_date).cast(sa.Date)
    rows = session.execute(
        sa.select(ServiceReportLine.contract_id, by_month, sa.func.sum(ServiceReportLine.charged_minutes))
        .join(ServiceEntry, ServiceEntry.id == ServiceReportLine.entry_id)
        .where(ServiceReportLine.contract_id.in_(ids), ServiceReportLine.charged_minutes > 0)
        .group_by(ServiceReportLine.contract_id, by_month)
    )
    return {(contract_id, Month.of(first)): int(minutes) for contract_id, first, minutes in rows}


def needs_without_contract(session: Session, customer_id: int, last: Month) -> tuple[list[tuple[Month, int]], int]:
    """What a customer needed by month (billed minutes) and the hours that a Kontingent would want (S116)."""
    rows = session.execute(
        sa.select(ServiceReport.month, sa.func.sum(ServiceReportLine.billed_minutes))
        .join(ServiceReportLine, ServiceReportLine.report_id == ServiceReport.id)
        .join(ServiceEntry, ServiceEntry.id == ServiceReportLine.entry_id)
        .where(
            ServiceReport.customer_id == customer_id, ServiceEntry.billable, ServiceEntry.kind != WorkKind.PROJECT_DAY,
            ServiceReport.month <= str(last),
        )
        .group_by(ServiceReport.month)
        .order_by(ServiceReport.month)
    )  # fmt: skip
    months = [(Month.parse(month), int(minutes)) for month, minutes in rows][-LOOK_BACK:]
    return months, suggested_minutes([minutes for _, minutes in months])


WORDS = {
    Fit.TOO_TIGHT: "ist zu knapp kalkuliert",
    Fit.TOO_GENEROUS: "ist zu großzügig kalkuliert",
}


def tell(session: Session, month: Month) -> int:
    """After a month: one task per contract that does not fit, for the account managers; asked again after a quarter.

    A second call in the same quarter opens nothing (S171, S172). Returns how many contracts do not fit.
    """
    quarter = f"{month.year}-Q{(month.number + 2) // 3}"
    wrong = {
        f"contract-fit:{watched.contract.id}:{watched.advice.fit.value}:{quarter}": watched
        for watched in watch_list(session, month)
        if watched.advice.fit in WORDS
    }
    known = set(session.scalars(sa.select(Ticket.dedup_key).where(Ticket.dedup_key.in_(wrong))))
    for key, watched in wrong.items():
        if key not in known:
            subject = f"Kontingent {watched.contract.number} {WORDS[watched.advice.fit]}"
            role = StaffRole.ACCOUNT_MANAGER.value
            people.ask(session, people.Question(key, watched.customer.id, role, subject, explanation(watched)))
    return len(wrong)


def explanation(watched: Watched) -> str:
    """Why, in one paragraph with the figures, as the account manager tells the customer."""
    advice = watched.advice
    hours = f"{watched.granted / 60:.2f}".replace(".", ",")
    need = f"{advice.needed / 60:.2f}".replace(".", ",")
    better = f"{advice.suggested / 60:.1f}".replace(".", ",")
    balance = f"{watched.balance / 60:.2f}".replace(".", ",")
    return (
        f"Vereinbart sind {hours} Stunden im Monat, gebraucht wurden im Mittel der letzten {len(watched.months)} Monate "
        f"{need} Stunden; der Stand nach {watched.months[-1][0]} beträgt {balance} Stunden. "
        f"Passend wären etwa {better} Stunden im Monat. Bitte mit dem Kunden besprechen."
    )
