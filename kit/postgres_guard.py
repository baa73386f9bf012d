"""The parent of an embedded PostgreSQL: starts it, ends it when asked to or when nobody holds a lease any more.

    python -m kit.postgres_guard HOME ""|fast

It is a process of its own, so that the server survives the command that started it while others still use it, and so that
the server ends although every user was killed.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from kit.postgres import STOP_SECONDS, EmbeddedPostgres
from kit.postgres_layout import SYSTEM_USER, clean_environment
from kit.process import die_with_parent, open_lock, run_as, unprivileged_account

PERIOD = 1.0  # seconds until it is noticed that the last lease went with a killed process


def _nobody_left(server: EmbeddedPostgres, held: list[int]) -> bool:
    """Whether no lease is held; then both locks stay with us (in `held`) until we have ended: who comes now, waits."""
    for name in ("start.lock", "users.lock"):
        held.append(open_lock(server.base / name))
        try:
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            while held:
                os.close(held.pop())
            return False
    return True


def _listen_to_signals() -> tuple[int, list[int]]:
    """A descriptor that becomes readable with every signal, and the list of requests to end."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: asked.append(got))
    signal.signal(signal.SIGCHLD, lambda _got, _frame: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return awake, asked


def guard(folder: Path, *, durable: bool) -> int:
    """Stay until the server has ended; its exit code."""
    server = EmbeddedPostgres(folder, durable=durable)
    awake, asked = _listen_to_signals()
    child = subprocess.Popen(
        server.server_command(),
        cwd=server.data,
        stdin=subprocess.DEVNULL,
        env=clean_environment(),
        preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  (this process has one thread)
        **run_as(unprivileged_account(SYSTEM_USER)),
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
        if select.select([awake], [], [], PERIOD)[0]:
            os.read(awake, 512)
    return child.returncode or 0


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), durable=sys.argv[2] != "fast"))
