"""Header fields as bytes on the wire: encoded words (RFC 2047), parameters (RFC 2231), folding (RFC 5322).

Written by hand because the standard library's header folding differs between patch releases and mistakes the comma
between two recipients with German names for a part of the name; a finished mail must read the same for ever.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

from integrations.mail.types import Address, MailContentError

LINE_LIMIT = 76  # RFC 2047: the limit of a line that holds an encoded word
_WORD_PAYLOAD = 48
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")


def checked(text: str, place: str) -> str:
    """The text itself. Raises: MailContentError when it could break out of its header field."""
    if _CONTROL.search(text):
        raise MailContentError(
            f"{place}: {text!r} enthält einen Zeilenumbruch oder ein Steuerzeichen; bitte entfernen, so entsteht keine Mail."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MailContentError(f"{place}: {text!r} enthält ein unvollständiges Zeichen; bitte neu eingeben.") from None
    return text


def checked_address(email: str) -> str:
    """A mail address as it goes over the wire, the domain in its ASCII form.

    Raises: MailContentError for anything else than local-part@domain (no quoted local parts, no umlauts before the @).
    """
    local, at, domain = checked(email, "Mailadresse").rpartition("@")
    labels = [_ascii_label(label) for label in domain.split(".")]
    if not at or not _LOCAL_PART.fullmatch(local) or len(local) > 64 or not all(_LABEL.fullmatch(label) for label in labels):
        raise MailContentError(
            f"Mailadresse {email!r}: das ist keine zustellbare Adresse; erlaubt ist name@domain, vor dem @ ohne Umlaute."
        )
    wire = f"{local}@{'.'.join(labels)}"
    if len(wire) > 254:
        raise MailContentError(f"Mailadresse {email!r}: länger als 254 Zeichen; bitte prüfen.")
    return wire


def _ascii_label(label: str) -> str:
    low = label.lower()
    return low if low.isascii() else "xn--" + low.encode("punycode").decode("ascii")


def _encoded_words(text: str) -> list[str]:
    """Split before a blank where there is one (a report id stays whole), else between two characters."""
    words, payload = [], ""
    for char in text:
        piece = "_" if char == " " else "".join(chr(b) if b in _Q_SAFE else f"={b:02X}" for b in char.encode())
        if payload and len(payload) + len(piece) > _WORD_PAYLOAD:
            cut = payload.rfind("_")
            cut = cut if cut > 0 else len(payload)
            words.append(payload[:cut])
            payload = payload[cut:]
        payload += piece
    words.append(payload)
    return [f"=?utf-8?q?{w}?=" for w in words]


def _text_tokens(text: str) -> list[str]:
    tokens = text.split(" ")
    tame = text.isascii() and "=?" not in text and all(0 < len(t) <= 60 for t in tokens)
    return tokens if tame or not text else _encoded_words(text)


def _phrase_tokens(name: str) -> list[str]:
    """A display name: bare, quoted, or as encoded words."""
    if not name.isascii() or "=?" in name or len(name) > 60:
        return _encoded_words(name)
    if _PLAIN_PHRASE.fullmatch(name) and name == " ".join(name.split()):
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def _folded(name: str, tokens: Iterable[str]) -> bytes:
    lines, line = [], f"{name}:"
    for token in tokens:
        if len(line) + 1 + len(token) > LINE_LIMIT and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {token}"
    lines.append(line)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def text_field(name: str, text: str) -> bytes:
    """An unstructured field such as Subject."""
    return _folded(name, _text_tokens(checked(text, name)))


def address_field(name: str, addresses: Iterable[Address]) -> bytes:
    """From, To, Reply-To: any number of addresses with their names."""
    tokens: list[str] = []
    for address in addresses:
        if tokens:
            tokens[-1] += ","
        wire, shown = checked_address(address.email), checked(address.name, f"Name zu {address.email}").strip()
        tokens += [*_phrase_tokens(shown), f"<{wire}>"] if shown else [wire]
    return _folded(name, tokens)


def plain_field(name: str, *tokens: str) -> bytes:
    """A field whose tokens are known to be ASCII and short (dates, ids, fixed words)."""
    return _folded(name, tokens)


def known_ids(ids: Iterable[str]) -> list[str]:
    """The well-formed message ids among those that foreign mails brought; others would only harm."""
    return [i for i in ids if _MESSAGE_ID.fullmatch(i)]


def file_name_fields(content_type: str, filename: str) -> bytes:
    """Content-Type and Content-Disposition of an attachment.

    A German name stands twice: RFC 2231 for those who follow the standard, an encoded word in `name` for Outlook.
    """
    name = checked(filename, "Name des Anhangs")
    if not name.strip() or "/" in name or "\\" in name or len(name) > 150:
        raise MailContentError(f"Name des Anhangs {name!r}: erlaubt sind 1 bis 150 Zeichen ohne / und \\.")
    if name.isascii() and '"' not in name and "=?" not in name and len(name) <= 60:
        return _folded("Content-Type", [f"{content_type};", f'name="{name}"']) + _folded(
            "Content-Disposition", ["attachment;", f'filename="{name}"']
        )
    words = _encoded_words(name)
    words[0] = f'name="{words[0]}'
    words[-1] += '"'
    return _folded("Content-Type", [f"{content_type};", *words]) + _folded(
        "Content-Disposition", ["attachment;", *_extended_parameter("filename", name)]
    )


def _extended_parameter(parameter: str, value: str) -> list[str]:
    """RFC 2231 with continuations where one line does not hold it; a percent triple is never cut in two."""
    units = [quote(char, safe="") for char in value]
    pieces, piece = [], "utf-8''"
    for unit in units:
        if len(piece) + len(unit) > _WORD_PAYLOAD:
            pieces.append(piece)
            piece = ""
        piece += unit
    pieces.append(piece)
    if len(pieces) == 1:
        return [f"{parameter}*={pieces[0]}"]
    last = len(pieces) - 1
    return [f"{parameter}*{i}*={p}{'' if i == last else ';'}" for i, p in enumerate(pieces)]
