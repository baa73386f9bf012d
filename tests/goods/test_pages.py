"""The warehouse in the browser and over HTTP: from the advice to the shipped parcel, without any script."""

import datetime as dt
import json
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from actions import api_tokens
from actions.assets import recording
from actions.goods import booking, inbox
from kit.database import unit_of_work
from models.assets import Asset, ExpiryNotice, Licence
from models.goods import Delivery, DeliveryState, GoodsDifference, GoodsReceiptLine, GoodsSerial
from models.plumbing import InboxItem, InboxState, OutboxMail
from models.service_desk import Ticket, TicketState
from rules.expiry import ExpiryKind
from tests.goods import world
from tests.portal.conftest import Portal


def stock(portal: Portal, *lines: dict[str, object], quantity: int = 2) -> None:
    """One order for the first customer, and its delivery."""
    with unit_of_work("test") as session:
        customer = portal.world.customers[0]
        supplier = world.supplier(session)
        world.order(session, supplier, customer, world.product(session, "NB-1"), quantity, line="1")
        world.order(session, supplier, customer, world.cable(session), 1, line="2")
        if lines:
            world.told(session, *lines)


@pytest.mark.promise("S22")
def test_from_the_reading_to_the_shipped_parcel(portal: Portal) -> None:
    stock(portal, world.line("NB-1", 2, ["S1", "S2"], of="1"), world.line("KAB-1", 1, of="2"))
    browser = portal.browser("materials")
    with unit_of_work("test") as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        ticket = session.get_one(Ticket, delivery.ticket_id)
    place = f"/lieferungen/{delivery.id}"
    found = browser.get(f"/lieferungen/suche?code={ticket.number}")
    assert found.headers["location"] == place
    assert "S1" in browser.get(place).text
    for code in ("S1", "S2", "KAB-1"):
        assert browser.post(f"{place}/lesen", data={"code": code}).status_code == 303
    assert "schon gelesen" in browser.post(f"{place}/lesen", data={"code": "S1"}, follow_redirects=True).text
    packed = browser.post(f"{place}/packen", data={"parcels": "2"}, follow_redirects=True)
    assert "Lieferschein LS-" in packed.text
    assert "Versendet" in browser.post(f"{place}/versenden", data={"carrier": "Bote"}, follow_redirects=True).text
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Delivery.state)).one() is DeliveryState.SHIPPED
        assert all(session.scalars(sa.select(Asset.delivered_on).where(Asset.delivery_line_id.is_not(None))))
        assert session.get_one(Ticket, ticket.id).state is TicketState.CLOSED


def test_counting_shows_what_differs_at_once(portal: Portal) -> None:
    stock(portal, world.line("NB-1", 2, ["S1", "S2"], of="1"), world.line("KAB-1", 1, of="2"))
    browser = portal.browser("materials")
    listed = browser.get("/wareneingang").text
    assert "LS-1" in listed
    with unit_of_work("test") as session:
        receipt = session.scalars(sa.select(Delivery.receipt_id)).one()
    place = f"/wareneingang/{receipt}"
    assert "NB-1" in browser.get(place).text
    assert "1 von 2" in browser.post(f"{place}/zaehlen", data={"code": "S1"}, follow_redirects=True).text
    assert "steht nicht im Lieferavis" in browser.post(f"{place}/zaehlen", data={"code": "FREMD"}, follow_redirects=True).text
    refused = browser.post(f"{place}/abschliessen", follow_redirects=True)
    assert refused.status_code == 200
    assert "Noch nicht gezählt" in refused.text
    done = browser.post(f"{place}/abschliessen", data={"wie_angekuendigt": "ja"}, follow_redirects=True)
    assert "eine Abweichung ist zu klären" in done.text
    assert "gezählt 1 Stück" in done.text
    sent = browser.post(f"{place}/lieferant", follow_redirects=True)
    assert "geht an den Lieferanten" in sent.text
    browser.post(f"{place}/lieferant")
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).where(OutboxMail.kind == "goods_difference")) == 1
        difference = session.scalars(sa.select(GoodsDifference)).one()
    solved = browser.post(f"{place}/abweichung/{difference.id}", data={"how": "wird nachgeliefert"}, follow_redirects=True)
    assert "geklärt" in solved.text
    assert "S2" in browser.get("/wareneingang/bestellungen").text or "NB-1" in browser.get("/wareneingang/bestellungen").text


