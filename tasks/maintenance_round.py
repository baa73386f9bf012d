"""Steps of the maintenance round and of the monthly proofs. What a second call does stands at each."""

import datetime as dt
from dataclasses import dataclass, field

from actions.maintenance import alarms, ledger, papers
from actions.maintenance.catalogue import ensure_catalogue
from actions.maintenance.planbook import company_calendar
from actions.maintenance.round import Decisions, Range, checked_range, create_due, preview_round
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError, UsageError
from kit.steps import Outcome, run_date, show_table, step
from rules.month import Month

ACTOR = "flow:maintenance_round"
ROWS_SHOWN = 500
PROOF_WORKDAY = 3
"""Working day of the month from which the proofs of the month before are issued: results of its last days are in."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a run is about. `today` decides what is missed; `first` None = everything open."""

    today: dt.date
    last: dt.date
    first: dt.date | None


@dataclass(slots=True)
class Ahead:
    """What writing ahead did; `faults` are plans whose rule nobody can read."""

    plans: int = 0
    dates: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Created:
    """What a round did, or would do."""

    tickets: int = 0
    dates: int = 0
    skipped: int = 0
    held: list[tuple[int, dt.date]] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, part: Decisions) -> None:
        """Count a batch; the first rows are kept to be shown."""
        self.tickets += len(part.tickets)
        self.dates += part.dates
        self.skipped += len(part.skips)
        self.held += [(plan.id, on) for plan, on in part.held]
        for ticket in part.tickets:
            days = ", ".join(f"{on:%d.%m.%Y}" for on in ticket.dates[:5]) + (" …" if len(ticket.dates) > 5 else "")
            self._show(ticket.plan.customer_name, ticket.plan.title, days, f"Ticket {ticket.number}".strip())
        for skip in part.skips:
            self._show(skip.plan.customer_name, skip.plan.title, f"{skip.row.on:%d.%m.%Y}", f"ausgelassen: {skip.reason}")
        for plan, on in part.held:
            self._show(plan.customer_name, plan.title, f"{on:%d.%m.%Y}", "wartet auf Entscheidung")

    def _show(self, customer: str, check: str, days: str, decision: str) -> None:
        if len(self.rows) < ROWS_SHOWN:
            self.rows.append({"Kunde": customer, "Prüfung": check, "Termin": days, "Entscheidung": decision})


@step(name="Zeitraum bestimmen")
def period(first: dt.date | None, last: dt.date | None) -> Period:
    """The range asked for; else everything open up to the day this run was scheduled for.

    Raises:
        UsageError: the range ends before it begins, or too far ahead.
    """
    today = clock.today()
    span = checked_range(today, first, last or (today if first else run_date()))
    return Period(today, span.last, first)


@step(name="Termine vorausschreiben")
def write_ahead(span: Period) -> Ahead:
    """Write the due-ledger of every plan ahead, a batch per transaction. A second call finds it written."""
    until = ledger.horizon(max(span.today, span.last))
    done, after = Ahead(), 0
    with unit_of_work(ACTOR) as session:
        ensure_catalogue(session)
    while True:
        with unit_of_work(ACTOR, bulk=True) as session:
            part = ledger.write_ahead(session, span.today, until, after=after)
        if not part.plans:
            break
        done.plans, done.dates, after = done.plans + part.plans, done.dates + part.dates, part.last_id
    with unit_of_work(ACTOR) as session:
        done.faults = [f"Plan {plan_id} »{check}«: {fault}" for plan_id, check, fault in alarms.faulty_plans(session)]
    return done


@step(name="Vorschau")
def preview(span: Period) -> Created:
    """What the round would do now, without doing it."""
    seen = Created()
    with unit_of_work(ACTOR) as session:
        for part in preview_round(session, Range(span.today, span.last, span.first)):
            seen.add(part)
            session.expunge_all()
    show_table("wartung-vorschau", seen.rows, f"Vorschau bis {span.last:%d.%m.%Y}: {seen.tickets} Tickets würden entstehen.")
    return seen


