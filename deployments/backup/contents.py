"""What a backup is made of on disk, and whether it still is what was put there.

    drehkreuz-20261127T033512Z/
        manifest.json       when, of which schema, what is counted inside (written last)
        SHA256SUMS          every other file; `sha256sum -c SHA256SUMS` reads it too
        database.dump       pg_dump's custom format
        archive/            the write-once archive; unchanged files are hard links to the backup before
        archive.jsonl       with S3: every object's key, hash, version and day instead
        home/               secrets/, .env, environment.env, sap/, goods-inbox/

Everything is readable by its owner alone: secrets lie inside.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from deployments.backup.postgres import BackupError, check_dump

FORMAT = 1
NAME = "drehkreuz-"
UNFINISHED = ".unfertig-"
MANIFEST, SUMS, DUMP, OBJECTS, ENVIRONMENT = (
    "manifest.json", "SHA256SUMS", "database.dump", "archive.jsonl", "home/environment.env",
)  # fmt: skip
_BLOCK = 1 << 20

Bar = Callable[[int, int], None]
Phase = Callable[[str], AbstractContextManager[Bar]]
"""Opens a progress bar of that name."""


class Manifest(BaseModel):
    """What the backup says of itself."""

    format: int
    made_at: dt.datetime
    """By our clock, before the dump began."""
    schema_revision: str
    database: str
    owner: str
    server: int
    archive: Literal["folder", "s3"]
    objects: int
    bytes: int
    files: int
    sums: str
    """SHA-256 of SHA256SUMS, which holds those of all other files."""
    counts: dict[str, int]
    """Table -> rows, in the same instant as the dump."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One complete backup on disk."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.folder.name


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copied(source: Path, target: Path) -> str:
    """Copy the bytes (mode 0600); their hash."""
    digest = hashlib.sha256()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with source.open("rb") as reading, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := reading.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def linked(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system cannot."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        copied(source, target)


def files_below(folder: Path) -> Iterator[Path]:
    """Every plain file below, in order; neither links nor what is just being written."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix != ".part":
            yield path


def write_sums(folder: Path, sums: dict[str, str]) -> str:
    """Write SHA256SUMS; its own hash."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    content = text.encode("utf-8", "surrogateescape")
    (folder / SUMS).write_bytes(content)
    (folder / SUMS).chmod(0o600)
    return hashlib.sha256(content).hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Name -> hash. Raises: BackupError when the list is not readable or leads out of the folder."""
    sums = {}
    for number, line in enumerate((folder / SUMS).read_bytes().decode("utf-8", "surrogateescape").splitlines(), start=1):
        digest, gap, name = line.partition("  ")
        parts = Path(name).parts
        if not gap or len(digest) != 64 or not parts or ".." in parts or Path(name).is_absolute():
            raise BackupError(f"{folder / SUMS}, Zeile {number}: ist nicht lesbar. Nehmen Sie eine andere Sicherung.")
        sums[name] = digest
    return sums


def read(folder: Path) -> Backup:
    """One backup by its manifest. Raises: BackupError."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as fault:
        raise BackupError(
            f"{folder}: keine Drehkreuz-Sicherung ({MANIFEST}: {fault.strerror}). Nennen Sie den Ordner, in den "
            "»drehkreuz backup« geschrieben hat, oder eine der Sicherungen darin."
        ) from None
    except ValidationError as fault:
        raise BackupError(f"{folder / MANIFEST}: nicht lesbar ({fault.errors()[0]['msg']}).") from None
    if manifest.format > FORMAT:
        raise BackupError(f"{folder}: Die Sicherung stammt von einem neueren Drehkreuz. Nehmen Sie dessen Programm.")
    return Backup(folder, manifest)


def backups_in(folder: Path) -> list[Backup]:
    """All complete backups of a folder, oldest first."""
    found = [read(path.parent) for path in folder.glob(f"{NAME}*/{MANIFEST}")]
    return sorted(found, key=lambda each: (each.manifest.made_at, each.name))


def chosen(folder: Path) -> Backup:
    """The backup that this folder is, or the newest inside it. Raises: BackupError."""
    if not (folder / MANIFEST).exists() and (known := backups_in(folder)):
        return known[-1]
    return read(folder)


def verify(backup: Backup, phase: Phase) -> dict[str, str]:
    """Read every file again and compare; nothing of a damaged backup is ever used. Raises: BackupError. Returns the list."""
    folder = backup.folder
    try:
        if sha256_of(folder / SUMS) != backup.manifest.sums:
            raise BackupError(f"{folder / SUMS}: beschädigt, die Prüfsumme stimmt nicht. Nehmen Sie eine andere Sicherung.")
        sums = read_sums(folder)
        with phase("Sicherung prüfen") as bar:
            for done, (name, digest) in enumerate(sums.items(), start=1):
                if sha256_of(folder / name) != digest:
                    raise BackupError(
                        f"{folder / name}: beschädigt, die Prüfsumme stimmt nicht. Nehmen Sie eine andere Sicherung oder holen "
                        "Sie diese eine Datei aus einer solchen."
                    )
                bar(done, len(sums))
    except OSError as fault:
        raise BackupError(f"{fault.filename}: nicht lesbar ({fault.strerror}). Die Sicherung ist unvollständig.") from None
    check_dump(folder / DUMP, backup.manifest.server)
    return sums


def free_or_raise(place: Path, wanted: int, what: str) -> None:
    """Raises: BackupError when the disk has less room."""
    free = shutil.disk_usage(place).free
    if free < wanted:
        raise BackupError(
            f"{what}: In {place} sind {free / 1e6:.0f} MB frei, nötig sind etwa {wanted / 1e6:.0f} MB. Schaffen Sie Platz; "
            "es ist noch nichts geändert."
        )


def objects_of(backup: Backup) -> Iterator[dict[str, str]]:
    """With S3: what the register said of each object."""
    with (backup.folder / OBJECTS).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
