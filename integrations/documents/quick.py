"""WeasyPrint's inner loops with fewer steps, for the same document.

Half of a document's time goes into a few functions that are called hundreds of times with the same arguments or do the same
twice. Here they are replaced, for every document that this process sets:

| what | WeasyPrint 70 | here |
|---|---|---|
| setting up Pango | a context and a font description per text | one of each per style |
| shaping | the final line a second time when it is drawn | the line that was laid out is drawn |
| glyphs | four foreign calls each, and a shift of 0 between any two | read in one go, shifts of 0 left out |
| lengths | fourteen looked up per box | once per style, where none is a percentage |
| height of a line | a key of sixteen properties per line | once per style |

Where a text or a style is out of the ordinary (decorated, spaced, justified, shortened with an ellipsis, a font of
pictures), WeasyPrint's own function does the work.

Rests on insides of WeasyPrint 70, like `integrations.documents.styles` (docs/adr/0012). `tests/documents/test_quick.py`
proves page for page that the documents are the same.
"""

import re
import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from math import inf
from typing import Any

import pydyf
from weasyprint.draw import text as drawing
from weasyprint.formatting_structure import boxes
from weasyprint.layout import percent
from weasyprint.pdf.stream import Stream
from weasyprint.text import fonts, line_break
from weasyprint.text.constants import PANGO_DIRECTION
from weasyprint.text.ffi import FROM_UNITS, TO_UNITS, ffi, gobject, pango

_SHARED = "_drehkreuz_shared"
"""Attribute of a style, for what was computed of it."""
_GLYPH = struct.Struct("=Iiii4x")
"""PangoGlyphInfo: glyph, width, x offset, y offset, attributes."""
_LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *("width", "min_width", "max_width", "height", "min_height", "max_height"),
)
_WIDEST = 2**21
"""From here on Pango's measure overflows."""
_BORDERS = tuple(f"border_{side}_width" for side in ("top", "right", "bottom", "left"))


class _Shared:
    """What is computed once of a style."""

    __slots__ = ("lengths", "pango", "strut")

    def __init__(self) -> None:
        self.lengths: dict[str, Any] | None | bool = False
        self.pango: tuple[Any, Any, Any] | None | bool = False
        self.strut: tuple[float, float] | None = None


def _shared(style: Any) -> _Shared:
    found = style.__dict__.get(_SHARED)
    if found is None:
        found = style.__dict__[_SHARED] = _Shared()
    return found  # type: ignore[no-any-return]


# --- lengths of boxes ----------------------------------------------------------------------------------------------------------


def _lengths(style: Any) -> dict[str, Any] | None:
    """Used lengths that hang on nothing but the style; None where one does."""
    used: dict[str, Any] = {}
    for name in _LENGTHS:
        value = style[name]
        if value is None or value == "auto":
            used[name] = 0 if name in {"min_width", "min_height"} else value
        elif getattr(value, "unit", None) == "px":
            used[name] = value.value
        else:
            return None
    if style["border_collapse"] == "collapse" or style["box_sizing"] != "content-box":
        return None
    return used | {name: style[name] for name in _BORDERS}


def _resolve_percentages(box: Any, containing_block: Any) -> None:
    shared = _shared(box.style)
    if shared.lengths is False:
        shared.lengths = _lengths(box.style)
    if shared.lengths is None:
        _original_percentages(box, containing_block)
    else:
        box.__dict__.update(shared.lengths)


# --- text: one setting of Pango per style -----------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _context(font_map: Any, direction: str, language: str) -> tuple[Any, Any]:
    context = ffi.gc(pango.pango_font_map_create_context(font_map), gobject.g_object_unref)
    pango.pango_context_set_round_glyph_positions(context, False)
    pango.pango_context_set_base_dir(context, PANGO_DIRECTION[direction])
    if not language:
        return context, pango.pango_language_get_default()
    spoken = pango.pango_language_from_string(language.encode() + b"\0")
    pango.pango_context_set_language(context, spoken)
    return context, spoken


