"""Graphics inside documents: the GiroCode and the chart of a Kontingent."""

from collections.abc import Sequence
from decimal import Decimal

import segno
from markupsafe import Markup

from integrations.documents.contents import KontingentMonth
from integrations.documents.drawing import HEIGHT, WIDTH, Drawing
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
TOP, LEFT, FOOT = 12.0, 34.0, 3.0
"""Room above the highest line, left of the bars and below the lowest line, in units of the drawing."""
DIGIT = 7.5
"""Height of the figures beside the lines, in units of the drawing."""
BASELINE = 2.31
"""Millimetres from the top of a line of 2.61 mm to where its digits stand."""
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

    Words stand beside the drawing as text of the page: months below as one line, spread to the bars, hours at their lines.
    """
    values = [v for m in history for v in (m.granted, m.used, m.balance)]
    high, low = max([60, *values]), min([0, *values])
    span = (HEIGHT - TOP - FOOT) / (high - low)

    def y(minutes: float) -> float:
        return round(TOP + (high - minutes) * span, 2)

    step = (WIDTH - LEFT) / max(len(history), 1)
    granted, used, line = [], [], []
    for index, entry in enumerate(history):
        x = LEFT + index * step
        granted.append((x + step * 0.18, step * 0.3, y(entry.granted), y(0)))
        used.append((x + step * 0.50, step * 0.3, y(entry.used), y(0)))
        line.append((x + step * 0.5, y(entry.balance)))
    ticks = {tick: y(tick) for tick in sorted({low, 0, high})}
    drawing = Drawing()
    for at in ticks.values():
        drawing.line(_LINE, 0.6, [(LEFT, at), (WIDTH, at)])
    drawing.bars(_PALE, granted)
    drawing.bars(_ACCENT, used)
    drawing.line("#ffffff", 3.4, line)  # so that it stands out from the bars
    drawing.line(_INK, 1.2, line)
    drawing.dots(_INK, 4.4, line)
    hours_at = Markup().join(_tick(text, at) for tick, at in ticks.items() if (text := _scale(tick, abs(at - ticks[0]))))
    every = -(-len(history) // MONTH_LABELS)
    named = [index for index in range(len(history)) if (len(history) - 1 - index) % every == 0]
    months = " ".join(f"{history[index].month:%m/%Y}" for index in named)
    return (
        Markup('<img class="drawing" alt="{}" src="{}"/>').format(_spoken(history), drawing.url)
        + hours_at
        + _spread(months, LEFT + (named[0] + 0.5) * step, LEFT + (named[-1] + 0.5) * step)
    )


def _spread(names: str, first: float, last: float) -> Markup:
    """Names of equal width in one line, the first and the last in the middle of these places."""
    start, wide = (first - MONTH_WIDTH / 2) * UNIT, (last - first + MONTH_WIDTH) * UNIT
    return Markup('<p class="months" style="margin-left:{:.2f}mm;width:{:.2f}mm">{}</p>').format(start, wide, names)


def _spoken(history: Sequence[KontingentMonth]) -> str:
    parts = (
        f"{month(m.month)}: gutgeschrieben {hours(m.granted)}, verbraucht {hours(m.used)}, Stand {hours(m.balance)}"
        for m in history
    )
    return "Verlauf des Kontingents. " + "; ".join(parts)


def _scale(minutes: int, distance: float) -> str:
    """Hours at a line, the unit stands below; nothing when it would lie on the zero beside it."""
    return f"{'−' if minutes < 0 else ''}{abs(minutes) / 60:.0f}" if minutes == 0 or distance > LABEL_HEIGHT else ""


def _tick(text: str, at: float) -> Markup:
    """The hours at the left end of a line, their middle at its height."""
    return Markup('<p class="tick" style="top:{:.2f}mm">{}</p>').format((at + DIGIT / 3) * UNIT - BASELINE, text)
