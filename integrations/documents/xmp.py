"""XMP metadata that a hybrid invoice owes: PDF/UA part and the Factur-X description with its extension schema."""

from typing import Any
from xml.sax.saxutils import escape

_FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_END = b"</rdf:RDF>"
_EXTENSION_NAMESPACES = (
    'xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" '
    'xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"'
)
_FX_PROPERTIES = (
    ("DocumentFileName", "Name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "Version of the XML schema of the invoice"),
    ("ConformanceLevel", "Profile of the invoice"),
)


def _property(name: str, kind: str, category: str, description: str) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        f"<pdfaProperty:valueType>{kind}</pdfaProperty:valueType><pdfaProperty:category>{category}</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
    )


def _schema(name: str, uri: str, prefix: str, properties: str) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{name}</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{uri}</pdfaSchema:namespaceURI><pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )


_UA_SCHEMA = _schema(
    "PDF/UA Universal Accessibility Schema",
    "http://www.aiim.org/pdfua/ns/id/",
    "pdfuaid",
    _property("part", "Integer", "internal", "Part of ISO 14289"),
)
_FX_SCHEMA = _schema(
    "Factur-X PDFA Extension Schema",
    _FX,
    "fx",
    "".join(_property(name, "Text", "external", description) for name, description in _FX_PROPERTIES),
)


def rdf_of(conformance: str, file_name: str, *, tagged: bool) -> bytes:
    """The descriptions beyond WeasyPrint's own.

    Args:
        conformance: profile of the structured invoice inside; empty when there is none.
        file_name: its name inside the PDF.
        tagged: whether the document claims PDF/UA-1.
    """
    about = f'<rdf:Description xmlns:rdf="{_RDF}" rdf:about=""'
    parts, schemas = [], ""
    if tagged:
        schemas += _UA_SCHEMA
        parts.append(
            f'{about} xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>'
        )
    if conformance:
        schemas += _FX_SCHEMA
        parts.append(
            f'{about} xmlns:fx="{_FX}"><fx:DocumentType>INVOICE</fx:DocumentType>'
            f"<fx:DocumentFileName>{escape(file_name)}</fx:DocumentFileName><fx:Version>1.0</fx:Version>"
            f"<fx:ConformanceLevel>{escape(conformance)}</fx:ConformanceLevel></rdf:Description>"
        )
    if schemas:
        bag = f"<pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag></pdfaExtension:schemas>"
        parts.append(f"{about} {_EXTENSION_NAMESPACES}>{bag}</rdf:Description>")
    return "".join(parts).encode()


def describe(document: Any, descriptions: bytes) -> None:
    """Put `descriptions` inside the one rdf:RDF element that WeasyPrint writes (ISO 16684 allows only one)."""
    generate = document.metadata.generate_rdf_metadata

    def merged(variant: str, version: int, conformance: str) -> bytes:
        own: bytes = generate(variant, version, conformance)
        head, _, _ = own.rpartition(_END)
        return head + descriptions + _END

    document.metadata.generate_rdf_metadata = merged
