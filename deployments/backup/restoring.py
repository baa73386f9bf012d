"""`drehkreuz restore`: a backup becomes the state of this home. Everything is checked before anything is written.

What was there is never deleted: the former database stays beside as a schema of its own, former secrets under another name, and
the archive only grows, since nothing in it may be replaced. Afterwards nothing leaves the house until a person has reconciled
the outbox with what was really sent (actions/restoration.py).
"""

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from actions import archive, restoration
from deployments.backup import postgres
from deployments.backup.contents import (
    DUMP,
    ENVIRONMENT,
    Backup,
    Phase,
    chosen,
    copied,
    free_or_raise,
    sha256_of,
    verify,
)  # fmt: skip
from deployments.backup.postgres import BackupError
from deployments.instance import Instance
from deployments.tenure import Tenure
from integrations.archive.port import ArchiveDamagedError, ArchivedRef, ArchiveMissingError
from kit import clock
from kit.database import Role, dispose_engines, engine, unit_of_work
from kit.errors import ConflictError, DrehkreuzError
from kit.postgres import database_for_home
from kit.process import try_lock
from kit.settings import PREFIX, home, settings
from models import schema
from models.migrations.security import harden
from models.plumbing import ArchivedObject

SEEDED = frozenset({"alembic_version", "check_catalogue"})
"""Tables that migrations fill: a database that has rows only there is empty."""
FORMER = "frueher_"
"""What was there before a restore lies in a schema of this name and an instant."""
_DUMP_GROWS = 8
"""A compressed dump becomes about so many times its size on disk."""


@dataclass(frozen=True, slots=True)
class Present:
    """What this home holds before the restore."""

    rows: int
    customers: int
    invoices: int


@dataclass
class Restored:
    """What was done; `troubles` are German sentences about what a person should look at."""

    backup: Backup
    former: str
    objects: int
    troubles: list[str] = field(default_factory=list)


def restore(
    source: Path, target: Instance, phase: Phase, *, replace: bool = False, agree: Callable[[Present, Backup], bool]
) -> Restored | None:
    """Bring a backup into this home; None when the person said no.

    Args:
        source: a backup, or the folder that holds them (then the newest).
        target: the instance; its services must not run, nor those of another home on the same database.
        phase: opens a progress bar.
        replace: allow a home that holds rows already.
        agree: asked before a filled home is replaced.

    Raises:
        BackupError: the backup is damaged or does not fit; nothing was changed.
        ConflictError: services run, or the home is filled.
    """
    backup = chosen(source)
    _check_schema(backup)
    with _no_services(target):
        sums = verify(backup, phase)
        with database_for_home(), Tenure(target.home):
            try:
                present = _present()
                if present.rows and not replace:
                    raise ConflictError(
                        f"Rückspielung: {home()} ist nicht leer ({present.customers} Kunden, {present.invoices} Rechnungen). "
                        "Nehmen Sie einen leeren Heimordner (DREHKREUZ_HOME), oder bestätigen Sie mit --replace; der jetzige "
                        "Stand bleibt daneben erhalten."
                    )
                if present.rows and not agree(present, backup):
                    return None
                return _restored(backup, sums, present, phase)
            finally:
                dispose_engines()


@contextlib.contextmanager
def _no_services(target: Instance) -> Iterator[None]:
    held = try_lock(target.lock)
    if held is None:
        raise ConflictError(f"Rückspielung: In {target.home} laufen die Dienste. Beenden Sie zuerst »drehkreuz up«.")
    try:
        yield
    finally:
        os.close(held)


def _check_schema(backup: Backup) -> None:
    if backup.manifest.schema_revision not in schema.revisions():
        raise BackupError(
            f"{backup.folder}: Die Sicherung hat das Schema {backup.manifest.schema_revision}, dieses Programm kennt nur "
            f"{schema.head()}. Spielen Sie sie mit dem Programm zurück, das sie gemacht hat, oder einem neueren."
        )


def _present() -> Present:
    with engine(Role.OWNER).connect() as connection:
        tables = connection.scalars(sa.text("select tablename from pg_tables where schemaname = 'public'")).all()
        filled = sum(
            bool(connection.scalar(sa.text(f'select exists (select 1 from public."{table}")')))  # noqa: S608
            for table in tables
            if table not in SEEDED
        )

        def count(table: str) -> int:
            return int(connection.scalar(sa.text(f"select count(*) from public.{table}")) or 0) if table in tables else 0  # noqa: S608

        return Present(filled, count("customer"), count("invoice"))


