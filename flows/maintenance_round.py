"""Wartungsrunde: agreed checks become tickets on their day. Process: docs/processes/maintenance_round.md"""

import datetime as dt

from kit.steps import Outcome, flow
from tasks import maintenance_round as maintenance
from tasks import restoration


@flow(
    name="Wartungsrunde",
    run_name="Wartungsrunde",
    titles={"first": "Erster Tag", "last": "Letzter Tag", "preview": "Nur Vorschau"},
)
def maintenance_round(first: dt.date | None = None, last: dt.date | None = None, preview: bool = False) -> Outcome:
    """Macht aus fälligen Wartungsterminen Tickets, jeden genau einmal, und meldet Prüfungen, die nicht stattfinden.

    Ohne Angaben: alles, was bis zum geplanten Tag des Laufs offen ist. Versäumte Termine werden nachgeholt, wie der Plan es
    vorsieht. Ein weiterer Start ändert nichts, was schon getan ist.

    Args:
        first: Erster Tag eines Zeitraums, der von Hand nachgeholt wird. Leer: alles Offene.
        last: Letzter Tag des Zeitraums. Leer: heute.
        preview: Nur zeigen, welche Tickets entstünden.
    """
    if stopped := restoration.held():
        return stopped
    span = maintenance.period(first, last)
    ahead = maintenance.write_ahead(span)
    if preview:
        return maintenance.tell(span, ahead, maintenance.preview(span), [], dry=True)
    created = maintenance.create_tickets(span)
    alarmed = maintenance.raise_alarms(span, created)
    maintenance.file_analyses()
    return maintenance.tell(span, ahead, created, alarmed)