def _plain(style: Any) -> tuple[Any, Any, Any] | None:
    """Context, language and font of a style that asks for nothing out of the ordinary; else None."""
    features = fonts.font_features(
        style["font_kerning"],
        style["font_variant_ligatures"],
        style["font_variant_position"],
        style["font_variant_caps"],
        style["font_variant_numeric"],
        style["font_variant_alternates"],
        style["font_variant_east_asian"],
        style["font_feature_settings"],
    )
    if features or style["text_decoration_line"] != "none" or style["font_language_override"] != "normal":
        return None
    context, language = _context(style.font_config.font_map, style["direction"], style["lang"] or "")
    return context, language, fonts.get_font_description(style)


class _Layout(line_break.Layout):  # type: ignore[misc]
    """A text laid out by Pango that stays as it is until it is drawn."""

    def setup(self, style: Any) -> None:
        shared = _shared(style)
        if shared.pango is False:
            shared.pango = _plain(style)
        if not isinstance(shared.pango, tuple):
            super().setup(style)
            return
        context, self.language, font = shared.pango
        self.style = style
        self.first_line_direction = 0
        self.ascent = self.underline_position = self.strikethrough_position = None
        self.layout = ffi.gc(pango.pango_layout_new(context), gobject.g_object_unref)
        pango.pango_layout_set_auto_dir(self.layout, False)
        pango.pango_layout_set_font_description(self.layout, font)

    def deactivate(self) -> None:
        """Keep the lines: to draw them, WeasyPrint would have them shaped again."""

    def reactivate(self, style: Any) -> None:
        if self.justification_spacing or "\n" in self.text:
            super().reactivate(style)

    def release(self) -> None:
        """Drawn: Pango may have its memory back."""


# --- text: where a line ends -------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+")
"""Letters and digits between which no line is ever broken (UAX 14: AL, NU)."""
_RATIO = 4
"""So many characters per em fill a line at the very least, and the first word of the next one."""
_WRAPS, _COLLAPSES = {"normal", "pre-wrap", "pre-line"}, {"normal", "pre-line"}


