"""`drehkreuz forget`: former contacts, what the law still keeps of them, and making anonymous what it no longer does."""

from typing import Annotated

import typer

from actions import anonymising
from deployments.commands.shared import print_json, print_table
from kit import clock
from kit.database import unit_of_work
from kit.postgres import database_for_home
from models import schema

ACTOR = "cli:forget"


def forget_command(
    customer: Annotated[str, typer.Argument(metavar="[KUNDE]", help="nur dieser Kunde", show_default=False)] = "",
    apply: Annotated[bool, typer.Option("--apply", help="wer fällig ist, wird anonymisiert; nicht umkehrbar")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")] = False,
) -> None:
    """Zeigt ausgeschiedene Ansprechpartner: was das Gesetz noch aufhebt und bis wann, und wer anonymisiert werden kann."""
    with database_for_home():
        schema.upgrade()
        # one transaction of its own kind: the trail must not copy what is taken away
        with unit_of_work(ACTOR, bulk=True) as session:
            found = anonymising.former(session, customer)
            due = [one for one in found if one.due(clock.today())]
            if apply:
                for one in due:
                    anonymising.anonymise(session, one, ACTOR)
    if as_json:
        print_json([_told(one, done=apply) for one in found])
        return
    print_table(
        "Ausgeschiedene Ansprechpartner",
        ("Kunde", "Person", "Adresse", "Zugang", "bleibt bis", "weil", "Spur nennt sie bis"),
        [_row(one) for one in found],
        empty="Niemand, der nicht schon anonym wäre.",
    )
    if apply:
        print(f"{len(due)} anonymisiert: Name, Adresse, Telefon, Funktionen, Zugang. Belege, Tickets und Archiv bleiben.")
    else:
        print(
            f"{len(due)} von {len(found)} können anonymisiert werden; geändert ist nichts. Ausführen: drehkreuz forget --apply"
        )


def _row(one: anonymising.Former) -> tuple[object, ...]:
    until = "jetzt fällig" if one.due(clock.today()) else f"{one.until:%d.%m.%Y}"
    reasons = "; ".join(f"{keeping.reason} bis {keeping.until:%d.%m.%Y}" for keeping in one.keepings)
    trail = f"{one.trail_until:%d.%m.%Y}" if one.trail_until else "–"
    return one.customer, one.name, one.email, "ja" if one.has_login else "nein", until, reasons, trail


def _told(one: anonymising.Former, *, done: bool) -> dict[str, object]:
    due = one.due(clock.today())
    return {
        "customer": one.customer,
        "contact": one.contact_id,
        "name": one.name,
        "email": one.email,
        "login": one.has_login,
        "kept_until": one.until.isoformat(),
        "reasons": [{"reason": keeping.reason, "until": keeping.until.isoformat()} for keeping in one.keepings],
        "trail_until": one.trail_until.isoformat() if one.trail_until else None,
        "due": due,
        "anonymised": due and done,
    }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("forget")(forget_command)
