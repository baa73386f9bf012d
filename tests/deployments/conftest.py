"""One `drehkreuz up` for all tests of the services: real processes in a home of their own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import sqlalchemy as sa

from deployments.instance import MARKER, Instance, instance
from deployments.prefect_api import PrefectApi, PrefectError
from deployments.prefect_database import url as prefect_url
from kit import clock
from kit.database import Role, dispose_engines, engine
from kit.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
SLOWER = 5
"""A machine that runs other tests beside these may take so many times longer than a quiet one before a wait counts as lost."""
T = TypeVar("T")


def until(ask: Callable[[], T], seconds: float = 30.0, what: str = "") -> T:
    """Ask until the answer is true; faults of a server that is just starting count as no. `seconds`: of a quiet machine."""
    deadline = time.monotonic() + seconds * SLOWER
    while True:
        try:
            if answer := ask():
                return answer
        except PrefectError:
            pass
        assert time.monotonic() < deadline, f"did not happen in {seconds * SLOWER} s: {what or ask}"
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
        return clean | {"DREHKREUZ_HOME": str(self.home), "DREHKREUZ_REPORT_GRACE_DAYS": "0"}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call of the command line in that home."""
        return subprocess.run(
            [sys.executable, "-m", "deployments.cli", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120 * SLOWER,
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
        return self.process.wait(60 * SLOWER)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)

    def sweep(self) -> None:
        """End by force what a test that failed has left running."""
        for left in self.everything():
            with suppress(psutil.Error):
                left.kill()


@contextmanager
def running_services() -> Iterator[Services]:
    """All services on a home of their own, ended with everything at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-up-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with EmbeddedPostgres(home, durable=False).lease():
            # the data folder was made by a server that does not sync; the supervisor joins it and keeps it that way
            running = Services(home)
            running.start()
        try:
            yield running
        finally:
            try:
                running.end()
                until(lambda: not running.everything(), 30, "nothing left")
            finally:
                running.sweep()


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    with running_services() as running:
        yield running


@pytest.fixture
def api(services: Services) -> Iterator[PrefectApi]:
    with services.here() as target, PrefectApi(target) as client:
        yield client


@dataclass(frozen=True)
class History:
    """Runs in Prefect's database that ended so many days ago, each with a log line and events of six or eight days ago."""

    runs: dict[int, str]

    def left(self, services: Services) -> dict[str, set[int]]:
        """Of which days runs, log lines and events are still there."""
        asked = {
            "runs": "select id::text from flow_run",
            "logs": "select flow_run_id::text from log",
            "events": "select replace(resource_id, 'prefect.flow-run.', '') from events",
        }
        with services.here(), prefect_rows() as rows:
            found = {name: set(rows.scalars(sa.text(statement))) for name, statement in asked.items()}
        return {name: {days for days, run in self.runs.items() if run in there} for name, there in found.items()}


@contextmanager
def prefect_rows() -> Iterator[sa.Connection]:
    """Prefect's own database, as its server sees it."""
    own = sa.create_engine(prefect_url().set(drivername="postgresql+psycopg"))
    with own.begin() as connection:
        yield connection
    own.dispose()


@pytest.fixture(scope="session")
def history(services: Services) -> History:
    """Runs of 89 and 91 days ago, with what Prefect wrote of them then."""
    runs = {}
    with services.here() as target, PrefectApi(target) as api, prefect_rows() as rows:
        flow = api._ask("POST", "/flows/", {"name": "Alt"})["id"]
        for days in (89, 91):
            run = str(api._ask("POST", "/flow_runs/", {"flow_id": flow, "state": {"type": "RUNNING"}})["id"])
            api.set_state(run, {"type": "COMPLETED", "name": "Completed"}, force=True)
            line = {"name": "x", "level": 20, "message": "alt", "flow_run_id": run}
            api._ask("POST", "/logs/", [line | {"timestamp": clock.now().isoformat()}])
            runs[days] = run
    made = History(runs)
    until(lambda: made.left(services) == {kind: set(runs) for kind in ("runs", "logs", "events")}, 30, "all is written")
    age = "interval '1 day' * :days where"
    with services.here(), prefect_rows() as rows:
        for days, run in runs.items():
            about = {"run": run, "days": days, "resource": f"prefect.flow-run.{run}"}
            rows.execute(sa.text(f"update flow_run set end_time = end_time - {age} id = cast(:run as uuid)"), about)
            about["days"] = days - 83  # events are kept for a week: six days and eight
            for table in ("events", "event_resources"):
                rows.execute(sa.text(f"update {table} set occurred = occurred - {age} resource_id = :resource"), about)
    return made


__all__ = ["MARKER", "Services", "until"]
