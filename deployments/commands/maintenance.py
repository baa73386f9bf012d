"""`drehkreuz maintenance …`: preview, plans, changes shown before they are saved, coverage, load, papers."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance import closing_days, coverage, papers
from actions.maintenance.analysis import in_force
from actions.maintenance.catalogue import load_catalogue
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
from actions.maintenance.load import year_load
from actions.maintenance.load_chart import load_svg
from actions.maintenance.planbook import load_plans
from actions.maintenance.round import Range, preview_round
from deployments.commands.shared import PERSON_NEEDED, open_session, print_json, print_table
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError, NotFoundError, UsageError
from kit.postgres import database_for_home
from models import schema
from models.maintenance import AgreedCheck, DueDate
from models.parties import Customer
from rules.cadence_german import describe
from rules.cadence_text import parse
from rules.due_ledger import DueState
from rules.month import Month
from tasks.maintenance_round import Period, write_ahead

app = typer.Typer(help="Wartung: Pläne, Termine, Nachweise.", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
YesOption = Annotated[bool, typer.Option("--yes", help="ausführen; ohne diese Angabe wird nur gezeigt, was sich änderte")]
PlanArgument = Annotated[int, typer.Argument(metavar="PLAN", help="Nummer des Plans aus »maintenance plans«")]
DayOption = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="JJJJ-MM-TT")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Grund; er steht im Prüfnachweis")]
ACTOR = "cli:maintenance"
_HELD = "älter als der Nachholzeitraum; mit --from und --to ansehen, mit »run maintenance_round« nachholen"


def _day(value: dt.datetime | None) -> dt.date | None:
    return value.date() if value else None


def _required(value: dt.datetime | None, option: str) -> dt.date:
    if value is None:
        raise UsageError(f"Es fehlt {option} JJJJ-MM-TT.")
    return value.date()


def _shown(day: dt.date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


@app.command("preview")
def preview_command(
    first: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="erster Tag")] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="letzter Tag (sonst heute)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Welche Tickets die nächste Runde anlegte. Es wird nichts angelegt."""
    today = clock.today()
    span = Range(today, _day(last) or today, _day(first))
    rows: list[dict[str, Any]] = []
    with database_for_home():
        schema.upgrade()
        write_ahead(Period(today, span.last, span.first))  # what was imported since the last round has no dates yet
        with unit_of_work(ACTOR) as session:
            for part in preview_round(session, span):
                rows += [_row(ticket.plan, ticket.dates, "ticket", "") for ticket in part.tickets]
                rows += [_row(skip.plan, [skip.row.on], "skipped", skip.reason) for skip in part.skips]
                rows += [_row(plan, [on], "held", _HELD) for plan, on in part.held]
    if as_json:
        print_json(rows)
        return
    words = {"ticket": "Ticket", "skipped": "ausgelassen", "held": "wartet"}
    table = [(r["customer"], r["plan"], r["check"], ", ".join(r["due"][:4]), words[r["decision"]], r["why"]) for r in rows]
    print_table("Vorschau", ("Kunde", "Plan", "Prüfung", "Termine", "Entscheidung", "Warum"), table, empty="Nichts ist fällig.")
    print(f"Diese {sum(r['decision'] == 'ticket' for r in rows)} Tickets würden entstehen.")


def _row(plan: Any, dates: Sequence[dt.date], decision: str, why: str) -> dict[str, Any]:
    return {
        "customer": plan.customer_number, "plan": plan.id, "check": plan.title, "due": [day.isoformat() for day in dates],
        "decision": decision, "why": why,
    }  # fmt: skip


@app.command("plans")
def plans_command(customer: Annotated[str, typer.Option("--customer")] = "", as_json: JsonOption = False) -> None:
    """Die Wartungspläne mit ihrem nächsten Termin."""
    with open_session(ACTOR) as session:
        statement = sa.select(AgreedCheck.id).join(Customer, Customer.id == AgreedCheck.customer_id)
        if customer:
            statement = statement.where(Customer.number == customer)
        ids = list(session.scalars(statement.order_by(Customer.number, AgreedCheck.check, AgreedCheck.starts_on)))
        coming = sa.select(DueDate.agreed_check_id, sa.func.min(DueDate.due_on)).where(DueDate.state == DueState.PLANNED)
        upcoming = dict(session.execute(coming.group_by(DueDate.agreed_check_id)).tuples().all())
        plans = {plan.id: plan for plan in load_plans(session, ids, load_catalogue(session))}
        rows = [
            {
                "plan": plan_id,
                "customer": plans[plan_id].customer_number,
                "check": plans[plan_id].title,
                "interval": plans[plan_id].interval,
                "next": upcoming[plan_id].isoformat() if plan_id in upcoming else None,
                "ends_on": plans[plan_id].row.ends_on.isoformat() if plans[plan_id].row.ends_on else None,  # type: ignore[union-attr]
                "fault": plans[plan_id].row.fault,
            }
            for plan_id in ids
        ]
    if as_json:
        print_json(rows)
        return
    headings = ("Plan", "Kunde", "Prüfung", "Intervall", "nächster Termin", "endet", "Fehler")
    print_table("Wartungspläne", headings, [tuple(row.values()) for row in rows])


