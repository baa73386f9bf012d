"""The terms of a plan as plain values, to be remembered with a change and brought back when it is undone."""

import datetime as dt
import enum
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.maintenance import AgreedCheck, PlanPause
from rules.cadence import Shift
from rules.catch_up import CatchUp

_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "cadence": str,
    "starts_on": dt.date.fromisoformat,
    "ends_on": dt.date.fromisoformat,
    "technician_id": int,
    "duration_minutes": int,
    "window_opens": dt.time.fromisoformat,
    "window_closes": dt.time.fromisoformat,
    "catch_up": CatchUp,
    "shift": Shift,
    "contract_id": int,
    "site_id": int,
    "asset_id": int,
    "checklist": list,
}
"""Column -> how its plain value is read back."""
Terms = dict[str, Any]


def terms_of(session: Session, plan: AgreedCheck) -> Terms:
    """Terms, pauses and the version that agreed them, as plain values."""
    terms: Terms = {name: _plain(getattr(plan, name)) for name in _COLUMNS}
    terms["needs_analysis_id"] = plan.needs_analysis_id
    terms["pauses"] = [
        [_plain(pause.first_on), _plain(pause.last_on), pause.reason, pause.set_by]
        for pause in session.scalars(
            sa.select(PlanPause)
            .where(PlanPause.agreed_check_id == plan.id)
            .order_by(PlanPause.first_on, PlanPause.reason, PlanPause.id)
        )
    ]
    return terms


def bring_back(session: Session, plan: AgreedCheck, terms: Terms) -> None:
    """Give a plan the terms and pauses that it had; its ledger has to follow."""
    for name, read in _COLUMNS.items():
        value = terms[name]
        setattr(plan, name, None if value is None else read(value))
    session.execute(sa.delete(PlanPause).where(PlanPause.agreed_check_id == plan.id))
    session.add_all(
        PlanPause(
            customer_id=plan.customer_id,
            agreed_check_id=plan.id,
            first_on=dt.date.fromisoformat(first),
            last_on=None if last is None else dt.date.fromisoformat(last),
            reason=reason,
            set_by=set_by,
        )
        for first, last, reason, set_by in terms["pauses"]
    )
    session.flush()


def _plain(value: object) -> object:
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    return list(value) if isinstance(value, (list, tuple)) else value
