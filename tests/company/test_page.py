"""The office's page says what the import does."""

import re
from pathlib import Path

import pytest

from actions.company.files import FILES
from actions.company.page import renewed, table
from actions.company.spec import File

PAGE = Path(__file__).resolve().parents[2] / "docs" / "import.md"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_page_names_every_column(file: File) -> None:
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition(f"### {file.name}: {file.title}")[2].partition("\n### ")[0]
    assert table(file) in part
    assert re.findall(r"^\| `(\w+)`", part, re.MULTILINE) == list(file.by_name)
    key = re.search(r"Schlüssel: (.+?)\.", part)
    assert key is not None
    assert tuple(re.findall(r"`(\w+)`", key[1])) == file.key


def test_its_tables_are_renewed_in_place() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert renewed(text) == text
    assert renewed(text.replace("Kundennummer", "Nummer")) == text


def test_targets_are_columns_of_the_models() -> None:
    for file in FILES:
        names = set(file.model.__table__.columns.keys())
        assert {column.target for column in file.columns} <= names
        assert set(file.key) <= set(file.by_name)
        assert not file.owner or file.by_name[file.owner].ref is not None
