"""`drehkreuz billing …` and `drehkreuz documents MONTH`: the month by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from actions import words
from actions.billing import cancel as cancelling
from actions.billing import corrections, decisions, documents, overview, preview, release, withdraw
from actions.billing.preview_json import as_json
from deployments.commands.shared import PERSON_NEEDED, open_session, print_json, print_table, progress
from kit import clock
from rules.differences import euro, german

MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="Monat als JJJJ-MM", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
ByOption = Annotated[str, typer.Option("--by", help="wer handelt, für das Protokoll")]
app = typer.Typer(help="Monatsabrechnung: Vorschau, Freigabe, Stand.", no_args_is_help=True)


@app.command("preview")
def preview_command(month: MonthArgument, as_json_: JsonOption = False) -> None:
    """Der ganze Lauf, ohne etwas festzuhalten: Beträge, Differenz zum Vormonat mit Gründen, Sperrliste, Prüfsumme."""
    parsed = preview.parse_month(month)
    with open_session("cli:billing preview") as session, progress(f"Vorschau {month}") as tell:
        seen = preview.build(session, parsed, tell)
        preview.remember(session, seen, clock.now())
        told = as_json(seen)
    if as_json_:
        print_json(told)
    else:
        _print_preview(seen, told)
    if seen.blocked:
        raise typer.Exit(PERSON_NEEDED)


def _euro(amount: str) -> str:
    return f"{german(Decimal(amount))} €"


def _print_preview(seen: preview.Preview, told: dict[str, Any]) -> None:
    rows = [
        (
            preview.who_is(item.keys.number, item.payer.site),
            item.keys.name,
            german(item.payer.net),
            german(item.last_month_net),
            euro(item.difference),
            "; ".join(item.reasons),
        )
        for item in seen.items
    ]
    print_table(f"Vorschau {seen.month}", ("Kunde", "Name", "netto €", "Vormonat €", "Differenz", "Gründe"), rows)
    hints = [(preview.who_is(i.keys.number, i.payer.site), hint.text) for i in seen.items for hint in i.payer.hints]
    if hints:
        print_table("\nHinweise", ("Kunde", "Hinweis"), hints)
    if seen.blocked:
        blocked = [(preview.who_is(i.keys.number, i.payer.site), b.why, words.role(b.role)) for i, b in seen.blocked]
        print_table("\nSperrliste", ("Kunde", "Was fehlt", "Zuständig"), blocked)
    totals = told["totals"]
    print(
        f"\n{totals['reports']} Serviceberichte, {totals['invoices']} Rechnungen, {_euro(totals['net'])} netto, "
        f"{_euro(totals['gross'])} brutto"
        f"\nPrüfsumme: {seen.snapshot}\nFreigeben: drehkreuz billing release {seen.month} --snapshot {seen.snapshot}"
    )


@app.command("release")
def release_command(
    month: MonthArgument,
    snapshot: Annotated[str, typer.Option("--snapshot", help="Prüfsumme der Vorschau", show_default=False)],
    by: ByOption = "Kommandozeile",
) -> None:
    """Gibt genau diese Vorschau frei; lehnt ab und sagt, was sich seitdem geändert hat."""
    parsed = preview.parse_month(month)
    with open_session(f"cli:{by}") as session:
        done = release.release(session, parsed, snapshot.strip(), by)
    if not done.new:
        print(f"Rechnungslauf {month}: war mit dieser Prüfsumme schon freigegeben, nichts geändert.")
    else:
        print(f"Rechnungslauf {month}: freigegeben, {done.parts} Abrechnungen.")
        print(f"Weiter: drehkreuz run monthly_billing --param month={month}")
    for blocked in done.blocked:
        print(f"  {blocked.why} (zuständig: {words.role(blocked.role)})")
    if done.blocked:
        raise typer.Exit(PERSON_NEEDED)


@app.command("show")
def show_command(month: MonthArgument, as_json_: JsonOption = False) -> None:
    """Was der Lauf bisher getan hat."""
    parsed = preview.parse_month(month)
    with open_session("cli:billing show") as session:
        told = overview.show(session, parsed)
    if as_json_:
        print_json(told)
        return
    rows = [
        (
            preview.who_is(customer["number"], customer["site"]),
            customer["report"]["id"] if customer["report"] else "",
            words.REPORT_STATES[customer["report"]["state"]] if customer["report"] else "",
            ", ".join(
                f"{i['number']} ({words.INVOICE_KINDS[i['kind']]}, {_euro(i['net'])}, {words.INVOICE_STATES[i['state']]})"
                for i in customer["invoices"]
            ),
            decisions.blockers(customer["blocked"]),
        )
        for customer in told["customers"]
    ]
    print_table(
        f"Rechnungslauf {month}: {words.RUN_STATES[told['state']]}",
        ("Kunde", "Servicebericht", "Stand", "Rechnungen", "Blockiert"),
        rows,
    )
    totals = told["totals"]
    print(f"\n{totals['reports']} Serviceberichte, {totals['invoices']} Rechnungen, {_euro(totals['net'])} netto")


@app.command("withdraw")
def withdraw_command(
    month: MonthArgument,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Kundennummer")],
    by: ByOption = "Kommandozeile",
) -> None:
    """Nimmt einen Kunden aus einem freigegebenen Monat, solange kein Beleg von ihm ausgestellt ist."""
    with open_session(f"cli:{by}") as session:
        freed = withdraw.withdraw_customer(session, preview.parse_month(month), customer)
    print(f"{customer}: aus dem Lauf {month} genommen, {freed} Leistungen sind wieder offen.")


@app.command("corrections")
def corrections_command(as_json_: JsonOption = False) -> None:
    """Vorgeschlagene Korrekturen überbuchter Kontingente, die auf eine Entscheidung warten."""
    with open_session("cli:billing corrections") as session:
        waiting = corrections.open_proposals(session)
    if as_json_:
        print_json(
            [
                {
                    "contract": p.contract,
                    "customer": p.customer,
                    "month": p.month,
                    "minutes": p.minutes,
                    "net": str(p.net),
                    "rule": p.rule,
                }
                for p in waiting
            ]
        )
        return
    rows = [(p.contract, p.customer, p.month, p.minutes, p.releasable_minutes, german(p.net), p.rule) for p in waiting]
    print_table("Überbuchungen", ("Vertrag", "Kunde", "Monat", "Minuten", "davon noch offen", "netto €", "Regel"), rows)


@app.command("correct")
def correct_command(
    contract: Annotated[str, typer.Argument(metavar="CONTRACT", help="Vertragsnummer")],
    month: MonthArgument,
    reject: Annotated[bool, typer.Option("--reject", help="nicht berechnen, im Saldo stehen lassen")] = False,
    note: Annotated[str, typer.Option("--note", help="Bemerkung")] = "",
    by: ByOption = "Kommandozeile",
) -> None:
    """Gibt die Korrektur eines überbuchten Monats frei (oder lehnt sie ab); der nächste Besuch stellt die Rechnung aus."""
    with open_session(f"cli:{by}") as session:
        proposal = corrections.find_proposal(session, contract, preview.parse_month(month))
        if reject:
            corrections.reject_proposal(session, proposal, by, note)
            print(f"{contract} {month}: abgelehnt, die Minuten bleiben im Saldo.")
            return
        minutes = corrections.release_proposal(session, proposal, by, note)
    print(f"{contract} {month}: {minutes} Minuten freigegeben. Weiter: drehkreuz run monthly_billing --param month={month}")


@app.command("cancel")
def cancel_command(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Rechnungsnummer")],
    reason: Annotated[str, typer.Option("--reason", help="Begründung, steht auf dem Storno", show_default=False)],
    by: ByOption = "Kommandozeile",
) -> None:
    """Storniert eine ausgestellte Rechnung durch eine Stornorechnung mit eigener Nummer."""
    with open_session(f"cli:{by}") as session:
        cancellation = cancelling.cancel_invoice(session, number, reason, by)
    by_what = cancellation or "eine Gutschrift, deren Nummer SAP beim nächsten Besuch vergibt"
    print(f"{number}: storniert durch {by_what}. Weiter: drehkreuz run monthly_billing")


def documents_command(
    month: MonthArgument,
    to: Annotated[Path, typer.Option("--to", help="Zielordner", show_default=False)],
) -> None:
    """Alle Belege des Monats als Dateien, jeweils gegen ihre Prüfsumme geprüft."""
    with open_session("cli:documents") as session:
        written = documents.write(session, preview.parse_month(month), to)
    print(f"{to}: {len(written)} Dateien geschrieben, Prüfsummen stimmen.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="billing")
    root.command("documents")(documents_command)
