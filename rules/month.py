"""Month: the one value for a calendar month, never a string or the date of its first day."""

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_WRITTEN = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; months compare in order of time."""

    year: int
    number: int

    def __post_init__(self) -> None:
        """Refuse what no calendar knows.

        Raises:
            ValueError: German sentence for a month outside 1-12 or a year outside 1-9999.
        """
        if not (1 <= self.number <= 12 and 1 <= self.year <= 9999):
            raise ValueError(f"Monat {self.year:04d}-{self.number:02d} gibt es nicht: erlaubt ist 0001-01 bis 9999-12.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `YYYY-MM`.

        Raises:
            ValueError: German sentence that shows the text and the form that is allowed.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"Monat »{text}« ist nicht lesbar: erlaubt ist JJJJ-MM, zum Beispiel 2026-10.")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: dt.date) -> Self:
        """The month that holds this day."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        """`YYYY-MM`, the form that `parse` reads."""
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def first_day(self) -> dt.date:
        """The first day of the month."""
        return dt.date(self.year, self.number, 1)

    @property
    def last_day(self) -> dt.date:
        """The last day of the month; contract ends are compared with it inclusively."""
        return dt.date(self.year, self.number, self.days)

    @property
    def days(self) -> int:
        """Number of calendar days, leap years included."""
        return calendar.monthrange(self.year, self.number)[1]

    def plus(self, months: int) -> Self:
        """The month so many later; negative counts go back."""
        index = self.year * 12 + self.number - 1 + months
        return type(self)(index // 12, index % 12 + 1)

    def contains(self, day: dt.date) -> bool:
        """Whether the day lies in this month."""
        return day.year == self.year and day.month == self.number

    def until(self, last: "Month") -> Iterator["Month"]:
        """Every month from this one to `last`, both included; none if `last` lies before."""
        month: Month = self
        while month <= last:
            yield month
            month = month.plus(1)
