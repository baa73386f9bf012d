"""Changing a plan: moving, pausing, resuming, ending, editing. What is shown before it is saved is what is saved."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.ledger import ledger_rows, reach, replan
from actions.maintenance.plan_terms import terms_of
from actions.maintenance.planbook import company_calendar, locked_plan, pauses_of
from actions.maintenance.term_words import EDITABLE, changed, difference
from kit.errors import ConflictError, UsageError
from models.maintenance import AgreedCheck, DueDate, PlanChange, PlanPause
from models.service_desk import Ticket
from rules.cadence import Cadence, Shift, parse
from rules.cadence_german import describe, hints
from rules.catch_up import CatchUp
from rules.company_calendar import CompanyCalendar
from rules.due_ledger import Changes, DueState, Pause, Terms, changes
from rules.workdays import ONE_DAY


@dataclass(frozen=True, slots=True)
class EndSeries:
    """No dates after `last_on` (day by the rule)."""

    last_on: dt.date


@dataclass(frozen=True, slots=True)
class PauseSeries:
    """No dates from `first_on` to `last_on` (None = until further notice)."""

    first_on: dt.date
    last_on: dt.date | None
    reason: str


@dataclass(frozen=True, slots=True)
class ResumeSeries:
    """Every pause ends before `first_on`."""

    first_on: dt.date


@dataclass(frozen=True, slots=True)
class MoveSeries:
    """From `from_on` on another rule; the plan so far ends the day before and a new one goes on."""

    from_on: dt.date
    cadence: str
    starts_on: dt.date | None = None
    """Start of the new rule (DTSTART); None = `from_on`."""


@dataclass(frozen=True, slots=True)
class EditPlan:
    """Other terms for the dates to come; only `shift` moves dates. What is not in `values` stays."""

    values: dict[str, Any]


Change = EndSeries | PauseSeries | ResumeSeries | MoveSeries | EditPlan


@dataclass(slots=True)
class PlanPreview:
    """What a change would do to the dates of a plan."""

    plan_id: int
    check: str
    sentences: list[str]
    dropped: list[dt.date] = field(default_factory=list)
    added: list[dt.date] = field(default_factory=list)
    paused: list[dt.date] = field(default_factory=list)
    resumed: list[dt.date] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    fingerprint: str = ""
    """Hand it to `change_plan`: the change is refused when it would do something else by then."""

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        parts = [
            f"{len(days)} {one if len(days) == 1 else many}"
            for days, one, many in (
                (self.dropped, "Termin entfällt", "Termine entfallen"),
                (self.added, "Termin kommt hinzu", "Termine kommen hinzu"),
                (self.paused, "Termin wird ausgesetzt", "Termine werden ausgesetzt"),
                (self.resumed, "ausgesetzter Termin lebt wieder auf", "ausgesetzte Termine leben wieder auf"),
            )
            if days
        ]
        return (", ".join(parts) or "Kein Termin ändert sich") + "."


def preview_change(session: Session, plan_id: int, change: Change, today: dt.date) -> PlanPreview:
    """What a change would do, without doing it.

    Raises:
        NotFoundError: no such plan.
        UsageError: the change is impossible, with the reason.
        CadenceError: the new rule cannot be read.
    """
    plan = locked_plan(session, plan_id)
    return _preview(session, plan, change, today)


def change_plan(
    session: Session, plan_id: int, change: Change, today: dt.date, *, shown: str = "", remember: bool = True
) -> PlanPreview:
    """Carry out a change and say what it did. It can be undone (`actions.maintenance.undo`).

    Args:
        session: the transaction.
        plan_id: the plan.
        change: what to change.
        today: nothing before it changes.
        shown: the fingerprint of the preview that the person saw; empty = none was shown.
        remember: whether it is a change of its own; False = a part of a signature, which is not undone but signed anew.

    Raises:
        ConflictError: the ledger has changed since the preview, or the new series would collide with another plan.
    """
    plan = locked_plan(session, plan_id)
    preview = _preview(session, plan, change, today)
    if shown and shown != preview.fingerprint:
        raise ConflictError(
            f"Wartung: Die Termine von »{plan.check}« haben sich seit der Vorschau geändert. "
            "Bitte sehen Sie die Vorschau neu an und entscheiden Sie dann."
        )
    before, touched = terms_of(session, plan), _carry_out(session, plan, change)
    for each in touched:
        session.flush()
        replan(session, each, today)
    if remember:
        session.add(
            PlanChange(
                customer_id=plan.customer_id, agreed_check_id=plan.id,
                successor_id=touched[1].id if len(touched) > 1 else None, sentence=" ".join(preview.sentences),
                made_by=str(session.info.get("actor", "system")), before=before, after=terms_of(session, plan),
            )
        )  # fmt: skip
        session.flush()
    return preview


def _preview(session: Session, plan: AgreedCheck, change: Change, today: dt.date) -> PlanPreview:
    _refuse(plan, change, today)
    calendar = company_calendar(session)
    until = reach(plan, today)
    terms = _terms(session, plan)
    own, successor = _terms_after(terms, change)
    if isinstance(change, ResumeSeries) and own.pauses == terms.pauses:
        raise UsageError(f"Wartung »{plan.check}«: ist ab {change.first_on:%d.%m.%Y} nicht ausgesetzt; sie läuft.")
    diff = changes(own, ledger_rows(session, plan.id, today), today, until, calendar)
    preview = PlanPreview(plan.id, plan.check, [_sentence(session, plan, change)])
    _add(preview, diff)
    if successor is not None:
        _add(preview, changes(successor, [], today, until, calendar))
        stays = set(preview.dropped) & set(preview.added)
        preview.dropped = [day for day in preview.dropped if day not in stays]
        preview.added = [day for day in preview.added if day not in stays]
    rule = successor or own
    if isinstance(change, MoveSeries):
        preview.hints = hints(rule.cadence, rule.starts_on)
    preview.hints += [*_days_off(preview.added, calendar), *_still_open(session, plan, change)]
    preview.fingerprint = fingerprint(preview)
    return preview


def _refuse(plan: AgreedCheck, change: Change, today: dt.date) -> None:
    first = _first_day(change, today)
    if first < today:
        raise UsageError(
            f"Wartung »{plan.check}«: Die Änderung soll ab {first:%d.%m.%Y} gelten, heute ist der {today:%d.%m.%Y}. "
            "Vergangene Termine ändern sich nicht; wählen Sie heute oder später."
        )
    if isinstance(change, PauseSeries):
        if not change.reason.strip():
            raise UsageError(f"Wartung »{plan.check}«: Zum Aussetzen gehört ein Grund, er steht im Prüfnachweis.")
        if change.last_on is not None and change.last_on < change.first_on:
            raise UsageError(f"Wartung »{plan.check}«: Das Ende der Aussetzung liegt vor ihrem Beginn.")
    if isinstance(change, MoveSeries) and change.starts_on is not None and change.starts_on < change.from_on:
        raise UsageError(f"Wartung »{plan.check}«: Der neue Beginn liegt vor dem Tag, ab dem verlegt wird.")
    if isinstance(change, EditPlan):
        if unknown := set(change.values) - EDITABLE.keys():
            raise UsageError(f"Wartung »{plan.check}«: {', '.join(sorted(unknown))} lässt sich so nicht ändern.")
        if not changed(plan, change.values):
            raise UsageError(f"Wartung »{plan.check}«: Die Bedingungen sind schon so; es ändert sich nichts.")


def _first_day(change: Change, today: dt.date) -> dt.date:
    """From which day on it changes dates."""
    if isinstance(change, EndSeries):
        return change.last_on + ONE_DAY
    if isinstance(change, MoveSeries):
        return change.from_on
    return today if isinstance(change, EditPlan) else change.first_on


def _terms(session: Session, plan: AgreedCheck) -> Terms:
    pauses = pauses_of(session, [plan.id]).get(plan.id, ())
    return Terms(parse(plan.cadence), plan.starts_on, plan.ends_on, plan.shift, pauses)


def _terms_after(terms: Terms, change: Change) -> tuple[Terms, Terms | None]:
    """The plan's terms after the change, and those of the plan that follows it."""
    if isinstance(change, EndSeries):
        return replace(terms, ends_on=_earlier(terms.ends_on, change.last_on)), None
    if isinstance(change, PauseSeries):
        return replace(terms, pauses=(*terms.pauses, Pause(change.first_on, change.last_on, change.reason.strip()))), None
    if isinstance(change, ResumeSeries):
        return replace(terms, pauses=tuple(_cut(terms.pauses, change.first_on))), None
    if isinstance(change, EditPlan):
        return replace(terms, shift=Shift(change.values.get("shift", terms.shift))), None
    cadence, starts_on = parse(change.cadence), change.starts_on or change.from_on
    if change.from_on <= terms.starts_on:
        return replace(terms, cadence=cadence, starts_on=starts_on), None
    last = change.from_on - ONE_DAY
    return replace(terms, ends_on=_earlier(terms.ends_on, last)), replace(terms, cadence=cadence, starts_on=starts_on)


