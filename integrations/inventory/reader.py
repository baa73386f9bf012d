"""The one entrance: bytes of a supported format to an inventory. Typed by content; a name decides nothing."""

import json
from typing import Any

from integrations import charset
from integrations.charset import CharsetError
from integrations.inventory import csvlist, glpi
from integrations.inventory.types import Inventory, InventoryError

MAX_BYTES = 32 * 1024 * 1024
"""A report of one device has at most a few MB; a list of many thousand devices fits."""

_REMEDY = "Bitte lassen Sie den Bericht mit glpi-agent neu erzeugen (glpi-inventory --json)."
_BINARY = (b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\x78\x9c", b"\x89PNG")


def read_inventory(raw: bytes, file_name: str = "", /) -> Inventory:
    """The devices that a file reports.

    Args:
        raw: the file's bytes as they came.
        file_name: for messages only.

    Raises:
        InventoryError: with place, fault and remedy in German; never anything else for bad bytes.
    """
    try:
        return _read(raw)
    except InventoryError as fault:
        raise InventoryError(f"{file_name}: {fault}" if file_name else str(fault)) from fault


def check_size(size: int) -> None:
    """Call it with the announced size before a file is taken into memory.

    Raises:
        InventoryError: empty, or larger than `MAX_BYTES`.
    """
    if size == 0:
        raise InventoryError("Die Datei ist leer. Bitte erzeugen Sie den Bericht neu.")
    if size > MAX_BYTES:
        raise InventoryError(
            f"Die Datei hat {size / 1_048_576:.0f} MB, ein Inventar darf höchstens {MAX_BYTES // 1_048_576} MB haben. "
            "Bitte prüfen Sie, ob es die richtige Datei ist, oder teilen Sie die Liste."
        )


def _read(raw: bytes) -> Inventory:
    check_size(len(raw))
    start = raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if raw.startswith(_BINARY):
        raise InventoryError(f"Die Datei ist gepackt oder ein Dokument, kein Inventar. {_REMEDY}")
    if start.startswith(b"<"):
        raise InventoryError(f"Die Datei ist XML; gelesen wird das JSON-Format von glpi-agent. {_REMEDY}")
    if not raw.startswith((b"\xff\xfe", b"\xfe\xff")) and (at := raw.find(b"\x00")) >= 0:
        raise InventoryError(f"Byte {at + 1}: Die Datei enthält ein NUL-Zeichen; sie ist beschädigt. {_REMEDY}")
    if start.startswith((b"{", b"[")):
        return _json(raw)
    return csvlist.read(raw)


def _json(raw: bytes) -> Inventory:
    try:
        text, hints = charset.decode(raw)
        data: Any = json.loads(text)
    except CharsetError as fault:
        raise InventoryError(f"{fault} {_REMEDY}") from fault
    except json.JSONDecodeError as fault:
        what = "bricht hier ab" if fault.pos >= len(fault.doc.rstrip()) - 1 else "ist hier fehlerhaft"
        raise InventoryError(f"Zeile {fault.lineno}, Spalte {fault.colno}: Das JSON {what}. {_REMEDY}") from fault
    except (RecursionError, ValueError) as fault:
        raise InventoryError(f"Das JSON ist zu tief verschachtelt oder enthält übergroße Zahlen. {_REMEDY}") from fault
    reports = data if isinstance(data, list) else [data]
    if not reports or not all(glpi.looks_so(report) for report in reports):
        raise InventoryError(f"Das JSON ist kein Inventar im Format von glpi-agent (content, deviceid). {_REMEDY}")
    found = glpi.read(reports)
    if not hints:
        return found
    return Inventory(found.format, found.devices, found.partial, found.taken_at, found.agent, found.tag, (*hints, *found.hints))
