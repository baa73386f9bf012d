"""Which characters the bytes of a foreign file stand for.

A sender's word on the charset (XML declaration, UNB, mapping) is taken when the bytes bear it out. When they do not, the
charset that fits is taken and a German hint says so: an umlaut in a description must not hold up a delivery, and nobody
should have to guess later why it looks odd. Bytes that fit nothing are refused with their place.
"""

import codecs
import re
from dataclasses import dataclass

CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALLOWED = {
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp1251", "cp850", "cp437", "koi8-r",
    *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
}  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ufeff\ufffe\uffff\u200b\u200e\u200f\u2028-\u202e]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class CharsetError(ValueError):
    """No known charset fits these bytes; the German sentence names the place."""


@dataclass(frozen=True, slots=True)
class Charset:
    """The charset to read with.

    Attributes:
        name: Python codec name.
        skip: bytes of the byte order mark, not part of the text.
        hint: German sentence when the sender's word did not fit, else empty.
    """

    name: str
    skip: int = 0
    hint: str = ""


def choose(raw: bytes, declared: str = "") -> Charset:
    """The charset that fits `raw`, `declared` first.

    Raises:
        CharsetError: nothing fits.
    """
    wanted = _normal(declared)
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return _by_mark(raw, mark, name, wanted, declared)
    if declared and wanted not in _ALLOWED:
        found = _fallback(raw)
        return Charset(found, hint=f"Der Zeichensatz »{clean(declared)[:40]}« ist unbekannt; gelesen als {_title(found)}.")
    if wanted.startswith("utf-16"):  # no mark, and the reader found its first letters byte by byte
        found = _fallback(raw)
        return Charset(found, hint=f"Die Datei nennt UTF-16, ist aber keines; gelesen als {_title(found)}.")
    if wanted in ("", "utf-8"):
        return _utf8(raw, told=bool(wanted))
    return _single_byte(raw, wanted, declared)


def decode(raw: bytes, declared: str = "") -> tuple[str, list[str]]:
    """The whole text without byte order mark, and hints.

    Raises:
        CharsetError: nothing fits.
    """
    charset = choose(raw, declared)
    text = raw[charset.skip :].decode(charset.name)
    return text.lstrip("\ufeff"), [charset.hint] if charset.hint else []


def clean(text: str) -> str:
    """`text` trimmed, inner white space as single blanks, without control characters or halves of character pairs."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    if not text.isascii():
        text = _SURROGATES.sub("\ufffd", text).replace("\u00a0", " ")
    return " ".join(_CONTROLS.sub("", text).split())


def _by_mark(raw: bytes, mark: bytes, name: str, wanted: str, declared: str) -> Charset:
    if not fits(raw[len(mark) :], name):
        if name == "utf-8":
            hint = "Die Datei beginnt als UTF-8, enthält aber andere Zeichen; gelesen als Windows-1252. Bitte Umlaute prüfen."
            if fits(raw[len(mark) :], "cp1252"):
                return Charset("cp1252", len(mark), hint)
        raise CharsetError(_broken(raw, len(mark), name))
    same = not wanted or wanted == name or (wanted == "utf-16" and name.startswith("utf-16")) or wanted == "ascii"
    hint = "" if same else f"Die Datei nennt {clean(declared)[:40]}, ist aber {_title(name)}; so gelesen."
    return Charset(name, len(mark), hint)


def _utf8(raw: bytes, *, told: bool) -> Charset:
    if fits(raw, "utf-8"):
        return Charset("utf-8")
    if not fits(raw, "cp1252"):
        raise CharsetError(_broken(raw, 0, "utf-8"))
    if told:
        return Charset(
            "cp1252", hint="Die Datei nennt UTF-8, enthält aber andere Zeichen; gelesen als Windows-1252. Bitte Umlaute prüfen."
        )
    return Charset("cp1252")


def _single_byte(raw: bytes, wanted: str, declared: str) -> Charset:
    """Latin-1 and its kin fit any bytes; text that is also valid UTF-8 beyond ASCII hardly ever is Latin-1."""
    if raw.isascii():
        return Charset(wanted)
    if fits(raw, "utf-8"):
        return Charset("utf-8", hint=f"Die Datei nennt {clean(declared)[:40]}, ist aber UTF-8; so gelesen.")
    if wanted == "ascii":
        if not fits(raw, "cp1252"):
            raise CharsetError(_broken(raw, 0, "ascii"))
        return Charset(
            "cp1252", hint=f"Die Datei nennt {clean(declared)[:40]}, enthält aber Umlaute; gelesen als Windows-1252."
        )
    if wanted == "iso8859-1" and fits(raw, "cp1252"):
        return Charset("cp1252")  # the same, and with the euro sign where Latin-1 has only controls
    if not fits(raw, wanted):
        raise CharsetError(_broken(raw, 0, wanted))
    return Charset(wanted)


def _fallback(raw: bytes) -> str:
    for name in ("utf-8", "cp1252"):
        if fits(raw, name):
            return name
    raise CharsetError(_broken(raw, 0, "utf-8"))


def fits(raw: bytes, name: str) -> bool:
    """Whether all of `raw` is text in `name`; looks at it piece by piece, memory stays flat."""
    return _first_fault(raw, name) < 0


def _first_fault(raw: bytes, name: str) -> int:
    decoder = codecs.getincrementaldecoder(name)()
    view = memoryview(raw)
    for start in range(0, max(len(raw), 1), CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(bytes(view[start : start + CHUNK]), start + CHUNK >= len(raw))
        except UnicodeDecodeError as fault:
            return start - pending + fault.start
    return -1


def _broken(raw: bytes, skip: int, name: str) -> str:
    place = skip + max(_first_fault(raw[skip:], name), 0)
    line = raw.count(b"\n", 0, place) + 1
    return f"Zeile {line}, Byte {place + 1}: Das Zeichen gehört zu keinem bekannten Zeichensatz (erwartet {_title(name)})."


def _normal(declared: str) -> str:
    try:
        return codecs.lookup(declared.strip()).name if declared.strip() else ""
    except (LookupError, ValueError, UnicodeError):
        return "?"


def _title(name: str) -> str:
    return {"utf-8": "UTF-8", "cp1252": "Windows-1252", "ascii": "ASCII"}.get(name, name.upper())
