"""Values inside EDIFACT segments: texts in parts, days by format code, ranges of numbers."""

import datetime as dt
import re

from integrations.despatch.limits import MAX_RANGE

_RANGE = re.compile(r"(.*?)(\d{1,18})", re.ASCII | re.DOTALL)


def joined(parts: list[str]) -> str:
    """The filled parts with blanks between."""
    return " ".join(part for part in parts if part)


def day(told: str, form: str) -> dt.date | None:
    """Code list 2379: 102, 203, 204 and periods by their first day; 101 with the century of this one."""
    digits = told.partition("-")[0].strip()
    if form == "101" and len(digits) == 6:
        digits = f"20{digits}"
    if not (digits.isascii() and digits.isdigit() and len(digits) in (8, 10, 12, 14)):
        return None
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def expand(first: str, last: str) -> list[str] | None:
    """All numbers from `first` to `last` when both are the same but for trailing digits of equal width; else None."""
    start, end = _RANGE.fullmatch(first), _RANGE.fullmatch(last)
    if not start or not end or len(first) != len(last):
        return None
    width = max(len(start[2]), len(end[2]))
    if first[:-width] != last[:-width] or not (first[-width:].isdigit() and last[-width:].isdigit()):
        return None
    low, high = int(first[-width:]), int(last[-width:])
    if not low <= high < low + MAX_RANGE:
        return None
    return [f"{first[:-width]}{value:0{width}}" for value in range(low, high + 1)]
