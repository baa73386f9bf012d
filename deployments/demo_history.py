"""What lies behind the example house on the day of the demo: September, billed here on the second of October.

Without it the preview of October would compare with nothing. `python -m deployments.demo_history` does it in a process of
its own, because the whole month happens on another day: clock, mail server and settings are that process's alone.
"""

import csv
import datetime as dt
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from deployments import children
from deployments.instance import ROOT, Instance
from kit import clock
from kit.database import unit_of_work
from kit.errors import ConflictError, DrehkreuzError
from kit.postgres import database_for_home
from models import schema
from models.billing import BillingRun
from models.parties import House
from models.work import ServiceEntry

COMPANY = ROOT / "examples" / "company"
MONTH = "2026-09"
LAST = "2026-09-30"
BILLED_ON = dt.date(2026, 10, 2)
RELEASED_BY = "Gudrun Späth (Vorführung)"
LEFT_TO_THE_FORMER_SYSTEM = frozenset({"K1009", "K1010"})
"""Customers whose missing agreement or recipient is October's story; a September without end would only hide it."""
SINK_SECONDS = 20.0


class HistoryError(DrehkreuzError):
    """September could not be billed."""


def refuse_other_company() -> None:
    """The example never mixes with a real house. Raises: ConflictError."""
    with unit_of_work("demo") as session:
        name = session.scalar(sa.select(House.name))
    example = (COMPANY / "house.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    if name is not None and name != example:
        raise ConflictError(
            f"Vorführung: In diesem Heim arbeitet schon »{name}«. Nehmen Sie für die Vorführung ein eigenes: "
            "DREHKREUZ_HOME=./vorfuehrung drehkreuz demo"
        )


def is_billed(session: Session) -> bool:
    """Whether this house has released September itself."""
    return session.scalar(sa.select(BillingRun.id).where(BillingRun.month == MONTH)) is not None


def to_do(session: Session) -> bool:
    """A house that is empty, or one that was interrupted here: it knows September and nothing later."""
    if session.scalar(sa.select(House.id).limit(1)) is None:
        return True
    last = session.scalar(sa.select(sa.func.max(ServiceEntry.work_date)))
    return last is not None and last.isoformat() <= LAST


def bill_september(target: Instance) -> bool:
    """Bill it unless that is done or no longer possible; answers whether it happened now.

    Only with the recording sink: what a real mail server would send twice a demo, nobody has asked for.
    Raises: HistoryError with the last words of the process.
    """
    if target.running() or not target.uses_sink() or clock.today() <= BILLED_ON:
        return False
    clock_of = {clock.SHIFT_VARIABLE: str((BILLED_ON - clock.today()).days + clock.shift_days())}
    with database_for_home():
        schema.upgrade()
        refuse_other_company()
        with unit_of_work("demo") as session:
            if not to_do(session):
                return False
        with _sink(target, clock_of):
            done = subprocess.run(
                [sys.executable, "-m", "deployments.demo_history"],
                cwd=ROOT,
                env=target.environment() | clock_of,
                capture_output=True,
                text=True,
                check=False,
            )
    if done.returncode:
        why = (done.stderr or done.stdout).strip()[-2000:]
        raise HistoryError(f"Vorführung: Der September ließ sich nicht abrechnen.\n{why}")
    return True


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


@contextmanager
def _sink(target: Instance, clock_of: dict[str, str]) -> Iterator[None]:
    """The recording mail sink of the home for the time of the block."""
    sink = children.sink(target)
    sink.environment = clock_of
    sink.start(target, "")
    try:
        deadline = time.monotonic() + SINK_SECONDS
        while not _listens(target.sink_port):
            if not sink.alive() or time.monotonic() > deadline:
                raise HistoryError(f"Vorführung: Die Mailsenke ist nicht angelaufen. {sink.last_words(target)}")
            time.sleep(0.05)
        yield
    finally:
        sink.ask_to_end()
        sink.end()


@contextmanager
def company(*, until: str | None) -> Iterator[Path]:
    """The example folder as it is when September is billed here and not by the former system.

    Args:
        until: last day of what is known yet; None for all. What was approved later still waits for its approval.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in COMPANY.iterdir():
            shutil.copyfile(path, folder / path.name)
        tickets = _rewritten(folder / "tickets.csv", lambda row: until is None or row["received_at"][:10] <= until)
        left = {row["number"] for row in tickets if row["customer"] in LEFT_TO_THE_FORMER_SYSTEM}

        def known(row: dict[str, str]) -> bool:
            if row["work_date"].startswith(MONTH) and row["ticket"] not in left:
                row["reported_elsewhere"] = ""
            if until is not None and row["approved_at"] and row["approved_at"][:10] > BILLED_ON.isoformat():
                row["approved_at"] = row["approved_by"] = ""
            return until is None or row["work_date"] <= until

        _rewritten(folder / "service_entries.csv", known)
        yield folder


def _rewritten(path: Path, keep: Callable[[dict[str, str]], bool]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        rows = [row for row in reader if keep(row)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def main() -> int:
    """Import the house as it was, preview, release, and let the month run to its end, all on the day of this process."""
    from actions.billing import preview, release
    from actions.company import import_folder
    from deployments.catalogue import flow_named
    from deployments.local_run import run_locally

    month = preview.parse_month(MONTH)
    with company(until=LAST) as folder, unit_of_work("demo", bulk=True) as session:
        report = import_folder(session, folder)
    if not report.ok:
        raise HistoryError("\n".join([*report.lines(), *map(str, report.errors[:10])]))
    with unit_of_work("demo") as session:
        if not is_billed(session):
            seen = preview.build(session, month)
            preview.remember(session, seen, clock.now())
            release.release(session, month, seen.snapshot, RELEASED_BY)
    outcome = run_locally(flow_named("monthly_billing"), {"month": MONTH}, lambda _what, _done, _total: None)
    sys.stdout.write("\n".join([outcome.summary, *outcome.open_items]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
