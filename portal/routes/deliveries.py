"""Lieferungen: picking by scanner, packing, papers, shipping gate."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from actions import archive
from actions.assets import recording
from actions.goods import papers, scanning, shipping, views
from kit.errors import NotFoundError
from models.goods import Delivery, GoodsReceipt
from models.parties import Customer, Site
from models.service_desk import Ticket
from models.watching import AccessKind
from portal.attempts import Said, attempt
from portal.edge import CAMERA
from portal.forms import Data, Form, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.paging import paged
from portal.routes.documents import PDF_POLICY
from portal.routes.goods import ScanForm
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/lieferungen")
NAV = (NavEntry(Section.GOODS, "Packen und Versenden", "/lieferungen", "package", ("ware.sehen",), order=20, shortcut="l"),)
See = Annotated[Person, Depends(need("ware.sehen"))]
Work = Annotated[Person, Depends(need("ware.bearbeiten"))]
LIST = Crumb("Packen und Versenden", "/lieferungen")
STATES = (("open", "offen"), ("picking", "zu kommissionieren"), ("picked", "zu packen"), ("packed", "zu versenden"),
          ("shipped", "versendet"))  # fmt: skip


class PackForm(Form):
    """How many parcels."""

    parcels: int = Field(ge=1, le=999)


class ShipForm(Form):
    """Who takes them."""

    carrier: str = Field(default="", max_length=100)
    tracking: str = Field(default="", max_length=100)


@router.get("")
def list_deliveries(request: Request, person: See, session: StaffSession, *, stand: str = "open", seite: int = 1) -> Response:
    """Deliveries by state; the field takes the barcode of a pick list."""
    del person
    wanted = stand if stand in dict(STATES) else "open"
    return page(
        request,
        "deliveries.html",
        headers=CAMERA,
        crumbs=(LIST,),
        deliveries=paged(session, views.deliveries_statement(wanted), seite),
        states=STATES,
        query={"stand": wanted},
    )


@router.get("/suche")
def find(request: Request, person: See, session: StaffSession, code: str = "") -> Response:
    """Open a delivery by the barcode on its pick list or label."""
    del person
    found = views.delivery_of_ticket(session, code.strip())
    if found is None:
        return go(request, "/lieferungen", f"Zu {code.strip() or 'diesem Code'} gibt es keine Lieferung.", "danger")
    return go(request, f"/lieferungen/{found}")


@router.get("/{delivery_id}")
def show(request: Request, person: See, session: StaffSession, delivery_id: int, *, position: int | None = None) -> Response:
    """What is to be picked, what is packed, and what keeps the gate shut."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFoundError("Lieferung: gibt es nicht.")
    customer = session.get_one(Customer, delivery.customer_id)
    return page(
        request,
        "delivery.html",
        headers=CAMERA,
        crumbs=(LIST, Crumb(delivery.number or delivery.customer_order or "Lieferung")),
        delivery=delivery,
        customer=customer,
        site=session.get(Site, delivery.site_id) if delivery.site_id else None,
        sites=views.receiving_sites(session, delivery.customer_id),
        ticket=session.get_one(Ticket, delivery.ticket_id),
        receipt=session.get_one(GoodsReceipt, delivery.receipt_id),
        lines=views.delivery_lines(session, delivery_id),
        lack=recording.missing(session, delivery_id) if delivery.state.value not in ("shipped", "void") else [],
        papers=[(kind, name) for kind, (_, name) in papers.RENDERERS.items() if getattr(delivery, f"{kind}_key")],
        position=position,
        may_work=person.may("ware.bearbeiten"),
    )


def _back(delivery_id: int, position: int | None = None) -> str:
    return f"/lieferungen/{delivery_id}" + (f"?position={position}" if position else "")


@router.post("/{delivery_id}/lesen")
def pick(request: Request, person: Work, session: StaffSession, delivery_id: int, data: Data) -> Response:
    """One reading of the scanner."""
    form = filled(ScanForm, data)
    if form.value is None:
        return go(request, _back(delivery_id), "Das lässt sich nicht lesen.", "danger")
    reading = scanning.pick(session, delivery_id, form.value.code, person.actor, form.value.position)
    return go(request, _back(delivery_id, reading.line_id), reading.text, "success" if reading.ok else "danger")


@router.post("/{delivery_id}/zurueck/{line_id}")
def put_back(request: Request, person: Work, session: StaffSession, delivery_id: int, line_id: int) -> Response:
    """Begin a line anew."""
    del person
    scanning.put_back(session, delivery_id, line_id)
    return go(request, _back(delivery_id), "Die Position beginnt von vorn.", "info")


@router.post("/{delivery_id}/anschrift")
def send_to(request: Request, person: Work, session: StaffSession, delivery_id: int, data: Data) -> Response:
    """Choose the address."""
    del person
    shipping.send_to(session, delivery_id, str(data.get("standort") or ""))
    return go(request, _back(delivery_id), "Die Lieferanschrift ist geändert.")


@router.post("/{delivery_id}/packen")
def pack(request: Request, person: Work, session: StaffSession, delivery_id: int, data: Data) -> Response:
    """Close the parcel."""
    form = filled(PackForm, data)
    if form.value is None:
        return go(request, _back(delivery_id), "Bitte die Zahl der Packstücke angeben (1 bis 999).", "danger")
    parcels = form.value.parcels

    def act() -> Said:
        number = shipping.pack(session, delivery_id, parcels, person.actor)
        return f"Gepackt. Lieferschein {number}; die Papiere sind in wenigen Sekunden da."

    return attempt(request, session, _back(delivery_id), act)


@router.post("/{delivery_id}/oeffnen")
def unpack(request: Request, person: Work, session: StaffSession, delivery_id: int) -> Response:
    """Open it again."""

    def act() -> Said:
        shipping.unpack(session, delivery_id, person.actor)
        return "Die Lieferung ist wieder offen.", "info"

    return attempt(request, session, _back(delivery_id), act)


@router.post("/{delivery_id}/versenden")
def ship(request: Request, person: Work, session: StaffSession, delivery_id: int, data: Data) -> Response:
    """Let it go; the gate answers what is missing."""
    form = filled(ShipForm, data).value or ShipForm()
    try:
        shipping.ship(session, delivery_id, person.actor, carrier=form.carrier, tracking=form.tracking)
    except shipping.GateClosedError as fault:
        return go(request, _back(delivery_id), str(fault), "danger")
    return go(request, _back(delivery_id), "Versendet. Die Geräte stehen mit dem heutigen Tag im Bestand des Kunden.")


@router.get("/{delivery_id}/papier/{kind}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def paper(person: See, session: StaffSession, delivery_id: int, kind: str) -> Response:
    """One paper from the archive."""
    del person
    delivery = session.get(Delivery, delivery_id)
    key = getattr(delivery, f"{kind}_key", None) if delivery is not None and kind in papers.RENDERERS else None
    if key is None:
        raise NotFoundError("Lieferung: Dieses Papier gibt es noch nicht.")
    name = f"{papers.RENDERERS[kind][1]}.pdf"
    return Response(
        archive.read(session, key),
        media_type="application/pdf",
        headers={"content-disposition": f"inline; filename*=UTF-8''{quote(name)}", "content-security-policy": PDF_POLICY},
    )
