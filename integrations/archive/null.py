"""An archive in memory for everyone who tests something else; it keeps the same promises."""

import datetime as dt
import hashlib
from collections.abc import Iterator

from integrations.archive.keys import checked_key
from integrations.archive.port import ArchiveConflictError, ArchiveDamagedError, ArchivedRef, ArchiveMissingError


class NullArchive:
    """Objects in a dict: `objects[key]`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.content_types: dict[str, str] = {}
        self._until: dict[str, dt.date] = {}

    @property
    def enforced(self) -> bool:
        return False

    def put_once(self, key: str, content: bytes, content_type: str, retain_until: dt.date) -> ArchivedRef:
        if self.objects.setdefault(checked_key(key), content) != content:
            raise ArchiveConflictError(f"Archiv: unter {key} liegt bereits ein anderer Inhalt.")
        self.content_types.setdefault(key, content_type)
        self._until[key] = max(retain_until, self._until.get(key, retain_until))
        return ArchivedRef(key, hashlib.sha256(content).hexdigest(), len(content), "")

    def get(self, key: str, version: str = "") -> bytes:  # noqa: ARG002 (no versions in memory)
        if key not in self.objects:
            raise ArchiveMissingError(f"Archiv: unter {key} liegt nichts.")
        return self.objects[key]

    def verify(self, ref: ArchivedRef) -> None:
        if hashlib.sha256(self.get(ref.key)).hexdigest() != ref.sha256:
            raise ArchiveDamagedError(f"Archiv: {ref.key} ist beschädigt.")

    def url(self, key: str, *, filename: str = "", seconds: int = 300) -> str:  # noqa: ARG002 (nothing to sign)
        return f"memory:{key}"

    def retain(self, key: str, until: dt.date) -> None:
        if until < self.retained_until(key):
            raise ArchiveConflictError(f"Archiv: {key} bleibt bis {self._until[key]:%d.%m.%Y}; eine Frist wird nie verkürzt.")
        self._until[key] = until

    def retained_until(self, key: str) -> dt.date:
        self.get(key)
        return self._until[key]

    def look(self, key: str) -> ArchivedRef:
        content = self.get(key)
        return ArchivedRef(key, hashlib.sha256(content).hexdigest(), len(content), "")

    def keys(self) -> Iterator[str]:
        return iter(list(self.objects))

    def check(self) -> None:
        """Memory is always there."""
