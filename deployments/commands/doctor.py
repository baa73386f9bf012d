"""`drehkreuz doctor [--json]`: checks this installation."""

import contextlib
from typing import Annotated

import typer

from deployments.commands.shared import PERSON_NEEDED, print_json, print_table

GERMAN = {"ok": "in Ordnung", "warning": "Achtung", "failed": "FEHLER", "off": "aus", "person": "zu tun"}


def doctor_command(as_json: Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")] = False) -> None:
    """Prüft diese Installation: Datenbank, Prefect, Worker, Mail, Archiv, Schriften, Uhr, Wartendes und Hängendes."""
    from sqlalchemy.exc import SQLAlchemyError

    from deployments.checks import FAILED, PERSON, examine
    from deployments.instance import instance
    from kit.errors import DrehkreuzError
    from kit.postgres import database_for_home
    from models import schema

    trouble = ""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(database_for_home())
            schema.upgrade()
        except (DrehkreuzError, SQLAlchemyError) as fault:  # the first finding of the report, not its end
            trouble = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        findings = list(examine(instance(), trouble))
    if as_json:
        print_json({"home": str(instance().home), "checks": [finding.as_dict() for finding in findings]})
    else:
        rows = [(GERMAN[found.state], found.check, found.detail, found.remedy) for found in findings]
        print_table("Drehkreuz", ("Stand", "Prüfung", "Befund", "Abhilfe"), rows)
    states = {finding.state for finding in findings}
    if FAILED in states:
        raise typer.Exit(1)
    if PERSON in states:
        raise typer.Exit(PERSON_NEEDED)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor_command)
