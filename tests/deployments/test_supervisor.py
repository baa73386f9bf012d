"""The supervisor's judgement of a Prefect server that does not answer, with real processes and no Prefect."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.children import Child
from deployments.instance import Instance
from deployments.supervisor import DEAF_SECONDS, READY_SECONDS, Supervisor
from kit.process import free_port
from tests.servers import wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('da', flush=True); time.sleep(600)"


@pytest.fixture
def silent(home: Path) -> Iterator[tuple[Supervisor, Child, list[str]]]:
    """A supervisor whose server lives, never answers and ignores SIGTERM."""
    said: list[str] = []
    supervisor = Supervisor(Instance(home, free_port(), free_port(), free_port(), free_port()), said.append)
    server = Child("prefect", "Prefect-Server", [sys.executable, "-c", STUBBORN], patience=0.0)
    (supervisor.target.logs / "prefect.log").unlink(missing_ok=True)
    server.start(supervisor.target, "")
    supervisor.children.append(server)
    wait_until(lambda: "da" in server.last_words(supervisor.target), "the process runs")
    yield supervisor, server, said
    server.end()


def test_a_server_that_is_slow_to_start_is_left_alone_longer_than_one_that_fell_silent(
    silent: tuple[Supervisor, Child, list[str]],
) -> None:
    """On a busy machine the first answer takes more than a minute; ended before it, the server would never come up."""
    supervisor, server, said = silent
    now = time.monotonic()
    server.started, supervisor._server_seen = now - DEAF_SECONDS - 5, now - 1000
    supervisor._watch_server()
    assert (said, server.asked) == ([], 0.0)
    server.started = now - READY_SECONDS - 5
    supervisor._watch_server()
    assert said == ["Prefect-Server antwortet nicht und wird neu gestartet"]
    assert server.asked


def test_a_deaf_server_is_asked_to_end_once_and_killed_when_it_does_not(
    silent: tuple[Supervisor, Child, list[str]],
) -> None:
    supervisor, server, said = silent
    now = time.monotonic()
    server.started, supervisor._server_seen = now - 500, now - DEAF_SECONDS - 5
    supervisor._watch_server()
    assert server.alive()
    supervisor._watch_server()
    wait_until(lambda: not server.alive(), "the deaf one is gone")
    assert said == ["Prefect-Server antwortet nicht mehr und wird neu gestartet"]
