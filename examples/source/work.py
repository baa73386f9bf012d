"""Tickets and service entries of August, September and October 2026."""

import datetime as dt
import random
import re
from dataclasses import dataclass, field

from examples.source.clients import CLIENTS, Client
from examples.source.diary import OPEN, Diary, later, working_days
from examples.source.house import mail
from examples.source.papers import kontingente
from examples.source.parties import people
from examples.source.phrases import KINDS, Filling, Subject, closings, filling, fits, free_reasons, subjects
from examples.source.table import dice

_TEAM = {
    "KOE": ("Jonas Kübler", "Mirella D'Angelo", "Bastian Vöcking", "Tarek Yıldırım"),
    "BGL": ("Aylin Demirtaş", "Tarek Yıldırım", "Jonas Kübler"),
    "SIE": ("Piotr Wiśniewski", "Lena Großkreutz", "Aylin Demirtaş"),
    "GUM": ("Sören Ahlgrimm", "Mirella D'Angelo", "Piotr Wiśniewski"),
}
_EVERYBODY = sorted({name for team in _TEAM.values() for name in team})
_REMOTE = (7, 8, 10, 10, 12, 14, 15, 17, 20, 20, 22, 25, 28, 30, 30, 33, 35, 40, 45, 50, 55, 65, 80, 95)
_ON_SITE = (35, 45, 50, 60, 70, 75, 90, 95, 110, 125, 150, 180)
_SETUP = (40, 45, 55, 60, 70, 90, 105)
_SHORT = (10, 10, 12, 15, 15, 18, 20, 25, 30)
_AFAR = {"E-Mail", "Microsoft 365", "Virenschutz", "Firewall", "Überwachung", "Wartung"}
_BY_HAND = re.compile(
    r"getauscht|montiert|eingebaut|abgebaut|gereinigt|gepatcht|umgezogen|angeschlossen|durchgemessen|Rollen|Papierrest|Strecken|"
    r"Altkabel|Platte \d im Betrieb|Kurzschulung|vor Ort|aufgelegt|Dauertest|Netzteil|Filter gereinigt|umgesteckt|"
    r"versetzt|Klimagerät"
)
_LONG = (90, 105, 120, 150, 165, 180, 210, 240)


_MIDNIGHT = dt.datetime.combine(dt.date.min, dt.time())  # until the first work is known


@dataclass
class Entry:
    """A service entry before it gets its number; `start` in minutes since midnight, none if only the duration was noted."""

    technician: str
    day: dt.date
    start: int | None
    minutes: int
    place: str
    trips: int
    kind: str
    text: str
    reason: str = ""
    late: bool = False
    unapproved: bool = False


@dataclass
class Ticket:
    """A ticket before it gets its number."""

    client: Client
    site: str
    contact: str
    kind: str
    subject: str
    topic: str
    asset: str
    received: dt.datetime
    priority: str = "normal"
    state: str = "closed"
    entries: list[Entry] = field(default_factory=list)


