"""Forms for master data, made from the description of the company folder: the same columns, words and limits as an import."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from actions.company import files
from actions.company.cells import Choice, Day, Integer, Listed, Number, Text, YesNo
from actions.company.spec import Column, File
from actions.company.terms import Correction
from models.catalogue import Product
from models.parties import Customer, Employee, HouseSite, Site
from portal import labels

RULES = ("quarter_end", "after_months=2", "after_months=3", "below_months=1", "below_months=2", "never")
HINTS = {
    "service_hours": "zum Beispiel: mo-fr 08:00-17:00",
    "reaction_hours_by_priority": "Stunden je Priorität, zum Beispiel: high=2|normal=8|low=24",
    "covered_asset_classes": "mehrere mit | getrennt, zum Beispiel: server|notebook; leer = alles",
    "skills": "mehrere mit | getrennt",
}
LABELLED = {
    "billing": "billing", "delivery": "delivery", "mandate_kind": "mandate", "functions": "function", "portal": "portal",
    "backup_responsible": "backup", "kind": "contract", "rest_at_end": "rest", "meter": "meter",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form. `kind`: text, area, number, date, choice, several."""

    name: str
    label: str
    kind: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def inputs(session: Session, file: File, customer: Customer | None, *, hidden: frozenset[str]) -> list[Input]:
    """The fields of a file's form, without those that the page knows itself."""
    return [_input(session, column, customer) for column in file.columns if column.name not in hidden]


def _input(session: Session, column: Column, customer: Customer | None) -> Input:
    label = column.meaning[:1].upper() + column.meaning[1:]
    hint = HINTS.get(column.name, "")
    cell = column.cell
    if column.ref is not None:
        return Input(column.name, label, "choice", column.required, _references(session, column, customer))
    if isinstance(cell, Choice):
        return Input(column.name, label, "choice", column.required, _words(column.name, cell.words))
    if isinstance(cell, YesNo):
        return Input(column.name, label, "choice", True, (("yes", "ja"), ("no", "nein")))
    if isinstance(cell, Correction):
        return Input(column.name, label, "choice", False, tuple((rule, labels.correction_rule(rule)) for rule in RULES))
    if isinstance(cell, Listed) and isinstance(cell.of, Choice):
        return Input(column.name, label, "several", column.required, _words(column.name, cell.of.words))
    if isinstance(cell, Day):
        return Input(column.name, label, "date", column.required, hint=hint)
    if isinstance(cell, Integer | Number):
        return Input(column.name, label, "number", column.required, hint=hint)
    if isinstance(cell, Text) and cell.lines:
        return Input(column.name, label, "area", column.required, hint=hint)
    return Input(column.name, label, "text", column.required, hint=hint)


def _words(name: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((word, labels.label(word, LABELLED.get(name, ""))) for word in words)


def _references(session: Session, column: Column, customer: Customer | None) -> tuple[tuple[str, str], ...]:
    """What may be chosen for a column that names another record."""
    ref = column.ref
    assert ref is not None  # noqa: S101 - for the type checker
    statement: sa.Select[Any]
    if ref.model is Employee:
        name = Employee.first_name + " " + Employee.last_name
        statement = sa.select(Employee.email, name).where(Employee.active).order_by(Employee.last_name)
    elif ref.model is Site:
        of = Site.customer_id == (customer.id if customer else 0)
        statement = sa.select(Site.code, Site.code + " · " + Site.name).where(of).order_by(Site.code)
    elif ref.model is HouseSite:
        statement = sa.select(HouseSite.code, HouseSite.name).order_by(HouseSite.name)
    else:
        statement = sa.select(Product.code, Product.code + " · " + Product.name).order_by(Product.code)
    return tuple((str(value), str(text)) for value, text in session.execute(statement).tuples())


def read(file: File, data: FormData, fixed: dict[str, str]) -> dict[str, str]:
    """The form as texts of a row: several choices joined by |, a decimal comma turned into the point."""
    values = dict(fixed)
    for column in file.columns:
        if column.name in fixed:
            continue
        given = [v for v in data.getlist(column.name) if isinstance(v, str)]
        text = "|".join(v for v in given if v) if isinstance(column.cell, Listed) else (given[-1] if given else "")
        values[column.name] = _point(text) if isinstance(column.cell, Number) else text.strip()
    return values


def _point(text: str) -> str:
    """1.234,50 and 1234,5 as people write them; what has no comma stays as it is."""
    plain = text.strip().removesuffix("€").strip()
    return plain.replace(".", "").replace(",", ".") if "," in plain else plain


def shown(file: File, values: dict[str, str]) -> dict[str, str]:
    """A row as the form shows it: decimals with a comma."""
    return {
        column.name: values.get(column.name, "").replace(".", ",")
        if isinstance(column.cell, Number)
        else values.get(column.name, "")
        for column in file.columns
    }


def defaults(file: File) -> dict[str, str]:
    """What a new record begins with."""
    return {c.name: "" if c.default is None or c.default in ([], {}) else c.cell.write(c.default) for c in file.columns}


KINDS: dict[str, File] = {
    "niederlassungen": files.SITES,
    "ansprechpartner": files.CONTACTS,
    "vereinbarungen": files.AGREEMENTS,
    "vertraege": files.CONTRACTS,
}
"""The parts of a customer that have a form of their own, by the word in the address."""
