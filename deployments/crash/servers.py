"""The outside world of crash test and test suite: real servers on loopback, each a process that ends with its user."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from integrations.archive.s3 import S3Target
from kit.process import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
WEED = Path(sys.executable).parent / "weed"
"""SeaweedFS, a wheel of the development environment."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds at this moment, all different."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Ask until the answer is yes. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: nach {seconds:.0f} s nicht bereit")
        time.sleep(0.02)


class Process:
    """A child in its own group, ended with the whole group; killed with us should we be killed."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self._log = log.open("ab")
        self._child = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ | (environment or {}),
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only asks the kernel, takes no lock
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal the group and wait."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, how)
        self._child.wait(timeout=20)
        self._log.close()


class S3Server:
    """SeaweedFS from its wheel: keeps what it took over `stop` and `start` (also after a kill)."""

    access_key = "drehkreuz-test"
    secret_key = "only-for-tests-on-loopback"  # noqa: S105 - guards nothing but a throw-away server

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (
            "s3", "master", "volume", "filer", "s3.grpc", "master.grpc", "volume.grpc", "filer.grpc", "admin", "admin.grpc",
        )  # fmt: skip
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._process: Process | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3']}"

    def target(self, bucket: str) -> S3Target:
        """How to reach a bucket of this server."""
        return S3Target(bucket, self.endpoint_url, self.access_key, self.secret_key, timeout=10)

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ports = [
            f"-{name.replace('.grpc', '')}.port{'.grpc' if name.endswith('grpc') else ''}={n}"
            for name, n in self._ports.items()
        ]
        command = [
            str(WEED), "mini", f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
            "-master.telemetry=false", "-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        ]  # fmt: skip
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        self._process = Process(command, self._folder.with_suffix(".log"), keys)
        wait_until(self._answers, "S3-Server")
        return self

    def stop(self) -> None:
        """End it; what it stored stays."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def start_empty(self) -> None:
        """Start again with nothing in it, under the same address."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.start()

    def _answers(self) -> bool:
        if self._process is not None and not self._process.alive:
            raise RuntimeError(f"S3-Server endete: {self._folder.with_suffix('.log').read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/status", timeout=2) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except urllib.error.HTTPError as no:
            return no.code in {400, 403, 404}
        except OSError:
            return False


class SinkProcess:
    """The recording mail sink: a real SMTP server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: Process | None = None

    def start(self) -> Self:
        """Start it and wait until it takes connections; a second start takes the same port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port_file = self.folder / "port"
        command = [sys.executable, "-m", "integrations.mail.sink", "--dir", str(self.folder), "--port", str(self.port)]
        command += ["--port-file", str(port_file)]
        self._process = Process(command, self.folder.with_suffix(".log"), {"PYTHONPATH": str(ROOT)})
        wait_until(port_file.exists, "Mailsenke")
        self.port = int(port_file.read_text())
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; its mails stay."""
        if self._process is not None:
            self._process.end(how)
            self._process = None


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """A running S3 server for the length of the block."""
    server = S3Server(folder).start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def mail_sink(folder: Path) -> Iterator[SinkProcess]:
    """A running sink for the length of the block."""
    sink = SinkProcess(folder).start()
    try:
        yield sink
    finally:
        sink.stop()
