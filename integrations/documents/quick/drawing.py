"""Glyphs and colours on their way into the page."""

import re
from functools import lru_cache
from typing import Any, ClassVar

import pydyf
from weasyprint.draw import border as borders
from weasyprint.draw import text as drawing
from weasyprint.draw.color import get_color
from weasyprint.pdf.stream import Stream
from weasyprint.text.ffi import FROM_UNITS, ffi, pango

from integrations.documents.quick.measures import SHARP
from integrations.documents.quick.text import GLYPH

_END = re.compile(r">-?\d+<$")
"""A shift behind the last glyph, towards the space that the line was broken at."""
_LAST = "_drehkreuz_colour"
_INVISIBLE = 1e-6
"""pydyf writes no smaller size."""

border = borders.draw_border
to_bytes = pydyf._to_bytes  # noqa: SLF001
draw = drawing.draw_first_line
colour = Stream.set_color


def quick_draw_first_line(stream: Any, textbox: Any, text_overflow: str, block_ellipsis: Any, matrix: Any) -> list[Any]:
    layout = textbox.pango_layout
    plain = text_overflow != "ellipsis" and block_ellipsis == "none" and not layout.justification_spacing
    if plain and (not textbox.text.strip() or textbox.style["font_size"] < _INVISIBLE):
        return []
    runs = _runs(stream, layout.get_first_line()[0], textbox) if plain and "\n" not in layout.text else None
    if runs is None:
        layout.renew(textbox.style)
        return draw(stream, textbox, text_overflow, block_ellipsis, matrix)  # type: ignore[no-any-return]
    *_, x, y = matrix.values
    stream.stream.append(b"1 0 0 -1 " + quick_to_bytes(x) + b" " + quick_to_bytes(y) + b" Tm")
    for font, size, shown in runs:
        stream.set_font_size(font.hash, size)
        stream.stream.append(b"[" + shown.encode() + b"] TJ")
    return []


def _runs(stream: Any, line: Any, textbox: Any) -> list[tuple[Any, float, str]] | None:
    """Font, size and glyphs of each run; None when one needs more than this."""
    found: list[tuple[Any, float, str]] = []
    run, utf8 = line.runs, textbox.pango_layout.text.encode()
    while run != ffi.NULL:
        here, run = run.data, run.next
        item, glyphs = here.item, here.glyphs
        font, size = _font(stream, item.analysis.font)
        if font.bitmap or font.png or font.svg or font.colr or item.analysis.level % 2:
            return None
        count = glyphs.num_glyphs
        if (drawn := len(utf8) - item.offset) < item.length:  # the spaces that a line was broken at are not drawn
            count = sum(start < drawn for start in ffi.unpack(glyphs.log_clusters, count))
        keys = list(GLYPH.iter_unpack(ffi.buffer(glyphs.glyphs, count * GLYPH.size)))
        pieces = _pieces(font, size)
        try:
            shown = "".join([pieces[key] for key in keys])
        except KeyError:
            new = {key[0] for key in keys} - font.widths.keys()
            if new and not _learn(stream, font, size, here, new=new, utf8=utf8):
                return None
            factor = 1000 * FROM_UNITS / size
            for glyph, width, x, y in keys:
                if x or y:
                    return None
                shift = int(font.widths[glyph] - width * factor)
                pieces[glyph, width, x, y] = f"{glyph:04x}>{shift}<" if shift else f"{glyph:04x}"
            shown = "".join([pieces[key] for key in keys])
        if found and found[-1][:2] == (font, size):
            shown = found.pop()[2] + shown
        found.append((font, size, shown))
    return [(font, size, f"<{_END.sub('', shown)}>".replace("<>", "")) for font, size, shown in found if shown]


def quick_to_bytes(item: Any) -> bytes:
    """A number, word or object as PDF writes it."""
    kind = type(item)
    if kind is bytes:
        return item  # type: ignore[no-any-return]
    if kind is float and not item.is_integer():
        return f"{item:f}".rstrip("0").encode()
    if kind is int or kind is str:
        return str(item).encode("ascii")
    return to_bytes(item)  # type: ignore[no-any-return]


class _Fonts:
    """What the document at hand has added: asked once per font and size, not once per text."""

    of: Any = None
    added: ClassVar[dict[Any, tuple[Any, float]]] = {}


