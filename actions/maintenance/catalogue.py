"""The check catalogue of the house: seeded once, changed by people, found by key or title."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import ConflictError, NotFoundError
from models.maintenance import AgreedCheck, CheckCatalogue
from rules.cadence import parse
from rules.check_catalogue import STANDARD_CHECKS, Reading

SUFFIX = " – "
"""Parts the title from what tells two plans of one check apart: `Kontrolle der Datensicherung – Filiale Ost`."""
_READING = re.compile(r"(?P<label>[^()]+?)\s*(?:\((?P<unit>[^()]*)\))?")
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
    active: bool = True
    """Whether it is offered; a check that is no longer offered goes on where it was agreed."""


class Catalogue:
    """All checks by key and title, whatever the case they are written in; `entries` are those that are offered."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        known = tuple(entries)
        self.entries = tuple(entry for entry in known if entry.active)
        self._known = {name.lower(): entry for entry in known for name in (entry.key, entry.title)}

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
    rows = session.scalars(sa.select(CheckCatalogue).order_by(CheckCatalogue.title))
    return Catalogue(_entry(row) for row in rows)


def save_check(
    session: Session, key: str, *, title: str, cadence: str, minutes: int, checklist: Iterable[str],
    readings: Iterable[str] | None = None, **more: str | None,
) -> CheckCatalogue:  # fmt: skip
    """Add a check of the house or change one.

    Args:
        session: the transaction.
        key: which one; an unknown key is a new check.
        title: how it is called; only one check has it.
        cadence: the usual interval as a rule.
        minutes: the usual duration.
        checklist: its points; empty lines are left out.
        readings: values to write down, `Freier Platz (GB)`; None = as they are.
        more: topic, skill, purpose.

    Raises:
        CadenceError: the interval cannot be read.
        ConflictError: another check has this title, or plans know it by the one it has.
    """
    rule = str(parse(cadence))
    other = sa.select(CheckCatalogue.key).where(
        sa.func.lower(CheckCatalogue.title) == title.strip().lower(), CheckCatalogue.key != key
    )
    if session.scalar(other) is not None:
        raise ConflictError(f"Prüfkatalog: »{title.strip()}« gibt es schon. Bitte ändern Sie jene Prüfung.")
    row = session.scalar(sa.select(CheckCatalogue).where(CheckCatalogue.key == key))
    if row is None:
        row = CheckCatalogue(key=key, readings=[])
        session.add(row)
    elif row.title != title.strip():
        _refuse_renaming(session, row.title)
    row.title, row.cadence, row.duration_minutes, row.active = title.strip(), rule, minutes, True
    row.checklist = [item.strip() for item in checklist if item.strip()]
    if readings is not None:
        row.readings = _readings(readings, row.readings)
    for name in ("topic", "skill", "purpose"):
        if name in more:
            setattr(row, name, more[name])
    session.flush()
    return row


def _refuse_renaming(session: Session, title: str) -> None:
    """A plan knows its check by the title; under another one it would lose checklist and readings."""
    named = sa.func.lower(sa.func.split_part(AgreedCheck.check, SUFFIX, 1)) == title.lower()
    if count := session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck).where(named)):
        raise ConflictError(
            f"Prüfkatalog: Unter »{title}« laufen {count} Pläne, der Name bleibt deshalb. Legen Sie eine neue Prüfung an und "
            "nehmen Sie diese heraus."
        )


def _readings(lines: Iterable[str], before: list[dict[str, str]]) -> list[dict[str, str]]:
    """Lines as readings; one that keeps its label keeps its key, so that old results stay readable."""
    keys = {reading["label"]: reading["key"] for reading in before}
    found = []
    for line in lines:
        if match := _READING.fullmatch(line.strip()):
            label, unit = match["label"].strip(), (match["unit"] or "").strip()
            found.append({"key": keys.get(label) or _slug(label), "label": label, "unit": unit})
    return found


def key_for(session: Session, title: str) -> str:
    """A free key for a new check of this title."""
    taken, key = set(session.scalars(sa.select(CheckCatalogue.key))), _slug(title)
    return next(each for n in itertools.count(1) if (each := key if n == 1 else f"{key}_{n}") not in taken)


def _slug(text: str) -> str:
    plain = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "wert"


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
        active=row.active,
    )
