"""The supervisor: starts every process of a home, restarts what falls, ends all at its own end.

Order: database (a lease on it, and the tenure: no other home serves it) -> our schema, Prefect's database -> Prefect server
beside mail sink, portal, relay and keeper, doorbell -> worker -> deployments. Ready means that portal, doorbell and Prefect
server answer; worker and deployments follow.
A guard process holds a pipe to us and clears up should we be killed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from deployments import automations, children, deploy, prefect_database
from deployments.children import Child
from deployments.instance import POOL, ROOT, Instance, instance
from deployments.marker import MARKER
from deployments.prefect_api import PrefectApi, PrefectError
from deployments.readiness import doorbell_answers, portal_answers
from deployments.tenure import Tenure
from kit import clock
from kit.errors import ConflictError, DrehkreuzError
from kit.postgres import Lease, home_lease
from kit.process import end_processes, marked, try_lock
from models import schema

PERIOD = 0.2  # seconds between two looks at the children
READY_SECONDS = 180.0
DEPLOY_AGAIN = 60.0
TENURE_PERIOD = 5.0
DEAF_SECONDS = 60.0  # a server that lives but does not answer for so long is started again


class NotReadyError(DrehkreuzError):
    """The services did not come up; the message ends with what they said last."""


Report = Callable[[str], None]


def _silent(_line: str) -> None:
    pass


class Supervisor:
    """All services of one instance.

    Args:
        target: the instance.
        report: told in German what happens, line by line.
        prefect_file: what to deploy.
    """

    def __init__(self, target: Instance, report: Report = _silent, prefect_file: Path = deploy.PREFECT_FILE) -> None:
        self.target = target
        self.prefect_file = prefect_file
        self.report = report
        self.marker = uuid.uuid4().hex
        self.children: list[Child] = []
        self.fault: DrehkreuzError | None = None  # what went wrong with the deployments
        self.deployed = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: int | None = None
        self._lease: Lease | None = None
        self._tenure = Tenure(target.home)
        self._guard: subprocess.Popen[bytes] | None = None
        self._written = ""
        self._server_seen = time.monotonic()
        self._ended_start = 0  # which start of the server we have asked to end

    # --- start -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything; returns as soon as the processes are on their way. Raises: ConflictError when it runs already."""
        if self.target.shared:
            raise ConflictError(
                "Dienste: DREHKREUZ_PREFECT_URL nennt einen gemeinsamen Prefect-Server. Starten Sie hier einzelne Teile mit "
                "»drehkreuz serve«, oder nehmen Sie die Einstellung heraus."
            )
        self._lock = try_lock(self.target.lock)
        if self._lock is None:
            known = self.target.state()
            raise ConflictError(f"Dienste: In {self.target.home} laufen sie bereits (Prozess {known.get('pid', '?')}).")
        try:
            self.target = instance()  # the ports are ours from here on: nobody moves them while the lock is held
            self.target.empty_temporary()
            self._start_guard()
            self._start_database()
            self._spawn_thread(self._bring_up_prefect)
            schema.upgrade()
            for make in children.at_once(self.target):
                self._add(make(self.target))
            self._spawn_thread(self._watch)
            self._spawn_thread(self._keep_tenure)
        except BaseException:
            self.stop()
            raise

    def _start_guard(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != MARKER}
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "deployments.guard", self.marker],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _start_database(self) -> None:
        started = time.monotonic()
        self._lease = home_lease()
        if self._lease is not None:
            self._lease.__enter__()
        self._tenure.take()
        prefect_database.ensure()
        self.report(f"Datenbank bereit ({time.monotonic() - started:.1f} s)")

    def _add(self, child: Child) -> Child:
        child.start(self.target, self.marker)
        self.children.append(child)
        self._write_state()
        return child

    def _spawn_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _bring_up_prefect(self) -> None:
        try:
            self._migrate_prefect()
            if self._stopping.is_set():
                return
            self._add(children.server(self.target))
            with PrefectApi(self.target) as api:
                if not self._until(api.healthy):
                    return
                self._add(children.worker(self.target))
                self._add(children.background(self.target))
                self._deploy(api)
        except DrehkreuzError as fault:
            self._note(fault)
        except Exception as fault:  # noqa: BLE001  (a thread that ends in silence would leave people waiting)
            self._note(NotReadyError(f"Prefect: {type(fault).__name__}: {fault}"))

    def _note(self, fault: DrehkreuzError) -> None:
        if not self._stopping.is_set():
            self.fault = fault
            self.report(str(fault))
            self._write_state()

    def _migrate_prefect(self) -> None:
        if prefect_database.is_current():
            return
        self.report("Prefect-Datenbank wird eingerichtet …")
        done = subprocess.run(
            [sys.executable, "-m", "deployments.prefect_database"],
            cwd=ROOT,
            env=self.target.environment(self.marker),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and not self._stopping.is_set():
            raise NotReadyError(f"Prefect-Datenbank: Die Einrichtung scheiterte. {done.stderr.strip()[-600:]}")

    def _deploy(self, api: PrefectApi) -> None:
        """Bring prefect.yaml up once the worker has made the pool; skipped when the server has it all."""
        if not self._until(lambda: api.pool_exists(POOL)):
            return
        current = deploy.is_current(self.target, self.prefect_file) and bool(api.deployments())
        if not current:
            self.report("Deployments werden eingerichtet …")
        while not self._deployed_now(api, current=current):
            if self._stopping.wait(DEPLOY_AGAIN):
                return
        if not current:
            self.report("Deployments eingerichtet")
        self.fault = None
        self.deployed.set()
        self._write_state()

    def _deployed_now(self, api: PrefectApi, *, current: bool) -> bool:
        try:
            if not current:
                deploy.deploy(self.target, self.marker, self.prefect_file)
            automations.ensure(api, self.target)
        except DrehkreuzError as fault:  # a flow that cannot be read; whoever repairs it need not start everything again
            self._note(fault)
            return False
        return True

    def _until(self, holds: Callable[[], bool]) -> bool:
        while not self._stopping.is_set():
            with suppress(PrefectError):
                if holds():
                    return True
            self._stopping.wait(0.1)
        return False

    # --- readiness -----------------------------------------------------------------------------------------------------

    def waiting_for(self) -> list[str]:
        """What does not answer yet; empty when ready."""
        with PrefectApi(self.target, timeout=5.0) as api:
            checks = {"Portal": portal_answers(self.target), "Prefect-Server": api.healthy(), "Türklingel": doorbell_answers()}
        return [name for name, answered in checks.items() if not answered]

    def wait_ready(self, seconds: float = READY_SECONDS, stop: threading.Event | None = None) -> None:
        """Wait until portal, doorbell and server answer, or until `stop`. Raises: NotReadyError."""
        deadline = time.monotonic() + seconds
        while waiting := self.waiting_for():
            words = "\n".join(child.last_words(self.target) for child in self.children if child.starts > 2)
            if time.monotonic() > deadline or self.fault is not None or words:
                reason = str(self.fault or "") or words or "Einzelheiten stehen in den Protokollen."
                raise NotReadyError(f"Dienste: {', '.join(waiting)} in {self.target.home} antwortet nicht. {reason}")
            if self._stopping.wait(0.2) or (stop is not None and stop.is_set()):
                return

    def wait_deployed(self, seconds: float = READY_SECONDS) -> None:
        """Wait until the deployments are there and a worker takes runs. Raises: NotReadyError."""
        deadline = time.monotonic() + seconds
        while not self.deployed.wait(0.2):
            if self.fault is not None:
                raise self.fault
            if time.monotonic() > deadline:
                raise NotReadyError(f"Dienste: Die Deployments sind nach {seconds:.0f} s nicht eingerichtet.")

    # --- watching ------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        looked = 0.0
        while not self._stopping.wait(PERIOD):
            try:
                self._watch_database()
                for child in list(self.children):
                    self._watch_child(child)
                if time.monotonic() - looked > 5:
                    looked = time.monotonic()
                    self._watch_server()
            except Exception as fault:  # noqa: BLE001  (no memory for a new process, for instance: the watch goes on)
                self.report(f"Überwachung: {type(fault).__name__}: {fault}")
                self._stopping.wait(5)

    def _watch_database(self) -> None:
        if self._lease is None:
            return
        try:
            if self._lease.ensure():
                self.report("Datenbank war gefallen und läuft wieder")
        except DrehkreuzError as fault:
            self.report(str(fault))
            self._stopping.wait(5)

    def _keep_tenure(self) -> None:
        """Stay the only home on this database, also after it was away; say so when another was quicker."""
        said = ""
        while not self._stopping.wait(TENURE_PERIOD):
            taken = self._tenure.keep()
            if taken and taken != said:
                self.report(taken)
            said = taken

    def _watch_child(self, child: Child) -> None:
        code = child.fell()
        if code is not None:
            pause = child.plan_restart()
            self.report(f"{child.title} ist gefallen (Code {code}), neuer Start in {pause:.1f} s")
        if child.process is None and time.monotonic() >= child.due and not self._stopping.is_set():
            child.start(self.target, self.marker)
            self._write_state()

    def _watch_server(self) -> None:
        """Start a deaf Prefect server again; its worker too, which no longer hears of cancellations by then."""
        known = {child.name: child for child in self.children}
        server = known.get("prefect")
        if server is None or not server.alive():
            return
        with PrefectApi(self.target, timeout=5.0) as api:
            if api.healthy():
                away = time.monotonic() - self._server_seen
                self._server_seen = time.monotonic()
                if away > DEAF_SECONDS and "worker" in known and known["worker"].starts:
                    known["worker"].ask_to_end()
                return
        self._end_deaf(server)

    def _end_deaf(self, server: Child) -> None:
        """End a server that answers no more; one that still starts has as long as the whole start: the machine may be busy."""
        starting = self._server_seen < server.started
        deaf = time.monotonic() - max(self._server_seen, server.started)
        if deaf <= (READY_SECONDS if starting else DEAF_SECONDS):
            return
        if self._ended_start == server.starts:  # asked already
            server.insist()
            return
        self._ended_start = server.starts
        self.report(f"Prefect-Server antwortet {'nicht' if starting else 'nicht mehr'} und wird neu gestartet")
        server.ask_to_end()

    def _write_state(self) -> None:
        content = {
            "pid": os.getpid(),
            "marker": self.marker,
            "portal": self.target.portal_url,
            "prefect": self.target.prefect_url,
            "deployed": self.deployed.is_set(),
            "fault": str(self.fault or ""),
            "children": {
                child.name: {"title": child.title, "pid": child.process.pid if child.process else None, "starts": child.starts}
                for child in self.children
            },
        }
        text = json.dumps(content, ensure_ascii=False, indent=1)
        if text == self._written:
            return
        self._written = text
        new = self.target.state_file.with_suffix(f".{threading.get_ident()}")
        new.write_text(json.dumps({"at": clock.now().isoformat(), **content}, ensure_ascii=False, indent=1), encoding="utf-8")
        new.replace(self.target.state_file)

    # --- end -----------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every process of ours; the database follows when nobody else uses it."""
        self._stopping.set()
        others = [child for child in self.children if child.name not in {"prefect", "sink"}]
        rest = [child for child in self.children if child.name in {"prefect", "sink"}]
        for group in (others, rest):
            for child in group:
                child.ask_to_end()
            for child in group:
                child.end()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(1.0)
        end_processes(lambda: marked(MARKER, self.marker), 5.0)
        self._tenure.release()
        if self._lease is not None:
            self._lease.release()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        shutil.rmtree(self.target.temporary, ignore_errors=True)
        self.target.state_file.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _wait_for_others(target: Instance, seconds: float = READY_SECONDS) -> None:
    """The services may just be starting in another terminal."""
    deadline = time.monotonic() + seconds
    while target.running() and not target.state().get("deployed"):
        if fault := target.state().get("fault"):
            raise NotReadyError(str(fault))
        if time.monotonic() > deadline:
            raise NotReadyError(f"Dienste: In {target.home} laufen sie, werden aber nicht bereit. Abhilfe: drehkreuz doctor")
        time.sleep(0.2)


@contextmanager
def services(target: Instance, report: Report = _silent) -> Iterator[Supervisor | None]:
    """The services of this home for the time of the block: those that run (None), else own ones that end with it."""
    if target.shared or target.running():
        _wait_for_others(target)
        yield None
        return
    with Supervisor(target, report) as own:
        own.wait_ready()
        yield own
