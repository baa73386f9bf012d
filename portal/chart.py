"""Geometry of bar charts: plain numbers for an SVG template, no script in the browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

WIDTH, HEIGHT = 460, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 4, 10, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its place and what it says."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class BarChart:
    """A chart ready to draw. `grid` holds (value, y) of the lines."""

    width: int
    height: int
    left: int
    right: int
    base: float
    floor: float
    grid: list[tuple[int, float]]
    bars: list[Bar]


def _step(span: float, lines: int = 5) -> int:
    """The smallest of 1, 2, 5 times a power of ten that needs at most so many lines."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if span / (factor * power) <= lines:
                return factor * power
        power *= 10


def bars(values: Sequence[tuple[str, Decimal]]) -> BarChart:
    """Bars from zero up (or down), with a scale in round numbers."""
    high = float(max([Decimal(1), *(value for _, value in values)]))
    low = float(min([Decimal(0), *(value for _, value in values)]))
    step = _step(high - low)
    top, bottom = ceil(high / step) * step, floor(low / step) * step

    def y(value: float) -> float:
        return round(TOP + (top - value) / (top - bottom) * (HEIGHT - TOP - BOTTOM), 1)

    slot = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    drawn = []
    for index, (label, value) in enumerate(values):
        ends = sorted((y(0), y(float(value))))
        x = round(LEFT + slot * (index + 0.2), 1)
        width, middle = round(slot * 0.6, 1), round(LEFT + slot * (index + 0.5), 1)
        drawn.append(Bar(x, ends[0], width, round(ends[1] - ends[0], 1), middle, label, value))
    grid = [(value, y(value)) for value in range(int(bottom), int(top) + 1, step)]
    return BarChart(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, y(0), HEIGHT - 8, grid, drawn)
