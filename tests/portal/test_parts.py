"""The small parts: words for every value, numbers and dates, pages of lists, charts, vendored files, templates."""

import ast
import datetime as dt
import importlib
import pkgutil
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import models
from deployments import vendor_assets
from models.base import Base
from portal import chart, filters, labels, pages
from portal.forms import Form, filled
from portal.paging import Page, sliced
from rules.month import Month
from tests.portal.conftest import Portal


@pytest.mark.parametrize("kind", list(labels.LABELS), ids=lambda kind: kind.__name__)
def test_every_value_has_a_german_word(kind: type) -> None:
    assert set(labels.LABELS[kind]) == {member.value for member in kind}
    assert all(labels.label(member) for member in kind)


def test_every_enum_that_templates_print_has_words() -> None:
    """The kinds of the model that the month-end pages show."""
    for found in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"models.{found.name}")
    shown = {
        "billing_run",
        "billing_item",
        "service_report",
        "invoice",
        "sap_document",
        "outbox_mail",
        "service_entry",
        "ticket",
    }
    for table in Base.metadata.sorted_tables:
        if table.name in shown:
            for column in table.columns:
                if isinstance(column.type, sa.Enum) and column.type.enum_class is not None:
                    assert column.type.enum_class in labels.LABELS, f"{table.name}.{column.name}"


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (filters.euro(Decimal("1234.5")), "1.234,50\xa0€"),
        (filters.euro(None), "–"),
        (filters.signed_euro(Decimal(-12)), "−12,00\xa0€"),
        (filters.signed_euro(Decimal(12)), "+12,00\xa0€"),
        (filters.signed_euro(Decimal(0)), "±0,00\xa0€"),
        (filters.number(1234567), "1.234.567"),
        (filters.number(Decimal("1.2500")), "1,25"),
        (filters.number(Decimal("1.5"), 2), "1,50"),
        (filters.date(dt.date(2026, 11, 2)), "02.11.2026"),
        (filters.moment(dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)), "02.07.2026, 00:30"),
        (filters.moment("2026-11-02T07:05:00+01:00"), "02.11.2026, 07:05"),
        (filters.month("2026-03"), "März 2026"),
        (filters.month(Month(2026, 10)), "Oktober 2026"),
        (filters.hours(90), "1:30 h"),
        (filters.hours(-5), "−0:05 h"),
        (filters.size(2_500_000), "2,5 MB"),
        (filters.size(12), "1 kB"),
        (filters.who("employee:a@b.example"), "a@b.example"),
        (filters.who("employee:a@b.example", {"a@b.example": "Anna B"}), "Anna B"),
        (filters.phone("+49258155500"), "02581 55500"),
        (filters.phone("Durchwahl auf Anfrage"), "Durchwahl auf Anfrage"),
        (labels.correction_rule("below_months=2"), "sobald mehr als 2 Monatsgutschriften fehlen"),
    ],
)
def test_how_things_read(shown: str, said: str) -> None:
    assert shown == said


@given(st.integers(1, 500), st.integers(-3, 60), st.integers(1, 60))
def test_pages_cover_the_list_without_gap(total: int, asked: int, per_page: int) -> None:
    page = sliced(range(total), asked, per_page)
    assert 1 <= page.number <= page.pages
    assert list(page.rows) == list(range(page.first - 1, page.last))
    shown = [number for number in page.window if number is not None]
    assert shown == sorted(set(shown))
    assert {1, page.number, page.pages} <= set(shown)


def test_an_empty_list_has_one_empty_page() -> None:
    page: Page[int] = sliced([], 3)
    assert (page.number, page.pages, page.first, page.last) == (1, 1, 0, 0)


@given(st.lists(st.decimals(-2_000_000, 5_000_000, places=2), min_size=1, max_size=24))
def test_charts_stay_inside_their_frame(values: list[Decimal]) -> None:
    drawn = chart.bars([(str(i), v) for i, v in enumerate(values)])
    assert 2 <= len(drawn.grid) <= 8
    for bar in drawn.bars:
        assert drawn.left <= bar.x
        assert bar.x + bar.width <= drawn.right + 0.2
        assert bar.y >= chart.TOP - 0.2
        assert bar.y + bar.height <= drawn.height - chart.BOTTOM + 0.2
        assert bar.height >= 0


def test_vendored_files_are_what_was_published(tmp_path: Path) -> None:
    assert vendor_assets.faults() == []
    (tmp_path / "htmx").mkdir()
    assert len(vendor_assets.faults(tmp_path)) == len(vendor_assets.PACKAGES)


def test_a_changed_vendored_file_is_found(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(vendor_assets.VENDOR, tmp_path / "vendor")
    changed = tmp_path / "vendor" / "htmx" / "htmx.min.js"
    changed.write_bytes(changed.read_bytes() + b"alert(1)")
    assert vendor_assets.faults(tmp_path / "vendor") == ["htmx/htmx.min.js: Inhalt weicht von der veröffentlichten Fassung ab"]


class Strict(HTMLParser):
    """Finds what the policy of the pages would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.faults.append(f"<{tag}>")
        self.faults += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        self.faults += [
            f"{tag} {given[n]}" for n in ("src", "action") if (given.get(n) or "").startswith(("http:", "https:", "//"))
        ]


@pytest.mark.parametrize("path", sorted(pages.HERE.joinpath("templates").rglob("*.html")), ids=lambda p: p.name)
def test_templates_hold_no_inline_script_or_style(path: Path) -> None:
    source = re.sub(r"{[%#{].*?[%#}]}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    parser = Strict()
    parser.feed(source)
    assert parser.faults == []


def test_templates_name_only_icons_that_are_there() -> None:
    known = {path.stem for path in pages.STATIC.joinpath("vendor", "tabler-icons").glob("*.svg")}
    for path in pages.HERE.joinpath("templates").rglob("*.html"):
        for name in re.findall(r'icon\("([a-z-]+)"', path.read_text(encoding="utf-8")):
            assert name in known, f"{path.name}: {name}"


def test_every_route_file_says_what_it_is_for() -> None:
    for path in pages.HERE.joinpath("routes").glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.name


class Sample(Form):
    """Two fields."""

    name: str
    count: int = 1
    tags: list[str] = []


def test_forms_keep_what_was_typed_and_complain_in_german() -> None:
    from starlette.datastructures import FormData

    good = filled(Sample, FormData([("name", "  Anna "), ("count", "3"), ("tags", "a"), ("tags", "b"), ("fremd", "x")]))
    assert good.value == Sample(name="Anna", count=3, tags=["a", "b"])
    bad = filled(Sample, FormData([("count", "drei")]))
    assert bad.value is None
    assert bad.errors == {"name": "Bitte ausfüllen.", "count": "Bitte eine ganze Zahl eingeben."}
    assert bad.get("count") == "drei"
    assert filled(Sample, FormData([("name", "x"), ("count", "")])).value == Sample(name="x")


def test_everything_typed_is_shown_as_text(portal: Portal) -> None:
    evil = '<script>alert("x")</script>'
    office = portal.browser("back_office")
    data = {"minutes": "10", "trips": "0", "text": evil, "billable": "nein", "reason": ""}
    page = office.post("/leistungen/L-900/berichtigen", data=data).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    for path in (f"/postausgang?suche={evil}", f"/leistungen?kunde={evil}", f"/anmelden?weiter={evil}"):
        assert "<script>alert" not in office.get(path).text
