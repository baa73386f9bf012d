"""First wall between customers: every statement of a customer's session is narrowed to that customer's rows.

`kit.database.unit_of_work` writes the scope into `session.info`: ALL for the house, a customer's id for a session of the
role `portal_customer`. Nothing said means nothing seen. The second wall is row-level security in the database
(`models/migrations/security.py`); this one answers first, in Python, and also for what runs on one connection in tests.
Importing this module puts the guard on all sessions of the process.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from kit.database import ALL
from kit.errors import DrehkreuzError
from models.base import CustomerScoped
from models.billing import Invoice, ServiceReport
from models.parties import Customer
from models.service_desk import Message, MessageDirection


class ForbiddenError(DrehkreuzError):
    """A session of a customer tried what only the house may do. A fault of the program, never of the person."""


def _criteria(scope: int) -> tuple[ExecutableOption, ...]:
    """Own rows; of these neither internal notes nor documents that have no number yet."""
    return (
        with_loader_criteria(CustomerScoped, lambda row: row.customer_id == scope, include_aliases=True),
        with_loader_criteria(Customer, lambda row: row.id == scope, include_aliases=True),
        with_loader_criteria(Message, lambda row: row.direction != MessageDirection.INTERNAL, include_aliases=True),
        with_loader_criteria(ServiceReport, lambda row: row.number.is_not(None), include_aliases=True),
        with_loader_criteria(Invoice, lambda row: row.number.is_not(None), include_aliases=True),
    )


_NOTHING: tuple[ExecutableOption, ...] = (
    with_loader_criteria(CustomerScoped, lambda _row: sa.false(), include_aliases=True),
    with_loader_criteria(Customer, lambda _row: sa.false(), include_aliases=True),
)


def _changes_owner(statement: Any) -> bool:
    named = {getattr(key, "key", key) for key in (getattr(statement, "_values", None) or {})}
    ordered = {getattr(key, "key", key) for key, _ in (getattr(statement, "_ordered_values", None) or ())}
    return "customer_id" in named | ordered


@event.listens_for(Session, "do_orm_execute")
def narrow(state: ORMExecuteState) -> None:
    """Add the scope to every ORM statement; refuse what cannot be narrowed (Core tables, text, bulk inserts)."""
    scope = state.session.info.get("scope")
    if scope is ALL or state.is_column_load:
        return
    if not state.is_orm_statement or state.is_insert or (state.is_update and _changes_owner(state.statement)):
        raise ForbiddenError(
            "Zugriff außerhalb des eigenen Mandanten: Diese Art von Anweisung ist einer Kundensitzung verwehrt."
        )
    state.statement = state.statement.options(*(_NOTHING if scope is None else _criteria(scope)))


@event.listens_for(Session, "before_flush")
def own_rows_only(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """A customer's session writes only its own rows."""
    scope = session.info.get("scope")
    if scope is ALL:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        owner = row.customer_id if isinstance(row, CustomerScoped) else row.id if isinstance(row, Customer) else scope
        if scope is None or owner != scope:
            raise ForbiddenError("Zugriff außerhalb des eigenen Mandanten: Diese Zeile gehört einem anderen Kunden.")
