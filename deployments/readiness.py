"""Do the services answer? Asked by the supervisor until they do, and by `doctor`."""

import time
import uuid

import httpx
import psycopg

from deployments.instance import Instance
from kit.database import Role, url
from kit.errors import DrehkreuzError

PING, PONG = "drehkreuz_doorbell_ping", "drehkreuz_doorbell_pong"


def portal_answers(target: Instance, seconds: float = 3.0) -> bool:
    """Whether the portal answers, and its database does."""
    try:
        return httpx.get(f"{target.portal_url}/gesund", timeout=seconds).is_success
    except httpx.HTTPError:
        return False


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
