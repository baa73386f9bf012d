"""The archive as the business sees it: a document is put once, registered, and read back with its hash checked (GoBD)."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations.archive.folder import FolderArchive
from integrations.archive.keys import archived_key
from integrations.archive.port import Archive, ArchiveDamagedError, ArchivedRef, ArchiveSettingsError
from integrations.archive.s3 import S3Archive, S3Target
from kit import clock
from kit.errors import NotFoundError
from kit.settings import Settings, home, settings
from models.plumbing import ArchivedObject
from rules.retention import RecordClass, retain_until

CALLS_AT_ONCE = 8
"""Calls to the store: each waits for the disk or the network, not for the processor."""
SUFFIX_TYPES = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "json": "application/json",
    "csv": "text/csv",
    "eml": "message/rfc822",
    "zip": "application/zip",
}


@lru_cache(maxsize=4)
def _open(chosen: Settings, folder: str) -> Archive:
    if chosen.archive == "folder":
        return FolderArchive(Path(folder))
    if not chosen.s3_bucket:
        raise ArchiveSettingsError("Archiv: DREHKREUZ_ARCHIVE=s3 braucht DREHKREUZ_S3_BUCKET; bitte den Bucket nennen.")
    return S3Archive(
        S3Target(
            bucket=chosen.s3_bucket,
            endpoint_url=chosen.s3_endpoint_url,
            access_key=chosen.s3_access_key.get_secret_value(),
            secret_key=chosen.s3_secret_key.get_secret_value(),
        )
    )


def store() -> Archive:
    """The store that the settings name; one per process."""
    return _open(settings(), str(home() / "archive"))


@dataclass(frozen=True, slots=True)
class Document:
    """Something to keep: `kind/year/name/<sha256>.suffix` is its key, so the same bytes have one place."""

    kind: str
    name: str
    content: bytes
    suffix: str = "pdf"
    record_class: RecordClass = RecordClass.VOUCHER
    customer_id: int | None = None
    day: dt.date | None = None
    """The day the document is of (default: today); keeping is counted from the end of its year."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a document lies now."""

    key: str
    sha256: str


def keep(session: Session, *documents: Document) -> list[Kept]:
    """Put documents into the archive and register them; again with the same bytes changes nothing.

    The bytes are stored before the row: a crash in between leaves an object that the next attempt finds under its key.

    Raises:
        ArchiveUnavailableError: the store does not answer; try later.
    """
    now = clock.now()
    today = clock.local(now).date()
    with ThreadPoolExecutor(min(len(documents), CALLS_AT_ONCE) or 1, thread_name_prefix="archive") as threads:
        refs = list(threads.map(lambda document: _put(document, today), documents))
    rows = [
        {
            "key": ref.key,
            "sha256": ref.sha256,
            "size": ref.size,
            "content_type": _content_type(document),
            "retain_until": _retained(document, today),
            "version": ref.version,
            "customer_id": document.customer_id,
            "reference": document.name,
            "stored_at": now,
            "created_at": now,
        }
        for document, ref in zip(documents, refs, strict=True)
    ]
    if rows:
        session.execute(insert(ArchivedObject).on_conflict_do_nothing(), rows)
    return [Kept(ref.key, ref.sha256) for ref in refs]


def _content_type(document: Document) -> str:
    return SUFFIX_TYPES.get(document.suffix, "application/octet-stream")


def _retained(document: Document, today: dt.date) -> dt.date:
    return retain_until(document.record_class, document.day or today)


def _put(document: Document, today: dt.date) -> ArchivedRef:
    sha256 = hashlib.sha256(document.content).hexdigest()
    key = archived_key(document.kind, (document.day or today).year, document.name, sha256, document.suffix)
    return store().put_once(key, document.content, _content_type(document), _retained(document, today))


def read(session: Session, key: str) -> bytes:
    """The bytes of a registered object, compared with the hash in the register.

    Raises:
        NotFoundError: nothing is registered under that key.
        ArchiveDamagedError: what is stored is not what was put there.
    """
    return read_all(session, [key])[key]


def read_all(session: Session, keys: Sequence[str]) -> dict[str, bytes]:
    """The bytes of several registered objects by their keys, each compared with the hash in the register.

    Raises:
        NotFoundError: nothing is registered under one of the keys.
        ArchiveDamagedError: what is stored is not what was put there.
    """
    entries = sa.select(ArchivedObject.key, ArchivedObject.version, ArchivedObject.sha256).where(ArchivedObject.key.in_(keys))
    rows = {row.key: row for row in session.execute(entries)}
    for key in keys:
        if key not in rows:
            raise NotFoundError(f"Archiv: Unter {key} ist nichts abgelegt.")

    def content_of(key: str) -> bytes:
        content = store().get(key, rows[key].version or "")
        if hashlib.sha256(content).hexdigest() != rows[key].sha256:
            raise ArchiveDamagedError(
                f"Archiv: {key} ist beschädigt, die Prüfsumme stimmt nicht mit dem Verzeichnis überein. "
                "Stellen Sie das Objekt aus der Sicherung wieder her."
            )
        return content

    if len(rows) <= 1:
        return {key: content_of(key) for key in rows}
    with ThreadPoolExecutor(min(len(rows), CALLS_AT_ONCE), thread_name_prefix="archive") as threads:
        return dict(zip(rows, threads.map(content_of, rows), strict=True))
