"""Relay and keeper in one process: `python -m deployments.background` (the supervisor starts it)."""

import datetime as dt
import logging
import signal
import sys
import threading
import time

from deployments import notices
from deployments.health import Health
from deployments.instance import Instance, instance
from deployments.keeper import tend
from deployments.latecomers import thin
from deployments.metrics import page
from deployments.prefect_api import PrefectApi, PrefectError
from deployments.relay import Relay
from deployments.schedules import idle_schedules
from kit import log as logs
from kit.database import leading
from kit.errors import DrehkreuzError

log = logging.getLogger(__name__)

RELAY_SECONDS = 1.0
KEEPER_SECONDS = 15.0
SCHEDULES_SECONDS = 600.0
NOTICES_SECONDS = 60.0


def _real_now() -> dt.datetime:
    """Prefect's own time: its states are not shifted by `--today`."""
    return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC)


class Background:
    """The loop; every part fails for itself."""

    def __init__(self, target: Instance) -> None:
        self.api = PrefectApi(target)
        self.relay = Relay(self.api)
        self.stop = threading.Event()
        self.health = Health("background", lambda: page(target))
        self._due = {"keeper": time.monotonic() + 2, "notices": time.monotonic() + 60, "schedules": time.monotonic() + 120}

    def run(self) -> None:
        """Work until asked to end."""
        while not self.stop.is_set():
            self.health.beat()
            self._guarded("Relay", self._relay)
            self._every("keeper", KEEPER_SECONDS, self._keep)
            self._every("notices", NOTICES_SECONDS, self._notices)
            self._every("schedules", SCHEDULES_SECONDS, self._check_schedules)
            self.stop.wait(RELAY_SECONDS)

    def _keep(self) -> object:
        """Of several processes one tends the runs: two would resume the same run twice."""
        with leading("keeper") as mine:
            return tend(self.api, _real_now()) + thin(self.api, _real_now()) if mine else 0

    def _notices(self) -> object:
        with leading("notices") as mine:
            return notices.tend(self.api, _real_now()) if mine else 0

    def _relay(self) -> object:
        return self.relay.round()

    def _every(self, name: str, period: float, work: "logs.Work") -> None:
        if time.monotonic() >= self._due[name]:
            self._due[name] = time.monotonic() + period
            self._guarded(name, work)

    def _guarded(self, name: str, work: "logs.Work") -> None:
        try:
            work()
        except PrefectError as fault:
            log.info("%s: %s", name, fault)
        except DrehkreuzError as fault:
            log.warning("%s: %s", name, fault)
        except Exception:
            log.exception("%s", name)  # the database away, for instance: the next round tries again

    def _check_schedules(self) -> object:
        idle = idle_schedules(self.api, _real_now())
        for name in idle:
            log.error("Deployment %s hat einen Zeitplan, aber keine geplanten Läufe", name)
        return idle


def main() -> int:
    """Entry of the process."""
    logs.configure("background")
    work = Background(instance())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: work.stop.set())
    work.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
