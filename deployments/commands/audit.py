"""`drehkreuz audit`: what the program is made of, whether it is locked, licensed and free of known faults."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.commands.shared import PERSON_NEEDED, print_json
from kit import clock
from kit.errors import DrehkreuzError
from models.migrations.releases import RELEASES

SHOWN = 20
"""How many unread files the text names."""
VERSION = next(reversed(RELEASES))
"""The newest release; the bill of materials is of that program."""


class AuditError(DrehkreuzError):
    """There are findings; they stand above."""


def audit(
    offline: Annotated[bool, typer.Option("--offline", help="nur, was ohne Netz geht: Prüfsummen und Lizenzen")] = False,
    advisories: Annotated[
        Path | None,
        typer.Option(
            "--advisories", metavar="ORDNER", help="statt im Netz in dieser Sammlung nachsehen (OSV-Format; Ordner oder Zip)"
        ),
    ] = None,
    with_tests: Annotated[
        bool, typer.Option("--with-tests", help="bei den Schwachstellen auch die Pakete, mit denen nur getestet wird")
    ] = False,
    sbom: Annotated[Path | None, typer.Option("--sbom", metavar="DATEI", help="Stückliste als CycloneDX schreiben")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON auf stdout")] = False,
) -> None:
    """Prüft die Pakete: Prüfsummen, Lizenzen, bekannte Schwachstellen. 0 gut, 1 Befunde, 3 nicht oder nicht ganz geprüft."""
    from deployments import bootstrap, supply, vulnerabilities

    packages, licensed = supply.locked(), supply.licences()
    reviewed = supply.exceptions(clock.today())
    told: dict[str, Any] = {
        "packages": len(packages),
        "without_hash": [package.name for package in packages if not package.hashes],
        "licences": [asdict(package) for package in licensed if not package.fine],
        "inactive": supply.abandoned(),
        "expired_exceptions": list(reviewed.expired),
        "vulnerabilities": [],
        "asked": advisories is not None or not offline,
        "reason": "",
        "advisories": None,
    }
    if sbom is not None:
        sbom.write_text(vulnerabilities.bill_of_materials(packages, licensed, VERSION))
        print(f"Stückliste: {sbom}", file=sys.stderr)
    lock = bootstrap.DEV_LOCK if with_tests else bootstrap.LOCK
    if advisories is not None:
        known = vulnerabilities.look_up(advisories, reviewed.vulnerabilities, lock)
        told["vulnerabilities"] = [asdict(fault) for fault in known.found]
        told["advisories"] = {
            "source": str(advisories),
            **{
                key: getattr(known, key) for key in ("read", "withdrawn", "named", "unknown", "newest", "days", "old", "unread")
            },
        }
    elif not offline:
        try:
            told["vulnerabilities"] = [asdict(fault) for fault in vulnerabilities.ask(reviewed.vulnerabilities, lock=lock)]
        except vulnerabilities.NotAskedError as fault:
            told |= {"asked": False, "reason": str(fault)}
    if as_json:
        print_json(told)
    else:
        print("\n".join(_lines(told)))
    if _findings(told):
        raise AuditError(
            "Prüfung der Pakete: Es gibt Befunde; Ausnahmen mit Begründung stehen in deployments/audit_exceptions.toml."
        )
    if (not offline and not told["asked"]) or (told["advisories"] and told["advisories"]["unread"]):
        raise typer.Exit(PERSON_NEEDED)


def _findings(told: dict[str, Any]) -> bool:
    open_faults = [fault for fault in told["vulnerabilities"] if not fault["accepted"]]
    return bool(told["without_hash"] or told["licences"] or told["inactive"] or told["expired_exceptions"] or open_faults)


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['packages']} Pakete im Lock, {len(told['without_hash'])} ohne Prüfsumme"]
    lines += [f"  ohne Prüfsumme: {name}" for name in told["without_hash"]]
    lines += [f"  Lizenz ungeprüft: {one['name']} ({one['licence'] or 'keine Angabe'})" for one in told["licences"]]
    lines += [f"  wird nicht mehr gepflegt: {name}" for name in told["inactive"]]
    lines += [f"  Ausnahme abgelaufen: {name}" for name in told["expired_exceptions"]]
    if told["advisories"]:
        lines += _copy_lines(told["advisories"])
    for fault in told["vulnerabilities"]:
        fixed = f", behoben in {', '.join(fault['fixed'])}" if fault["fixed"] else ", noch nicht behoben"
        state = f"angenommen: {fault['accepted']}" if fault["accepted"] else "OFFEN"
        lines.append(f"  {fault['package']} {fault['version']}: {fault['id']}{fixed} ({state})")
    if told["reason"]:
        lines.append(told["reason"])
    elif told["asked"]:
        lines.append(f"Bekannte Schwachstellen: {len(told['vulnerabilities'])}")
    else:
        lines.append("Bekannte Schwachstellen: nicht gefragt (--offline)")
    return lines


def _copy_lines(copy: dict[str, Any]) -> list[str]:
    age = f"die neueste {copy['newest']}, {copy['days']} Tage alt" if copy["newest"] else "keine mit lesbarem Datum"
    lines = [f"Meldungen aus {copy['source']}: {copy['read']}, {copy['withdrawn']} davon zurückgezogen; {age}"]
    lines.append(f"  Zu {copy['named']} unserer Pakete steht etwas darin.")
    if copy["old"]:
        lines.append(
            "  Achtung: Die Sammlung ist nicht aktuell. Was seither bekannt wurde, steht nicht darin. Laden Sie sie neu."
        )
    lines += [f"  {name} ist damit nicht geprüft: Die Sammlung nennt es nicht (OSV: »Bitnami«)." for name in copy["unknown"]]
    lines += [f"  nicht geprüft: {told}" for told in copy["unread"][:SHOWN]]
    if len(copy["unread"]) > SHOWN:
        lines.append(f"  … und {len(copy['unread']) - SHOWN} weitere (alle mit --json)")
    if copy["unread"]:
        lines.append("  Laden Sie die Sammlung neu; bleibt es dabei, lesen Sie diese Meldungen selbst.")
    return lines


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)
