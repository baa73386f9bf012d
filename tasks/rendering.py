"""Pages for the steps, set on as many processes as this worker has cores; fonts and style sheets are loaded once each."""

import io
import os
from collections.abc import Sequence
from functools import lru_cache

from actions.billing.invoices import Rendered, RenderJob
from integrations.documents.contents import PostalListContent, ReportContent
from integrations.documents.invoice import render_invoice, render_paper_face
from integrations.documents.pool import RenderPool
from integrations.documents.report import render_report
from kit.settings import settings


@lru_cache(maxsize=1)
def _pool(process: int) -> RenderPool:  # noqa: ARG001 - the process id as key: a pool never crosses a fork
    return RenderPool(settings().render_processes or os.cpu_count() or 1)


def render_reports(contents: Sequence[ReportContent]) -> list[bytes]:
    """The PDFs of these reports, in their order."""
    return _pool(os.getpid()).map(render_report, contents)


def render_invoices(jobs: Sequence[RenderJob]) -> list[Rendered]:
    """The pages of these invoices, in their order."""
    return _pool(os.getpid()).map(render_one, jobs)


def render_one(job: RenderJob) -> Rendered:
    """E-invoice, printed face, or both, as the customer and the law want it."""
    einvoice = render_invoice(job.content, job.xml, job.report_pdf) if job.einvoice else None
    paper = render_paper_face(job.content) if job.paper else None
    return Rendered(einvoice, paper)


def postal_batch(content: PostalListContent, letters: Sequence[bytes]) -> bytes:
    """Check list first, then the letters, as one PDF to print."""
    from pypdf import PdfWriter

    from integrations.documents.postal import render_postal_list

    writer = PdfWriter()
    for pdf in (render_postal_list(content), *letters):
        writer.append(io.BytesIO(pdf), import_outline=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
