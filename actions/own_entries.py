"""Eigene Leistungen: what a technician may still do with work that waits for its approval."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import approval
from kit.errors import ConflictError, NotFoundError
from models.work import EntryState, ServiceEntry


def resubmit(
    session: Session,
    key: str,
    employee_id: int,
    *,
    minutes: int,
    trips: int,
    text: str,
    billable: bool,
    reason: str | None,
) -> None:
    """Correct an own entry and hand it in again; the back office's objection is answered by that (S25).

    Raises:
        NotFoundError: no such entry of this person.
        ConflictError: it is approved already.
        DrehkreuzError: see `approval.correct`.
    """
    entry = session.scalar(
        sa.select(ServiceEntry).where(ServiceEntry.key == key, ServiceEntry.technician_id == employee_id).with_for_update()
    )
    if entry is None:
        raise NotFoundError(f"Leistung {key}: gibt es nicht, oder sie ist nicht von Ihnen.")
    if entry.state is not EntryState.CAPTURED:
        raise ConflictError(f"Leistung {key}: ist schon freigegeben. Bitte wenden Sie sich an den Innendienst.")
    approval.correct(session, key, minutes=minutes, trips=trips, text=text, billable=billable, reason=reason)
    entry.returned_reason = None
    session.flush()
