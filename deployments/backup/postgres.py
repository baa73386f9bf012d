"""The database of a backup: written by PostgreSQL's own `pg_dump`, brought back as one transaction.

The dump is read as SQL by `pg_restore` and fed to `psql` between our BEGIN and COMMIT: who is killed in between has changed
nothing. On its way the names of roles are rewritten, since they carry the database's name; rows pass untouched.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from kit.database import Role, engine, owner_url
from kit.errors import DrehkreuzError
from kit.postgres_layout import PostgresError, binaries, clean_environment

CLIENT_PACKAGE = "sudo apt-get install -y postgresql-client"
COMPRESSION = "gzip:3"
_COPY = re.compile(rb"COPY .* FROM stdin;\r?\n")
_WHO = re.compile(rb"^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) ")


class BackupError(DrehkreuzError):
    """The backup cannot be made or brought back; nothing was changed."""


def programs(server: int) -> Path:
    """The folder of `pg_dump`, `pg_restore`, `psql` that speak to a server of this major version.

    The embedded server brings them along; they also serve any older server. A newer one needs those of its own version.
    """
    try:
        shipped = binaries()
    except PostgresError:
        shipped = None
    found = shutil.which("pg_dump")
    for folder in (shipped, Path(found).parent if found else None):
        if folder is not None and _major(folder / "pg_dump") >= server:
            return folder
    raise BackupError(
        f"Sicherung: Für PostgreSQL {server} fehlen »pg_dump« und »psql« in mindestens dieser Version. "
        f"Installieren Sie sie auf diesem Rechner: {CLIENT_PACKAGE}"
    )


def _major(program: Path) -> int:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    number = re.search(r"(\d+)(?:\.\d+)?\s*(?:\(|$)", done.stdout)
    return int(number[1]) if number else 0


def server_version(connection: sa.Connection) -> int:
    """The server's major version."""
    return int(connection.scalar(sa.text("show server_version_num"))) // 10000


def _address() -> tuple[str, dict[str, str]]:
    """The owner's address for PostgreSQL's programs; the password goes by the environment, never by the command line."""
    owner = owner_url()
    shown = owner.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return shown, clean_environment() | ({"PGPASSWORD": str(owner.password)} if owner.password else {})


def dump(connection: sa.Connection, file: Path) -> None:
    """Write the public schema as the open transaction of `connection` sees it; others go on working meanwhile."""
    snapshot = connection.scalar(sa.text("select pg_export_snapshot()"))
    address, environment = _address()
    command = [str(programs(server_version(connection)) / "pg_dump"), "--format=custom", f"--compress={COMPRESSION}"]
    command += ["--schema=public", f"--snapshot={snapshot}", "--no-password", f"--file={file}", f"--dbname={address}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"Sicherung: pg_dump ist gescheitert. {_last(done.stderr)}")


def check_dump(file: Path, server: int) -> None:
    """Whether the dump can be read at all. Raises: BackupError."""
    done = subprocess.run(
        [str(programs(server) / "pg_restore"), "--list", str(file)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{file}: Der Abzug der Datenbank ist nicht lesbar. {_last(done.stderr)}")


def load(file: Path, before: Sequence[str], after: Sequence[str], rename: Callable[[bytes], bytes]) -> None:
    """Run `before`, the dump and `after` as one transaction of the owner: all of it or nothing."""
    with engine(Role.OWNER).connect() as connection:
        version = server_version(connection)
    tools = programs(version)
    address, environment = _address()
    reader = subprocess.Popen(
        [str(tools / "pg_restore"), "--no-owner", "--file=-", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    writer = subprocess.Popen(
        [str(tools / "psql"), "-X", "-q", "--no-password", "-v", "ON_ERROR_STOP=1", f"--dbname={address}", "--file=-"],
        env=environment | {"PGOPTIONS": "-c client_min_messages=warning"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if reader.stdout is None or writer.stdin is None:
        raise BackupError("Rückspielung: pg_restore und psql ließen sich nicht verbinden.")
    whole = False
    try:
        _say(writer.stdin, "BEGIN", "SET LOCAL lock_timeout = '30s'", *before)
        for line in filtered(reader.stdout, rename, version):
            writer.stdin.write(line)
        whole = reader.wait() == 0
        if whole:
            _say(writer.stdin, *after, "COMMIT")
    except BrokenPipeError:
        pass  # psql has stopped and says why
    finally:
        reader.kill()
        _, words = writer.communicate()
        _, reading = reader.communicate()
    if writer.returncode or not whole:
        reason = words.decode("utf-8", "replace") or reading.decode("utf-8", "replace")
        raise BackupError(f"Rückspielung: Die Datenbank hat sie abgelehnt, es ist nichts geändert. {_last(reason)}")


def _say(pipe: IO[bytes], *statements: str) -> None:
    for statement in statements:
        pipe.write(statement.encode() + b";\n")


def filtered(lines: IO[bytes] | Sequence[bytes], rename: Callable[[bytes], bytes], version: int) -> Iterator[bytes]:
    """The SQL of a dump for this server: other names of roles, no setting that an older server does not know."""
    rows = False
    for line in lines:
        if rows:
            rows = line.rstrip(b"\r\n") != b"\\."
            yield line
            continue
        rows = _COPY.fullmatch(line) is not None
        if version < 17 and line.startswith(b"SET transaction_timeout"):
            continue
        if line.startswith(b"CREATE SCHEMA public;"):
            line = b"CREATE SCHEMA IF NOT EXISTS public;\n"  # noqa: PLW2901
        yield line if rows else rename(line)


def renaming(database: str, owner: str) -> Callable[[bytes], bytes]:
    """Names of the roles of a backup -> those of the present database and owner."""
    here = owner_url()
    roles = "|".join(role.value for role in Role if role is not Role.OWNER)
    old_roles = re.compile(rf'"?\b{re.escape(database)}_({roles})\b"?'.encode())
    new_roles = rf'"{here.database}_\1"'.encode()
    old_owner = re.compile(rf'(?<= )"?{re.escape(owner)}"?(?=[ ;])'.encode())
    new_owner = f'"{here.username}"'.encode()

    def rename(line: bytes) -> bytes:
        line = old_roles.sub(new_roles, line)
        return old_owner.sub(new_owner, line) if owner != here.username and _WHO.match(line) else line

    return rename


def _last(words: str) -> str:
    lines = [line.strip() for line in words.strip().splitlines() if line.strip()]
    return " | ".join(lines[-3:])
