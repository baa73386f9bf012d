"""The despatch advices answer the purchase orders, and the mails are what their names say."""

import csv
import email
import io
import zipfile
from email.message import EmailMessage
from email.policy import default

from lxml import etree

from tests.examples.company import FOLDER, by, read

_DESPATCH = FOLDER / "despatch"
Delivered = dict[tuple[str, str], tuple[str, int, list[str]]]


def _xml(name: str) -> etree._Element:
    """The root without namespaces."""
    root = etree.fromstring((_DESPATCH / name).read_bytes())
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname
    return root


def _open_trans(name: str) -> Delivered:
    found = {}
    for item in _xml(name).iter("DISPATCHNOTIFICATION_ITEM"):
        reference = item.find("ORDER_REFERENCE")
        key = (reference.findtext("ORDER_ID"), reference.findtext("LINE_ITEM_ID"))
        found[key] = (
            item.findtext(".//SUPPLIER_PID"),
            int(item.findtext("QUANTITY")),
            [s.text for s in item.iter("SERIAL_NUMBER")],
        )
    return found


def _ordered(number: str) -> dict[tuple[str, str], tuple[str, int]]:
    return {(number, r["line"]): (r["product"], int(r["quantity"])) for r in read("purchase_orders") if r["number"] == number}


def _check(delivered: Delivered, number: str) -> None:
    """Every line came wholly, with as many serial numbers as the article needs."""
    assert {key: value[:2] for key, value in delivered.items()} == _ordered(number)
    for product, quantity, serials in delivered.values():
        tracked = by("products", "code")[product]["serial_tracked"] == "yes"
        assert len(set(serials)) == (quantity if tracked else 0)


def test_open_trans_delivers_the_whole_order_behind_a_byte_order_mark() -> None:
    assert (_DESPATCH / "2026-10-28_falkenau_LS-884120.xml").read_bytes().startswith(b"\xef\xbb\xbf<?xml")
    _check(_open_trans("2026-10-28_falkenau_LS-884120.xml"), "B-2026-0418")


def test_ubl_delivers_a_part_and_names_the_rest() -> None:
    root = _xml("2026-10-29_querfeld_LN-26-5531.xml")
    lines = {
        line.findtext("OrderLineReference/LineID"): (
            int(line.findtext("DeliveredQuantity")),
            line.findtext("OutstandingQuantity"),
            len(list(line.iter("SerialID"))),
        )
        for line in root.iter("DespatchLine")
    }
    assert root.tag == "DespatchAdvice"
    assert lines == {"1": (3, None, 3), "2": (3, "2", 3)}


def test_desadv_serves_two_customer_orders() -> None:
    text = (_DESPATCH / "2026-11-02_hochwald_77120043.edi").read_bytes().decode("latin-1")
    segments = [s.strip().split("+") for s in text.removeprefix("UNA:+.? '").split("'") if s.strip()]
    delivered: Delivered = {}
    product, quantity, serials = "", 0, []
    for tag, *data in segments:
        if tag == "LIN":
            product, serials = data[2].split(":")[0], []
        elif tag == "QTY":
            quantity = int(data[0].split(":")[1])
        elif tag == "GIN":
            serials += data[1:]
        elif tag == "RFF" and product:
            _, order, line = data[0].split(":")
            delivered[order, line] = (product, quantity, serials)
    _check(delivered, "B-2026-0421")
    assert len({r["customer_order"] for r in read("purchase_orders") if r["number"] == "B-2026-0421"}) == 2
    count = next(int(s[1]) for s in segments if s[0] == "UNT")
    assert count == len(segments) - 2


def test_csv_delivers_the_whole_order() -> None:
    text = (_DESPATCH / "2026-10-30_kueppers_LS20260877.csv").read_bytes().decode("cp1252")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    delivered = {
        (r["Ihre Bestellung"], r["Pos."]): (
            r["Artikel-Nr."],
            int(r["Menge"].removesuffix(",00")),
            [s for s in r["Seriennummern"].split(", ") if s],
        )
        for r in rows
    }
    _check(delivered, "B-2026-0423")


def test_last_delivery_differs_from_the_order() -> None:
    delivered, ordered = _open_trans("2026-11-04_falkenau_LS-884377_abweichung.xml"), _ordered("B-2026-0424")
    assert delivered["B-2026-0424", "1"][1] == ordered["B-2026-0424", "1"][1] - 1
    assert {value[0] for value in delivered.values()} - set(by("products", "code")) == {"TAS-0099"}


def test_one_order_is_still_open() -> None:
    assert {r["number"] for r in read("purchase_orders")} >= {"B-2026-0425"}


def _mail(start: str) -> EmailMessage:
    (path,) = (FOLDER / "mails").glob(f"{start}*.eml")
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert all(len(line) <= 998 for line in path.read_bytes().splitlines())
    return message


def _sender(message: EmailMessage) -> str:
    return str(message["from"].addresses[0].addr_spec)


def _known(message: EmailMessage) -> bool:
    return _sender(message) in {c["email"] for c in read("contacts")}


def test_outlook_mail_with_screenshot() -> None:
    message = _mail("01")
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    html = message.get_body(("html",))
    assert html is not None
    assert f"cid:{picture['content-id'].strip('<>')}" in html.get_content()
    assert picture.get_payload(decode=True).startswith(b"\x89PNG")
    assert _known(message)


def test_word_file_with_a_picture() -> None:
    message = _mail("02")
    (document,) = message.iter_attachments()
    assert document.get_filename() == "Störung Anmeldung Hübscher.docx"
    with zipfile.ZipFile(io.BytesIO(document.get_payload(decode=True))) as packed:
        assert packed.read("word/media/image1.png").startswith(b"\x89PNG")
        etree.fromstring(packed.read("word/document.xml"))
    assert _known(message)


def test_out_of_office_answers_a_known_ticket() -> None:
    message = _mail("03")
    assert message["auto-submitted"] == "auto-replied"
    assert message["in-reply-to"].split(".")[0].strip("<") in by("tickets", "number")
    assert _known(message)


def test_reply_comes_from_the_contact_of_the_ticket() -> None:
    message = _mail("04")
    case = by("tickets", "number")[message["in-reply-to"].split(".")[0].strip("<")]
    assert message["subject"] == f"AW: [{case['number']}] {case['subject']}"
    assert case["contact"] == _sender(message)
    assert case["state"] == "waiting"


def test_unknown_sender() -> None:
    message = _mail("05")
    assert message.get_content_charset() == "iso-8859-1"
    assert "Bäckerei" in message.get_content()
    assert not _known(message)


def test_question_that_is_no_incident() -> None:
    message = _mail("06")
    (cc,) = message["cc"].addresses
    assert by("customers", "number")["K1018"]["account_manager"] == cc.addr_spec
    assert _known(message)
