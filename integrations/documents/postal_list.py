"""Cover and check list of a postal batch, for whoever prints and folds it; the letters follow in the same order."""

import datetime as dt
import hashlib
import io
import re
from collections.abc import Sequence
from decimal import Decimal

import pypdfium2 as pdfium

from integrations.documents import text
from integrations.documents.address import postal_lines
from integrations.documents.contents import PostalListContent
from integrations.documents.engine import engine

_CREATED = re.compile(rb"/CreationDate\(D:\d{14}[+-]\d\d'\d\d'\)")
_ID = re.compile(rb"[0-9A-F]{32}><[0-9A-F]{32}")


def render_postal_list(content: PostalListContent) -> bytes:
    """One line per letter with recipient, pages and amount, and a box to tick."""
    values = {
        "c": content,
        "title": f"Postausgang {content.batch}",
        "rows": [
            {
                "position": position,
                "invoice": item.invoice_number,
                "report": item.report_number,
                "customer": item.customer_number,
                "recipient": text.joined(postal_lines(item.recipient), ", "),
                "pages": item.pages,
                "gross": item.gross,
            }
            for position, item in enumerate(content.items, start=1)
        ],
        "letters": len(content.items),
        "pages": sum(item.pages for item in content.items),
        "gross": sum((item.gross for item in content.items), Decimal(0)),
    }
    return engine().pdf("postal_list", values, made=content.issued_on, tagged=False)


def render_postal_batch(content: PostalListContent, letters: Sequence[bytes]) -> bytes:
    """The list and, behind it, the letters in the order of its items, as one file for the printer.

    Args:
        content: the list; one item per letter.
        letters: the printed faces.
    """
    return _reproducible(joined([render_postal_list(content), *letters]), content.issued_on)


def _reproducible(pdf: bytes, made: dt.date) -> bytes:
    """PDFium writes the time and a random id: both become the batch's own, at the same length, so that a repeated batch
    is the same file for the archive.
    """
    dated = _CREATED.sub(f"/CreationDate(D:{made:%Y%m%d}120000+00'00')".encode(), pdf, count=1)
    head, mark, tail = dated.rpartition(b"/ID[<")
    if not mark:
        return dated
    key = hashlib.sha256(head).hexdigest()[:32].upper().encode()
    return head + mark + _ID.sub(key + b"><" + key, tail, count=1)


def joined(pdfs: Sequence[bytes]) -> bytes:
    """Several PDFs as one for the printer, a hundredth of the time that a merge in pure Python takes."""
    out, whole = io.BytesIO(), pdfium.PdfDocument.new()
    try:
        for pdf in pdfs:
            part = pdfium.PdfDocument(pdf)
            whole.import_pages(part)
            part.close()
        whole.save(out)
    finally:
        whole.close()
    return out.getvalue()


def page_count(pdf: bytes) -> int:
    """How many sheets a letter has."""
    document = pdfium.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()
