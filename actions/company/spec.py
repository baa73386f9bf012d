"""How a file of the company folder is described. The descriptions themselves stand in `files.py`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from actions.company.cells import Cell
from models.base import Record


@dataclass(frozen=True)
class Ref:
    """A cell that names a record of another file.

    Attributes:
        model: the record's table.
        attr: its column that the cell names.
        target: our column that keeps the record's id.
        file: where such a record comes from.
        word: what the office calls it.
        scoped: the record must belong to the customer of the row.
    """

    model: type[Record]
    attr: str
    target: str
    file: str
    word: str
    scoped: bool = False


@dataclass(frozen=True)
class Linked:
    """Where the row's own column is empty, an export shows that of a linked record."""

    model: type[Record]
    target: str
    attr: str


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
        name: as in the header.
        cell: its kind.
        meaning: German, for the page of the office.
        required: must be there and filled.
        default: the value of an empty field.
        ref: the record it names.
        attr: the model's attribute when it differs from `name`; unused with `ref`.
        linked: see `Linked`.
        prefix: what the database may write before the value and the files do not.
    """

    name: str
    cell: Cell
    meaning: str
    required: bool = False
    default: Any = None
    ref: Ref | None = None
    attr: str = ""
    linked: Linked | None = None
    prefix: str = ""

    @property
    def target(self) -> str:
        """The column of the database that it fills."""
        return self.ref.target if self.ref else self.attr or self.name


@dataclass(frozen=True)
class File:
    """One file of the folder.

    Attributes:
        name: the file's name.
        title: German.
        model: the table that its rows fill.
        key: the columns by which a row is found again; empty for the house, of which there is one.
        columns: in the order of an export.
        owner: the column whose record says which customer the row belongs to; empty for rows of the house.
        fixed_owner: the key alone is unique, and a row never moves to another customer.
    """

    name: str
    title: str
    model: type[Record]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    owner: str = ""
    fixed_owner: bool = False

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    def __hash__(self) -> int:
        return hash(self.name)
