"""EDIFACT as such: service characters, charset, segments, interchange and messages (ISO 9735, syntax 1 to 4).

Knows no message type. A segment keeps its number in the file, so that every fault can name its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from integrations import charset
from integrations.charset import CharsetError, clean
from integrations.despatch.limits import MAX_SEGMENTS
from integrations.despatch.types import DespatchError

_CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso-8859-1", "UNOD": "iso-8859-2", "UNOE": "iso-8859-5", "UNOF": "iso-8859-7",
    "UNOG": "iso-8859-3", "UNOH": "iso-8859-4", "UNOI": "iso-8859-6", "UNOJ": "iso-8859-8", "UNOK": "iso-8859-9",
    "UNOW": "utf-8", "UNOY": "utf-8",
}  # fmt: skip
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}(?:UNA.{6}\s*UN[BH]|UNB[^A-Za-z0-9]UNO[A-Z]|UNH[^A-Za-z0-9])", re.DOTALL)
_SYNTAX_ID = re.compile(rb"UNB.(UNO[A-Z])", re.DOTALL)
_NOT_BLANK = re.compile(r"\S")
_MARKS = "\x01\x02\x03\x04"
_MARKED = re.compile("[\x01-\x04]")
REMEDY = "Bitte fordern Sie die Datei beim Lieferanten neu an."


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its tag and its elements, each a list of components. Missing ones read as empty."""

    tag: str
    elements: list[list[str]]
    number: int
    """Counted from 1 over the file, UNA not counted."""

    def get(self, element: int, component: int = 0) -> str:
        """Cleaned component; `element` 1 is the first after the tag."""
        if element - 1 >= len(self.elements) or component >= len(self.elements[element - 1]):
            return ""
        return clean(self.elements[element - 1][component])

    def composite(self, element: int) -> list[str]:
        """All components of an element, cleaned."""
        return [clean(part) for part in self.elements[element - 1]] if element - 1 < len(self.elements) else []

    @property
    def place(self) -> str:
        """For messages to people."""
        return f"Segment {self.number} ({self.tag})"


Bare = tuple[int, str]
"""Number and text of a segment not yet taken apart: a large file is held in this shape only."""


@dataclass(slots=True)
class Message:
    """From UNH to UNT, both included; iterating takes the segments apart one by one."""

    service: "Service"
    bare: list[Bare]
    application: str = ""
    """UNB application reference: what the sender says the interchange is about."""

    def __iter__(self) -> Iterator[Segment]:
        return (_segment(found, self.service) for found in self.bare)

    @property
    def head(self) -> Segment:
        """UNH."""
        return _segment(self.bare[0], self.service)

    @property
    def type(self) -> str:
        """DESADV, ORDERS and so on."""
        return self.head.get(2).upper()


@dataclass(slots=True)
class Interchange:
    """All messages of a file, whichever interchange they came in."""

    messages: list[Message] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Service:
    """Service characters of an interchange."""

    component: str = ":"
    element: str = "+"
    release: str = "?"
    terminator: str = "'"


def is_edifact(raw: bytes) -> bool:
    """Whether the file starts as EDIFACT does."""
    return _START.match(raw[:2048]) is not None


def read(raw: bytes) -> Interchange:
    """Take a file apart.

    Raises:
        DespatchError: unreadable charset, no segments, cut off.
    """
    found = _SYNTAX_ID.search(raw[:2048])
    declared = _CHARSETS.get(found[1].decode("ascii"), "") if found else ""
    try:
        text, hints = charset.decode(raw, declared)
    except CharsetError as fault:
        raise DespatchError(f"{fault} {REMEDY}") from fault
    result = Interchange(hints=hints)
    _group(result, text)
    if not result.messages:
        raise DespatchError(f"Die Datei enthält keine EDIFACT-Nachricht (UNH). {REMEDY}")
    return result


def segments(text: str) -> Iterator[Segment]:
    """All segments of a text.

    Raises:
        DespatchError: the text ends within a segment, or a tag is none.
    """
    return (_segment(found, service) for service, found in _bare(text))


def _bare(text: str) -> Iterator[tuple[Service, Bare]]:
    """Segments of a text that may hold several interchanges, each with service characters of its own."""
    number, at = 0, _skip_blank(text, 0)
    while at < len(text):
        service, at = _service(text, at)
        end = _end_of_interchange(text, at, service)
        body = _protect(text[at:end], service)
        at, start = _skip_blank(text, end), 0
        while (stop := body.find(service.terminator, start)) >= 0:
            chunk = body[start:stop].lstrip()
            start = stop + 1
            if chunk:
                number += 1
                if number > MAX_SEGMENTS:
                    raise DespatchError(
                        f"Die Datei hat mehr als {MAX_SEGMENTS} Segmente. Bitte lassen Sie sie vom Lieferanten teilen."
                    )
                yield service, (number, chunk)
        if rest := body[start : start + 1000].strip():
            raise DespatchError(
                f"Nach Segment {number} bricht die Datei mitten in einem Segment ab (»{clean(rest)[:30]}«). {REMEDY}"
            )


