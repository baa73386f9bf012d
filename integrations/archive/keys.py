"""Keys of archived objects: readable paths that every store and file system takes alike."""

import re

from integrations.archive.port import ArchiveSettingsError

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=@-]{0,149}")
_LIMIT = 512


def checked_key(key: str) -> str:
    """The key itself. Raises: ArchiveSettingsError when it could leave the store or means different things in two stores."""
    if len(key) > _LIMIT or not all(_SEGMENT.fullmatch(s) and not s.endswith((".", ".meta.json")) for s in key.split("/")):
        raise ArchiveSettingsError(
            f"Archivschlüssel {key!r} ist nicht erlaubt: Abschnitte aus Buchstaben ohne Umlaute, Ziffern und . _ + = @ -, "
            "getrennt durch /, jeder mit Buchstabe oder Ziffer am Anfang."
        )
    return key


def archived_key(kind: str, year: int, name: str, sha256: str, suffix: str) -> str:
    """`invoices/2026/RE-2026-000001/<sha256>.pdf`: the same content has the same key, other content another one."""
    return checked_key(f"{kind}/{year:04d}/{name}/{sha256}.{suffix}")
