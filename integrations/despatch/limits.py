"""How large a despatch advice may be: checked before anything is read."""

from pathlib import Path

from integrations.despatch.types import DespatchError

MAX_BYTES = 128 * 1024 * 1024
"""XML: room for more than 100,000 lines with serials; a larger file is no despatch advice."""

MAX_TEXT_BYTES = 32 * 1024 * 1024
"""EDIFACT and CSV, which need a fifth of the room and are taken into memory as a whole."""

MAX_LINES = 250_000
MAX_SEGMENTS = 2_000_000

MAX_PART_BYTES = 8 * 1024 * 1024
"""Head or one line of an XML file; more would grow in memory without end."""

MAX_IDENT = 200
"""Characters of a number (article, order, serial, delivery note)."""

MAX_HINTS = 100
MAX_RANGE = 10_000
"""Serials that one range may stand for."""

MAX_SERIALS = 1_000_000


def check_size(size: int, most: int = MAX_BYTES) -> None:
    """Call it with the announced size before a file or a request body is taken into memory.

    Args:
        size: bytes.
        most: bytes that the format may have.

    Raises:
        DespatchError: empty, or larger than `most`.
    """
    if size == 0:
        raise DespatchError("Die Datei ist leer. Bitte fordern Sie das Lieferavis beim Lieferanten neu an.")
    if size > most:
        raise DespatchError(
            f"Die Datei hat {size / 1_048_576:.0f} MB, ein Lieferavis darf höchstens {most // 1_048_576} MB haben. "
            "Bitte prüfen Sie, ob es die richtige Datei ist, oder lassen Sie das Lieferavis vom Lieferanten teilen."
        )


def load(path: Path) -> bytes:
    """The file's bytes, refused by its size on disk before it is read.

    Raises:
        DespatchError: empty, too large or not readable.
    """
    try:
        check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as fault:
        raise DespatchError(
            f"{path.name}: Die Datei ist nicht lesbar ({fault.strerror}). Bitte prüfen Sie Ablage und Rechte."
        ) from fault
