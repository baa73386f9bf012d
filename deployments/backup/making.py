"""`drehkreuz backup`: database, archive and secrets of a home as they are at one instant, while its services work on.

The dump comes first: an object is stored before its row is committed, so whatever the dump names is in the archive by then.
What the archive holds never changes; so a file that the backup before has as well is only linked, not read again.
"""

import datetime as dt
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from actions import archive
from deployments.backup.contents import (
    DUMP,
    ENVIRONMENT,
    FORMAT,
    MANIFEST,
    NAME,
    OBJECTS,
    UNFINISHED,
    Backup,
    Manifest,
    Phase,
    backups_in,
    copied,
    files_below,
    free_or_raise,
    linked,
    read_sums,
    sha256_of,
    write_sums,
)  # fmt: skip
from deployments.backup.postgres import BackupError, dump, server_version
from integrations.archive.port import ArchivedRef, ArchiveUnavailableError
from kit import clock
from kit.database import Role, engine, owner_url
from kit.errors import DrehkreuzError
from kit.process import locked
from kit.settings import PREFIX, home, settings
from models import schema

HOME_PARTS = ("secrets", "sap", "goods-inbox", ".env")
"""Besides database and archive: what opens the vault, what was handed to SAP as files, what suppliers left to be read."""
_NOT_KEPT = {f"{PREFIX}HOME", f"{PREFIX}CLOCK_SHIFT_DAYS", f"{PREFIX}SERVICES"}


@dataclass
class Made:
    """A finished backup; `troubles` are German sentences about what a person should look at."""

    backup: Backup
    linked: int
    troubles: list[str]
    removed: list[str]


@dataclass
class _Work:
    """One backup while it is being made."""

    folder: Path
    before: Path | None
    known: dict[str, str]
    """Files of the backup before, with their hashes."""
    phase: Phase
    sums: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def make(target: Path, phase: Phase, *, keep: int = 0, with_objects: bool = False) -> Made:
    """Make one more backup in the folder `target`; nothing half is ever left under a backup's name.

    Args:
        target: holds all backups; made when missing.
        phase: opens a progress bar.
        keep: how many backups stay, the oldest go; 0 = all.
        with_objects: with S3, copy the objects too instead of only verifying them.
    """
    _check_place(target)
    try:
        with locked(target / ".lock"):
            for left in target.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
            return _made(target, phase, keep=keep, with_objects=with_objects)
    except OSError as fault:
        raise BackupError(
            f"Sicherung nach {target}: {fault.strerror or fault}. Prüfen Sie Platz und Rechte dort; frühere Sicherungen sind "
            "unberührt."
        ) from fault


def _check_place(target: Path) -> None:
    if target.resolve().is_relative_to(home()):
        raise BackupError(
            f"Sicherung: {target} liegt im Heimordner, den sie schützen soll. Nennen Sie einen Ordner auf einem anderen "
            "Datenträger."
        )
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise BackupError(f"Sicherung: {target} lässt sich nicht anlegen ({fault.strerror}).") from None


def _made(target: Path, phase: Phase, *, keep: int, with_objects: bool) -> Made:
    earlier = backups_in(target)
    before = earlier[-1].folder if earlier else None
    now = clock.now()
    work = _Work(target / f"{UNFINISHED}{os.getpid()}", before, read_sums(before) if before else {}, phase)
    work.folder.mkdir(mode=0o700)
    try:
        manifest = _filled(work, now, with_objects=with_objects)
        new = work.folder / MANIFEST
        new.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        new.chmod(0o600)
        os.sync()
        name = f"{NAME}{now:%Y%m%dT%H%M%SZ}"
        taken = sum(each.name.startswith(name) for each in earlier)
        place = target / (f"{name}-{taken + 1}" if taken else name)
        work.folder.rename(place)
    except BaseException:
        shutil.rmtree(work.folder, ignore_errors=True)
        raise
    done = Backup(place, manifest)
    removed = _prune([*earlier, done], keep)
    return Made(done, work.counted["linked"], work.troubles, removed)


