"""Whether a long-lived process of ours lives and can work, over HTTP: /live, /ready, /metrics.

Live: its loop came by lately; whoever supervises restarts it when not. Ready: live, and the database answers. Metrics are
given by the process that tends the house (relay and keeper); beyond this machine only with a token.
"""

import hmac
import json
import logging
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import sqlalchemy as sa

from kit.database import Role, engine
from kit.errors import DrehkreuzError
from kit.settings import settings

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SILENT_AFTER = 120.0
"""Seconds without a sign of the loop after which the process counts as hung; a round of keeper or relay takes a few."""


class HealthSettingsError(DrehkreuzError):
    """The address for health and metrics cannot be used as it is set."""


def database_answers() -> bool:
    """Whether a connection of ours gets an answer."""
    try:
        with engine(Role.APP).connect() as connection:
            return bool(connection.scalar(sa.text("select 1")))
    except (sa.exc.SQLAlchemyError, DrehkreuzError):
        return False


class Health:
    """A small server beside the loop of a process.

    Args:
        part: name of the process.
        metrics: gives the metrics page; without it there is none.
        listen: `address:port`; port 0 takes a free one.
    """

    def __init__(self, part: str, metrics: Callable[[], bytes] | None = None, listen: str = "") -> None:
        self.part, self.metrics = part, metrics
        host, _, port = (listen or settings().health_listen or "127.0.0.1:0").rpartition(":")
        self.token = settings().metrics_token.get_secret_value()
        if metrics is not None and host not in LOOPBACK and not self.token:
            raise HealthSettingsError(
                f"Kennzahlen: {host} ist nicht nur auf dieser Maschine zu erreichen. Setzen Sie DREHKREUZ_METRICS_TOKEN."
            )
        if not port.isdigit():
            raise HealthSettingsError(f"Kennzahlen: »{listen or settings().health_listen}« ist keine Angabe Adresse:Port.")
        self._beat = time.monotonic()
        try:
            self._server = ThreadingHTTPServer((host, int(port)), _handler(self))
        except OSError as fault:
            raise HealthSettingsError(f"Kennzahlen: {host}:{port} ist nicht frei ({fault.strerror}).") from fault
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True, name="health").start()

    def beat(self) -> None:
        """The loop came by."""
        self._beat = time.monotonic()

    def live(self) -> bool:
        """Whether the loop came by lately."""
        return time.monotonic() - self._beat < SILENT_AFTER

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        """Status, content type and body of a request."""
        if path == "/live":
            return _told(self.part, live=self.live())
        if path == "/ready":
            return _told(self.part, live=self.live(), database=database_answers())
        if path == "/metrics" and self.metrics is not None:
            if self.token and not hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode()):
                return 401, "text/plain", b""
            return 200, "text/plain; version=0.0.4; charset=utf-8", self.metrics()
        return 404, "text/plain", b""

    def close(self) -> None:
        """Let the address go."""
        self._server.shutdown()
        self._server.server_close()


def _told(part: str, **checks: bool) -> tuple[int, str, bytes]:
    body = json.dumps({"part": part, **checks}).encode()
    return (200 if all(checks.values()) else 503), "application/json", body


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "Drehkreuz", ""
        timeout = 10

        def do_GET(self) -> None:
            try:
                status, kind, body = health.answer(self.path, self.headers.get("Authorization", ""))
            except Exception:
                log.exception("%s", self.path)
                status, kind, body = 500, "text/plain", b""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            log.debug(format, *args)

    return Handler
