"""XML from strangers, read line by line: no entities, no DTD, no network, memory bound by one line and the head.

The charset is settled before (`integrations.charset`); libxml2 gets UTF-8 only, so no declaration can mislead it.
"""

import codecs
import re
from collections.abc import Iterator
from typing import cast

from lxml import etree

from integrations import charset
from integrations.charset import CHUNK, Charset, CharsetError, clean
from integrations.despatch.limits import MAX_PART_BYTES
from integrations.despatch.types import DespatchError

FEED = 1 << 16
_PROLOG = 1 << 20
_DECLARED = re.compile(r"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{1,60})[\"']")
_NAME = re.compile(r"<([^\s<>/!?=\"'&;]{1,200})")
_REMEDY = "Bitte fordern Sie die Datei beim Lieferanten neu an."
_FAULTS = (
    ("extra content at the end", "Nach dem Ende des Dokuments folgt weiterer Inhalt"),
    ("opening and ending tag mismatch", "Anfang und Ende eines Elements passen nicht zusammen"),
    ("excessive depth", "Die Elemente sind zu tief verschachtelt"),
    ("too long", "Ein Textblock ist zu groß"),
    ("entity", "Eine Textersetzung (Entity) ist nicht erklärt oder nicht erlaubt"),
    ("not allowed", "Ein Zeichen ist hier nicht erlaubt"),
    ("pcdata invalid char", "Ein Steuerzeichen ist im Text nicht erlaubt"),
    ("namespace prefix", "Ein Namensraum ist nicht erklärt"),
    ("attribute", "Ein Attribut ist fehlerhaft"),
)


class XmlFile:
    """The bytes of an XML file with its settled charset and the name of its root element."""

    def __init__(self, raw: bytes) -> None:
        """Raises: DespatchError for an unreadable charset, a DTD, or no root element."""
        self._raw = raw
        try:
            self._charset = charset.choose(raw, _declared(raw))
        except CharsetError as fault:
            raise DespatchError(f"{fault} {_REMEDY}") from fault
        self.hints = [self._charset.hint] if self._charset.hint else []
        self.root_name = _root_name(self._head())

    def _head(self) -> str:
        return self._raw[self._charset.skip : self._charset.skip + _PROLOG].decode(self._charset.name, "ignore")

    def lines(self, tag: str) -> Iterator[etree._Element]:
        """Each element named `tag` (any namespace) when it is complete, and last the root with all that is not such a line.

        Raises:
            DespatchError: not well-formed, cut off, or a part too large.
        """
        parser = etree.XMLPullParser(
            events=("end",),
            tag=f"{{*}}{tag}",
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            recover=False,
        )
        since, complete = 0, False
        try:
            for piece in _utf8(self._raw, self._charset):
                parser.feed(piece)
                since += len(piece)
                for _, element in cast("Iterator[tuple[str, etree._Element]]", parser.read_events()):  # noqa: SLF001 - lxml names its element so
                    since = 0
                    yield element
                    _forget(element, tag)
                if since > MAX_PART_BYTES:
                    raise _too_large(tag)
            complete = True
            root = parser.close()
        except etree.XMLSyntaxError as fault:
            raise _syntax(parser, cut_off=complete) from fault
        yield root


def local(element: etree._Element) -> str:
    """The element's name without namespace; empty for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def kids(element: etree._Element | None) -> dict[str, list[etree._Element]]:
    """Child elements by local name."""
    found: dict[str, list[etree._Element]] = {}
    if element is not None:
        for child in element:
            found.setdefault(local(child), []).append(child)
    return found


def find_all(element: etree._Element | None, *path: str) -> list[etree._Element]:
    """All elements at a path of local names."""
    here = [] if element is None else [element]
    for name in path:
        tag = "{*}" + name
        here = [child for parent in here for child in parent.iterchildren(tag)]
    return here


def find(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element at a path of local names."""
    found = find_all(element, *path)
    return found[0] if found else None


