"""The state of the house as Prometheus metrics: the same questions as `doctor` asks, one page per scrape.

The names are an interface: alert rules and the dashboard in `deployments/scale/monitoring/` use them, and a test compares.
"""

import datetime as dt
import logging
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from actions import queues
from deployments.instance import POOL, Instance
from deployments.keeper import GIVEN_UP, RESUME
from deployments.prefect_api import PrefectApi
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from models import schema
from models.plumbing import MailState

log = logging.getLogger(__name__)

PREFIX = "drehkreuz"
STUCK = dt.timedelta(hours=6)
"""A run that works longer than this has hung: the longest month of the largest house takes an hour."""


class House(Collector):
    """Asks database and Prefect at each scrape. What does not answer is 0 in `drehkreuz_up` and has no other metrics."""

    def __init__(self, target: Instance) -> None:
        self.target = target

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked when the collector is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All metrics of one scrape."""
        up = _gauge("up", "1 while this part answers", "part")
        for part, ask in (("database", self._database), ("prefect", self._prefect)):
            try:
                found = list(ask())
            except Exception as fault:
                if not isinstance(fault, DrehkreuzError):
                    log.exception("Kennzahlen: %s", part)
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
                yield from found
        yield up

    def _database(self) -> Iterator[GaugeMetricFamily]:
        with unit_of_work("metrics") as session:
            standings = queues.measure(session)
            mails, ages = queues.mails_by_state(session), queues.oldest_mails(session)
            total, faulty = queues.archive_faults(session)
            failures = queues.sign_in_failures(session)
        waiting = _gauge("queue_waiting", "Rows whose turn it is", "queue")
        late = _gauge("queue_late", "Of these, rows that wait too long", "queue")
        oldest = _gauge("queue_oldest_seconds", "Age of the oldest of them", "queue")
        person = _gauge("queue_needs_person", "Rows that go on only when somebody acts", "queue")
        asked = _gauge("queue_person_oldest_seconds", "Age of the oldest row that waits for somebody", "queue")
        for name, standing in standings.items():
            waiting.add_metric([name], standing.waiting)
            late.add_metric([name], standing.late)
            oldest.add_metric([name], standing.oldest)
            person.add_metric([name], standing.person)
            asked.add_metric([name], standing.person_oldest)
        by_state = _gauge("mails", "Mails by state; unclear: nobody knows whether it arrived", "state")
        for state in MailState:
            by_state.add_metric([state.value], mails.get(state, 0))
        mail_ages = _gauge("mails_oldest_seconds", "Age of the oldest mail of each unfinished state", "state")
        for state, seconds in ages.items():
            mail_ages.add_metric([state.value], seconds)
        objects = _gauge("archive_objects", "Objects of the archive; faulty: damaged or missing", "condition")
        objects.add_metric(["all"], total)
        objects.add_metric(["faulty"], faulty)
        refused = _gauge("sign_in_failures", "Sign-ins at the portal that failed in the last quarter of an hour")
        refused.add_metric([], failures)
        behind = _gauge("schema_current", "1 while the database is at this program's schema")
        behind.add_metric([], float(schema.current() == schema.head()))
        yield from (waiting, late, oldest, person, asked, by_state, mail_ages, objects, refused, behind)

    def _prefect(self) -> Iterator[GaugeMetricFamily]:
        with PrefectApi(self.target, timeout=5.0) as api:
            counts = run_counts(api, _real_now())
            online = [worker for worker in api.workers(POOL) if worker["status"] == "ONLINE"]
        runs = _gauge("runs", "Flow runs: late, running, stuck, crashed, needs_person", "condition")
        for condition, count in counts.items():
            runs.add_metric([condition], count)
        workers = _gauge("workers_online", "Workers of the pool that were heard of lately")
        workers.add_metric([], len(online))
        yield from (runs, workers)


def run_counts(api: PrefectApi, now: dt.datetime) -> dict[str, int]:
    """How many runs are in each condition; asked by `doctor` too."""
    running = api.runs(flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
    given_up = api.tagged(GIVEN_UP, "CRASHED", "FAILED", "PENDING")
    started = [dt.datetime.fromisoformat(run["state"]["timestamp"]) for run in running]
    return {
        "late": len(api.runs(flow_runs={"state": {"name": {"any_": ["Late"]}}})),
        "running": len(running),
        "stuck": sum(now - at > STUCK for at in started),
        "crashed": max(0, len(api.tagged(RESUME, "CRASHED")) - len(given_up)),
        "needs_person": len(given_up),
    }


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=list(labels))


def _real_now() -> dt.datetime:
    """Prefect's own time is not shifted by `--today`."""
    return clock.now() - dt.timedelta(days=clock.shift_days())


def page(target: Instance) -> bytes:
    """The page of one scrape, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(House(target))
    return generate_latest(registry)


NAMES = frozenset(
    f"{PREFIX}_{name}"
    for name in (
        "up", "queue_waiting", "queue_late", "queue_oldest_seconds", "queue_needs_person", "queue_person_oldest_seconds",
        "mails", "mails_oldest_seconds", "archive_objects", "sign_in_failures", "schema_current", "runs", "workers_online",
    )
)  # fmt: skip
"""Every metric there is; a test compares with what a scrape yields."""
