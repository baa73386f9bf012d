"""Maintenance of the demo on its day: round and watch over ends run at the server while goods come in; then the proof."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.maintenance.coverage import KINDS, coverage
from actions.maintenance.papers import issue_proof
from actions.maintenance.work import Work, capture_work, work_terms
from deployments import demo_checks
from deployments.follow import Follower
from deployments.instance import Instance
from deployments.prefect_api import PrefectApi
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from models.maintenance import CheckResult, DueDate
from models.parties import Customer
from models.plumbing import OutboxEvent
from models.service_desk import Ticket, TicketKind
from rules.due_ledger import DueState
from rules.month import Month

RUNS = ("maintenance_round", "expiry_watch")
KEY = "demo:{}:{}"
PROVEN = "K1016"
"""The customer whose month is shown on paper: a failed check, its screenshot, and how it went on."""
MONTH = Month(2026, 10)
SHOWN_WORK = 3
"""So many of today's tickets get their work written down: one per place where it is charged, as far as there are."""
DONE_TODAY = 20
"""So many tickets are done by noon; the rest is left for whoever tries the pages."""
SECONDS = 60.0


def ask_for_runs(say: Callable[[str], None]) -> None:
    """Ask for both runs as the button of the portal does: a row, from which the relay makes a run."""
    today = clock.today().isoformat()
    with unit_of_work("demo") as session:
        for flow in RUNS:
            key = KEY.format(flow, today)
            if session.scalar(sa.select(OutboxEvent.id).where(OutboxEvent.key == key)) is None:
                session.add(OutboxEvent(deployment=flow, parameters={}, key=key))
    say("zwei Läufe sind bestellt; der Worker führt sie aus, während die Ware kommt")


def show_maintenance(target: Instance, say: Callable[[str], None]) -> dict[str, str]:
    """Follow both runs, let the technicians work, issue the month's proof; answers the places where to look."""
    with PrefectApi(target) as api:
        for flow in RUNS:
            run = Follower(api, lambda _line: None, lambda _what, _done, _total: None).to_the_end(_run_of(flow))
            message = (run["state"]["message"] or "fertig").strip().splitlines()
            if run["state"]["type"] != "COMPLETED":
                raise DrehkreuzError(f"Vorführung: Der Lauf »{run['name']}« ist gescheitert: {message[0]}")
            say(message[0])
    with unit_of_work("demo") as session:
        done = demo_checks.work_off(session, most=DONE_TODAY)
        for sentence in _write_work(session, done):
            say(sentence)
        say(_month_in_words(session))
        gaps = coverage(session, clock.today())
        say(f"Abdeckung: {', '.join(f'{sum(gap.kind == kind for gap in gaps)} × {KINDS[kind]}' for kind in KINDS)}")
    path = _prove(target.home / "belege" / str(MONTH))
    return {"Prüfnachweis": str(path)} if path is not None else {}


def _run_of(flow: str) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with unit_of_work("demo") as session:
            key = KEY.format(flow, clock.today().isoformat())
            run_id = session.scalar(sa.select(OutboxEvent.flow_run_id).where(OutboxEvent.key == key))
        if run_id is not None:
            return run_id
        time.sleep(0.1)
    raise DrehkreuzError("Vorführung: Das Relay hat keinen Lauf bestellt; siehe log/background.log im Heimordner.")


def _write_work(session: Session, ticket_ids: list[int]) -> list[str]:
    """Work on today's tickets: included in a contract, drawn from a Kontingent, or by effort."""
    shown: dict[str, str] = {}
    for ticket_id in ticket_ids:
        terms = work_terms(session, ticket_id, clock.today())
        place = terms.to if terms.to == "nach Aufwand" else terms.to.split(" ", maxsplit=1)[0]
        ticket = session.get_one(Ticket, ticket_id)
        if place in shown or len(shown) == SHOWN_WORK or ticket.assignee_id is None:
            continue
        work = Work(
            key=f"demo-{ticket.number}-{secrets.token_hex(3)}", technician_id=ticket.assignee_id, work_date=clock.today(),
            minutes=15, text=f"{ticket.subject.removeprefix('Wartung: ')}: geprüft und dokumentiert.",
        )  # fmt: skip
        capture_work(session, ticket_id, work)
        shown[place] = f"{ticket.number}: 15 Minuten erfasst, {terms.to}"
    return list(shown.values())


def _month_in_words(session: Session) -> str:
    """What stands in the ledger of the month."""
    within = DueDate.due_on.between(MONTH.first_day, MONTH.last_day)
    tickets = sa.select(sa.func.count(sa.distinct(DueDate.ticket_id))).where(within, DueDate.state == DueState.CREATED)
    outcomes = dict(
        session.execute(
            sa.select(CheckResult.outcome, sa.func.count())
            .join(DueDate, DueDate.id == CheckResult.due_date_id)
            .where(within)
            .group_by(CheckResult.outcome)
        )
        .tuples()
        .all()
    )
    alarms = sa.select(sa.func.count()).where(Ticket.kind == TicketKind.TASK, Ticket.dedup_key.startswith("check-alarm:"))
    named = (("done", "erledigt"), ("failed", "fehlgeschlagen"), ("skipped", "ausgelassen"))
    counts = ", ".join(f"{outcomes.get(outcome, 0)} {word}" for outcome, word in named)  # type: ignore[call-overload]
    return (
        f"{MONTH}: {session.scalar(tickets)} Wartungstickets, Prüfungen {counts}; "
        f"{session.scalar(alarms)} Alarme an die Disposition"
    )


def _prove(folder: Path) -> Path | None:
    """Issue the month's proof of one customer, as the account manager does on the page, and lay it beside the other papers."""
    with unit_of_work("demo") as session:
        customer_id = session.scalar(sa.select(Customer.id).where(Customer.number == PROVEN))
        if customer_id is None:
            return None
        proof = issue_proof(session, customer_id, MONTH)
        content = archive.read(session, proof.archive_key)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"Pruefnachweis-{PROVEN}-{MONTH}.pdf"
    path.write_bytes(content)
    return path
