"""Lists of suppliers as CSV: with the supplier's own mapping, else by the usual German and English titles."""

import csv
import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from integrations import charset
from integrations.charset import CharsetError, clean
from integrations.despatch.collect import Draft
from integrations.despatch.csvtitles import ALIASES, guess_delimiter, normal, physical_lines
from integrations.despatch.kinds import SUPPORTED
from integrations.despatch.types import CsvMapping, DespatchAdvice, DespatchError, DespatchLine, Package
from integrations.despatch.values import gtin, ident, soft_quantity

_ARTICLES = ("supplier_article", "our_product", "ean")
_HEADER_ROWS = 30
_DATE_FORMATS = ("%d.%m.%Y", "%Y-%m-%d", "%d.%m.%y", "%Y%m%d")
_FIELD_LIMIT = 1_000_000
_REMEDY = "Bitte prüfen Sie die Datei und die Zuordnung des Lieferanten."


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    line: int
    """Physical line in the file on which the row ends."""


def read_all(raw: bytes, mapping: CsvMapping | None) -> list[DespatchAdvice]:
    """Every delivery note of a list as an advice of its own, in order of appearance.

    Raises:
        DespatchError: with line, fault and remedy.
    """
    try:
        text, hints = charset.decode(raw, mapping.encoding if mapping else "")
    except CharsetError as fault:
        raise DespatchError(f"{fault} Bitte lassen Sie die Liste als UTF-8 oder Windows-1252 speichern.") from fault
    reader = _Reader(mapping, hints)
    return reader.read(_rows(text, mapping.delimiter if mapping else ""))


