"""Enden im Blick: warranties, licences, firmware, rental lives, mandates. Process: docs/processes/expiry_watch.md"""

from kit.steps import Outcome, flow
from tasks import expiry_watch as ends
from tasks import restoration


@flow(name="Enden im Blick", run_name="Enden im Blick")
def expiry_watch() -> Outcome:
    """Trägt Enden vor und meldet jedes rechtzeitig und einmal; für Mietgeräte beginnt der Austausch zu Lasten des Hauses.

    Beliebig oft startbar; was gemeldet ist, wird nicht noch einmal gemeldet. Nach einem Ausfall wird nachgeholt.
    """
    if stopped := restoration.held():
        return stopped
    entered = ends.write_ahead()
    return ends.summary(entered, ends.tell_due())
