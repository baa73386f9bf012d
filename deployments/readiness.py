"""Do the services answer? Asked by the supervisor until they do, and by `doctor`."""

import hashlib
import time
import uuid
from pathlib import Path

import httpx
import psycopg
import sqlalchemy as sa

from deployments.instance import Instance
from kit.database import Role, engine, url
from kit.errors import DrehkreuzError
from kit.process import machine
from kit.settings import settings

PING, PONG = "drehkreuz_doorbell_ping", "drehkreuz_doorbell_pong"


def portal_answers(target: Instance, seconds: float = 3.0) -> bool:
    """Whether the portal answers, and its database does."""
    try:
        return httpx.get(f"{target.portal_reached_url}/gesund", timeout=seconds).is_success
    except httpx.HTTPError:
        return False


def background_answers(target: Instance, seconds: float = 3.0) -> bool:
    """Whether the loop of relay and keeper came by lately."""
    listen = settings().health_listen.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - what was set, from this machine
    try:
        return httpx.get(f"{f'http://{listen}' if listen else target.health_url}/live", timeout=seconds).is_success
    except httpx.HTTPError:
        return False


LISTENS, SERVICES = "Klingel ", "Dienste "


def signature(kind: str, folder: Path) -> str:
    """How a process of a home signs its connection: the database then knows which homes run. At most 63 bytes."""
    where = f"{machine()}:{folder}".encode("ascii", "replace").decode()
    return f"{kind}{hashlib.sha256(where.encode()).hexdigest()[:6]} {where[-48:]}"


def place_of(signed: str) -> str:
    """Machine and folder of a signature; the end of it where that is long."""
    return signed.partition(" ")[2].partition(" ")[2]


def listening_homes(besides: Path | None = None) -> list[str]:
    """The homes whose doorbell hangs on this database, by machine and folder.

    Args:
        besides: a home that is not meant.
    """
    statement = sa.text(
        "select distinct application_name from pg_stat_activity "
        "where datname = current_database() and application_name like :any and application_name <> :own"
    )
    own = signature(LISTENS, besides) if besides else ""
    with engine(Role.APP).connect() as connection:
        return sorted(map(place_of, connection.scalars(statement, {"any": f"{LISTENS}%", "own": own})))


def doorbell_answers(seconds: float = 2.0) -> bool:
    """Whether the doorbell process hears a notification and answers it."""
    token = uuid.uuid4().hex
    try:
        address = url(Role.APP).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"listen {PONG}")
            deadline = time.monotonic() + seconds
            connection.execute("select pg_notify(%s, %s)", [PING, token])
            while (left := deadline - time.monotonic()) > 0:
                if any(heard.payload == token for heard in list(connection.notifies(timeout=left, stop_after=1))):
                    return True
    except (psycopg.Error, DrehkreuzError):
        return False
    return False
