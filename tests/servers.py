"""Real servers on loopback for tests: S3 with Object Lock, SMTP sinks, certificates. Each ends what it started."""

import contextlib
import datetime as dt
import ipaddress
import os
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

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.archive.s3 import S3Target

REPOSITORY = Path(__file__).resolve().parents[1]


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds at this moment, all different."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} not ready after {seconds} s")
        time.sleep(0.02)


class _Process:
    """A child in its own group, ended with the whole group."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self._log = log.open("ab")
        self._child = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, how)
        self._child.wait(timeout=20)
        self._log.close()


class S3Server:
    """SeaweedFS from its wheel: keeps what it took over `stop` and `start` (also after a kill)."""

    access_key = "drehkreuz-test"
    secret_key = "only-for-tests-on-loopback"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (
            "s3",
            "master",
            "volume",
            "filer",
            "s3.grpc",
            "master.grpc",
            "volume.grpc",
            "filer.grpc",
            "admin",
            "admin.grpc",
        )
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._process: _Process | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3']}"

    def target(self, bucket: str) -> S3Target:
        return S3Target(bucket, self.endpoint_url, self.access_key, self.secret_key, timeout=10)

    def start(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        ports = [
            f"-{name.replace('.grpc', '')}.port{'.grpc' if name.endswith('grpc') else ''}={n}"
            for name, n in self._ports.items()
        ]
        self._process = _Process(
            [
                str(Path(sys.executable).parent / "weed"),
                "mini",
                f"-dir={self._folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                *ports,
                "-master.telemetry=false",
                "-webdav=false",
                "-admin.ui=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ],
            self._folder.with_suffix(".log"),
            {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key},
        )
        wait_until(self._answers, "S3 server")
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _answers(self) -> bool:
        if self._process is not None and not self._process.alive:
            raise RuntimeError(f"S3 server ended: {self._folder.with_suffix('.log').read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/status", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as no:
            return no.code in {400, 403, 404}
        except OSError:
            return False


class SinkProcess:
    """The recording mail sink as the demo runs it: a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: _Process | None = None

    def start(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        port_file = self.folder / "port"
        command = [sys.executable, "-m", "integrations.mail.sink", "--dir", str(self.folder), "--port", str(self.port)]
        self._process = _Process([*command, "--port-file", str(port_file)], self.folder.with_suffix(".log"))
        wait_until(port_file.exists, "mail sink")
        self.port = int(port_file.read_text())
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.end(how)
            self._process = None


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate for loopback: (certificate, key) as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.haus.example")])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 (certificates are checked against the real clock)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mail.pem", folder / "mail.key"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """A running S3 server for the length of the block."""
    server = S3Server(folder).start()
    try:
        yield server
    finally:
        server.stop()
