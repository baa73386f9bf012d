"""Computed styles kept from document to document.

What an element looks like follows from the rules that match it and from its parent. WeasyPrint computes that once per
document and shares it between equal elements. Our sheets never change while a process runs, and an invoice has the same
some eighty styles as the one before it: here they are computed once per process, a fifth of an invoice's time.

Rests on insides of WeasyPrint 70 (docs/adr/0012). `tests/documents/test_styles.py` proves that a kept style makes the same
document as a new one.
"""

from functools import partial
from typing import Any

from weasyprint.css import StyleFor
from weasyprint.css.targets import TargetCollector
from weasyprint.document import Document
from weasyprint.images import get_image_from_uri
from weasyprint.layout import LayoutContext

from integrations.documents.drawing import SCHEME, Drawing
from integrations.documents.quick.measures import names_a_page

MOST = 5_000
"""So many styles are kept; beyond, all are dropped (all our templates together have a few hundred)."""

FROM_THE_ELEMENT = 3
"""Precedence of `style` and `lang` attributes: our sheets are those of the browser (1) and the user (2)."""


class Styles:
    """The computed styles of one engine. Not for two threads at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Any] = {}

    def __len__(self) -> int:
        return len(self._known)

    def shared(self, new: Any) -> Any:
        """The style that is equal to `new` in parent and rules, with all values that were computed for it so far.

        Values of rules are compared by identity: they live as long as their sheet, and a kept style keeps both its rules
        and its parent, so that no identity is given to another object. What the element says itself (its language, its own
        measures) is compared by value.
        """
        rules = tuple(
            [
                (name, value if weight[0] == FROM_THE_ELEMENT else id(value), *weight[:2], *weight[2])
                for name, (value, weight) in new.cascaded.items()
            ]
        )
        key = (id(new.parent_style), new.pseudo_type, rules)
        if (kept := self._known.get(key)) is None:
            if len(self._known) >= MOST:
                self._known.clear()
            kept = self._known[key] = new
        return kept


class _StyleFor(StyleFor):  # type: ignore[misc]
    """Styles of one document, taken from those already known."""

    def __init__(self, styles: Styles, *args: Any) -> None:
        self._styles = styles
        super().__init__(*args)

    def set_computed_styles(self, element: Any, parent: Any, *args: Any, pseudo_type: Any = None, **kwargs: Any) -> None:
        super().set_computed_styles(element, parent, *args, pseudo_type=pseudo_type, **kwargs)
        computed = self.get_computed_styles()
        if "page" in computed[element, pseudo_type].cascaded:
            names_a_page()
        computed[element, pseudo_type] = self._styles.shared(computed[element, pseudo_type])


def _image(*, url: str, **options: Any) -> Any:
    return Drawing.of(url) if url.startswith(SCHEME) else get_image_from_uri(url=url, **options)


class StyledDocument(Document):  # type: ignore[misc]
    """A document without style sheets of its own: those of the engine, computed before."""

    @classmethod
    def set(cls, html: Any, sheets: list[Any], styles: Styles, font_config: Any, options: dict[str, Any]) -> Any:
        """Lay out `html`, as `weasyprint.HTML.render` does."""
        return cls._render(html, font_config, None, None, {**options, "stylesheets": sheets, "styles": styles})

    @classmethod
    def _build_layout_context(
        cls, html: Any, font_config: Any, counter_style: Any, _color_profiles: Any, options: dict[str, Any]
    ) -> LayoutContext:
        targets = TargetCollector()
        sheets = [(sheet, "user agent", None) for sheet in html._ua_stylesheets()]  # noqa: SLF001
        sheets += [(sheet, "user", None) for sheet in options["stylesheets"]]
        for style in html._ua_counter_style():  # noqa: SLF001
            counter_style.update(style)
        styles = _StyleFor(options["styles"], html, sheets, False, font_config, targets)
        images = partial(_image, cache={}, url_fetcher=html.url_fetcher, options=options)
        return LayoutContext(styles, images, font_config, counter_style, targets)
