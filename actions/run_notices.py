"""Runs that Prefect's automations tell of: late, crashed, failed. Told once, settled by a person or when the work is done.

Nothing is healed here and nothing decided: the keeper resumes, relay and sweeps make up (design, law 1).
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions import settling
from kit import clock
from kit.database import shared_secret
from models.plumbing import RunNotice, RunTrouble

_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What an automation says of a run.

    Args:
        flow_run_id: the run, as Prefect numbers it.
        trouble: what is wrong.
        flow: German name of the flow; empty when it is not known.
        run_name: the run's name.
        message: the words of its state.
        occurred_at: when it happened, by Prefect's clock.
    """

    flow_run_id: str
    trouble: RunTrouble
    flow: str
    run_name: str
    message: str
    occurred_at: dt.datetime


def secret() -> str:
    """What Prefect's automations show at the door; the same on every machine of the house."""
    return shared_secret("run-notices")


def tell(session: Session, told: Told) -> bool:
    """Note it; False when it is known already. What happens anew to a run that was settled opens its note again."""
    values = {
        "flow": told.flow[:_TEXT],
        "run_name": told.run_name[:_TEXT],
        "message": told.message[:_TEXT],
        "occurred_at": told.occurred_at,
        "told_at": clock.now(),
        "settled_at": None,
        "settled_by": None,
    }
    new = insert(RunNotice).values(flow_run_id=told.flow_run_id, trouble=told.trouble, created_at=clock.now(), **values)
    again = new.on_conflict_do_update(
        index_elements=[RunNotice.flow_run_id, RunNotice.trouble],
        set_=values,
        where=RunNotice.occurred_at < new.excluded.occurred_at,
    )
    return session.scalar(again.returning(RunNotice.id)) is not None


def unsettled(session: Session, limit: int = 200) -> list[RunNotice]:
    """What still stands, oldest first."""
    statement = sa.select(RunNotice).where(RunNotice.settled_at.is_(None)).order_by(RunNotice.told_at, RunNotice.id)
    return list(session.scalars(statement.limit(limit)))


def settle(session: Session, notice_id: int, who: str) -> bool:
    """It needs nobody any more; False when that was said before or there is no such note."""
    return settling.settle(session, RunNotice, notice_id, who)
