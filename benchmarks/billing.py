"""The month of N customers against the bare work: the same renders, checks, mails, puts and bulk inserts without flow or task.

    python -m benchmarks.billing 200 1000 5000 [--no-bare]

Each size gets a home of its own; mails go to a local sink process. Prints wall seconds, cost per customer, the ratio of the run
to the bare work in the same run, preview time and the peak memory of all processes of ours (PSS sum, sampled).
"""

import argparse
import datetime as dt
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.big_company import write

MONTH = "2026-10"
SAMPLE_SECONDS = 5.0
"""Between two looks at the memory. A look costs some tenths of a second; the bare work is looked at as often."""


def _busy() -> dict[str, float]:
    """Processor seconds so far of this process, its renderers, the database server and the mail sink; ended ones included."""
    me = psutil.Process()
    total = dict.fromkeys(("main", "postgres", "others"), 0.0)
    for process in [me, *me.children(recursive=True)]:
        try:
            kind = "main" if process == me else "postgres" if process.name() == "postgres" else "others"
            own = process.cpu_times()
            total[kind] += own.user + own.system
            total["postgres" if kind == "postgres" else "others"] += own.children_user + own.children_system
        except psutil.Error:
            continue
    return total


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Seconds by the clock under `name`, processor seconds of the machine under `name CPU`."""
    start, before = time.perf_counter(), _busy()
    yield
    into[name] = time.perf_counter() - start
    spent = {kind: seconds - before[kind] for kind, seconds in _busy().items()}
    into[f"{name} CPU"] = sum(spent.values())
    told = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in spent.items())
    print(f"    {name} {into[name]:.1f} s; processor: {told}", flush=True)


class Memory(threading.Thread):
    """Peak of the memory of this process and its children (without the database server), by proportional set size."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._over = 0, threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(self._of(process) for process in self._ours()))

    @staticmethod
    def _ours() -> list[psutil.Process]:
        me = psutil.Process()
        return [me, *(child for child in me.children(recursive=True) if Memory._name(child) != "postgres")]

    @staticmethod
    def _name(process: psutil.Process) -> str:
        try:
            return str(process.name())
        except psutil.Error:
            return ""

    @staticmethod
    def _of(process: psutil.Process) -> int:
        try:
            return int(process.memory_full_info().pss)
        except psutil.Error:
            return 0

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.peak


def bare_work(folder: Path) -> dict[str, float]:
    """What nobody can save: set every page, check every invoice, hand over every mail, store every object, insert every row."""
    import sqlalchemy as sa

    from actions.billing import handover
    from actions.billing.around import the_house
    from actions.billing.invoice_content import invoice_contents
    from actions.billing.report_content import report_contents
    from actions.mail import outbox, transport
    from integrations.archive.folder import FolderArchive
    from integrations.documents.jobs import InvoiceJob, PaperJob, ReportJob
    from integrations.documents.postal_list import render_postal_batch
    from integrations.einvoice import build_cii, check, profile_of
    from integrations.mail.types import OutgoingMail
    from kit.database import unit_of_work
    from models.billing import BillingRun, Invoice, ServiceReport
    from models.plumbing import OutboxMail
    from tasks import rendering

    with unit_of_work("bench") as session:
        the_house(session)
        reports = list(session.scalars(sa.select(ServiceReport.id).order_by(ServiceReport.number)))
        keys = (Invoice.archive_key, Invoice.paper_archive_key)
        rows = session.execute(sa.select(Invoice.id, Invoice.report_id, *keys).order_by(Invoice.number)).tuples()
        invoices = [(i, report_id, main != paper, paper is not None) for i, report_id, main, paper in rows]
        printed = [i for i, *_, paper in invoices if paper]
        run_id = session.scalars(sa.select(BillingRun.id)).one()
        mails = list(session.execute(sa.select(OutboxMail.id).order_by(OutboxMail.id)).scalars())
        tables = {
            name: [dict(row) for row in session.execute(sa.text(f"SELECT * FROM {name}")).mappings()]
            for name in (
                "service_report",
                "service_report_line",
                "service_report_group",
                "invoice",
                "invoice_line",
                "kontingent_entry",
            )
        }
    archive = FolderArchive(folder)
    took: dict[str, float] = {}

    def put(key: str, content: bytes, kind: str) -> None:
        archive.put_once(key, content, kind, dt.date(2036, 1, 1))

    pool = rendering._pool(os.getpid())  # noqa: SLF001 - the same processes, warm or cold, as the run used
    pdf_of: dict[int, bytes] = {}
    with timed(took, "reports"):
        for at in range(0, len(reports), 40):
            with unit_of_work("bench") as session:
                contents = report_contents(session, reports[at : at + 40])
            for report_id, outcome in zip(contents, pool.map(ReportJob(c) for c in contents.values()), strict=True):
                pdf = outcome.pdf or b""
                pdf_of[report_id] = pdf
                put(f"reports/{hashlib.sha256(pdf).hexdigest()}.pdf", pdf, "application/pdf")
    with timed(took, "invoices and checks"):
        for at in range(0, len(invoices), 40):
            batch = invoices[at : at + 40]
            with unit_of_work("bench") as session:
                found = invoice_contents(session, [i for i, *_ in batch])
            jobs: list[Any] = []
            for invoice_id, report_id, einvoice, paper in batch:
                content, report_pdf = found[invoice_id], pdf_of.get(report_id or 0)
                xml = build_cii(content, profile_of(content.face), report_pdf=report_pdf)
                record = check(xml)
                assert record.ok
                jobs += [InvoiceJob(content, xml, report_pdf)] if einvoice else []
                jobs += [PaperJob(content)] if paper else []
                put(f"xml/{hashlib.sha256(xml).hexdigest()}.xml", xml, "application/xml")
                put(f"checks/{content.number}.json", str(record.as_json()).encode(), "application/json")
            for outcome in pool.map(jobs):
                pdf = outcome.pdf or b""
                put(f"invoices/{hashlib.sha256(pdf).hexdigest()}.pdf", pdf, "application/pdf")
    with timed(took, "post list"):
        for at in range(0, len(printed), handover.LETTERS_PER_BATCH):
            with unit_of_work("bench") as session:
                letters = [session.get_one(Invoice, i) for i in printed[at : at + handover.LETTERS_PER_BATCH]]
                content, letter_pages = handover.postal_list(session, run_id, letters)
            put(f"post/{at}.pdf", render_postal_batch(content, letter_pages), "application/pdf")
    with timed(took, "mails"), transport.sender() as sender:
        for mail_id in mails:
            with unit_of_work("bench") as session:
                row = session.get_one(OutboxMail, mail_id)
                raw = outbox.raw_of(session, mail_id)
            sender.send(OutgoingMail(row.message_id, row.sender, tuple(row.recipients), row.subject, raw))
            put(f"mail/{mail_id}.eml", raw, "message/rfc822")
    with timed(took, "inserts"), unit_of_work("bench") as session:
        for name, rows in tables.items():
            if rows:
                session.execute(sa.text(f"CREATE TEMP TABLE bare_{name} (LIKE {name} INCLUDING DEFAULTS)"))
                target = sa.table(f"bare_{name}", *(sa.column(c) for c in rows[0]))
                for at in range(0, len(rows), 5000):
                    session.execute(sa.insert(target), rows[at : at + 5000])
    return took


