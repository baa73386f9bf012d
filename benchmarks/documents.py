"""CPU time and memory of documents, beside the bare engine in the same run.

    python -m benchmarks.documents [--documents 2000]

Prints one table: CPU milliseconds per document (best and median of many), the limit where one is set, and the ratio to
what WeasyPrint alone takes for the same page by its plain API. Then memory of this process over many documents.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import weasyprint
from rich.console import Console
from rich.table import Table

from integrations.documents import invoice as invoices
from integrations.documents import quick
from integrations.documents import report as reports
from integrations.documents.engine import TEMPLATES, engine
from integrations.documents.invoice import render_invoice, render_paper_face
from integrations.documents.jobs import InvoiceJob
from integrations.documents.pool import RenderPool, settle
from integrations.documents.report import render_report
from integrations.einvoice import build_cii, check
from tests.documents import samples

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """CPU milliseconds of one kind of work."""

    what: str
    best: float
    median: float
    limit: float | None = None
    bare: float | None = None


def cpu(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Best and median of the CPU time, in milliseconds, after one warm-up."""
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return min(times), statistics.median(times)


def bare(template: str, values: dict[str, object], *, tagged: bool) -> Callable[[], object]:
    """The same page by WeasyPrint's plain API, as it comes: parse, lay out, write; style sheets read once."""
    html = engine().html(template, values)
    sheets = [
        weasyprint.CSS(string=(TEMPLATES / name).read_text("utf-8"))
        for name in ("shared/base.css", "shared/letter.css", f"{template}/document.css")
    ]
    return lambda: weasyprint.HTML(string=html).write_pdf(stylesheets=sheets, pdf_variant="pdf/a-3u", pdf_tags=tagged)


def measure(rounds: int) -> list[Measured]:
    content, xml = samples.invoice(), build_cii(samples.invoice())
    full, plain = samples.report(20), samples.report(20, kontingent=(), related=(), excluded=())
    report_pdf = render_report(full)
    with quick.left_out():
        bare_invoice = cpu(bare("invoice", invoices._values(content, copy=False), tagged=True), rounds)[0]  # noqa: SLF001
        bare_report = cpu(bare("report", reports._values(full), tagged=False), rounds)[0]  # noqa: SLF001
    cases: list[tuple[str, Callable[[], object], float | None, float | None]] = [
        ("invoice, hybrid with report inside", lambda: render_invoice(content, xml, report_pdf), 50, bare_invoice),
        ("invoice, printed face", lambda: render_paper_face(content), 50, bare_invoice),
        ("report, 20 entries", lambda: render_report(plain), 80, None),
        ("report, 20 entries, Kontingent with chart, topics", lambda: render_report(full), 80, bare_report),
        ("report, 20 entries, tagged", lambda: render_report(full, tagged=True), None, None),
        ("report, 100 entries", lambda: render_report(samples.report(100)), None, None),
        ("structured invoice: build", lambda: build_cii(content), None, None),
        ("structured invoice: check", lambda: check(xml), None, None),
    ]
    return [Measured(what, *cpu(work, rounds), limit, beside) for what, work, limit, beside in cases]


def memory(documents: int) -> list[tuple[int, float]]:
    """Resident megabytes of this process after so many documents, invoices and reports in turn."""
    process, found = psutil.Process(), []
    xml, report_pdf = build_cii(samples.invoice()), render_report(samples.report(4))
    for number in range(1, documents + 1):
        if number % 2:
            render_invoice(samples.invoice(number=f"RE-2026-{number:06d}"), xml, report_pdf)
        else:
            render_report(samples.report(4, number=f"SB-2026-{number:06d}"))
        if number % max(documents // 10, 1) == 0:
            found.append((number, process.memory_info().rss / MEGABYTE))
    return found


def pool(documents: int, processes: int) -> tuple[float, float]:
    """Documents per second, and the largest resident megabytes of one renderer, over so many documents."""
    xml = build_cii(samples.invoice())
    jobs = (InvoiceJob(samples.invoice(number=f"RE-2026-{n:06d}"), xml) for n in range(documents))
    largest, start = 0.0, time.perf_counter()
    with RenderPool(processes) as running:
        for number, outcome in enumerate(running.map(jobs)):
            if outcome.pdf is None:
                raise SystemExit(outcome.error)
            if number % 50 == 0:
                children = psutil.Process().children(recursive=True)
                largest = max([largest, *(child.memory_info().rss / MEGABYTE for child in children)])
    return documents / (time.perf_counter() - start), largest


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=2000, help="how many documents the memory is watched over")
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    settle()  # as every renderer does
    found = measure(chosen.rounds)
    grown = memory(chosen.documents)
    rate, largest = pool(chosen.documents // 4, 2)
    if chosen.json:
        json.dump(
            {"cpu": [vars(m) for m in found], "memory": grown, "pool": {"per_second": rate, "largest_mb": largest}}, sys.stdout
        )
        return
    show(found, grown, rate, largest)


def show(found: list[Measured], grown: list[tuple[int, float]], rate: float, largest: float) -> None:
    console = Console()
    table = Table("document", "best ms", "median ms", "limit ms", "ratio to bare WeasyPrint", title="CPU time per document")
    for m in found:
        limit = "" if m.limit is None else f"{m.limit:.0f} {'kept' if m.median <= m.limit else 'MISSED'}"
        ratio = "" if m.bare is None else f"{m.best / m.bare:.2f}"
        table.add_row(m.what, f"{m.best:.1f}", f"{m.median:.1f}", limit, ratio)
    console.print(table)
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    console.print(f"Load {busy:.1f} on {cores} cores" + ("; other work makes CPU times longer" if busy > cores else ""))
    console.print("Resident MB after n documents: " + ", ".join(f"{n}: {mb:.0f}" for n, mb in grown))
    half = grown[len(grown) // 2 - 1][1]
    console.print(f"Second half over first half: {grown[-1][1] / half:.3f}")
    console.print(f"Two renderers: {rate:.1f} invoices per second, largest renderer {largest:.0f} MB")


if __name__ == "__main__":
    main()
