"""Episodes: the same beginning, a few kills of the flow's process, then normal operation to the end, and the comparison.

The process is a fork that runs the flow as doorbell and sweep do without a server; whoever resumes it starts it again.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deployments.crash.boundaries import IN_HAND
from deployments.crash.house import Ended, Home
from deployments.crash.result import Kill, Result
from deployments.crash.scenario import Scenario
from deployments.crash.tally import differences

PASSES = 12
"""Times that all flows of a scenario are started until it must be through."""
BY_TIME = 0.35
"""Share of the kills after an episode's first that come at a moment instead of a boundary."""
FLOW = "Flow-Prozess"

Tell = Callable[[str], None]


@dataclass(slots=True)
class Undisturbed:
    """What a scenario comes to when nobody is killed."""

    state: dict[str, Any]
    counted: dict[str, int]
    places: list[list[str]] = field(default_factory=list)
    """Per start: its boundaries in order."""
    seconds: list[float] = field(default_factory=list)

    def in_order(self, rng: random.Random) -> list[tuple[int, int]]:
        """All boundaries as (start, number): each kind in its turn, within a kind by lot."""
        kinds: dict[str, list[tuple[int, int]]] = {}
        for start, places in enumerate(self.places):
            for number, place in enumerate(places, start=1):
                kinds.setdefault(place, []).append((start, number))
        for group in kinds.values():
            rng.shuffle(group)
        order = []
        while any(kinds.values()):
            order += [group.pop() for group in kinds.values() if group]
        return order


def undisturbed(home: Home, scenario: Scenario, before: Callable[[], None] = lambda: None) -> Undisturbed:
    """Run it to its end without a kill: the flows once, and once more, as schedules do. `before`: what else lies ready."""
    home.set_back()
    before()
    ends = [home.order(start.place(), start.filled(home.facts), flow=True, tell=True) for start in scenario.starts]
    for start in scenario.starts:
        home.order(start.place(), start.filled(home.facts), flow=True)
    found = home.look()
    if found.faults:
        raise RuntimeError(f"Schon der ungestörte Lauf »{scenario.title}« ist falsch: {'; '.join(found.faults)}")
    return Undisturbed(found.state, found.counted, [list(end.places) for end in ends], [end.seconds for end in ends])


class Episodes:
    """All episodes of one scenario in one home.

    Args:
        home: set back before each episode.
        scenario: what is started.
        result: what is found out.
        rng: the seed's lot.
        tell: hears of each kill.
    """

    def __init__(self, home: Home, scenario: Scenario, result: Result, rng: random.Random, tell: Tell) -> None:
        self.home, self.scenario = home, scenario
        self.result, self.rng, self.tell = result, rng, tell
        self.calm = undisturbed(home, scenario)
        self._order = self.calm.in_order(rng)
        self._next = self._kills = 0
        self._target: tuple[int, int] | None = None
        result.boundaries[scenario.title] = len(self._order)
        result.hit[scenario.title] = set()

    @property
    def left(self) -> int:
        """Boundaries that no episode has begun with yet."""
        return max(0, len(self._order) - self._next)

    def begin_with(self, kind: str) -> None:
        """Only boundaries whose name begins so come first in an episode."""
        self._order = [(start, n) for start, n in self._order if self.calm.places[start][n - 1].startswith(kind)]

    def run(self, kills: int) -> int:
        """One episode with so many kills at most; how many there were."""
        before, doubts = self.result.killed, 0
        in_hand = self.result.in_hand
        self.home.set_back()
        self._target = self._order[self._next % len(self._order)]
        self._next += 1
        self._kills = kills
        for _ in range(PASSES):
            disturbed = [self._through(index) for index in range(len(self.scenario.starts))]
            decided = self.home.decide_about_mails()
            doubts += decided
            if not any(disturbed) and not decided:
                break
        else:
            self._fault(f"nach {PASSES} Durchgängen nicht fertig")
        self.result.unclear += doubts
        if doubts > self.result.in_hand - in_hand:
            self._fault(
                f"{doubts} unklare Mails, obwohl nur {self.result.in_hand - in_hand} Kills eine Mail in der Hand trafen"
            )
        self._compare(doubted=doubts > 0)
        return self.result.killed - before

    def _through(self, index: int) -> bool:
        """Start one flow until it comes to its end; whether it was killed on the way."""
        start, disturbed = self.scenario.starts[index], False
        while True:
            where = self._where(index)
            end = self.home.order(start.place(), start.filled(self.home.facts), flow=True, **where)
            if not end.killed:
                return disturbed
            disturbed = True
            self._note(end, where)

    def _where(self, index: int) -> dict[str, Any]:
        """Where this start is killed: the episode's own boundary first, later ones by lot, at a boundary or at a moment."""
        if self._target is not None:
            if self._target[0] != index:
                return {}
            (_, number), self._target = self._target, None
            self.result.hit[self.scenario.title].add((index, number))
            return {"kill_at": number}
        if self._kills <= 0:
            return {}
        if self.rng.random() < BY_TIME:
            return {"after": max(0.005, self.rng.random() * self.calm.seconds[index])}
        return {"kill_at": self.rng.randint(1, max(1, len(self.calm.places[index])))}

    def _note(self, end: Ended, where: dict[str, Any]) -> None:
        self._kills -= 1
        self.result.in_hand += IN_HAND in end.place
        place = f"{'Zeitpunkt nach: ' if 'after' in where else ''}{end.place or 'Start'}"
        self.result.kills[Kill(self.scenario.title, FLOW, place)] += 1
        self.tell(f"{self.scenario.title}: {FLOW} getötet, {place}")

    def _compare(self, *, doubted: bool) -> None:
        found = self.home.look()
        self.result.count(self.scenario.title, found.counted, self.calm.counted)
        for fault in [*found.faults, *differences(found.state, self.calm.state, doubted=doubted)]:
            self._fault(fault)

    def _fault(self, fault: str) -> None:
        self.result.faults.append(f"{self.scenario.title}, Durchlauf {self.result.episodes[self.scenario.title]}: {fault}")
