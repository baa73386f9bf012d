"""Rendering in processes of our own: fonts and style sheets loaded once each, replaced every few hundred documents."""

import gc
import multiprocessing as mp
import os
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.popen_forkserver import Popen
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self, TypeVar

from integrations.documents.jobs import Job

Item = TypeVar("Item")
Result = TypeVar("Result")

TASKS_PER_PROCESS = 500
"""After so many documents the renderers are replaced by fresh ones, whatever a library may have kept.

All at once and by us: with `max_tasks_per_child` Python's own executor stands still for good when its processes happen to end
at the same time (python/cpython issue 115634).
"""
AHEAD = 4
"""Jobs in hand per process: enough to keep it busy, few enough to keep memory flat."""


class _Renderer(ForkServerProcess):
    """A process that does not run the program's main module again: a renderer needs none of it (Prefect, command line)."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:  # noqa: N802 - the name that multiprocessing calls
        with _MAIN:
            main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
            try:
                return Popen(process_obj)
            finally:
                sys.modules["__main__"] = main


class _Context(ForkServerContext):
    Process = _Renderer


_MAIN = threading.Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A document, or why there is none: one that fails never stops the others."""

    name: str
    pdf: bytes | None
    error: str = ""


class RenderPool:
    """Renders jobs in order. Use as a context manager; one process means: here, without any other process.

    Several threads may use it at once; a job that kills its process costs the others' jobs a second attempt, nothing else.

    Args:
        processes: how many; one worker's share is its cores.
    """

    def __init__(self, processes: int = 1) -> None:
        self.processes = max(1, processes)
        self._executor: ProcessPoolExecutor | None = None
        self._given = 0  # jobs of the present executor
        self._guard = threading.Lock()

    def map(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """One outcome per job, in the order of the jobs; takes jobs only a little ahead of what it gives."""
        return map(_attempt, jobs) if self.processes == 1 else self._ahead(_attempt, iter(jobs), self._alone)

    def warm_up(self) -> None:
        """Let the processes start while there is other work to do; nobody waits for them."""
        if self.processes > 1:
            self._submit(int, 0)

    def apply(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Other work on documents in the same processes, in the order of the items; what `work` raises reaches the caller.

        Args:
            work: a function of a module; its result travels back by pickle.
            items: what it is given, one by one.
        """
        return map(work, items) if self.processes == 1 else self._ahead(work, iter(items), work)

    def _ahead(
        self, work: Callable[[Item], Result], items: Iterator[Item], again: Callable[[Item], Result]
    ) -> Iterator[Result]:
        pending: deque[tuple[Item, Future[Result], ProcessPoolExecutor]] = deque()
        while True:
            while len(pending) < self.processes * AHEAD and (item := next(items, None)) is not None:
                pending.append((item, *self._submit(work, item)))
            if not pending:
                return
            item, future, executor = pending.popleft()
            try:
                yield future.result()
            except (BrokenProcessPool, CancelledError):
                self._forget(executor)
                yield again(item)

    def _submit(self, work: Callable[[Item], Result], item: Item) -> tuple[Future[Result], ProcessPoolExecutor]:
        while True:
            executor = self._running()
            try:
                return executor.submit(work, item), executor
            except BrokenProcessPool:
                self._forget(executor)
            except RuntimeError:  # another thread has just replaced it
                if self._executor is executor:
                    raise

    def _alone(self, job: Job) -> Outcome:
        """After a process died: each job in a process of its own, so that only the one that kills its process is lost."""
        with self._new(1) as executor:
            try:
                return executor.submit(_attempt, job).result()
            except BrokenProcessPool:
                why = f"{job.name}: Der Satzprozess ist abgestürzt; das Dokument wurde nicht erstellt."
                return Outcome(job.name, None, why)

    def _running(self) -> ProcessPoolExecutor:
        """The executor for one more job."""
        with self._guard:
            if self._executor is not None and self._given >= self.processes * TASKS_PER_PROCESS:
                self._executor.shutdown(wait=False)  # what it has in hand is finished
                self._executor = None
            if self._executor is None:
                self._executor, self._given = self._new(self.processes), 0
            self._given += 1
            return self._executor

    @staticmethod
    def _new(processes: int) -> ProcessPoolExecutor:
        context = _Context()
        context.set_forkserver_preload(["integrations.documents.engine", "integrations.einvoice"])
        return ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare)

    def _forget(self, executor: ProcessPoolExecutor) -> None:
        """Let go of a broken one, unless a new one has taken its place already."""
        with self._guard:
            if self._executor is executor:
                self._executor = None
        executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the processes; the pool may be used again."""
        with self._guard:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class NullRenderPool:
    """The twin that sets nothing: each document is one line that names it."""

    def map(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        return (Outcome(job.name, f"%PDF-1.7\n% {type(job).__name__} {job.name}\n%%EOF\n".encode()) for job in jobs)

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _prepare() -> None:
    """In each new process: die with the parent, load fonts and style sheets, leave what stays out of garbage collection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True, name="parent watch").start()
    settle()


def settle() -> None:
    """Load what every document needs and tell the collector of this process to leave it alone."""
    from integrations.documents.engine import engine

    engine()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # a document makes many objects that go again at once


def _die_with_parent() -> None:
    parent = mp.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _attempt(job: Job) -> Outcome:
    try:
        return Outcome(job.name, job.run())
    except Exception as error:  # noqa: BLE001 - one document's failure never stops the others
        return Outcome(job.name, None, f"{job.name}: {error}")
