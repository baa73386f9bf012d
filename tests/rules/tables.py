"""The worked tables of docs/rules/, read from the markdown itself, so that page and code cannot drift apart."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "rules"


def table(page: str, heading: str | None = None) -> list[dict[str, str]]:
    """Rows of the first table under a heading (None: of the page) as column -> text."""
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    start = (
        0 if heading is None else next(n for n, line in enumerate(lines) if line.lstrip("# ") == heading and line[:1] == "#")
    )
    first = next(n for n in range(start, len(lines)) if lines[n].startswith("|"))
    block = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        block.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    head, _, *rows = block
    assert rows, f"{page}: no rows under {heading}"
    return [dict(zip(head, row, strict=True)) for row in rows]


def number(text: str) -> Decimal:
    """A German number: 1.234,50."""
    return Decimal(text.replace(".", "").replace(",", "."))


def maybe(text: str) -> Decimal | None:
    return None if text in ("leer", "keiner", "keine") else number(text)


def whole(text: str) -> int | None:
    return None if text == "leer" else int(text)


def word(text: str) -> str | None:
    return None if text in ("leer", "keiner") else text


def yes(text: str) -> bool:
    return {"ja": True, "nein": False}[text]


def day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=dt.UTC).date()


def maybe_day(text: str) -> dt.date | None:
    return None if text == "leer" else day(text)


def each_row(page: str, heading: str | None = None) -> pytest.MarkDecorator:
    """Run a test once per row, named by the row itself."""
    return pytest.mark.parametrize("row", table(page, heading), ids=lambda row: " | ".join(row.values()))
