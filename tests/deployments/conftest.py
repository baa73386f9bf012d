"""One `drehkreuz up` for all tests of the services: real processes in a home of their own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from deployments.instance import MARKER, Instance, instance
from deployments.prefect_api import PrefectApi, PrefectError
from kit.database import Role, dispose_engines, engine
from kit.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def until(ask: Callable[[], T], seconds: float = 30.0, what: str = "") -> T:
    """Ask until the answer is true; faults of a server that is just starting count as no."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
        except PrefectError:
            pass
        assert time.monotonic() < deadline, f"did not happen in {seconds} s: {what or ask}"
        time.sleep(0.05)


@dataclass
class Services:
    """`drehkreuz up` as a child, and the home as this process sees it."""

    home: Path
    process: subprocess.Popen[str] | None = None
    ready_after: float = 0.0
    lines: list[str] = field(default_factory=list)

    @contextmanager
    def here(self) -> Iterator[Instance]:
        """This process looks at that home."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("DREHKREUZ_")}
        for name in kept:
            del os.environ[name]
        os.environ["DREHKREUZ_HOME"] = str(self.home)
        try:
            yield instance()
        finally:
            for role in Role:
                engine(role).dispose()
            dispose_engines()
            del os.environ["DREHKREUZ_HOME"]
            os.environ.update(kept)

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DREHKREUZ_", "PREFECT_"))}
        return clean | {"DREHKREUZ_HOME": str(self.home)}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call of the command line in that home."""
        return subprocess.run(
            [sys.executable, "-m", "deployments.cli", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> None:
        """`drehkreuz up`, until it says that it is ready."""
        log = self.home / "up.log"
        with log.open("w") as file:
            started = time.monotonic()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deployments.cli", "up"],
                cwd=ROOT,
                env=self.environment(),
                stdout=file,
                stderr=file,
                text=True,
                start_new_session=True,
            )

        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, log.read_text()
            return "Strg-C" in log.read_text()

        until(ready, 120, "ready")
        self.ready_after = time.monotonic() - started

    def state(self) -> dict[str, Any]:
        """What the supervisor says of itself."""
        return dict(json.loads((self.home / "run" / "services.json").read_text()))

    def child(self, name: str) -> int:
        pid = self.state()["children"][name]["pid"]
        assert isinstance(pid, int)
        return pid

    def wait_deployed(self) -> None:
        def deployed() -> bool:
            state = self.state()
            assert not state["fault"], state["fault"]
            return bool(state["deployed"])

        until(deployed, 90, "deployed")

    def everything(self) -> list[psutil.Process]:
        """Every process that belongs to this home, the database and the supervisor included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                    continue
                mine = process.environ().get("DREHKREUZ_HOME") == str(self.home)
                database = process.name() == "postgres" and str(self.home) in process.cwd()
                if mine or database or str(self.home) in " ".join(process.cmdline()):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def kill(self, number: int) -> int:
        """Send the supervisor a signal and wait for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    with tempfile.TemporaryDirectory(prefix="drehkreuz-up-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with EmbeddedPostgres(home, durable=False).lease():
            # the data folder was made by a server that does not sync; the supervisor joins it and keeps it that way
            running = Services(home)
            running.start()
        try:
            yield running
        finally:
            running.end()
            until(lambda: not running.everything(), 30, "nothing left")


@pytest.fixture
def api(services: Services) -> Iterator[PrefectApi]:
    with services.here() as target, PrefectApi(target) as client:
        yield client


__all__ = ["MARKER", "Services", "until"]