def _restored(backup: Backup, sums: dict[str, str], present: Present, phase: Phase) -> Restored:
    now = clock.now()
    stamp = f"{now:%Y%m%dT%H%M%SZ}".lower()
    former = f"{FORMER}{stamp}" if present.rows else ""
    missing = _archive_to_copy(backup, sums)
    _check_room(backup, missing)
    done = Restored(backup, former, backup.manifest.objects)
    _copy_archive(backup, missing, phase)
    _home_files(backup, sums, stamp, done)
    with phase("Datenbank zurückspielen") as bar:
        bar(0, 1)
        _database(backup, former, now)
        bar(1, 1)
    with phase("Archiv vergleichen") as bar:
        _compare_objects(backup, done, bar)
    return done


# --- archive -------------------------------------------------------------------------------------------------------------


def _archive_to_copy(backup: Backup, sums: dict[str, str]) -> list[str]:
    """Files of the archive folder that are not here yet. Raises: ConflictError when one is here with other bytes."""
    if backup.manifest.archive != "folder" or settings().archive != "folder":
        return []
    wanted = []
    for name, digest in sums.items():
        if not name.startswith("archive/"):
            continue
        there = home() / name
        if not there.exists():
            wanted.append(name)
        elif not name.endswith(".meta.json") and sha256_of(there) != digest:  # a sidecar may name a later day by now
            raise ConflictError(
                f"Rückspielung: {there} liegt mit anderem Inhalt im Archiv als in der Sicherung. Archiviertes wird nie "
                "ersetzt; klären Sie, welche Datei stimmt (drehkreuz run archive_check). Es ist nichts geändert."
            )
    return wanted


def _check_room(backup: Backup, missing: list[str]) -> None:
    copies = sum((backup.folder / name).stat().st_size for name in missing)
    dump = (backup.folder / DUMP).stat().st_size * _DUMP_GROWS
    home().mkdir(parents=True, exist_ok=True)
    free_or_raise(home(), copies + (0 if settings().database_url else dump), "Rückspielung")


def _copy_archive(backup: Backup, missing: list[str], phase: Phase) -> None:
    """Objects come read-only under their name, complete or not at all."""
    with phase("Archiv zurückspielen") as bar:
        for done, name in enumerate(missing, start=1):
            there = home() / name
            passing = there.with_name(f".{there.name[-100:]}.part")
            passing.unlink(missing_ok=True)
            copied(backup.folder / name, passing)
            passing.chmod(0o444)
            passing.replace(there)
            bar(done, len(missing))
    os.sync()


def _compare_objects(backup: Backup, done: Restored, bar: Callable[[int, int], None]) -> None:
    """Every object that the register names must be in the store; from a backup with copies what is missing is put back."""
    with unit_of_work("cli:restore") as session:
        rows = restoration.registered(session)
    moved: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        try:
            version = _found_or_put_back(row, backup.folder / "archive" / row.key)
        except DrehkreuzError as fault:
            done.troubles.append(str(fault))
        else:
            if version != (row.version or ""):
                moved[row.id] = version
        bar(number, len(rows))
    if moved:
        _note_versions(moved)


def _found_or_put_back(row: ArchivedObject, copy: Path) -> str:
    """The version under which the object can be read here: another bucket counts its versions anew."""
    store = archive.store()
    try:
        found = store.look(row.key)
    except ArchiveMissingError:
        if not copy.is_file():
            raise
        content = copy.read_bytes()
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise ArchiveDamagedError(
                f"Archiv: {row.key} liegt in der Sicherung beschädigt; es wurde nicht zurückgelegt."
            ) from None
        return store.put_once(row.key, content, row.content_type, row.retain_until).version
    store.retained_until(row.key)  # an object without a day on which it may go is no archive
    if not row.version or found.version == row.version:
        return row.version or ""
    with contextlib.suppress(ArchiveMissingError):
        store.verify(ArchivedRef(row.key, row.sha256, row.size, row.version))
        return row.version  # a later version lies above it; the one that was archived is there
    store.verify(ArchivedRef(row.key, row.sha256, row.size, found.version))
    return found.version


def _note_versions(moved: dict[int, str]) -> None:
    """The register is frozen, since nobody may point it elsewhere; what was just compared by its hash is the one exception."""
    table = ArchivedObject.__table__
    change = sa.update(ArchivedObject).where(table.c.id == sa.bindparam("row")).values(version=sa.bindparam("new"))
    with engine(Role.OWNER).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE archived_object DISABLE TRIGGER frozen")
        connection.execute(change, [{"row": row, "new": version or None} for row, version in moved.items()])
        connection.exec_driver_sql("ALTER TABLE archived_object ENABLE TRIGGER frozen")


