"""The hybrid invoice as other people's tools find it: PDF/A-3u, PDF/UA-1, Factur-X inside, the report with it."""

import facturx
import pytest

from integrations.documents.postal_list import render_postal_batch, render_postal_list
from tests.documents import pdf, samples
from tests.documents.conftest import Issued, Verdict

KINDS = tuple(samples.every_invoice())


@pytest.mark.needs("java")
@pytest.mark.parametrize("flavour", ["3u", "ua1"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_hybrid_is_archivable_and_accessible(vera: dict[tuple[str, str], Verdict], kind: str, flavour: str) -> None:
    verdict = vera[flavour, f"hybrid-{kind}"]

    assert verdict.ok, verdict.said


@pytest.mark.needs("java")
@pytest.mark.parametrize(
    ("flavour", "name"),
    [
        ("3u", "paper-service"), ("ua1", "paper-service"), ("3u", "report"), ("3u", "report-tagged"), ("ua1", "report-tagged"),
        ("3u", "report-hostile"), ("ua1", "report-hostile"), ("3u", "postal-list"),
    ],
)  # fmt: skip
def test_the_other_documents_are_archivable_too(vera: dict[tuple[str, str], Verdict], flavour: str, name: str) -> None:
    assert vera[flavour, name].ok, vera[flavour, name].said


@pytest.mark.needs("java")
def test_verapdf_is_not_always_content(vera: dict[tuple[str, str], Verdict]) -> None:
    """The plain report makes no claim to PDF/UA, and the checker sees it."""
    assert not vera["ua1", "report"].ok
    assert "StructTreeRoot" in vera["ua1", "report"].said


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_reader_gets_exactly_the_checked_xml(issued: dict[str, Issued], kind: str) -> None:
    each = issued[kind]
    name, xml = facturx.get_xml_from_pdf(each.hybrid, check_xsd=False)

    assert xml == each.xml
    assert name == ("xrechnung.xml" if kind.startswith("public") else "factur-x.xml")


def test_the_report_lies_inside_as_it_was_mailed(issued: dict[str, Issued], report_pdf: bytes) -> None:
    invoice, report = pdf.files(issued["service"].hybrid)

    assert (invoice.name, invoice.relationship, invoice.kind) == ("factur-x.xml", "/Alternative", "/text/xml")
    assert (report.name, report.relationship) == ("Servicebericht_SB-2026-000417.pdf", "/Supplement")
    assert report.content == report_pdf
    assert [f.name for f in pdf.files(issued["kontingent"].hybrid)] == ["factur-x.xml"]


def test_the_metadata_name_profile_and_file_once(issued: dict[str, Issued]) -> None:
    said = pdf.metadata(issued["service"].hybrid)

    assert said.count("<rdf:RDF") == 1
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in said
    assert "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>" in said
    assert "<fx:ConformanceLevel>XRECHNUNG</fx:ConformanceLevel>" in pdf.metadata(issued["public"].hybrid)
    assert "fx:" not in pdf.metadata(issued["service"].paper)


@pytest.mark.promise("S161")
def test_the_postal_batch_lists_and_holds_every_letter(issued: dict[str, Issued]) -> None:
    content = samples.postal_list(3)
    letters = [issued["service"].paper] * 3
    pages = pdf.pages(render_postal_batch(content, letters))

    assert len(pages) == 4
    assert "Postausgang 2026-10/1" in pages[0]
    assert "3 Briefe, 3 Seiten · Abrechnung Oktober 2026" in pages[0]
    assert all(item.invoice_number in pages[0] for item in content.items)
    assert "5.238,99" in pages[0]
    assert render_postal_batch(content, letters) == render_postal_batch(content, letters)


def test_a_long_postal_list_goes_on(issued: dict[str, Issued]) -> None:
    pages = pdf.pages(render_postal_list(samples.postal_list(120)))

    assert len(pages) > 3
    assert "Seite 2 von" in pages[1]
    assert "RE-2026-000430" in pages[-1]
