"""Assets: what stands at the customers, what is missing there, defects of rented devices, ends."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.datastructures import UploadFile

from actions.assets import coverage, inventory, replacement
from actions.assets.editing import DAYS, EDITABLE, edit
from integrations.inventory.reader import read_inventory
from integrations.inventory.types import InventoryError
from kit import clock
from kit.errors import NotFoundError
from models.assets import Asset, AssetInventory, ExpiryNotice, Licence, Owner, Replacement, ReplacementReason
from models.catalogue import Product
from models.contracts import Contract
from models.parties import Customer, Site
from models.service_desk import Ticket
from portal.forms import Data, Form, filled
from portal.labels import WORDS, label
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.paging import paged, sliced
from portal.security.person import Person, StaffSession, need
from rules.expiry import ExpiryKind, NoticeState

router = APIRouter(prefix="/assets")
NAV = (
    NavEntry(Section.ASSETS, "Assets", "/assets", "devices", ("asset.sehen",), order=10, shortcut="s"),
    NavEntry(Section.ASSETS, "Ohne Schutz oder Vertrag", "/assets/luecken", "shield-check", ("asset.sehen",), order=20),
    NavEntry(Section.ASSETS, "Enden im Blick", "/assets/enden", "calendar-month", ("asset.sehen",), order=30),
)
See = Annotated[Person, Depends(need("asset.sehen"))]
Work = Annotated[Person, Depends(need("asset.bearbeiten"))]
LIST = Crumb("Assets", "/assets")


OF_ASSETS = (ExpiryKind.WARRANTY, ExpiryKind.FIRMWARE, ExpiryKind.LIFECYCLE)
KINDS = tuple((kind.value, label(kind)) for kind in ExpiryKind)


class DefectForm(Form):
    """What is broken."""

    text: str = Field(min_length=1, max_length=1000)


class FinishForm(Form):
    """The device that stands there now."""

    new: str = Field(min_length=1, max_length=100)


@router.get("")
def list_assets(
    request: Request, person: See, session: StaffSession, *, suche: str = "", kunde: str = "", art: str = "", seite: int = 1
) -> Response:
    """All devices in use, searched by number, serial, model or customer."""
    statement = (
        sa.select(Asset, Customer.number, Customer.name)
        .join(Customer, Customer.id == Asset.customer_id)
        .where(Asset.retired_on.is_(None))
        .order_by(Customer.number, Asset.inventory_no)
    )
    if kunde:
        statement = statement.where(Customer.number == kunde)
    if art:
        statement = statement.where(Asset.asset_class == art)
    if suche.strip():
        found = [
            column.icontains(suche.strip(), autoescape=True)
            for column in (Asset.inventory_no, Asset.serial, Asset.model, Customer.name, Customer.number)
        ]
        statement = statement.where(sa.or_(*found))
    classes = session.scalars(sa.select(Asset.asset_class).distinct().order_by(Asset.asset_class)).all()
    return page(
        request,
        "assets.html",
        crumbs=(LIST,),
        assets=paged(session, statement, seite),
        classes=classes,
        may_work=person.may("asset.bearbeiten"),
        query={"suche": suche, "kunde": kunde, "art": art},
    )


@router.get("/luecken")
def list_gaps(request: Request, person: See, session: StaffSession, *, kunde: str = "", seite: int = 1) -> Response:
    """Devices without protection, backup or contract, and what was delivered but stands in no asset."""
    del person
    gaps = coverage.coverage(session, customer=kunde)
    crumbs = (LIST, Crumb("Ohne Schutz oder Vertrag"))
    lost = coverage.unrecorded(session, customer=kunde)
    sites = coverage.by_site(session, kunde) if kunde else []
    query = {"kunde": kunde}
    return page(request, "asset_gaps.html", crumbs=crumbs, gaps=sliced(gaps, seite), lost=lost, sites=sites, query=query)


@router.get("/enden")
def list_ends(request: Request, person: See, session: StaffSession, *, art: str = "", seite: int = 1) -> Response:
    """What ends next, and what was told."""
    del person
    statement: sa.Select[Any] = (
        sa.select(
            ExpiryNotice, Customer.name, Ticket.number.label("ticket"), Ticket.kind.label("ticket_kind"),
            Asset.inventory_no.label("device"), Asset.model, Product.name.label("licence"), Licence.count.label("count"),
        )
        .join(Customer, Customer.id == ExpiryNotice.customer_id)
        .outerjoin(Ticket, Ticket.id == ExpiryNotice.ticket_id)
        .outerjoin(Asset, sa.and_(ExpiryNotice.kind.in_(OF_ASSETS), Asset.id == ExpiryNotice.object_id))
        .outerjoin(Licence, sa.and_(ExpiryNotice.kind == ExpiryKind.LICENCE, Licence.id == ExpiryNotice.object_id))
        .outerjoin(Product, Product.id == Licence.product_id)
        .where(ExpiryNotice.state.in_([NoticeState.PLANNED, NoticeState.TOLD]))
        .order_by(ExpiryNotice.ends_on, ExpiryNotice.id)
    )  # fmt: skip
    if art in dict(KINDS):
        statement = statement.where(ExpiryNotice.kind == ExpiryKind(art))
    crumbs = (LIST, Crumb("Enden im Blick"))
    return page(
        request, "asset_ends.html", crumbs=crumbs, ends=paged(session, statement, seite), kinds=KINDS, query={"art": art}
    )


@router.get("/lizenzen")
def list_licences(request: Request, person: See, session: StaffSession, *, suche: str = "", seite: int = 1) -> Response:
    """Software of the customers with count and end (S24); keys stay where credentials are."""
    del person
    statement: sa.Select[Any] = (
        sa.select(
            Product.name.label("product"), Product.code, Customer.number.label("customer"),
            Customer.name.label("customer_name"), Licence.count.label("count"), Licence.expires_on, Licence.asset_id,
            Asset.inventory_no,
        )
        .join(Product, Product.id == Licence.product_id)
        .join(Customer, Customer.id == Licence.customer_id)
        .outerjoin(Asset, Asset.id == Licence.asset_id)
        .order_by(Customer.number, Product.name, Licence.id)
    )  # fmt: skip
    if suche.strip():
        columns = (Product.name, Product.code, Customer.name, Customer.number)
        statement = statement.where(sa.or_(*(column.icontains(suche.strip(), autoescape=True) for column in columns)))
    crumbs = (LIST, Crumb("Lizenzen"))
    found = paged(session, statement, seite)
    return page(request, "licences.html", crumbs=crumbs, licences=found, today=clock.today(), query={"suche": suche})


def _inventory_page(request: Request, customer: str = "", **shown: Any) -> Response:
    crumbs = (LIST, Crumb("Inventar einlesen"))
    values = {"fault": "", "done": None, "file_name": ""} | shown
    return page(request, "asset_inventory.html", crumbs=crumbs, customer=customer, **values)


@router.get("/inventar")
def inventory_form(request: Request, person: Work) -> Response:
    """Where an agent's report or a list is handed in (S136)."""
    del person
    return _inventory_page(request)