# --- secrets and settings --------------------------------------------------------------------------------------------------


def _home_files(backup: Backup, sums: dict[str, str], stamp: str, done: Restored) -> None:
    """Secrets and settings take the place of those here, which stay beside; hand-over files only fill gaps."""
    for name, digest in sums.items():
        if not name.startswith("home/") or name == ENVIRONMENT:
            continue
        there = home() / name.removeprefix("home/")
        if there.exists():
            if sha256_of(there) == digest or not (name.startswith("home/secrets/") or name == "home/.env"):
                continue
            there.rename(there.with_name(f"{there.name}.{FORMER}{stamp}"))
        copied(backup.folder / name, there)
    _own_database(done)
    _vault_keys(backup, done)


def _own_database(done: Restored) -> None:
    """The settings of the backup must not lead this home to the database of the house that it was made in."""
    file, key = home() / ".env", f"{PREFIX}DATABASE_URL"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [f"# {line}" if line.strip().startswith(f"{key}=") else line for line in lines]
    if kept == lines or key in os.environ:
        return
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    done.troubles.append(
        f"{file}: {key} aus der Sicherung ist auskommentiert; dieses Heim bleibt bei seiner eigenen Datenbank."
    )


def _vault_keys(backup: Backup, done: Restored) -> None:
    """A ring of keys that came by the environment is needed here too: without it no sealed secret opens."""
    key = f"{PREFIX}VAULT_KEYS"
    lines = (backup.folder / ENVIRONMENT).read_text(encoding="utf-8").splitlines()
    given = next((line for line in lines if line.startswith(f"{key}=")), "")
    if not given or settings().vault_keys.get_secret_value():
        return
    file = home() / ".env"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
        out.write(f"{given}\n")
    done.troubles.append(f"Tresor: {key} kam bei der Sicherung aus der Umgebung und steht jetzt in {file} (Modus 0600).")


# --- database --------------------------------------------------------------------------------------------------------------


def _database(backup: Backup, former: str, now: dt.datetime) -> None:
    manifest = backup.manifest
    with engine(Role.OWNER).begin() as connection:
        schema.ensure_roles(connection, new_passwords=True)
    before = [f'ALTER SCHEMA public RENAME TO "{former}"' if former else "DROP SCHEMA IF EXISTS public CASCADE"]
    held = restoration.statements(manifest.made_at, backup.name, now) if "restoration" in manifest.counts else []
    after = ["DELETE FROM public.login_session", *held]
    postgres.load(backup.folder / DUMP, before, after, postgres.renaming(manifest.database, manifest.owner))
    dispose_engines()
    schema.upgrade()
    with engine(Role.OWNER).begin() as connection:
        harden(connection)  # who may enter the database stands in the cluster, not in the backup
    if not held:
        with unit_of_work("cli:restore") as session:
            restoration.hold(session, manifest.made_at, backup.name)
    _compare_counts(backup)


def _compare_counts(backup: Backup) -> None:
    """What was counted when the backup was made is counted here; tables that grow by the restore itself are left out."""
    own = {"login_session", "restoration", "audit_entry", *SEEDED}
    with engine(Role.OWNER).connect() as connection:
        known = set(connection.scalars(sa.text("select tablename from pg_tables where schemaname = 'public'")))
        for table, count in backup.manifest.counts.items():
            if table in own or table not in known:
                continue
            here = connection.scalar(sa.text(f'select count(*) from public."{table}"'))  # noqa: S608
            if here != count:
                raise BackupError(
                    f"Rückspielung: {table} hat {here} statt {count} Zeilen. Spielen Sie eine andere Sicherung ein."
                )


def former_states() -> list[str]:
    """States that a restore has put aside."""
    with engine(Role.OWNER).connect() as connection:
        return list(
            connection.scalars(
                sa.text("select nspname from pg_namespace where nspname like :name order by 1"), {"name": f"{FORMER}%"}
            )
        )


def forget_former() -> list[str]:
    """Delete what earlier restores have put aside; the names."""
    gone = former_states()
    with engine(Role.OWNER).begin() as connection:
        for name in gone:
            connection.exec_driver_sql(f'DROP SCHEMA "{name}" CASCADE')
    for path in [*home().glob(f"secrets/*.{FORMER}*"), *home().glob(f".env.{FORMER}*")]:
        path.unlink()
    return gone
