"""The due-ledger of one plan: which rows are wanted, and what has to change to get there. Pure. Page: docs/rules/wiederkehr.md

Page, command line and write-ahead use the same difference: what is shown before it is saved is what is saved.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rules.cadence import Cadence, Due, Shift, due_days
from rules.company_calendar import CompanyCalendar
from rules.workdays import ONE_DAY


class DueState(enum.StrEnum):
    """Life of a due date."""

    PLANNED = "planned"
    CREATED = "created"
    """It has its ticket."""
    SKIPPED = "skipped"
    """There will be no ticket for it; the reason says why."""
    MOVED = "moved"
    """A person put it on another day, which has a row of its own."""


class Cause(enum.StrEnum):
    """Why a date is not simply planned by the rule."""

    PERSON = "person"
    """Moved (also: moved here) or dropped by a person: later changes of the series leave it alone."""
    PAUSE = "pause"
    MISSED = "missed"
    """Skipped by the plan's policy for missed dates (U25)."""
    SUPERSEDED = "superseded"
    """A later missed date was done in its place (U25)."""
    CLOSED = "closed"
    """The customer is no longer served."""
    TAKEN_OVER = "taken_over"
    """Before the day on which Drehkreuz took over the plan."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A range of days without dates; `last` None = until further notice."""

    first: dt.date
    last: dt.date | None
    reason: str

    def holds(self, day: dt.date) -> bool:
        """Whether the day lies in the pause."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan's dates follow from."""

    cadence: Cadence
    starts_on: dt.date
    ends_on: dt.date | None = None
    shift: Shift = Shift.NONE
    pauses: tuple[Pause, ...] = ()

    def pause_on(self, day: dt.date) -> Pause | None:
        """The pause that holds on a day."""
        return next((pause for pause in self.pauses if pause.holds(day)), None)

    def due_between(self, first: dt.date, last: dt.date, calendar: CompanyCalendar) -> Iterable[Due]:
        """Due dates whose day by the rule lies in the range."""
        if self.ends_on is not None:
            last = min(last, self.ends_on)
        return due_days(self.cadence, self.starts_on, first, last, shift=self.shift, calendar=calendar)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger as it stands."""

    id: int
    nominal: dt.date
    on: dt.date
    state: DueState
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row to insert: planned, or skipped because of a pause."""

    due: Due
    pause: Pause | None = None


@dataclass(slots=True)
class Changes:
    """What to do to the ledger of a plan, as rows; deletions come first."""

    delete: list[Row] = field(default_factory=list)
    insert: list[Wanted] = field(default_factory=list)
    pause: list[tuple[Row, Pause]] = field(default_factory=list)
    revive: list[Row] = field(default_factory=list)
    kept: int = 0

    def __bool__(self) -> bool:
        return bool(self.delete or self.insert or self.pause or self.revive)


def changes(terms: Terms, rows: Sequence[Row], today: dt.date, until: dt.date, calendar: CompanyCalendar) -> Changes:
    """From the rows that are there to those that the terms want, from today on. The past never changes.

    Args:
        terms: the plan as it shall be.
        rows: its ledger, at least all rows on days from today on and those whose day by the rule may still come.
        today: rows before it stay as they are.
        until: how far the ledger is written ahead (day by the rule).
        calendar: the house's working days.
    """
    start = calendar.previous_workday(today - ONE_DAY) + ONE_DAY if terms.shift is Shift.NEXT_WORKDAY else today
    by_rule = {due.nominal: due for due in terms.due_between(start, until, calendar)}
    result = Changes()
    settled: set[dt.date] = set()
    taken: set[dt.date] = set()
    for row in rows:
        # a day of the rule that has passed is owed, whatever the rule says now
        wanted = by_rule.get(row.nominal) if row.nominal >= today else Due(row.nominal, row.on)
        if not _stays(row, today, wanted):
            if wanted != Due(row.nominal, row.on) or row.nominal in settled:
                result.delete.append(row)
                continue
            _pause_or_revive(row, terms.pause_on(row.on), result)
        settled.add(row.nominal)
        taken.add(row.on)
    for due in by_rule.values():
        if due.on >= today and due.nominal not in settled and due.on not in taken:
            result.insert.append(Wanted(due, terms.pause_on(due.on)))
            taken.add(due.on)
    return result


def _pause_or_revive(row: Row, pause: Pause | None, result: Changes) -> None:
    if row.state is DueState.PLANNED and pause is not None:
        result.pause.append((row, pause))
    elif row.state is DueState.SKIPPED and pause is None:
        result.revive.append(row)
    else:
        result.kept += 1


def _stays(row: Row, today: dt.date, wanted: Due | None) -> bool:
    """Whether a row is history or a person's decision, which no change of the series touches."""
    if row.on < today or row.state in (DueState.CREATED, DueState.MOVED):
        return True
    if row.state is DueState.SKIPPED:
        return row.cause is not Cause.PAUSE
    return row.cause is Cause.PERSON and wanted is not None
