"""October of the demo as the house's technicians lived it: agreed with the customers, a round each morning, results each day.

The rounds are the real flow on its day; what technicians would type is told here. Whoever lives it again changes nothing.
`python -m deployments.demo_checks LAST_DAY` does it in a process of its own, since its clock is not the demo's; it works
while the services of the home start.
"""

import datetime as dt
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.analysis import draft, in_force, set_line
from actions.maintenance.catalogue import Entry, load_catalogue
from actions.maintenance.closing_days import take_over
from actions.maintenance.planbook import company_calendar
from actions.maintenance.results import Item, Report, add_evidence, finish_ticket, record_result
from actions.maintenance.signing import sign
from deployments.catalogue import flow_named
from deployments.instance import ROOT, Instance
from kit import clock, steps
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from kit.postgres import database_for_home
from models.maintenance import AgreedCheck, CheckOutcome, DueDate
from models.parties import Contact, Customer
from models.service_desk import Ticket
from rules.due_ledger import DueState
from rules.workdays import ONE_DAY

EVIDENCE = ROOT / "examples" / "evidence"
FIRST = dt.date(2026, 10, 1)
"""The day on which Drehkreuz takes the agreed checks over from the former system."""
LAST = dt.date(2026, 10, 31)
NOT_SIGNED = frozenset({"K1017", "K1019"})
"""Their Bedarfsanalyse is still a draft: such customers are what the coverage page is for."""
FORGOTTEN = {
    ("K1025", "Kontrolle der Datensicherung"): dt.date(2026, 10, 26),
    ("K1036", "Speicherplatz und Ereignisprotokolle"): FIRST,
}
"""Checks that nobody does from that day on, until the alarm says so."""


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one check when it did not simply succeed."""

    outcome: CheckOutcome
    reason: str = ""
    note: str = ""
    readings: tuple[tuple[str, str], ...] = ()
    picture: str = ""


STORIES = {
    ("K1016", "Kontrolle der Datensicherung", dt.date(2026, 10, 14)): Story(
        CheckOutcome.FAILED,
        reason="Das Sicherungsziel ist voll; die Sicherung der Nacht ist nach 62 % abgebrochen.",
        note="Ältere Wiederherstellungspunkte müssen auf das zweite Gerät; Störungsticket folgt.",
        readings=(("letzte_sicherung", "12.10.2026 23:10"), ("frei", "4")),
        picture="sicherungsziel-voll.png",
    ),
    ("K1016", "Kontrolle der Datensicherung", dt.date(2026, 10, 16)): Story(
        CheckOutcome.DONE,
        note="Ziel aufgeräumt, beide Nächte seitdem vollständig gesichert.",
        readings=(("letzte_sicherung", "15.10.2026 23:10"), ("frei", "1840")),
        picture="sicherung-vollstaendig.png",
    ),
    ("K1005", "Rücksicherung zur Probe", dt.date(2026, 10, 15)): Story(
        CheckOutcome.SKIPPED, reason="Der Serverraum war wegen der Elektroprüfung stromlos; mit der Gemeinde abgesprochen."
    ),
    ("K1018", "Virenschutz: Stand und Funde prüfen", dt.date(2026, 10, 20)): Story(
        CheckOutcome.FAILED, reason="Auf zwei Rechnern der Buchhaltung ist der Schutz seit dem 17.10. abgeschaltet."
    ),
}  # fmt: skip


class October:
    """The process that lives it; leaving the block ends it in any case."""

    def __init__(self, target: Instance) -> None:
        until = (clock.today() - ONE_DAY).isoformat()
        shift = (FIRST + ONE_DAY - clock.today()).days + clock.shift_days()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deployments.demo_checks", until],
            cwd=ROOT,
            env=target.environment() | {clock.SHIFT_VARIABLE: str(shift)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def lived(self) -> str:
        """Wait for the end; says what happened. Raises: DrehkreuzError with the last words of the process."""
        told, _ = self._process.communicate()
        if self._process.returncode:
            raise DrehkreuzError(f"Vorführung: Die Wartung des Oktobers ließ sich nicht nachstellen.\n{told.strip()[-2000:]}")
        return told.strip()

    def end(self) -> None:
        """End it when nobody waits for it any more."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def live(until: dt.date) -> int:
    """Live every day from the second of October to `until`, at most the whole month; answers how many rounds ran.

    The round runs at weekends too, the technicians do not.
    """
    rounds, day = 0, FIRST + ONE_DAY
    with unit_of_work("demo") as session:
        calendar = company_calendar(session)
    while day <= min(until, LAST):
        clock.set_today(day)
        if not rounds:
            _begin()
        steps.plain(flow_named("maintenance_round").load())
        if not calendar.day_off(day):
            with unit_of_work("demo") as session:
                work_off(session)
        rounds += 1
        day += ONE_DAY
    return rounds


def _begin() -> None:
    """Write the ledgers, close what the former system has done, and agree the rest with the customers."""
    steps.plain(flow_named("maintenance_round").load(), preview=True)
    with unit_of_work("demo") as session:
        take_over(session, FIRST, clock.today())
        for customer_id, number in _with_open_checks(session):
            agree(session, customer_id, signed=number not in NOT_SIGNED)