def _filled(work: _Work, now: dt.datetime, *, with_objects: bool) -> Manifest:
    with engine(Role.OWNER).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        counts = _counts(connection)
        register = _register(connection)
        size = int(connection.scalar(sa.text("select pg_database_size(current_database())")) or 0)
        free_or_raise(work.folder, size // 4, "Sicherung")
        with work.phase("Datenbank sichern") as bar:
            bar(0, 1)
            dump(connection, work.folder / DUMP)
            bar(1, 1)
        version = server_version(connection)
    (work.folder / DUMP).chmod(0o600)
    work.sums[DUMP] = sha256_of(work.folder / DUMP)
    if settings().archive == "folder":
        _archive_folder(work, {ref.key: ref for ref in register})
    else:
        _archive_s3(work, register, with_objects=with_objects)
    _home_files(work)
    owner = owner_url()
    return Manifest(
        format=FORMAT,
        made_at=now,
        schema_revision=schema.current() or "",
        database=str(owner.database),
        owner=str(owner.username),
        server=version,
        archive=settings().archive,
        objects=len(register),
        bytes=sum(ref.size for ref in register),
        files=len(work.sums),
        sums=write_sums(work.folder, work.sums),
        counts=counts,
    )


def _counts(connection: sa.Connection) -> dict[str, int]:
    tables = connection.scalars(sa.text("select tablename from pg_tables where schemaname = 'public' order by 1")).all()
    return {table: int(connection.scalar(sa.text(f'select count(*) from public."{table}"')) or 0) for table in tables}  # noqa: S608


def _register(connection: sa.Connection) -> list[ArchivedRef]:
    rows = connection.execute(
        sa.text("select key, sha256, size, coalesce(version, '') from public.archived_object order by id")
    ).tuples()
    return [ArchivedRef(key, sha256, size, version) for key, sha256, size, version in rows]


# --- the archive -------------------------------------------------------------------------------------------------------


def _archive_folder(work: _Work, register: dict[str, ArchivedRef]) -> None:
    root = home() / "archive"
    paths = list(files_below(root)) if root.exists() else []
    with work.phase("Archiv sichern") as bar:
        for done, path in enumerate(paths, start=1):
            _take(work, path, f"archive/{path.relative_to(root)}", register.get(str(path.relative_to(root))))
            bar(done, len(paths))
    for key in register:
        if f"archive/{key}" not in work.sums:
            work.troubles.append(f"Archiv: {key} steht im Verzeichnis und fehlt im Ordner.")


def _take(work: _Work, path: Path, name: str, ref: ArchivedRef | None) -> None:
    """One file of the archive: a link to what the backup before has of it, else a copy."""
    known = work.known.get(name)
    if known and work.before is not None:
        same = ref.sha256 == known if ref is not None else sha256_of(path) == known
        if same and (work.before / name).is_file():
            linked(work.before / name, work.folder / name)
            work.sums[name] = known
            work.counted["linked"] += 1
            return
    work.sums[name] = copied(path, work.folder / name)
    if ref is not None and work.sums[name] != ref.sha256:
        work.troubles.append(f"Archiv: {name.removeprefix('archive/')} ist beschädigt (drehkreuz run archive_check).")


def _archive_s3(work: _Work, register: list[ArchivedRef], *, with_objects: bool) -> None:
    """With S3 the bucket itself keeps the objects; the backup holds their list, each object read and compared once."""
    verified = _verified_before(work)
    file = work.folder / OBJECTS
    with (
        os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out,
        work.phase("Archiv prüfen") as bar,
    ):
        for done, ref in enumerate(register, start=1):
            out.write(json.dumps(_looked_up(work, ref, verified, with_objects=with_objects), ensure_ascii=False) + "\n")
            bar(done, len(register))
    work.sums[OBJECTS] = sha256_of(file)


def _verified_before(work: _Work) -> set[tuple[str, str, str]]:
    if work.before is None or OBJECTS not in work.known:
        return set()
    lines = (work.before / OBJECTS).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {(row["key"], row["sha256"], row["version"]) for row in rows if row["verified"]}


def _looked_up(work: _Work, ref: ArchivedRef, known: set[tuple[str, str, str]], *, with_objects: bool) -> dict[str, object]:
    row: dict[str, object] = {"key": ref.key, "sha256": ref.sha256, "size": ref.size, "version": ref.version, "verified": False}
    store, name = archive.store(), f"archive/{ref.key}"
    try:
        row["retain_until"] = store.retained_until(ref.key).isoformat()
        if (ref.key, ref.sha256, ref.version) not in known:
            store.verify(ref)
        row["verified"] = True
        if with_objects and not _linked_before(work, name, ref.sha256):
            place = work.folder / name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.write_bytes(store.get(ref.key, ref.version))
            place.chmod(0o600)
            work.sums[name] = sha256_of(place)
    except ArchiveUnavailableError:
        raise
    except DrehkreuzError as fault:
        work.troubles.append(str(fault))
    return row


def _linked_before(work: _Work, name: str, sha256: str) -> bool:
    if work.before is None or work.known.get(name) != sha256:
        return False
    linked(work.before / name, work.folder / name)
    work.sums[name] = sha256
    work.counted["linked"] += 1
    return True


# --- the rest of the home ------------------------------------------------------------------------------------------------


def _home_files(work: _Work) -> None:
    for name, path in _parts():
        if "\n" in name or "\r" in name:
            work.troubles.append(f"{path!r}: Der Name enthält einen Zeilenumbruch, die Datei ist nicht gesichert.")
            continue
        try:
            work.sums[name] = copied(path, work.folder / name)
        except FileNotFoundError:
            continue  # a watched folder: it was read and put aside this moment
    given = {key: value for key, value in os.environ.items() if key.startswith(PREFIX) and key not in _NOT_KEPT}
    file = work.folder / ENVIRONMENT
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.writelines(f"{key}={value}\n" for key, value in sorted(given.items()))
    work.sums[ENVIRONMENT] = sha256_of(file)


def _parts() -> Iterator[tuple[str, Path]]:
    for part in HOME_PARTS:
        place = home() / part
        for path in files_below(place) if place.is_dir() else [place] if place.is_file() else []:
            yield f"home/{path.relative_to(home())}", path


def _prune(backups: list[Backup], keep: int) -> list[str]:
    if keep < 1:
        return []
    gone = backups[:-keep]
    for each in gone:
        shutil.rmtree(each.folder)
    return [each.name for each in gone]
