"""Small vector graphics inside documents, as SVG with colours in attributes (style sheets of the page do not reach in)."""

from collections.abc import Sequence
from decimal import Decimal

import segno
from markupsafe import Markup

from integrations.documents.contents import KontingentMonth
from integrations.documents.text import hours, month

_ACCENT, _PALE, _INK, _LINE = "#0f5868", "#c4dade", "#4d5a60", "#c9d3d6"
MONTH_LABELS = 12
"""So many months can be named below the chart; of more only every second, third …, the last one always."""
LABEL_HEIGHT = 8.0
"""Room that a label needs, in units of the drawing."""
MONTH_WIDTH = 3.932 * 7.5
"""A month's name, 10/2026, in units of the drawing: its digits are all of one width, so every name is as wide."""
UNIT = 0.348
"""Millimetres of one unit when the drawing is set 174 mm wide."""
_SVG = "http://www.w3.org/2000/svg"


_MASK = 4
"""Any of the eight QR masks can be read; to try them all for the prettiest takes four times as long."""


def girocode_payload(*, name: str, iban: str, bic: str, amount: Decimal, reference: str) -> bytes:
    """EPC069-12, version 002, UTF-8: what the QR code says. Amount in EUR, above zero; the reference is free text."""
    lines = ("BCD", "002", "1", "SCT", bic, name[:70], iban, f"EUR{amount:.2f}", "", "", reference[:140])
    return "\n".join(lines).encode()


def girocode(payload: bytes) -> Markup:
    """A credit transfer as QR code ("GiroCode")."""
    code = segno.make_qr(payload, error="m", boost_error=False, mask=_MASK)
    # a raster of one pixel per module is set five times faster than paths, and as sharp
    source = code.png_data_uri(scale=1, border=0)
    return Markup('<img alt="GiroCode für die Überweisung" src="{}"/>').format(source)


def kontingent_chart(history: Sequence[KontingentMonth]) -> Markup:
    """Twelve months: granted (pale bar), used (dark bar), balance at month's end (line). Heights share one scale.

    The months stand below as one line of text, spread to the bars: WeasyPrint sets text inside a drawing letter by letter,
    a twelfth of the time of a whole report.
    """
    width, height, top, left, foot = 500.0, 105.0, 12.0, 34.0, 3.0
    values = [v for m in history for v in (m.granted, m.used, m.balance)]
    high, low = max([60, *values]), min([0, *values])
    span = (height - top - foot) / (high - low)

    def y(minutes: float) -> float:
        return round(top + (high - minutes) * span, 2)

    step = (width - left) / max(len(history), 1)
    granted, used, dots = [], [], []
    for index, entry in enumerate(history):
        x = left + index * step
        granted.append(_bar(x + step * 0.18, step * 0.3, y(entry.granted), y(0)))
        used.append(_bar(x + step * 0.50, step * 0.3, y(entry.used), y(0)))
        dots.append(f"{x + step * 0.5:.1f} {y(entry.balance):.1f}")
    every = -(-len(history) // MONTH_LABELS)
    parts = [
        *(_scale_line(left, width, y(tick), _scale(tick, abs(y(tick) - y(0)))) for tick in sorted({low, 0, high})),
        f'<path fill="{_PALE}" d="{"".join(granted)}"/><path fill="{_ACCENT}" d="{"".join(used)}"/>',
        f'<path fill="none" stroke="#fff" stroke-width="3.4" d="M{"L".join(dots)}"/>',  # so that it stands out from the bars
        f'<path fill="none" stroke="{_INK}" stroke-width="1.2" d="M{"L".join(dots)}"/>',
        # a dot is a line of no length with round ends: one shape for all of them
        f'<path fill="none" stroke="{_INK}" stroke-width="4.4" stroke-linecap="round" d="{_dots(dots)}"/>',
    ]
    title = Markup("<title>{}</title>").format(_spoken(history))
    drawing = Markup("".join(parts))  # noqa: S704 - numbers and fixed words only
    svg = Markup('<svg xmlns="{}" viewBox="0 0 500 105">{}{}</svg>').format(_SVG, title, drawing)
    named = [index for index in range(len(history)) if (len(history) - 1 - index) % every == 0]
    months = " ".join(f"{history[index].month:%m/%Y}" for index in named)
    return svg + _spread(months, left + (named[0] + 0.5) * step, left + (named[-1] + 0.5) * step)


def _spread(names: str, first: float, last: float) -> Markup:
    """Names of equal width in one line, the first and the last in the middle of these places."""
    start, wide = (first - MONTH_WIDTH / 2) * UNIT, (last - first + MONTH_WIDTH) * UNIT
    return Markup('<p class="months" style="margin-left:{:.2f}mm;width:{:.2f}mm">{}</p>').format(start, wide, names)


def _dots(points: Sequence[str]) -> str:
    return "".join(f"M{point}h.01" for point in points)


def _spoken(history: Sequence[KontingentMonth]) -> str:
    parts = (
        f"{month(m.month)}: gutgeschrieben {hours(m.granted)}, verbraucht {hours(m.used)}, Stand {hours(m.balance)}"
        for m in history
    )
    return "Verlauf des Kontingents. " + "; ".join(parts)


def _bar(x: float, width: float, start: float, end: float) -> str:
    return f"M{x:.1f} {start:.1f}h{width:.1f}V{end:.1f}h-{width:.1f}z"


def _scale(minutes: int, distance: float) -> str:
    """Hours at a line, the unit stands below; nothing when it would lie on the zero beside it."""
    return f"{'−' if minutes < 0 else ''}{abs(minutes) / 60:.0f}" if minutes == 0 or distance > LABEL_HEIGHT else ""


def _scale_line(left: float, right: float, at: float, text: str) -> str:
    label = _label(left - 4, at + 2.5, text, "end") if text else ""
    return f'<line x1="{left}" y1="{at}" x2="{right}" y2="{at}" stroke="{_LINE}" stroke-width="0.6"/>{label}'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    font = f'font-size="7.5" font-family="Drehkreuz" text-anchor="{anchor}" fill="{_INK}"'
    return f'<text x="{x:.2f}" y="{y:.2f}" {font}>{text}</text>'
