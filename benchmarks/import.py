"""How long an import takes and how much memory it needs: `python benchmarks/import.py [ENTRIES ...]`.

For each size a company is made up (one customer per 40 entries, a ticket per two), imported into an empty home, imported
once more (nothing may change) and exported, each by an own process whose peak memory is read from the kernel. The bare
work it is compared with is reading the same files with the csv module and inserting the same entries by COPY.
"""

import csv
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

Row = tuple[object, ...]


def _write(folder: Path, name: str, header: str, rows: Iterator[Row]) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def make(folder: Path, entries: int) -> None:
    """A company with so many service entries."""
    customers, tickets = max(entries // 40, 1), max(entries // 2, 1)
    folder.mkdir()
    _write(folder, "employees.csv", "email,first_name,last_name,roles", (
        (f"technik{n}@messhaus.example", "Tina", f"Technik {n}", "technician|back_office") for n in range(20)
    ))  # fmt: skip
    _write(folder, "customers.csv", "number,name,street,postal_code,city", (
        (f"K{n:06}", f"Prüfstand Größe {n} GmbH & Co. KG", f"Weg {n}", "48231", "Warendorf") for n in range(customers)
    ))  # fmt: skip
    _write(folder, "tickets.csv", "number,customer,kind,subject,received_at,state,assignee", (
        (f"T-{n:07}", f"K{n % customers:06}", "incident", "Drucker druckt nicht; bitte »dringend«", "2026-09-01T08:00",
         "closed", f"technik{n % 20}@messhaus.example") for n in range(tickets)
    ))  # fmt: skip
    first = dt.date(2026, 9, 1)
    _write(
        folder, "service_entries.csv",
        "id,ticket,technician,work_date,started_at,ended_at,minutes,place,trips,kind,text,billable,non_billable_reason,"
        "approved_by,approved_at,reported_elsewhere",
        ((f"L-{n:08}", f"T-{n % tickets:07}", f"technik{n % 20}@messhaus.example", (day := first + dt.timedelta(n % 60)),
          f"{day}T08:15", f"{day}T09:00", 45, "remote", 0, "standard", f'Treiber erneuert, "Warteschlange {n}" geleert.',
          "yes" if n % 10 else "no", "" if n % 10 else "Kulanz", "technik1@messhaus.example", "2026-11-02T09:30", "")
         for n in range(entries)),
    )  # fmt: skip


def _measured(work: Callable[[], object]) -> dict[str, float]:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak_mib": peak}


def _import(folder: Path) -> None:
    from actions.company import import_folder
    from kit.database import unit_of_work

    with unit_of_work("import", bulk=True) as session:
        report = import_folder(session, folder)
    assert report.ok, report.errors[:3]


def _export(folder: Path) -> None:
    from actions.company import export_folder
    from kit.database import unit_of_work

    with unit_of_work("export") as session:
        export_folder(session, folder)


def _bare(folder: Path) -> None:
    """The same rows by csv and COPY into a table without checks, keys or references."""
    from kit.database import unit_of_work

    with unit_of_work("bare") as session:
        driver: Any = session.connection().connection.driver_connection
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.reader(file)
                columns = ", ".join(f'"{name}" text' for name in next(rows))
                driver.execute(f"CREATE TEMP TABLE bare_{path.stem} ({columns}) ON COMMIT DROP")
                with driver.cursor() as cursor, cursor.copy(f"COPY bare_{path.stem} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)


def _child(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", what, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def measure(entries: int) -> None:
    """Print one size."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-bench-") as base:
        os.environ["DREHKREUZ_HOME"] = f"{base}/home"
        from kit.database import dispose_engines
        from kit.postgres import EmbeddedPostgres
        from models import schema

        folder = Path(base) / "company"
        make(folder, entries)
        with EmbeddedPostgres(f"{base}/home").lease():
            dispose_engines()
            schema.upgrade()
            bare = _child("bare", folder)
            for what, target in (("import", folder), ("import again", folder), ("export", Path(base) / "out")):
                found = _child(what.split()[0], target)
                print(
                    f"{entries:>8} entries  {what:<13}{found['seconds']:>8.1f} s  cpu {found['cpu']:>6.1f} s"
                    f"  peak {found['peak_mib']:>6.0f} MiB  {found['seconds'] / bare['seconds']:>5.1f} x bare work",
                    flush=True,
                )
            dispose_engines()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        job = {"import": _import, "export": _export, "bare": _bare}[sys.argv[2]]
        print(json.dumps(_measured(lambda: job(Path(sys.argv[3])))))
    else:
        for size in [int(text) for text in sys.argv[1:]] or [2_000, 20_000, 200_000]:
            measure(size)
