"""The pages on security name their evidence, and it exists."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

PAGES = (DOCS / "security" / "asvs.md", DOCS / "security" / "threat-model.md")
STATES = {"erfüllt", "nicht zutreffend", "offen"}


def evidence(page: Path) -> list[tuple[str, str]]:
    found = re.findall(
        r"`((?:\.ci|[a-z_]+)/[\w./-]*|[A-Z]+\.md|pyproject\.toml|prefect\.yaml)(?:::(\w+))?`", page.read_text("utf-8")
    )
    return [(path, name) for path, name in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_test_that_is_named_exists(page: Path) -> None:
    named = evidence(page)
    assert len(named) > 15
    sources = {path: (ROOT / path).read_text("utf-8") for path, name in named if name}
    assert [path for path, _ in named if not (ROOT / path).exists()] == []
    assert [f"{path}::{name}" for path, name in named if name and f"def {name}(" not in sources[path]] == []


def test_every_requirement_has_a_state_and_what_it_rests_on() -> None:
    text = PAGES[0].read_text("utf-8")
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) > 200
    assert len({number for number, *_ in rows}) == len(rows)
    assert {state for _, _, state, _ in rows} == STATES
    assert all(len(told) >= 5 for *_, told in rows)
    for state in STATES:
        counted = sum(row[2] == state for row in rows)
        assert f"| {state} | {counted} |" in text
