"""The portal against a real database: most tests inside a transaction, where roles matter with real commits."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Using `httpx` with")
    from fastapi.testclient import TestClient

from kit import passwords
from kit.database import unit_of_work
from portal import previews
from portal.app import create_app
from tests.portal import world
from tests.portal.world import World

APP = create_app()


@dataclass
class Portal:
    """The house behind the portal, and browsers for its people."""

    world: World

    def browser(self, who: str = "", *, second_factor: bool = True) -> TestClient:
        """A browser, signed in as the person with this role (or address), or nobody."""
        client = TestClient(APP, base_url="http://portal.example", follow_redirects=False)
        client.headers.update({"sec-fetch-site": "same-origin"})
        if who:
            email = who if "@" in who else world.email_of(who)
            with unit_of_work("test") as session:
                client.cookies.set("drehkreuz", world.token_for(session, email, second_factor=second_factor))
        return client


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm with small parameters: what is tested is not its strength."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobody.cache_clear()


@pytest.fixture(autouse=True)
def _no_old_previews(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "0")
    previews.forget()
    yield
    previews.forget()


def _built() -> Portal:
    with unit_of_work("test", bulk=True) as session:
        return Portal(world.build(session))


@pytest.fixture
def portal(database: sa.Connection) -> Portal:
    """A small house inside the test's transaction: every request joins it, nothing stays."""
    return _built()


@pytest.fixture
def real_portal(committed: None) -> Portal:
    """The same house, committed: requests have the real database roles."""
    return _built()


@pytest.fixture
def optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house in which the second factor is a choice."""
    monkeypatch.setenv("DREHKREUZ_SECOND_FACTOR", "optional")
