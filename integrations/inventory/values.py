"""Values inside inventories: texts, days, instants, and the words that mean nothing."""

import datetime as dt
import ipaddress
import re
from typing import Any

from integrations.charset import clean
from kit.clock import BERLIN

_PLACEHOLDERS = {
    "", "0", "00", "000000", "00000000", "none", "n/a", "na", "null", "unknown", "unbekannt", "default string", "not specified",
    "not available", "not applicable", "to be filled by o.e.m.", "to be filled by oem", "system serial number", "serial number",
    "system product name", "system manufacturer", "system model", "chassis serial number", "no asset tag",
    "no asset information", "asset tag",
    "asset-1234567890", "1234567890", "123456789", "0123456789", "o.e.m.", "oem", "invalid", "empty",
    "xxxxxxx", "sernum0", "-",
}  # fmt: skip
"""What makers leave in the firmware instead of a value; as a serial number it would be the same for thousands of devices."""

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})(?::\d{2})?", re.ASCII)
_MAC = re.compile(r"[0-9A-F]{12}", re.ASCII)
MAX_TEXT = 500


def text(value: Any) -> str:
    """A scalar as trimmed text; lists and objects read as empty."""
    if isinstance(value, bool) or value is None:
        return ""
    return clean(str(value))[:MAX_TEXT] if isinstance(value, str | int | float) else ""


def told(value: Any) -> str:
    """A text that says something: placeholders of makers read as empty."""
    found = text(value)
    bare = found.lower().rstrip(". ")
    if bare in _PLACEHOLDERS or found.lower() in _PLACEHOLDERS or (bare and not bare.strip("0.:-_ /xX")):
        return ""
    return found


def flag(value: Any) -> bool | None:
    """True, false, or None when it does not say. Agents write booleans, numbers and words."""
    if isinstance(value, bool):
        return value
    word = text(value).lower()
    if word in ("1", "true", "yes", "ja", "on", "an", "aktiv", "enabled", "aktuell"):
        return True
    return False if word in ("0", "false", "no", "nein", "off", "aus", "inaktiv", "disabled", "veraltet") else None


def day(value: Any) -> dt.date | None:
    """The calendar day of an ISO date or date-time as written; None when it is none."""
    found = _DAY.fullmatch(text(value))
    try:
        return dt.date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def instant(value: Any, offset: str = "") -> dt.datetime | None:
    """A device's local date-time as an instant in UTC.

    Args:
        value: `YYYY-MM-DD HH:MM:SS`, possibly with an offset of its own.
        offset: the device's offset, such as `+0200`; without any the time is Berlin's.
    """
    found = _INSTANT.fullmatch(text(value))
    if not found:
        return None
    try:
        naive = dt.datetime.fromisoformat(f"{found[1]}T{found[2]}")
        zone = _zone(found[3] or offset)
        return naive.replace(tzinfo=zone or BERLIN).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _zone(offset: str) -> dt.tzinfo | None:
    if offset == "Z":
        return dt.UTC
    found = _OFFSET.fullmatch(offset)
    if not found:
        return None
    return dt.timezone(dt.timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1))


def address(value: Any) -> str:
    """An IP address of the network, normalised; empty for none, loopback and unset ones."""
    try:
        found = ipaddress.ip_address(text(value).partition("/")[0].partition("%")[0])
    except ValueError:
        return ""
    return "" if found.is_loopback or found.is_unspecified else str(found)


def mac(value: Any) -> str:
    """A MAC address as `AA:BB:CC:DD:EE:FF`; empty for none and for all zeros."""
    bare = re.sub(r"[^0-9A-Fa-f]", "", text(value)).upper()
    if not _MAC.fullmatch(bare) or not bare.strip("0"):
        return ""
    return ":".join(bare[index : index + 2] for index in range(0, 12, 2))
