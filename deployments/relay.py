"""The relay: each waiting row of the outbox becomes exactly one flow run.

The row is written in the transaction of the fact it tells; the run's idempotency key is derived from the row. Killed between
the creation of the run and the mark on the row, the next round asks for the same key and gets the same run. Several may run.
"""

import datetime as dt
import logging
import time
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import restoration
from deployments.prefect_api import PrefectApi, PrefectError
from kit import clock
from kit.database import unit_of_work
from models.plumbing import OutboxEvent

log = logging.getLogger(__name__)

BELLED = frozenset({"goods_receipt"})
"""Flows that the doorbell calls within a second and that drain all that waits: it goes first, and one run serves all rows."""
HEAD_START = dt.timedelta(seconds=20)

AGAIN_SECONDS = 30.0  # a row that could not be dispatched waits so long; the others go on


@dataclass
class Relay:
    """One relay loop with its memory of rows that have to wait."""

    api: PrefectApi
    _later: dict[int, float] = field(default_factory=dict)

    def round(self) -> int:
        """Dispatch what waits; the number of runs."""
        done, last = 0, 0
        now = time.monotonic()
        with unit_of_work("relay") as session:
            if restoration.current(session) is not None:
                return 0  # the rows wait until the restored home is reconciled
        self._later = {row: until for row, until in self._later.items() if until > now}
        while True:
            with unit_of_work("relay") as session:
                row = session.scalar(
                    sa.select(OutboxEvent)
                    .where(
                        OutboxEvent.dispatched_at.is_(None),
                        OutboxEvent.id > last,
                        OutboxEvent.id.not_in(list(self._later)),
                        sa.or_(
                            OutboxEvent.deployment.not_in(BELLED),
                            OutboxEvent.created_at < clock.now() - HEAD_START,
                        ),
                    )
                    .order_by(OutboxEvent.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                if row is None:
                    return done
                last = row.id
                done += self._dispatch(row)
                if row.deployment in BELLED and row.dispatched_at is not None:
                    serve_all(session, row)

    def _dispatch(self, row: OutboxEvent) -> int:
        try:
            run = self.api.create_run(row.deployment, row.parameters, key=idempotency_key(row), tags=["outbox"])
        except PrefectError as fault:  # one bad row, or no server: it stays and is tried again
            if row.error != str(fault):
                log.warning("Ausgangszeile %d (%s): %s", row.id, row.deployment, fault)
            row.error = str(fault)
            self._later[row.id] = time.monotonic() + AGAIN_SECONDS
            return 0
        row.dispatched_at, row.flow_run_id, row.error = clock.now(), str(run["id"]), None
        return 1


def serve_all(session: Session, row: OutboxEvent) -> None:
    """The run of this row drains what its flow has to do: the rows that waited before it need none of their own."""
    waiting = (
        sa.select(OutboxEvent.id)
        .where(
            OutboxEvent.deployment == row.deployment,
            OutboxEvent.dispatched_at.is_(None),
            OutboxEvent.created_at < clock.now() - HEAD_START,
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        sa.update(OutboxEvent)
        .where(OutboxEvent.id.in_(waiting))
        .values(dispatched_at=row.dispatched_at, flow_run_id=row.flow_run_id, error=None)
    )


def idempotency_key(row: OutboxEvent) -> str:
    """The birth of the row belongs to it: after a restore the same number may stand for another fact."""
    return f"outbox-{row.id}-{row.created_at:%Y%m%d%H%M%S%f}-{row.attempt}"
