"""`drehkreuz login …`: the first person of a house, and the day when nobody can sign in to help."""

from typing import Annotated

import typer

from actions import invitations
from deployments.commands.shared import open_session, print_json, print_table
from kit import clock
from portal.queries import people
from portal.security import second_factor, signin
from portal.security.lockout import forgive

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="E-Mail-Adresse der Person")]
login_app = typer.Typer(help="Zugänge zum Portal.", no_args_is_help=True)
EVERYBODY = 100_000


@login_app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")] = False,
    customers: Annotated[bool, typer.Option("--customers", help="Ansprechpartner der Kunden statt des Hauses")] = False,
) -> None:
    """Wer sich anmelden kann, mit zweitem Faktor und letzter Anmeldung."""
    with open_session("cli:login list") as session:
        found = (people.contacts if customers else people.staff)(session, 1, per_page=EVERYBODY).rows
    rows = [
        {
            "email": row.email,
            "name": f"{row.first_name} {row.last_name}",
            "state": _state(row),
            "second_factor": bool(row.has_factor),
            "last_login_at": clock.local(row.last_login_at).isoformat() if row.last_login_at else None,
        }
        for row in found
    ]
    if as_json:
        print_json(rows)
        return
    headings = ("Adresse", "Name", "Zugang", "zweiter Faktor", "zuletzt angemeldet")
    words = {"none": "keiner", "locked": "gesperrt", "invited": "eingeladen", "active": "aktiv"}
    print_table(
        "Zugänge",
        headings,
        [
            (r["email"], r["name"], words[str(r["state"])], "ja" if r["second_factor"] else "nein", r["last_login_at"])
            for r in rows
        ],
    )


def _state(row: people.Listed) -> str:
    if row.login_id is None:
        return "none"
    if not row.login_active:
        return "locked"
    return "active" if row.has_password else "invited"


@login_app.command("invite")
def invite_command(
    email: Email,
    link: Annotated[bool, typer.Option("--link", help="den Link ausgeben, statt ihn zu mailen (erster Zugang)")] = False,
) -> None:
    """Lädt eine Person ein: Sie legt ihr Kennwort über einen Link fest, der einmal gilt."""
    with open_session("cli:login invite") as session:
        if link:
            print(invitations.first_link(session, email))
            return
        login = invitations.invite(session, email)
    print(f"{login.email}: Die Einladung steht im Postausgang und gilt {invitations.INVITATION_DAYS} Tage.")


@login_app.command("lock")
def lock_command(email: Email) -> None:
    """Sperrt einen Zugang; offene Anmeldungen enden sofort."""
    with open_session("cli:login lock") as session:
        login = invitations.find_login(session, email)
        login.active = False
        ended = signin.sign_out_everywhere(session, login.id)
    print(f"{login.email}: gesperrt, {ended} offene Anmeldungen beendet.")


@login_app.command("unlock")
def unlock_command(email: Email) -> None:
    """Entsperrt einen Zugang und vergisst seine Fehlversuche."""
    with open_session("cli:login unlock") as session:
        login = invitations.find_login(session, email)
        login.active = True
        forgive(session, login.email)
    print(f"{login.email}: entsperrt.")


@login_app.command("reset-factor")
def reset_factor_command(
    email: Email,
    proof: Annotated[
        str,
        typer.Option(
            "--proof",
            help="woran Sie die Person erkannt haben; bleibt in der Spur",
            prompt="Woran haben Sie die Person erkannt?",
        ),
    ],
) -> None:
    """Setzt den zweiten Faktor zurück (Telefon verloren); die nächste Anmeldung richtet ihn neu ein."""
    with open_session("cli:login reset-factor") as session:
        login = invitations.find_login(session, email)
        second_factor.reset(session, login, proof)
    print(f"{login.email}: Der zweite Faktor ist zurückgesetzt.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(login_app, name="login")
