"""The open inventory format of glpi-agent (JSON, https://github.com/glpi-project/inventory_format), complete and partial.

One report is one device, its screens and printers with a serial number of their own, and the further members of a stack.
"""

import datetime as dt
from typing import Any

from integrations.inventory.types import Antivirus, Device, InstalledSoftware, Inventory, InventoryError
from integrations.inventory.values import address, day, flag, instant, mac, text, told
from rules.asset_class import OTHER, asset_class

_NOTEBOOKS = {"notebook", "laptop", "portable", "sub notebook", "convertible", "detachable", "tablet", "hand held"}
_SERVERS = {"server", "main server chassis", "rack mount chassis", "blade", "blade enclosure", "multi-system"}
_DESKTOPS = {
    "desktop", "low profile desktop", "mini tower", "tower", "all in one", "space-saving", "lunch box", "mini pc", "stick pc",
    "pizza box", "sealed-case pc",
}  # fmt: skip
_NETWORK_TYPES = {"printer": "printer", "storage": "nas", "power": "ups", "phone": "phone"}
_ITEM_TYPES = {"printer": "printer", "phone": "phone"}
_REMEDY = "Bitte lassen Sie den Bericht mit glpi-agent neu erzeugen (glpi-inventory --json)."


def looks_so(data: Any) -> bool:
    """Whether parsed JSON is such a report, or a list of them."""
    return isinstance(data, dict) and ("content" in data or "deviceid" in data)


def read(reports: list[Any]) -> Inventory:
    """One or several reports to one inventory.

    Raises:
        InventoryError: a report without content.
    """
    devices: list[Device] = []
    hints: list[str] = []
    partial = False
    taken: list[dt.datetime] = []
    agents: dict[str, None] = {}
    tags: dict[str, None] = {}
    for number, report in enumerate(reports, 1):
        place = f"Bericht {number}" if len(reports) > 1 else "Bericht"
        content = _content(report, place)
        devices.extend(_devices(report, content, place, hints))
        partial = partial or flag(report.get("partial")) is True or text(report.get("action")).lower() == "netdiscovery"
        offset = text(_part(_part(content, "operatingsystem"), "timezone").get("offset"))
        if (seen := instant(_part(content, "accesslog").get("logdate"), offset)) is not None:
            taken.append(seen)
        agents.setdefault(text(content.get("versionclient")))
        tags.setdefault(_tag(report, content))
    if len(tags) > 1:
        hints.append("Die Berichte tragen verschiedene Kennzeichen (tag); übernommen ist keines. Bitte einzeln einlesen.")
    return Inventory(
        format="glpi",
        devices=tuple(devices),
        partial=partial,
        taken_at=max(taken, default=None),
        agent=next(iter(agents), ""),
        tag=next(iter(tags)) if len(tags) == 1 else "",
        hints=tuple(dict.fromkeys(hints)),
    )


def _content(report: Any, place: str) -> dict[str, Any]:
    content = report.get("content") if isinstance(report, dict) else None
    if not isinstance(content, dict):
        raise InventoryError(f"{place}: Der Abschnitt »content« fehlt. {_REMEDY}")
    return content


def _part(data: Any, name: str) -> dict[str, Any]:
    found = data.get(name) if isinstance(data, dict) else None
    if isinstance(found, list):  # older converters wrap single sections in a list
        found = found[0] if found else None
    return found if isinstance(found, dict) else {}


def _list(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = data.get(name)
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]


def _tag(report: dict[str, Any], content: dict[str, Any]) -> str:
    if found := text(report.get("tag")):
        return found
    return next(
        (text(row.get("keyvalue")) for row in _list(content, "accountinfo") if text(row.get("keyname")).upper() == "TAG"), ""
    )


def _devices(report: dict[str, Any], content: dict[str, Any], place: str, hints: list[str]) -> list[Device]:
    main = _main(report, content, place)
    if not (main.serial or main.agent_id or main.inventory_no):
        raise InventoryError(f"{place}: Der Bericht nennt weder Seriennummer noch Gerätekennung (deviceid). {_REMEDY}")
    if not main.serial:
        hints.append(f"{place}: Das Gerät {main.name or main.agent_id} meldet keine brauchbare Seriennummer.")
    found = [main, *_attached(content, place), *_stack(content, main, place)]
    seen: set[str] = set()
    unique = []
    for device in found:
        if device.serial and device.serial in seen:
            continue
        seen.add(device.serial)
        unique.append(device)
    return unique


