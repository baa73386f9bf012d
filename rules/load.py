"""Who does a check, and when in its window: suggested from load, skill, acquaintance. Pure. Page: docs/rules/wiederkehr.md"""

import datetime as dt
from bisect import insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from rules.windows import Window

SLOT_STEP = 15  # minutes; appointments begin on the quarter hour
FULL_WEEK = 40 * 60
"""Weekly minutes of a person whose hours nobody has entered."""


@dataclass(slots=True)
class Technician:
    """A person who does checks, with what is booked already: minutes by day, and the slots that are given."""

    id: int
    name: str
    weekly_minutes: int = FULL_WEEK
    skills: frozenset[str] = frozenset()
    booked: dict[dt.date, int] = field(default_factory=dict)
    slots: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)

    def week(self, day: dt.date) -> int:
        """Booked minutes in the calendar week of the day."""
        monday = day - dt.timedelta(days=day.weekday())
        return sum(self.booked.get(monday + dt.timedelta(days=n), 0) for n in range(7))

    def load(self, day: dt.date, minutes: int = 0) -> float:
        """Share of the week that is booked, with these minutes on top; 1.0 = full."""
        return (self.week(day) + minutes) / (self.weekly_minutes or FULL_WEEK)


@dataclass(frozen=True, slots=True)
class Job:
    """A check to be given to somebody."""

    day: dt.date
    minutes: int
    window: Window
    skill: str | None = None
    agreed: int | None = None
    """The technician whom the plan names."""
    familiar: frozenset[int] = frozenset()
    """Technicians who did it for this customer before."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Who and when; `slot` None = the window is full that day."""

    technician_id: int
    slot: dt.datetime | None
    why: str


def suggest(job: Job, technicians: Iterable[Technician]) -> Suggestion | None:
    """The person to ask first: who was agreed; else who has a slot, can it, knows the customer, and has least on the week.

    Ties go to the lower id, so that the same facts give the same answer.
    """
    people = list(technicians)
    for person in people:
        if person.id == job.agreed:
            return Suggestion(person.id, slot_of(person, job), "vereinbart")
    ranked = sorted(
        people,
        key=lambda p: (
            slot_of(p, job) is None or p.booked.get(job.day, 0) + job.minutes > job.window.minutes,
            job.skill is not None and job.skill not in p.skills,
            p.id not in job.familiar,
            p.load(job.day, job.minutes),
            p.id,
        ),
    )
    if not ranked:
        return None
    best = ranked[0]
    reasons = []
    if job.skill is not None and job.skill in best.skills:
        reasons.append(f"Kenntnis {job.skill}")
    if best.id in job.familiar:
        reasons.append("kennt den Kunden")
    reasons.append(f"Woche zu {round(best.load(job.day, job.minutes) * 100)} % belegt")
    return Suggestion(best.id, slot_of(best, job), ", ".join(reasons))


def book(person: Technician, job: Job, slot: dt.datetime | None, *, counted: bool) -> None:
    """Enter a job with the person, so that the next suggestion sees it. `counted`: its minutes are on the day already."""
    if not counted:
        person.booked[job.day] = person.booked.get(job.day, 0) + job.minutes
    if slot is not None:
        insort(person.slots, (slot, slot + dt.timedelta(minutes=job.minutes)))


def slot_of(person: Technician, job: Job) -> dt.datetime | None:
    """The first quarter hour in the window at which the person has nothing else; None when no gap is long enough."""
    length = dt.timedelta(minutes=job.minutes)
    start = job.window.opens
    for begins, ends in person.slots:
        if ends <= start:
            continue
        if start + length <= begins:
            break
        late = int((ends - job.window.opens).total_seconds() // 60)
        start = job.window.opens + dt.timedelta(minutes=-(-late // SLOT_STEP) * SLOT_STEP)
    return start if start + length <= job.window.closes else None


def week_of(day: dt.date) -> tuple[int, int]:
    """Calendar week as (year, number) of ISO 8601."""
    iso = day.isocalendar()
    return iso.year, iso.week


def weeks_between(first: dt.date, last: dt.date) -> list[tuple[int, int]]:
    """All calendar weeks that touch the range, in order."""
    monday = first - dt.timedelta(days=first.weekday())
    found = []
    while monday <= last:
        found.append(week_of(monday))
        monday += dt.timedelta(days=7)
    return found


def overbooked(people: Collection[Technician], day: dt.date) -> list[Technician]:
    """Who has more than a full week in the calendar week of the day."""
    return [person for person in people if person.load(day) > 1]