def _carry_out(session: Session, plan: AgreedCheck, change: Change) -> list[AgreedCheck]:
    """Write the change; returns the plans whose ledger has to follow."""
    if isinstance(change, EndSeries):
        plan.ends_on = _earlier(plan.ends_on, change.last_on)
    elif isinstance(change, PauseSeries):
        session.add(_pause_row(session, plan, Pause(change.first_on, change.last_on, change.reason.strip())))
    elif isinstance(change, ResumeSeries):
        for row in session.scalars(sa.select(PlanPause).where(PlanPause.agreed_check_id == plan.id)):
            if row.first_on >= change.first_on:
                session.delete(row)
            elif row.last_on is None or row.last_on >= change.first_on:
                row.last_on = change.first_on - ONE_DAY
    elif isinstance(change, EditPlan):
        for name, value in change.values.items():
            setattr(plan, name, {"shift": Shift, "catch_up": CatchUp}.get(name, lambda v: v)(value))
    else:
        return _move(session, plan, change)
    return [plan]


def _move(session: Session, plan: AgreedCheck, change: MoveSeries) -> list[AgreedCheck]:
    cadence, starts_on = str(parse(change.cadence)), change.starts_on or change.from_on
    clash = sa.select(AgreedCheck.id).where(
        AgreedCheck.customer_id == plan.customer_id,
        AgreedCheck.check == plan.check,
        AgreedCheck.starts_on == starts_on,
        AgreedCheck.id != plan.id,
    )
    if session.scalar(clash) is not None:
        raise ConflictError(
            f"Wartung »{plan.check}«: Ein Plan dieser Prüfung beginnt schon am {starts_on:%d.%m.%Y}. "
            "Wählen Sie einen anderen Beginn oder ändern Sie jenen Plan."
        )
    if change.from_on <= plan.starts_on:
        plan.cadence, plan.starts_on = cadence, starts_on
        return [plan]
    columns = (
        "customer_id", "check", "duration_minutes", "technician_id", "catch_up", "shift", "needs_analysis_id", "line_id",
        "contract_id", "site_id", "asset_id", "checklist", "window_opens", "window_closes", "ends_on",
    )  # fmt: skip
    successor = AgreedCheck(
        **{name: getattr(plan, name) for name in columns}, cadence=cadence, starts_on=starts_on, follows_id=plan.id
    )
    session.add(successor)
    pauses = session.scalars(sa.select(PlanPause).where(PlanPause.agreed_check_id == plan.id)).all()
    session.flush()
    session.add_all(_pause_row(session, successor, Pause(p.first_on, p.last_on, p.reason)) for p in pauses)
    plan.ends_on = _earlier(plan.ends_on, change.from_on - ONE_DAY)
    return [plan, successor]


