"""The embedded PostgreSQL of a home: the binaries of a pip wheel, data under `<home>/postgres/`, one server per home.

Who owns it: **the last one out switches off the light.** Every process that works with the database holds a *lease*, a
shared lock on one file; the kernel drops it when the process dies, however it dies. A small guard process is the
server's parent; as soon as no lease is left it shuts the server down. So a command that finds no server starts one
and it ends with that command, a second command or the supervisor may join meanwhile and keeps it alive, and nothing
is left over after `kill -9` of anybody. All decisions to start or stop are taken under a second lock, one at a time.

The server listens on 127.0.0.1 only, on a port chosen free once and remembered in `<home>/postgres.json` together with
the passwords (mode 0600). Everybody signs in by SCRAM. Inside, the owner `drehkreuz` may create databases and roles
but is no superuser, as on any foreign server.
"""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil

from kit.postgres_layout import (
    DATABASE,
    NOT_DURABLE,
    OWNER,
    SERVER_SETTINGS,
    SUPERUSER,
    SYSTEM_USER,
    Address,
    PostgresError,
    anyone_in,
    binaries,
    clean_environment,
    is_postgres_of,
)
from kit.process import (
    ends,
    free_port,
    keep_private,
    let_through,
    locked,
    open_lock,
    port_is_free,
    run_as,
    unprivileged_account,
)

START_SECONDS = 120  # a recovery after a hard crash replays the log first
STOP_SECONDS = 30
PASSING_FAULTS = ("pre-existing shared memory", "could not bind", "Address already in use")
"""The old server's last backend still ends, or another program took the port this moment: one more attempt."""