@router.post("/inventar")
def take_inventory(request: Request, person: Work, session: StaffSession, data: Data) -> Response:
    """Merge it by serial and say what became of it; handing it in twice changes nothing."""
    upload, customer = data.get("datei"), str(data.get("kunde") or "").strip()
    if not isinstance(upload, UploadFile) or not upload.filename:
        return _inventory_page(request, customer, fault="Bitte wählen Sie eine Datei.")
    with upload.file as content:
        raw = content.read()
    try:
        told = read_inventory(raw, upload.filename)
        with session.begin_nested():
            source, technician = f"{upload.filename} ({person.name})", person.roles == ("technician",)
            done = inventory.merge(session, told, customer=customer, source=source, technician=technician)
    except InventoryError as fault:
        return _inventory_page(request, customer, fault=str(fault))
    return _inventory_page(request, customer, done=done, file_name=upload.filename)


def _asset(session: StaffSession, asset_id: int) -> Asset:
    asset = session.get(Asset, asset_id)
    if asset is None:
        raise NotFoundError("Asset: gibt es nicht.")
    return asset


@router.get("/{asset_id}")
def show(request: Request, person: See, session: StaffSession, asset_id: int) -> Response:
    """One device with warranty, contract, inventory and exchange."""
    asset = _asset(session, asset_id)
    return page(
        request,
        "asset.html",
        crumbs=(LIST, Crumb(asset.inventory_no)),
        device=asset,
        customer=session.get_one(Customer, asset.customer_id),
        site=session.get(Site, asset.site_id) if asset.site_id else None,
        contract=session.get(Contract, asset.contract_id) if asset.contract_id else None,
        licences=session.execute(
            sa.select(Licence, Product.name)
            .join(Product, Product.id == Licence.product_id)
            .where(Licence.asset_id == asset.id)
            .order_by(Product.name, Licence.id)
        ).all(),
        inventory=session.scalar(sa.select(AssetInventory).where(AssetInventory.asset_id == asset.id)),
        running=session.execute(
            sa.select(Replacement, Ticket.number)
            .join(Ticket, Ticket.id == Replacement.ticket_id)
            .where(Replacement.asset_id == asset.id, Replacement.finished_at.is_(None))
        ).first(),
        rented=asset.owner is Owner.HOUSE,
        editable=EDITABLE,
        classes=sorted({*WORDS["asset"], asset.asset_class}, key=lambda name: label(name, "asset").lower()),
        days=DAYS,
        may_work=person.may("asset.bearbeiten"),
    )


@router.post("/{asset_id}/angaben")
def change(request: Request, person: Work, session: StaffSession, asset_id: int, data: Data) -> Response:
    """Correct what is known of a device."""
    told = {name: str(data.get(name) or "") for name in EDITABLE if name in data}
    edit(session, asset_id, told, technician=person.roles == ("technician",))
    return go(request, f"/assets/{asset_id}", "Die Angaben sind geändert.")


@router.post("/{asset_id}/defekt")
def defect(request: Request, person: Work, session: StaffSession, asset_id: int, data: Data) -> Response:
    """A rented device is broken: its exchange begins at the house's cost."""
    form = filled(DefectForm, data)
    if form.value is None:
        return go(request, f"/assets/{asset_id}", "Bitte beschreiben Sie den Defekt.", "danger")
    made = replacement.start(session, asset_id, ReplacementReason.DEFECT, text=form.value.text, actor=person.actor)
    number = session.get_one(Ticket, made.ticket_id).number
    return go(request, f"/assets/{asset_id}", f"Der Austausch läuft als Ticket {number}, zu Lasten des Hauses.")


@router.post("/{asset_id}/ersetzt")
def finish(request: Request, person: Work, session: StaffSession, asset_id: int, data: Data) -> Response:
    """The new device stands there."""
    form = filled(FinishForm, data)
    if form.value is None:
        return go(request, f"/assets/{asset_id}", "Bitte die Inventarnummer des neuen Geräts angeben.", "danger")
    replacement.finish(session, asset_id, form.value.new, person.actor)
    return go(request, f"/assets/{asset_id}", "Der Austausch ist abgeschlossen, der Vertrag gilt für das neue Gerät.")
