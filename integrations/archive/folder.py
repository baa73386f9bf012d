"""The archive in a folder: the default of a new installation. Nothing but our own care keeps the files (not enforced).

Beside each object lies `<object>.meta.json` with hash, type and day. An object appears under its name complete or not at
all: it is written elsewhere, brought to disk, made read-only and then linked, which fails if the name is taken.
"""

import datetime as dt
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integrations.archive.keys import checked_key
from integrations.archive.port import (
    ArchiveConflictError,
    ArchiveDamagedError,
    ArchivedRef,
    ArchiveMissingError,
    ArchiveSettingsError,
    ArchiveUnavailableError,
)

_META = ".meta.json"
_SHA256_LENGTH = 64


class FolderArchive:
    """Write-once files under `root`. Safe for several processes on one file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def enforced(self) -> bool:
        return False

    def put_once(self, key: str, content: bytes, content_type: str, retain_until: dt.date) -> ArchivedRef:
        """See `Archive.put_once`. A crash between object and sidecar is mended by the next call with the same bytes."""
        path = self._path(key)
        ref = ArchivedRef(key, hashlib.sha256(content).hexdigest(), len(content), "")
        meta = {"sha256": ref.sha256, "size": ref.size, "content_type": content_type, "retain_until": retain_until.isoformat()}
        try:
            changed = _made_folders(path.parent)
            if not self._link_new(path, content):
                self._refuse_other(path, ref)
            if not self._link_new(_sidecar(path), _json(meta)):
                self._keep_longer(path, retain_until)
            for folder in changed:
                _sync_folder(folder)
        except (FileExistsError, NotADirectoryError):
            raise ArchiveSettingsError(f"Archivschlüssel {key}: ein Abschnitt davon ist selbst ein Dokument.") from None
        except OSError as fault:
            raise _unavailable(self._root, fault) from fault
        return ref

    def get(self, key: str, version: str = "") -> bytes:  # noqa: ARG002 (a folder has no versions)
        """See `Archive.get`."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ArchiveMissingError(f"Archiv: unter {key} liegt nichts.") from None
        except OSError as fault:
            raise _unavailable(self._root, fault) from fault
        _compare(key, content, str(self._meta(path)["sha256"]))
        return content

    def verify(self, ref: ArchivedRef) -> None:
        """See `Archive.verify`."""
        _compare(ref.key, self.get(ref.key), ref.sha256)

    def url(self, key: str, *, filename: str = "", seconds: int = 300) -> str:  # noqa: ARG002 (a path has no expiry)
        """The file's own address: for operators on this machine. Customers get documents through the portal."""
        return self._path(key).resolve().as_uri()

    def retain(self, key: str, until: dt.date) -> None:
        """See `Archive.retain`."""
        path = self._path(key)
        agreed = self.retained_until(key)
        if until < agreed:
            raise ArchiveConflictError(f"Archiv: {key} bleibt bis {agreed:%d.%m.%Y}; eine Frist wird nie verkürzt.")
        try:
            self._keep_longer(path, until)
        except OSError as fault:
            raise _unavailable(self._root, fault) from fault

    def retained_until(self, key: str) -> dt.date:
        """See `Archive.retained_until`."""
        path = self._path(key)
        if not path.exists():
            raise ArchiveMissingError(f"Archiv: unter {key} liegt nichts.")
        return dt.date.fromisoformat(str(self._meta(path)["retain_until"]))

    def look(self, key: str) -> ArchivedRef:
        """See `Archive.look`."""
        path = self._path(key)
        if not path.exists():
            raise ArchiveMissingError(f"Archiv: unter {key} liegt nichts.")
        return ArchivedRef(key, str(self._meta(path)["sha256"]), path.stat().st_size, "")

    def keys(self) -> Iterator[str]:
        """See `Archive.keys`."""
        for path in sorted(self._root.rglob("*")):
            if path.is_file() and not path.name.startswith((".", "probe-")) and not path.name.endswith(_META):
                yield path.relative_to(self._root).as_posix()

    def check(self) -> None:
        """Whether files can be written, brought to disk and linked here."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            probe = self._root / f"probe-{uuid.uuid4().hex}"
            self._link_new(probe, b"probe")
            probe.unlink()
        except OSError as fault:
            raise ArchiveSettingsError(
                f"Archivordner {self._root}: nicht beschreibbar oder ohne feste Verweise ({fault.strerror}); "
                "bitte Rechte und Dateisystem prüfen."
            ) from fault

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _link_new(self, path: Path, content: bytes) -> bool:
        """Write and link; False when the name is taken."""
        if path.exists():
            return False
        passing = self._written(path, content)
        try:
            os.link(passing, path)
        except FileExistsError:
            return False
        finally:
            passing.unlink()
        return True

    def _written(self, path: Path, content: bytes) -> Path:
        passing = path.with_name(f".{uuid.uuid4().hex}.part")
        descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            passing.unlink()
            raise
        return passing

    def _refuse_other(self, path: Path, ref: ArchivedRef) -> None:
        held = hashlib.sha256(path.read_bytes()).hexdigest()
        if held != ref.sha256:
            raise ArchiveConflictError(
                f"Archiv: unter {ref.key} liegt bereits ein anderer Inhalt ({held[:12]}… statt {ref.sha256[:12]}…); "
                "Archiviertes wird nie ersetzt, bitte die Ursache klären."
            )

    def _keep_longer(self, path: Path, until: dt.date) -> None:
        meta = self._meta(path)
        if until <= dt.date.fromisoformat(str(meta["retain_until"])):
            return
        passing = self._written(_sidecar(path), _json({**meta, "retain_until": until.isoformat()}))
        passing.replace(_sidecar(path))
        _sync_folder(path.parent)

    def _meta(self, path: Path) -> dict[str, Any]:
        key = path.relative_to(self._root)
        try:
            meta = json.loads(_sidecar(path).read_bytes())
            dt.date.fromisoformat(meta["retain_until"])
            if len(meta["sha256"]) == _SHA256_LENGTH:
                return dict(meta)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        raise ArchiveDamagedError(
            f"Archiv: die Begleitdatei {key}{_META} fehlt oder ist unlesbar; bitte beide Dateien aus der Sicherung zurückholen."
        )


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + _META)


def _json(meta: dict[str, Any]) -> bytes:
    return json.dumps(meta, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _made_folders(folder: Path) -> list[Path]:
    """Make the folder; the answer is every folder that then has a new entry."""
    changed = [folder]
    while not folder.exists():
        folder = folder.parent
        changed.append(folder)
    changed[0].mkdir(parents=True, exist_ok=True)
    return changed


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _compare(key: str, content: bytes, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArchiveDamagedError(
            f"Archiv: {key} ist beschädigt (Prüfsumme {found[:12]}… statt {sha256[:12]}…); bitte aus der Sicherung zurückholen."
        )


def _unavailable(root: Path, fault: OSError) -> ArchiveUnavailableError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ArchiveUnavailableError(
            f"Archivordner {root}: der Datenträger ist voll; bitte Platz schaffen, der Lauf setzt danach fort."
        )
    return ArchiveUnavailableError(
        f"Archivordner {root}: {fault.strerror or fault}; bitte Platz und Rechte prüfen, der Lauf setzt danach fort."
    )
