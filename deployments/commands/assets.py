"""`drehkreuz assets …`: inventories in, gaps out."""

from pathlib import Path
from typing import Annotated

from actions.assets import coverage, inventory
from deployments.commands.shared import PERSON_NEEDED, open_session, print_json, print_table
from deployments.german import typer
from integrations.inventory.reader import read_inventory
from kit.errors import UsageError

JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
CustomerOption = Annotated[str, typer.Option("--customer", help="Kundennummer", show_default=False)]
app = typer.Typer(help="Assets: Inventar einlesen, Lücken zeigen.", no_args_is_help=True)
SIZE_LIMIT = 50 * 1024 * 1024


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Inventar eines Agenten (JSON) oder Liste (CSV)")],
    customer: CustomerOption = "",
    as_json: JsonOption = False,
) -> None:
    """Führt ein Inventar nach Seriennummern zusammen; was nicht gemeldet wird, bleibt stehen."""
    if not file.is_file():
        raise UsageError(f"{file}: Die Datei gibt es nicht.")
    if file.stat().st_size > SIZE_LIMIT:
        raise UsageError(f"{file.name}: Die Datei ist zu groß für ein Inventar (höchstens {SIZE_LIMIT // 1_048_576} MB).")
    told = read_inventory(file.read_bytes(), file.name)
    with open_session("cli:assets import") as session:
        done = inventory.merge(session, told, customer=customer, source=file.name)
    if as_json:
        found = {"created": done.created, "changed": done.changed, "unchanged": done.unchanged, "missing": done.missing}
        print_json(found | {"partial": told.partial, "hints": done.hints})
    else:
        print(f"{file.name}: {len(done.created)} neu, {len(done.changed)} geändert, {done.unchanged} unverändert.")
        for number in done.missing:
            print(f"  nicht mehr gefunden: {number} (bleibt gespeichert)")
        for hint in done.hints:
            print(f"  Hinweis: {hint}")
    if done.missing:
        raise typer.Exit(PERSON_NEEDED)


@app.command("coverage")
def coverage_command(customer: CustomerOption = "", as_json: JsonOption = False) -> None:
    """Geräte ohne Schutz, ohne Sicherung oder ohne Vertrag."""
    with open_session("cli:assets coverage") as session:
        gaps = coverage.coverage(session, customer=customer)
    if as_json:
        print_json(
            [
                {
                    "customer": gap.customer,
                    "inventory_no": gap.inventory_no,
                    "class": gap.asset_class,
                    "model": gap.model,
                    "protection": gap.protection or None,
                    "backup": gap.backup or None,
                    "contract": gap.contract or None,
                }
                for gap in gaps
            ]
        )
        return
    rows = [(g.customer, g.inventory_no, g.asset_class, g.model, g.protection, g.backup, g.contract) for g in gaps]
    print_table("Lücken", ("Kunde", "Gerät", "Art", "Modell", "Schutz", "Sicherung", "Vertrag"), rows, empty="keine.")


def register(target: typer.Typer) -> None:
    """Add the commands."""
    target.add_typer(app, name="assets")
