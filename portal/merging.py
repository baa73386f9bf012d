"""Two people at the same record: what each of them changed is put together, and where both changed the same, one is asked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actions.company.cells import Listed
from actions.company.editing import mark
from actions.company.spec import File
from portal.master_forms import Input


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the other person changed.

    Args:
        name: the field.
        was: what stood there when the form was opened; None when that is not known.
        mine: what was typed here.
        theirs: what the other person saved.
        clash: both changed it, each in another way; else theirs is taken over already.
    """

    name: str
    was: str | None
    mine: str
    theirs: str
    clash: bool


def merged(
    file: File, mine: Mapping[str, str], was: Mapping[str, str] | None, theirs: Mapping[str, str]
) -> tuple[dict[str, str], list[Difference]]:
    """The values of both, mine where both changed the same; and what the other person changed, in the order of the form."""
    values, found = dict(mine), []
    for column in file.columns:
        name, several = column.name, isinstance(column.cell, Listed)
        own, other = mine.get(name, ""), theirs.get(name, "")
        before = was.get(name, "") if was is not None else None
        if _same(own, other, several=several) or (before is not None and _same(other, before, several=several)):
            continue
        clash = before is None or not _same(own, before, several=several)
        if not clash:
            values[name] = other
        found.append(Difference(name, before, own, other, clash))
    return values, found


def _same(one: str, other: str, *, several: bool) -> bool:
    """Line ends of a browser and the order of several choices are no difference."""
    if several:
        return sorted(one.split("|")) == sorted(other.split("|"))
    return one.split() == other.split()


def written(row: Mapping[str, str]) -> str:
    """A row as the form carries it along."""
    return json.dumps(dict(row), ensure_ascii=False, sort_keys=True)


def carried(text: str, seen: str) -> dict[str, str] | None:
    """The row that the form carried; None when it is none or not the one that was seen."""
    try:
        row = json.loads(text)
    except ValueError:
        return None
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        return None
    return row if mark(row) == seen else None


def words(field: Input | None, value: str) -> str:
    """A value as people read it: the words of its choices, a dash for nothing."""
    options = dict(field.options) if field is not None else {}
    parts: Sequence[str] = value.split("|") if field is not None and field.kind == "several" else [value]
    told = ", ".join(options.get(part, part) for part in parts if part)
    return (told.replace(".", ",") if field is not None and field.kind == "number" else told) or "–"