def _split_first_line(
    text: str,
    style: Any,
    context: Any,
    max_width: float | None,
    justification_spacing: float,
    is_line_start: bool = True,  # noqa: FBT001, FBT002 - WeasyPrint's signature
    minimum: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    """As WeasyPrint's, whose words are these: a draft of two lines tells where the first one ends, and is kept.

    WeasyPrint lays the text out twice more: with the next word, in case Pango was too cautious, and alone, to draw it.
    """
    whole = (text, style, context, max_width, justification_spacing, is_line_start, minimum)
    size = style["font_size"]
    if (
        max_width is None
        or not size * _RATIO < max_width < _WIDEST
        or minimum
        or style["white_space"] not in _WRAPS
        or style["word_break"] != "normal"
        or "\xad" in text
    ):
        return _original_split(*whole)
    draft = text[: int(max_width / size * _RATIO)]
    layout = _Layout(style, justification_spacing, max_width)
    pango.pango_layout_set_width(layout.layout, int(max_width * TO_UNITS))
    layout.set_text(draft)
    line, resume = layout.get_first_line()
    width, height = line_break.line_size(line, style)
    if width > max_width:
        return _original_split(*whole)
    baseline = pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS
    if resume is None:
        if draft != text:
            return _original_split(*whole)
        return layout, line.length, None, width, height, baseline
    encoded = draft.encode()
    word = _WORD.match(encoded[resume:].decode())
    if word is None or width + _width_of(layout, len(word.group().encode())) <= max_width:
        return _original_split(*whole)
    length = line.length
    shown = encoded[:length].decode()
    if style["white_space"] in _COLLAPSES:
        shown = shown.rstrip(" ")
        length = len(shown.encode())
    layout.text = shown
    return layout, length, resume, width, height, baseline


def _width_of(layout: Any, length: int) -> float:
    """Width of so many bytes at the begin of the second line; infinite when a line break was asked for there."""
    line = pango.pango_layout_get_line_readonly(layout.layout, 1)
    if line.is_paragraph_start:
        return inf
    total, run = 0, line.runs
    while run != ffi.NULL:
        item, glyphs = run.data.item, run.data.glyphs
        run = run.next
        rest = length - (item.offset - line.start_index)
        if rest <= 0:
            break
        widths = _GLYPH.iter_unpack(ffi.buffer(glyphs.glyphs, glyphs.num_glyphs * _GLYPH.size))
        starts = ffi.unpack(glyphs.log_clusters, glyphs.num_glyphs)
        total += sum(glyph[1] for start, glyph in zip(starts, widths, strict=True) if start < rest)
    return total * FROM_UNITS


# --- text: drawing ------------------------------------------------------------------------------------------------------------------

_HEX = [f"{number:04x}" for number in range(65536)]


def _draw_first_line(stream: Any, textbox: Any, text_overflow: str, block_ellipsis: Any, matrix: Any) -> list[Any]:
    layout = textbox.pango_layout
    if text_overflow == "ellipsis" or block_ellipsis != "none" or layout.justification_spacing or "\n" in layout.text:
        return _original_draw(stream, textbox, text_overflow, block_ellipsis, matrix)  # type: ignore[no-any-return]
    if not textbox.text.strip() or textbox.style["font_size"] < 1e-6:
        return []
    first_line, _ = layout.get_first_line()
    runs = _runs(stream, first_line, textbox)
    if runs is None:
        return _original_draw(stream, textbox, text_overflow, block_ellipsis, matrix)  # type: ignore[no-any-return]
    stream.set_text_matrix(*matrix.values)
    for font, size, shown in runs:
        stream.set_font_size(font.hash, size)
        stream.stream.append(b"[" + shown.encode() + b"] TJ")
    return []


def _runs(stream: Any, line: Any, textbox: Any) -> list[tuple[Any, float, str]] | None:
    """Font, size and glyphs of each run; None when one needs more than this."""
    found: list[tuple[Any, float, str]] = []
    run, utf8 = line.runs, textbox.pango_layout.text.encode()
    while run != ffi.NULL:
        item, glyphs = run.data.item, run.data.glyphs
        run = run.next
        font, size = stream.add_font(item.analysis.font)
        if font.bitmap or font.png or font.svg or font.colr or item.analysis.level % 2:
            return None
        count = glyphs.num_glyphs
        if (drawn := len(utf8) - item.offset) < item.length:  # the spaces that a line was broken at are not drawn
            count = sum(start < drawn for start in ffi.unpack(glyphs.log_clusters, count))
        shown, widths, known = [], font.widths, font.to_unicode
        factor = 1000 * FROM_UNITS / size
        for i, (glyph, width, x, y) in enumerate(_GLYPH.iter_unpack(ffi.buffer(glyphs.glyphs, count * _GLYPH.size))):
            if x or y or glyph > 0xFFFF:
                return None
            if glyph not in known:
                clusters = glyphs.log_clusters
                end = item.length if i == count - 1 else clusters[i + 1]
                known[glyph] = utf8[item.offset + clusters[i] : item.offset + end].decode()
            if (wide := widths.get(glyph)) is None:
                pango.pango_font_get_glyph_extents(item.analysis.font, glyph, stream.ink_rect, stream.logical_rect)
                wide = widths[glyph] = round(stream.logical_rect.width * 1000 * FROM_UNITS / size)
            shown.append(_HEX[glyph])
            if shift := int(wide - width * factor):
                shown.append(f">{shift}<")
        if shown:
            found.append((font, size, f"<{''.join(shown)}>".replace("<>", "")))
    return found


# --- what is put in place -----------------------------------------------------------------------------------------------------------


def _strut(style: Any) -> Any:
    shared = _shared(style)
    if shared.strut is None:
        shared.strut = _original_strut(style)
    return shared.strut


def _replace(original: Callable[..., Any], mine: Callable[..., Any]) -> None:
    """In every module of WeasyPrint that has the function by its name."""
    for name, module in list(sys.modules.items()):
        if name.startswith("weasyprint"):
            for known, value in list(vars(module).items()):
                if value is original:
                    setattr(module, known, mine)


_original_percentages = percent.resolve_percentages
_original_strut = line_break.strut
_original_split = line_break.split_first_line
_original_draw = drawing.draw_first_line


def install() -> None:
    """Put the quick functions in place, once per process."""
    _replace(_original_percentages, _resolve_percentages)
    _replace(_original_strut, _strut)
    _replace(_original_split, _split_first_line)
    _replace(_original_draw, _draw_first_line)
    _replace(line_break.Layout, _Layout)
