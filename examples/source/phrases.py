"""The pool of subjects and texts, and the filling of their placeholders for one customer."""

import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from examples.source.clients import Client
from examples.source.parties import people
from examples.source.things import checks, devices

_TEXTS = Path(__file__).parent / "texts"
KINDS = {
    "I": "incident", "R": "request", "P": "request", "D": "documentation", "O": "onboarding", "X": "replacement", "T": "task",
    "A": "alert", "M": "maintenance",
}  # fmt: skip
_CLASS = {
    "pc": "workstation", "notebook": "notebook", "server": "server", "firewall": "firewall", "switch": "switch", "nas": "nas",
    "ap": "access_point", "usv": "ups", "drucker": "printer",
}  # fmt: skip
_ADDINS = ("PDF-Ablage 4", "Besprechungshelfer", "Faxbrücke", "CRM-Leiste", "Archivknopf", "Übersetzer Plus")
_FIRMS = (
    "Papier Hüttenrauch", "Kranich Versicherung", "Holz Möhrke", "Bank im Bergischen", "Labor Vierlinden", "Verlag Sternmull",
    "Kühlhaus Nordhang", "Leasing Rabenstein", "Druck Immergrün", "Stahlhandel Quast", "Agentur Libelle", "Messebau Zirkel",
)  # fmt: skip
_BOXES = (
    "buchhaltung@",
    "bewerbung@",
    "einkauf@",
    "termine@",
    "info@",
    "rechnungseingang@",
    "bestellung@",
    "zentrale@",
    "presse@",
)
_FOLDERS = (
    "Projekte 2026", "Personal vertraulich", "Angebote", "Vorlagen", "Qualität", "Bilder Archiv", "Verträge", "Vorstand",
    "Jahresabschluss", "Messe Herbst", "Bauakten", "Protokolle", "Einkauf Rahmen",
)  # fmt: skip
_PLACES = ("Büro 2", "Halle 1", "Raum 104", "Gebäude B", "Etage 2", "Büro 5", "Raum 12", "Halle 3", "Etage 1", "Raum 201")
_TILLS = {"K1003", "K1013", "K1014", "K1022", "K1034", "K1036", "K1043"}


@dataclass(frozen=True)
class Subject:
    """One kind of ticket: its letter, topic, subject line and the texts of the work steps."""

    letter: str
    topic: str
    title: str
    steps: tuple[str, ...]


@dataclass
class Filling:
    """The values of one ticket's placeholders; the first device used is the ticket's asset."""

    values: dict[str, str]
    asset: str = field(default="")

    def __call__(self, text: str) -> str:
        return text.format_map(self.values)


@cache
def subjects() -> tuple[Subject, ...]:
    topic, found = "", []
    for line in (_TEXTS / "tickets.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            topic = line.strip("[]")
        elif line and not line.startswith("#"):
            title, *steps = line[2:].split(" || ")
            found.append(Subject(line[0], topic, title, tuple(steps)))
    return tuple(found)


@cache
def free_reasons() -> tuple[tuple[str, str], ...]:
    lines = (_TEXTS / "free.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" || ") for line in lines if line and not line.startswith("#")]
    return tuple((reason, text) for reason, text in pairs)


@cache
def closings() -> tuple[str, ...]:
    return tuple(x for x in (_TEXTS / "closings.txt").read_text(encoding="utf-8").splitlines() if not x.startswith("#"))


def fits(client: Client, subject: Subject) -> bool:
    """Whether the customer has the devices and the trade for a subject."""
    text = subject.title + "".join(subject.steps)
    if "Kassen" in text and client.number not in _TILLS:
        return False
    if "Standortkopplung" in text and not client.sites:
        return False
    if subject.letter == "M" and subject.title.removeprefix("Wartung: ") not in {
        c["check"] for c in checks() if c["customer"] == client.number
    }:
        return False
    if subject.letter == "P" and max(client.hours) < 9:
        return False
    return all("{" + mark + "}" not in text or devices(client, kind) for mark, kind in _CLASS.items())


def filling(client: Client, subject: Subject, contact: str, place: str, roll: random.Random) -> Filling:
    """Draw the placeholders of one ticket. `contact` is how the contact is addressed, `place` the branch's name or empty."""
    drawn = {mark: roll.choice(devices(client, kind)) if devices(client, kind) else "" for mark, kind in _CLASS.items()}
    others = [person.salute for person in people(client)]
    values = drawn | {
        "wer": (who := roll.choice([contact, *others])),
        "person": who.replace("Herr ", "Herrn "),
        "domain": f"{client.domain}.example",
        "software": client.software,
        "n": str(roll.randrange(2, 9)),
        "gb": str(roll.randrange(4, 49)),
        "kb": f"KB50{roll.randrange(40_000, 79_999)}",
        "ver": f"{roll.randrange(2, 14)}.{roll.randrange(0, 10)}.{roll.randrange(1, 40)}",
        "addin": roll.choice(_ADDINS),
        "firma": roll.choice(_FIRMS),
        "postfach": f"{roll.choice(_BOXES)}{client.domain}.example",
        "laufwerk": f"{roll.choice('GHKLMPSTVX')}:",
        "ordner": roll.choice(_FOLDERS),
        "ort": place or roll.choice(_PLACES),
        "zeit": f"{roll.randrange(7, 17):02d}:{roll.choice(('00', '15', '30', '45'))}",
        "prozent": str(roll.randrange(31, 39) if "Grad" in subject.title else roll.randrange(86, 99)),
        "tage": str(roll.randrange(3, 22)),
    }
    used = [mark for mark in _CLASS if "{" + mark + "}" in subject.title] or [
        mark for mark in _CLASS if "{" + mark + "}" in "".join(subject.steps)
    ]
    return Filling(values, drawn[used[0]] if used else "")
