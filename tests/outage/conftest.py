"""A billed house for the tests of outages."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kit import clock
from tests.outage import world
from tests.servers import SinkProcess


@pytest.fixture
def sink(committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SinkProcess]:
    """A mail server that takes everything; the house's clock says 2 November 2026."""
    server = SinkProcess(tmp_path / "sink").start()
    for name, value in {"HOST": "127.0.0.1", "PORT": str(server.port), "TLS": "none"}.items():
        monkeypatch.setenv(f"DREHKREUZ_SMTP_{name}", value)
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "0")
    monkeypatch.setenv("DREHKREUZ_RENDER_PROCESSES", "1")
    clock.set_today(dt.date(2026, 11, 2))
    yield server
    server.stop()


@pytest.fixture
def billed(sink: SinkProcess) -> SinkProcess:
    """October is billed to its end."""
    world.settle_in()
    assert world.bill(world.OCTOBER).open_items == ()
    assert world.shown(world.OCTOBER)["state"] == "done"
    return sink


@contextlib.contextmanager
def _silent(_name: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


@pytest.fixture
def phase() -> Callable[[str], contextlib.AbstractContextManager[Callable[[int, int], None]]]:
    """A progress bar that nobody watches."""
    return _silent
