"""Inventories are merged by serial; what they do not tell stays (S136, S137)."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.assets import coverage, editing, inventory
from integrations.inventory.types import Antivirus, Device, InstalledSoftware, Inventory, InventoryError
from kit.errors import ConflictError
from models.assets import Asset, AssetInventory
from models.parties import Customer
from tests import factories as make
from tests.goods import world

NOON = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)


def stored(session: Session, of: Customer, number: str, **values: object) -> Asset:
    row = Asset(customer_id=of.id, inventory_no=number, **{"asset_class": "server"} | values)
    session.add(row)
    session.flush()
    return row


def told(*devices: Device, partial: bool = True, kind: str = "glpi", at: dt.datetime | None = NOON, tag: str = "") -> Inventory:
    return Inventory(kind, devices, partial, at, tag=tag)


@pytest.mark.promise("S136")
@pytest.mark.promise("S137")
def test_a_report_fills_the_known_device_and_makes_the_unknown_one(session: Session) -> None:
    customer = world.house_and_customer(session)
    known = stored(session, customer, "SRV1", serial="ABC-1", model="Hochwald R330", warranty_until=dt.date(2030, 1, 1))
    report = told(
        Device(
            "abc-1",
            manufacturer="Hochwald",
            model="anders",
            operating_system="Debian",
            antivirus=(Antivirus("Wache", True, True),),
        ),
        Device("NEU-2", name="PC-7", model="Notebook 14"),
        tag=customer.number,
    )
    done = inventory.merge(session, report, source="agent")
    assert (len(done.created), done.changed) == (1, ["SRV1"])
    assert (known.manufacturer, known.model, known.warranty_until) == ("Hochwald", "Hochwald R330", dt.date(2030, 1, 1))
    again = inventory.merge(session, report, source="agent")
    assert (again.created, again.changed, again.unchanged) == ([], [], 2)
    assert session.scalar(sa.select(sa.func.count()).select_from(Asset)) == 2


def test_a_partial_report_takes_nothing_away(session: Session) -> None:
    customer = world.house_and_customer(session)
    stored(session, customer, "SRV1", serial="A")
    other = stored(session, customer, "SRV2", serial="B")
    full = Device("A", software=(InstalledSoftware("Büro", "1"),), antivirus=())
    inventory.merge(session, told(full), customer=customer.number, source="agent")
    inventory.merge(
        session, told(Device("A", last_user="karla"), at=NOON + dt.timedelta(1)), customer=customer.number, source="agent"
    )
    row = session.scalars(sa.select(AssetInventory)).one()
    assert (row.software, row.antivirus, row.last_user) == (
        [{"name": "Büro", "version": "1", "publisher": "", "installed_on": None}],
        [],
        "karla",
    )
    assert other.missing_since is None
    late = told(Device("A", last_user="früher"), at=NOON - dt.timedelta(9))
    assert inventory.merge(session, late, customer=customer.number, source="agent").unchanged == 1


def test_a_complete_list_notes_what_is_gone_and_deletes_nothing(session: Session) -> None:
    customer = world.house_and_customer(session)
    gone = stored(session, customer, "SRV2", serial="B")
    done = inventory.merge(session, told(Device("A"), partial=False, kind="csv"), customer=customer.number, source="liste.csv")
    assert done.missing == ["SRV2"]
    assert gone.missing_since is not None
    inventory.merge(session, told(Device("B")), customer=customer.number, source="agent")
    assert gone.missing_since is None


def test_nobody_knows_whose_it_is(session: Session) -> None:
    with pytest.raises(InventoryError, match="Kunde fehlt"):
        inventory.merge(session, told(Device("A")), source="agent")


def test_a_serial_of_another_customer_is_another_device(session: Session) -> None:
    first, second = world.house_and_customer(session), make.customer(session)
    stored(session, first, "SRV1", serial="A")
    done = inventory.merge(session, told(Device("A")), customer=second.number, source="agent")
    assert len(done.created) == 1


def test_gaps_are_named(session: Session) -> None:
    customer = world.house_and_customer(session)
    stored(session, customer, "SRV1", serial="A")
    covered = make.customer(session)
    make.contract(session, covered)
    stored(session, covered, "PC1", serial="B", asset_class="workstation")
    silent = told(Device("B", antivirus=(Antivirus("Wache", enabled=False),)))
    inventory.merge(session, silent, customer=covered.number, source="agent")
    gaps = {gap.inventory_no: (gap.protection, gap.backup, gap.contract) for gap in coverage.coverage(session)}
    assert gaps == {
        "SRV1": ("kein Schutz bekannt", "keine Sicherung vereinbart", "kein Vertrag"),
        "PC1": ("Schutz ist abgeschaltet", "", ""),
    }


@pytest.mark.promise("S19")
def test_technicians_keep_assets_where_the_customer_wished_it(session: Session) -> None:
    customer = world.house_and_customer(session)
    asset = stored(session, customer, "SRV1")
    with pytest.raises(ConflictError, match="nicht gewünscht"):
        editing.edit(session, asset.id, {"model": "R340"}, technician=True)
    customer.technicians_keep_assets = True
    session.flush()
    editing.edit(session, asset.id, {"model": "R340", "bought_on": "2026-01-02"}, technician=True)
    assert (asset.model, asset.bought_on) == ("R340", dt.date(2026, 1, 2))


@pytest.mark.promise("S136")
def test_completeness_is_said_site_by_site(session: Session) -> None:
    customer = world.house_and_customer(session)
    hall, empty = make.site(session, customer, name="Halle"), make.site(session, customer, name="Leer")
    stored(session, customer, "SRV1", serial="A")
    stored(session, customer, "PC1", site_id=hall.id, missing_since=NOON.date())
    stored(session, customer, "ALT", site_id=hall.id, retired_on=NOON.date())
    inventory.merge(session, told(Device("A", name="srv1")), customer=customer.number, source="agent")
    found = {
        row.site: (row.devices, row.reported, row.without_serial, row.missing)
        for row in coverage.by_site(session, customer.number)
    }
    assert found == {"": (1, 1, 0, 0), hall.name: (1, 0, 1, 1), empty.name: (0, 0, 0, 0)}
