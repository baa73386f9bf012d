"""Reading a file into its temporary table: every cell checked on the way, every error noted, memory flat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable

from actions.company.cells import CellError, nearest
from actions.company.files import FILES
from actions.company.findings import ERRORS_KEPT, WHOLE_LINE, Findings
from actions.company.reading import FIELD_LIMIT, FileFaultError, Records, open_company_file
from actions.company.rows import RULES, Row, ask
from actions.company.spec import Column, File
from actions.company.tables import BAD, LINE, current, same_key, stage


class Progress(Protocol):
    """Somebody who shows how far an import is."""

    def read(self, file: str, size: int) -> None:
        """So many more bytes of the file were read."""

    def step(self, what: str) -> None:
        """The next thing begins (German)."""


class Recorded(Protocol):
    """Rows of texts with their lines: a file's, or a form's only one."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line and cells."""


_TELL_EVERY = 1 << 16
_UNREAD: Any = object()
"""Stands for a cell that is wrong, until the row goes into its table."""


@dataclass(slots=True)
class Staged:
    """What came out of reading one file.

    Attributes:
        file: its description.
        rows: how many it has.
        present: the columns that its header names.
        sha256: the hash of its bytes.
        unread: by line the columns whose cell is wrong; of so many rows as their errors are kept.
        whole: whether it could be read to its end.
    """

    file: File
    rows: int = 0
    present: frozenset[str] = frozenset()
    sha256: str = ""
    unread: dict[int, frozenset[str]] = field(default_factory=dict)
    whole: bool = True

    @property
    def absent(self) -> tuple[Column, ...]:
        """Optional columns that the file does not speak of: new rows get the default, stored ones keep what they have."""
        return tuple(column for column in self.file.columns if column.name not in self.present)


class _Teller:
    """Tells the progress in steps worth telling."""

    def __init__(self, file: str, progress: Progress | None) -> None:
        self._file, self._progress, self._size = file, progress, 0

    def __call__(self, size: int) -> None:
        self._size += size
        if self._size >= _TELL_EVERY:
            self.flush()

    def flush(self) -> None:
        if self._progress and self._size:
            self._progress.read(self._file, self._size)
        self._size = 0


def read_file(session: Session, file: File, path: Path, findings: Findings, progress: Progress | None = None) -> Staged:
    """Read one file into its temporary table. Faults go to `findings`; rows with errors lie there marked."""
    table = stage(file)
    session.execute(DropTable(table, if_exists=True))
    session.execute(CreateTable(table))
    staged = Staged(file)
    teller = _Teller(file.name, progress)
    try:
        with open_company_file(path) as handle:
            records = Records(handle, teller)
            columns = _columns(file, records.header, findings)
            staged.present = frozenset(column.name for column in columns if column)
            copy_rows(session, table, staged_rows(staged, records, columns, findings))
            staged.sha256 = records.sha256
    except FileFaultError as fault:
        staged.whole = False
        findings.error(file.name, fault.line, fault.column, fault.text)
    teller.flush()
    analyse(session, file)
    return staged


def analyse(session: Session, file: File) -> None:
    """Tell the planner what the temporary table holds; nobody else does, and a wrong guess costs minutes."""
    session.execute(sa.text(f"ANALYZE {stage(file).name}"))


def copy_rows(session: Session, table: sa.Table, rows: Iterator[Sequence[Any]]) -> None:
    """Put checked rows into their temporary table."""
    driver: Any = session.connection().connection.driver_connection
    names = [LINE, BAD, *(name for name in table.c.keys() if not name.startswith("_"))]  # noqa: SIM118
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names)))
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)


def _columns(file: File, header: list[str], findings: Findings) -> list[Column | None]:
    """The header's columns in its order; None for what is unknown or there twice."""
    found: list[Column | None] = []
    seen: set[str] = set()
    for name in header:
        column = file.by_name.get(name)
        if column is None:
            _unknown(file, name, findings)
        elif name in seen:
            findings.error(file.name, 1, name, "Spalte steht zweimal in der Kopfzeile, erlaubt ist sie einmal")
        found.append(None if name in seen else column)
        seen.add(name)
    for column in file.columns:
        if column.required and column.name not in seen:
            findings.error(file.name, 1, column.name, "Pflichtspalte fehlt in der Kopfzeile")
    return found


