"""What the pages say of the code is so: links, commands, settings, files, mails, words, decisions."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import models
from deployments.catalogue import startable
from deployments.cli import MODULES
from kit.settings import PREFIX, Settings
from models.base import Base, CustomerScoped, Record
from tests.docs.pages import DOCS, ROOT, anchors, links, name, pages, prose

PAGES = pages()
FOLDERS = "actions|benchmarks|deployments|docs|examples|flows|integrations|kit|models|portal|rules|tasks|templates|tests"
PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")
RUNBOOKS = sorted((DOCS / "runbooks").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if heading:
            assert heading in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    for found in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", prose(page)):
        assert (ROOT / found).exists(), found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_and_flows_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for command in re.findall(r"\./drehkreuz (?:--today [\w-]+ )?([a-z][a-z-]*)", text):
        assert command in MODULES, command
    for flow in re.findall(r"drehkreuz (?:--today [\w-]+ )?run ([a-z_]+)", text):
        assert flow in startable(), flow


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_that_a_page_names_exist(page: Path) -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields} | {f"{PREFIX}HOME"}
    named = {word for word in re.findall(rf"{PREFIX}[A-Z0-9_]+\b", page.read_text("utf-8")) if not word.endswith("_")}
    assert named <= known


def test_every_setting_is_documented() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    assert [f for f in Settings.model_fields if f"`{PREFIX}{f.upper()}`" not in page] == []
    assert [f for f, field in Settings.model_fields.items() if not field.description] == []


def test_the_front_page_names_the_two_commands_and_shows_a_picture() -> None:
    front = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"^\./drehkreuz demo\b", front, re.MULTILINE)
    assert re.search(r"^\./drehkreuz test\b", front, re.MULTILINE)
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", front)
    assert pictures
    for picture in pictures:
        content = (ROOT / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 200_000


def test_the_front_page_maps_every_folder() -> None:
    front = (ROOT / "README.md").read_text("utf-8")
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"templates", "examples", "benchmarks"}
    assert [folder for folder in sorted(folders | {"tests"}) if not re.search(rf"^{folder}/ ", front, re.MULTILINE)] == []


def test_every_mail_is_named_in_a_process() -> None:
    told = "\n".join(page.read_text("utf-8") for page in (DOCS / "processes").glob("*.md"))
    mails = sorted(folder.name for folder in (ROOT / "templates" / "mail").iterdir() if folder.is_dir())
    assert mails
    assert [mail for mail in mails if f"`{mail}`" not in told] == []


def test_every_model_stands_in_the_glossary() -> None:
    for found in pkgutil.iter_modules(models.__path__):
        if not found.ispkg:
            import_module(f"models.{found.name}")
    glossary = (DOCS / "glossary.md").read_text("utf-8")
    classes = {mapper.class_.__name__ for mapper in Base.registry.mappers} - {Record.__name__, CustomerScoped.__name__}
    assert len(classes) > 50
    assert [word for word in sorted(classes) if f"`{word}`" not in glossary] == []


def test_words_of_the_glossary_are_words_of_the_model() -> None:
    """A class that was renamed leaves no row behind."""
    rows = re.findall(r"^\|[^|]*\|([^|]*)\|", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    named = {word for cell in rows for word in re.findall(r"`([A-Z][A-Za-z]+)`", cell)}
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "models").glob("*.py"))
    assert [word for word in sorted(named) if not re.search(rf"^class {word}\b", source, re.MULTILINE)] == []


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=name)
def test_a_decision_has_its_five_parts_and_is_listed(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.name[:4]} ")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == PARTS
    assert page.name in (DOCS / "adr" / "README.md").read_text("utf-8")


def test_numbers_of_decisions_are_given_once() -> None:
    numbers = [page.name[:4] for page in (DOCS / "adr").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("page", RUNBOOKS, ids=name)
def test_what_a_runbook_shows_in_bold_stands_on_a_screen(page: Path) -> None:
    files = [*(ROOT / "portal").rglob("*.html"), *(ROOT / "portal").rglob("*.py"), *(ROOT / "actions").rglob("*.py")]
    screens = "\n".join(file.read_text("utf-8") for file in files)
    assert [words for words in re.findall(r"\*\*([^*]+)\*\*", prose(page)) if words not in screens] == []


def test_locks_hold_no_addresses() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / lock).read_text("utf-8").splitlines()
        assert [line for line in lines if "://" in line or line.lstrip().startswith(("-i", "--index", "--find"))] == []
