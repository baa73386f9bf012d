"""Wareneingang: what arrived, counted by scanner, differences decided. Every reading is a plain form, so any scanner works."""

from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, field_validator
from starlette.datastructures import UploadFile

from actions.goods import checking, complaint, differences, inbox, orders, scanning, views
from kit.errors import DrehkreuzError, NotFoundError
from models.goods import Delivery, GoodsReceipt, Supplier
from models.plumbing import InboxItem
from portal.attempts import Said, attempt
from portal.edge import CAMERA
from portal.forms import Data, Form, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, address, go, page
from portal.paging import paged, sliced
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/wareneingang")
NAV = (
    NavEntry(
        Section.GOODS, "Wareneingang", "/wareneingang", "truck-delivery", ("ware.sehen",), order=10, shortcut="w", bottom=True
    ),
    NavEntry(Section.GOODS, "Offene Bestellungen", "/wareneingang/bestellungen", "hourglass", ("ware.sehen",), order=30),
)
See = Annotated[Person, Depends(need("ware.sehen"))]
Work = Annotated[Person, Depends(need("ware.bearbeiten"))]
LIST = Crumb("Wareneingang", "/wareneingang")
STATES = (
    ("open", "mit offenen Lieferungen"),
    ("differences", "mit Abweichungen"),
    ("booked", "ungeprüft"),
    ("checked", "geprüft"),
)


class ScanForm(Form):
    """One reading."""

    code: str = Field(default="", max_length=200)
    position: int | None = None
    neu: str = Field(default="", max_length=200)
    """Read before and asked to be read once more."""


class CountForm(Form):
    """A typed count."""

    line: int
    counted: Decimal = Field(ge=0, max_digits=10, decimal_places=4)

    @field_validator("counted", mode="before")
    @classmethod
    def _comma(cls, typed: object) -> object:
        return typed.strip().replace(",", ".") if isinstance(typed, str) else typed


class BinForm(Form):
    """Where a position was put."""

    line: int
    bin: str = Field(default="", max_length=40)


class DecisionForm(Form):
    """How a difference is settled."""

    how: str = Field(min_length=1, max_length=500)


class ArticleForm(Form):
    """Which product an unknown article is."""

    line: int
    product: str = Field(min_length=1, max_length=100)


@router.get("")
def list_receipts(request: Request, person: See, session: StaffSession, *, stand: str = "", seite: int = 1) -> Response:
    """Receipts, and what lies in the basket."""
    wanted = stand if stand in dict(STATES) else ""
    return page(
        request,
        "goods.html",
        crumbs=(LIST,),
        receipts=paged(session, views.receipts_statement(wanted), seite),
        basket=views.basket(session),
        states=STATES,
        may_work=person.may("ware.bearbeiten"),
        query={"stand": wanted},
    )


@router.get("/bestellungen")
def list_orders(request: Request, person: See, session: StaffSession, seite: int = 1) -> Response:
    """What is on order and not here (U27)."""
    del person
    found = orders.still_open(session)
    return page(request, "goods_orders.html", crumbs=(LIST, Crumb("Offene Bestellungen")), orders=sliced(found, seite))


@router.post("/annehmen")
def receive(request: Request, person: Work, session: StaffSession, data: Data) -> Response:
    """A despatch advice by hand."""
    del person
    upload = data.get("datei")
    if not isinstance(upload, UploadFile):
        return go(request, "/wareneingang", "Bitte wählen Sie eine Datei.", "warning")
    with upload.file as content:
        raw = content.read(inbox.SIZE_LIMIT + 1)
    try:
        received = inbox.receive(session, raw, file_name=upload.filename or "")
    except DrehkreuzError as fault:
        return go(request, "/wareneingang", str(fault), "danger")
    if received.fault:
        return go(request, "/wareneingang", f"{upload.filename}: aufbewahrt, aber nicht buchbar. {received.fault}", "danger")
    said = "angenommen und gleich gebucht" if received.new else "lag schon vor, nichts geändert"
    return go(request, "/wareneingang", f"{received.key}: {said}.", "success" if received.new else "info")


@router.post("/korb/{item_id}/nochmal")
def replay(request: Request, person: Work, session: StaffSession, item_id: int) -> Response:
    """Try a parked row again."""
    del person
    inbox.replay(session, item_id)
    return go(request, "/wareneingang", "Die Meldung wird noch einmal gebucht.")


@router.post("/korb/{item_id}/erledigt")
def dismiss(request: Request, person: Work, session: StaffSession, item_id: int, data: Data) -> Response:
    """A parked row needs nothing more."""
    form = filled(DecisionForm, data)
    if form.value is None:
        return go(request, "/wareneingang", "Bitte sagen Sie in einem Satz, warum die Meldung erledigt ist.", "danger")
    inbox.dismiss(session, item_id, form.value.how, person.actor)
    return go(request, "/wareneingang", "Die Meldung ist erledigt; ihr Inhalt bleibt aufbewahrt.")


@router.get("/korb/{item_id}/datei")
def raw_file(person: Work, session: StaffSession, item_id: int) -> Response:
    """The bytes as they came, to be saved, never to be shown."""
    del person
    item = session.get(InboxItem, item_id)
    if item is None or item.channel != inbox.CHANNEL:
        raise NotFoundError("Wareneingangskorb: Diese Zeile gibt es nicht.")
    name = inbox.context_of(item)[0] or f"meldung-{item.id}"
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(item.raw or b"", media_type="application/octet-stream", headers=headers)


