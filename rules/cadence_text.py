"""The text of a recurrence (RRULE of RFC 5545), read strictly and written in one form. Pure. Page: docs/rules/wiederkehr.md"""

import calendar as months
import datetime as dt
import enum
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

_BERLIN = ZoneInfo("Europe/Berlin")
_DAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_EXAMPLE = "zum Beispiel FREQ=MONTHLY;BYDAY=2TU für jeden zweiten Dienstag im Monat"
MAX_INTERVAL, MAX_COUNT = 1_000, 10_000


class CadenceError(ValueError):
    """A rule that cannot be kept: German sentence with the part, what is wrong, and what is allowed."""


class Frequency(enum.StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Cadence:
    """A recurrence in days. Weekdays count from Monday = 0; `by_day` holds pairs (n-th, weekday) with 0 for "each"."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: dt.date | None = None
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0

    def __str__(self) -> str:
        """The rule as RFC 5545 writes it; `parse` reads it back."""
        parts = [f"FREQ={self.frequency.value}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        for name, numbers in (
            ("BYMONTH", self.by_month),
            ("BYWEEKNO", self.by_week_no),
            ("BYYEARDAY", self.by_year_day),
            ("BYMONTHDAY", self.by_month_day),
        ):
            if numbers:
                parts.append(f"{name}={','.join(map(str, numbers))}")
        if self.by_day:
            parts.append("BYDAY=" + ",".join(f"{n or ''}{_DAY_NAMES[day]}" for n, day in self.by_day))
        if self.by_set_pos:
            parts.append(f"BYSETPOS={','.join(map(str, self.by_set_pos))}")
        if self.week_start:
            parts.append(f"WKST={_DAY_NAMES[self.week_start]}")
        if self.count:
            parts.append(f"COUNT={self.count}")
        if self.until:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        return ";".join(parts)


def parse(text: str) -> Cadence:
    """Read a rule, with or without the leading `RRULE:`.

    Raises:
        CadenceError: German sentence for whatever the rule says that cannot be kept to the letter.
    """
    body = text.strip().upper().removeprefix("RRULE:")
    if not body:
        raise CadenceError(f"Wiederkehr: Die Regel ist leer. Nötig ist eine nach RFC 5545, {_EXAMPLE}.")
    parts: dict[str, str] = {}
    for part in body.rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise CadenceError(f"Wiederkehr »{text}«: »{part}« ist kein Paar NAME=WERT; {_EXAMPLE}.")
        if name in parts:
            raise CadenceError(f"Wiederkehr »{text}«: {name} steht zweimal darin; jede Angabe darf nur einmal stehen.")
        parts[name] = value
    return _checked(_Reader(text, parts).read(), text)


class _Reader:
    """One rule while it is read; whatever is left in `parts` at the end is unknown."""

    def __init__(self, text: str, parts: dict[str, str]) -> None:
        self.text, self.parts = text, parts

    def wrong(self, name: str, value: str, allowed: str) -> CadenceError:
        return CadenceError(f"Wiederkehr »{self.text}«: {name}={value} geht nicht. Erlaubt ist {allowed}.")

    def read(self) -> Cadence:
        cadence = Cadence(
            frequency=self.frequency(),
            interval=self.number("INTERVAL", MAX_INTERVAL) or 1,
            count=self.number("COUNT", MAX_COUNT),
            until=self.until(),
            by_month=self.numbers("BYMONTH", 12, signed=False),
            by_month_day=self.numbers("BYMONTHDAY", 31),
            by_year_day=self.numbers("BYYEARDAY", 366),
            by_week_no=self.numbers("BYWEEKNO", 53),
            by_day=self.weekdays(),
            by_set_pos=self.numbers("BYSETPOS", 366),
            week_start=self.week_start(),
        )
        if self.parts:
            name, value = next(iter(self.parts.items()))
            raise self.wrong(
                name,
                value,
                "FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYDAY, BYSETPOS und WKST; "
                "die Uhrzeit steht im Wartungsfenster, nicht in der Regel",
            )
        return cadence

    def frequency(self) -> Frequency:
        value = self.parts.pop("FREQ", "")
        try:
            return Frequency(value)
        except ValueError:
            raise self.wrong("FREQ", value, "DAILY, WEEKLY, MONTHLY oder YEARLY (Termine sind Tage)") from None

    def number(self, name: str, highest: int) -> int | None:
        value = self.parts.pop(name, None)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= highest):
            raise self.wrong(name, value, f"eine Zahl von 1 bis {highest}")
        return int(value)

    def numbers(self, name: str, highest: int, *, signed: bool = True) -> tuple[int, ...]:
        value = self.parts.pop(name, None)
        if value is None:
            return ()
        found = []
        for one in value.split(","):
            whole = int(one) if _WHOLE.fullmatch(one) else 0
            if not 1 <= abs(whole) <= highest or (whole < 0 and not signed):
                allowed = f"1 bis {highest}" + (f" oder −1 bis −{highest} (vom Ende gezählt)" if signed else "")
                raise self.wrong(name, value, allowed)
            found.append(whole)
        return tuple(sorted(set(found)))

    def weekdays(self) -> tuple[tuple[int, int], ...]:
        value = self.parts.pop("BYDAY", None)
        if value is None:
            return ()
        found = set()
        for one in value.split(","):
            match = _WEEKDAY.fullmatch(one)
            nth = int(match[1]) if match and match[1] else 0
            if match is None or (match[1] and nth == 0) or abs(nth) > 53:
                raise self.wrong("BYDAY", value, "MO, TU, WE, TH, FR, SA, SU, auch mit Zahl davor (2TU, -1FR)")
            found.add((nth, _DAY_NAMES.index(match[2])))
        return tuple(sorted(found))

    def week_start(self) -> int:
        value = self.parts.pop("WKST", "MO")
        if value not in _DAY_NAMES:
            raise self.wrong("WKST", value, "MO, TU, WE, TH, FR, SA oder SU")
        return _DAY_NAMES.index(value)

    def until(self) -> dt.date | None:
        """The last day, inclusive. An instant (UTC) counts as its day in Berlin."""
        value = self.parts.pop("UNTIL", None)
        if value is None:
            return None
        match = _UNTIL.fullmatch(value)
        try:
            if match is None:
                raise ValueError
            year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
            if not match[7]:
                return dt.datetime(year, month, day, hour, minute, second, tzinfo=_BERLIN).date()
            return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC).astimezone(_BERLIN).date()
        except (ValueError, OverflowError):
            raise self.wrong("UNTIL", value, "ein Tag JJJJMMTT, zum Beispiel 20261231") from None


def _checked(cadence: Cadence, text: str) -> Cadence:
    """Refuse combinations that RFC 5545 forbids or that can never come true."""
    frequency = cadence.frequency
    refusals = (
        (cadence.count is not None and cadence.until is not None, "COUNT und UNTIL schließen einander aus"),
        (bool(cadence.by_week_no) and frequency is not Frequency.YEARLY, "BYWEEKNO gibt es nur mit FREQ=YEARLY"),
        (bool(cadence.by_year_day) and frequency is not Frequency.YEARLY, "BYYEARDAY gibt es nur mit FREQ=YEARLY"),
        (bool(cadence.by_month_day) and frequency is Frequency.WEEKLY, "BYMONTHDAY gibt es nicht mit FREQ=WEEKLY"),
        (
            any(nth for nth, _ in cadence.by_day)
            and (frequency in (Frequency.DAILY, Frequency.WEEKLY) or bool(cadence.by_week_no)),
            "eine Zahl vor dem Wochentag (2TU) gibt es nur mit FREQ=MONTHLY oder YEARLY und ohne BYWEEKNO",
        ),
        (
            bool(cadence.by_set_pos)
            and not (cadence.by_day or cadence.by_month or cadence.by_month_day or cadence.by_year_day or cadence.by_week_no),
            "BYSETPOS braucht eine weitere BY-Angabe",
        ),
        (
            frequency is Frequency.DAILY and any(abs(place) != 1 for place in cadence.by_set_pos),
            "BYSETPOS kann mit FREQ=DAILY nur 1 oder −1 sein",
        ),
        (not _month_days_exist(cadence), "diesen Tag hat keiner der genannten Monate"),
    )
    for refused, why in refusals:
        if refused:
            raise CadenceError(f"Wiederkehr »{text}«: {why}. Bitte ändern Sie die Regel.")
    return cadence


def _month_days_exist(cadence: Cadence) -> bool:
    """Whether at least one named month has at least one named day (30 February never comes)."""
    if not cadence.by_month or not cadence.by_month_day:
        return True
    longest = max(months.monthrange(2024, month)[1] for month in cadence.by_month)
    return any(abs(day) <= longest for day in cadence.by_month_day)
