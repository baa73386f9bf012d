"""The commands of `drehkreuz maintenance` that change plans and dates: each shows what it would do, `--yes` does it."""

import datetime as dt
from typing import Annotated

import sqlalchemy as sa
import typer

from actions.maintenance import closing_days
from actions.maintenance.changes import (
    Change,
    EndSeries,
    MoveSeries,
    PauseSeries,
    PlanPreview,
    ResumeSeries,
    change_plan,
    preview_change,
)
from actions.maintenance.dates import DateChange, DropDate, MoveDate, RestoreDate, change_date, preview_date
from actions.maintenance.options import book_updates, preview_updates
from actions.maintenance.undo import preview_undo, undo
from deployments.commands.shared import DAY, open_session, print_table
from kit import clock
from kit.errors import NotFoundError, UsageError
from models.contracts import Contract
from rules.cadence_choices import rule_of
from rules.cadence_text import CadenceError

changes = typer.Typer()
YesOption = Annotated[bool, typer.Option("--yes", help="ausführen; ohne diese Angabe wird nur gezeigt, was sich änderte")]
PlanArgument = Annotated[int, typer.Argument(metavar="PLAN", help="Nummer des Plans aus »maintenance plans«")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Grund; er steht im Prüfnachweis")]
ACTOR = "cli:maintenance"


def _day(value: dt.datetime | None) -> dt.date | None:
    return value.date() if value else None


def _required(value: dt.datetime | None, option: str) -> dt.date:
    if value is None:
        raise UsageError(f"Es fehlt {option} JJJJ-MM-TT.")
    return value.date()


def _shown(day: dt.date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


def _tell_plan(preview: PlanPreview) -> None:
    for sentence in preview.sentences:
        print(sentence)
    for days, word in (
        (preview.dropped, "entfallen"), (preview.added, "kommen hinzu"), (preview.paused, "werden ausgesetzt"),
        (preview.resumed, "leben wieder auf"),
    ):  # fmt: skip
        if days:
            some = ", ".join(_shown(day) for day in sorted(days)[:6]) + (" …" if len(days) > 6 else "")
            print(f"  {word}: {some}")
    for hint in preview.hints:
        print(f"  Hinweis: {hint}")
    print(preview.summary)


def _change(plan_id: int, change: Change, *, yes: bool) -> None:
    with open_session(ACTOR) as session:
        preview = preview_change(session, plan_id, change, clock.today())
        _tell_plan(preview)
        if yes:
            change_plan(session, plan_id, change, clock.today(), shown=preview.fingerprint)
    _told(yes)


def _told(yes: bool) -> None:
    print("Gespeichert." if yes else "Nur Vorschau; mit --yes wird gespeichert.")


@changes.command("end")
def end_command(
    plan: PlanArgument,
    last: Annotated[dt.datetime | None, typer.Option("--last", **DAY, help="letzter Tag der Serie")] = None,
    yes: YesOption = False,
) -> None:
    """Beendet eine Serie mit ihrem letzten Tag."""
    _change(plan, EndSeries(_required(last, "--last")), yes=yes)


@changes.command("pause")
def pause_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", **DAY)] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", **DAY, help="leer = bis auf Weiteres")] = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
) -> None:
    """Setzt eine Serie aus."""
    _change(plan, PauseSeries(_required(first, "--from"), _day(last), reason), yes=yes)


@changes.command("resume")
def resume_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", **DAY)] = None,
    yes: YesOption = False,
) -> None:
    """Lässt eine ausgesetzte Serie weiterlaufen."""
    _change(plan, ResumeSeries(_required(first, "--from")), yes=yes)


@changes.command("move")
def move_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", **DAY)] = None,
    cadence: Annotated[
        str, typer.Option("--cadence", help="neuer Abstand, etwa »monatlich am 2. Dienstag« oder FREQ=MONTHLY;BYDAY=2TU")
    ] = "",
    starts: Annotated[dt.datetime | None, typer.Option("--starts", **DAY, help="Beginn der Zählung")] = None,
    yes: YesOption = False,
) -> None:
    """Verlegt eine Serie von einem Tag an auf eine andere Regel."""
    if not cadence.strip():
        raise UsageError("Es fehlt --cadence, etwa »monatlich am 2. Dienstag«.")
    try:
        _change(plan, MoveSeries(_required(first, "--from"), rule_of(cadence), _day(starts)), yes=yes)
    except CadenceError as fault:
        raise UsageError(str(fault)) from None