def _receipt(session: StaffSession, receipt_id: int) -> GoodsReceipt:
    receipt = session.get(GoodsReceipt, receipt_id)
    if receipt is None:
        raise NotFoundError("Wareneingang: gibt es nicht.")
    return receipt


@router.get("/{receipt_id}")
def show(
    request: Request, person: See, session: StaffSession, receipt_id: int, *, position: int | None = None, neu: str = ""
) -> Response:
    """Positions, counting, differences, deliveries."""
    receipt = _receipt(session, receipt_id)
    return page(
        request,
        "goods_receipt.html",
        headers=CAMERA,
        crumbs=(LIST, Crumb(receipt.delivery_note)),
        receipt=receipt,
        supplier=session.get_one(Supplier, receipt.supplier_id),
        lines=views.receipt_lines(session, receipt_id),
        deliveries=session.execute(views.deliveries_statement().where(Delivery.receipt_id == receipt_id)).all(),
        differences=differences.open_of(session, receipt_id),
        position=position,
        asked=neu,
        may_work=person.may("ware.bearbeiten"),
    )


def _back(receipt_id: int, position: int | None = None) -> str:
    return f"/wareneingang/{receipt_id}" + (f"?position={position}" if position else "")


def _differences(count_: int) -> str:
    return "eine Abweichung ist" if count_ == 1 else f"{count_} Abweichungen sind"


@router.post("/{receipt_id}/zaehlen")
def count(request: Request, person: Work, session: StaffSession, receipt_id: int, data: Data) -> Response:
    """One reading of the scanner."""
    form = filled(ScanForm, data)
    if form.value is None:
        return go(request, _back(receipt_id), "Das lässt sich nicht lesen.", "danger")
    read = form.value
    reading = scanning.count(session, receipt_id, read.code, person.actor, read.position, read.neu)
    path = address(f"/wareneingang/{receipt_id}", {"position": reading.line_id, "neu": reading.ask})
    return go(request, path, reading.text, "success" if reading.ok else "danger")


@router.post("/{receipt_id}/menge")
def set_count(request: Request, person: Work, session: StaffSession, receipt_id: int, data: Data) -> Response:
    """A typed count in place of many readings."""
    del person
    form = filled(CountForm, data)
    if form.value is None:
        return go(request, _back(receipt_id), "Bitte eine Menge eingeben, die nicht kleiner als 0 ist.", "danger")
    line, counted = form.value.line, form.value.counted

    def act() -> Said:
        scanning.set_count(session, receipt_id, line, counted)
        return ""

    return attempt(request, session, _back(receipt_id, line), act)


@router.post("/{receipt_id}/lagerplatz")
def put_into_bin(request: Request, person: Work, session: StaffSession, receipt_id: int, data: Data) -> Response:
    """Say where a position was put; the pick list is printed anew."""
    del person
    form = filled(BinForm, data)
    if form.value is None:
        return go(request, _back(receipt_id), "Bitte den Lagerplatz mit höchstens 40 Zeichen angeben.", "danger")
    scanning.put_into_bin(session, receipt_id, form.value.line, form.value.bin)
    return go(request, _back(receipt_id), "Der Lagerplatz ist vermerkt.")


@router.post("/{receipt_id}/abschliessen")
def finish(request: Request, person: Work, session: StaffSession, receipt_id: int, data: Data) -> Response:
    """End the count."""

    def act() -> Said:
        found = checking.finish(session, receipt_id, person.actor, as_told=data.get("wie_angekuendigt") == "ja")
        if found:
            return f"Geprüft, {_differences(len(found))} zu klären.", "warning"
        return "Geprüft, alles stimmt mit dem Lieferschein überein."

    return attempt(request, session, _back(receipt_id), act)


@router.post("/{receipt_id}/artikel")
def name_article(request: Request, person: Work, session: StaffSession, receipt_id: int, data: Data) -> Response:
    """Say which product an unknown article is."""
    form = filled(ArticleForm, data)
    if form.value is None:
        return go(request, _back(receipt_id), "Bitte den Code unseres Artikels eingeben.", "danger")
    line, product = form.value.line, form.value.product

    def act() -> Said:
        tickets = checking.name_article(session, line, product, person.actor)
        told = f" Neue Tickets: {', '.join(tickets)}." if tickets else ""
        return f"Der Artikel ist zugeordnet und gemerkt.{told}"

    return attempt(request, session, _back(receipt_id), act)


@router.post("/{receipt_id}/abweichung/{difference_id}")
def resolve(  # noqa: PLR0917 - FastAPI hands over by name
    request: Request, person: Work, session: StaffSession, receipt_id: int, difference_id: int, data: Data
) -> Response:  # fmt: skip
    """Decide a difference."""
    form = filled(DecisionForm, data)
    if form.value is None:
        return go(request, _back(receipt_id), "Bitte sagen Sie in einem Satz, wie die Abweichung geklärt ist.", "danger")
    differences.resolve(session, difference_id, form.value.how, person.actor)
    return go(request, _back(receipt_id), "Die Abweichung ist geklärt.")


@router.post("/{receipt_id}/lieferant")
def complain(request: Request, person: Work, session: StaffSession, receipt_id: int) -> Response:
    """Send the list to the supplier."""

    def act() -> Said:
        count_ = complaint.send(session, receipt_id, person.name, person.email)
        return f"Die Liste mit {'einer Abweichung' if count_ == 1 else f'{count_} Abweichungen'} geht an den Lieferanten."

    return attempt(request, session, _back(receipt_id), act)
