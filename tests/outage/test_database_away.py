"""PostgreSQL goes away under portal and doorbell: a German page meanwhile, and both are back by themselves."""

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments import doorbell
from kit.database import Role, dispose_engines, engine, notify, unit_of_work
from kit.postgres import EmbeddedPostgres
from models import schema
from portal.app import create_app
from tests.servers import wait_until

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Using `httpx` with")
    from fastapi.testclient import TestClient


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A home with a database of its own, which this test may stop."""
    dispose_engines()
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    yield EmbeddedPostgres(tmp_path, durable=False)
    for role in Role:
        engine(role).dispose()
    dispose_engines()


@pytest.mark.slow
def test_portal_and_doorbell_outlive_the_database(own_server: EmbeddedPostgres) -> None:
    browser = TestClient(create_app(), base_url="http://portal.example", follow_redirects=False)
    browser.cookies.set("drehkreuz", "x" * 43)
    rings, stop = [], threading.Event()
    bell = doorbell.Bell("probe", lambda: rings.append(1), ("mail_outbox",))
    threads = [threading.Thread(target=doorbell.listen, args=([bell], stop)), threading.Thread(target=bell.work, args=(stop,))]
    try:
        with own_server.lease():
            schema.upgrade()
            for thread in threads:
                thread.start()
            wait_until(lambda: len(rings) == 1, "the first ring")
            assert browser.get("/gesund").status_code == 200
        answer = browser.get("/konto")
        assert answer.status_code == 503
        assert "Datenbank antwortet nicht" in answer.text
        assert "Traceback" not in answer.text
        with own_server.lease():
            wait_until(lambda: len(rings) >= 2, "the doorbell is back and rings everything once")
            assert browser.get("/gesund").status_code == 200
            before = len(rings)
            with unit_of_work("test") as session:
                notify(session, "mail_outbox")
            wait_until(lambda: len(rings) > before, "a ring is heard again")
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)
