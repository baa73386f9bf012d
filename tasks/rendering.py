"""Pages for the steps, set on as many processes as this worker has cores; fonts and style sheets are loaded once each."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from actions.billing.invoices import Rendered, RenderJob
from actions.billing.reports import Page
from integrations.documents.contents import InvoiceContent, PostalListContent, ReportContent
from integrations.documents.jobs import InvoiceJob, Job, PaperJob, ReportJob
from integrations.documents.pool import RenderPool
from integrations.documents.postal_list import render_postal_batch
from integrations.einvoice import CheckRecord, check, check_contents
from kit.process import usable_cores
from kit.settings import settings

LANES = 2
CHECKED_AT_ONCE = 5
"""Invoices per trip to a process: a trip costs a millisecond, a check twenty."""
CHECKS_KEPT = 10_000
"""Records of checks that passed, a kilobyte each."""


@lru_cache(maxsize=1)
def _pool(process: int) -> RenderPool:  # noqa: ARG001 - the process id as key: a pool never crosses a fork
    return RenderPool(settings().render_processes or usable_cores())


def get_ready() -> None:
    """Pages will be wanted soon."""
    _pool(os.getpid()).warm_up()


def lanes() -> int:
    """How many batches to have in hand at once: while the pages of one are set, the next is prepared, the last one stored."""
    return 1 if _pool(os.getpid()).processes == 1 else LANES


def check_invoices(contents: Sequence[InvoiceContent]) -> list[CheckRecord]:
    """What the e-invoice rules say of each, before it has a number."""
    parts = [contents[start : start + CHECKED_AT_ONCE] for start in range(0, len(contents), CHECKED_AT_ONCE)]
    records = [record for part in _pool(os.getpid()).apply(check_contents, parts) for record in part]
    for record in records:
        if record.ok:
            _checked[record.sha256] = record
    while len(_checked) > CHECKS_KEPT:
        _checked.popitem(last=False)
    return records


_checked: OrderedDict[str, CheckRecord] = OrderedDict()  # only changed while one batch is checked


def check_invoice(xml: bytes) -> CheckRecord:
    """What the e-invoice rules say of a finished invoice; the very same bytes are not checked a second time."""
    return _checked.get(hashlib.sha256(xml).hexdigest()) or check(xml)


def render_reports(contents: Sequence[ReportContent]) -> list[Page]:
    """The PDFs of these reports, in their order."""
    outcomes = _pool(os.getpid()).map(ReportJob(content) for content in contents)
    return [Page(outcome.pdf, outcome.error) for outcome in outcomes]


def _pages(job: RenderJob) -> Iterator[Job]:
    if job.einvoice:
        yield InvoiceJob(job.content, job.xml, job.report_pdf)
    if job.paper:
        yield PaperJob(job.content)


def render_invoices(jobs: Sequence[RenderJob]) -> list[Rendered]:
    """The pages of these invoices, in their order: e-invoice, printed face, or both, as customer and law want it."""
    outcomes = iter(list(_pool(os.getpid()).map(page for job in jobs for page in _pages(job))))
    rendered = []
    for job in jobs:
        einvoice = next(outcomes) if job.einvoice else None
        paper = next(outcomes) if job.paper else None
        errors = [outcome.error for outcome in (einvoice, paper) if outcome is not None and outcome.error]
        rendered.append(Rendered(einvoice.pdf if einvoice else None, paper.pdf if paper else None, "; ".join(errors)))
    return rendered


def postal_batch(content: PostalListContent, letters: Sequence[bytes]) -> bytes:
    """Check list first, then the letters, as one PDF to print."""
    return render_postal_batch(content, letters)