@app.command("dates")
def dates_command(plan: PlanArgument, as_json: JsonOption = False) -> None:
    """Die Termine eines Plans mit Stand und Grund."""
    with open_session(ACTOR) as session:
        rows = [
            {
                "date": due.id, "due": due.due_on.isoformat(), "state": due.state.value, "reason": due.reason,
                "outcome": due.outcome.value if due.outcome else None,
            }
            for due in session.scalars(sa.select(DueDate).where(DueDate.agreed_check_id == plan).order_by(DueDate.due_on))
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    print_table("Termine", ("Termin", "fällig", "Stand", "Grund", "Ergebnis"), [tuple(row.values()) for row in rows])


# ---------------------------------------------------------------- changes, shown before they are saved


def _tell_plan(preview: PlanPreview) -> None:
    for sentence in preview.sentences:
        print(sentence)
    for days, word in (
        (preview.dropped, "entfallen"), (preview.added, "kommen hinzu"), (preview.paused, "werden ausgesetzt"),
        (preview.resumed, "leben wieder auf"),
    ):  # fmt: skip
        if days:
            some = ", ".join(_shown(day) for day in sorted(days)[:6]) + (" …" if len(days) > 6 else "")
            print(f"  {len(days)} Termine {word}: {some}")
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


@app.command("end")
def end_command(plan: PlanArgument, last: Annotated[DayOption, typer.Option("--last")] = None, yes: YesOption = False) -> None:
    """Beendet eine Serie mit ihrem letzten Tag."""
    _change(plan, EndSeries(_required(last, "--last")), yes=yes)


@app.command("pause")
def pause_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="leer = bis auf Weiteres")] = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
) -> None:
    """Setzt eine Serie aus."""
    _change(plan, PauseSeries(_required(first, "--from"), _day(last), reason), yes=yes)


@app.command("resume")
def resume_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    yes: YesOption = False,
) -> None:
    """Lässt eine ausgesetzte Serie weiterlaufen."""
    _change(plan, ResumeSeries(_required(first, "--from")), yes=yes)


@app.command("move")
def move_command(
    plan: PlanArgument,
    first: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    cadence: Annotated[str, typer.Option("--cadence", help="neue Regel (RFC 5545), etwa FREQ=MONTHLY;BYDAY=2TU")] = "",
    starts: Annotated[dt.datetime | None, typer.Option("--starts", formats=["%Y-%m-%d"], help="Beginn der Zählung")] = None,
    yes: YesOption = False,
) -> None:
    """Verlegt eine Serie von einem Tag an auf eine andere Regel."""
    _change(plan, MoveSeries(_required(first, "--from"), cadence, _day(starts)), yes=yes)


@app.command("date")
def date_command(  # noqa: PLR0917 - each is an option of its own
    date: Annotated[int, typer.Argument(metavar="TERMIN", help="Nummer des Termins aus »maintenance dates«")],
    to: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="auf diesen Tag verlegen")] = None,
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


@app.command("closing-day")
def closing_day_command(
    day: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="JJJJ-MM-TT")],
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


@app.command("take-over")
def take_over_command(
    day: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="JJJJ-MM-TT")], yes: YesOption = False
) -> None:
    """Schließt die offenen Termine vor dem Tag der Übernahme: sie wurden im alten System erledigt."""
    with open_session(ACTOR) as session:
        count = closing_days.take_over(session, day.date(), dry=not yes)
    print(f"{count} offene Termine vor dem {day:%d.%m.%Y}.")
    _told(yes)


# ---------------------------------------------------------------- looking


@app.command("coverage")
def coverage_command(as_json: JsonOption = False) -> None:
    """Was vereinbart ist und nicht geschieht, und umgekehrt. Endet mit 3, wenn es Lücken gibt."""
    with open_session(ACTOR) as session:
        gaps = coverage.coverage(session, clock.today())
    if as_json:
        keys = ("kind", "customer", "check", "why", "role", "plan_id")
        print_json([{key: getattr(gap, key) for key in keys} for gap in gaps])
    else:
        rows = [(coverage.KINDS[g.kind], g.customer, g.plan_id, g.check, g.why) for g in gaps]
        print_table("Abdeckung der Zusagen", ("Lücke", "Kunde", "Plan", "Prüfung", "Warum"), rows, empty="keine Lücken")
    if gaps:
        raise typer.Exit(PERSON_NEEDED)


