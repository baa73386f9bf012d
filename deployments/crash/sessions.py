"""Kills among the services: all flows at work at once, three processes killed one after the other, then the comparison.

The only act from outside is starting `up` again after the supervisor itself was killed, as the machine's init system does.
"""

import contextlib
import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from actions.mail import outbox
from deployments.crash import stock, tally
from deployments.crash.episodes import Tell, undisturbed
from deployments.crash.house import Home
from deployments.crash.result import Kill, Result
from deployments.crash.scenario import Scenario, scenarios
from deployments.crash.services import BACKGROUND, DOORBELL, FLOW, VICTIMS, Services, at_home, pause
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
KILLS = 3
"""In one session at most; before each something new arrives."""
MOMENT = 4.0
"""Seconds at most between a run's process and the kill."""
AT_ONCE, AT_ONCE_MOMENT = {BACKGROUND, DOORBELL}, 1.2
"""They take what is new within a second, and die within so many."""
WAIT_FOR_WORK = 120.0
IDLE = 15.0
"""Seconds without a flow's process after which there is nothing left to do."""
DOUBTS_PER_KILL = 2
"""Two processes may hold a mail in hand at one moment: the doorbell's and a worker's run."""


class Sessions:
    """Sessions in one home; each begins from the filled database. The whole house works: services know no scenarios.

    Args:
        house: the home, open.
        result: what is found out.
        rng: the seed's lot.
        tell: hears of each kill.
        victims: who dies, in this order, again and again.
    """

    def __init__(self, house: Home, result: Result, rng: random.Random, tell: Tell, victims: Sequence[str] = VICTIMS) -> None:
        self.house, self.result, self.rng, self.tell, self.victims = house, result, rng, tell, victims
        self.scenario = Scenario(TITLE, tuple(start for one in scenarios().values() for start in one.starts))
        self._again = next(start for start in reversed(self.scenario.starts) if start.deployment not in BY_PEOPLE)
        tell(f"Ungestörter Lauf: {TITLE}")
        self.calm = undisturbed(house, self.scenario, self._all_new)
        self._turn = 0
        self._doubts = 0

    def _all_new(self) -> None:
        for number in range(KILLS):
            self.house.order("deployments.crash.stock:arrive", self._new(number))

    def _new(self, number: int) -> dict[str, Any]:
        return {"number": number, "deployment": self._again.deployment, "parameters": self._again.filled(self.house.facts)}

    def run(self, kills: int) -> None:
        """One session with so many kills, `KILLS` at most."""
        self.house.set_back()
        for start in self.scenario.starts:
            if start.deployment in BY_PEOPLE:
                self.house.order(start.place(), start.filled(self.house.facts), flow=True)
        self.house.close()
        self._doubts = 0
        victims = [self.victims[(self._turn + number) % len(self.victims)] for number in range(kills)]
        self._turn += kills
        with at_home(self.house) as target, Services(self.house, target) as services, PrefectApi(target) as api:
            self._disturbed(services, api, victims)
        self.house.open()

    def _disturbed(self, services: Services, api: PrefectApi, victims: list[str]) -> None:
        self._start_all(api)
        last = time.monotonic()
        for number, victim in enumerate(victims):
            last = self._kill(services, api, victim, number)
        for number in range(len(victims), KILLS):
            stock.arrive(**self._new(number))
        done = self._until_done(api)
        self.result.recoveries.append((", ".join(victims), time.monotonic() - last))
        found = tally.look(str(self.house.sink.folder))
        if done and tally.differences(found["state"], self.calm.state, doubted=self._doubts > 0):
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

    def _kill(self, services: Services, api: PrefectApi, victim: str, number: int) -> float:
        """One kill in the middle of work; the instant of it. Something new has just arrived for doorbell and relay."""
        stock.arrive(**self._new(number))
        deadline = time.monotonic() + WAIT_FOR_WORK
        while time.monotonic() < deadline:
            if victim not in AT_ONCE:
                self._wait_for_work(services, api)
            pause(self.rng.random() * (AT_ONCE_MOMENT if victim in AT_ONCE else MOMENT))
            place, chosen = self._place(services, api, victim)
            if not services.kill(victim, chosen):
                continue
            killed = time.monotonic()
            self.result.kills[Kill(TITLE, victim, place)] += 1
            self.tell(f"{TITLE}: {victim} getötet, {place}")
            services.back(victim)
            return killed
        self.result.faults.append(f"{TITLE}: {victim} war {WAIT_FOR_WORK:.0f} s lang nicht zu treffen")
        return time.monotonic()

    def _wait_for_work(self, services: Services, api: PrefectApi) -> None:
        """Until a run is worked on; when nothing is left to do, the schedules come round again."""
        asked = time.monotonic()
        while not services.flow_processes():
            pause(0.1)
            if time.monotonic() - asked > IDLE:
                with contextlib.suppress(PrefectError):
                    self._start_all(api)
                return

    def _place(self, services: Services, api: PrefectApi, victim: str) -> tuple[str, str]:
        """What the report says of the moment, and the run whose process is to die."""
        working = services.flow_processes()
        chosen = self.rng.choice(sorted(working)) if working else ""
        shown = [chosen] if victim == FLOW and chosen else working
        with contextlib.suppress(PrefectError):
            flows = api.flow_names(api.run(run)["flow_id"] for run in shown)
            names = ", ".join(sorted(flows.values()))
            where = f"in {names}" if victim == FLOW else f"bei {names}" if names else "zwischen Läufen"
            return (f"{where}, eben kam Neues" if victim in AT_ONCE else where), chosen
        return f"bei {len(working)} Läufen", chosen

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
        self.result.faults += [
            f"{where}: {fault}" for fault in tally.differences(found["state"], self.calm.state, doubted=self._doubts > 0)
        ]


def _quietly(ask: Callable[[], list[str]]) -> list[str]:
    """Server or database away counts as not done yet."""
    try:
        return ask()
    except (PrefectError, sa.exc.SQLAlchemyError, DrehkreuzError, OSError) as fault:
        return [str(fault).splitlines()[0]]
