"""One hash over every input and result of a month, never the clock or today's date. Page: docs/rules/schnappschuss.md

Order never matters: collections are sorted by their written form. `95.0` and `95.00` are the same value.
"""

import datetime as dt
import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from rules.month import Month
from rules.monthly_types import CustomerBill, CustomerMonth


def _decimal(value: Decimal) -> str:
    return f"{value.normalize() + 0:f}"


def _instant(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat()


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "~",
    str: repr,
    int: str,
    bool: str,
    Decimal: _decimal,
    dt.date: dt.date.isoformat,
    dt.datetime: _instant,
    Month: str,
}
_FIELDS: dict[type, tuple[str, ...]] = {}


def written(value: Any) -> str:
    """The canonical text of a rule value: equal values give equal text, different ones different text.

    Raises:
        TypeError: for a type that has no canonical form, so that nothing slips out of the hash.
    """
    kind = type(value)
    if (writer := _WRITERS.get(kind)) is not None:
        return writer(value)
    if (names := _FIELDS.get(kind)) is not None:
        return f"{kind.__name__}({','.join([written(getattr(value, name)) for name in names])})"
    if kind in (tuple, list, set, frozenset):
        return f"[{','.join(sorted([written(item) for item in value]))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{written(key)}:{written(item)}' for key, item in value.items()))}}}"
    return _first_of_its_kind(value, kind)


def _first_of_its_kind(value: Any, kind: type) -> str:
    """Learn how to write a dataclass or an enum, then write it."""
    if issubclass(kind, enum.StrEnum):
        _WRITERS[kind] = repr
        return repr(value)
    if is_dataclass(kind):
        _FIELDS[kind] = tuple(field.name for field in fields(kind))
        return written(value)
    raise TypeError(f"{kind.__name__} hat keine kanonische Form und gehört nicht in den Schnappschuss.")


def customer_digest(given: CustomerMonth, bill: CustomerBill) -> str:
    """SHA-256 over one customer's inputs and results, as hex."""
    return hashlib.sha256(f"{written(given)}\n{written(bill)}".encode()).hexdigest()


def month_snapshot(month: Month, digests: Mapping[str, str], extra: Mapping[str, str] | None = None) -> str:
    """SHA-256 over a whole month: customer number -> digest, and whatever else the run depends on (settings, recipients)."""
    text = f"{month}\n{written(digests)}\n{written(extra or {})}"
    return hashlib.sha256(text.encode()).hexdigest()


def changed_customers(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Numbers of the customers whose digest differs, came or went: what a refused release names."""
    return tuple(sorted(number for number in before.keys() | after.keys() if before.get(number) != after.get(number)))
