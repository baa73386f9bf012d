"""A month on one, two and four workers: each one process in a home of its own that sets pages, one database, one S3 archive.

    python -m benchmarks.scale_out [CUSTOMERS] [--workers 1 2 4] [--no-kill]

Prints wall seconds from the first number to the last document and the speed-up against one worker, then the same month with
one of two workers killed (-9) in the middle, and whether it ended right. As many workers as cores is what counts; four on two
cores show that more do no harm. Run it on a quiet machine: the database, the archive and the mail sink use the same cores.
"""

import argparse
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks.big_company import write

MONTH = "2026-10"
ROOT = Path(__file__).resolve().parents[1]


def released(company: Path) -> None:
    """The month, imported into an empty database and released."""
    from actions.billing import preview, release
    from actions.company import import_folder
    from kit.database import unit_of_work
    from models import schema
    from rules.month import Month

    schema.upgrade()
    with unit_of_work("bench", bulk=True) as session:
        assert import_folder(session, company).ok
    with unit_of_work("bench") as session:
        seen = preview.build(session, Month.parse(MONTH))
    with unit_of_work("bench") as session:
        release.release(session, Month.parse(MONTH), seen.snapshot, "Messung")


def faults(customers: int) -> list[str]:
    """What is not as it must be at the end of the month."""
    from kit.database import unit_of_work

    found = []
    with unit_of_work("bench") as session:
        state = session.scalar(sa.text("select state from billing_run"))
        if state != "done":
            found.append(f"run is {state}")
        for table, prefix in (("service_report", "SB"), ("invoice", "RE")):
            numbers = session.scalars(sa.text(f"select number from {table} where number is not null order by number")).all()
            if numbers != [f"{prefix}-2026-{n:06}" for n in range(1, len(numbers) + 1)]:
                found.append(f"{table}: numbers with gaps")
        if session.scalar(sa.text("select count(*) from service_report")) != customers:
            found.append("reports are missing")
    return found


def visits(base: Path, workers: int, *, kill: bool) -> tuple[float, list[str]]:
    """All workers visit the month at once, past a gate that opens when all are loaded; seconds, and documents of each."""
    from kit.database import Role, engine

    homes = [base / f"worker{n}" for n in range(workers)]
    for home in homes:
        home.mkdir(parents=True)
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as gate:
        key = {"key": f"billing-numbers:{gate.scalar(sa.text('select id from billing_run'))}"}
        gate.execute(sa.text("select pg_advisory_lock(hashtextextended(:key, 0))"), key)
        group = subprocess.Popen(
            [sys.executable, "-m", "tests.billing.visitors", MONTH, *map(str, homes)],
            cwd=ROOT, env=os.environ | {"DREHKREUZ_RENDER_PROCESSES": "1"}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert group.stdout is not None
        pids = json.loads(group.stdout.readline())
        waiting = sa.text(
            "select count(*) from pg_locks join pg_stat_activity using (pid)"
            " where not granted and locktype = 'advisory' and application_name like 'visitor%'"
        )
        while gate.scalar(waiting) < workers:
            time.sleep(0.05)
        gate.execute(sa.text("select pg_advisory_unlock(hashtextextended(:key, 0))"), key)
        start = time.perf_counter()
        if kill:
            issued = sa.text("select count(*) from service_report where state = 'issued'")
            while gate.scalar(issued) < 20:
                time.sleep(0.05)
            os.kill(pids[0], signal.SIGKILL)
        group.stdout.readline()
        took = time.perf_counter() - start
        group.wait()
    return took, [f"{home.name} {made(home)}" for home in homes]


def made(home: Path) -> str:
    """What a worker says that it made."""
    lines = [json.loads(line)["message"] for line in (home / "log" / "visit.jsonl").read_text("utf-8").splitlines()]
    told = [line.removesuffix(" in diesem Besuch erstellt") for line in lines if line.endswith("in diesem Besuch erstellt")]
    return ", ".join(told) or "killed"


def one(base: Path, customers: int, workers: int, *, kill: bool = False) -> float:
    """A database and a bucket of its own for each measurement."""
    from actions.archive import store
    from integrations.archive.s3 import S3Archive
    from kit.database import dispose_engines
    from kit.postgres import EmbeddedPostgres

    place = base / f"{workers}{'-killed' if kill else ''}"
    server = place / "server"
    server.mkdir(parents=True)
    os.environ["DREHKREUZ_HOME"] = str(server)
    os.environ["DREHKREUZ_S3_BUCKET"] = f"bench-{place.name}"
    os.environ.pop("DREHKREUZ_DATABASE_URL", None)
    with EmbeddedPostgres(server).lease():
        from kit.database import owner_url

        address = owner_url().set(drivername="postgresql").render_as_string(hide_password=False)
        os.environ["DREHKREUZ_DATABASE_URL"] = address
        dispose_engines()
        archive = store()
        assert isinstance(archive, S3Archive)
        archive.create_bucket()
        released(base / "company")
        took, shares = visits(place, workers, kill=kill)
        wrong = faults(customers)
        dispose_engines()
    print(f"{workers} worker(s){', one killed' if kill else ''}: {took:.1f} s; {'; '.join(shares)}", flush=True)
    print(f"  {'ended right' if not wrong else 'WRONG: ' + ', '.join(wrong)}", flush=True)
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int, nargs="?", default=240)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--no-kill", action="store_true")
    options = parser.parse_args()
    from kit import clock
    from tests.servers import SinkProcess, s3_server

    with tempfile.TemporaryDirectory(prefix="drehkreuz-scale-") as folder, s3_server(Path(folder) / "s3") as s3:
        base = Path(folder)
        sink = SinkProcess(base / "sink").start()
        os.environ |= {
            "DREHKREUZ_SMTP_HOST": "127.0.0.1", "DREHKREUZ_SMTP_PORT": str(sink.port), "DREHKREUZ_SMTP_TLS": "none",
            "DREHKREUZ_REPORT_GRACE_DAYS": "0", "DREHKREUZ_ARCHIVE": "s3", "DREHKREUZ_S3_ENDPOINT_URL": s3.endpoint_url,
            "DREHKREUZ_S3_ACCESS_KEY": s3.access_key, "DREHKREUZ_S3_SECRET_KEY": s3.secret_key,
            "DREHKREUZ_EXCHANGE_FOLDER": str(base / "exchange"),
        }  # fmt: skip
        clock.set_today(dt.date(2026, 11, 2))
        write(base / "company", options.customers)
        took = {}
        for workers in options.workers:
            os.environ["DREHKREUZ_EXCHANGE_FOLDER"] = str(base / f"exchange{workers}")
            took[workers] = one(base, options.customers, workers)
        for workers in options.workers[1:]:
            speed = took[options.workers[0]] / took[workers]
            print(f"speed-up with {workers} workers against {options.workers[0]} on {os.cpu_count()} cores: {speed:.2f}")
        if not options.no_kill:
            os.environ["DREHKREUZ_EXCHANGE_FOLDER"] = str(base / "exchange-killed")
            one(base, options.customers, 2, kill=True)
        sink.stop()


if __name__ == "__main__":
    main()
