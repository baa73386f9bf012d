"""What a crash test has found out: kills by scenario, victim and place, and what was counted at the end."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kill:
    """Who died where."""

    scenario: str
    victim: str
    place: str


@dataclass(slots=True)
class Result:
    """Everything the report tells."""

    seed: int
    rounds: int
    command: str = "./drehkreuz crash-test"
    archive: str = ""
    kills: Counter[Kill] = field(default_factory=Counter)
    episodes: Counter[str] = field(default_factory=Counter)
    counted: dict[str, Counter[str]] = field(default_factory=dict)
    """Scenario -> what was counted at the end of all its episodes together."""
    expected: dict[str, Counter[str]] = field(default_factory=dict)
    """The same by the undisturbed run."""
    boundaries: dict[str, int] = field(default_factory=dict)
    """Scenario -> boundaries of its undisturbed run."""
    hit: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    unclear: int = 0
    in_hand: int = 0
    """Kills between `in_flight` and the answer of the mail server: only these may leave a doubt."""
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    """Victim among the services, and the seconds until everything was done all the same."""
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def killed(self) -> int:
        return self.kills.total()

    def count(self, scenario: str, actual: dict[str, int], expected: dict[str, int]) -> None:
        """Add the end of one episode."""
        self.episodes[scenario] += 1
        self.counted.setdefault(scenario, Counter()).update(actual)
        self.expected.setdefault(scenario, Counter()).update(expected)
