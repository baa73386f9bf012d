"""Changing single dates: moving, dropping, restoring, assigning. A date that has its ticket is changed there, not here."""

import datetime as dt
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.planbook import company_calendar, locked_plan
from kit.errors import ConflictError, NotFoundError, UsageError
from models.maintenance import AgreedCheck, DueDate
from rules.due_ledger import Cause, DueState

_LIVING = (DueState.PLANNED, DueState.CREATED)


@dataclass(frozen=True, slots=True)
class MoveDate:
    """Do it on another day, once."""

    to: dt.date
    reason: str


@dataclass(frozen=True, slots=True)
class DropDate:
    """Leave this one out."""

    reason: str


@dataclass(frozen=True, slots=True)
class RestoreDate:
    """Let a date that was left out (by a person or a pause) take place after all."""


DateChange = MoveDate | DropDate | RestoreDate


@dataclass(slots=True)
class DatePreview:
    """What a change of one date does: one sentence, and what one should know about it."""

    due_id: int
    sentence: str
    hints: list[str] = field(default_factory=list)


def preview_date(session: Session, due_id: int, change: DateChange, today: dt.date) -> DatePreview:
    """What a change of one date would do, without doing it.

    Raises:
        NotFoundError: no such date.
        UsageError, ConflictError: it cannot be done, with the reason and the remedy.
    """
    due, plan = _locked(session, due_id)
    return _preview(session, due, plan, change, today)


def change_date(session: Session, due_id: int, change: DateChange, today: dt.date) -> DatePreview:
    """Carry it out and say what was done. Raises as `preview_date`."""
    due, plan = _locked(session, due_id)
    preview = _preview(session, due, plan, change, today)
    if isinstance(change, DropDate):
        due.state, due.cause, due.reason = DueState.SKIPPED, Cause.PERSON, change.reason.strip()
    elif isinstance(change, RestoreDate):
        due.state, due.cause, due.reason = DueState.PLANNED, Cause.PERSON, None
    else:
        target = _row_on(session, plan.id, change.to)
        due.state, due.cause, due.reason, due.moved_to = DueState.MOVED, Cause.PERSON, change.reason.strip(), change.to
        session.flush()  # frees the day of the rule for the row below
        if target is None:
            target = DueDate(
                customer_id=due.customer_id, agreed_check_id=plan.id, nominal_on=due.nominal_on, due_on=change.to,
                technician_id=due.technician_id,
            )  # fmt: skip
            session.add(target)
        target.state, target.cause, target.reason, target.moved_to = DueState.PLANNED, Cause.PERSON, change.reason.strip(), None
    session.flush()
    return preview


def assign_date(session: Session, due_id: int, technician_id: int | None, slot_at: dt.datetime | None = None) -> DueDate:
    """Give one date to a technician, with a slot if known; the plan's own technician stays as agreed.

    Raises:
        NotFoundError: no such date.
    """
    due, _ = _locked(session, due_id)
    due.technician_id, due.slot_at = technician_id, slot_at
    session.flush()
    return due


def _locked(session: Session, due_id: int) -> tuple[DueDate, AgreedCheck]:
    due = session.get(DueDate, due_id)
    if due is None:
        raise NotFoundError(f"Wartung: Einen Termin mit der Nummer {due_id} gibt es nicht.")
    plan = locked_plan(session, due.agreed_check_id)
    session.refresh(due)  # as it stands under the lock
    return due, plan


def _row_on(session: Session, plan_id: int, day: dt.date) -> DueDate | None:
    return session.scalar(sa.select(DueDate).where(DueDate.agreed_check_id == plan_id, DueDate.due_on == day))


def _preview(session: Session, due: DueDate, plan: AgreedCheck, change: DateChange, today: dt.date) -> DatePreview:
    name = f"»{plan.check}« am {due.due_on:%d.%m.%Y}"
    if due.state is DueState.CREATED:
        raise ConflictError(f"Wartung {name}: Der Termin hat schon ein Ticket; planen Sie das Ticket um.")
    if isinstance(change, RestoreDate):
        return _restore(session, due, plan, today, name)
    if due.state is not DueState.PLANNED:
        raise ConflictError(f"Wartung {name}: Der Termin steht nicht mehr an ({due.reason}).")
    if not change.reason.strip():
        raise UsageError(f"Wartung {name}: Bitte nennen Sie einen Grund, er steht im Prüfnachweis.")
    if isinstance(change, DropDate):
        return DatePreview(due.id, f"{name} entfällt: {change.reason.strip()}")
    return _move(session, due, plan, change, today=today, name=name)


def _restore(session: Session, due: DueDate, plan: AgreedCheck, today: dt.date, name: str) -> DatePreview:
    if due.state is not DueState.SKIPPED or due.due_on < today:
        raise ConflictError(f"Wartung {name}: Nur ein ausgelassener Termin von heute an kann wieder angesetzt werden.")
    other = sa.select(DueDate.due_on).where(
        DueDate.agreed_check_id == plan.id, DueDate.nominal_on == due.nominal_on, DueDate.state.in_(_LIVING)
    )
    if (day := session.scalar(other)) is not None:
        raise ConflictError(f"Wartung {name}: Der Termin findet schon am {day:%d.%m.%Y} statt.")
    return DatePreview(due.id, f"{name} findet wieder statt.")


def _move(session: Session, due: DueDate, plan: AgreedCheck, change: MoveDate, *, today: dt.date, name: str) -> DatePreview:
    if change.to < today:
        raise UsageError(f"Wartung {name}: Der {change.to:%d.%m.%Y} ist vergangen; wählen Sie heute oder später.")
    target = _row_on(session, plan.id, change.to)
    if target is not None and not (target.state is DueState.MOVED and target.nominal_on == due.nominal_on):
        state = "schon ein Termin" if target.state in _LIVING else f"ein ausgelassener Termin ({target.reason})"
        raise ConflictError(
            f"Wartung {name}: Am {change.to:%d.%m.%Y} steht {state} dieser Prüfung. "
            "Wählen Sie einen anderen Tag oder ändern Sie jenen Termin."
        )
    preview = DatePreview(due.id, f"{name} wird auf den {change.to:%d.%m.%Y} verlegt: {change.reason.strip()}")
    if off := company_calendar(session).day_off(change.to):
        preview.hints.append(f"Der {change.to:%d.%m.%Y} ist kein Arbeitstag ({off}).")
    return preview
