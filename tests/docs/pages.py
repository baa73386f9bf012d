"""The pages of this repository as the tests of this folder read them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OUTSIDE = ("http://", "https://", "mailto:")


def pages() -> list[Path]:
    """Every page that people read: the front pages, docs/, and the README of a folder."""
    folders = (path for path in ROOT.glob("*/README.md") if path.parent.name != "docs")
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *folders])


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Targets of links and pictures that lie in this repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not target.startswith(OUTSIDE)]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may say, as GitHub writes it."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def name(page: Path) -> str:
    """How a complaint names the page."""
    return str(page.relative_to(ROOT))
