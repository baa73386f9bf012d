"""What a camera or scanner sees of our papers, and what a reader by others makes of it."""

import pypdfium2
import zxingcpp
from PIL.Image import Image

PRINT_DPI = 300
"""What an office printer sets."""


def pages(pdf: bytes, dpi: int = PRINT_DPI) -> list[Image]:
    """Every page as it leaves the printer."""
    return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]


def codes(pdf: bytes, dpi: int = PRINT_DPI) -> list[tuple[str, str]]:
    """Kind and content of every barcode, page by page."""
    return [(code.format.name, code.text) for page in pages(pdf, dpi) for code in zxingcpp.read_barcodes(page)]


def cut_out(pdf: bytes, content: str, dpi: int = PRINT_DPI) -> Image:
    """The barcode of `content` with some paper around it."""
    for page in pages(pdf, dpi):
        for code in zxingcpp.read_barcodes(page):
            if code.text == content:
                corners = [code.position.top_left, code.position.bottom_right]
                (left, right), (top, bottom) = (sorted(getattr(c, axis) for c in corners) for axis in "xy")
                return page.crop((left - 60, top - 40, right + 60, bottom + 60))
    raise AssertionError(content)
