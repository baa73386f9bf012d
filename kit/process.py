"""Processes, ports, locks and accounts of the machine."""

import contextlib
import fcntl
import gc
import hashlib
import math
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from kit.errors import DrehkreuzError


class ProcessError(DrehkreuzError):
    """The machine does not give what a process of ours needs."""


# --- ports -------------------------------------------------------------------------------------------------------------


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


# --- locks; the kernel drops them with their process, however it ends ----------------------------------------------------


def open_lock(path: Path) -> int:
    """A descriptor to lock; not inherited by programs that we start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it for the time of the block."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def try_lock(path: Path) -> int | None:
    """Take the lock if it is free; the descriptor holds it until closed or until this process ends."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock at this moment."""
    handle = try_lock(path) if path.exists() else None
    if handle is not None:
        os.close(handle)
        return False
    return path.exists()


# --- the machine ------------------------------------------------------------------------------------------------------


def usable_cores(root: Path = Path("/sys/fs/cgroup")) -> int:
    """How many cores this process may use: those of its affinity, and no more than a container's share (cgroup v2)."""
    cores = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def machine() -> str:
    """Name of the machine, in a container of the container: processes are only seen from inside the same one.

    The host's name for people; behind it what tells two with the same name apart (start of the kernel, space of process ids).
    """
    told = socket.gethostname()
    with contextlib.suppress(OSError):
        told += Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        told += str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"


# --- processes ---------------------------------------------------------------------------------------------------------


def marked(name: str, value: str) -> list[psutil.Process]:
    """All processes whose environment carries that variable: children and theirs, whatever session they are in."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(name) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_processes(find: Callable[[], Iterable[psutil.Process]], patience: float = 10.0) -> None:
    """Ask what `find` finds to end, insist after `patience` seconds; returns when nothing is found any more."""
    asked: set[int] = set()
    insist = time.monotonic() + patience
    while processes := list(find()):
        for process in processes:
            with contextlib.suppress(psutil.Error):
                if time.monotonic() > insist:
                    process.kill()
                elif process.pid not in asked:
                    asked.add(process.pid)
                    process.terminate()
        time.sleep(0.05)


def ends(process: subprocess.Popen[bytes], patience: float) -> bool:
    """Wait for a child's end; False when it still runs after `patience` seconds."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def die_with_parent(number: signal.Signals) -> Callable[[], object]:
    """What a child does before it becomes its program: on Linux, ask the kernel for a signal should the parent be killed.

    The library is loaded by the caller: the child may already run as an account that cannot read our Python.
    """
    if sys.platform != "linux":
        return lambda: None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, int(number))  # PR_SET_PDEATHSIG


# --- accounts ------------------------------------------------------------------------------------------------------------


def unprivileged_account(name: str) -> pwd.struct_passwd | None:
    """The account for programs that refuse to run as root, made when missing; None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(name)
    for command in (
        ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", name],
    ):
        with contextlib.suppress(OSError):
            subprocess.run(command, capture_output=True, check=False)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise ProcessError(
            "Datenbank: PostgreSQL läuft nicht als root, und ein eigenes Konto ließ sich nicht anlegen. "
            f"Legen Sie das Systemkonto »{name}« an oder starten Sie Drehkreuz als gewöhnlicher Benutzer."
        ) from None


def run_as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of `subprocess` to run a program as that account."""
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


_OF_THE_HOUSE = ("archive", "belege", "log", "mail", "prefect", "run", "sap", "secrets", ".env", "postgres.json")


def keep_private(home: Path) -> None:
    """Close a home to every other account of the machine: it holds a house's papers, mails and secrets.

    The folder itself may still be passed through where it was (root's database works as another account; a watched folder may
    be open to the program that fills it), but nobody else lists it. What is none of ours stays as it is.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, closed in ((".", 0o066), *((name, 0o077) for name in _OF_THE_HOUSE)):
        path = home / name
        with contextlib.suppress(OSError):  # not there, or not ours to change
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & closed and not path.is_symlink():
                path.chmod(mode & ~closed)


def let_through(path: Path, account: pwd.struct_passwd | None) -> None:
    """Let the account pass through the folders down to `path`: search permission only, nothing becomes listable."""
    if account is None:
        return
    for folder in [*reversed(path.parents), path]:
        mode = folder.stat()
        own = mode.st_uid == account.pw_uid and mode.st_mode & stat.S_IXUSR
        if not own and not mode.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)


# --- memory ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def no_cycle_search() -> Iterator[None]:
    """While a mass of values is built that all stay: looking through them for cycles, again and again, finds none."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()