@changes.command("undo")
def undo_command(plan: PlanArgument, yes: YesOption = False) -> None:
    """Nimmt die letzte Änderung eines Plans zurück."""
    with open_session(ACTOR) as session:
        preview = preview_undo(session, plan, clock.today())
        _tell_plan(preview)
        if yes:
            undo(session, plan, clock.today(), shown=preview.fingerprint)
    _told(yes)


@changes.command("updates")
def updates_command(
    contract: Annotated[str, typer.Argument(metavar="VERTRAG", help="Vertragsnummer")],
    subject: Annotated[str, typer.Option("--subject", help="firewall, server, client oder network")],
    yes: YesOption = False,
) -> None:
    """Bucht die Option »laufende Aktualisierung« eines Vertrags: Sie legt ihren Wartungsplan an."""
    with open_session(ACTOR) as session:
        contract_id = session.scalar(sa.select(Contract.id).where(Contract.number == contract))
        if contract_id is None:
            raise NotFoundError(f"Vertrag {contract}: gibt es nicht.")
        print(preview_updates(session, contract_id, subject, clock.today()).sentence)
        if yes:
            book_updates(session, contract_id, subject, clock.today())
    _told(yes)


@changes.command("date")
def date_command(  # noqa: PLR0917 - each is an option of its own
    date: Annotated[int, typer.Argument(metavar="TERMIN", help="Nummer des Termins aus »maintenance dates«")],
    to: Annotated[dt.datetime | None, typer.Option("--to", **DAY, help="auf diesen Tag verlegen")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="ausfallen lassen")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="doch stattfinden lassen")] = False,
    reason: ReasonOption = "",
    yes: YesOption = False,
) -> None:
    """Verlegt einen einzelnen Termin, lässt ihn ausfallen oder wieder stattfinden."""
    if (to is not None) + drop + restore != 1:
        raise UsageError("Termin: Bitte genau eines angeben: --to JJJJ-MM-TT, --drop oder --restore.")
    change: DateChange = RestoreDate() if restore else DropDate(reason) if drop else MoveDate(_required(to, "--to"), reason)
    with open_session(ACTOR) as session:
        preview = preview_date(session, date, change, clock.today())
        print(preview.sentence)
        for hint in preview.hints:
            print(f"  Hinweis: {hint}")
        if yes:
            change_date(session, date, change, clock.today())
    _told(yes)


@changes.command("closing-day")
def closing_day_command(
    day: Annotated[dt.datetime, typer.Argument(**DAY)],
    name: Annotated[str, typer.Argument(help="Name, etwa Rosenmontag")] = "",
    open_again: Annotated[bool, typer.Option("--open", help="wieder ein Arbeitstag")] = False,
    yes: YesOption = False,
) -> None:
    """Trägt einen Betriebsruhetag ein oder nimmt ihn zurück; Termine rücken mit."""
    if bool(name) == open_again:
        raise UsageError("Betriebsruhe: Bitte einen Namen angeben, oder --open.")
    act = closing_days.set_company_day if yes else closing_days.preview_company_day
    with open_session(ACTOR) as session:
        shifted = act(session, day.date(), name or None, clock.today())
    rows = [(s.plan_id, s.check, _shown(s.before), _shown(s.after)) for s in shifted]
    print_table("Termine, die rücken", ("Plan", "Prüfung", "von", "auf"), rows, empty="keine")
    _told(yes)


@changes.command("take-over")
def take_over_command(
    day: Annotated[dt.datetime, typer.Argument(**DAY, help="Tag der Übernahme")],
    back: Annotated[bool, typer.Option("--undo", help="die Übernahme zu diesem Tag zurücknehmen")] = False,
    yes: YesOption = False,
) -> None:
    """Schließt die offenen Termine vor dem Tag der Übernahme: sie wurden im alten System erledigt."""
    with open_session(ACTOR) as session:
        if back:
            told = closing_days.undo_take_over(session, day.date(), dry=not yes)
            more = " Offen werden sie versäumt sein; die nächste Runde holt nach, wie es je Plan vereinbart ist."
        else:
            told = closing_days.take_over(session, day.date(), clock.today(), dry=not yes)
            more = f" Zurück mit: drehkreuz maintenance take-over {day:%Y-%m-%d} --undo"
    done = "werden wieder offen" if back else "werden geschlossen"
    print(f"{told.german} {done}.{more}" if told.dates else f"Kein Termin ist betroffen (Übernahme {day:%d.%m.%Y}).")
    _told(yes)
