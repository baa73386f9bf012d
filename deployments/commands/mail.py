"""`drehkreuz mail …` and `drehkreuz tickets …`."""

from pathlib import Path
from typing import Annotated

import typer

from actions import tickets
from actions.mail import bounces, outbox
from deployments.commands import reconcile
from deployments.commands.shared import open_session, print_json, print_table
from kit import clock
from kit.errors import DrehkreuzError

JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
mail_app = typer.Typer(help="Postausgang und Testpost.", no_args_is_help=True)
tickets_app = typer.Typer(help="Tickets ansehen.", no_args_is_help=True)


@mail_app.command("list")
def list_command(
    as_json: JsonOption = False, state: Annotated[str, typer.Option("--state", help="nur dieser Zustand")] = ""
) -> None:
    """Der Postausgang mit seinen Zuständen."""
    with open_session("cli:mail list") as session:
        mails = outbox.mails(session, states=[state] if state else ())
    if as_json:
        print_json([outbox.as_json(mail) for mail in mails])
        return
    rows = [
        (clock.local(m.queued_at).strftime("%d.%m.%Y %H:%M"), m.state, m.subject, ", ".join(m.recipients), m.error)
        for m in mails
    ]
    print_table("Postausgang", ("gestellt", "Stand", "Betreff", "an", "Fehler"), rows)


@mail_app.command("send")
def send_command(file: Annotated[Path, typer.Argument(metavar="FILE.eml", help="rohe Mail")]) -> None:
    """Legt eine rohe Mail in das örtliche Postfach (Vorführung, Tests)."""
    try:
        raw = file.read_bytes()
    except OSError as fault:
        raise DrehkreuzError(f"{file}: nicht lesbar ({fault.strerror}). Geben Sie eine .eml-Datei an.") from None
    if len(raw) > bounces.MAX_BYTES:
        raise DrehkreuzError(f"{file}: größer als {bounces.MAX_BYTES // 1_000_000} MB und wird nicht angenommen.")
    with open_session("cli:mail send") as session:
        new = bounces.take(session, raw)
    print(f"{file}: {'angenommen' if new else 'war schon da'}.")


@mail_app.command("export")
def export_command(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Zielordner")]) -> None:
    """Schreibt die gesendeten Mails als .eml."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_session("cli:mail export") as session:
        sent = outbox.mails(session, states=["accepted"])
        for mail in sent:
            name = mail.message_id.strip("<>").partition("@")[0]
            (folder / f"{clock.local(mail.queued_at):%Y%m%d-%H%M%S}_{mail.id:06}_{name}.eml").write_bytes(
                outbox.raw_of(session, mail.id)
            )
    print(f"{folder}: {len(sent)} Mails geschrieben.")


@mail_app.command("resolve")
def resolve_command(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Schlüssel der Mail aus »mail list --json«")],
    arrived: Annotated[bool, typer.Option("--arrived/--again", help="ist angekommen / erneut senden", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="wer entscheidet")] = "Kommandozeile",
) -> None:
    """Entscheidet über eine Mail, von der unklar ist, ob sie ankam."""
    with open_session(f"cli:{by}") as session:
        outbox.resolve_unclear(session, outbox.id_of(session, key), arrived=arrived, actor=by)
    print(f"{key}: {'als angekommen vermerkt' if arrived else 'wird erneut gesendet'}.")


@tickets_app.command("list")
def tickets_list(
    as_json: JsonOption = False,
    state: Annotated[str, typer.Option("--state", help="nur dieser Zustand")] = "",
    kind: Annotated[str, typer.Option("--kind", help="nur diese Art")] = "",
    customer: Annotated[str, typer.Option("--customer", help="nur dieser Kunde")] = "",
) -> None:
    """Tickets in der Reihenfolge ihres Eingangs."""
    with open_session("cli:tickets list") as session:
        rows = tickets.listed(session, state=state, kind=kind, customer=customer)
    if as_json:
        print_json(rows)
        return
    print_table(
        "Tickets",
        ("Nummer", "Art", "Stand", "Kunde", "Eingang", "Zuständig", "Betreff"),
        [(r["number"], r["kind"], r["state"], r["customer"], r["received_at"][:16], r["assignee"], r["subject"]) for r in rows],
    )


@tickets_app.command("show")
def tickets_show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Ticketnummer")], as_json: JsonOption = False
) -> None:
    """Ein Ticket mit seinen Nachrichten."""
    with open_session("cli:tickets show") as session:
        ticket = tickets.shown(session, number)
    if as_json:
        print_json(ticket)
        return
    print(
        f"{ticket['number']}  {ticket['subject']}\n"
        f"{ticket['customer']}, {ticket['kind']}, {ticket['state']}, {ticket['received_at']}"
    )
    for message in ticket["messages"]:
        print(f"\n{message['at'][:16]}  {message['author']} ({message['direction']})\n{message['text']}")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    reconcile.register(mail_app)
    root.add_typer(mail_app, name="mail")
    root.add_typer(tickets_app, name="tickets")
