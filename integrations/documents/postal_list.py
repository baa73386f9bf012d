"""Cover and check list of a postal batch, for whoever prints and folds it; the letters follow in the same order."""

import io
from collections.abc import Sequence
from decimal import Decimal

from pypdf import PdfReader, PdfWriter

from integrations.documents import text
from integrations.documents.address import postal_lines
from integrations.documents.contents import PostalListContent
from integrations.documents.engine import engine


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
    writer = PdfWriter()
    for pdf in (render_postal_list(content), *letters):
        for page in PdfReader(io.BytesIO(pdf)).pages:
            writer.add_page(page)
    writer.add_metadata({"/Title": f"Postausgang {content.batch}", "/Author": text.clean(content.house.name)})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
