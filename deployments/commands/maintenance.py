"""`drehkreuz maintenance …`: preview, plans, changes shown before they are saved, coverage, load, papers."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance import coverage, papers
from actions.maintenance.analysis import in_force
from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.load import year_load
from actions.maintenance.load_chart import load_svg
from actions.maintenance.planbook import load_plans
from actions.maintenance.round import checked_range, preview_round
from deployments.commands.maintenance_changes import PlanArgument, changes
from deployments.commands.shared import DAY, PERSON_NEEDED, open_session, print_json, print_table
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
ACTOR = "cli:maintenance"
_HELD = "älter als der Nachholzeitraum; mit --from und --to ansehen, mit »run maintenance_round« nachholen"


def _day(value: dt.datetime | None) -> dt.date | None:
    return value.date() if value else None


def _shown(day: dt.date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


@app.command("preview")
def preview_command(
    first: Annotated[dt.datetime | None, typer.Option("--from", **DAY, help="erster Tag")] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", **DAY, help="letzter Tag (sonst heute)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Welche Tickets die nächste Runde anlegte. Es wird nichts angelegt."""
    today = clock.today()
    span = checked_range(today, _day(first), _day(last))
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
    table = [(r["customer"], r["plan"], r["check"], _days(r["due"]), words[r["decision"]], r["why"]) for r in rows]
    print_table("Vorschau", ("Kunde", "Plan", "Prüfung", "Termine", "Entscheidung", "Warum"), table, empty="Nichts ist fällig.")
    print(f"Diese {sum(r['decision'] == 'ticket' for r in rows)} Tickets würden entstehen.")


def _days(days: Sequence[str]) -> str:
    return ", ".join(days[:4]) + (f" und {len(days) - 4} weitere" if len(days) > 4 else "")


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
            statement = statement.where(Customer.id == _customer(session, customer))
        ids = list(session.scalars(statement.order_by(Customer.number, AgreedCheck.check, AgreedCheck.starts_on)))
        coming = sa.select(DueDate.agreed_check_id, sa.func.min(DueDate.due_on)).where(
            DueDate.state == DueState.PLANNED, DueDate.due_on >= clock.today()
        )
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
        if session.get(AgreedCheck, plan) is None:
            raise NotFoundError(f"Wartung: Einen Plan mit der Nummer {plan} gibt es nicht.")
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
    app.add_typer(changes)
    root.add_typer(app, name="maintenance")