def test_a_machine_books_with_its_token(portal: Portal) -> None:
    stock(portal)
    with unit_of_work("test") as session:
        token = api_tokens.issue(session, "Lager", [api_tokens.WAREHOUSE])
        other = api_tokens.issue(session, "Telefon", ["telephony"])
    browser = portal.browser()
    body = world.receipt_bytes(world.line("NB-1", 2, ["S1", "S2"], of="1"))
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "a1", "content-type": "application/json"}
    first = browser.post("/api/goods-receipts", content=body, headers=headers)
    assert (first.status_code, first.json()["receipt"], first.json()["new"]) == (202, "L-FALKE/LS-1", True)
    again = browser.post("/api/goods-receipts", content=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert browser.post("/api/goods-receipts", content=body + b" ", headers=headers).status_code == 409
    wrong = headers | {"authorization": f"Bearer {other}"}
    assert browser.post("/api/goods-receipts", content=body, headers=wrong).status_code == 403
    assert browser.post("/api/goods-receipts", content=body).status_code == 401
    refused = browser.post("/api/goods-receipts", content=body, headers=headers | {"idempotency-key": "k" * 201})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/json")
    picture = browser.post("/api/goods-receipts", content=b"\x89PNG\r\n\x1a\n", headers=headers | {"idempotency-key": "bild"})
    assert picture.status_code == 202
    assert "ein Bild" in picture.json()["problem"]
    with unit_of_work("test") as session:
        for item in inbox.waiting(session):
            booking.book(session, item)
    told = browser.get(first.headers["location"], headers=headers).json()
    assert told["state"] == "done"
    assert len(told["booked"]["deliveries"]) == 1


def test_a_file_by_hand(portal: Portal) -> None:
    stock(portal)
    browser = portal.browser("materials")
    body = json.dumps({"supplier": "L-FALKE", "delivery_note": "LS-7", "lines": [{"product": "KAB-1", "quantity": 1}]})
    taken = browser.post("/wareneingang/annehmen", files={"datei": ("avis.json", body)}, follow_redirects=True)
    assert "L-FALKE/LS-7" in taken.text
    assert "Korb" in taken.text


def test_pages_of_assets(portal: Portal) -> None:
    stock(portal, world.line("NB-1", 2, ["S1", "S2"], of="1"))
    with unit_of_work("test") as session:
        recording.record(session, session.scalars(sa.select(Delivery.id)).one())
        asset = session.scalars(sa.select(Asset).where(Asset.serial == "S1")).one()
    browser = portal.browser("materials")
    assert "S1" in browser.get("/assets?suche=s1").text
    assert "Garantie" in browser.get(f"/assets/{asset.id}").text
    assert browser.get("/assets/enden").status_code == 200
    assert "S1" in browser.get("/assets/luecken").text or asset.inventory_no in browser.get("/assets/luecken").text
    browser.post(f"/assets/{asset.id}/angaben", data={"manufacturer": "Falkenau", "warranty_until": "2031-01-31"})
    with unit_of_work("test") as session:
        assert session.get_one(Asset, asset.id).manufacturer == "Falkenau"
    refused = browser.post(f"/assets/{asset.id}/defekt", data={"text": "brummt"}, follow_redirects=True)
    assert "gehört dem Kunden" in refused.text


def test_what_is_parked_can_be_looked_at_and_settled_by_a_person(portal: Portal) -> None:
    stock(portal)
    raw = b"%PDF-1.7 kein Avis"
    browser = portal.browser("materials")
    told = browser.post("/wareneingang/annehmen", files={"datei": ("lieferschein.pdf", raw)}, follow_redirects=True)
    assert "nicht buchbar" in told.text
    assert "ein PDF" in told.text
    with unit_of_work("test") as session:
        (item,) = inbox.waiting(session)
        booking.book(session, item)
    assert "lieferschein.pdf" in browser.get("/wareneingang").text
    saved = browser.get(f"/wareneingang/korb/{item}/datei")
    assert (saved.content, saved.headers["content-type"]) == (raw, "application/octet-stream")
    assert "attachment" in saved.headers["content-disposition"]
    done = browser.post(f"/wareneingang/korb/{item}/erledigt", data={"how": "war nur der Ausdruck"}, follow_redirects=True)
    assert "lieferschein.pdf" not in done.text
    with unit_of_work("test") as session:
        row = session.get_one(InboxItem, item)
        assert (row.raw, row.state) == (raw, InboxState.DONE)
        assert "war nur der Ausdruck" in (row.reason or "")


@pytest.mark.promise("S136")
def test_an_inventory_is_handed_in_by_page(portal: Portal) -> None:
    customer = portal.world.customers[0].number
    listing = b"Inventarnummer;Seriennummer;Modell\nSRV-1;ABC-1;Hochwald R330\n"
    browser = portal.browser("materials")
    assert "Inventar einlesen" in browser.get("/assets").text

    def hand_in(content: bytes, to: str) -> str:
        answer = browser.post("/assets/inventar", data={"kunde": to}, files={"datei": ("liste.csv", content, "text/csv")})
        assert answer.status_code == 200
        return answer.text

    refused = hand_in(listing, "")
    assert "Der Kunde fehlt" in refused
    assert "Bitte wählen Sie eine Datei" in browser.post("/assets/inventar", data={"kunde": customer}).text
    assert "liste.csv" in hand_in(b"\x00\x01kaputt", customer)
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Asset.id).where(Asset.inventory_no == "SRV-1")).all() == []
    assert "SRV-1" in hand_in(listing, customer)
    again = hand_in(listing, customer)
    assert "Unverändert" in again
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Asset.serial).where(Asset.inventory_no == "SRV-1")).all() == ["ABC-1"]
    assert "nicht gewünscht" in portal.browser("technician").post(
        "/assets/inventar", data={"kunde": customer}, files={"datei": ("liste.csv", listing, "text/csv")}
    ).text  # fmt: skip