def _with_open_checks(session: Session) -> Sequence[tuple[int, str]]:
    """Customers with checks that neither a contract nor a signed list names."""
    return (
        session.execute(
            sa.select(Customer.id, Customer.number)
            .where(
                sa.exists().where(
                    AgreedCheck.customer_id == Customer.id, AgreedCheck.needs_analysis_id.is_(None),
                    AgreedCheck.contract_id.is_(None),
                )
            )
            .order_by(Customer.number)
        )
        .tuples()
        .all()
    )  # fmt: skip


def agree(session: Session, customer_id: int, *, signed: bool) -> None:
    """The account manager goes through the list with the customer, who signs it."""
    if in_force(session, customer_id) is not None:
        return
    number = session.scalars(sa.select(Customer.number).where(Customer.id == customer_id)).one()
    row = draft(session, customer_id)
    if number == "K1002":
        set_line(
            session, row.id, "Updates der Server einspielen", window_opens=dt.time(18, 30), window_closes=dt.time(21, 30),
            remark="nach Kanzleischluss; Neustarts sind dann erlaubt",
        )  # fmt: skip
    if number == "K1003":
        set_line(session, row.id, "mfa", cadence=None, remark="sobald die Filialen umgezogen sind")
    person = session.scalars(
        sa.select(Contact).where(Contact.customer_id == customer_id, Contact.active).order_by(Contact.id).limit(1)
    ).first()
    if signed and person is not None:
        sign(session, row.id, clock.today(), person.name, clock.today())


def work_off(session: Session, most: int | None = None) -> list[int]:
    """The technicians do what is open for them today, at most so many dates; returns the tickets that are done."""
    rows = session.execute(
        sa.select(DueDate, AgreedCheck, Customer.number, Ticket)
        .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
        .join(Customer, Customer.id == DueDate.customer_id)
        .join(Ticket, Ticket.id == DueDate.ticket_id)
        .where(DueDate.state == DueState.CREATED, DueDate.outcome.is_(None), DueDate.due_on <= clock.today())
        .order_by(DueDate.due_on, DueDate.id)
    ).all()
    catalogue = load_catalogue(session)
    finished: dict[int, None] = {}
    for due, plan, number, ticket in rows:
        person = ticket.assignee_id or due.technician_id
        forgotten = FORGOTTEN.get((number, plan.check))
        if len(finished) == most:
            break
        if person is None or (forgotten is not None and due.due_on >= forgotten):
            continue
        story = STORIES.get((number, plan.check, due.due_on), Story(CheckOutcome.DONE))
        result = record_result(session, due.id, _report(story, plan, due, person, catalogue.of(plan.check)), catalogue)
        if story.picture:
            add_evidence(session, result.id, story.picture, (EVIDENCE / story.picture).read_bytes())
        finished[ticket.id] = None
    for ticket_id in finished:
        finish_ticket(session, ticket_id)
    return list(finished)


def _report(story: Story, plan: AgreedCheck, due: DueDate, person: int, entry: Entry | None) -> Report:
    """What the technician fills in: the points in order, the readings of the day."""
    bad, skipped = story.outcome is CheckOutcome.FAILED, story.outcome is CheckOutcome.SKIPPED
    told = dict(story.readings)
    readings = {r.key: told.get(r.key) or _reading(r.key, plan.id, due.due_on) for r in (entry.readings if entry else ())}
    points = plan.checklist or (entry.checklist if entry else ())
    begun = due.slot_at if due.slot_at is not None and clock.local(due.slot_at).date() == clock.today() else clock.now()
    return Report(
        outcome=story.outcome,
        technician_id=person,
        reason=story.reason,
        note=story.note,
        readings={} if skipped else readings,
        items=[Item(text, not (bad and place == 1)) for place, text in enumerate(points) if not skipped],
        performed_at=begun + dt.timedelta(minutes=plan.duration_minutes or 15),
    )


def _reading(key: str, plan_id: int, day: dt.date) -> str:
    """A plausible value that differs from plan to plan and from day to day, always the same for both."""
    turn = (plan_id * 37 + day.toordinal() * 11) % 100
    values = {
        "letzte_sicherung": f"{day - ONE_DAY:%d.%m.%Y} 23:{10 + turn % 50:02}",
        "frei": str(600 + 17 * turn),
        "dauer": str(12 + turn % 25),
        "ohne_schutz": str(turn % 3),
        "firmware": f"12.4.{turn % 7}",
        "kleinster_rest": str(18 + turn % 40),
        "gesperrt": str(turn % 5),
        "naechster_ablauf": f"{day + dt.timedelta(days=40 + 3 * turn):%d.%m.%Y}",
        "laufzeit": str(14 + turn % 20),
        "last": str(25 + turn % 45),
        "temperatur": str(20 + turn % 5),
        "seiten": str(41_000 + 311 * turn),
    }
    return values.get(key, "")


def main() -> int:
    """Live the month up to the day on the command line."""
    with database_for_home():
        rounds = live(dt.date.fromisoformat(sys.argv[1]))
    sys.stdout.write(f"{rounds} Wartungsrunden im Oktober, jede an ihrem Tag\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
