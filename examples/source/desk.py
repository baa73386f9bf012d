"""tickets.csv and service_entries.csv: numbers, approval, and what was already reported by the former system."""

import datetime as dt
from dataclasses import dataclass

from examples.source.house import mail
from examples.source.table import Row, dice
from examples.source.work import Entry, Ticket, assignee, tickets

_APPROVERS = (mail("Gudrun", "Späth"), mail("Valentin", "Roßbach"), mail("Henrike", "Oberländer"))


@dataclass(frozen=True)
class Desk:
    """The rows of both files, and the tickets by number for whoever refers to them."""

    tickets: list[Row]
    entries: list[Row]
    by_number: dict[str, Ticket]


def _clock(day: dt.date, minutes: int) -> str:
    return (dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")


def _approval(entry: Entry) -> Row:
    """August and September were approved and reported by the former system; late ones were approved in October only."""
    roll = dice("approval", entry.day, entry.technician, entry.start, entry.text)
    who = roll.choices(_APPROVERS, (6, 3, 1))[0]
    clock = f"{roll.randrange(9, 13):02d}:{roll.randrange(60):02d}"
    if entry.unapproved:
        return {}
    if entry.late:
        return {"approved_by": who, "approved_at": f"2026-10-{roll.randrange(6, 21):02d}T{clock}"}
    if entry.day.month < 10:
        return {"approved_by": who, "approved_at": f"2026-{entry.day.month + 1:02d}-0{roll.randrange(1, 3)}T{clock}"}
    friday = entry.day + dt.timedelta(days=(4 - entry.day.weekday()) % 7 or 7)
    checked = min(friday, dt.date(2026, 10, 31))
    return {"approved_by": who, "approved_at": f"{checked}T{clock}"}


def _entry(entry: Entry, ticket: Ticket) -> Row:
    former = entry.day.month < 10 and not entry.late
    start = entry.start
    return {
        "technician": mail(*entry.technician.split(" ")),
        "work_date": entry.day.isoformat(),
        "started_at": "" if start is None else _clock(entry.day, start),
        "ended_at": "" if start is None else _clock(entry.day, start + entry.minutes),
        "minutes": entry.minutes,
        "place": entry.place,
        "trips": entry.trips or "",
        "kind": "" if entry.kind == "standard" and entry.minutes % 4 == 0 else entry.kind,
        "text": entry.text,
        "billable": "no" if entry.reason else "yes",
        "non_billable_reason": entry.reason,
        **_approval(entry),
        "reported_elsewhere": f"ALT-2026-{entry.day.month:02d}-{ticket.client.number[1:]}" if former else "",
    }


def build() -> Desk:
    ticket_rows: list[Row] = []
    work: list[tuple[str, Entry, Ticket]] = []
    by_number = {}
    for index, ticket in enumerate(tickets(), 1):
        number = f"T-2026-{index:05d}"
        by_number[number] = ticket
        ticket_rows.append(
            {
                "number": number,
                "customer": ticket.client.number,
                "site": ticket.site,
                "contact": ticket.contact,
                "kind": ticket.kind,
                "subject": ticket.subject,
                "received_at": ticket.received.strftime("%Y-%m-%dT%H:%M"),
                "state": ticket.state,
                "priority": ticket.priority,
                "assignee": assignee(ticket),
                "topic": ticket.topic,
                "asset": ticket.asset,
            }
        )
        work += [(number, entry, ticket) for entry in ticket.entries]
    work.sort(key=lambda w: (w[1].day, w[1].start or 0, w[0], w[1].text))
    entries: list[Row] = [
        {"id": f"L-2026-{index:06d}", "ticket": number, **_entry(entry, ticket)}
        for index, (number, entry, ticket) in enumerate(work, 1)
    ]
    return Desk(ticket_rows, entries, by_number)