def _main(report: dict[str, Any], content: dict[str, Any], place: str) -> Device:
    bios, hardware, system = _part(content, "bios"), _part(content, "hardware"), _part(content, "operatingsystem")
    network = _part(content, "network_device")
    addresses, macs = _addresses(content, network)
    users = [text(row.get("login")) for row in _list(content, "users")]
    return Device(
        serial=told(network.get("serial")) or told(bios.get("ssn")) or _chassis_serial(content),
        name=told(network.get("name")) or told(hardware.get("name")),
        asset_class=_class(report, content),
        manufacturer=told(network.get("manufacturer")) or told(bios.get("smanufacturer")) or told(bios.get("mmanufacturer")),
        model=told(network.get("model")) or told(bios.get("smodel")) or told(bios.get("mmodel")),
        inventory_no=told(bios.get("assettag")),
        agent_id=text(report.get("deviceid")),
        operating_system=text(system.get("full_name")) or text(system.get("name")),
        operating_system_version=text(system.get("version")) or text(network.get("firmware")),
        ip_addresses=addresses,
        mac_addresses=macs,
        software=_software(content),
        antivirus=_antivirus(content),
        last_user=text(hardware.get("lastloggeduser")) or next((user for user in users if user), ""),
        place=place,
    )


def _chassis_serial(content: dict[str, Any]) -> str:
    bios = _part(content, "bios")
    own = told(bios.get("biosserial")) or told(bios.get("enclosureserial"))
    return own or next((told(row.get("serial")) for row in _chassis(content)), "")


def _chassis(content: dict[str, Any]) -> list[dict[str, Any]]:
    rows = _list(content, "network_components")
    return [row for row in rows if text(row.get("type")).lower() == "chassis" and told(row.get("serial"))]


def _class(report: dict[str, Any], content: dict[str, Any]) -> str:
    """From what the report says; empty when it says nothing, never a guess."""
    network = _part(content, "network_device")
    kind = text(network.get("type")).lower()
    item = text(report.get("itemtype")).lower()
    if network or item == "networkequipment":
        named = asset_class(" ".join((text(network.get("model")), text(network.get("description")))))
        return _NETWORK_TYPES.get(kind) or _ITEM_TYPES.get(item) or ("" if named == OTHER else named)
    if item in _ITEM_TYPES:
        return _ITEM_TYPES[item]
    chassis = text(_part(content, "hardware").get("chassis_type")).lower()
    system = _part(content, "operatingsystem")
    if "server" in f"{text(system.get('full_name'))} {text(system.get('name'))}".lower() or chassis in _SERVERS:
        return "server"
    if chassis in _NOTEBOOKS:
        return "notebook"
    return "workstation" if chassis in _DESKTOPS else ""


def _addresses(content: dict[str, Any], network: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    addresses: dict[str, None] = {}
    macs: dict[str, None] = {}
    ips = network.get("ips")
    for value in ips if isinstance(ips, list) else []:
        addresses.setdefault(address(value))
    macs.setdefault(mac(network.get("mac")))
    for row in _list(content, "networks"):
        if text(row.get("type")).lower() == "loopback":
            continue
        addresses.setdefault(address(row.get("ipaddress")))
        addresses.setdefault(address(row.get("ipaddress6")))
        if flag(row.get("virtualdev")) is not True:
            macs.setdefault(mac(row.get("mac")) or mac(row.get("macaddr")))
    return tuple(found for found in addresses if found), tuple(found for found in macs if found)


def _software(content: dict[str, Any]) -> tuple[InstalledSoftware, ...] | None:
    if "softwares" not in content:
        return None
    found = (
        InstalledSoftware(
            name=text(row.get("name")),
            version=text(row.get("version")),
            publisher=text(row.get("publisher")),
            installed_on=day(row.get("install_date")),
        )
        for row in _list(content, "softwares")
    )
    return tuple(program for program in found if program.name)


def _antivirus(content: dict[str, Any]) -> tuple[Antivirus, ...] | None:
    if "antivirus" not in content:
        return None
    found = (
        Antivirus(
            name=text(row.get("name")) or text(row.get("company")),
            enabled=flag(row.get("enabled")),
            up_to_date=flag(row.get("uptodate")),
            expires_on=day(row.get("expiration")),
        )
        for row in _list(content, "antivirus")
    )
    return tuple(product for product in found if product.name)


def _attached(content: dict[str, Any], place: str) -> list[Device]:
    """Screens and local printers that can be told apart by a serial number; the rest are parts of the device."""
    found = []
    for row in _list(content, "monitors"):
        if serial := told(row.get("serial")) or told(row.get("altserial")):
            model = told(row.get("name")) or told(row.get("caption"))
            found.append(
                Device(serial, asset_class="screen", manufacturer=told(row.get("manufacturer")), model=model, place=place)
            )
    for row in _list(content, "printers"):
        serial = told(row.get("serial"))
        if serial and flag(row.get("network")) is not True:
            name, model = text(row.get("name")), told(row.get("driver"))
            found.append(Device(serial, name=name, asset_class="printer", model=model, place=place))
    return found


def _stack(content: dict[str, Any], main: Device, place: str) -> list[Device]:
    return [
        Device(
            told(row.get("serial")),
            name=main.name,
            asset_class=main.asset_class,
            manufacturer=told(row.get("manufacturer")) or main.manufacturer,
            model=told(row.get("model")),
            place=place,
        )
        for row in _chassis(content)
        if told(row.get("serial")) != main.serial
    ]
