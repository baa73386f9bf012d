"""Kills among the services: all flows at work at once, three processes killed one after the other, then the comparison.

The only act from outside is starting `up` again after the supervisor itself was killed, as the machine's init system does.
"""

import datetime as dt
import random
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from actions.mail import outbox
from deployments.crash import stock, tally
from deployments.crash.episodes import Tell, undisturbed
from deployments.crash.house import Home
from deployments.crash.result import Kill, Result
from deployments.crash.scenario import Scenario, scenarios
from deployments.crash.services import VICTIMS, Services, at_home, pause
from deployments.keeper import GIVEN_UP, RESUME
from deployments.prefect_api import PrefectApi, PrefectError
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from models.plumbing import InboxItem, InboxState, MailState, OutboxEvent, OutboxMail

TITLE = "Alle Flows am Worker"
BY_PEOPLE = {"billing_release"}
"""Done before the services start: a person's act is repeated by the person, never by the keeper."""
PATIENCE = 600.0
"""Seconds until everything must be done after the last kill."""
MOMENT = 4.0
"""Seconds at most between a run's process and the kill."""
WAIT_FOR_WORK = 60.0
DOUBTS_PER_KILL = 2
"""Two processes may hold a mail in hand at one moment: the doorbell's and a worker's run."""


class Sessions:
    """Sessions in one home; each begins from the filled database.

    Args:
        house: the home, open.
        names: the scenarios whose flows run.
        result: what is found out.
        rng: the seed's lot.
        tell: hears of each kill.
    """

    def __init__(self, house: Home, names: list[str], result: Result, rng: random.Random, tell: Tell) -> None:
        self.house, self.result, self.rng, self.tell = house, result, rng, tell
        starts = tuple(start for name in names for start in scenarios()[name].starts)
        self.scenario = Scenario(TITLE, starts)
        tell(f"Ungestörter Lauf: {TITLE}")
        self.calm = undisturbed(house, self.scenario)
        self._turn = 0
        self._doubts = 0

    def run(self, kills: int) -> int:
        """One session with so many kills; how many there were."""
        self.house.set_back()
        for start in self.scenario.starts:
            if start.deployment in BY_PEOPLE:
                self.house.order(start.place(), start.filled(self.house.facts), flow=True)
        self.house.close()
        self._doubts = 0
        victims = [VICTIMS[(self._turn + number) % len(VICTIMS)] for number in range(kills)]
        self._turn += kills
        with at_home(self.house) as target, Services(self.house, target) as services, PrefectApi(target) as api:
            self._disturbed(services, api, victims)
        self.house.open()
        return len(victims)

    def _disturbed(self, services: Services, api: PrefectApi, victims: list[str]) -> None:
        self._start_all(api)
        last = time.monotonic()
        for victim in victims:
            last = self._kill(services, victim)
        done = self._until_done(api)
        self.result.recoveries.append((", ".join(victims), time.monotonic() - last))
        found = tally.look(str(self.house.sink.folder))
        if done and tally.differences(found["state"], self.calm.state):
            self.result.notes.append(f"{TITLE} ({', '.join(victims)}): nächster Zeitplan vorgezogen")
            self._start_all(api)
            self._until_done(api)
            found = tally.look(str(self.house.sink.folder))
        self._compare(found, victims)

    def _start_all(self, api: PrefectApi) -> None:
        """What schedules would start, now."""
        for start in self.scenario.starts:
            if start.deployment not in BY_PEOPLE:
                api.create_run(start.deployment, dict(start.filled(self.house.facts)))

    def _kill(self, services: Services, victim: str) -> float:
        deadline = time.monotonic() + WAIT_FOR_WORK
        while not services.flow_processes() and time.monotonic() < deadline:
            pause(0.1)
        pause(self.rng.random() * MOMENT)
        running = len(services.flow_processes())
        if not services.kill(victim):
            self.result.notes.append(f"{victim} war gerade nicht da")
            return time.monotonic()
        killed = time.monotonic()
        place = f"während {running} Läufe arbeiteten"
        self.result.kills[Kill(TITLE, victim, place)] += 1
        self.tell(f"{TITLE}: {victim} getötet, {place}")
        services.back(victim)
        return killed

    def _until_done(self, api: PrefectApi) -> bool:
        deadline = time.monotonic() + PATIENCE
        while (waiting := _quietly(lambda: self._waiting(api))) and time.monotonic() < deadline:
            pause(0.5)
        if waiting:
            self.result.faults.append(f"{TITLE}: nach {PATIENCE:.0f} s noch nicht fertig: {', '.join(waiting)}")
        return not waiting

    def _waiting(self, api: PrefectApi) -> list[str]:
        """What normal operation still has to do; decides about unclear mails as the runbook says."""
        now = dt.datetime.fromtimestamp(time.time(), tz=dt.UTC)
        runs = [
            f"Lauf {run['name']} {run['state']['name']}"
            for run in api.tagged(RESUME, "RUNNING", "PENDING", "CRASHED", "SCHEDULED", "CANCELLING")
            if dt.datetime.fromisoformat(run["expected_start_time"]) <= now and GIVEN_UP not in run["tags"]
        ]
        with unit_of_work("crash-test") as session:
            counts = {
                "Mails": (OutboxMail, OutboxMail.state.in_([MailState.QUEUED, MailState.IN_FLIGHT])),
                "Meldungen": (InboxItem, InboxItem.state == InboxState.WAITING),
                "Ausgangszeilen": (OutboxEvent, OutboxEvent.dispatched_at.is_(None)),
            }
            rows = [
                f"{count} {word}"
                for word, (model, where) in counts.items()
                if (count := session.scalar(sa.select(sa.func.count()).select_from(model).where(where)))
            ]
        return [*runs, *rows, *self._decide()]

    def _decide(self) -> list[str]:
        """A person's part: look into the mail server's log. Whoever was asked makes one more round necessary."""
        unclear = stock.unclear()
        if unclear:
            log = b"\n".join(path.read_bytes() for path in self.house.sink.folder.glob("*.eml"))
            for mail in unclear:
                with unit_of_work("crash-test") as session:
                    outbox.resolve_unclear(session, mail["id"], arrived=mail["message_id"].encode() in log, actor="crash-test")
            self._doubts += len(unclear)
        return [f"{len(unclear)} unklare Mails"] if unclear else []

    def _compare(self, found: dict[str, Any], victims: list[str]) -> None:
        self.result.count(TITLE, found["counted"], self.calm.counted)
        self.result.unclear += self._doubts
        where = f"{TITLE} ({', '.join(victims)})"
        if self._doubts > DOUBTS_PER_KILL * len(victims):
            self.result.faults.append(f"{where}: {self._doubts} unklare Mails")
        self.result.faults += [f"{where}: {fault}" for fault in found["faults"]]
        self.result.faults += [f"{where}: {fault}" for fault in tally.differences(found["state"], self.calm.state)]


def _quietly(ask: Callable[[], list[str]]) -> list[str]:
    """Server or database away counts as not done yet."""
    try:
        return ask()
    except (PrefectError, sa.exc.SQLAlchemyError, DrehkreuzError, OSError) as fault:
        return [str(fault).splitlines()[0]]
