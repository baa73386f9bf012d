"""The archive as the rest of the house sees it: put once, read with the hash checked, keep until a day."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kit.errors import AwayError, ConflictError, DrehkreuzError, NotFoundError


class ArchiveConflictError(ConflictError):
    """Other bytes under a key that is taken, or a retention that would be shortened."""


class ArchiveMissingError(NotFoundError):
    """Nothing under that key."""


class ArchiveDamagedError(DrehkreuzError):
    """What is stored is not what was put there."""


class ArchiveUnavailableError(AwayError):
    """The store does not answer; the same call may work later."""


class ArchiveSettingsError(DrehkreuzError):
    """The store is reachable but not fit: no Object Lock, no such bucket, no right, a key that is not allowed."""


@dataclass(frozen=True, slots=True)
class ArchivedRef:
    """What the caller keeps in its row. `version` is the store's own ("" where it has none); sha256 in hex."""

    key: str
    sha256: str
    size: int
    version: str


class Archive(Protocol):
    """One store. Keys are paths of plain ASCII segments: `invoices/2026/RE-2026-000001/<sha256>.pdf`."""

    @property
    def enforced(self) -> bool:
        """Whether the store itself keeps objects until their day (S3 Object Lock), or only our habit does."""

    def put_once(self, key: str, content: bytes, content_type: str, retain_until: dt.date) -> ArchivedRef:
        """Store under a new key. The same bytes again change nothing (a later day is kept); other bytes are refused.

        Raises: ArchiveConflictError, ArchiveUnavailableError, ArchiveSettingsError.
        """

    def get(self, key: str, version: str = "") -> bytes:
        """The stored bytes, their hash checked. Raises: ArchiveMissingError, ArchiveDamagedError, ..."""

    def verify(self, ref: ArchivedRef) -> None:
        """Read again and compare with what the row says. Raises: ArchiveMissingError, ArchiveDamagedError, ..."""

    def url(self, key: str, *, filename: str = "", seconds: int = 300) -> str:
        """An address for a person to read it, valid for a while."""

    def retain(self, key: str, until: dt.date) -> None:
        """Keep longer. Raises: ArchiveConflictError when `until` is earlier than agreed so far."""

    def retained_until(self, key: str) -> dt.date:
        """The first day (Berlin) on which the object may go."""

    def look(self, key: str) -> ArchivedRef:
        """What lies under the key, by its metadata alone. Raises: ArchiveMissingError."""

    def keys(self) -> Iterator[str]:
        """All keys of the store, whoever put them there. Raises: ArchiveUnavailableError."""

    def check(self) -> None:
        """Whether the store can do its work. Raises: ArchiveSettingsError, ArchiveUnavailableError."""