class EmbeddedPostgres:
    """The server of one home.

    Args:
        folder: the home; data go to `postgres/` below it, the address to `postgres.json`.
        durable: False gives up safety against power loss for speed (tests).
    """

    def __init__(self, folder: Path | str, *, durable: bool = True) -> None:
        self.folder = Path(folder).resolve()
        self.base = self.folder / "postgres"
        self.data = self.base / "data"
        self.address_file = self.folder / "postgres.json"
        self.durable = durable

    # --- looking -----------------------------------------------------------------------------------------------------

    def postmaster(self) -> int | None:
        """The server's process id while it runs (starting and stopping included), else None."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if is_postgres_of(pid, self.data) else None

    def ready(self) -> bool:
        """Whether the server runs and takes connections."""
        lines = self._pid_file_lines()
        return len(lines) > 7 and lines[7].strip() == "ready" and self.postmaster() is not None

    def address(self) -> Address:
        """The remembered address; an error when this home never had a server."""
        try:
            stored = json.loads(self.address_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PostgresError(f"Datenbank: In {self.folder} wurde noch keine angelegt.") from None
        return Address(**{key: stored[key] for key in Address.__dataclass_fields__ if key in stored})

    def url(self, database: str = DATABASE, user: str = "", password: str = "", driver: str = "psycopg") -> str:
        """An SQLAlchemy address; without user the owner. `driver` is `psycopg`, `asyncpg` or empty for libpq's form."""
        known = self.address()
        user = user or known.user
        if not password:
            password = known.superuser_password if user == SUPERUSER else known.password
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{quote(user)}:{quote(password, safe='')}@{known.host}:{known.port}/{quote(database)}"

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    # --- leases ------------------------------------------------------------------------------------------------------

    def lease(self) -> "Lease":
        """Keep the server running while the lease is held: `with server.lease(): ...`."""
        return Lease(self)

    # --- starting and stopping; all under the start lock ---------------------------------------------------------------

    def _start(self) -> None:
        """Bring the server up. The caller holds the start lock and a lease."""
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.postmaster() is None:
                self._prepare()
                guard = self._spawn_guard()
                self._await_ready(guard, deadline)
            elif time.monotonic() > deadline:
                raise PostgresError(f"Datenbank: Der Server in {self.base} antwortet nicht. {self._last_words()}")
            else:
                time.sleep(0.02)
        if not self.address().provisioned:
            self._provision()

    def _prepare(self) -> None:
        account = unprivileged_account(SYSTEM_USER)
        keep_private(self.folder)
        self.base.mkdir(mode=0o755, parents=True, exist_ok=True)
        let_through(self.base, account)
        let_through(binaries(), account)
        self._choose_address()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(account)
        self._drop_stale_pid_file()

    def _choose_address(self) -> None:
        try:
            known = self.address()
        except PostgresError:
            known = Address("127.0.0.1", free_port(), OWNER, secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        port = known.port if port_is_free(known.port) else free_port()
        self._remember(port=port, known=known, provisioned=known.provisioned and (self.data / "PG_VERSION").exists())

    def _remember(self, *, known: Address, port: int, provisioned: bool) -> None:
        content = known.__dict__ | {"port": port, "provisioned": provisioned}
        new = self.address_file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        new.replace(self.address_file)

    def _initialise(self, account: pwd.struct_passwd | None) -> None:
        """Make the data folder beside its place and move it there when complete: a killed start leaves nothing half."""
        new = Path(tempfile.mkdtemp(prefix="new-", dir=self.base))
        password_file = new / "password"
        password_file.write_text(self.address().superuser_password, encoding="utf-8")
        if account is not None:
            os.chown(new, account.pw_uid, account.pw_gid)
            os.chown(password_file, account.pw_uid, account.pw_gid)
        command = [str(binaries() / "initdb"), "-D", str(new / "data"), "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"]
        try:
            done = subprocess.run(
                command, cwd=new, env=clean_environment(), capture_output=True, text=True, check=False, **run_as(account)
            )
            if done.returncode:
                reason = done.stderr.strip() or done.stdout.strip()
                raise PostgresError(f"Datenbank: {self.data} lässt sich nicht anlegen. {reason}")
            shutil.rmtree(self.data, ignore_errors=True)
            (new / "data").rename(self.data)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        if self.durable:
            os.sync()  # initdb's own pass over each file takes seconds; one for the machine is as safe

    def _drop_stale_pid_file(self) -> None:
        """A number reused by another process after a restart would make PostgreSQL refuse to start.

        When nobody has that number, PostgreSQL clears the file itself, after a look for surviving backends.
        """
        lines = self._pid_file_lines()
        if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])) and not anyone_in(self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def server_command(self) -> list[str]:
        """The command line of the server itself."""
        options = SERVER_SETTINGS | ({} if self.durable else NOT_DURABLE) | {"port": str(self.address().port)}
        command = [str(binaries() / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _spawn_guard(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[1])
        environment = clean_environment() | {"PYTHONPATH": root}
        with (self.base / "start.log").open("wb") as log:
            guard = subprocess.Popen(
                [sys.executable, "-m", "kit.postgres_guard", str(self.folder), "" if self.durable else "fast"],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _guards.append(guard)
        return guard

    def _await_ready(self, guard: subprocess.Popen[bytes], deadline: float) -> None:
        while not self.ready():
            if guard.poll() is not None:
                if self.ready():
                    return
                words = self._last_words()
                if any(fault in words for fault in PASSING_FAULTS) and time.monotonic() < deadline:
                    time.sleep(0.2)
                    return
                raise PostgresError(f"Datenbank: Der Server in {self.base} startet nicht. {words}")
            if time.monotonic() > deadline:
                words = self._last_words()
                raise PostgresError(f"Datenbank: Der Server in {self.base} ist nach {START_SECONDS} s nicht bereit. {words}")
            time.sleep(0.01)

    def _last_words(self) -> str:
        try:
            words = (self.base / "start.log").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            words = ""
        newest = sorted((self.data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        tail = newest[-1].read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:] if newest else []
        return " | ".join([*words.splitlines()[-5:], *tail])

    def _provision(self) -> None:
        """Create the owner and our database; may be repeated."""
        import psycopg
        from psycopg import sql

        known = self.address()
        with psycopg.connect(self.url("postgres", SUPERUSER, driver=""), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_roles where rolname = %s", [OWNER]).fetchone():
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(OWNER)))
            connection.execute(
                sql.SQL("alter role {} login createdb createrole password {}").format(
                    sql.Identifier(OWNER), sql.Literal(known.password)
                )
            )
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )
        self._remember(known=known, port=known.port, provisioned=True)

    def _stop(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is on disk. The caller holds the start lock."""
        pid = self.postmaster()
        if pid is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if self.postmaster() is None:
                    break
                time.sleep(0.01)
            else:
                continue
            break
        for guard in [known for known in _guards if known.args[-2] == str(self.folder)]:  # type: ignore[index]
            ends(guard, 5)
        _guards[:] = [guard for guard in _guards if guard.poll() is None]


_guards: list[subprocess.Popen[bytes]] = []  # children of this process, reaped when their server ends


class Lease:
    """A right to a running server; see the module's rule."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._users: int | None = None

    def __enter__(self) -> Self:
        self.server.base.mkdir(mode=0o755, parents=True, exist_ok=True)
        with locked(self.server.base / "start.lock"):
            self._users = open_lock(self.server.base / "users.lock")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                self.server._start()  # noqa: SLF001
            except BaseException:
                self._drop()
                raise
        return self

    def ensure(self) -> bool:
        """Start the server again if it fell; True when that was necessary (the supervisor's part)."""
        if self.server.ready():
            return False
        with locked(self.server.base / "start.lock"):
            if self.server.ready():
                return False
            self.server._start()  # noqa: SLF001
        return True

    def release(self) -> None:
        """Give the lease back; the last one waits until the server has shut down."""
        if self._users is None:
            return
        with locked(self.server.base / "start.lock"):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # others still work with it
            else:
                self.server._stop()  # noqa: SLF001
            finally:
                self._drop()

    def _drop(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def home_lease() -> Lease | None:
    """A lease on this home's database, not yet taken; None with `DREHKREUZ_DATABASE_URL`, which is only checked."""
    from kit.settings import home, settings

    foreign = settings().database_url
    if foreign:
        _check_foreign(foreign)
        return None
    return EmbeddedPostgres(home()).lease()


@contextlib.contextmanager
def database_for_home() -> Iterator[None]:
    """The database of this home for the time of the block.

    With `DREHKREUZ_DATABASE_URL` it only makes sure that the server answers; else it takes a lease on the embedded one,
    which starts it when it does not run and ends it afterwards when nobody else uses it.
    """
    with home_lease() or contextlib.nullcontext():
        yield


def _check_foreign(url: str) -> None:
    import psycopg

    scheme, _, rest = url.partition("://")
    try:
        with psycopg.connect(f"{scheme.split('+')[0]}://{rest}", connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise PostgresError(
            f"Datenbank: DREHKREUZ_DATABASE_URL ist nicht erreichbar ({reason}). Prüfen Sie Adresse und Kennwort."
        ) from error
    if version < 150000:
        raise PostgresError(f"Datenbank: PostgreSQL {version // 10000} ist zu alt; nötig ist mindestens Version 15.")
