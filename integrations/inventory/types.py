"""What an inventory says about devices, whatever format it came in.

The one entrance is `integrations.inventory.reader.read_inventory`, an `InventoryReader`.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from kit.errors import DrehkreuzError


class InventoryError(DrehkreuzError):
    """A file that is no readable inventory. The sentence names place, fault and remedy."""


@dataclass(frozen=True, slots=True)
class InstalledSoftware:
    """A program on a device."""

    name: str
    version: str = ""
    publisher: str = ""
    installed_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Antivirus:
    """Endpoint protection as the device reports it; `None` = the report does not say."""

    name: str
    enabled: bool | None = None
    up_to_date: bool | None = None
    expires_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One device. Empty text and `None` mean that the report does not say, never that there is nothing."""

    serial: str
    """Serial number of the maker; empty where the device has none (then `agent_id` or `inventory_no` identifies it)."""
    name: str = ""
    asset_class: str = ""
    """One of the house's classes (server, client, notebook, screen, printer, switch, firewall, phone, ups, nas, ...)."""
    manufacturer: str = ""
    model: str = ""
    inventory_no: str = ""
    """The house's or customer's inventory number (asset tag), when the report carries it."""
    agent_id: str = ""
    """The agent's own id of the device (glpi-agent: `deviceid`)."""
    customer: str = ""
    """Customer number, where a list carries one."""
    site: str = ""
    operating_system: str = ""
    operating_system_version: str = ""
    ip_addresses: tuple[str, ...] = ()
    mac_addresses: tuple[str, ...] = ()
    software: tuple[InstalledSoftware, ...] | None = None
    """None: not part of this report. Empty: reported, and there is none."""
    antivirus: tuple[Antivirus, ...] | None = None
    """None: not part of this report. Empty: reported, and there is none."""
    last_user: str = ""
    bought_on: dt.date | None = None
    warranty_until: dt.date | None = None
    place: str = ""
    """Where in the file it stands, for messages."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One report: an agent's device with its screens and parts, or a list of devices."""

    format: str
    """glpi or csv."""
    devices: tuple[Device, ...]
    partial: bool
    """The report tells only what changed or only some sections: nothing may be taken away because it is missing in it."""
    taken_at: dt.datetime | None = None
    agent: str = ""
    """Agent and version."""
    tag: str = ""
    """The agent's tag: the house sets the customer number (or `number/site`) there."""
    hints: tuple[str, ...] = ()


class InventoryReader(Protocol):
    """`read_inventory(raw, file_name)`: bytes of a supported format to one inventory, typed by content alone."""

    def __call__(self, raw: bytes, file_name: str = ..., /) -> Inventory:
        """Raises: InventoryError, with place, fault and remedy in German; never anything else for bad bytes."""
