"""The typesetter: template + values -> PDF/A-3u, tagged (PDF/UA-1), byte-identical for the same values.

One `Engine` per process keeps fonts and style sheets loaded. Pango's font map must never be used by two threads, so a
lock stands around each document; for speed use processes (`integrations.documents.pool`).
"""

import base64
import datetime as dt
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cssselect2
import jinja2
import pydyf
import weasyprint
from markupsafe import Markup
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from integrations.documents import quick, text
from integrations.documents.styles import StyledDocument, Styles
from integrations.documents.xmp import describe, rdf_of
from kit.errors import DrehkreuzError

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "documents"
RUNNING = frozenset({"offer", "needs_analysis", "check_proof"})
"""Templates whose pages carry a running head; they share its style sheet."""
_PICTURE = "data:image/png;base64,"
_FONT_FACES = "".join(
    f"@font-face {{ font-family: Drehkreuz; font-weight: {weight}; src: url({(text.FONTS / name).as_uri()}) }}"
    for weight, name in (("normal", "Lato-Regular.ttf"), ("bold", "Lato-Bold.ttf"))
)


class RenderError(DrehkreuzError):
    """A document could not be set; nothing was produced."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file inside the PDF; relationship as of PDF/A-3 (`Alternative`, `Supplement`)."""

    name: str
    content: bytes
    relationship: str
    description: str


def _finalize(value: object) -> object:
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in (
        "euro",
        "price",
        "percent",
        "quantity",
        "hours",
        "day",
        "weekday",
        "month",
        "iban",
        "masked_iban",
        "paragraphs",
    ):
        environment.filters[name] = getattr(text, name)
    environment.globals["period"] = text.period
    environment.globals["joined"] = text.joined
    return environment


class Engine:
    """Fonts, style sheets and templates of one process. Making one takes about a tenth of a second."""

    def __init__(self) -> None:
        quick.install()
        self._lock = threading.Lock()
        self._fonts = FontConfiguration()
        self._fetcher = _OnlyOurs()
        self._environment = _environment()
        self._base = weasyprint.CSS(string=(TEMPLATES / "shared" / "base.css").read_text("utf-8"))
        weasyprint.CSS(string=_FONT_FACES, font_config=self._fonts)
        self._sheets: dict[str, Any] = {}
        self.styles = Styles()

    def html(self, template: str, values: Mapping[str, object]) -> str:
        """The page before it is set, well-formed."""
        return self._environment.get_template(f"{template}/document.html").render(values)

    def pdf(
        self,
        template: str,
        values: Mapping[str, object],
        *,
        made: dt.date,
        files: Sequence[EmbeddedFile] = (),
        factur_x: str = "",
        tagged: bool = True,
    ) -> bytes:
        """Set a document.

        Args:
            template: folder below templates/documents.
            values: what the template reads.
            made: the date that the PDF carries; never the clock, so that the same values give the same bytes.
            files: embedded files, the structured invoice first.
            tagged: with the structure that screen readers need (PDF/UA-1); a tenth of the time.
            factur_x: conformance level (`EN 16931`, `XRECHNUNG`) when the first file is a structured invoice.

        Raises:
            RenderError: the document could not be set.
        """
        source = self.html(template, values)
        try:
            root = ET.fromstring(source)  # noqa: S314 - our own template, every value escaped
        except ET.ParseError as error:
            raise RenderError(f"Dokument „{template}“: Die Vorlage ergibt kein wohlgeformtes HTML ({error}).") from error
        with self._lock:
            return self._set(root, template, made, files, factur_x, tagged=tagged)

    def _set(
        self,
        root: ET.Element,
        template: str,
        made: dt.date,
        files: Sequence[EmbeddedFile],
        factur_x: str,
        *,
        tagged: bool,
    ) -> bytes:
        moment = dt.datetime(made.year, made.month, made.day, 12, tzinfo=dt.UTC)
        options: dict[str, Any] = {
            "pdf_variant": "pdf/a-3u",
            "pdf_tags": tagged,
            "attachments": [
                weasyprint.Attachment(
                    string=f.content, name=f.name, relationship=f.relationship, description=f.description,
                    created=moment, modified=moment,
                )
                for f in files
            ],
        }  # fmt: skip
        page = _Page(root, self._base, self._fetcher)
        document = StyledDocument.set(
            page, [self._sheet(template)], self.styles, self._fonts, {**weasyprint.DEFAULT_OPTIONS, **options}
        )
        document.metadata.created = document.metadata.modified = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        describe(document, rdf_of(factur_x, files[0].name if files else "", tagged=tagged))
        pdf: bytes = document.write_pdf(finisher=_finish, **options)
        return pdf

    def _sheet(self, template: str) -> Any:
        """The rules of the letter and those of the template as one sheet: every sheet is asked about every element."""
        if template not in self._sheets:
            shared = ("letter", "running") if template in RUNNING else ("letter",)
            files = [*(TEMPLATES / "shared" / f"{name}.css" for name in shared), TEMPLATES / template / "document.css"]
            css = "\n".join(file.read_text("utf-8") for file in files)
            self._sheets[template] = weasyprint.CSS(string=css, font_config=self._fonts)
        return self._sheets[template]


