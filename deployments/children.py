"""The processes of a home as a table, and one of them as the supervisor sees it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deployments.instance import POOL, ROOT, WORKER_LIMIT, Instance
from deployments.keeper import worker_name
from kit.settings import secret_names, settings

LOG_LIMIT = 10_000_000  # bytes; then one older file is kept
BACKOFF_FIRST, BACKOFF_LAST = 0.5, 30.0
STEADY = 60.0  # seconds after which a process counts as recovered


@dataclass
class Child:
    """One supervised process.

    Args:
        name: its name in log files and in `doctor`.
        title: German name for people.
        command: arguments; a Python of our own.
        environment: what it needs besides the common environment.
        patience: seconds it gets to end by itself.
        without: names (or beginnings of names) of what it does not need of the common environment, secrets above all.
    """

    name: str
    title: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 10.0
    without: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    asked: float = 0.0
    starts: int = 0
    due: float = 0.0
    backoff: float = BACKOFF_FIRST

    def start(self, target: Instance, marker: str) -> None:
        """Start it, its output goes to `<home>/log/<name>.log`."""
        target.logs.mkdir(parents=True, exist_ok=True)
        path = target.logs / f"{self.name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.needed(target.environment(marker)) | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the children in order
            )
        self.started, self.asked = time.monotonic(), 0.0
        self.starts += 1

    def needed(self, common: dict[str, str]) -> dict[str, str]:
        """The common environment without what this process does not need."""
        return {name: value for name, value in common.items() if not name.startswith(self.without or ("\0",))}

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def fell(self) -> int | None:
        """The exit code when it has ended by itself."""
        return None if self.process is None else self.process.poll()

    def plan_restart(self) -> float:
        """When to start it again: at once after a long life, ever later when it keeps falling."""
        now = time.monotonic()
        if now - self.started > STEADY:
            self.backoff = BACKOFF_FIRST
        self.process, self.due = None, now + self.backoff
        self.backoff = min(self.backoff * 2, BACKOFF_LAST)
        return self.due - now

    def ask_to_end(self) -> None:
        if self.alive() and self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
                self.asked = self.asked or time.monotonic()

    def insist(self) -> None:
        """Kill it once it had its time to end by itself."""
        if self.alive() and self.process is not None and time.monotonic() - self.asked > self.patience:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Wait for its end; insist on it when its time is over."""
        if self.process is None:
            return
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self, target: Instance, lines: int = 5) -> str:
        """The end of its log."""
        try:
            text = (target.logs / f"{self.name}.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def server(target: Instance) -> Child:
    """Prefect's server, by its application factory: a second less than by its own command line."""
    command = _python("uvicorn", "--factory", "prefect.server.api.server:create_app")
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(target.prefect_port),
        "--log-level",
        "warning",
        "--timeout-keep-alive",
        "5",
    ]
    return Child("prefect", "Prefect-Server", command, target.prefect_server(), without=secret_names())


def worker(_target: Instance) -> Child:
    """The worker of the process pool; it makes the pool at its first start."""
    command = _python("prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", worker_name())
    return Child("worker", "Worker", [*command, "--limit", str(WORKER_LIMIT)], patience=15.0)


def background(target: Instance) -> Child:
    """Relay and keeper, with health and metrics at the home's own address."""
    listen = {"DREHKREUZ_HEALTH_LISTEN": settings().health_listen or f"127.0.0.1:{target.health_port}"}
    return Child("background", "Relay und Keeper", _python("deployments.background"), listen)


def doorbell(_target: Instance) -> Child:
    listen = {"DREHKREUZ_HEALTH_LISTEN": "127.0.0.1:0"}
    return Child("doorbell", "Türklingel", _python("deployments.doorbell"), listen, patience=15.0)


def portal(target: Instance) -> Child:
    command = _python("uvicorn", "portal.app:app", "--host", "127.0.0.1", "--port", str(target.portal_port))
    quiet = ["--log-level", "warning", "--no-server-header", "--forwarded-allow-ips", settings().portal_proxies]
    return Child("portal", "Portal", [*command, *quiet], without=("PREFECT_",))


def sink(target: Instance) -> Child:
    command = _python("integrations.mail.sink", "--dir", str(target.mail_folder), "--port", str(target.sink_port))
    return Child("sink", "Mailsenke", command, without=("PREFECT_", *secret_names()))


def at_once(target: Instance) -> list[Callable[[Instance], Child]]:
    """What may start as soon as the database is up; the others need the Prefect server, and the processor is shared."""
    return [*([sink] if target.uses_sink() else []), portal, doorbell]
