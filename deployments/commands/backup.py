"""`drehkreuz backup --to FOLDER` and `drehkreuz restore FOLDER`. How to: docs/runbooks/sicherung.md"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deployments.commands.shared import PERSON_NEEDED, print_json, progress
from kit import clock
from kit.errors import UsageError
from kit.postgres import database_for_home

JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]


def backup_command(
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Ordner aller Sicherungen, außerhalb des Heims")],
    keep: Annotated[int, typer.Option("--keep", min=0, help="nur so viele behalten, die ältesten gehen; 0 = alle")] = 0,
    objects: Annotated[bool, typer.Option("--objects", help="mit S3: auch die Objekte kopieren, nicht nur prüfen")] = False,
    check: Annotated[bool, typer.Option("--check", help="nur die neueste Sicherung dort prüfen, jede Datei")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sichert Datenbank, Archiv und Geheimnisse dieses Heims; die Dienste laufen weiter. Die Sicherung enthält Geheimnisse."""
    if check:
        _check(to, as_json=as_json)
        return
    from deployments.backup.making import make
    from models import schema

    with database_for_home():
        schema.upgrade()
        made = make(to, progress, keep=keep, with_objects=objects)
    manifest, place = made.backup.manifest, made.backup.folder
    if as_json:
        told = manifest.model_dump(mode="json") | {"folder": str(place), "linked": made.linked}
        print_json(told | {"removed": made.removed, "open_items": made.troubles})
    else:
        print(
            f"{place}: {manifest.counts.get('customer', 0)} Kunden, {manifest.counts.get('invoice', 0)} Rechnungen "
            f"(mit vorbereiteten), {manifest.objects} Objekte im Archiv, {manifest.files} Dateien, davon {made.linked} "
            "unverändert verlinkt."
        )
        for name in made.removed:
            print(f"Alte Sicherung entfernt: {name}")
    _tell(made.troubles, as_json=as_json)


def _check(folder: Path, *, as_json: bool) -> None:
    from deployments.backup.contents import chosen, verify

    backup = chosen(folder)
    sums = verify(backup, progress)
    if as_json:
        print_json(backup.manifest.model_dump(mode="json") | {"folder": str(backup.folder), "verified": len(sums)})
        return
    print(
        f"{backup.folder}: in Ordnung, {len(sums)} Dateien geprüft, vom {clock.local(backup.manifest.made_at):%d.%m.%Y %H:%M}."
    )


def _tell(troubles: list[str], *, as_json: bool) -> None:
    if not as_json:
        for trouble in troubles:
            print(f"- {trouble}")
    if troubles:
        raise typer.Exit(PERSON_NEEDED)


def restore_command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="eine Sicherung, oder der Ordner aller (dann die neueste)")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="auch über ein gefülltes Heim, nach einer Rückfrage")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="die Rückfrage ist beantwortet (Skripte)")] = False,
    forget: Annotated[bool, typer.Option("--forget-former", help="löscht, was frühere Rückspielungen beiseitelegten")] = False,
    as_json: JsonOption = False,
) -> None:
    """Spielt eine Sicherung in dieses Heim zurück. Danach ist der Versand angehalten, bis »mail reconcile« getan ist."""
    from deployments.backup import restoring
    from deployments.backup.contents import Backup
    from deployments.instance import instance

    if forget:
        with database_for_home():
            gone = restoring.forget_former()
        print_json({"forgotten": gone}) if as_json else print(f"Gelöscht: {', '.join(gone) or 'nichts'}.")
        return
    if folder is None:
        raise UsageError("restore: Nennen Sie die Sicherung, etwa »drehkreuz restore /sicherung«.")

    def agree(present: restoring.Present, backup: Backup) -> bool:
        question = (
            f"Hier liegen {present.customers} Kunden und {present.invoices} Rechnungen (mit vorbereiteten). Ersetzen durch die "
            f"Sicherung vom {clock.local(backup.manifest.made_at):%d.%m.%Y %H:%M} "
            f"({backup.manifest.counts.get('invoice', 0)} Rechnungen)?"
        )
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"restore: {question} Ohne Terminal antworten Sie mit --yes.")
        return typer.confirm(question, default=False)

    done = restoring.restore(folder, instance(), progress, replace=replace, agree=agree)
    if done is None:
        print("Nichts geändert.")
        raise typer.Exit(1)
    _show_restored(done, as_json=as_json)


def _show_restored(done: "object", *, as_json: bool) -> None:
    from actions.restoration import REMEDY
    from deployments.backup.restoring import Restored

    assert isinstance(done, Restored)  # noqa: S101 - imported late
    manifest, made_at = done.backup.manifest, clock.local(done.backup.manifest.made_at)
    held = f"Versand angehalten bis zum Abgleich: {REMEDY}."
    items = [held, *done.troubles]
    if as_json:
        told = {"backup": str(done.backup.folder), "made_at": manifest.made_at.isoformat(), "former": done.former}
        print_json(told | {"objects": done.objects, "counts": manifest.counts, "open_items": items})
    else:
        print(
            f"Zurückgespielt: Sicherung vom {made_at:%d.%m.%Y %H:%M}, {manifest.counts.get('customer', 0)} Kunden, "
            f"{manifest.counts.get('invoice', 0)} Rechnungen (mit vorbereiteten), {done.objects} Objekte im Archiv."
        )
        if done.former:
            print(f"Der frühere Stand liegt als Schema »{done.former}« daneben; löschen: drehkreuz restore --forget-former.")
    _tell(items, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)