class Month:
    """Builds one customer's month of work until the hours aimed at are reached."""

    def __init__(self, client: Client, month: int, bag: list[Subject], diary: Diary) -> None:
        self.client, self.month, self.bag, self.diary = client, month, bag, diary
        self.roll = dice("work", client.number, month)
        self.tickets: list[Ticket] = []
        self.used = 0
        terms = [k for k in kontingente() if k["customer"] == client.number and k["starts_on"] <= f"2026-{month:02d}-01"]
        self.unit = int(terms[0]["billing_unit_minutes"] or 15) if terms else 15
        self.least = int(terms[0]["billing_minimum_minutes"] or 15) if terms else 15

    def billed(self, minutes: int) -> int:
        return -(-max(minutes, self.least) // self.unit) * self.unit

    def plan(self) -> None:
        """The fixed dates of the story; for all customers before any ordinary work, so that the technicians are free then."""
        for special in self.client.days:
            date, kind = special.split(" ")
            if int(date[5:7]) == self.month:
                self.special(dt.date.fromisoformat(date), kind)

    def fill(self) -> list[Ticket]:
        target = self.client.hours[self.month - 8] * 60
        while self.used < target:
            self.ordinary(target)
        self.mark()
        return self.tickets

    def open_ticket(self, subject: Subject) -> tuple[Ticket, Filling]:
        """A ticket of a person at a branch; persons of a branch speak for their own branch."""
        person = self.roll.choice(people(self.client))
        served = [c for c in self.client.sites if c.endswith(";yes")]
        site = person.site or (self.roll.choice(["", *(line.split(";")[0] for line in served)]) if served else "")
        names = {line.split(";")[0]: line.split(";")[1] for line in self.client.sites}
        filled = filling(self.client, subject, person.salute, names.get(site, ""), self.roll)
        ticket = Ticket(
            self.client, site, person.email, KINDS[subject.letter], filled(subject.title), subject.topic, filled.asset,
            _MIDNIGHT, priority=self.roll.choices(("normal", "high", "low"), (72, 16 if subject.letter in "IA" else 4, 12))[0],
        )  # fmt: skip
        self.tickets.append(ticket)
        return ticket, filled

    def ordinary(self, target: float) -> None:
        """One ticket with its steps on following working days; the last one is cut short at the target."""
        subject = self.bag.pop(0)
        self.bag.append(subject)
        ticket, filled = self.open_ticket(subject)
        day = self.roll.choice(working_days(self.month))
        number = self.roll.randrange(1, len(subject.steps) + 1)
        wish = self.client.on_site * (0.15 if subject.topic in _AFAR else 0.9)
        on_site = self.roll.random() < wish or (subject.letter in "PX" and self.roll.random() < 0.6)
        team = list(_TEAM[self.client.house_site])
        self.roll.shuffle(team)
        for index, step in enumerate(subject.steps[:number]):
            if self.used >= target:
                break
            here = (on_site and (index == 0 or self.roll.random() < 0.4)) or bool(_BY_HAND.search(step))
            minutes = self.roll.choice(self.pool(subject, here=here))
            text = filled(step)
            if self.roll.random() < 0.5:
                text += " " + filled(self.roll.choice([c for c in closings() if "{pc}" not in c or filled.values["pc"]]))
            free = self.client.free == 1.0
            entry = self.work(ticket, day, minutes, text, here=here, team=team)
            self.used += minutes if free else self.billed(minutes)
            if free:
                entry.reason, entry.text = self.gift(filled)
            day = later(day, self.roll.choice((0, 1, 1, 2, 3)))
        if self.roll.random() < self.client.free < 1.0:
            reason, text = self.roll.choice([p for p in free_reasons() if self.suits(p[0], ticket)])
            spare = self.work(ticket, day, self.roll.choice((5, 8, 10, 15, 20, 25)), filled(text), here=False, team=team)
            spare.reason = reason
        self.arrive(ticket)

    @staticmethod
    def pool(subject: Subject, *, here: bool) -> tuple[int, ...]:
        """How long such work takes, in minutes."""
        if subject.letter == "P":
            return _LONG
        if here:
            return _ON_SITE
        return {"X": _SETUP, "O": _SETUP, "D": _SETUP, "M": _SHORT, "A": _SHORT}.get(subject.letter, _REMOTE)

    @staticmethod
    def suits(reason: str, ticket: Ticket) -> bool:
        if reason in {"Fehlalarm", "Spende"}:
            return reason == "Fehlalarm" and ticket.kind == "alert"
        if reason in {"Doppelmeldung", "Nicht nachvollziehbar", "Garantieabwicklung"}:
            return ticket.kind == "incident" and bool(ticket.asset)
        return reason != "Vertriebsgespräch" or ticket.topic == "Beratung"

    def gift(self, filled: Filling) -> tuple[str, str]:
        gifts = [p for p in free_reasons() if p[0] == "Spende"]
        reason, text = gifts[(len(self.tickets) + self.month) % len(gifts)]
        return reason, filled(text)

    def work(self, ticket: Ticket, day: dt.date, minutes: int, text: str, *, here: bool, team: list[str]) -> Entry:
        """Find a technician with time for it, that day or the nearest one."""
        others = [name for name in _EVERYBODY if name not in team]
        for offset in range(len(working_days(self.month))):
            on = later(day, offset) if offset < 5 else self.roll.choice(working_days(self.month))
            begin = OPEN + 25 if here else OPEN
            found = self.diary.find([*team, *others], on, minutes, self.roll, begin)
            if found:
                day = on
                break
        else:
            raise RuntimeError(f"Kein Techniker hat Zeit für {ticket.client.number} im Monat {self.month}.")
        trips = int(here and not any(e.day == day and e.trips for e in ticket.entries))
        start = None if self.roll.random() < 0.03 else found[1]
        entry = Entry(found[0], day, start, minutes, "on_site" if here else "remote", trips, "standard", text)
        ticket.entries.append(entry)
        return entry

    def special(self, day: dt.date, kind: str) -> None:
        """A date of the story: project day, evening or weekend work, a visit, a trip with the work done from afar."""
        letters = {"project_day": "P", "half_project_day": "P", "after_hours": "RT", "weekend": "RTP"}.get(kind, "IRX")
        topics = {"after_hours": {"Server", "Firewall", "Netzwerk", "Fachanwendung"}}.get(kind)
        mark = "{" + kind + "}" if kind in {"server", "firewall"} else ""
        subject = next(
            s for s in self.bag if (s.letter in letters or mark) and mark in s.title and (topics is None or s.topic in topics)
        )
        self.bag.remove(subject)
        self.bag.append(subject)
        ticket, filled = self.open_ticket(subject)
        text = filled(subject.steps[0])
        who = _TEAM[self.client.house_site][day.day % 2]
        if kind == "project_day":
            self.fixed(ticket, Entry(who, day, 8 * 60, 480, "on_site", 1, "project_day", text))
        elif kind == "half_project_day":
            self.fixed(ticket, Entry(who, day, 8 * 60, 210, "on_site", 1, "project_day", text))
        elif kind == "after_hours":
            minutes = self.roll.choice((45, 60, 75, 90))
            self.fixed(ticket, Entry(who, day, 18 * 60 + self.roll.choice((0, 15, 30)), minutes, "remote", 0, kind, text))
        elif kind == "weekend":
            minutes = self.roll.choice((60, 90, 120))
            here = self.roll.random() < 0.5
            self.fixed(ticket, Entry(who, day, 9 * 60, minutes, "on_site" if here else "remote", int(here), kind, text))
        elif kind == "remote_trip":
            text += " Gerät zuvor beim Kunden abgeholt, Arbeiten danach per Fernwartung aus der Werkstatt."
            self.fixed(ticket, Entry(who, day, 13 * 60, 85, "remote", 1, "standard", text))
        elif mark:
            self.fixed(ticket, Entry(who, day, 14 * 60, 55, "remote", 0, "standard", text))
        else:
            self.fixed(ticket, Entry(who, day, 9 * 60, 100, "on_site", 1, "standard", text))
        self.arrive(ticket)

    def fixed(self, ticket: Ticket, entry: Entry) -> None:
        if entry.start is None or not self.diary.book(entry.technician, entry.day, entry.start, entry.minutes):
            raise RuntimeError(f"{entry.technician} ist am {entry.day} schon verplant.")
        ticket.entries.append(entry)
        raised = {"after_hours": int(self.client.after), "weekend": int(self.client.weekend)}.get(entry.kind, 0)
        minutes = entry.minutes if entry.kind == "project_day" else self.billed(entry.minutes)
        self.used += minutes * (100 + raised) // 100

    def arrive(self, ticket: Ticket) -> None:
        """The ticket came in before the first work on it: mostly the same morning or the day before, alerts at any hour."""
        first = min(ticket.entries, key=lambda e: (e.day, e.start or OPEN))
        start = first.start if first.start is not None else OPEN + 60
        at = dt.datetime.combine(first.day, dt.time()) + dt.timedelta(minutes=start)
        planned = first.kind != "standard" or ticket.kind in {"task", "onboarding", "documentation", "replacement"}
        if planned:
            at = at.replace(hour=9) - dt.timedelta(days=self.roll.randrange(4, 12), minutes=self.roll.randrange(0, 110))
        elif ticket.kind == "alert" or self.roll.random() < 0.3:
            at -= dt.timedelta(minutes=self.roll.randrange(200, 1_100))
        else:
            at -= dt.timedelta(minutes=self.roll.randrange(6, 150))
            if at.hour < 6:
                at = (at - dt.timedelta(days=1)).replace(hour=self.roll.randrange(17, 22))
        ticket.received = at

    def mark(self) -> None:
        """Late, unapproved and still open work at the months' ends."""
        entries = sorted((e for t in self.tickets for e in t.entries if not e.reason), key=lambda e: (e.day, e.start or 0))
        if self.month == 9 and self.client.late:
            for entry in entries[-self.client.late :]:
                entry.late = True
        if self.month == 10 and self.client.unapproved:
            for entry in entries[-self.client.unapproved :]:
                entry.unapproved = True
        if self.month == 10 and self.client.noted_later:
            first = min(self.tickets, key=lambda t: t.received)
            first.received += dt.timedelta(days=1)  # a call that became a ticket only afterwards
        for ticket in self.tickets:
            last = max(e.day for e in ticket.entries)
            if last >= dt.date(2026, 10, 26):
                ticket.state = self.roll.choice(("open", "waiting", "resolved", "resolved"))
            elif last >= dt.date(2026, 10, 14):
                ticket.state = self.roll.choice(("resolved", "closed"))


def _packed(roll: random.Random) -> list[Ticket]:
    """Goods of the last weeks that were packed and sent; work of the warehouse is not booked to the customer."""
    goods = (
        "2 Notebooks mit Dockingstation",
        "1 USV",
        "3 Bildschirme",
        "1 Switch",
        "6 Arbeitsplatz-PCs",
        "1 Firewall mit Lizenz",
    )
    found = []
    for index, what in enumerate(goods):
        client = roll.choice(CLIENTS)
        at = dt.datetime.fromisoformat("2026-09-03T08:15") + dt.timedelta(
            days=7 * index + index % 2, minutes=roll.randrange(0, 300)
        )
        subject = f"Kommissionieren und Packen: Auftrag KA-2026-0{281 + 3 * index} ({what})"
        found.append(Ticket(client, "", people(client)[0].email, "pick_and_pack", subject, "Warenausgang", "", at))
    return found


def _waiting(roll: random.Random) -> list[Ticket]:
    """What came in during the last days of October and nobody has begun: the dispatcher's queue."""
    found = []
    for client in CLIENTS[::2]:
        subject = roll.choice([s for s in subjects() if s.letter in "IRA" and fits(client, s)])
        person = roll.choice(people(client))
        filled = filling(client, subject, person.salute, "", roll)
        at = dt.datetime.fromisoformat("2026-10-28T06:40") + dt.timedelta(minutes=roll.randrange(0, 3_600))
        found.append(
            Ticket(
                client, person.site, person.email, KINDS[subject.letter], filled(subject.title), subject.topic, filled.asset,
                at, roll.choice(("high", "normal", "normal", "low")), roll.choice(("new", "new", "open")),
            )
        )  # fmt: skip
    return found


def tickets() -> list[Ticket]:
    """All tickets in the order of their arrival."""
    diary = Diary()
    found: list[Ticket] = []
    bags = {}
    for client in CLIENTS:
        bags[client.number] = [s for s in subjects() if fits(client, s)]
        dice("bag", client.number).shuffle(bags[client.number])
    months = [Month(client, month, bags[client.number], diary) for month in (8, 9, 10) for client in CLIENTS]
    for month in months:
        month.plan()
    for month in months:
        found += month.fill()
    found += _waiting(dice("waiting")) + _packed(dice("packed"))
    return sorted(found, key=lambda t: (t.received, t.client.number, t.subject))


def assignee(ticket: Ticket) -> str:
    if ticket.kind == "pick_and_pack":
        return mail("Emil", "Kaczmarek")
    if ticket.entries:
        return mail(*ticket.entries[-1].technician.split(" "))
    return mail(*_TEAM[ticket.client.house_site][0].split(" ")) if ticket.state == "open" else ""
