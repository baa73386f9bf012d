"""What the portal consists of: every file in `portal/routes/` brings a `router` and, if it has any, its `NAV` entries.

A new page of the house is a new file there; nothing else has to know of it.
"""

import enum
import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

from portal import routes

if TYPE_CHECKING:
    from portal.security.person import Person


class Section(enum.Enum):
    """Sections of the navigation, in their order: title and icon."""

    OVERVIEW = ("Übersicht", "layout-dashboard")
    SERVICE_DESK = ("Service-Desk", "headset")
    BILLING = ("Abrechnung", "receipt-euro")
    MAINTENANCE = ("Wartung", "tool")
    GOODS = ("Wareneingang", "truck-delivery")
    ASSETS = ("Assets", "devices")
    CUSTOMERS = ("Kunden", "building")
    ADMINISTRATION = ("Verwaltung", "settings")

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def icon(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One line of the navigation. It shows when the person has any of the rights.

    `shortcut` is the letter after "g" that goes there; `bottom` puts it into the bar at the foot of a phone's screen.
    """

    section: Section
    title: str
    path: str
    icon: str
    rights: tuple[str, ...]
    order: int = 50
    shortcut: str = ""
    bottom: bool = False


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A section with what this person may see of it."""

    section: Section
    entries: tuple[NavEntry, ...]


def all_modules() -> list[ModuleType]:
    """The modules of `portal/routes/`, in order of their names."""
    names = sorted(found.name for found in pkgutil.iter_modules(routes.__path__))
    return [importlib.import_module(f"{routes.__name__}.{name}") for name in names]


def navigation(modules: Sequence[ModuleType]) -> tuple[NavEntry, ...]:
    """All entries, in order of section and `order`. A shortcut that is taken already goes to whoever comes first."""
    entries = [entry for module in modules for entry in getattr(module, "NAV", ())]
    place = {section: index for index, section in enumerate(Section)}
    taken: set[str] = set()
    ordered = []
    for entry in sorted(entries, key=lambda e: (place[e.section], e.order, e.title)):
        ordered.append(replace(entry, shortcut="") if entry.shortcut in taken else entry)
        taken.add(entry.shortcut)
    return tuple(ordered)


def navigation_for(entries: Sequence[NavEntry], person: "Person") -> tuple[NavGroup, ...]:
    """The part that this person may see, by section."""
    seen = [entry for entry in entries if any(person.may(right) for right in entry.rights)]
    return tuple(NavGroup(section, found) for section in Section if (found := tuple(e for e in seen if e.section is section)))
