"""Papers of a delivery: what they print as barcodes a reader by others reads, as printed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from integrations.documents import goods as doc
from integrations.documents.contents import ContactPerson, Party
from tests.documents.pictures import codes
from tests.documents.samples import HOUSE

SERIALS = (
    "NB14503152910", "490154203237518", "1S20XW004AGEPF2ABCDE", "SN/7-4.2+X", "A1",
    "SN0b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7",
)  # fmt: skip
ARTICLES = ("NB-1450", "KAB-1", "FW-0800-MIT-EINEM-LANGEN-CODE")


def item(article: str, serials: tuple[str, ...] = (), quantity: int = 3) -> doc.Item:
    return doc.Item(
        article=article, name=f"Ware {article}", quantity=Decimal(len(serials) or quantity), serials=serials,
        tracked=bool(serials), order="B-2026-0418/1", bin="A-01",
    )  # fmt: skip


CONTENT = doc.DeliveryContent(
    house=HOUSE,
    contact=ContactPerson(name="Eva Lind"),
    customer=Party(number="K1001", name="Muster GmbH", street="Weg 1", postal_code="52062", city="Aachen"),
    day=dt.date(2026, 11, 2),
    ticket="T-2026-004711",
    scan_code="T-2026-004711",
    customer_order="KA-1",
    supplier="Falkenau Distribution AG",
    supplier_note="LS-884120",
    number="LS-2026-000017",
    parcels=2,
    items=(item(ARTICLES[0], SERIALS), item(ARTICLES[1]), item(ARTICLES[2])),
)


@pytest.mark.promise("S20")
def test_the_pick_list_is_read_whole_by_a_reader_of_others() -> None:
    found = codes(doc.render_pick_list(CONTENT))
    assert {kind for kind, _ in found} == {"Code128"}
    assert sorted(text for _, text in found) == sorted([CONTENT.scan_code, *ARTICLES, *SERIALS])


def test_each_label_carries_the_delivery_note_for_an_office_and_a_label_printer() -> None:
    label = doc.render_label(CONTENT)
    for dpi in (203, 300):
        assert codes(label, dpi) == [("Code128", CONTENT.number)] * CONTENT.parcels


def test_what_code_128_cannot_carry_stays_text() -> None:
    odd = replace(CONTENT, items=(item("KAB-1", ("Ä-17", "S2")),))
    found = [text for _, text in codes(doc.render_pick_list(odd))]
    assert sorted(found) == ["KAB-1", "S2", CONTENT.scan_code]
