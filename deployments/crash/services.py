"""`drehkreuz up` of a throw-away home: started as an operator does, and its processes as victims."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import psutil

from deployments.crash.company import TODAY
from deployments.crash.house import Home
from deployments.crash.servers import ROOT, wait_until
from deployments.instance import Instance, instance
from deployments.prefect_api import PrefectApi, PrefectError
from kit import clock
from kit.database import dispose_engines
from kit.postgres import EmbeddedPostgres
from kit.process import die_with_parent

SERVER, DATABASE, SUPERVISOR = "Prefect-Server", "PostgreSQL", "Supervisor"
WORKER, FLOW, BACKGROUND, DOORBELL = "Worker", "Flow-Prozess am Worker", "Relay und Keeper", "Türklingel"
VICTIMS = (SERVER, DATABASE, SUPERVISOR, WORKER, FLOW, BACKGROUND, DOORBELL)
"""In this order, so that a short test meets the first three."""
NAMES = {
    "server": SERVER, "database": DATABASE, "supervisor": SUPERVISOR, "worker": WORKER, "flow": FLOW, "relay": BACKGROUND,
    "doorbell": DOORBELL,
}  # fmt: skip
"""As the command line calls them."""
RUN = "PREFECT__FLOW_RUN_ID"
"""A process of a run has it, its children too."""
CHILDREN = {SERVER: "prefect", WORKER: "worker", BACKGROUND: "background", DOORBELL: "doorbell"}
READY_SECONDS = 300.0
STARTS = 3
"""Of `up` after each other, should it give up because the machine is slow."""
OURS = ("DREHKREUZ_", "PREFECT_")


@contextlib.contextmanager
def at_home(house: Home) -> Iterator[Instance]:
    """This process looks at that home, on its day, and afterwards at its own again."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    for name in kept:
        del os.environ[name]
    own = {name: value for name, value in house.environment().items() if name.startswith(OURS)}
    os.environ.update(own)
    clock.set_today(TODAY)
    try:
        yield instance()
    finally:
        dispose_engines()
        for name in [name for name in os.environ if name.startswith(OURS)]:
            del os.environ[name]
        os.environ.update(kept)


@dataclass(slots=True)
class Services:
    """The services of one home. Use as a context manager; inside `at_home`."""

    house: Home
    target: Instance
    process: subprocess.Popen[bytes] | None = None
    _killed: int = 0
    """The last victim's number: the supervisor's file may still name it for a moment."""

    def start(self) -> None:
        """`up`, until everything answers and the deployments are there. A start that gives up is repeated, as init does."""
        for _ in range(STARTS - 1):
            self._spawn()
            wait_until(lambda: self._deployed() or self._ended(), "Dienste", READY_SECONDS)
            if not self._ended():
                return
        self._spawn()
        wait_until(self._deployed, "Dienste", READY_SECONDS)

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "deployments.cli", "--today", str(TODAY), "up"]
        with (self.house.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.house.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _deployed(self) -> bool:
        state = self.target.state()
        return bool(state.get("deployed")) and state.get("pid") == (self.process and self.process.pid)

    def stop(self) -> None:
        """SIGTERM to the supervisor; it ends the rest."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(90)

    # --- victims -----------------------------------------------------------------------------------------------------

    def flow_processes(self) -> dict[str, psutil.Process]:
        """Runs of this home that are worked on at the moment, each with the process of its flow (not one of its renderers)."""
        found: dict[str, psutil.Process] = {}
        for process in sorted(psutil.process_iter(), key=lambda one: one.pid):
            with contextlib.suppress(psutil.Error, OSError):
                known = process.environ()
                if known.get("DREHKREUZ_HOME") != str(self.house.home) or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                run = known.get(RUN)
                if run and _run_of(process.parent()) != run:
                    found[run] = process
        return found

    def kill(self, victim: str, run: str = "") -> bool:
        """-9 for the victim, a flow's process by its run; False when there is none at the moment. Returns when it is gone."""
        pid = self._pid(victim, run)
        if pid is None or _gone(pid):
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        if victim == SUPERVISOR and self.process is not None:
            self.process.wait(30)
        wait_until(lambda: _gone(pid), victim)
        self._killed = pid
        return True

    def _pid(self, victim: str, run: str = "") -> int | None:
        if victim == SUPERVISOR:
            return self.process.pid if self.process else None
        if victim == DATABASE:
            return EmbeddedPostgres(self.house.home).postmaster()
        if victim == FLOW:
            process = self.flow_processes().get(run)
            return process.pid if process else None
        children: Any = self.target.state().get("children", {})
        pid = children.get(CHILDREN[victim], {}).get("pid")
        return int(pid) if pid else None

    def back(self, victim: str) -> None:
        """Wait until the victim's place is taken again; only the supervisor is started from outside."""
        if victim == SUPERVISOR:
            wait_until(lambda: not self.target.running() and not self.flow_processes(), "Aufräumen nach dem Supervisor")
            self.start()
        elif victim == DATABASE:
            wait_until(EmbeddedPostgres(self.house.home).ready, victim)
        elif victim != FLOW:
            wait_until(lambda: self._pid(victim) not in (None, self._killed), victim)
            if victim == SERVER:
                wait_until(self._server_answers, victim, READY_SECONDS)

    def _server_answers(self) -> bool:
        with contextlib.suppress(PrefectError), PrefectApi(self.target, timeout=5.0) as api:
            return api.healthy()
        return False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _run_of(process: psutil.Process | None) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        return str(process.environ().get(RUN, "")) if process else ""
    return ""


def _gone(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def pause(seconds: float) -> None:
    """A moment by lot, so that the kill comes at any point of the work."""
    time.sleep(seconds)
