"""The first step of every process that sends, hands over or numbers: a restored home does none of it until it is reconciled."""

from actions import restoration
from kit.database import unit_of_work
from kit.steps import Outcome, step

ACTOR = "flow:restoration"


@step(name="Rückspielung prüfen")
def held() -> Outcome | None:
    """Why nothing may happen yet; None in normal operation."""
    with unit_of_work(ACTOR) as session:
        why = restoration.why_held(session)
    return Outcome("Nichts getan.", (why,)) if why else None


@step(name="Rückspielung und Nummern prüfen")
def documents_held() -> Outcome | None:
    """The same for reports and invoices, which also wait until a person has decided about lost numbers."""
    with unit_of_work(ACTOR) as session:
        why = restoration.why_held(session) or restoration.why_documents_wait(session)
    return Outcome("Nichts getan.", (why,)) if why else None
