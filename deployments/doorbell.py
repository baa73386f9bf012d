"""The doorbell: a long-lived process that answers within seconds what a schedule would answer within minutes.

    python -m deployments.doorbell

A transaction rings when it commits (`kit.database.notify`); the flow is then called in this process, and still shows as
a run while the Prefect server answers. Every flow drains all that waits, so any number of rings during a run means one more
run. A missed ring is made up by the sweep deployment of the same flow; at its own start the doorbell rings everything once.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

import psycopg

from deployments import goods_folder
from deployments.health import Health
from deployments.readiness import LISTENS, PING, PONG, signature
from kit import log as logs
from kit import steps
from kit.database import Role, url
from kit.errors import DrehkreuzError
from kit.settings import home

log = logging.getLogger(__name__)

BELLS: dict[str, tuple[str, ...]] = {
    "flows.mail_dispatch:mail_dispatch": ("mail_outbox", "inbox_item"),
    "flows.goods_receipt:goods_receipt": ("goods_receipt",),
}
"""Flow to call -> channels of the notifications that ring for it."""

PAUSE_AFTER_FAULT = 10.0
LISTEN_SECONDS = 1.0


@dataclass
class Bell:
    """One flow with a thread of its own, so that a long one never keeps the others waiting."""

    name: str
    function: Callable[[], object]
    channels: tuple[str, ...]
    rung: threading.Event = field(default_factory=threading.Event)
    runs: int = 0

    def work(self, stop: threading.Event) -> None:
        """Call the flow after each ring until asked to end."""
        while not stop.is_set():
            if not self.rung.wait(1.0):
                continue
            self.rung.clear()
            if stop.is_set():
                return
            try:
                steps.call(self.function)
            except DrehkreuzError as fault:
                log.warning("%s: %s", self.name, fault)
            except Exception:
                log.exception("%s", self.name)
                stop.wait(PAUSE_AFTER_FAULT)
            self.runs += 1


def load(bells: dict[str, tuple[str, ...]]) -> list[Bell]:
    """Import the flows behind the bells."""
    made = []
    for place, channels in bells.items():
        module, _, name = place.partition(":")
        made.append(Bell(name, getattr(import_module(module), name), channels))
    return made


def listen(bells: list[Bell], stop: threading.Event, heard: Callable[[], None] = lambda: None) -> None:
    """Hear notifications until asked to end; comes back by itself after the database was away."""
    while not stop.is_set():
        try:
            _listen_once(bells, stop, heard)
        except (psycopg.Error, DrehkreuzError) as fault:
            log.warning("Türklingel: Datenbank fort (%s)", str(fault).strip())
            stop.wait(1.0)


def _listen_once(bells: list[Bell], stop: threading.Event, came_by: Callable[[], None]) -> None:
    known = {channel: bell for bell in bells for channel in bell.channels}
    address = url(Role.APP).set(drivername="postgresql").render_as_string(hide_password=False)
    signed = signature(LISTENS, home())
    with psycopg.connect(address, autocommit=True, connect_timeout=10, application_name=signed) as connection:
        for channel in (*known, PING):
            connection.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(channel)))
        for bell in bells:
            bell.rung.set()  # whatever rang while nobody listened
        log.info("Türklingel hört auf %s", ", ".join(known))
        while not stop.is_set():
            came_by()
            for heard in list(connection.notifies(timeout=LISTEN_SECONDS, stop_after=1)):  # the generator locks it
                if heard.channel == PING:
                    connection.execute("select pg_notify(%s, %s)", [PONG, heard.payload])
                elif heard.channel in known:
                    known[heard.channel].rung.set()


def main() -> int:
    """Entry of the process."""
    logs.configure("doorbell")
    started = time.monotonic()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    bells = load(BELLS)
    log.info("Türklingel bereit nach %.1f s", time.monotonic() - started)
    workers = [threading.Thread(target=bell.work, args=(stop,), daemon=True) for bell in bells]
    for worker in workers:
        worker.start()
    threading.Thread(target=goods_folder.watch, args=(stop,), daemon=True).start()
    listen(bells, stop, Health("doorbell").beat)
    for worker in workers:
        worker.join(10.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