@app.command("load")
def load_command(
    svg: Annotated[Path | None, typer.Option("--svg", metavar="DATEI", help="Bild schreiben")] = None,
    as_json: JsonOption = False,
) -> None:
    """Die Auslastung durch Wartung im kommenden Jahr, je Woche und Techniker."""
    today = clock.today()
    with open_session(ACTOR) as session:
        load = year_load(session, today, today + dt.timedelta(days=364))
    if svg is not None:
        try:
            svg.write_text(load_svg(load), encoding="utf-8")
        except OSError as fault:
            raise DrehkreuzError(f"{svg}: nicht schreibbar ({fault.strerror}).") from None
        print(f"{svg}: geschrieben.")
        return
    cells = sorted(load.cells.values(), key=lambda cell: (cell.week, load.names[cell.technician_id]))
    if as_json:
        print_json([
            {"week": f"{c.week[0]}-W{c.week[1]:02}", "technician": load.names[c.technician_id], "minutes": c.minutes,
             "dates": c.dates, "share": f"{c.share:.3f}"}
            for c in cells
        ])  # fmt: skip
        return
    rows = [(f"{c.week[1]:02}/{c.week[0]}", load.names[c.technician_id], c.dates, c.minutes, f"{c.share:.0%}") for c in cells]
    print_table("Auslastung", ("KW", "Techniker", "Termine", "Minuten", "der Woche"), rows)


@app.command("catalogue")
def catalogue_command(as_json: JsonOption = False) -> None:
    """Der Prüfkatalog des Hauses."""
    with open_session(ACTOR) as session:
        entries = load_catalogue(session).entries
    if as_json:
        print_json([
            {"key": e.key, "title": e.title, "cadence": e.cadence, "minutes": e.minutes, "checklist": list(e.checklist)}
            for e in entries
        ])  # fmt: skip
        return
    today = clock.today()
    rows = [(e.key, e.title, describe(parse(e.cadence), today), e.minutes, len(e.checklist)) for e in entries]
    print_table("Prüfkatalog", ("Schlüssel", "Prüfung", "üblich", "Minuten", "Punkte"), rows)


@app.command("proof")
def proof_command(
    customer: Annotated[str, typer.Argument(metavar="KUNDE", help="Kundennummer")],
    month: Annotated[str, typer.Argument(metavar="JJJJ-MM")],
    to: Annotated[Path | None, typer.Option("--to", metavar="DATEI", help="PDF ausstellen und schreiben")] = None,
    as_json: JsonOption = False,
) -> None:
    """Der Prüfnachweis eines Monats: als Daten, oder ausgestellt als PDF."""
    parsed = _month(month)
    with open_session(ACTOR) as session:
        customer_id = _customer(session, customer)
        if to is not None:
            proof = papers.issue_proof(session, customer_id, parsed)
            _write(to, archive.read(session, proof.archive_key))
            return
        content = papers.proof_content(session, customer_id, parsed)
    if as_json:
        print_json(papers.proof_data(content))
        return
    rows = [
        (check.title, _shown(check.last_done) or "noch nie", _shown(check.next_due), len(check.lines))
        for check in content.checks
    ]
    print_table(f"Prüfnachweis {parsed}", ("Prüfung", "zuletzt geprüft", "nächster Termin", "Termine"), rows)


@app.command("analysis")
def analysis_command(
    customer: Annotated[str, typer.Argument(metavar="KUNDE", help="Kundennummer")],
    to: Annotated[Path, typer.Option("--to", metavar="DATEI", help="PDF schreiben")],
) -> None:
    """Die geltende Bedarfsanalyse eines Kunden als PDF."""
    with open_session(ACTOR) as session:
        row = in_force(session, _customer(session, customer))
        if row is None:
            raise NotFoundError(f"Kunde {customer}: hat noch keine unterschriebene Bedarfsanalyse.")
        papers.file_analysis(session, row.id)
        _write(to, papers.analysis_pdf(session, row.id))


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _customer(session: Session, number: str) -> int:
    found = session.scalar(sa.select(Customer.id).where(Customer.number == number))
    if found is None:
        raise NotFoundError(f"Kunde {number}: gibt es nicht.")
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise DrehkreuzError(f"{path}: nicht schreibbar ({fault.strerror}).") from None
    print(f"{path}: geschrieben.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="maintenance")
