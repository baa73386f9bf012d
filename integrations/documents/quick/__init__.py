"""WeasyPrint's inner loops with fewer steps, for the same document.

Half of a document's time goes into a few functions that are called hundreds of times with the same arguments or do the same
twice. Here they are replaced, for every document that this process sets:

| what | WeasyPrint 70 | here |
|---|---|---|
| setting up Pango | a context and a font description per text | one of each per style |
| shaping | the final line a second time when it is drawn | the line that was laid out is drawn |
| glyphs | four foreign calls each, and a shift of 0 between any two | read in one go, shifts of 0 left out |
| lengths | fourteen looked up per box | once per style, where none is a percentage |
| borders | cut out of a frame | a straight line is a rectangle |
| height of a line | a key of sixteen properties per line | once per style |

Where a text or a style is out of the ordinary (decorated, spaced, justified, shortened with an ellipsis, a font of
pictures), WeasyPrint's own function does the work.

`shared` keeps what follows from a style alone, `measures` are the boxes, `lines` and `text` the lines, `drawing` the glyphs.

Rests on insides of WeasyPrint 70, like `integrations.documents.styles` (docs/adr/0012). `tests/documents/test_quick.py`
proves page for page that the documents are the same.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from cssselect2 import ElementWrapper
from weasyprint.formatting_structure.boxes import Box, ParentBox
from weasyprint.pdf.stream import Stream

from integrations.documents.quick import drawing, lines, measures, text
from integrations.documents.quick.shared import Once

_FUNCTIONS = (
    (measures.percentages, measures.quick_resolve_percentages),
    (measures.avoided, measures.quick_avoid_collisions),
    (measures.collapse_margin, measures.quick_collapse_margin),
    (measures.backgrounds, measures.quick_layout_box_backgrounds),
    (measures.strut, measures.quick_strut),
    (lines.split_inline_box, lines.quick_split_inline_box),
    (text.Layout, text.QuickLayout),
    (text.split, text.quick_split_first_line),
    (drawing.draw, drawing.quick_draw_first_line),
    (drawing.to_bytes, drawing.quick_to_bytes),
    (drawing.border, drawing.quick_draw_border),
)
_METHODS = (
    (Box, "establishes_formatting_context", measures.establishes, measures.quick_establishes_formatting_context),
    (Box, "descendants", measures.descendants, measures.quick_descendants),
    (ParentBox, "page_values", measures.page_values, measures.quick_page_values),
    (Box, "is_in_normal_flow", measures.flows, measures.quick_is_in_normal_flow),
    (Stream, "set_color", drawing.colour, drawing.quick_set_color),
    *(
        (ElementWrapper, name, known, Once(known.func, name))
        for name, known in vars(ElementWrapper).items()
        if isinstance(known, cached_property)
    ),
)


def install() -> None:
    """Put the quick functions in place, for this process."""
    for original, mine in _FUNCTIONS:
        _replace(original, mine)
    for kind, name, _, method in _METHODS:
        setattr(kind, name, method)


@contextmanager
def left_out(*kept: Any) -> Iterator[None]:
    """WeasyPrint as it comes, for comparison; `kept`: its functions that stay replaced."""
    for original, mine in _FUNCTIONS:
        if original not in kept:
            _replace(mine, original)
    for kind, name, method, _ in _METHODS:
        setattr(kind, name, method)
    try:
        yield
    finally:
        install()


def _replace(original: Any, mine: Any) -> None:
    """In every module of WeasyPrint that has the function by its name."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("weasyprint", "pydyf")):
            for known, value in list(vars(module).items()):
                if value is original:
                    setattr(module, known, mine)