@step(name="Tickets anlegen")
def create_tickets(span: Period) -> Created:
    """Create what is due, a batch of plans per transaction. A second call, also at once elsewhere, creates nothing twice."""
    done, after = Created(), 0
    while True:
        with unit_of_work(ACTOR) as session:
            part = create_due(session, Range(span.today, span.last, span.first), after=after)
        if not part.plans:
            break
        done.add(part)
        after = part.last_id
    show_table(f"wartung-{span.last:%Y-%m-%d}", done.rows, f"Wartungsrunde {span.last:%d.%m.%Y}: {done.tickets} Tickets.")
    return done


@step(name="Überfällige Prüfungen melden")
def raise_alarms(span: Period, created: Created) -> list[str]:
    """Tell the dispatcher of checks that do not happen and of dates that wait for a decision, once each."""
    with unit_of_work(ACTOR) as session:
        opened = alarms.raise_alarms(session, span.today)
        whole = span.first is None and span.last >= span.today
        return opened + alarms.ask_about_backlog(session, created.held, span.today, whole=whole)


@step(name="Bedarfsanalysen ablegen")
def file_analyses() -> int:
    """Put signed papers that are not in the archive there. A second call finds none."""
    with unit_of_work(ACTOR) as session:
        waiting = papers.unfiled_analyses(session)
    for analysis_id in waiting:
        with unit_of_work(ACTOR) as session:
            papers.file_analysis(session, analysis_id)
    return len(waiting)


@step(name="Ergebnis zeigen")
def tell(span: Period, ahead: Ahead, created: Created, alarmed: list[str], *, dry: bool = False) -> Outcome:
    """One sentence for the operator, and what needs a person."""
    if dry:
        return Outcome(f"Vorschau: Diese {created.tickets} Tickets würden entstehen, {created.skipped} Termine ausgelassen.")
    summary = (
        f"Wartungsrunde {span.last:%d.%m.%Y}: {created.tickets} Tickets für {created.dates} Termine, "
        f"{created.skipped} Termine ausgelassen, {ahead.dates} Termine vorausgeschrieben."
    )
    items = [f"Nicht lesbar: {fault}" for fault in ahead.faults]
    if created.held:
        items.append(f"{len(created.held)} alte Termine warten auf eine Entscheidung: drehkreuz maintenance preview")
    if alarmed:
        items.append(f"{len(alarmed)} neue Meldungen an die Disposition: {', '.join(alarmed[:10])}")
    return Outcome(summary, tuple(items))


# ---------------------------------------------------------------- monthly proofs


@step(name="Monat bestimmen")
def proof_month(month: str) -> str:
    """The month asked for; else the one before, once its last results can be in. Empty = not yet.

    Raises:
        UsageError: not a month.
    """
    if month:
        try:
            return str(Month.parse(month))
        except ValueError as error:
            raise UsageError(str(error)) from None
    day = run_date()
    with unit_of_work(ACTOR) as session:
        ready = company_calendar(session).plus_workdays(day.replace(day=1), PROOF_WORKDAY - 1)
    return str(Month.of(day).plus(-1)) if day >= ready else ""


@step(name="Prüfnachweise erstellen")
def issue_proofs(month: str) -> Outcome:
    """Issue the proof of every customer with dates in the month, one transaction each. What is issued stays as it is."""
    if not month:
        return Outcome("Prüfnachweise: Der Vormonat ist noch nicht reif; die Ergebnisse seiner letzten Tage fehlen noch.")
    parsed = Month.parse(month)
    with unit_of_work(ACTOR) as session:
        waiting = papers.proofs_due(session, parsed)
    failed = []
    for customer_id in waiting:
        try:
            with unit_of_work(ACTOR) as session:
                papers.issue_proof(session, customer_id, parsed)
        except DrehkreuzError as fault:
            failed.append(str(fault))
    return Outcome(f"Prüfnachweise {month}: {len(waiting) - len(failed)} erstellt.", tuple(failed))
