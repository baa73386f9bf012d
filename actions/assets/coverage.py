"""Deckungsbericht: devices without protection, backup or contract, which nobody looks after (S136)."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets.recording import is_tracked
from kit import clock
from models.agreements import BackupResponsible, CooperationAgreement
from models.assets import Asset, AssetInventory
from models.catalogue import Product, ProductKind
from models.contracts import Contract, ContractKind, ContractLine
from models.goods import Delivery, DeliveryLine, DeliveryState, GoodsReceipt
from models.maintenance import AgreedCheck
from models.parties import Customer, Lifecycle, Site

PROTECTED_CLASSES = ("server", "workstation", "notebook")
"""Classes on which a protection against malware has to run."""
BACKED_UP_CLASSES = ("server", "nas")
"""Classes whose data somebody has to back up."""
BACKUP_WORDS = r"sicherung|backup"
PROTECTION_WORDS = r"endpoint|virenschutz|antivir"


@dataclass(frozen=True, slots=True)
class Gap:
    """One device and what it lacks."""

    asset_id: int
    customer: str
    customer_name: str
    inventory_no: str
    asset_class: str
    model: str | None
    protection: str
    """Empty when there is protection, else why not."""
    backup: str
    contract: str


def coverage(session: Session, *, customer: str = "") -> list[Gap]:
    """All devices in use that lack something, by customer."""
    day = clock.today()
    statement = (
        sa.select(Asset, Customer.number, Customer.name, AssetInventory.antivirus)
        .join(Customer, Customer.id == Asset.customer_id)
        .outerjoin(AssetInventory, AssetInventory.asset_id == Asset.id)
        .where(Asset.retired_on.is_(None), Customer.lifecycle != Lifecycle.CLOSED)
        .order_by(Customer.number, Asset.inventory_no)
    )
    if customer:
        statement = statement.where(Customer.number == customer)
    contracts = _contracts(session, day)
    protected, backed_up = _sold(session, PROTECTION_WORDS, day), _sold(session, BACKUP_WORDS, day)
    backed_up |= _agreed_backup(session)
    gaps = []
    for asset, number, name, antivirus in session.execute(statement).tuples():
        gap = Gap(
            asset.id, number, name, asset.inventory_no, asset.asset_class, asset.model,
            _protection(asset, antivirus, sold=asset.customer_id in protected),
            _backup(asset, agreed=asset.customer_id in backed_up),
            _contract(asset, contracts.get(asset.customer_id, [])),
        )  # fmt: skip
        if gap.protection or gap.backup or gap.contract:
            gaps.append(gap)
    return gaps


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Delivered devices of one position that stand in no asset."""

    customer: str
    customer_name: str
    product: str
    delivery_note: str
    """The supplier's."""
    delivered: int
    recorded: int


def unrecorded(session: Session, *, customer: str = "") -> list[Unrecorded]:
    """What was delivered since the first day together and has no asset: from that day on the list has to be complete (S83).

    A customer without `customer_since` is checked from the first delivery on.
    """
    assets = (
        sa.select(sa.func.count()).where(Asset.delivery_line_id == DeliveryLine.id).correlate(DeliveryLine).scalar_subquery()
    )
    day = sa.func.date(sa.func.timezone("Europe/Berlin", sa.func.coalesce(Delivery.shipped_at, GoodsReceipt.received_at)))
    statement = (
        sa.select(Customer.number, Customer.name, Product, GoodsReceipt.delivery_note, DeliveryLine.quantity, assets)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .join(GoodsReceipt, GoodsReceipt.id == Delivery.receipt_id)
        .join(Customer, Customer.id == Delivery.customer_id)
        .join(Product, Product.id == DeliveryLine.product_id)
        .where(
            Delivery.state != DeliveryState.VOID,
            Customer.lifecycle != Lifecycle.CLOSED,
            sa.or_(Customer.customer_since.is_(None), day >= Customer.customer_since),
            assets < DeliveryLine.quantity,
        )
        .order_by(Customer.number, DeliveryLine.id)
    )
    if customer:
        statement = statement.where(Customer.number == customer)
    return [
        Unrecorded(number, name, product.name, note, int(quantity), have)
        for number, name, product, note, quantity, have in session.execute(statement).tuples()
        if is_tracked(product)
    ]


