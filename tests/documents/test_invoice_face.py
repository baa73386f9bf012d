"""The page of an invoice: report id and amount, the mandatory particulars, and nothing more."""

import re
from dataclasses import replace

import pytest
import segno
import segno.helpers

from integrations.documents.address import envelope
from integrations.documents.contents import Party
from integrations.documents.graphics import girocode_payload
from integrations.documents.invoice import COPY_NOTE, render_paper_face
from tests.documents import pdf, samples
from tests.documents.conftest import Issued
from tests.documents.test_report import compare

KINDS = tuple(samples.every_invoice())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_reads_as_agreed(issued: dict[str, Issued], kind: str) -> None:
    compare(f"face-{kind}", pdf.text(issued[kind].paper))


@pytest.mark.promise("S162", "U8")
def test_all_mandatory_particulars_stand_on_the_face(issued: dict[str, Issued]) -> None:
    """§ 14 Abs. 4 UStG, number by number."""
    found = pdf.flat(issued["service"].paper)

    for particular in (
        "Turmblick IT-Systemhaus GmbH · Am Wehr 4 · 52349 Düren",  # 1: who supplies
        "Möbelwerkstätten Überländer GmbH & Co. KG Buchhaltung Gewerbestraße 17a 52351 Düren",  # 1: who receives
        "USt-IdNr. DE811907980",  # 2
        "Steuernr. 207/5713/0421",  # 2
        "Datum 03.11.2026",  # 3
        "Rechnungsnummer RE-2026-000311",  # 4
        "IT-Dienstleistungen gemäß Servicebericht SB-2026-000417",  # 5: kind and extent, in the report (§ 31 UStDV)
        "Leistungszeitraum 01.10.2026 – 31.10.2026",  # 6
        "Summe netto 1.467,50 €",  # 7
        "19 % Umsatzsteuer auf 1.467,50 € 278,83 €",  # 8
        "Rechnungsbetrag 1.746,33 €",
    ):
        assert particular in found, particular


@pytest.mark.promise("S162", "S164")
def test_the_face_of_a_service_invoice_shows_nothing_of_the_work(issued: dict[str, Issued]) -> None:
    for face in (issued["service"].paper, issued["service"].hybrid):
        found = pdf.flat(face)

        assert len(pdf.pages(face)) == 1
        assert not re.search(r"\bT-2026-|\bmin\b|\bStd\.|×", found)
        assert not any(word in found for word in (*samples.TECHNICIANS, *samples.SUBJECTS, "Arbeitszeit", "Anfahrt", "12,25"))
        amounts = set(re.findall(r"[\d.]+,\d\d", found))
        assert amounts == {"1.467,50", "278,83", "1.746,33"}


@pytest.mark.promise("S164")
def test_forty_lines_of_service_still_make_one_page() -> None:
    lines = tuple(samples.service_line(f"Leistung {i}", "1", samples.Unit.HOUR, "95.00", "95.00") for i in range(40))
    face = render_paper_face(samples.invoice(lines=lines, totals=samples.totals((19, "3800.00"))))

    assert len(pdf.pages(face)) == 1
    assert "IT-Dienstleistungen gemäß Servicebericht SB-2026-000417 3.800,00 €" in pdf.flat(face)


def test_the_letter_is_marked_as_a_copy_only_when_a_structured_invoice_exists(issued: dict[str, Issued]) -> None:
    alone = render_paper_face(samples.invoice(einvoice_exists=False))

    assert COPY_NOTE in pdf.flat(issued["service"].paper)
    assert "Kopie" not in pdf.flat(issued["service"].hybrid)
    assert "Kopie" not in pdf.flat(alone)


def test_a_direct_debit_is_announced_with_day_mandate_and_creditor(issued: dict[str, Issued]) -> None:
    found = pdf.flat(issued["kontingent"].paper)

    assert "Den Betrag von 1.047,20 € ziehen wir am 18.11.2026 mit SEPA-Lastschrift von Ihrem Konto DE02 … 5030 ein." in found
    assert "Mandatsreferenz TB-2021-0042, Gläubiger-Identifikationsnummer DE98ZZZ09999999999" in found
    assert "GiroCode" not in found
    assert "überweisen" not in found


def test_a_cancellation_takes_back_and_names_the_original(issued: dict[str, Issued]) -> None:
    found = pdf.flat(issued["cancellation"].paper)

    assert "Stornorechnung RE-2026-000400" in found
    assert "hiermit heben wir unsere Rechnung RE-2026-000311 vom 03.11.2026 in voller Höhe auf." in found
    assert "Grund: Falscher Leistungszeitraum" in found
    assert "Stornobetrag −1.746,33 €" in found
    assert "GiroCode" not in found


def test_amounts_of_a_cancellation_may_come_in_with_either_sign() -> None:
    from integrations.documents.signs import negated

    positive = samples.cancellation()

    assert render_paper_face(positive) == render_paper_face(negated(positive))


def test_the_window_always_shows_street_and_town() -> None:
    long = Party(
        number="K1", name="Gesellschaft für " + "überaus " * 40 + "lange Namen mbH", street="Lange Straße " * 6 + "99",
        postal_code="52349", city="Düren", site_name="Niederlassung Nord", attention="zu Händen Frau Dr. von der Heide",
    )  # fmt: skip
    window = envelope(long)
    face = render_paper_face(samples.invoice(buyer=long))

    assert window.tight
    assert len(window.lines) <= 9
    assert window.lines[-1] == "52349 Düren"
    assert "Straße 99 52349 Düren" in pdf.flat(face)
    assert len(pdf.pages(face)) == 1


def test_the_girocode_says_what_the_bank_needs() -> None:
    wanted = {
        "name": samples.HOUSE.name, "iban": samples.HOUSE.iban, "bic": samples.HOUSE.bic, "amount": "1746.33", "encoding": 1,
    }  # fmt: skip
    foreign = segno.helpers.make_epc_qr(text="RE-2026-000311", **wanted)
    payload = girocode_payload(
        name=samples.HOUSE.name,
        iban=samples.HOUSE.iban,
        bic=samples.HOUSE.bic,
        amount=samples.Decimal("1746.33"),
        reference="RE-2026-000311",
    )
    own = segno.make_qr(payload, error="m", boost_error=False, mask=foreign.mask)

    assert own.matrix == foreign.matrix


def test_a_letter_stands_in_the_window_of_form_b(issued: dict[str, Issued]) -> None:
    """DIN 5008: address between 62.7 and 90 mm from the top and 25 mm from the left, fold marks at 105 and 210 mm."""
    import pypdfium2

    page = pypdfium2.PdfDocument(issued["service"].paper)[0]
    text, millimetre = page.get_textpage(), 72 / 25.4
    index = text.get_text_range().index("Möbelwerkstätten")
    left, _bottom, _right, top = text.get_charbox(index)

    assert 24.5 < left / millimetre < 26
    assert 62.7 < (page.get_height() - top) / millimetre < 68


@pytest.mark.parametrize("count", [6, 10, 14])
def test_payment_never_stands_alone_on_a_page(count: int) -> None:
    """Around the end of the first page: what is to be paid stays with the totals and the last lines of what it is for."""
    of = samples.recurring()
    lines = tuple(of.lines[number % len(of.lines)] for number in range(count))
    first, last = pdf.pages(render_paper_face(replace(of, lines=lines)))
    assert "Summe netto" in last
    assert "Summe netto" not in first
    assert len(re.findall(r"^.+ × [\d.,]+ €", last.replace("\xa0", " "), re.MULTILINE)) >= 2
