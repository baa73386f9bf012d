"""The one entrance: bytes of any supported format to despatch advices. Typed by content; a name decides nothing."""

from integrations.despatch import csvlist, desadv, edifact, opentrans, ubl
from integrations.despatch.kinds import named_as_advice, refuse_known_binary, wrong_root
from integrations.despatch.limits import MAX_TEXT_BYTES, check_size
from integrations.despatch.types import DespatchAdvice, DespatchError, ReadHints
from integrations.despatch.xmlstream import XmlFile

_NO_HINTS = ReadHints()
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_despatch(raw: bytes, hints: ReadHints = _NO_HINTS, /) -> DespatchAdvice:
    """The despatch advice in a file that holds exactly one.

    Args:
        raw: the file's bytes as they came.
        hints: the file's name (for messages) and the supplier's CSV mapping.

    Raises:
        DespatchError: with place, fault and remedy in German; never anything else for bad bytes.
    """
    found = read_despatches(raw, hints)
    if len(found) > 1:
        numbers = ", ".join(advice.delivery_note for advice in found[:5])
        raise DespatchError(
            f"Die Datei enthält {len(found)} Lieferavise ({numbers}{', …' if len(found) > 5 else ''}), erwartet ist genau "
            "eines. "
            "Bitte lassen Sie sie vom Lieferanten einzeln senden."
        )
    return found[0]


def read_despatches(raw: bytes, hints: ReadHints = _NO_HINTS, /) -> tuple[DespatchAdvice, ...]:
    """All despatch advices of a file, at least one: an interchange or a list may hold several.

    Either all are readable or the file is refused as a whole.

    Raises:
        DespatchError: as `read_despatch`.
    """
    check_size(len(raw))
    refuse_known_binary(raw)
    _refuse_nul(raw)
    if _is_xml(raw):
        return (_xml(raw, hints),)
    check_size(len(raw), MAX_TEXT_BYTES)
    if edifact.is_edifact(raw):
        return tuple(_merged(desadv.read_all(edifact.read(raw), hints.file_name)))
    return tuple(csvlist.read_all(raw, hints.csv))


def _xml(raw: bytes, hints: ReadHints) -> DespatchAdvice:
    file = XmlFile(raw)
    if file.root_name == opentrans.ROOT:
        return opentrans.read(file)
    if file.root_name in (ubl.ROOT, ubl.ENVELOPE):
        return ubl.read(file)
    raise wrong_root(file.root_name, "der Dateiname" if named_as_advice(hints.file_name) else "")


def _merged(advices: list[DespatchAdvice]) -> list[DespatchAdvice]:
    """The same delivery note twice in one file would be booked twice."""
    seen: dict[str, DespatchAdvice] = {}
    for advice in advices:
        if advice.delivery_note in seen and seen[advice.delivery_note].lines != advice.lines:
            raise DespatchError(
                f"Die Datei enthält den Lieferschein {advice.delivery_note} zweimal mit verschiedenen Positionen. "
                "Bitte lassen Sie sie vom Lieferanten berichtigen.",
                supplier_fault=True,
            )
        seen.setdefault(advice.delivery_note, advice)
    return list(seen.values())


def _is_xml(raw: bytes) -> bool:
    if raw.startswith(_UTF16):
        order = "utf-16-le" if raw.startswith(b"\xff\xfe") else "utf-16-be"
        return raw[2:1002].decode(order, "ignore").lstrip().startswith("<")
    return raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _refuse_nul(raw: bytes) -> None:
    at = -1 if raw.startswith(_UTF16) else raw.find(b"\x00")
    if at >= 0:
        line = raw.count(b"\n", 0, at) + 1
        raise DespatchError(
            f"Zeile {line}, Byte {at + 1}: Die Datei enthält ein NUL-Zeichen; sie ist beschädigt oder keine Textdatei. "
            "Bitte fordern Sie sie beim Lieferanten neu an."
        )