class _OnlyOurs(URLFetcher):  # type: ignore[misc]
    """Documents load nothing: whatever a text smuggles in, no file and no address is ever opened."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:  # noqa: ARG002 - WeasyPrint's signature
        if url.startswith(_PICTURE):  # read here: WeasyPrint would set up a reader for every protocol first
            return URLFetcherResponse(url, base64.b64decode(url[len(_PICTURE) :]), {"Content-Type": "image/png"})
        raise ValueError(f"documents load nothing from outside: {url[:80]}")


class _Page(weasyprint.HTML):  # type: ignore[misc]
    """An HTML document from a parsed tree: expat reads what our templates write 20 times faster than an HTML parser."""

    def __init__(self, root: ET.Element, base: Any, fetcher: URLFetcher) -> None:
        self.base_url, self.url_fetcher, self.media_type, self._base = None, fetcher, "print", base
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element

    def _ua_stylesheets(self, forms: bool = False) -> list[Any]:  # noqa: ARG002 - WeasyPrint's signature
        return [self._base]


class _FixedStream(pydyf.Stream):  # type: ignore[misc]
    """A finished stream: its bytes are computed once."""

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.number, self.generation, self._data = of.number, of.generation, _stream_bytes(of)

    @property
    def data(self) -> bytes:
        return self._data


class _FixedObject(pydyf.Object):  # type: ignore[misc]
    """Any other finished object."""

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.number, self.generation, self.free, self._data = of.number, of.generation, of.free, _bytes(of)

    @property
    def data(self) -> bytes:
        return self._data


def _bytes(item: Any) -> bytes:
    """A PDF object as bytes, as pydyf writes it, without its detours."""
    kind = type(item)
    if kind is bytes:
        return item  # type: ignore[no-any-return]
    if kind is str:
        return item.encode("ascii")  # type: ignore[no-any-return]
    if isinstance(item, pydyf.Dictionary):
        return b"<<" + b"".join([b"/" + _bytes(key) + b" " + _bytes(value) for key, value in item.items()]) + b">>"
    if isinstance(item, pydyf.Array):
        return b"[" + b" ".join([_bytes(child) for child in item]) + b"]"
    return pydyf._to_bytes(item)  # type: ignore[no-any-return]  # noqa: SLF001


def _is_pdf(content: list[Any]) -> bool:
    return len(content) == 1 and isinstance(content[0], bytes) and content[0].startswith(b"%PDF-")


def _stream_bytes(stream: Any) -> bytes:
    """Packed at a middle level: a third of the time of pydyf's level 9 for one percent more bytes.

    A report inside an invoice is packed already and stays as it is.
    """
    if not stream.compress or _is_pdf(stream.stream):
        stream.compress = False
        return stream.data  # type: ignore[no-any-return]
    packed = zlib.compress(b"\n".join([item if isinstance(item, bytes) else _bytes(item) for item in stream.stream]), 5)
    extra = pydyf.Dictionary({**stream.extra, "Filter": "/FlateDecode", "Length": len(packed)})
    return b"\n".join((_bytes(extra), b"stream", packed, b"endstream"))


def _finish(_document: object, pdf: Any) -> None:
    """The last touch before the bytes are written.

    WeasyPrint 70 names each attachment twice in /AF: readers would list it twice. And pydyf computes every object twice,
    once to derive the document's id and once to write it: here each is computed once.
    """
    if "AF" in pdf.catalog:
        pdf.catalog["AF"][:] = list(dict.fromkeys(pdf.catalog["AF"]))
    pdf.objects[1:] = [_FixedStream(o) if isinstance(o, pydyf.Stream) else _FixedObject(o) for o in pdf.objects[1:]]
    pdf.catalog = pdf.objects[pdf.catalog.number]


_own: Engine | None = None
_making = threading.Lock()


def engine() -> Engine:
    """The engine of this process, made at first use."""
    global _own  # noqa: PLW0603 - one per process is the point
    with _making:
        if _own is None:
            _own = Engine()
        return _own