def _pause_row(session: Session, plan: AgreedCheck, pause: Pause) -> PlanPause:
    return PlanPause(
        customer_id=plan.customer_id,
        agreed_check_id=plan.id,
        first_on=pause.first,
        last_on=pause.last,
        reason=pause.reason,
        set_by=str(session.info.get("actor", "system")),
    )


def _cut(pauses: Iterable[Pause], first_on: dt.date) -> Iterable[Pause]:
    for pause in pauses:
        if pause.first < first_on:
            still = pause.last is not None and pause.last < first_on
            yield pause if still else replace(pause, last=first_on - ONE_DAY)


def _earlier(one: dt.date | None, other: dt.date) -> dt.date:
    return other if one is None else min(one, other)


def _add(preview: PlanPreview, diff: Changes) -> None:
    preview.dropped += [row.on for row in diff.delete]
    preview.added += [wanted.due.on for wanted in diff.insert if wanted.pause is None]
    preview.paused += [row.on for row, _ in diff.pause] + [w.due.on for w in diff.insert if w.pause is not None]
    preview.resumed += [row.on for row in diff.revive]


def _days_off(days: Iterable[dt.date], calendar: CompanyCalendar) -> list[str]:
    named = [(day, calendar.day_off(day)) for day in days]
    free = [f"{day:%d.%m.%Y} ({why})" for day, why in named if why]
    if not free:
        return []
    more = f" und {len(free) - 3} weitere" if len(free) > 3 else ""
    return [f"Auf freie Tage fallen: {', '.join(free[:3])}{more}."]