def text(element: etree._Element | None) -> str:
    """Own text, cleaned; comments inside do not cut it."""
    if element is None:
        return ""
    own = element.text or ""
    if len(element):
        own += "".join(child.tail or "" for child in element)
    return clean(own)


def text_at(element: etree._Element | None, *path: str) -> str:
    """Text of the first filled element at a path; an empty tag counts as missing."""
    return next((value for value in map(text, find_all(element, *path)) if value), "")


def texts_at(element: etree._Element | None, *path: str) -> list[str]:
    """All filled texts at a path."""
    return [value for value in map(text, find_all(element, *path)) if value]


def _declared(raw: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(mark):
            start = raw[2:1024].decode(name, "ignore")
            break
    else:
        start = raw.removeprefix(codecs.BOM_UTF8)[:512].decode("ascii", "ignore")
    found = _DECLARED.match(start)
    return found[1] if found else ""


def _root_name(head: str) -> str:
    """Walk the prolog up to the first element; a DOCTYPE ends it."""
    at = 0
    while True:
        while at < len(head) and head[at] in " \t\r\n\ufeff":
            at += 1
        if head.startswith("<?", at):
            end = head.find("?>", at)
            step = 2
        elif head.startswith("<!--", at):
            end = head.find("-->", at + 4)
            step = 3
        elif head.startswith("<!", at):
            line = head.count("\n", 0, at) + 1
            raise DespatchError(
                f"Zeile {line}: Die Datei bringt eine Dokumenttyp-Erklärung (DOCTYPE) mit. Aus Sicherheitsgründen wird "
                "sie nicht gelesen. "
                "Bitte lassen Sie das Lieferavis vom Lieferanten ohne DOCTYPE senden."
            )
        else:
            found = _NAME.match(head, at)
            if not found:
                raise DespatchError(f"Zeile {head.count(chr(10), 0, at) + 1}: Das XML hat kein Wurzelelement. {_REMEDY}")
            return found[1].rpartition(":")[2]
        if end < 0:
            raise DespatchError(f"Die Datei bricht vor dem ersten Element ab. {_REMEDY}")
        at = end + step


def _utf8(raw: bytes, chosen: Charset) -> Iterator[bytes]:
    if chosen.name == "utf-8":
        view = memoryview(raw)
        for start in range(chosen.skip, len(raw), FEED):
            yield bytes(view[start : start + FEED])
        return
    decoder = codecs.getincrementaldecoder(chosen.name)("replace")
    for start in range(chosen.skip, len(raw), CHUNK):
        yield decoder.decode(raw[start : start + CHUNK], start + CHUNK >= len(raw)).encode("utf-8", "replace")


def _forget(element: etree._Element, tag: str) -> None:
    """Free a read line and the ones before it; the element itself stays until the parser is past its tail."""
    element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs lag behind lxml
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None and local(before) in (tag, ""):
        parent.remove(before)


def _too_large(tag: str) -> DespatchError:
    return DespatchError(
        f"Zwischen zwei Positionen ({tag}) stehen mehr als {MAX_PART_BYTES // 1_048_576} MB. "
        "Das ist kein Lieferavis; bitte lassen Sie es vom Lieferanten ohne Anhänge senden."
    )


def _syntax(parser: etree.XMLPullParser, *, cut_off: bool) -> DespatchError:
    """By the first entry of the parser's log; all that shows only at the end of the bytes is a file cut off."""
    log = parser.feed_error_log
    first = next(iter(log), None)
    told = str(first.message).lower() if first is not None else ""
    what = next((german for english, german in _FAULTS if english in told), "Das XML ist fehlerhaft")
    if cut_off and "entity" not in told:
        what = "Die Datei bricht hier ab"
    place = f"Zeile {first.line}, Spalte {first.column}: " if first is not None else ""
    return DespatchError(f"{place}{what}. {_REMEDY}")
