"""Lines of text: one setting of Pango per style, one draft per line."""

import re
import struct
from functools import lru_cache
from math import inf
from typing import Any

from weasyprint.text import fonts, line_break
from weasyprint.text.constants import PANGO_DIRECTION
from weasyprint.text.ffi import FROM_UNITS, TO_UNITS, ffi, gobject, pango

from integrations.documents.quick.shared import shared

GLYPH = struct.Struct("=Iiii4x")
"""PangoGlyphInfo: glyph, width, x offset, y offset, attributes."""
_WIDEST = 2**21
"""From here on Pango's measure overflows."""
_WORD = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+")
"""Letters and digits between which no line is ever broken (UAX 14: AL, NU)."""
_RATIO = 4
"""So many characters per em fill a line at the very least, and the first word of the next one."""
_FROM_THE_END = {"right", "center", "end"}
"""There the width counts to the hair, and the draft's is narrower where the last letter is drawn to the space behind it."""
_WRAPS, _COLLAPSES = {"normal", "pre-wrap", "pre-line"}, {"normal", "pre-line"}


Layout = line_break.Layout
split = line_break.split_first_line


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


class QuickLayout(line_break.Layout):  # type: ignore[misc]
    """A text laid out by Pango that stays as it is until it is drawn."""

    def setup(self, style: Any) -> None:
        kept = shared(style)
        if kept.pango is False:
            kept.pango = _plain(style)
        if not isinstance(kept.pango, tuple):
            super().setup(style)
            return
        context, self.language, font = kept.pango
        self.style = style
        self.first_line_direction = 0
        self.ascent = self.underline_position = self.strikethrough_position = None
        self.layout = ffi.gc(pango.pango_layout_new(context), gobject.g_object_unref)
        pango.pango_layout_set_auto_dir(self.layout, False)
        pango.pango_layout_set_font_description(self.layout, font)

    def deactivate(self) -> None:
        """Keep the lines: to draw them, WeasyPrint would have them shaped again."""

    def reactivate(self, style: Any) -> None:
        """It is as it was laid out."""

    def draft(self, text: str) -> None:
        """As `set_text`, without the settings that only count where a word is broken."""
        end = text.find("\n")
        self.text = text if end < 0 else text[: end + 2]
        pango.pango_layout_set_text(self.layout, self.text.replace("\0", "").encode(), -1)

    def renew(self, style: Any) -> None:
        """Lay the one line out once more, as WeasyPrint does before it draws."""
        super().reactivate(style)


def quick_split_first_line(  # noqa: PLR0917 - WeasyPrint's signature
    text: str,
    style: Any,
    context: Any,
    max_width: float | None,
    justification_spacing: float,
    is_line_start: bool = True,
    minimum: bool = False,
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
        or style["hyphens"] == "auto"
        or style["text_align_all"] in _FROM_THE_END
        or style["letter_spacing"] != "normal"
        or style["word_spacing"]
        or "\xad" in text
        or "\t" in text
    ):
        return split(*whole)
    draft = text[: int(max_width / size * _RATIO)]
    layout = QuickLayout(style, justification_spacing, max_width)
    pango.pango_layout_set_width(layout.layout, int(max_width * TO_UNITS))
    layout.draft(draft)
    line, resume = layout.get_first_line()
    width, height = line_break.line_size(line, style)
    if width > max_width:
        return split(*whole)
    baseline = pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS
    if resume is None:
        if draft != text:
            return split(*whole)
        return layout, line.length, None, width, height, baseline
    encoded = draft.encode()
    word = _WORD.match(encoded[resume:].decode())
    if word is None or width + _width_of(layout, len(word.group().encode())) <= max_width:
        return split(*whole)
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
        widths = GLYPH.iter_unpack(ffi.buffer(glyphs.glyphs, glyphs.num_glyphs * GLYPH.size))
        starts = ffi.unpack(glyphs.log_clusters, glyphs.num_glyphs)
        total += sum(glyph[1] for start, glyph in zip(starts, widths, strict=True) if start < rest)
    return float(total * FROM_UNITS)