def _protection(asset: Asset, antivirus: list[dict[str, Any]] | None, *, sold: bool) -> str:
    if asset.asset_class not in PROTECTED_CLASSES:
        return ""
    if antivirus is None:
        return "" if sold else "kein Schutz bekannt"
    if not antivirus:
        return "kein Schutz installiert"
    working = [a for a in antivirus if a.get("enabled") is not False]
    if not working:
        return "Schutz ist abgeschaltet"
    return "Schutz ist veraltet" if all(a.get("up_to_date") is False for a in working) else ""


def _backup(asset: Asset, *, agreed: bool) -> str:
    return "" if agreed or asset.asset_class not in BACKED_UP_CLASSES else "keine Sicherung vereinbart"


def _contracts(session: Session, day: Any) -> dict[int, list[Contract]]:
    found: dict[int, list[Contract]] = {}
    for contract in session.scalars(
        sa.select(Contract).where(
            Contract.starts_on <= day,
            sa.or_(Contract.ends_on.is_(None), Contract.ends_on >= day),
            Contract.kind != ContractKind.DATA_CENTRE,
        )
    ):
        found.setdefault(contract.customer_id, []).append(contract)
    return found


def _contract(asset: Asset, contracts: list[Contract]) -> str:
    if asset.contract_id is not None:
        return ""
    fitting = [c for c in contracts if c.kind is not ContractKind.RENTAL and (c.site_id is None or c.site_id == asset.site_id)]
    return "" if fitting else "kein Vertrag"


def _sold(session: Session, words: str, day: Any) -> set[int]:
    """Customers with a running contract line of a managed service whose name says it."""
    return set(
        session.scalars(
            sa.select(ContractLine.customer_id)
            .join(Product, Product.id == ContractLine.product_id)
            .where(
                Product.kind == ProductKind.MANAGED_SERVICE,
                sa.func.concat(Product.name, " ", ContractLine.text).regexp_match(words, "i"),
                sa.or_(ContractLine.valid_from.is_(None), ContractLine.valid_from <= day),
                sa.or_(ContractLine.valid_to.is_(None), ContractLine.valid_to >= day),
            )
        )
    )


def _agreed_backup(session: Session) -> set[int]:
    """Customers whose backup is agreed: they answer for it themselves (S100), or an agreed check looks after it."""
    newest = (
        sa.select(CooperationAgreement.customer_id, sa.func.max(CooperationAgreement.version).label("version"))
        .group_by(CooperationAgreement.customer_id)
        .subquery()
    )
    own = sa.select(CooperationAgreement.customer_id).join(
        newest,
        sa.and_(newest.c.customer_id == CooperationAgreement.customer_id, newest.c.version == CooperationAgreement.version),
    )
    own = own.where(CooperationAgreement.backup_responsible == BackupResponsible.CUSTOMER)
    checked = sa.select(AgreedCheck.customer_id).where(AgreedCheck.check.regexp_match(BACKUP_WORDS, "i"))
    return set(session.scalars(own)) | set(session.scalars(checked))


@dataclass(frozen=True, slots=True)
class SiteInventory:
    """How complete the inventory of one site is."""

    site: str
    """Empty for the head office."""
    devices: int
    reported: int
    """Told of by an agent or a list."""
    without_serial: int
    missing: int
    """Not in the last complete list."""


def by_site(session: Session, customer: str) -> list[SiteInventory]:
    """The devices in use of each site of a customer, and how much is known of them (S136); a site without a device too."""
    of = sa.select(Customer.id).where(Customer.number == customer).scalar_subquery()
    rows = session.execute(
        sa.select(
            Asset.site_id,
            sa.func.count(),
            sa.func.count(AssetInventory.id),
            sa.func.count().filter(Asset.serial.is_(None)),
            sa.func.count().filter(Asset.missing_since.is_not(None)),
        )
        .outerjoin(AssetInventory, AssetInventory.asset_id == Asset.id)
        .where(Asset.customer_id == of, Asset.retired_on.is_(None))
        .group_by(Asset.site_id)
    ).tuples()
    known = {site: numbers for site, *numbers in rows}
    names: list[tuple[int | None, str]] = [(None, "")]
    sites = sa.select(Site.id, Site.name).where(Site.customer_id == of, Site.receives_goods | Site.receives_services)
    with_devices = sa.select(Site.id, Site.name).where(Site.id.in_([site for site in known if site is not None]))
    names += [(key, name) for key, name in session.execute(sites.union(with_devices).order_by("name")).tuples()]
    return [SiteInventory(name, *known.get(key, [0, 0, 0, 0])) for key, name in names]