def _rows(text: str, delimiter: str) -> Iterator[_Row]:
    delimiter = delimiter or guess_delimiter(text)
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise DespatchError(
            f"Zuordnung: »{delimiter[:10]}« ist kein Trennzeichen. Bitte tragen Sie in der Zuordnung genau ein Zeichen ein."
        )
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        reader = csv.reader(physical_lines(text), delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as fault:
                raise _broken(fault, reader.line_num) from fault
            if any(cell.strip() for cell in cells):
                yield _Row([clean(cell) for cell in cells], reader.line_num)
    finally:
        csv.field_size_limit(before)


def _broken(fault: csv.Error, line: int) -> DespatchError:
    told = str(fault)
    what = "Ein Feld ist fehlerhaft in Anführungszeichen gesetzt"
    if "unexpected end" in told:
        what = "Die Datei bricht in einem Feld mit Anführungszeichen ab"
    elif "field limit" in told:
        what = "Ein Feld ist länger als eine Million Zeichen"
    return DespatchError(f"Zeile {line}: {what}. Bitte fordern Sie die Liste beim Lieferanten neu an.")


class _Reader:
    """One list."""

    def __init__(self, mapping: CsvMapping | None, hints: list[str]) -> None:
        self._mapping = mapping
        self._hints = hints
        self._columns: dict[str, int] = {}
        self._width = 0
        self._drafts: dict[str, Draft] = {}
        self._bare: list[_Row] = []

    def read(self, rows: Iterator[_Row]) -> list[DespatchAdvice]:
        self._find_header(rows)
        found = False
        for row in rows:
            found = True
            self._take(row)
        if not found:
            raise DespatchError(
                "Die Liste enthält nach der Kopfzeile keine Zeilen. Bitte fordern Sie sie beim Lieferanten neu an.",
                supplier_fault=True,
            )
        self._place_bare()
        if not self._drafts:
            raise DespatchError(
                f"Die Liste enthält keine lesbare Position. {' '.join(self._hints[:3])} "
                "Bitte fordern Sie sie beim Lieferanten neu an.",
                supplier_fault=True,
            )
        for draft in self._drafts.values():
            draft.hints[:0] = self._hints
        return [draft.finish() for draft in self._drafts.values()]

    def _find_header(self, rows: Iterator[_Row]) -> None:
        best: tuple[int, dict[str, int], _Row] | None = None
        for seen, row in enumerate(rows):
            columns = self._match(row.cells)
            if not self._missing(columns):
                self._columns, self._width = columns, len(row.cells)
                return
            if best is None or len(columns) > best[0]:
                best = (len(columns), columns, row)
            if seen + 1 >= _HEADER_ROWS:
                break
        raise self._no_header(best)

    def _match(self, cells: list[str]) -> dict[str, int]:
        titles: dict[str, int] = {}
        for index, cell in enumerate(cells):
            titles.setdefault(normal(cell), index)
        if self._mapping is not None:
            wanted = {name: normal(title) for name, title in self._mapping.columns.items() if title.strip()}
            return {name: titles[title] for name, title in wanted.items() if title in titles}
        found: dict[str, int] = {}
        for name, aliases in ALIASES.items():
            for alias in aliases:
                if alias in titles:
                    found[name] = titles[alias]
                    break
        return found

    def _missing(self, columns: dict[str, int]) -> list[str]:
        if self._mapping is not None:
            titles = [title for name, title in self._mapping.columns.items() if title.strip() and name not in columns]
            known = {name for name, title in self._mapping.columns.items() if title.strip()}
        else:
            titles, known = [], set(columns)
        needed = (("delivery_note", "Lieferscheinnummer"), ("quantity", "Menge"))
        names = [german for name, german in needed if name not in known]
        names += [] if known & set(_ARTICLES) else ["Artikelnummer (des Lieferanten, unsere oder EAN)"]
        return [f"»{title}«" for title in titles] + names

    def _no_header(self, best: tuple[int, dict[str, int], _Row] | None) -> DespatchError:
        if best is None or (best[0] == 0 and self._mapping is None):
            return DespatchError(f"Der Inhalt ist kein Lieferavis, das gelesen werden kann. Erwartet wird {SUPPORTED}.")
        _, columns, row = best
        titles = ", ".join(cell[:30] for cell in row.cells[:15] if cell)
        return DespatchError(
            f"Zeile {row.line}: In der Kopfzeile fehlen: {', '.join(self._missing(columns))[:400]} (gefunden: "
            f"{titles[:400]}). {_REMEDY}"
        )

    def _cell(self, row: _Row, name: str) -> str:
        index = self._columns.get(name, -1)
        return row.cells[index] if 0 <= index < len(row.cells) else ""

    def _take(self, row: _Row) -> None:
        place = f"Zeile {row.line}"
        if any(row.cells[self._width :]):
            raise DespatchError(
                f"{place}: Die Zeile hat {len(row.cells)} Felder, die Kopfzeile {self._width}. "
                "Vermutlich steht das Trennzeichen in einem Text ohne Anführungszeichen. Bitte lassen Sie die Liste "
                "berichtigen.",
                supplier_fault=True,
            )
        told = [any(self._cell(row, name) for name in names) for names in (_ARTICLES, ("delivery_note",), ("quantity",))]
        if sum(told) < 2:  # a total, a remark: of article, delivery note and quantity a position names at least two
            self._hints.append(f"{place}: Keine Position erkannt und nicht übernommen (»{' '.join(row.cells)[:80].strip()}«).")
            return
        note = ident(self._cell(row, "delivery_note"), place, "Die Lieferscheinnummer")
        if note:
            self._line(self._drafts.setdefault(note, Draft("csv", note)), row)
        else:
            self._bare.append(row)

    def _place_bare(self) -> None:
        """Rows without a delivery note belong to the only one of the list; with several nobody can say which."""
        if not self._bare:
            return
        if len(self._drafts) != 1:
            raise DespatchError(
                f"Zeile {self._bare[0].line}: Die Lieferscheinnummer fehlt. Bitte lassen Sie die Liste vom Lieferanten "
                "berichtigen.",
                supplier_fault=True,
            )
        draft = next(iter(self._drafts.values()))
        draft.hint(
            f"{len(self._bare)} Zeilen ohne Lieferscheinnummer sind dem einzigen Lieferschein {draft.delivery_note} zugeordnet."
        )
        for row in self._bare:
            self._line(draft, row)
        draft.lines.sort(key=lambda line: int(line.place.removeprefix("Zeile ")))
        draft.lines = [dataclasses.replace(line, number=str(number)) for number, line in enumerate(draft.lines, 1)]

    def _line(self, draft: Draft, row: _Row) -> None:
        place = f"Zeile {row.line}"
        ean = self._cell(row, "ean")
        if ean and not gtin(ean):
            draft.hint(f"{place}: »{ean[:40]}« ist keine GTIN und wurde nicht übernommen.")
        package = ident(self._cell(row, "package"), place, "Die Packstücknummer")
        if package:
            draft.package(Package(package))
        self._date(draft, self._cell(row, "date"), place)
        draft.add(
            DespatchLine(
                number=str(len(draft.lines) + 1),
                quantity=self._quantity(self._cell(row, "quantity"), place),
                unit=self._cell(row, "unit"),
                supplier_article=ident(self._cell(row, "supplier_article"), place, "Die Artikelnummer"),
                our_product=ident(self._cell(row, "our_product"), place, "Unsere Artikelnummer"),
                ean=gtin(ean),
                text=self._cell(row, "text"),
                serials=tuple(ident(serial, place, "Die Seriennummer") for serial in self._serials(self._cell(row, "serials"))),
                batch=self._cell(row, "batch"),
                order_number=ident(self._cell(row, "order"), place, "Die Bestellnummer"),
                order_line=ident(self._cell(row, "order_line"), place, "Die Bestellposition"),
                packages=(package,) if package else (),
                place=place,
            )
        )

    def _serials(self, told: str) -> list[str]:
        own = self._mapping.serial_separator if self._mapping else ""
        for separator in [own] if own else [",", ";", "|"]:
            told = told.replace(separator, "\n")
        return [serial for part in told.split("\n") if (serial := clean(part))]

    def _date(self, draft: Draft, told: str, place: str) -> None:
        if not told:
            return
        forms = (self._mapping.date_format,) if self._mapping else _DATE_FORMATS
        for form in forms:
            try:
                found = dt.datetime.strptime(told, form).date()  # noqa: DTZ007 - a calendar day as written
            except (ValueError, re.error):
                continue
            if draft.despatched_on not in (None, found):
                draft.hint(f"{place}: Das Datum {told[:20]} weicht vom ersten der Liste ab; übernommen ist das erste.")
            draft.despatched_on = draft.despatched_on or found
            return
        draft.hint(f"{place}: »{told[:40]}« ist kein Datum und wurde nicht übernommen.")

    def _quantity(self, told: str, place: str) -> Decimal:
        mark = self._mapping.decimal if self._mapping else ""
        value = told.replace("\u2019", "").replace(" ", "")
        found = _with_mark(value, mark) if mark else _without_mark(value, place)
        if found is None:
            reason = "fehlt" if not told else f"»{told[:40]}« ist keine Zahl ab 0"
            raise DespatchError(f"{place}: Die Menge {reason}. {_REMEDY}", supplier_fault=not told)
        return found


def _with_mark(value: str, mark: str) -> Decimal | None:
    """By the mapping's decimal mark; the other mark groups thousands and must stand where it does so."""
    other = "." if mark == "," else ","
    if other in value:
        if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(other)}\d{{3}})+(?:{re.escape(mark)}\d+)?", value, re.ASCII):
            return None
        value = value.replace(other, "")
    return soft_quantity(value.replace(mark, "."))


def _without_mark(value: str, place: str) -> Decimal | None:
    """Without a mapping only what can be read in one way."""
    if re.fullmatch(r"\d{1,3}[.,]\d{3}", value, re.ASCII) and not value.startswith("0"):
        raise DespatchError(
            f"{place}: Die Menge »{value}« ist mehrdeutig (Tausender oder Nachkommastellen). "
            "Bitte legen Sie für den Lieferanten eine Zuordnung mit Dezimalzeichen an."
        )
    if "," in value and "." in value:
        return _with_mark(value, "," if value.rfind(",") > value.rfind(".") else ".")
    return soft_quantity(value)
