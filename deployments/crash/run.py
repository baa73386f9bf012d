"""The whole crash test: cheap kills of flow processes scenario by scenario, a bounded share at the services, one result."""

import contextlib
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.crash.episodes import Episodes
from deployments.crash.house import CrashTestError, Home, home
from deployments.crash.result import Result
from deployments.crash.scenario import scenarios
from deployments.crash.services import NAMES, VICTIMS
from deployments.crash.sessions import KILLS, Sessions
from kit.errors import UsageError
from kit.process import marked

SMALLEST_SHARE, SHARE = 3, 40
"""Kills at the services: at least three (server, database, supervisor), in long tests one of forty."""
LONG = 300
"""From so many kills on an episode has few of them, so that more boundaries come first."""
LAST_PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Args:
        rounds: number of kills.
        seed: of the lot; the same seed draws the same places.
        names: scenarios; empty = all.
        services: kills among the services; None = the usual share.
        load: modules loaded first by every process of a flow (tests break something by them).
        victims: services that die, in this order; named ones take all kills unless `services` says otherwise.
    """

    rounds: int = 60
    seed: int = 1
    names: tuple[str, ...] = ()
    services: int | None = None
    load: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()

    def among_services(self) -> int:
        """How many kills hit server, database, supervisor and the like."""
        if self.victims and self.services is None:
            return self.rounds
        usual = max(SMALLEST_SHARE, self.rounds // SHARE) if self.rounds >= 2 * SMALLEST_SHARE else 0
        return min(self.rounds, usual if self.services is None else self.services)

    def command(self) -> str:
        """How the same is started again."""
        said = [f"--rounds {self.rounds} --seed {self.seed}", *(f"--scenario {name}" for name in self.names)]
        said += [f"--victim {name}" for name in self.victims]
        said += [] if self.services is None else [f"--services {self.services}"]
        return f"./drehkreuz crash-test {' '.join(said)}"


def known_victims(names: Sequence[str]) -> tuple[str, ...]:
    """The services of these names, checked. Raises: UsageError."""
    if unknown := [name for name in names if name not in NAMES]:
        raise UsageError(f"Opfer »{unknown[0]}«: gibt es nicht. Vorhanden: {', '.join(NAMES)}.")
    return tuple(names)


def chosen(names: Sequence[str]) -> list[str]:
    """The scenarios of these names. Raises: UsageError."""
    known = scenarios()
    if unknown := sorted(set(names) - set(known)):
        raise UsageError(f"Szenario »{unknown[0]}«: gibt es nicht. Vorhanden: {', '.join(known)}.")
    return list(names) or list(known)


def crash_test(plan: Plan, tell: Callable[[str], None], advance: Callable[[int, int], None]) -> Result:
    """Do it. What differs from the undisturbed run stands in the result's faults.

    Ctrl-C and SIGTERM keep what is known so far, and so does a fault of the test itself: hours of kills are not lost.

    Args:
        plan: how much of what.
        tell: a German line per kill.
        advance: (kills so far, kills wanted).
    """
    result, started = Result(plan.seed, plan.rounds, plan.command()), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drehkreuz-crash-", ignore_cleanup_errors=True) as folder:
        try:
            with _ended_like_ctrl_c(), home(Path(folder), plan.load) as house:
                work(house, plan, result, tell, advance)
        except KeyboardInterrupt:
            result.interrupted = True
        except (CrashTestError, TimeoutError) as fault:
            if not result.killed:
                raise
            result.faults.append(f"abgebrochen nach {result.killed} Kills: {fault}")
        result.seconds = time.monotonic() - started
        result.faults += left_over(Path(folder) / "home")
    return result


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM (cron, a service manager) ends the test as the keyboard does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@dataclass(slots=True)
class _Work:
    """A crash test under way."""

    house: Home
    plan: Plan
    result: Result
    tell: Callable[[str], None]
    advance: Callable[[int, int], None]
    names: list[str]
    rng: random.Random

    def at_flows(self, wanted: int) -> None:
        """Kills of a flow's process: every scenario once, then whoever has most boundaries left that nobody died at."""
        known = scenarios()
        episodes = []
        for name in self.names:
            self.tell(f"Ungestörter Lauf: {known[name].title}")
            episodes.append(Episodes(self.house, known[name], self.result, self.rng, self.tell))
        first = iter(episodes)
        few = (1, 3) if self.plan.rounds >= LONG else (3, 6)
        while self.result.killed < wanted:
            one = next(first, None) or self.rng.choices(episodes, [1 + each.left for each in episodes])[0]
            one.run(min(self.rng.randint(*few), wanted - self.result.killed))
            self.advance(self.result.killed, self.plan.rounds)

    def at_services(self) -> None:
        """The rest: kills among the services of the home."""
        left = self.plan.rounds - self.result.killed
        victims = [NAMES[name] for name in self.plan.victims] or VICTIMS
        sessions = Sessions(self.house, self.result, self.rng, self.tell, victims)
        while left > 0:
            kills = min(left, KILLS)
            sessions.run(kills)
            left -= kills
            self.advance(self.plan.rounds - left, self.plan.rounds)


def work(house: Home, plan: Plan, result: Result, tell: Callable[[str], None], advance: Callable[[int, int], None]) -> None:
    """The same in a home that is there."""
    rng = random.Random(plan.seed)  # noqa: S311 - the same seed, the same places
    result.archive = "S3-Server (SeaweedFS)" if house.s3 else "Ordner (kein S3-Server installiert)"
    under_way = _Work(house, plan, result, tell, advance, chosen(plan.names), rng)
    if plan.rounds > plan.among_services():
        under_way.at_flows(plan.rounds - plan.among_services())
    if plan.among_services():
        under_way.at_services()


def left_over(folder: Path) -> list[str]:
    """Processes of the home that nobody ended."""
    deadline = time.monotonic() + LAST_PATIENCE
    while found := marked("DREHKREUZ_HOME", str(folder)):
        if time.monotonic() > deadline:
            return [f"Prozess {process.pid} ({' '.join(process.cmdline())[:100]}) blieb übrig" for process in found]
        time.sleep(0.2)
    return []
