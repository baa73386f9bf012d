"""Rendering in processes of our own: fonts and style sheets loaded once each, replaced every few hundred documents."""

import gc
import multiprocessing as mp
import os
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.popen_forkserver import Popen
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from integrations.documents.jobs import Job

TASKS_PER_PROCESS = 500
"""After so many documents a renderer is replaced by a fresh one, whatever a library may have kept."""
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

    Args:
        processes: how many; one worker's share is its cores.
    """

    def __init__(self, processes: int = 1) -> None:
        self._processes = max(1, processes)
        self._executor: ProcessPoolExecutor | None = None

    def map(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """One outcome per job, in the order of the jobs; takes jobs only a little ahead of what it gives."""
        return map(_attempt, jobs) if self._processes == 1 else self._map(iter(jobs))

    def _map(self, jobs: Iterator[Job]) -> Iterator[Outcome]:
        pending: deque[tuple[Job, Future[Outcome]]] = deque()
        while True:
            while len(pending) < self._processes * AHEAD and (job := next(jobs, None)) is not None:
                pending.append((job, self._submit(job)))
            if not pending:
                return
            job, future = pending.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:
                waiting = [job, *(later for later, _ in pending)]
                pending.clear()
                for lost in waiting:
                    yield self._alone(lost)

    def _submit(self, job: Job) -> Future[Outcome]:
        try:
            return self._running().submit(_attempt, job)
        except BrokenProcessPool:
            self._forget()
            return self._running().submit(_attempt, job)

    def _alone(self, job: Job) -> Outcome:
        """After a process died: each job by itself, so that only the one that kills its process is lost."""
        self._forget()
        try:
            return self._running().submit(_attempt, job).result()
        except BrokenProcessPool:
            self._forget()
            return Outcome(job.name, None, f"{job.name}: Der Satzprozess ist abgestürzt; das Dokument wurde nicht erstellt.")

    def _running(self) -> ProcessPoolExecutor:
        if self._executor is None:
            context = _Context()
            context.set_forkserver_preload(["integrations.documents.engine"])
            self._executor = ProcessPoolExecutor(
                self._processes, mp_context=context, initializer=_prepare, max_tasks_per_child=TASKS_PER_PROCESS
            )
        return self._executor

    def _forget(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def close(self) -> None:
        """End the processes; the pool may be used again."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

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
    from integrations.documents.engine import engine

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True, name="parent watch").start()
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
