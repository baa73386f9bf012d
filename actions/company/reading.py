"""From bytes to records, in bounded memory: UTF-8, RFC 4180 quoting, comma or semicolon, BOM and CRLF allowed.

One file is read once, line by line; its SHA-256 is taken on the way, so what was checked is what was hashed. Whatever is
no CSV (a workbook, a picture, a gigabyte without a line end) ends in a `FileFaultError` that says where and what to do.
"""

import csv
import hashlib
import stat
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from actions.company.findings import WHOLE_FILE, WHOLE_LINE

LINE_LIMIT = 1 << 20
"""Bytes of one physical line."""
RECORD_LIMIT = 4 << 20
"""Characters of one record, line breaks inside fields included."""
FIELD_LIMIT = 100_000
"""Characters of one field; below the 131,072 at which the csv module itself gives up."""
COLUMN_LIMIT = 200

_BOM = b"\xef\xbb\xbf"
_MAGIC = (
    (b"PK\x03\x04", "eine Excel- oder ZIP-Datei"),
    (b"\xd0\xcf\x11\xe0", "eine alte Excel-Arbeitsmappe"),
    (b"%PDF", "ein PDF"),
    (b"\xff\xfe", "in UTF-16 gespeichert"),
    (b"\xfe\xff", "in UTF-16 gespeichert"),
)
_SAVE_AS = "Speichern Sie sie als »CSV UTF-8 (durch Trennzeichen getrennt)«"


class FileFaultError(Exception):
    """The file cannot be read on from this line."""

    def __init__(self, line: int, text: str, column: str = WHOLE_FILE) -> None:
        super().__init__(text)
        self.line = line
        self.text = text
        self.column = column


class _Lines:
    """Physical lines of a file as text. Knows where it is, and refuses what would not fit into memory."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self.sha256 = hashlib.sha256()
        self.count = 0
        self.offset = 0
        self.record_size = 0
        self.record_line = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LINE_LIMIT + 1)
        if not raw:
            raise StopIteration
        self.count += 1
        if self.count == 1:
            raw = self._first(raw)
        if b"\0" in raw:
            place = self.offset + raw.index(b"\0")
            raise FileFaultError(self.count, f"Nullbyte an Byte {place}: das ist keine Textdatei. {_SAVE_AS}.", WHOLE_LINE)
        if len(raw) > LINE_LIMIT:
            raise FileFaultError(
                self.count,
                f"Zeile ist länger als {LINE_LIMIT:,} Bytes; fehlt ein Zeilenende oder ein Anführungszeichen?".replace(
                    ",", "."
                ),
                WHOLE_LINE,
            )
        text = self._decoded(raw)
        self.sha256.update(raw)
        self.offset += len(raw)
        self._on_bytes(len(raw))
        self.record_size += len(text)
        if self.record_size > RECORD_LIMIT:
            text = "Satz nimmt kein Ende; vermutlich fehlt hier ein schließendes Anführungszeichen."
            raise FileFaultError(self.record_line, text, WHOLE_LINE)
        return text

    def _first(self, raw: bytes) -> bytes:
        for magic, what in _MAGIC:
            if raw.startswith(magic):
                raise FileFaultError(1, f"Datei ist {what}, keine CSV-Datei. {_SAVE_AS}.")
        if raw.startswith(_BOM):
            self.sha256.update(_BOM)
            self.offset = len(_BOM)
            return raw[len(_BOM) :]
        return raw

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            place, byte = self.offset + error.start, raw[error.start]
            text = f"Byte {place} (0x{byte:02X}) ist kein UTF-8, erlaubt ist nur UTF-8. {_SAVE_AS}."
            raise FileFaultError(self.count, text, WHOLE_LINE) from None


class Records:
    """The records of one CSV file: first `header`, then `rows()`."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None] = lambda _size: None) -> None:
        self._lines = _Lines(file, on_bytes)
        first = next(self._lines, None)
        if first is None or not first.strip():
            raise FileFaultError(1, "Kopfzeile fehlt; die erste Zeile nennt die Spalten.")
        delimiter = ";" if first.count(";") > first.count(",") else ","
        self._reader = csv.reader(chain([first], self._lines), delimiter=delimiter, strict=True)
        header = self._record()
        if header is None or len(header) > COLUMN_LIMIT:
            raise FileFaultError(1, f"Kopfzeile hat {len(header or ())} Spalten, erlaubt sind höchstens {COLUMN_LIMIT}.")
        self.header = [name.strip() for name in header]

    @property
    def sha256(self) -> str:
        """Of the bytes read so far; of the file once `rows()` is exhausted."""
        return self._lines.sha256.hexdigest()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the number of its first line. Lines without any content are no records."""
        while True:
            line = self._lines.record_line = self._lines.count + 1
            self._lines.record_size = 0
            record = self._record()
            if record is None:
                return
            if any(record):
                yield line, record

    def _record(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise FileFaultError(self._lines.record_line, _german(str(error)), WHOLE_LINE) from None


def _german(reason: str) -> str:
    if "field limit" in reason:
        return f"Feld ist länger als {FIELD_LIMIT} Zeichen; fehlt ein schließendes Anführungszeichen?"
    if "unexpected end" in reason:
        return 'Anführungszeichen wird nicht geschlossen; ein " im Text wird verdoppelt ("").'
    if "new-line character" in reason:
        return "Wagenrücklauf (CR) ohne Zeilenvorschub; erlaubt sind die Zeilenenden LF und CRLF."
    return 'nach dem schließenden Anführungszeichen steht noch Text; ein " im Text wird verdoppelt ("").'


def open_company_file(path: Path) -> BinaryIO:
    """Open one file of the folder.

    Raises:
        FileFaultError: it is no ordinary file, or may not be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileFaultError(1, "ist keine gewöhnliche Datei (Ordner, Gerät oder Pipe); erlaubt ist eine CSV-Datei.")
        return path.open("rb")
    except OSError as error:
        raise FileFaultError(1, f"lässt sich nicht lesen ({error.strerror}); prüfen Sie Rechte und Verknüpfungen.") from None
