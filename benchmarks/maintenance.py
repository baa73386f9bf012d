"""Maintenance at size: years of due dates, a full day's round, and an outage over the clock change caught up in one run.

    python -m benchmarks.maintenance [--plans 100000] [--years 10] [--no-bare] [--home FOLDER [--rounds-only]]

Prints a line per measurement. The bare work beside it, measured in the same run on the same database: the same days by dateutil
alone, and the same rows by COPY into a table with the same keys. Needs about 4 GB of disk for the full size.
"""

import argparse
import datetime as dt
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from dateutil.rrule import rrulestr

from actions.maintenance.closing_days import take_over
from actions.maintenance.ledger import write_ahead
from flows.maintenance_round import maintenance_round
from kit import clock
from kit.database import Role, dispose_engines, engine, unit_of_work
from kit.postgres import EmbeddedPostgres
from models import schema
from models.maintenance import AgreedCheck, DueDate
from models.parties import Customer, Employee
from models.service_desk import Ticket, TicketKind
from rules.catch_up import CatchUp
from rules.check_catalogue import STANDARD_CHECKS

START = dt.date(2027, 1, 1)
ROUND_DAY = dt.date(2027, 3, 19)
AFTER_OUTAGE = dt.date(2027, 3, 30)
"""Ten days without a round, over the night of 28 March in which the clocks go forward."""
MIX = (
    (10, "FREQ=WEEKLY;BYDAY={weekday}"),
    (5, "FREQ=WEEKLY;INTERVAL=2;BYDAY={weekday}"),
    (25, "FREQ=MONTHLY;BYMONTHDAY={day}"),
    (25, "FREQ=MONTHLY;BYDAY={nth}{weekday}"),
    (25, "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY={day}"),
    (10, "FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={day}"),
)
MEGABYTE = 1024 * 1024
Row = tuple[str, str, str]