def one_size(customers: int, base: Path, *, bare: bool) -> dict[str, float]:
    """Import, preview, release and run one size; times in seconds."""
    from actions.billing import preview, release
    from actions.company import import_folder
    from flows.monthly_billing import monthly_billing
    from kit import clock
    from kit.database import dispose_engines, unit_of_work
    from kit.postgres import database_for_home
    from models import schema
    from rules.month import Month

    os.environ["DREHKREUZ_HOME"] = str(base / f"home{customers}")
    write(base / f"company{customers}", customers)
    took: dict[str, float] = {}
    with database_for_home():
        dispose_engines()
        schema.upgrade()
        with timed(took, "import"), unit_of_work("bench", bulk=True) as session:
            assert import_folder(session, base / f"company{customers}").ok
        clock.set_today(dt.date(2026, 11, 2))
        with timed(took, "preview"), unit_of_work("bench") as session:
            seen = preview.build(session, Month(2026, 10))
        snapshot = seen.snapshot
        del seen
        memory = Memory()
        memory.start()
        with timed(took, "release"), unit_of_work("bench") as session:
            release.release(session, Month(2026, 10), snapshot, "Messung")
        with timed(took, "run"):
            outcome = monthly_billing(MONTH)
        took["peak MiB"] = memory.stop() / 2**20
        print(f"  {outcome.summary}")
        if bare:
            beside = Memory()
            beside.start()
            work = bare_work(base / f"bare{customers}")
            beside.stop()
            took["bare"] = sum(seconds for name, seconds in work.items() if not name.endswith("CPU"))
            took["bare CPU"] = sum(seconds for name, seconds in work.items() if name.endswith("CPU"))
            print("  bare:", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in work.items()))
        dispose_engines()
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int, nargs="+")
    parser.add_argument("--no-bare", action="store_true")
    options = parser.parse_args()
    from tests.servers import SinkProcess

    with tempfile.TemporaryDirectory(prefix="drehkreuz-bench-") as folder:
        sink = SinkProcess(Path(folder) / "sink").start()
        os.environ |= {
            "DREHKREUZ_SMTP_HOST": "127.0.0.1", "DREHKREUZ_SMTP_PORT": str(sink.port), "DREHKREUZ_SMTP_TLS": "none",
            "DREHKREUZ_REPORT_GRACE_DAYS": "0",
        }  # fmt: skip
        print("customers  preview  release      run  ms/cust.  CPU ms/cust.     bare  run/bare  CPU run/bare  peak MiB")
        rows = []
        for customers in options.customers:
            took = one_size(customers, Path(folder), bare=not options.no_bare)
            whole, busy = (took[f"release{kind}"] + took[f"run{kind}"] for kind in ("", " CPU"))
            rows.append((customers, whole / customers, busy / customers))
            ratio = f"{whole / took['bare']:9.2f} {busy / took['bare CPU']:13.2f}" if "bare" in took else f"{'-':>9} {'-':>13}"
            print(
                f"{customers:9} {took['preview']:8.1f} {took['release']:8.1f} {took['run']:8.1f} "
                f"{1000 * whole / customers:9.1f} {1000 * busy / customers:13.1f} {took.get('bare', 0):8.1f} {ratio} "
                f"{took['peak MiB']:9.0f}",
                flush=True,
            )
        sink.stop()
    _, first, first_busy = rows[0]
    for customers, cost, busy in rows[1:]:
        ratios = f"{cost / first:.2f} times that at {rows[0][0]} (CPU {busy / first_busy:.2f} times)"
        print(f"cost per customer at {customers}: {ratios}")


if __name__ == "__main__":
    main()