def _font(stream: Any, pango_font: Any) -> tuple[Any, float]:
    if _Fonts.of is not stream._fonts:  # noqa: SLF001 - of the document; each has a new one
        _Fonts.of, _Fonts.added = stream._fonts, {}  # noqa: SLF001
    found = _Fonts.added.get(pango_font)
    if found is None:
        found = _Fonts.added[pango_font] = stream.add_font(pango_font)
    return found


def _learn(stream: Any, font: Any, size: float, run: Any, *, new: set[int], utf8: bytes) -> bool:
    """What the font has not yet shown in this document: what each glyph stands for, and its width. False: not for us."""
    if max(new) > 0xFFFF:
        return False
    item, glyphs = run.item, run.glyphs
    count = glyphs.num_glyphs
    clusters = [*ffi.unpack(glyphs.log_clusters, count), item.length]
    for i, (glyph, *_) in enumerate(GLYPH.iter_unpack(ffi.buffer(glyphs.glyphs, count * GLYPH.size))):
        if glyph in new:
            new.discard(glyph)
            font.to_unicode[glyph] = utf8[item.offset + clusters[i] : item.offset + clusters[i + 1]].decode()
            pango.pango_font_get_glyph_extents(item.analysis.font, glyph, stream.ink_rect, stream.logical_rect)
            font.widths[glyph] = round(stream.logical_rect.width * 1000 * FROM_UNITS / size)
    return True


def _pieces(font: Any, size: float) -> dict[tuple[int, int, int, int], str]:
    """How each glyph in a size is written, with the shift that follows it.

    Kept for this document only: a font's widths are rounded from the size that a document uses first.
    """
    return font.__dict__.setdefault("_drehkreuz_pieces", {}).setdefault(size, {})  # type: ignore[no-any-return]


def quick_draw_border(stream: Any, box: Any) -> None:
    """A straight line on one side is a rectangle; WeasyPrint cuts it out of a frame."""
    style = box.style
    top, right, bottom, left = (
        box.border_top_width,
        box.border_right_width,
        box.border_bottom_width,
        box.border_left_width,
    )
    if not (top or right or bottom or left):
        if style["column_width"] != "auto" or style["column_count"] != "auto" or style["border_image_source"][0] != "none":
            border(stream, box)
        return
    side = _SIDES.get((top > 0, right > 0, bottom > 0, left > 0))
    if side is None or not _is_line(box, style, side):
        border(stream, box)
        return
    x, y, width, height = box.border_box_x(), box.border_box_y(), box.border_width(), box.border_height()
    place = {
        "top": (x, y, width, top),
        "right": (x + width - right, y, right, height),
        "bottom": (x, y + height - bottom, width, bottom),
        "left": (x, y, left, height),
    }[side]
    with stream.artifact(), stream.stacked():
        stream.set_color(get_color(style, f"border_{side}_color"))
        stream.rectangle(*place)
        stream.fill()


_SIDES = {
    (True, False, False, False): "top",
    (False, True, False, False): "right",
    (False, False, True, False): "bottom",
    (False, False, False, True): "left",
}


def _is_line(box: Any, style: Any, side: str) -> bool:
    """A visible line of one colour on that side, with sharp ends."""
    return (
        style["visibility"] == "visible"
        and style[f"border_{side}_style"] == "solid"
        and get_color(style, f"border_{side}_color").alpha == 1
        and style["border_image_source"][0] == "none"
        and style["column_width"] == style["column_count"] == "auto"
        and all(getattr(box, corner) == (0, 0) for corner in SHARP)
    )


@lru_cache(maxsize=256)
def _red_green_blue(kind: Any, space: str, coordinates: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    return tuple(kind(space, coordinates, alpha).to("srgb").coordinates)


def quick_set_color(stream: Any, color: Any, stroke: bool = False) -> None:
    if color.space not in {"srgb", "hsl", "hwb"}:
        colour(stream, color, stroke)
        return
    last, alpha_now = stream.__dict__.get(_LAST, (None, None))
    if not stroke and last is color and alpha_now == stream._current_alpha and stream._current_color:  # noqa: SLF001
        return
    *channels, alpha = color
    stream.set_alpha(alpha, stroke)
    wanted, attribute = (color.space, *channels), "_current_color_stroke" if stroke else "_current_color"
    if wanted != getattr(stream, attribute):
        setattr(stream, attribute, wanted)
        stream.set_color_rgb(*_red_green_blue(color.__class__, color.space, tuple(color.coordinates), alpha), stroke)
    if not stroke:
        stream.__dict__[_LAST] = (color, stream._current_alpha)  # noqa: SLF001
