"""A line that holds nothing but text, which most lines are from the second one on."""

from typing import Any

from weasyprint.formatting_structure.boxes import LineBox, TextBox
from weasyprint.layout import inline

from integrations.documents.quick.measures import quick_is_in_normal_flow, quick_resolve_percentages, quick_strut

split_inline_box = inline.split_inline_box
_NARROWER = 1 + 1e-9
"""WeasyPrint's: sums of lengths may come out a little short."""


def quick_split_inline_box(context: Any, box: Any, position_x: float, max_x: float, *rest: Any) -> Any:
    """One line of the last text of a line box; anything else by WeasyPrint."""
    skip_stack, containing_block, first_line_style = rest[1], rest[2], rest[-1]
    text = _last_text(box, skip_stack)
    if text is None or first_line_style:
        return split_inline_box(context, box, position_x, max_x, *rest)
    index, start = 0, 0
    if skip_stack is not None:
        [(index, inner)] = skip_stack.items()
        start = next(iter(inner)) or 0 if inner else 0
    text.position_x, text.position_y = position_x, box.position_y
    quick_resolve_percentages(text, containing_block)
    shown, resume, preserved = inline.split_text_box(context, text, max_x * _NARROWER - position_x, start)
    line = box.copy_with_children([shown] if shown else [])
    line.remove_decoration(start=skip_stack is not None, end=resume is not None)
    line.width = shown.position_x + shown.margin_width() - line.content_box_x() if shown else 0
    _set_height(line)
    resume_at = None if resume is None else {index: {resume: None}}
    return line, resume_at, bool(preserved), None, None, {"left": 0, "right": 0}


def _last_text(box: Any, skip_stack: Any) -> Any:
    """The text that is all that is left of the line box; None when there is more, or it is out of the ordinary."""
    if type(box) is not LineBox or not box.children or box.is_leader:
        return None
    index = 0 if skip_stack is None else next(iter(skip_stack))
    last = box.children[-1]
    if index != len(box.children) - 1 or not isinstance(last, TextBox) or not quick_is_in_normal_flow(last):
        return None
    style, spacing = box.style, box.padding_right + box.margin_right + box.border_right_width
    return last if not spacing and style["direction"] == "ltr" and style["position"] != "relative" else None


def _set_height(line: Any) -> None:
    """WeasyPrint's `_adjust_line_height`: half of the leading above and below."""
    height, line.baseline = quick_strut(line.style)
    line.height = line.style["font_size"]
    leading = (height - line.height) / 2
    line.margin_top = leading - line.border_top_width - line.padding_top
    line.margin_bottom = leading - line.border_bottom_width - line.padding_bottom
