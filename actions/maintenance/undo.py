"""Undoing the last change of a plan: its terms come back, a series that took over goes again; days that have passed stay."""

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.changes import PlanPreview, fingerprint
from actions.maintenance.ledger import replan
from actions.maintenance.plan_terms import bring_back, terms_of
from actions.maintenance.planbook import locked_plan
from kit import clock
from kit.errors import ConflictError
from models.maintenance import AgreedCheck, DueDate, PlanChange, PlanPause
from rules.due_ledger import Cause, DueState

_LIVING = (DueState.PLANNED, DueState.CREATED)
Days = dict[str, set[dt.date]]


def history(session: Session, plan_id: int) -> Sequence[PlanChange]:
    """The changes of a plan, latest first; undone ones too."""
    statement = sa.select(PlanChange).where(PlanChange.agreed_check_id == plan_id)
    return session.scalars(statement.order_by(PlanChange.id.desc())).all()


def preview_undo(session: Session, plan_id: int, today: dt.date) -> PlanPreview:
    """What undoing the last change of a plan would do. Writes nothing that stays. Raises as `undo`."""
    savepoint = session.begin_nested()
    try:
        return _undo(session, plan_id, today)
    finally:
        savepoint.rollback()
        session.expire_all()


def undo(session: Session, plan_id: int, today: dt.date, *, shown: str = "") -> PlanPreview:
    """Undo the last change of a plan and say what that did. The change before it can be undone next.

    Args:
        session: the transaction.
        plan_id: the plan that was changed (not the one that took over from it).
        today: nothing before it changes.
        shown: the fingerprint of the preview that the person saw; empty = none was shown.

    Raises:
        NotFoundError: no such plan.
        ConflictError: nothing to undo, the plan has been changed otherwise since, the series that took over has tickets
            already, or the dates have changed since the preview.
    """
    preview = _undo(session, plan_id, today)
    if shown and shown != preview.fingerprint:
        raise ConflictError(
            f"Wartung: Die Termine von »{preview.check}« haben sich seit der Vorschau geändert. "
            "Bitte sehen Sie die Vorschau neu an und entscheiden Sie dann."
        )
    return preview


def _undo(session: Session, plan_id: int, today: dt.date) -> PlanPreview:
    plan = locked_plan(session, plan_id)
    change = next((each for each in history(session, plan_id) if each.undone_at is None), None)
    if change is None:
        raise ConflictError(f"Wartung »{plan.check}«: An diesem Plan gibt es keine Änderung, die sich zurücknehmen lässt.")
    if terms_of(session, plan) != change.after:
        raise ConflictError(
            f"Wartung »{plan.check}«: Der Plan ist seit der Änderung anderweitig geändert worden (Import oder "
            "Bedarfsanalyse). Bitte ändern Sie ihn selbst."
        )
    touched = [plan_id] if change.successor_id is None else [plan_id, change.successor_id]
    before = _days(session, touched, today)
    if change.successor_id is not None:
        _drop_successor(session, plan, change)
    bring_back(session, plan, change.before)
    replan(session, plan, today)
    change.undone_at, change.undone_by = clock.now(), str(session.info.get("actor", "system"))
    session.flush()
    return _told(plan, change, before, _days(session, touched, today))


def _drop_successor(session: Session, plan: AgreedCheck, change: PlanChange) -> None:
    """Take away the plan that took over, as long as nothing has come of it."""
    successor = locked_plan(session, change.successor_id or 0)
    used = sa.select(DueDate.id).where(
        DueDate.agreed_check_id == successor.id,
        sa.or_(DueDate.state == DueState.CREATED, DueDate.cause.in_([c for c in Cause if c is not Cause.PAUSE])),
    )
    followed = sa.select(AgreedCheck.id).where(AgreedCheck.follows_id == successor.id)
    changed = sa.select(PlanChange.id).where(PlanChange.agreed_check_id == successor.id)
    if any(session.scalar(each.limit(1)) is not None for each in (used, followed, changed)):
        raise ConflictError(
            f"Wartung »{plan.check}«: Die verlegte Serie läuft schon (Tickets, verlegte oder ausgelassene Termine, weitere "
            "Änderungen). Verlegen Sie sie stattdessen von heute an zurück."
        )
    change.successor_id = None
    session.flush()
    for table, column in ((DueDate, DueDate.agreed_check_id), (PlanPause, PlanPause.agreed_check_id)):
        session.execute(sa.delete(table).where(column == successor.id), execution_options={"synchronize_session": False})
    session.delete(successor)
    session.flush()


def _days(session: Session, plan_ids: Collection[int], today: dt.date) -> Days:
    """Living and paused days from today on."""
    rows = session.execute(
        sa.select(DueDate.due_on, DueDate.state, DueDate.cause).where(
            DueDate.agreed_check_id.in_(plan_ids), DueDate.due_on >= today
        )
    ).all()
    return {
        "living": {on for on, state, _ in rows if state in _LIVING},
        "paused": {on for on, state, cause in rows if state is DueState.SKIPPED and cause is Cause.PAUSE},
    }


def _told(plan: AgreedCheck, change: PlanChange, before: Days, after: Days) -> PlanPreview:
    gone, new = before["living"] - after["living"], after["living"] - before["living"]
    preview = PlanPreview(
        plan.id,
        plan.check,
        [f"Zurückgenommen wird: {change.sentence}"],
        dropped=sorted(gone - after["paused"]),
        added=sorted(new - before["paused"]),
        paused=sorted(gone & after["paused"]),
        resumed=sorted(new & before["paused"]),
    )
    preview.fingerprint = fingerprint(preview)
    return preview
