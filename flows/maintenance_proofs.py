"""Prüfnachweise: a month's proof of every agreed check, per customer. Process: docs/processes/maintenance_round.md"""

from kit.steps import Outcome, flow
from tasks import maintenance_round as maintenance
from tasks import restoration


@flow(name="Prüfnachweise", run_name="Prüfnachweise {month}", titles={"month": "Monat"})
def maintenance_proofs(month: str = "") -> Outcome:
    """Erstellt für jeden Kunden den Prüfnachweis eines Monats. Was erstellt ist, bleibt unverändert.

    Args:
        month: Monat als JJJJ-MM. Leer: der Vormonat, vom dritten Arbeitstag an.
    """
    if stopped := restoration.held():
        return stopped
    return maintenance.issue_proofs(maintenance.proof_month(month))
