"""Steps of the weekly look at the archive."""

from actions import archive_check as check
from kit.database import unit_of_work
from kit.steps import Outcome, step

ACTOR = "flow:archive_check"


@step(name="Kette versiegeln")
def seal_chain() -> int:
    """Give every new object its link. A second call finds none."""
    total = 0
    while True:
        with unit_of_work(ACTOR) as session:
            count = check.seal(session)
        total += count
        if not count:
            return total


@step(name="Objekte nachlesen")
def read_again() -> int:
    """Read every object once a day at most and compare its hash; what is wrong stands in its row."""
    total = 0
    while True:
        with unit_of_work(ACTOR) as session:
            count, _ = check.verify(session)
        total += count
        if not count:
            return total


@step(name="Ergebnis zeigen")
def tell(sealed: int, looked_at: int) -> Outcome:
    """One sentence, and every fault by its key."""
    with unit_of_work(ACTOR) as session:
        faults = [*check.known_faults(session), *check.broken_links(session)]
    sentence = f"Archivprüfung: {looked_at} Objekte nachgelesen, {sealed} neu versiegelt, {len(faults)} Fehler."
    return Outcome(sentence, tuple(f"{fault.key}: {fault.why}" for fault in faults))
