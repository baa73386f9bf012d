"""A recurrence in German words, and what a person should know before agreeing to it. Pure. Page: docs/rules/wiederkehr.md"""

import datetime as dt
from collections.abc import Sequence

from rules.cadence import first_day
from rules.cadence_text import Cadence, Frequency

_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
_EVERY = {
    Frequency.DAILY: ("täglich", "alle {} Tage"),
    Frequency.WEEKLY: ("wöchentlich", "alle {} Wochen"),
    Frequency.MONTHLY: ("monatlich", "alle {} Monate"),
    Frequency.YEARLY: ("jährlich", "alle {} Jahre"),
}
_NAMED = {(Frequency.MONTHLY, 3): "vierteljährlich", (Frequency.MONTHLY, 6): "halbjährlich"}
_WORKDAYS = tuple((0, day) for day in range(5))
_LAST_UP_TO = {(28, 29, 30, 31): 31, (28, 29, 30): 30, (28, 29): 29}


def describe(cadence: Cadence, starts_on: dt.date) -> str:
    """The rule in words, e.g. `vierteljährlich am 2. Dienstag, bis 31.12.2026`. What has no words shows its text."""
    every = _every(cadence)
    where = _where(cadence, starts_on)
    if where is None:
        return f"{every} nach der Regel {cadence}"
    return " ".join(part for part in (every, where) if part) + _end(cadence)


def hints(cadence: Cadence, starts_on: dt.date) -> list[str]:
    """Sentences to show before such a rule is agreed; empty when it does what one expects."""
    if first_day(cadence, starts_on) is None:
        return [f"Die Regel {cadence} ergibt ab dem {starts_on:%d.%m.%Y} nie einen Termin."]
    found = []
    days = cadence.by_month_day or ((starts_on.day,) if _day_from_start(cadence) else ())
    longest = max((day for day in days if day > 28), default=0)
    if longest and not cadence.by_set_pos and cadence.frequency is Frequency.MONTHLY:
        found.append(
            f"Am {longest}. entfällt der Termin in kürzeren Monaten (RFC 5545). Soll er dann am Monatsletzten liegen, "
            f"schreiben Sie {_instead(longest)}."
        )
    if cadence.frequency is Frequency.YEARLY and longest == 29 and (cadence.by_month or (starts_on.month,)) == (2,):
        found.append(
            "Am 29. Februar liegt der Termin nur in Schaltjahren; BYMONTH=2;BYMONTHDAY=-1 meint den letzten Februartag."
        )
    if 53 in cadence.by_week_no:
        found.append("Eine Woche 53 haben nur manche Jahre; BYWEEKNO=-1 meint die letzte Woche jedes Jahres.")
    first = first_day(cadence, starts_on)
    if first is not None and first != starts_on:
        found.append(f"Der erste Termin ist der {first:%d.%m.%Y}, nicht der Beginn am {starts_on:%d.%m.%Y}.")
    return found


def _instead(day: int) -> str:
    if day == 31:
        return "BYMONTHDAY=-1"
    return f"BYMONTHDAY={','.join(map(str, range(28, day + 1)))};BYSETPOS=-1"


def _day_from_start(cadence: Cadence) -> bool:
    return not (cadence.by_day or cadence.by_month_day or cadence.by_year_day or cadence.by_week_no)


def _every(cadence: Cadence) -> str:
    one, many = _EVERY[cadence.frequency]
    return _NAMED.get((cadence.frequency, cadence.interval)) or (
        one if cadence.interval == 1 else many.format(cadence.interval)
    )


def _where(cadence: Cadence, starts_on: dt.date) -> str | None:
    """On which day of the period; None when the words run out."""
    if cadence.by_week_no or cadence.by_year_day:
        return None
    if cadence.frequency is Frequency.DAILY:
        return _daily(cadence)
    if cadence.frequency is Frequency.WEEKLY:
        if cadence.by_set_pos or cadence.by_month:
            return None
        return "am " + _listed([_WEEKDAYS[day] for _, day in cadence.by_day] or [_WEEKDAYS[starts_on.weekday()]])
    day = _day_of_month(cadence, starts_on)
    if day is None:
        return None
    if cadence.frequency is Frequency.YEARLY:
        months = cadence.by_month or ((starts_on.month,) if not cadence.by_day and not cadence.by_month_day else ())
        if not months:
            return None
        named = _listed([_MONTHS[month - 1] for month in months])
        return f"{day} {named}" if day.endswith(".") else f"{day} im {named}"
    return day + (f" ({_listed([_MONTHS[month - 1] for month in cadence.by_month])})" if cadence.by_month else "")


def _daily(cadence: Cadence) -> str | None:
    if cadence.by_month or cadence.by_month_day or cadence.by_set_pos:
        return None
    if not cadence.by_day:
        return ""
    return "(Mo–Fr)" if cadence.by_day == _WORKDAYS else "am " + _listed([_WEEKDAYS[day] for _, day in cadence.by_day])


def _day_of_month(cadence: Cadence, starts_on: dt.date) -> str | None:
    if cadence.by_day and cadence.by_month_day:
        return None
    if cadence.by_day:
        return _nth_weekday(cadence)
    days = cadence.by_month_day or (starts_on.day,)
    if cadence.by_set_pos:
        until = _LAST_UP_TO.get(days) if cadence.by_set_pos == (-1,) else None
        if until is None:
            return None
        return "am Monatsletzten" if until == 31 else f"am {until}., sonst am Monatsletzten,"
    if days == (-1,):
        return "am Monatsletzten"
    if any(day < 0 for day in days):
        return None
    return "am " + _listed([f"{day}." for day in days])


def _nth_weekday(cadence: Cadence) -> str | None:
    if cadence.by_set_pos:
        if cadence.by_day != _WORKDAYS or len(cadence.by_set_pos) != 1 or cadence.by_set_pos[0] not in (1, -1):
            return None
        return "am ersten Arbeitstag (Mo–Fr)" if cadence.by_set_pos[0] == 1 else "am letzten Arbeitstag (Mo–Fr)"
    names = []
    for nth, day in cadence.by_day:
        if nth < -1:
            return None
        names.append(f"{f'{nth}.' if nth > 0 else 'letzten' if nth else 'jedem'} {_WEEKDAYS[day]}")
    return "am " + _listed(names) if all(nth for nth, _ in cadence.by_day) else "an " + _listed(names)


def _end(cadence: Cadence) -> str:
    if cadence.count:
        return f", {cadence.count}-mal"
    return f", bis {cadence.until:%d.%m.%Y}" if cadence.until else ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " und " + words[-1]