def _skip_blank(text: str, at: int) -> int:
    found = _NOT_BLANK.search(text, at)
    return found.start() if found else len(text)


def _service(text: str, at: int) -> tuple[Service, int]:
    """Service characters of UNA, else those that UNB itself shows, and where the segments begin."""
    head = text[at : at + 9]
    if head.startswith("UNA") and len(head) == 9:
        component, element, _, release, _, terminator = tuple(head[3:])
        if len({component, element, terminator}) < 3 or any(char.isalnum() for char in (component, element, terminator)):
            raise DespatchError(f"UNA: Die Trennzeichen »{clean(head[3:])}« sind nicht eindeutig. {REMEDY}")
        if release in (" ", component, element, terminator) or release.isalnum():
            release = ""  # a blank means that the sender has no release character
        return Service(component, element, release, terminator), at + 9
    if head.startswith("UNB\x1d"):
        return Service("\x1f", "\x1d", "", "\x1c"), at
    if head.startswith(("UNB", "UNH", "UNG")):
        return Service(), at
    raise DespatchError(f"Nach dem Ende der Übertragung folgt Unlesbares (»{clean(text[at : at + 60])[:30]}«). {REMEDY}")


def _end_of_interchange(text: str, at: int, service: Service) -> int:
    """Where this interchange ends because another one with its own header follows; else the end of the text."""
    end = re.escape(service.terminator)
    found = re.compile(rf"UNZ[^{end}]{{0,100}}{end}[ \r\n]{{0,8}}(?=UN[AB])").search(text, at)
    return found.end() if found else len(text)


def _protect(text: str, service: Service) -> str:
    """Line breaks out (they only wrap), released service characters as marks that no splitting sees."""
    for drop in _MARKS + "\r\n":
        if drop != service.terminator:
            text = text.replace(drop, "")
    if not service.release or service.release not in text:
        return text
    special = dict(zip((service.component, service.element, service.release, service.terminator), _MARKS, strict=True))
    return re.sub(re.escape(service.release) + "(.)", lambda hit: special.get(hit[1], hit[1]), text, flags=re.DOTALL)


def _segment(found: Bare, service: Service) -> Segment:
    number, chunk = found
    head, *elements = chunk.split(service.element)
    tag = head.split(service.component)[0].strip()
    if not _TAG.fullmatch(tag):
        raise DespatchError(f"Segment {number}: »{clean(tag)[:20]}« ist kein EDIFACT-Segment. {REMEDY}")
    parts = [element.split(service.component) for element in elements]
    if _MARKED.search(chunk):
        plain = (service.component, service.element, service.release, service.terminator)
        back = str.maketrans(dict(zip(_MARKS, plain, strict=True)))
        parts = [[part.translate(back) for part in element] for element in parts]
    return Segment(tag, parts, number)


def _group(result: Interchange, text: str) -> None:
    opened: Segment | None = None
    message: Message | None = None
    application = ""
    for service, found in _bare(text):
        tag = found[1][:3]
        if message is not None and tag not in ("UNH", "UNT", "UNB"):
            message.bare.append(found)
            continue
        segment = _segment(found, service)
        if segment.tag == "UNB":
            if opened is not None or message is not None:
                raise DespatchError(f"{segment.place}: Die Übertragung davor ist nicht abgeschlossen (UNZ fehlt). {REMEDY}")
            opened, application = segment, segment.get(7)
        elif segment.tag == "UNH":
            if message is not None:
                raise DespatchError(f"{segment.place}: Die Nachricht davor ist nicht abgeschlossen (UNT fehlt). {REMEDY}")
            message = Message(service, [found], application)
        elif segment.tag == "UNT":
            if message is None:
                raise DespatchError(f"{segment.place}: Ende einer Nachricht ohne Anfang (UNH). {REMEDY}")
            _close(result, message, found)
            message = None
        elif segment.tag == "UNZ":
            opened = None
        elif segment.tag not in ("UNG", "UNE"):
            raise DespatchError(f"{segment.place}: Das Segment steht außerhalb einer Nachricht. {REMEDY}")
    if message is not None or opened is not None:
        missing = "UNT" if message is not None else "UNZ"
        raise DespatchError(f"Die Datei ist abgeschnitten: Das Ende ({missing}) fehlt. {REMEDY}")


def _close(result: Interchange, message: Message, found: Bare) -> None:
    message.bare.append(found)
    end = _segment(found, message.service)
    told, count, reference = end.get(1), len(message.bare), message.head.get(1)
    if told.isascii() and told.isdigit() and told.lstrip("0")[:9] != str(count):
        result.hints.append(f"{end.place} nennt {told[:9]} Segmente, gelesen sind {count}; bitte auf Vollständigkeit prüfen.")
    if end.get(2) != reference:
        result.hints.append(f"{end.place}: Die Nachrichtennummer {end.get(2)[:20]} passt nicht zum Anfang ({reference[:20]}).")
    result.messages.append(message)
