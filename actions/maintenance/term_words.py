"""What changes at the terms of a plan, in German, with the value before and after: nobody saves what they have not read."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from actions.maintenance.papers import CATCH_UP_WORDS, SHIFT_WORDS
from models.assets import Asset
from models.contracts import Contract
from models.maintenance import AgreedCheck
from models.parties import Employee, Site
from rules.cadence import Shift
from rules.catch_up import CatchUp

EDITABLE = {
    "duration_minutes": "Dauer", "window_opens": "Zeitfenster", "window_closes": "Zeitfenster", "technician_id": "Technik",
    "catch_up": "Nachholen", "shift": "Verhalten an freien Tagen", "contract_id": "Abdeckung", "site_id": "Niederlassung",
    "asset_id": "Gerät", "checklist": "Prüfpunkte",
}  # fmt: skip
"""Terms that change without moving a date's rule, with their German names."""


def terms_named(names: Iterable[str]) -> str:
    """The German names of terms, each once, in their fixed order: `Dauer, Zeitfenster und Prüfpunkte`."""
    wanted = set(names)
    words = list(dict.fromkeys(word for name, word in EDITABLE.items() if name in wanted)) or ["nichts"]
    return " und ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def changed(plan: AgreedCheck, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the wanted terms those that the plan does not have already."""
    return {name: value for name, value in values.items() if _plain(getattr(plan, name)) != _plain(value)}


def difference(session: Session, plan: AgreedCheck, values: Mapping[str, Any]) -> str:
    """E.g. `Dauer 15 → 30 Minuten; Technik Jonas Kübler → niemand`; the order is fixed."""
    before = {name: getattr(plan, name) for name in EDITABLE}
    after = before | dict(values)
    parts: dict[str, str] = {}
    for name, word in EDITABLE.items():
        if name in values:
            old, new = (_said(session, name, terms) for terms in (before, after))
            parts[word] = f"{word} {old} → {new}"
    return "; ".join(parts.values())


def _plain(value: object) -> object:
    return list(value) if isinstance(value, (list, tuple)) else value


def _said(session: Session, name: str, terms: Mapping[str, Any]) -> str:
    value = terms[name]
    if name in {"window_opens", "window_closes"}:
        return _window(terms["window_opens"], terms["window_closes"])
    if name == "checklist":
        return f"{len(value)} eigene Punkte" if value else "wie im Katalog"
    if name == "duration_minutes":
        return f"{value} Minuten" if value else "wie im Katalog"
    if name == "shift":
        return f"»{SHIFT_WORDS[Shift(value)]}«"
    if name == "catch_up":
        return f"»{CATCH_UP_WORDS[CatchUp(value)]}«"
    return _row(session, name, value)


def _row(session: Session, name: str, value: int | None) -> str:
    """Whom or what a reference of a plan means."""
    if value is None:
        return {"technician_id": "niemand", "contract_id": "kein Vertrag", "site_id": "ganzer Kunde"}.get(name, "keines")
    if name == "technician_id":
        return session.get_one(Employee, value).name
    if name == "contract_id":
        return session.get_one(Contract, value).number
    return session.get_one(Site, value).name if name == "site_id" else session.get_one(Asset, value).inventory_no


def _window(opens: dt.time | None, closes: dt.time | None) -> str:
    return f"{opens:%H:%M}–{closes:%H:%M} Uhr" if opens and closes else "keines"
