"""The tables of docs/import.md, made from the description of the files: `python -m actions.company.page docs/import.md`."""

import re
import sys
from pathlib import Path

from actions.company.files import FILES
from actions.company.spec import Column, File

_TABLE = re.compile(r"(<!-- Spalten: (\S+) -->\n).*?(<!-- Ende -->)", re.DOTALL)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _empty(column: Column) -> str:
    if column.required:
        return "Pflicht"
    if column.default in (None, [], {}):
        return ""
    return f"`{column.cell.write(column.default)}`"


def _allowed(column: Column) -> str:
    if column.ref is None:
        return column.cell.allowed
    return f"{column.ref.word} aus {column.ref.file}" + (", vom selben Kunden" if column.ref.scoped else "")


def table(file: File) -> str:
    """One file's columns as a Markdown table."""
    lines = ["| Spalte | Bedeutung | erlaubt | leer |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {_cell(c.meaning)} | {_cell(_allowed(c))} | {_empty(c)} |" for c in file.columns]
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """The page with every table as the description says it now."""
    tables = {file.name: table(file) for file in FILES}
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
