"""The check catalogue of the house: seeded once, changed by people, found by key or title."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import NotFoundError
from models.maintenance import CheckCatalogue
from rules.cadence import parse
from rules.check_catalogue import STANDARD_CHECKS, Reading

SUFFIX = " – "
"""Parts the title from what tells two plans of one check apart: `Kontrolle der Datensicherung – Filiale Ost`."""
USUAL_MINUTES = 30
"""For a check that is neither in the catalogue nor has a duration of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A check of the catalogue as the rest of maintenance reads it."""

    key: str
    title: str
    topic: str | None
    skill: str | None
    purpose: str
    cadence: str
    minutes: int
    checklist: tuple[str, ...]
    readings: tuple[Reading, ...]


class Catalogue:
    """All active checks by key and title, whatever the case they are written in."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._known = {name.lower(): entry for entry in self.entries for name in (entry.key, entry.title)}

    def of(self, check: str) -> Entry | None:
        """The entry that a plan's check means; None for a check of one customer alone."""
        name = check.strip().lower()
        return self._known.get(name) or self._known.get(name.split(SUFFIX)[0].strip())

    def title(self, check: str) -> str:
        """How the check is called in German: a key becomes its title, everything else stays as agreed."""
        entry = self.of(check)
        return entry.title if entry is not None and check.strip().lower() == entry.key.lower() else check.strip()

    def minutes(self, check: str, agreed: int | None) -> int:
        """How long one round takes: as agreed, else as usual for the check."""
        if agreed is not None:
            return agreed
        entry = self.of(check)
        return entry.minutes if entry else USUAL_MINUTES


def ensure_catalogue(session: Session) -> int:
    """Put the standard checks in that are not known by key or title; what the house has changed stays. Returns how many."""
    now = clock.now()
    rows = [
        {
            "key": check.key,
            "title": check.title,
            "topic": check.topic,
            "skill": check.skill,
            "purpose": check.purpose,
            "cadence": check.cadence,
            "duration_minutes": check.minutes,
            "checklist": list(check.checklist),
            "readings": [{"key": r.key, "label": r.label, "unit": r.unit} for r in check.readings],
            "active": True,
            "created_at": now,
        }
        for check in STANDARD_CHECKS
    ]
    known = set(session.scalars(sa.select(CheckCatalogue.key)))
    missing = [row for row in rows if row["key"] not in known]
    if not missing:
        return 0
    statement = insert(CheckCatalogue).on_conflict_do_nothing().returning(CheckCatalogue.id)
    return len(session.execute(statement, missing).all())


def load_catalogue(session: Session) -> Catalogue:
    """The catalogue in the order of its titles, seeded with what is missing of the standard."""
    ensure_catalogue(session)
    return read_catalogue(session)


def read_catalogue(session: Session) -> Catalogue:
    """The catalogue as it is; a customer's session may read it as well."""
    rows = session.scalars(sa.select(CheckCatalogue).where(CheckCatalogue.active).order_by(CheckCatalogue.title))
    return Catalogue(_entry(row) for row in rows)


def save_check(
    session: Session, key: str, *, title: str, cadence: str, minutes: int, checklist: Iterable[str], **more: str | None
) -> CheckCatalogue:
    """Add a check of the house or change one. `more`: topic, skill, purpose.

    Raises:
        CadenceError: the interval cannot be read.
    """
    rule = str(parse(cadence))
    row = session.scalar(sa.select(CheckCatalogue).where(CheckCatalogue.key == key))
    if row is None:
        row = CheckCatalogue(key=key, readings=[])
        session.add(row)
    row.title, row.cadence, row.duration_minutes, row.active = title.strip(), rule, minutes, True
    row.checklist = [item.strip() for item in checklist if item.strip()]
    for name in ("topic", "skill", "purpose"):
        if name in more:
            setattr(row, name, more[name])
    session.flush()
    return row


def retire_check(session: Session, key: str) -> None:
    """Take a check out of the list; what was agreed with it goes on.

    Raises:
        NotFoundError: no such key.
    """
    row = session.scalar(sa.select(CheckCatalogue).where(CheckCatalogue.key == key))
    if row is None:
        raise NotFoundError(f"Prüfkatalog: Eine Prüfung »{key}« gibt es nicht.")
    row.active = False
    session.flush()


def _entry(row: CheckCatalogue) -> Entry:
    return Entry(
        key=row.key,
        title=row.title,
        topic=row.topic,
        skill=row.skill,
        purpose=row.purpose or "",
        cadence=row.cadence,
        minutes=row.duration_minutes,
        checklist=tuple(row.checklist),
        readings=tuple(Reading(r["key"], r["label"], r.get("unit", "")) for r in row.readings),
    )
