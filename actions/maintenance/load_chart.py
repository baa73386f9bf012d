"""The year's load as a picture: a row per technician, a column per calendar week, the colour says how full the week is."""

from xml.sax.saxutils import escape, quoteattr

from actions.maintenance.load import WeekLoad, YearLoad

_CELL, _GAP, _NAMES, _TOP, _LEGEND = 15, 2, 190, 44, 34
_SHADES = (
    (0.10, "#d9ecef", "bis 10 %"),
    (0.25, "#9fd0d8", "bis 25 %"),
    (0.50, "#4fa6b4", "bis 50 %"),
    (1.00, "#0f5868", "bis 100 %"),
)
_OVER, _NOBODY, _EMPTY = "#b3261e", "#c98a1b", "#f1f4f5"


def load_svg(load: YearLoad) -> str:
    """An SVG without scripts or styles; every cell names its figures to whoever hovers or listens."""
    width = _NAMES + len(load.weeks) * (_CELL + _GAP) + 8
    height = _TOP + len(load.names) * (_CELL + _GAP) + _LEGEND + 8
    title = f"Auslastung durch Wartung, {load.first:%d.%m.%Y} bis {load.last:%d.%m.%Y}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label={quoteattr(title)} font-family="sans-serif" font-size="11" fill="#1d262b">'
    )
    parts = [
        head,
        f"<title>{escape(title)}</title>",
        *_weeks(load),
    ]
    for line, (technician, name) in enumerate(load.names.items()):
        y = _TOP + line * (_CELL + _GAP)
        parts.append(f'<text x="0" y="{y + 12}">{escape(_short(name))}</text>')
        for column, week in enumerate(load.weeks):
            cell = load.cells.get((technician, week))
            x = _NAMES + column * (_CELL + _GAP)
            parts.append(_cell(x, y, name, week, cell))
    parts += [*_legend(_TOP + len(load.names) * (_CELL + _GAP) + 18), "</svg>"]
    return "\n".join(parts)


def _weeks(load: YearLoad) -> list[str]:
    """Week numbers above every second column, the year where it begins."""
    parts = []
    for column, (year, week) in enumerate(load.weeks):
        x = _NAMES + column * (_CELL + _GAP)
        if column == 0 or week == 1:
            parts.append(f'<text x="{x}" y="14" font-weight="bold">{year}</text>')
        if week % 2 == 1 or column == 0:
            parts.append(f'<text x="{x + _CELL // 2}" y="34" text-anchor="middle" font-size="9">{week}</text>')
    return parts


def _cell(x: int, y: int, name: str, week: tuple[int, int], cell: WeekLoad | None) -> str:
    box = f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="2" '
    if cell is None:
        return f'{box}class="empty" fill="{_EMPTY}"/>'
    hours = f"{cell.minutes // 60}:{cell.minutes % 60:02d} Std."
    share = f", {round(cell.share * 100)} % der Woche" if cell.technician_id is not None else ""
    said = f"{name}, KW {week[1]}/{week[0]}: {cell.dates} Termine, {hours}{share}"
    return f'{box}fill="{colour_of(cell)}"><title>{escape(said)}</title></rect>'


def colour_of(cell: WeekLoad) -> str:
    """The colour of a cell by its share of the week."""
    if cell.technician_id is None:
        return _NOBODY
    return next((colour for limit, colour, _ in _SHADES if cell.share <= limit), _OVER)


def _legend(y: int) -> list[str]:
    parts, x = [], _NAMES
    for colour, text in (*((colour, text) for _, colour, text in _SHADES), (_OVER, "überbucht"), (_NOBODY, "ohne Techniker")):
        parts.append(f'<rect x="{x}" y="{y}" width="11" height="11" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{x + 16}" y="{y + 10}" font-size="10">{text}</text>')
        x += 34 + 6 * len(text)
    return parts


def _short(name: str) -> str:
    return name if len(name) <= 30 else name[:29] + "…"