def _still_open(session: Session, plan: AgreedCheck, change: Change) -> list[str]:
    """Whoever ends or pauses a series should know of its tickets without result: they stay."""
    if not isinstance(change, (EndSeries, PauseSeries)):
        return []
    numbers = session.scalars(
        sa.select(Ticket.number)
        .join(DueDate, DueDate.ticket_id == Ticket.id)
        .where(DueDate.agreed_check_id == plan.id, DueDate.state == DueState.CREATED, DueDate.outcome.is_(None))
        .distinct()
        .order_by(Ticket.number)
    ).all()
    if not numbers:
        return []
    more = f" und {len(numbers) - 3} weitere" if len(numbers) > 3 else ""
    return [f"Noch ohne Ergebnis: {', '.join(numbers[:3])}{more}. Diese Tickets bleiben; bitte tragen Sie ihr Ergebnis ein."]


def _sentence(session: Session, plan: AgreedCheck, change: Change) -> str:
    if isinstance(change, EndSeries):
        return f"»{plan.check}« endet mit dem {change.last_on:%d.%m.%Y}."
    if isinstance(change, PauseSeries):
        until = f"bis {change.last_on:%d.%m.%Y}" if change.last_on else "bis auf Weiteres"
        return f"»{plan.check}« wird ab {change.first_on:%d.%m.%Y} {until} ausgesetzt: {sentence(change.reason)}"
    if isinstance(change, ResumeSeries):
        return f"»{plan.check}« läuft ab {change.first_on:%d.%m.%Y} wieder."
    if isinstance(change, EditPlan):
        return f"»{plan.check}«: {difference(session, plan, changed(plan, change.values))}."
    rule: Cadence = parse(change.cadence)
    return (
        f"»{plan.check}« läuft ab {change.from_on:%d.%m.%Y} {describe(rule, change.starts_on or change.from_on).rstrip('.')}."
    )


def sentence(words: str) -> str:
    """What a person wrote, with the full stop that they left out."""
    text = words.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def fingerprint(preview: PlanPreview) -> str:
    """Of what a preview says: plan, sentences and days."""
    parts = [sorted(days) for days in (preview.dropped, preview.added, preview.paused, preview.resumed)]
    told = repr((preview.plan_id, preview.sentences, [[day.isoformat() for day in days] for days in parts]))
    return hashlib.sha256(told.encode()).hexdigest()