@pytest.mark.promise("S24")
def test_licences_and_ends_say_what_they_are_about(portal: Portal) -> None:
    with unit_of_work("test") as session:
        customer = portal.world.customers[0]
        software = world.product(session, "OFF-1", name="Büropaket", serial_tracked=False, warranty_months=None)
        device = Asset(customer_id=customer.id, inventory_no="PC-7", asset_class="notebook", model="Notebook 14")
        session.add(device)
        session.flush()
        licence = Licence(
            customer_id=customer.id, product_id=software.id, count=Decimal(25), expires_on=dt.date(2027, 3, 1),
            asset_id=device.id, key="GEHEIM-1",
        )  # fmt: skip
        session.add(licence)
        session.flush()
        for kind, row in ((ExpiryKind.LICENCE, licence.id), (ExpiryKind.WARRANTY, device.id)):
            session.add(
                ExpiryNotice(
                    customer_id=customer.id, kind=kind, object_id=row, ends_on=dt.date(2027, 3, 1),
                    notice_on=dt.date(2027, 1, 15),
                )
            )  # fmt: skip
        place = f"/assets/{device.id}"
    browser = portal.browser("materials")
    listed = browser.get("/assets/lizenzen?suche=büro").text
    assert "Büropaket" in listed
    assert "25" in listed
    assert "01.03.2027" in listed
    assert "Nichts gefunden" in browser.get("/assets/lizenzen?suche=gibtesnicht").text
    ends = browser.get("/assets/enden").text
    assert "Büropaket" in ends
    assert "PC-7" in ends
    shown = browser.get(place).text
    assert "Lizenzen auf diesem Gerät" in shown
    assert '<option value="notebook" selected>Notebook</option>' in shown
    assert all("GEHEIM-1" not in text for text in (listed, ends, shown))


@pytest.mark.parametrize("path", ["/wareneingang", "/lieferungen", "/assets/enden"])
def test_a_filter_has_a_button_that_everybody_sees(portal: Portal, path: str) -> None:
    text = portal.browser("materials").get(path).text
    form = text[text.index('<form class="filter"') :]
    form = form[: form.index("</form>")]
    assert "<noscript" not in form
    assert "Zeigen</button>" in form


def test_a_count_is_typed_and_shown_as_people_write_it(portal: Portal) -> None:
    stock(portal, world.line("NB-1", 2, ["S1", "S2"], of="1"), world.line("KAB-1", 1, of="2"))
    browser = portal.browser("materials")
    with unit_of_work("test") as session:
        receipt, line = session.execute(
            sa.select(GoodsReceiptLine.receipt_id, GoodsReceiptLine.id).order_by(GoodsReceiptLine.position.desc()).limit(1)
        ).one()
    for typed in ("2,5", "10"):
        answer = browser.post(f"/wareneingang/{receipt}/menge", data={"line": line, "counted": typed}, follow_redirects=True)
        assert f'name="counted" inputmode="decimal" size="5" value="{typed}"' in answer.text
    assert "nicht kleiner als 0" in browser.post(
        f"/wareneingang/{receipt}/menge", data={"line": line, "counted": "viel"}, follow_redirects=True
    ).text  # fmt: skip
    told = browser.post(f"/wareneingang/{receipt}/artikel", data={"line": line, "product": "GIBTSNICHT"}, follow_redirects=True)
    assert told.status_code == 200
    assert "Bitte den Code aus dem Artikelstamm angeben" in told.text


def test_a_strange_code_on_the_box_is_asked_about_before_it_becomes_a_serial(portal: Portal) -> None:
    stock(portal, world.line("NB-1", 2, ["S1", "S2"], of="1"), world.line("KAB-1", 1, of="2"))
    browser = portal.browser("materials")
    with unit_of_work("test") as session:
        receipt = session.scalars(sa.select(Delivery.receipt_id)).one()
    place = f"/wareneingang/{receipt}"

    def read(code: str) -> str:
        shown = browser.get(read_at[-1] if read_at else place).text
        hidden = dict(re.findall(r'type="hidden" name="(position|neu)" value="([^"]*)"', shown))
        answer = browser.post(f"{place}/zaehlen", data={"code": code} | hidden)
        read_at.append(answer.headers["location"])
        return browser.get(answer.headers["location"]).text

    read_at: list[str] = []
    assert "1 von 2" in read("S1")
    assert "noch einmal lesen" in read("00-1B-44-11-3A-B7")
    assert "noch einmal lesen" in read("4012345000016")
    assert "2 von 2" in read("S2")
    with unit_of_work("test") as session:
        assert set(session.scalars(sa.select(GoodsSerial.serial))) == {"S1", "S2"}
    assert "noch einmal lesen" in read("TAUSCH-3")
    assert "Die Nummer stand nicht im Avis" in read("TAUSCH-3")
