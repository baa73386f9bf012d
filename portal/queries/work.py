"""Around the approval list: what can be filtered by, sums, and what happened to an entry."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.approval import EntryFilter
from models.parties import Customer, Employee
from models.plumbing import AuditEntry
from models.work import ServiceEntry

_FIELDS = {
    "minutes": "Minuten",
    "trips": "Anfahrten",
    "text": "Tätigkeit",
    "billable": "berechenbar",
    "non_billable_reason": "Begründung",
    "state": "Stand",
    "returned_reason": "Rückgabe",
}
_WORDS = {
    "captured": "erfasst",
    "approved": "freigegeben",
    "reported": "berichtet",
    "invoiced": "berechnet",
    True: "ja",
    False: "nein",
    None: "leer",
}


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What open entries there are to filter by: (value, text) each."""

    customers: list[tuple[str, str]]
    technicians: list[tuple[str, str]]
    months: list[str]


def filter_choices(session: Session) -> FilterChoices:
    """Customers, technicians and months with entries that nobody has reported yet."""
    unreported = (ServiceEntry.report_id.is_(None), ServiceEntry.reported_elsewhere.is_(None))
    customers = session.execute(
        sa.select(Customer.number, Customer.name)
        .where(Customer.id.in_(sa.select(ServiceEntry.customer_id).where(*unreported)))
        .order_by(Customer.name)
    ).tuples()
    technicians = session.execute(
        sa.select(Employee.email, Employee.last_name, Employee.first_name)
        .where(Employee.id.in_(sa.select(ServiceEntry.technician_id).where(*unreported)))
        .order_by(Employee.last_name, Employee.first_name)
    ).tuples()
    month = sa.func.to_char(ServiceEntry.work_date, "YYYY-MM")
    months = session.scalars(sa.select(month).where(*unreported).distinct().order_by(month.desc())).all()
    return FilterChoices(
        [(number, f"{name} ({number})") for number, name in customers],
        [(email, f"{last}, {first}") for email, last, first in technicians],
        list(months),
    )


def minutes_of(session: Session, wanted: EntryFilter) -> int:
    """Minutes of all entries that the filter finds."""
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(ServiceEntry.minutes), 0))
        .join(Customer, Customer.id == ServiceEntry.customer_id)
        .join(Employee, Employee.id == ServiceEntry.technician_id)
        .where(ServiceEntry.reported_elsewhere.is_(None))
    )
    if wanted.state is not None:
        statement = statement.where(ServiceEntry.state == wanted.state)
    if wanted.customer:
        statement = statement.where(Customer.number == wanted.customer)
    if wanted.technician:
        statement = statement.where(Employee.email == wanted.technician.lower())
    if wanted.month:
        statement = statement.where(sa.func.to_char(ServiceEntry.work_date, "YYYY-MM") == wanted.month)
    if wanted.returned:
        statement = statement.where(ServiceEntry.returned_reason.is_not(None))
    return session.scalars(statement).one()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entry: who, when, and each field from what to what."""

    at: Any
    actor: str
    fields: list[tuple[str, str, str]]


def history(session: Session, key: str) -> list[Change]:
    """What the audit trail says of an entry, newest first; only what people care about."""
    entry_id = session.scalars(sa.select(ServiceEntry.id).where(ServiceEntry.key == key)).one()
    return [change for _, change in changes_of(session, [entry_id])]


def changes_of(session: Session, entry_ids: Collection[int]) -> list[tuple[int, Change]]:
    """The last fifty changes of these entries, newest first, each with the entry's id."""
    rows = session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.table_name == "service_entry", AuditEntry.row_id.in_(entry_ids), AuditEntry.action == "update")
        .order_by(AuditEntry.id.desc())
        .limit(50)
    )
    changes = []
    for row in rows:
        before, after = row.before or {}, row.after or {}
        fields = [(title, _word(before[name]), _word(after.get(name))) for name, title in _FIELDS.items() if name in before]
        if fields:
            changes.append((row.row_id or 0, Change(row.at, row.actor, fields)))
    return changes


def _word(value: Any) -> str:
    try:
        return _WORDS.get(value, str(value))
    except TypeError:
        return str(value)
