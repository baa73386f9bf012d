"""Monatsabrechnung: report first, then invoice. Process: docs/processes/monthly_billing.md"""

from kit.log import bound
from kit.steps import Outcome, flow
from tasks import billing, restoration


@flow(name="Monatsabrechnung", run_name="Abrechnung {month}", titles={"month": "Monat"})
def monthly_billing(month: str = "") -> Outcome:
    """Rechnet einen Monat ab: erst die Serviceberichte, nach deren Annahme die Rechnungen.

    Jeder Start geht so weit, wie es der Stand erlaubt, und ändert nichts, was schon getan ist: ohne Freigabe die Vorschau,
    nach der Freigabe Serviceberichte und Mails, nach Annahme und Frist Rechnungen, SAP-Belege, DATEV-Stapel und Postmappe.

    Args:
        month: Monat als JJJJ-MM, zum Beispiel 2026-10. Leer: Vormonat und alle freigegebenen Monate, die noch offen sind.
    """
    if stopped := restoration.documents_held():
        return stopped
    outcomes = []
    for each in billing.months_to_visit(month):
        with bound(month=each):
            outcomes.append(visit(each))
    return billing.summarise(outcomes)


def visit(month: str) -> Outcome:
    """One month, as far as it can go today."""
    run = billing.begin_visit(month)
    if run is None:
        return billing.show_preview(month)
    billing.read_bounces()
    billing.number_reports(run)
    billing.issue_reports(run)
    billing.send_mail()
    billing.number_invoices(run)
    billing.issue_invoices(run)
    stopped = billing.send_mail()
    billing.hand_over_to_sap(run)
    billing.write_datev_batch(run, month)
    billing.fill_postal_batches(run)
    billing.watch_contracts(month)
    return billing.show_standing(billing.close_visit(run), stopped)
