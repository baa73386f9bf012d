"""Boxes: their lengths, where they may stand, what is painted behind them, how high a line is."""

from collections.abc import Iterator
from typing import Any

from weasyprint.draw.color import get_color
from weasyprint.formatting_structure import boxes
from weasyprint.layout import background, block, percent
from weasyprint.layout import float as floating
from weasyprint.layout.absolute import AbsolutePlaceholder
from weasyprint.text import line_break

from integrations.documents.quick.shared import shared

_LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *("width", "min_width", "max_width", "height", "min_height", "max_height"),
)
_BORDERS = tuple(f"border_{side}_width" for side in ("top", "right", "bottom", "left"))

SHARP = {f"border_{corner}_radius": (0, 0) for corner in ("top_left", "top_right", "bottom_right", "bottom_left")}
_FLOWS, _CONTEXT = "_drehkreuz_flows", "_drehkreuz_context"
_NAMED_PAGES: set[str] = set()

percentages = percent.resolve_percentages
avoided = floating.avoid_collisions
backgrounds = background.layout_box_backgrounds
collapse_margin = block.collapse_margin
establishes = boxes.Box.establishes_formatting_context
page_values = boxes.ParentBox.page_values
descendants = boxes.Box.descendants
flows = boxes.Box.is_in_normal_flow
strut = line_break.strut


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
    if style["box_sizing"] != "content-box":
        return None
    return used


def quick_resolve_percentages(box: Any, containing_block: Any) -> None:
    kept = shared(box.style)
    if kept.lengths is False:
        kept.lengths = _lengths(box.style)
        kept.borders = {name: box.style[name] for name in _BORDERS}
        kept.collapses = box.style["border_collapse"] == "collapse"
    if kept.lengths is None or not isinstance(box, boxes.Box):
        percentages(box, containing_block)
        return
    known = box.__dict__
    known.update(kept.lengths)
    if kept.collapses:  # cells that share their borders may have been given theirs before
        known.update({name: width for name, width in kept.borders.items() if name not in known})
    else:
        known.update(kept.borders)


def quick_is_in_normal_flow(box: Any) -> bool:
    known = box.style.__dict__
    if (flowing := known.get(_FLOWS)) is None:  # asked so often that it has a place of its own
        flowing = known[_FLOWS] = flows(box)
    return flowing  # type: ignore[no-any-return]


def quick_establishes_formatting_context(box: Any) -> bool:
    known = box.style.__dict__.setdefault(_CONTEXT, {})
    kind = (box.__class__, box.is_column)
    if (own := known.get(kind)) is None:
        own = known[kind] = establishes(box)
    return own  # type: ignore[no-any-return]


def quick_collapse_margin(adjoining: list[float]) -> float:
    highest = lowest = 0.0
    for margin in adjoining:
        if margin > highest:
            highest = margin
        elif margin < lowest:
            lowest = margin
    return highest + lowest


def quick_page_values(box: Any) -> tuple[str, str]:
    return page_values(box) if _NAMED_PAGES else (box.style["page"], box.style["page"])


def names_a_page() -> None:
    """A style has a named page: from now on every box is asked for its own."""
    _NAMED_PAGES.add("page")


def quick_descendants(box: Any, placeholders: bool = False) -> Iterator[Any]:
    """The same boxes in the same order, without a generator inside a generator for each level."""
    waiting = [box]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, boxes.Box):
            for child in reversed(here.children):
                placed = placeholders and isinstance(child, AbsolutePlaceholder)
                waiting.append(child._box if placed else child)  # noqa: SLF001 - what a placeholder stands for


def quick_avoid_collisions(context: Any, box: Any, containing_block: Any, outer: bool = True) -> Any:
    if context.excluded_shapes or box.style["float"] != "none" or containing_block.style["direction"] != "ltr":
        return avoided(context, box, containing_block, outer)
    left, width = containing_block.content_box_x(), containing_block.width
    if outer:
        return left, box.position_y, width
    first, last = left + box.margin_left, left + width - box.margin_right
    return first - box.margin_left, box.border_box_y() - box.margin_top, last - first


def quick_layout_box_backgrounds(
    page: Any,
    box: Any,
    get_image: Any,
    layout_children: bool = True,
    style: Any = None,
) -> None:
    kept = shared(box.style)
    if kept.bare is None:
        kept.bare = _bare(box.style)
    if not kept.bare or box is page or style is not None or not isinstance(box, boxes.Box):  # a placeholder
        backgrounds(page, box, get_image, layout_children, style)
        return
    box.__dict__.update(SHARP)
    if layout_children:
        for child in box.all_children():
            quick_layout_box_backgrounds(page, child, get_image)
    box.background = None


def _bare(style: Any) -> bool:
    """Neither background nor shadow, border of pictures or round corner."""
    return (
        get_color(style, "background_color").alpha == 0
        and all(kind == "none" for kind, _ in style["background_image"])
        and not style["box_shadow"]
        and style["border_image_source"][0] == style["mask_border_source"][0] == "none"
        and style["visibility"] != "hidden"
        and all((0, "px") in style[name] for name in SHARP)
    )


def quick_strut(style: Any) -> Any:
    kept = shared(style)
    if kept.strut is None:
        kept.strut = strut(style)
    return kept.strut
