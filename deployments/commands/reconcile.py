"""`drehkreuz mail reconcile | resume | lost`: after a restore. How to: docs/runbooks/rueckspielung.md"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from actions import restoration
from actions.mail import reconcile
from deployments.commands.shared import PERSON_NEEDED, open_session, print_json, print_table
from integrations.mail import evidence

JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
ByOption = Annotated[str, typer.Option("--by", help="wer entscheidet, mit Vor- und Nachname")]


def reconcile_command(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="QUELLE …", help="Ordner mit .eml, Maildir, mbox oder Protokoll des Mailservers", show_default=False
        ),
    ] = None,
    number: Annotated[
        list[str] | None, typer.Option("--number", help="höchste bekannte Nummer aus SAP oder von Papier; mehrfach möglich")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Gleicht ein zurückgespieltes Heim mit der wirklich gesendeten Post ab. Beliebig oft, mit weiteren Quellen."""
    with open_session("cli:mail reconcile") as session:
        own = [each for place in sources or [] for each in evidence.read(place)]
        own += reconcile.own_evidence(session)
        told = dict.fromkeys(number or [], "von Hand genannt")
        done = reconcile.take(session, own, reconcile.own_numbers(session) | told)
        undecided = [row.number for row in restoration.undecided(session)]
    mails = len({each.message_id for each in own})
    if as_json:
        found: dict[str, object] = {"mails": mails, "settled": done.settled, "known": done.known}
        found |= {"earlier": done.earlier, "lost": done.lost}
        print_json(found | {"undecided": undecided})
    else:
        print(
            f"Abgleich: {mails} gesendete Mails gelesen (in {len(own)} Fundstellen); {done.settled} warteten noch im "
            f"Ausgang und gelten jetzt als gesendet, {done.known} waren bekannt, {done.earlier} kennt die Datenbank nicht "
            "(sie gehen nicht noch einmal hinaus)."
        )
        if done.lost:
            print(f"Verlorene Nummern, die nie wieder vergeben werden: {', '.join(done.lost)}")
        print('Weitere Quellen: denselben Befehl noch einmal. Ist alles gelesen: drehkreuz mail resume --by "Ihr Name"')
    if undecided:
        raise typer.Exit(PERSON_NEEDED)


def resume_command(
    by: ByOption,
    without_log: Annotated[
        bool, typer.Option("--without-log", help="es gibt keine Spur der gesendeten Post; jede wartende Mail wird unklar")
    ] = False,
) -> None:
    """Gibt ein zurückgespieltes Heim nach dem Abgleich wieder frei: Versand, Nummern und Übergaben gehen weiter."""
    with open_session(f"cli:{by}") as session:
        unclear = reconcile.resume(session, by, without_log=without_log)
        undecided = [row.number for row in restoration.undecided(session)]
        waiting = restoration.still_to_bill(session) if undecided else {}
    print(
        f"Freigegeben von {by}. Der Versand geht weiter."
        + (f" {unclear} Mails sind unklar: Portal, »Postausgang«." if unclear else "")
    )
    if undecided:
        print(
            f"Berichte und Rechnungen warten, bis über {len(undecided)} verlorene Nummern entschieden ist: drehkreuz mail lost"
        )
        _warn(waiting)
    if undecided or unclear:
        raise typer.Exit(PERSON_NEEDED)


def _warn(waiting: Mapping[str, Sequence[str]]) -> None:
    """Whoever has a lost invoice and stands in a run is billed again as soon as the last number is decided."""
    for month, numbers in waiting.items():
        print(
            f"Achtung: Im freigegebenen Lauf {month} warten {', '.join(numbers)}. Wer davon schon einen verlorenen Beleg hat, "
            "der gelten soll, wird nach der letzten Entscheidung noch einmal abgerechnet. Vorher herausnehmen: "
            f"drehkreuz billing withdraw {month} KUNDE"
        )


def lost_command(
    decide: Annotated[
        list[str] | None, typer.Option("--decide", metavar="NUMBER", help="über diese Nummer entscheiden; mehrfach")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="was mit dem Beleg geschieht")] = "",
    by: ByOption = "Kommandozeile",
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="die Mails dazu als .eml hierher schreiben")] = None,
    as_json: JsonOption = False,
) -> None:
    """Nummern, die nach der Sicherung vergeben wurden: ihre Belege sind draußen, die Datenbank kennt sie nicht."""
    with open_session(f"cli:{by}") as session:
        for each in decide or []:
            reconcile.decide(session, each, note, by)
        rows = reconcile.lost(session)
        waiting = restoration.still_to_bill(session) if any(not row.decision for row in rows) else {}
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        for row in rows:
            if row.raw is not None:
                (to / f"{row.number}.eml").write_bytes(row.raw)
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        cells = [(row.number, row.source, row.subject, ", ".join(row.recipients), row.decision or "offen") for row in rows]
        print_table("Verlorene Nummern", ("Nummer", "Spur", "Betreff", "an", "Entscheidung"), cells)
        _warn(waiting)
    if any(not row.decision for row in rows):
        raise typer.Exit(PERSON_NEEDED)


def register(mail_app: typer.Typer) -> None:
    """Add the commands."""
    mail_app.command("reconcile")(reconcile_command)
    mail_app.command("resume")(resume_command)
    mail_app.command("lost")(lost_command)
