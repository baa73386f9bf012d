"""Freigabe der Monatsabrechnung from Prefect's interface. Process: docs/processes/monthly_billing.md"""

from kit.steps import Outcome, flow
from tasks import billing, restoration


@flow(
    name="Monatsabrechnung freigeben",
    run_name="Freigabe {month}",
    titles={"month": "Monat", "snapshot": "Prüfsumme der Vorschau", "released_by": "Freigegeben von"},
)
def billing_release(month: str, snapshot: str, released_by: str) -> Outcome:
    """Gibt genau die Vorschau mit dieser Prüfsumme frei. Hat sich seitdem etwas geändert, wird abgelehnt und gesagt, was.

    Args:
        month: Monat als JJJJ-MM, zum Beispiel 2026-10.
        snapshot: Prüfsumme aus der Vorschau (Artefakt »vorschau-JJJJ-MM« oder »drehkreuz billing preview«).
        released_by: Wer freigibt, mit Vor- und Nachname; steht im Protokoll.
    """
    if stopped := restoration.documents_held():
        return stopped
    return billing.release_month(month, snapshot, released_by)