def company(plans: int) -> None:
    """Customers with twenty plans each, all cadences and policies, forty technicians."""
    rng, now = random.Random(1), clock.now()
    customers = max(plans // 20, 1)
    with unit_of_work("benchmark", bulk=True) as session:
        session.execute(
            sa.insert(Employee),
            [
                {
                    "email": f"t{n}@messhaus.example",
                    "first_name": "Toni",
                    "last_name": f"Technik{n}",
                    "roles": ["technician"],
                    "skills": [],
                }
                for n in range(40)
            ],
        )
        session.execute(
            sa.insert(Customer),
            [
                {"number": f"K{n:06}", "name": f"Messkunde {n} GmbH", "street": "Weg 1", "postal_code": "50667", "city": "Köln"}
                for n in range(customers)
            ],
        )
    cadences = [text for weight, text in MIX for _ in range(weight)]
    with engine(Role.OWNER).begin() as connection:
        connection.exec_driver_sql("SET LOCAL drehkreuz.bulk = '1'")
        raw: Any = connection.connection.driver_connection
        columns = (
            'customer_id, "check", cadence, starts_on, duration_minutes, technician_id, catch_up, shift, checklist, created_at'
        )
        with raw.cursor() as cursor, cursor.copy(f"COPY agreed_check ({columns}) FROM STDIN") as copy:
            for n in range(plans):
                cadence = rng.choice(cadences).format(
                    weekday=rng.choice(["MO", "TU", "WE", "TH", "FR"]), day=rng.choice([*range(1, 29), -1]),
                    nth=rng.randint(1, 4), month=rng.randint(1, 12),
                )  # fmt: skip
                check = STANDARD_CHECKS[n % len(STANDARD_CHECKS)].title
                starts = START + dt.timedelta(days=rng.randint(0, 13))
                copy.write_row((
                    n // 20 % customers + 1, check, cadence, starts, 20, n % 40 + 1 if n % 10 else None,
                    list(CatchUp)[n % 4].value, "next_workday" if n % 3 else "none", "{}", now,
                ))  # fmt: skip
        connection.exec_driver_sql("ANALYZE")


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, CPU seconds of this process, result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def generate(until: dt.date) -> tuple[int, list[float]]:
    """Write the ledgers, a batch per transaction; dates written, and the memory of this process on the way."""
    dates, after, memory, me = 0, 0, [], psutil.Process()
    while True:
        with unit_of_work("flow:maintenance_round", bulk=True) as session:
            part = write_ahead(session, START, until, after=after)
        if not part.plans:
            return dates, memory
        dates, after = dates + part.dates, part.last_id
        memory.append(me.memory_info().rss / MEGABYTE)


def bare_days(until: dt.date) -> int:
    """The same days by dateutil alone, without shift."""
    count = 0
    last = dt.datetime.combine(until, dt.time())
    with engine(Role.APP).connect() as connection:
        for cadence, starts_on in connection.execute(sa.select(AgreedCheck.cadence, AgreedCheck.starts_on)):
            start = dt.datetime.combine(starts_on, dt.time())
            count += len(rrulestr(cadence, dtstart=start).between(start, last, inc=True))
    return count


COLUMNS = "customer_id, agreed_check_id, nominal_on, due_on, state, created_at"


def bare_table(file: Path) -> None:
    """A table with the same keys and references, and the rows as a file."""
    with engine(Role.OWNER).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bare (LIKE due_date INCLUDING ALL)")
        connection.exec_driver_sql(
            "ALTER TABLE bare ADD FOREIGN KEY (customer_id, agreed_check_id) REFERENCES agreed_check (customer_id, id)"
        )
        raw: Any = connection.connection.driver_connection
        statement = f"COPY (SELECT {COLUMNS} FROM due_date ORDER BY id) TO STDOUT"
        with raw.cursor() as cursor, cursor.copy(statement) as copy, file.open("wb") as out:
            for block in copy:
                out.write(block)


def bare_copy(file: Path) -> None:
    """Load the rows of the file; this is what is timed."""
    with engine(Role.OWNER).begin() as connection:
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY bare ({COLUMNS}) FROM STDIN") as copy, file.open("rb") as source:
            while block := source.read(1 << 20):
                copy.write(block)


def due_on(day: dt.date) -> int:
    with unit_of_work("benchmark") as session:
        return session.scalar(sa.select(sa.func.count()).where(DueDate.due_on == day, DueDate.state == "planned")) or 0


def expected_after_outage() -> int:
    """Tickets that the policies make of the ten days, counted from the ledger alone."""
    with unit_of_work("benchmark") as session:
        rows = session.execute(
            sa.select(DueDate.agreed_check_id, AgreedCheck.catch_up, DueDate.due_on)
            .join(AgreedCheck, AgreedCheck.id == DueDate.agreed_check_id)
            .where(DueDate.state == "planned", DueDate.due_on <= AFTER_OUTAGE)
        ).all()
    per_plan: dict[tuple[int, CatchUp], list[dt.date]] = {}
    for plan_id, policy, day in rows:
        per_plan.setdefault((plan_id, policy), []).append(day)
    made: Counter[CatchUp] = Counter()
    for (_, policy), days in per_plan.items():
        if policy is CatchUp.ALL:
            made[policy] += len(days)
        elif policy is CatchUp.SKIP:
            made[policy] += AFTER_OUTAGE in days
        else:
            made[policy] += 1
    return sum(made.values())


def tickets() -> int:
    with unit_of_work("benchmark") as session:
        return session.scalar(sa.select(sa.func.count()).where(Ticket.kind == TicketKind.MAINTENANCE)) or 0


@contextmanager
def home_at(folder: str | None) -> Iterator[None]:
    """A home of its own with a running database."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-benchmark-") as made:
        os.environ["DREHKREUZ_HOME"] = folder or made
        Path(os.environ["DREHKREUZ_HOME"]).mkdir(parents=True, exist_ok=True)
        with EmbeddedPostgres(Path(os.environ["DREHKREUZ_HOME"])).lease():
            dispose_engines()
            schema.upgrade()
            yield
            for role in Role:
                engine(role).dispose()


def ledgers(plans: int, years: int, *, bare: bool) -> Iterator[Row]:
    """Write the dates of all plans, and again; beside it the bare work."""
    clock.set_today(START)
    company(plans)
    until = START.replace(year=START.year + years) - dt.timedelta(days=1)
    wall, cpu, (dates, memory) = timed(lambda: generate(until))
    yield f"{plans:,} Pläne × {years} Jahre: {dates:,} Termine", f"{wall:.0f} s, {cpu:.0f} s CPU ohne Datenbank", "Minuten"
    tenth = memory[len(memory) // 10]
    yield "  Speicher nach einem Zehntel / am Ende", f"{tenth:.0f} / {memory[-1]:.0f} MB", "gleichbleibend"
    if bare:
        days_wall, _, _ = timed(lambda: bare_days(until))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.tsv"
            bare_table(file)
            rows_wall, _, _ = timed(lambda: bare_copy(file))
        ratio = wall / (days_wall + rows_wall)
        yield "  nackt: Tage mit dateutil + COPY der Zeilen", f"{days_wall:.0f} + {rows_wall:.0f} s", f"Verhältnis {ratio:.2f}"
        with engine(Role.OWNER).begin() as connection:
            connection.exec_driver_sql("DROP TABLE bare")
    wall, _, _ = timed(lambda: generate(until))
    yield "  zweiter Aufruf (nichts zu tun)", f"{wall:.1f} s", ""


def rounds() -> Iterator[Row]:
    """A full day's round, the same again, and the days of the outage caught up in one."""
    with unit_of_work("benchmark") as session:
        take_over(session, ROUND_DAY, ROUND_DAY)
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE due_date")  # what autovacuum does in the months between
    clock.set_today(ROUND_DAY)
    due = due_on(ROUND_DAY)
    wall, cpu, outcome = timed(maintenance_round)
    assert tickets() == due, (tickets(), due)
    yield f"Tagesrunde mit {due:,} fälligen Terminen", f"{wall:.1f} s, {cpu:.1f} s CPU", "< 60 s je 5.000"
    wall, _, _ = timed(maintenance_round)
    assert tickets() == due
    yield "  dieselbe Runde noch einmal", f"{wall:.1f} s", "0 Tickets"
    clock.set_today(AFTER_OUTAGE)
    expected = expected_after_outage()
    wall, cpu, outcome = timed(maintenance_round)
    made = tickets() - due
    verdict = "genau die erwarteten" if made == expected else f"ERWARTET {expected:,}"
    yield f"Zehn Tage Ausfall über die Zeitumstellung: {made:,} Tickets", f"{wall:.1f} s, {cpu:.1f} s CPU", verdict
    print(outcome.summary)


def show(rows: Iterator[Row]) -> None:
    """Each line as soon as it is known: the full size takes half an hour."""
    for what, measured, aim in rows:
        print(f"{what:<70} {measured:<36} {aim}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plans", type=int, default=100_000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--no-bare", action="store_true", help="without the bare work beside it")
    parser.add_argument("--home", help="folder of the home; else a temporary one")
    parser.add_argument("--rounds-only", action="store_true", help="the ledgers of that home are written already")
    arguments = parser.parse_args()
    with home_at(arguments.home):
        print(f"Wartung, {os.cpu_count()} Kerne, Last {os.getloadavg()[0]:.1f}", flush=True)
        if not arguments.rounds_only:
            show(ledgers(arguments.plans, arguments.years, bare=not arguments.no_bare))
        show(rounds())


if __name__ == "__main__":
    main()
