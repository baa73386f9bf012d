"""Engines, roles and the unit of work. One step = one transaction; nobody below the edge commits.

Roles (design: security): `owner` runs migrations, `app` runs flows and commands, `portal_staff` and `portal_customer` are
what the web application may be. The roles of the portal are bound by row-level security; a session says whose rows it may
see when it begins, and a session that says nothing sees nothing.
"""

import base64
import enum
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import DrehkreuzError
from kit.settings import home, settings

DATABASE = "drehkreuz"
LOST_PEER = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""The server lets go of a machine that has vanished within a minute: its locks must not outlive it by two hours."""
ALL = "all"
"""Scope of a session of the house: every customer's rows (see `models.guard`)."""


class Role(enum.StrEnum):
    """What a connection may do."""

    OWNER = "owner"
    APP = "app"
    PORTAL_STAFF = "portal_staff"
    PORTAL_CUSTOMER = "portal_customer"


class DatabaseNotRunningError(DrehkreuzError):
    """The embedded database of this home does not answer."""


def _address_file() -> Path:
    return home() / "postgres.json"


def owner_url() -> sa.URL:
    """Where the owner connects: `DREHKREUZ_DATABASE_URL`, else the address that the embedded server wrote into the home."""
    foreign = settings().database_url
    if foreign:
        return sa.make_url(foreign).set(drivername="postgresql+psycopg")
    try:
        address = json.loads(_address_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatabaseNotRunningError(
            f"Datenbank: In {home()} läuft keine. Starten Sie »drehkreuz up« oder setzen Sie DREHKREUZ_DATABASE_URL."
        ) from None
    return sa.URL.create(
        "postgresql+psycopg",
        username=address["user"],
        password=address["password"],
        host=address["host"],
        port=address["port"],
        database=DATABASE,
    )


def home_secret(name: str) -> str:
    """A random secret of this home, made on first use and kept in `secrets/` (mode 0600)."""
    folder = home() / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8").strip()


def shared_secret(name: str) -> str:
    """A secret that every machine of the house derives from the owner's password; without one it is the home's own."""
    password = str(owner_url().password or "") if settings().database_url else ""
    if not password:
        return home_secret(name)
    digest = hmac.new(password.encode(), f"{owner_url().database}:{name}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def role_name(role: Role, owner: sa.URL | None = None) -> str:
    """The role's name in the cluster. It carries the database's name, since roles belong to the whole cluster."""
    return f"{(owner or owner_url()).database}_{role.value}"


def role_password(role: Role, owner: sa.URL | None = None) -> str:
    """Derived, not stored: every machine that knows the owner's address derives the same password."""
    owner = owner or owner_url()
    key = str(owner.password or "") or home_secret("roles")
    digest = hmac.new(key.encode(), f"{owner.database}:{role.value}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def url(role: Role = Role.APP) -> sa.URL:
    """The address for one role."""
    return _address_of(role, settings().database_url, _version(_address_file()), _version(home() / "secrets" / "roles"))


def _version(path: Path) -> tuple[str, int, int, int]:
    """What tells one state of a file from the next, without reading it."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return str(path), 0, 0, 0
    return str(path), state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=64)
def _address_of(role: Role, foreign: str, *files: tuple[str, int, int, int]) -> sa.URL:  # noqa: ARG001 - parts of the key
    """Every transaction asks for it: derived again only when the settings or the files behind it have changed."""
    owner = owner_url()
    if role is Role.OWNER:
        return owner
    return owner.set(username=role_name(role, owner), password=role_password(role, owner))


_engines: dict[tuple[str, int], sa.Engine] = {}


def engine(role: Role = Role.APP) -> sa.Engine:
    """One engine per role and process: it never crosses a fork."""
    key = (url(role).render_as_string(hide_password=False), os.getpid())
    if key not in _engines:
        _engines[key] = sa.create_engine(
            key[0], pool_pre_ping=True, pool_size=5, max_overflow=15, connect_args={"connect_timeout": 10, "options": LOST_PEER}
        )
    return _engines[key]


def dispose_engines() -> None:
    """Close and forget all engines (the home or the database changed; tests). A fork's inherited ones are only forgotten."""
    for (_, process), known in list(_engines.items()):
        known.dispose(close=process == os.getpid())
    _engines.clear()


_bound: list[sa.Connection] = []  # tests put their connection here; see bind_to


_SETTINGS = sa.text(
    "SELECT set_config('drehkreuz.actor', :actor, true), set_config('drehkreuz.now', :now, true), "
    "set_config('drehkreuz.bulk', :bulk, true), set_config('drehkreuz.customer', :customer, true)"
)


def _begin_settings(session: Session, actor: str, customer_id: int | None, *, bulk: bool) -> None:
    """Tell the transaction who acts, when by our clock, and whose rows it may see; all transaction-local."""
    values = {
        "actor": actor,
        "now": clock.now().isoformat(),
        "bulk": "1" if bulk else "",
        "customer": "" if customer_id is None else str(customer_id),
    }
    session.connection().execute(_SETTINGS, values)


@contextmanager
def unit_of_work(
    actor: str = "system", role: Role = Role.APP, customer_id: int | None = None, *, bulk: bool = False
) -> Iterator[Session]:
    """One transaction: commits at the end, rolls back on any error.

    Args:
        actor: who acts, for the audit trail: `system`, a flow's name, or `employee:<e-mail>` / `contact:<e-mail>`.
        role: the database role.
        customer_id: the tenant of a `portal_customer` session; without it such a session sees nothing.
        bulk: a mass load that writes one audit entry of its own instead of one per row.
    """
    bound: dict[str, Any] = (
        {"bind": _bound[-1], "join_transaction_mode": "create_savepoint"} if _bound else {"bind": engine(role)}
    )
    scope = customer_id if role is Role.PORTAL_CUSTOMER else ALL
    with Session(**bound, expire_on_commit=False, info={"actor": actor, "scope": scope}) as session, session.begin():
        _begin_settings(session, actor, customer_id, bulk=bulk)
        yield session


def one_connection() -> bool:
    """Whether all units of work of this process join one connection: then only one of them may be open at a time."""
    return bool(_bound)


@contextmanager
def bind_to(connection: sa.Connection) -> Iterator[None]:
    """Let every unit of work inside join this connection's transaction (tests that roll back at their end)."""
    _bound.append(connection)
    try:
        yield
    finally:
        _bound.pop()


def try_lock(session: Session, key: str) -> bool:
    """Take the named advisory lock until the transaction ends; False when another holds it."""
    statement = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(key, 0)))
    return bool(session.scalar(statement))


def lock(session: Session, key: str) -> None:
    """Wait for the named advisory lock and hold it until the transaction ends."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


@contextmanager
def leading(key: str) -> Iterator[bool]:
    """Whether this process is the one of its kind for the time of the block; the database lets go when it dies."""
    with engine(Role.APP).connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        mine = bool(guard.scalar(sa.text("select pg_try_advisory_lock(hashtextextended(:key, 0))"), {"key": key}))
        try:
            yield mine
        finally:
            if mine:
                guard.execute(sa.text("select pg_advisory_unlock(hashtextextended(:key, 0))"), {"key": key})


def notify(session: Session, channel: str, payload: str = "") -> None:
    """Ring a doorbell when (and only when) this transaction commits."""
    session.execute(sa.select(sa.func.pg_notify(channel, payload)))