def _unknown(file: File, name: str, findings: Findings) -> None:
    allowed = ", ".join(file.by_name)
    if not name:
        findings.error(file.name, 1, "(leer)", f"Spalte ohne Namen in der Kopfzeile; erlaubt: {allowed}")
        return
    meant = nearest(name, file.by_name)
    shown = name if len(name) <= 60 else name[:57] + "…"
    guess = f", gemeint ist wohl »{meant}«" if meant else ""
    findings.error(file.name, 1, " ".join(shown.split()), f"unbekannte Spalte{guess}; erlaubt: {allowed}")


def staged_rows(
    staged: Staged, records: Recorded, columns: Sequence[Column | None], findings: Findings
) -> Iterator[Sequence[Any]]:
    """The rows of the file as the temporary table takes them."""
    file = staged.file
    places = {column.name: index for index, column in enumerate(columns) if column}
    plan = [(column, places.get(column.name, -1)) for column in file.columns]
    ruled = not staged.absent and file.name in RULES
    try:
        for line, record in records.rows():
            staged.rows += 1
            before = findings.error_count
            cells = record
            if len(record) != len(columns):
                text = (
                    f"{len(record)} Felder, erlaubt sind {len(columns)} wie in der Kopfzeile; "
                    "steht ein Trennzeichen im Text, gehört er in Anführungszeichen"
                )
                findings.error(file.name, line, WHOLE_LINE, text)
                cells = record + [""] * (len(columns) - len(record))
            values = [
                column.default if place < 0 else _cell(file, line, column, cells[place], findings) for column, place in plan
            ]
            unread = _unread(staged, line, values) if findings.error_count != before else frozenset()
            if len(record) != len(columns):
                staged.unread.pop(line, None)  # its cells may stand in each other's places
            elif ruled:
                ask(Row(file.name, line, dict(zip(file.by_name, values, strict=True)), findings, unread))
            bound = [v if v is None else column.cell.bind(v) for (column, _), v in zip(plan, values, strict=True)]
            yield [line, findings.error_count != before, *bound]
    except FileFaultError as fault:
        staged.whole = False
        findings.error(file.name, fault.line, fault.column, f"{fault.text} Ab hier wurde die Datei nicht geprüft.")


def _unread(staged: Staged, line: int, values: list[Any]) -> frozenset[str]:
    """The columns whose cell is wrong, remembered; their values become empty."""
    wrong = [place for place, value in enumerate(values) if value is _UNREAD]
    for place in wrong:
        values[place] = None
    names = frozenset(staged.file.columns[place].name for place in wrong)
    if len(staged.unread) < ERRORS_KEPT:
        staged.unread[line] = names
    return names


def _cell(file: File, line: int, column: Column, text: str, findings: Findings) -> Any:
    """One cell's value; None when it is empty without default."""
    if not text or text.isspace():
        if column.required:
            findings.error(file.name, line, column.name, f"fehlt; erlaubt: {column.cell.allowed}")
            return _UNREAD
        return column.default
    if len(text) > FIELD_LIMIT:
        findings.error(file.name, line, column.name, f"ist mit {len(text)} Zeichen zu lang, erlaubt sind {FIELD_LIMIT}")
        return _UNREAD
    try:
        value = column.cell.read(text)
    except CellError as error:
        findings.error(file.name, line, column.name, str(error))
        return _UNREAD
    doubt = column.cell.doubt(value)
    if doubt:
        findings.hint(file.name, line, column.name, "doubt", doubt)
    if value == [] and column.required:
        findings.error(file.name, line, column.name, f"fehlt; erlaubt: {column.cell.allowed}")
        return _UNREAD
    return value


def complete(session: Session, staged: Staged, findings: Findings) -> None:
    """Fill the columns that a file does not have from what is stored, then check each row as a whole."""
    file, rows = staged.file, stage(staged.file)
    absent = [column for column in staged.absent if not column.required]
    if not staged.rows or not staged.absent:
        return
    stored = current(file)
    if absent:
        session.execute(
            sa.update(rows).where(same_key(file, rows, stored)).values({rows.c[c.name]: stored.c[c.name] for c in absent})
        )
    if file.name not in RULES or any(column.required for column in staged.absent):
        return
    readable = sa.or_(~rows.c[BAD], rows.c[LINE].in_(staged.unread))
    wanted = sa.select(rows.c[LINE], *(rows.c[name] for name in file.by_name)).where(readable).order_by(rows.c[LINE])
    for line, *values in session.execute(wanted.execution_options(yield_per=2000)):
        unread = staged.unread.get(line, frozenset())
        ask(Row(file.name, line, dict(zip(file.by_name, values, strict=True)), findings, unread))


FILE_ORDER = tuple(file.name for file in FILES)
