"""Reading PDFs with tools by others: text as a reader sees it, files inside, names in the catalogue."""

import io
from dataclasses import dataclass

import pypdfium2
from pypdf import PdfReader


def pages(pdf: bytes) -> list[str]:
    """The text of each page, lines as set."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
    finally:
        document.close()


def text(pdf: bytes) -> str:
    return "\n".join(pages(pdf))


def flat(pdf: bytes) -> str:
    """All text with single spaces, so that line breaks do not matter."""
    return " ".join(text(pdf).split())


@dataclass(frozen=True)
class Inside:
    """An embedded file."""

    name: str
    relationship: str
    kind: str
    content: bytes


def files(pdf: bytes) -> list[Inside]:
    """Embedded files in the order of the catalogue's /AF."""
    catalogue = PdfReader(io.BytesIO(pdf)).root_object
    found = []
    for reference in catalogue.get("/AF", []):
        spec = reference.get_object()
        stream = spec["/EF"]["/F"].get_object()
        found.append(Inside(spec["/UF"], spec["/AFRelationship"], stream["/Subtype"], stream.get_data()))
    return found


def metadata(pdf: bytes) -> str:
    return PdfReader(io.BytesIO(pdf)).root_object["/Metadata"].get_object().get_data().decode()
