"""Processes that render: same bytes everywhere, one failure stops nobody, nobody survives the parent."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from integrations.documents import pool as pool_module
from integrations.documents.jobs import InvoiceJob, PaperJob, PostalListJob, ReportJob
from integrations.documents.pool import NullRenderPool, RenderPool
from tests.documents import samples
from tests.documents.odd_jobs import Deadly, Refused, Where, deadly_elsewhere

ROOT = Path(__file__).resolve().parents[2]
JOBS = (
    ReportJob(samples.report(6)),
    ReportJob(samples.report(2), tagged=True),
    InvoiceJob(samples.invoice(), b"<a/>", b"%PDF-"),
    PaperJob(samples.cancellation()),
    PostalListJob(samples.postal_list()),
)
HASHES = """
import hashlib
from tests.documents.test_pool import JOBS
print(" ".join(hashlib.sha256(job.run()).hexdigest() for job in JOBS))
"""


def test_the_same_content_gives_the_same_bytes_in_every_process() -> None:
    here = [hashlib.sha256(job.run()).hexdigest() for job in JOBS]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Pacific/Auckland", "LANG": "C"}
    elsewhere = subprocess.run(
        [sys.executable, "-c", HASHES], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    with RenderPool(2) as pool:
        pooled = [hashlib.sha256(outcome.pdf or b"").hexdigest() for outcome in pool.map([*JOBS, *JOBS])]

    assert elsewhere.stdout.split() == here
    assert pooled == here + here


@pytest.mark.parametrize("processes", [1, 2])
def test_one_that_fails_stops_nobody(processes: int) -> None:
    with RenderPool(processes) as pool:
        outcomes = list(pool.map([JOBS[3], Refused(), JOBS[3]]))  # type: ignore[list-item]

    assert [bool(o.pdf) for o in outcomes] == [True, False, True]
    assert outcomes[1].error == "refused: Vorlage kaputt"


def test_one_that_kills_its_process_is_lost_alone() -> None:
    jobs = [PaperJob(samples.cancellation(number=f"RE-{i}")) for i in range(12)]
    with RenderPool(2) as pool:
        outcomes = list(pool.map([*jobs[:3], Deadly(), *jobs[3:]]))  # type: ignore[list-item]

    assert [o.name for o in outcomes] == [*(j.name for j in jobs[:3]), "deadly", *(j.name for j in jobs[3:])]
    assert [o.name for o in outcomes if o.pdf is None] == ["deadly"]
    assert "abgestürzt" in outcomes[3].error


def test_one_that_kills_its_process_costs_another_thread_nothing() -> None:
    with RenderPool(2) as pool, ThreadPoolExecutor(2) as threads:
        deadly = [Where(), Deadly(), Where(), Deadly(), Where()] * 2
        innocent = threads.submit(lambda: list(pool.map([Where()] * 40)))  # type: ignore[list-item]
        guilty = threads.submit(lambda: list(pool.map(deadly)))  # type: ignore[arg-type]

        assert [o.pdf is None for o in guilty.result()] == [job.name == "deadly" for job in deadly]
        assert all(o.pdf for o in innocent.result())


def test_renderers_are_replaced_and_nothing_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "TASKS_PER_PROCESS", 3)
    with RenderPool(2) as pool, ThreadPoolExecutor(2) as threads:
        lanes = [threads.submit(lambda: [o.pdf for o in pool.map([Where()] * 20)]) for _ in range(2)]  # type: ignore[list-item]
        seen = [pid for lane in lanes for pid in lane.result(60)]

    assert len(seen) == 40
    assert len(set(seen)) >= 5  # 40 jobs, at most some of them ahead


@pytest.mark.parametrize("processes", [1, 2])
def test_other_work_goes_on_here_when_a_process_dies(processes: int) -> None:
    with RenderPool(processes) as pool:
        assert list(pool.apply(deadly_elsewhere, [(os.getpid(), n) for n in range(12)])) == list(range(12))


def test_one_process_means_here() -> None:
    with RenderPool(1) as pool:
        (outcome,) = pool.map([Where()])  # type: ignore[list-item]

    assert outcome.pdf == str(os.getpid()).encode()


def test_jobs_are_taken_only_a_little_ahead() -> None:
    taken = []

    def jobs() -> object:
        for index in range(100):
            taken.append(index)
            yield Where()

    with RenderPool(2) as pool:
        outcomes = pool.map(jobs())  # type: ignore[arg-type]
        next(iter(outcomes))

        assert len(taken) <= 10


def test_the_null_twin_sets_nothing() -> None:
    with NullRenderPool() as pool:
        outcomes = list(pool.map(JOBS))

    assert [o.name for o in outcomes] == [j.name for j in JOBS]
    assert all((o.pdf or b"").startswith(b"%PDF-") for o in outcomes)


PARENT = """
import pathlib, sys, time
with pathlib.Path(__file__).with_suffix(".started").open("a") as started:
    started.write("x")
from integrations.documents.pool import RenderPool
from tests.documents.odd_jobs import Where
if __name__ == "__main__":
    pool = RenderPool(2)
    found = {outcome.pdf.decode() for outcome in pool.map([Where()] * 40)}
    print(" ".join(found), flush=True)
    time.sleep(60)
"""


def test_nobody_survives_the_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert children
        assert script.with_suffix(".started").read_text() == "x"  # no renderer ran the main module again
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 75
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < deadline, "renderers live on without their parent"
        time.sleep(0.05)
