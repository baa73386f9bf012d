"""Drawings made of PDF operators: WeasyPrint reads an SVG step by step, which for a chart took a tenth of a report's time.

A drawing travels in the address of an image (`<img src="drawing:…">`), of which only operators and numbers are accepted.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

SCHEME = "drawing:"
WIDTH, HEIGHT = 500.0, 105.0
"""Units of every drawing, y downwards."""
_OPERATORS = re.compile(r"(?:-?\d+(?:\.\d+)?|re|rg|RG|[fSwmlJ])(?:_(?:-?\d+(?:\.\d+)?|re|rg|RG|[fSwmlJ]))*")

Point = tuple[float, float]


class Drawing:
    """Bars, lines and dots, painted in the order in which they are added. An image for WeasyPrint."""

    def __init__(self) -> None:
        self._operators: list[str] = []

    @classmethod
    def of(cls, url: str) -> Self:
        """The drawing in the address.

        Raises:
            ValueError: it holds something else than the operators used here.
        """
        written = url.removeprefix(SCHEME)
        if not _OPERATORS.fullmatch(written):
            raise ValueError(f"not a drawing of ours: {url[:80]}")
        drawing = cls()
        drawing._operators = written.split("_")
        return drawing

    @property
    def url(self) -> str:
        """What `of` reads."""
        return SCHEME + "_".join(self._operators)

    def bars(self, colour: str, bars: Iterable[tuple[float, float, float, float]]) -> None:
        """Filled bars: left edge, width, and the heights between which each stands."""
        self._add(*_channels(colour), "rg")
        for x, width, start, end in bars:
            self._add(x, start, width, end - start, "re")
        self._add("f")

    def line(self, colour: str, width: float, points: Sequence[Point]) -> None:
        """A line through the points."""
        self._add(*_channels(colour), "RG", width, "w")
        for number, point in enumerate(points):
            self._add(*point, "l" if number else "m")
        self._add("S")

    def dots(self, colour: str, width: float, points: Iterable[Point]) -> None:
        """Round dots: lines of no length with round ends."""
        self._add(*_channels(colour), "RG", width, "w", 1, "J")
        for x, y in points:
            self._add(x, y, "m", x + 0.01, y, "l")
        self._add("S", 0, "J")

    def _add(self, *parts: float | str) -> None:
        self._operators += [part if isinstance(part, str) else f"{part:.3f}".rstrip("0").rstrip(".") for part in parts]

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[float, float, float]:
        """Width, height, ratio, as WeasyPrint asks of every image."""
        return WIDTH, HEIGHT, WIDTH / HEIGHT

    def draw(self, stream: Any, width: float, height: float, _style: Any) -> None:
        """Paint it, as WeasyPrint asks of every image."""
        with stream.stacked():
            stream.transform(a=width / WIDTH, d=height / HEIGHT)
            stream.stream.append(" ".join(self._operators).encode())


def _channels(colour: str) -> tuple[float, float, float]:
    """Red, green and blue between 0 and 1 of #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red / 255, green / 255, blue / 255
