"""WeasyPrint's inner loops with fewer steps: page for page the document that WeasyPrint sets."""

import re
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import weasyprint
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageChops, ImageFilter
from weasyprint.formatting_structure.boxes import Box, TextBox

from integrations.documents import quick
from integrations.documents.engine import engine
from integrations.documents.invoice import render_invoice, render_paper_face
from integrations.documents.postal_list import render_postal_list
from integrations.documents.quick import drawing
from integrations.documents.quick import text as lines
from integrations.documents.report import render_report
from integrations.einvoice import build_cii
from tests.documents import samples
from tests.documents.hostile import hostile_report
from tests.documents.pictures import pages

SHAPES = """<html lang="de"><head><title>x</title></head><body>
<p style="text-decoration: underline">Unterstrichen, mit Umbruch über mehr als eine Zeile: {words}</p>
<p style="letter-spacing: 1pt">Gesperrt: {words}</p><p style="word-spacing: 3pt">{words}</p>
<p style="text-align: justify">Blocksatz: {words}</p><p style="direction: rtl">{words}</p>
<p style="hyphens: auto; width: 40mm">{words}</p><p style="width: 9mm">Donaudampfschifffahrtsgesellschaft Auf\u00adwand</p>
<p style="white-space: nowrap; overflow: hidden; text-overflow: ellipsis; width: 50mm">{words}</p>
<p style="white-space: pre-wrap">Spalte\tzwei   drei\n\n{words}</p><p style="font-variant-numeric: tabular-nums">0123 {words}</p>
<p style="background: #eee; border-radius: 2mm; border: 1pt dotted #a00">{words}</p>
<p style="width: 50%; box-sizing: border-box; padding: 2%">{words}</p><p style="float: right; width: 30mm">{words}</p><p>{words}</p>
<p style="border-right: 2pt solid #00a">{words}</p><p style="border: 0; border-top: 1pt dashed">{words}</p><p>☎ ✓ → Ωμέγα Ελλάδα Привет שלום 漢字 e\u0301 ﬁ {words}</p>
<table style="border-collapse: separate"><tr><td style="border: 1pt solid">{words}</td><td>{words}</td></tr></table>
</body></html>"""
WORDS = (
    "Vertretung des Ansprechpartners, Büro-IT-Umzug am 01.10.2026 (Fernwartung); 120 min — A/B-Test https://portal.example/x?y=1 "
    * 3
)


FINE, SHADE = 432, 8
"""Dots per inch at which the thinnest line is two dots wide, and how much fainter its edge may be (of 255)."""


def _shapes() -> bytes:
    """What our own templates do not use."""
    pdf = weasyprint.HTML(string=SHAPES.replace("{words}", WORDS)).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(pdf, bytes)
    return pdf


def _hybrid() -> bytes:
    content = samples.invoice()
    return render_invoice(content, build_cii(content), render_report(samples.report(3)))


def _long_lines() -> bytes:
    entries = [replace(samples.entry(n), text=f"{WORDS}\n{'Wort' * 60} {n}\n\n{WORDS[:90]}") for n in range(12)]
    return render_report(samples.report(2, entries=tuple(entries)), tagged=True)


DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "hybrid invoice": _hybrid,
    "report": lambda: render_report(samples.report(20), tagged=True),
    "hostile report": lambda: render_report(hostile_report()),
    "long lines": _long_lines,
    "postal list": lambda: render_postal_list(samples.postal_list(40)),
    "what our templates do not use": _shapes,
    **{name: lambda c=content: render_paper_face(c) for name, content in samples.every_invoice().items()},  # type: ignore[misc]
}


def streams(pdf: bytes) -> list[bytes]:
    """Every stream of the file but the table of places, without shifts of glyphs by nothing."""
    found = []
    for head, packed in re.findall(rb"<<([^\n]*)>>\nstream\n(.*?)\nendstream", pdf, re.DOTALL):
        if b"/XRef" not in head:
            plain = zlib.decompress(packed) if b"FlateDecode" in head and not packed.startswith(b"%PDF") else packed
            found.append(re.sub(rb">-?0(<>|<|\] TJ)", lambda m: b"] TJ" if m[1].startswith(b"]") else b"", plain))
    return [re.sub(rb">\] TJ|\] TJ", b"] TJ", stream) for stream in found]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_the_document_that_weasyprint_sets(name: str) -> None:
    engine()
    mine = DOCUMENTS[name]()
    with quick.left_out(drawing.border):  # the same to the eye only
        original = DOCUMENTS[name]()

    assert streams(mine) == streams(original)


def test_lines_are_painted_where_weasyprint_paints_them() -> None:
    [mine] = pages(DOCUMENTS["recurring"](), FINE)
    with quick.left_out():
        [original] = pages(DOCUMENTS["recurring"](), FINE)

    for one, other in ((mine, original), (original, mine)):
        around = one.filter(ImageFilter.MinFilter(3))  # a dot of ink is found within one dot of the printer
        assert max(ImageChops.subtract(around, other).tobytes()) <= SHADE


def _style(css: str) -> object:
    """A computed style of a text."""
    html = weasyprint.HTML(string=f'<html lang="de"><p style="{css}">x')
    page = html.render(font_config=engine()._fonts).pages[0]._page_box

    def first(box: Box) -> TextBox | None:
        return box if isinstance(box, TextBox) else next(filter(None, map(first, box.children)), None)

    found = first(page)
    assert found is not None
    return found.style


STYLES = [
    _style(css)
    for css in ("font: 10px Drehkreuz", "font: bold 13px Drehkreuz; overflow-wrap: anywhere", "white-space: pre-line")
]
WORD = st.text("aeinrstäßIWf.,-/)(&0127€…'", min_size=1, max_size=14)
TEXT = st.lists(
    st.one_of(WORD, WORD, st.sampled_from(["\n", "Kundenbetreuung", "10\u00a0min", "z.\u202fB.", "\u00ad", "漢字"]))
)


@given(TEXT.map(" ".join), st.sampled_from(STYLES), st.integers(4, 400))
def test_lines_end_where_weasyprint_ends_them(text: str, style: object, width: int) -> None:
    engine()
    if not text:
        return
    mine = lines.quick_split_first_line(text, style, None, width, 0)
    with quick.left_out():
        original = lines.split(text, style, None, width, 0)

    ahead = original[3] - mine[3]  # what the last letter is drawn to the space that the line was broken at
    assert mine[1:3] + mine[4:] == original[1:3] + original[4:], "length, where to go on, height, baseline"
    assert abs(ahead) < 0.1 * style["font_size"] if mine[2] else ahead == 0  # type: ignore[index]
    assert mine[0].text == original[0].text
