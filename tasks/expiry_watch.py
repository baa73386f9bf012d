"""Steps of the watch over ends. What each does: actions/expiry/"""

import datetime as dt

from actions.expiry import ledger
from kit.database import unit_of_work
from kit.steps import Outcome, Progress, run_date, step

ACTOR = "flow:expiry_watch"


@step(name="Fälligkeiten vortragen")
def write_ahead() -> int:
    """Bring the ledger of ends in line with assets, licences and mandates. A second call writes nothing."""
    with unit_of_work(ACTOR, bulk=True) as session:
        return ledger.write_ahead(session, today())


@step(name="Rechtzeitig melden")
def tell_due() -> ledger.Told:
    """A transaction per customer: notices and exchanges whose day has come, each once."""
    day, told = today(), ledger.Told()
    with unit_of_work(ACTOR) as session:
        customers = ledger.customers_due(session, day)
    progress = Progress("Kunden", len(customers))
    for customer in customers:
        with unit_of_work(ACTOR) as session:
            one = ledger.tell(session, customer, day)
        told.notices += one.notices
        told.replacements += one.replacements
        progress.advance()
    return told


def today() -> dt.date:
    """The day that this run is meant for."""
    return run_date()


def summary(entered: int, told: ledger.Told) -> Outcome:
    """One sentence for the operator."""
    counted = f"{len(told.notices)} Hinweise, {len(told.replacements)} Austausche begonnen"
    return Outcome(f"Enden im Blick: {entered} neu vorgetragen, {counted}.")
