"""Inventories: reports of glpi-agent, complete and partial, and lists."""

import copy
import datetime as dt
import json
from typing import Any

import pytest

from integrations.inventory.reader import read_inventory
from integrations.inventory.types import InventoryError

REPORT: dict[str, Any] = {
    "action": "inventory",
    "deviceid": "ueb-nb01-2026-01-05-08-00-00",
    "itemtype": "Computer",
    "tag": "K1001",
    "content": {
        "versionclient": "GLPI-Agent_v1.11",
        "accesslog": {"logdate": "2026-07-01 08:30:00"},
        "hardware": {"name": "UEB-NB01", "chassis_type": "Notebook", "lastloggeduser": "mueller", "uuid": "0055ADC9"},
        "bios": {"ssn": "FA56648449", "smanufacturer": "Falkenau", "smodel": "Falkenau 13 Air", "assettag": "No Asset Tag", "msn": "M-1"},
        "operatingsystem": {"full_name": "Microsoft Windows 11 Pro", "name": "Windows", "version": "24H2", "timezone": {"name": "CEST", "offset": "+0200"}},
        "networks": [
            {"description": "lo", "type": "loopback", "ipaddress": "127.0.0.1", "mac": "00:00:00:00:00:00"},
            {"description": "eth0", "type": "ethernet", "ipaddress": "192.0.2.17", "ipaddress6": "fe80::1%eth0", "mac": "02:00:5e:10:00:01"},
            {"description": "vpn", "ipaddress": "198.51.100.9", "mac": "0a0027000000", "virtualdev": True},
        ],
        "softwares": [{"name": "Büropaket", "version": "16", "publisher": "Beispiel", "install_date": "2026-02-03"}, {"version": "1"}],
        "antivirus": [{"name": "Schutzschild", "enabled": True, "uptodate": False, "expiration": "2027-01-31"}],
        "monitors": [
            {"caption": "Klarsicht 27", "manufacturer": "Klarsicht", "serial": "MON1"}, {"caption": "Panel", "serial": "00000000"},
        ],
        "printers": [{"name": "Etiketten", "driver": "Etikett 2", "serial": "PRN1"}, {"name": "Flur", "serial": "PRN2", "network": True}],
        "storages": [{"serial": "DISK1"}],
    },
}  # fmt: skip


def _read(change: dict[str, Any] | None = None, **content: Any) -> Any:
    report = copy.deepcopy(REPORT) | (change or {})
    report["content"] |= content
    return read_inventory(json.dumps(report).encode())


@pytest.mark.promise("S136")
def test_a_whole_report() -> None:
    found = _read()
    assert (found.format, found.partial, found.agent, found.tag) == ("glpi", False, "GLPI-Agent_v1.11", "K1001")
    assert found.taken_at == dt.datetime(2026, 7, 1, 6, 30, tzinfo=dt.UTC)
    device, screen, printer = found.devices
    assert (device.serial, device.name, device.asset_class, device.manufacturer, device.model) == (
        "FA56648449", "UEB-NB01", "notebook", "Falkenau", "Falkenau 13 Air",
    )  # fmt: skip
    assert (device.inventory_no, device.agent_id, device.last_user) == ("", "ueb-nb01-2026-01-05-08-00-00", "mueller")
    assert (device.operating_system, device.operating_system_version) == ("Microsoft Windows 11 Pro", "24H2")
    assert device.ip_addresses == ("192.0.2.17", "fe80::1", "198.51.100.9")
    assert device.mac_addresses == ("02:00:5E:10:00:01",)
    assert [(program.name, program.installed_on) for program in device.software] == [("Büropaket", dt.date(2026, 2, 3))]
    assert (screen.serial, screen.asset_class, screen.model) == ("MON1", "screen", "Klarsicht 27")
    assert (printer.serial, printer.asset_class) == ("PRN1", "printer")
    assert screen.software is None


@pytest.mark.promise("S144")
def test_protection_as_the_device_tells_it() -> None:
    (product,) = _read().devices[0].antivirus
    assert (product.name, product.enabled, product.up_to_date, product.expires_on) == (
        "Schutzschild",
        True,
        False,
        dt.date(2027, 1, 31),
    )
    assert _read(antivirus=[]).devices[0].antivirus == ()


def test_a_partial_report_leaves_open_what_it_does_not_say() -> None:
    report = {"deviceid": "x", "partial": True, "content": {"bios": {"ssn": "S1"}, "antivirus": [{"name": "A"}]}}
    found = read_inventory(json.dumps(report).encode())
    assert found.partial
    assert found.taken_at is None
    assert (found.devices[0].software, found.devices[0].antivirus[0].enabled) == (None, None)


@pytest.mark.parametrize(
    "serial",
    ["To Be Filled By O.E.M.", "Default string", "0000000", "System Serial Number", "None", " ", "xxxxxxx", "................"],
)
def test_placeholders_are_no_serial(serial: str) -> None:
    found = _read(bios={"ssn": serial})
    assert found.devices[0].serial == ""
    assert found.hints == ("Bericht: Das Gerät UEB-NB01 meldet keine brauchbare Seriennummer.",)


@pytest.mark.parametrize(
    ("chassis", "system", "meant"),
    [("Desktop", "Windows 11", "workstation"), ("Rack Mount Chassis", "Debian", "server"), ("Tower", "Microsoft Windows Server 2025", "server"),
     ("Laptop", "Fedora", "notebook"), ("Other", "Debian", "")],
)  # fmt: skip
def test_class_from_what_it_says(chassis: str, system: str, meant: str) -> None:
    assert _read(hardware={"chassis_type": chassis}, operatingsystem={"full_name": system}).devices[0].asset_class == meant


def test_a_stack_of_switches() -> None:
    parts = [
        {"type": "stack", "name": "Stapel"}, {"type": "chassis", "serial": "SW1", "model": "Querfeld 24"},
        {"type": "chassis", "serial": "SW2", "model": "Querfeld 48"}, {"type": "powerSupply", "serial": "PS1"},
    ]  # fmt: skip
    report = {
        "deviceid": "sw", "itemtype": "NetworkEquipment", "action": "netinventory", "content": {
            "network_device": {"type": "Networking", "model": "Switch Querfeld 24", "serial": "SW1", "name": "SW", "ips": ["192.0.2.1"], "mac": "02005e100002"},
            "network_components": parts,
        },
    }  # fmt: skip
    first, second = read_inventory(json.dumps(report).encode()).devices
    assert (first.serial, first.asset_class, first.ip_addresses) == ("SW1", "switch", ("192.0.2.1",))
    assert (second.serial, second.model, second.asset_class) == ("SW2", "Querfeld 48", "switch")


def test_several_reports_in_one_file() -> None:
    other = copy.deepcopy(REPORT) | {"deviceid": "b", "tag": "K1002", "content": {"bios": {"ssn": "B1"}}}
    found = read_inventory(json.dumps([REPORT, other]).encode("utf-8-sig"))
    assert [device.place for device in found.devices] == ["Bericht 1", "Bericht 1", "Bericht 1", "Bericht 2"]
    assert found.tag == ""
    assert "verschiedene Kennzeichen" in found.hints[0]


def test_the_older_place_of_the_tag() -> None:
    report = {"deviceid": "x", "content": {"accountinfo": {"keyname": "TAG", "keyvalue": "K1001/KOE"}}}
    assert read_inventory(json.dumps(report).encode()).tag == "K1001/KOE"


def test_a_list() -> None:
    text = (
        "Kunde;Standort;Inventarnr.;Geräteart;Hersteller;Modell;Seriennummer;Kaufdatum;Garantie bis;Virenschutz;Virenschutz aktiv\n"
        "K1001;KOE;UEB-PC01;Arbeitsplatz-PC;Falkenau;Mini 5;FA1;17.08.2023;2026-08-17;Schutzschild;ja\n"
        ";;;;;;;;;;\nK1001;;;Bildschirm;;;n/a;;;;\nK1001;;UEB-X1;Kaffeemaschine;;;;irgendwann;;keiner;\n"
    )
    found = read_inventory(text.encode("cp1252"), "liste.csv")
    first, second = found.devices
    assert (found.format, found.partial) == ("csv", True)
    assert (first.customer, first.site, first.inventory_no, first.asset_class) == ("K1001", "KOE", "UEB-PC01", "workstation")
    assert (first.bought_on, first.warranty_until) == (dt.date(2023, 8, 17), dt.date(2026, 8, 17))
    assert (first.antivirus[0].name, first.antivirus[0].enabled) == ("Schutzschild", True)
    assert (second.asset_class, second.antivirus, second.bought_on) == ("Kaffeemaschine", (), None)
    assert [hint.partition(":")[0] for hint in found.hints] == ["Zeile 4", "Zeile 5"]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "leer"), (b"<REQUEST/>", "XML"), (b"PK\x03\x04", "gepackt"), (b'{"a": 1}', "kein Inventar im Format"), (b"[]", "kein Inventar"),
        (b'{"content": {"x": ', "bricht hier ab"), (b'{"content": {}, "deviceid": "x" "y"}', "Zeile 1, Spalte 33"), (b'{"deviceid": "x"}', "»content« fehlt"),
        (b'{"content": {}}', "weder Seriennummer noch"), (b"[" * 200_000, "zu tief"), (b"Name;Ort\nPC;Hier\n", "fehlt »Seriennummer«"),
        (b"Seriennummer\n", "keine Ger"), (b'Seriennummer\n"A', "besch"), (b'{"content": {}, "deviceid": 1' + b"0" * 5000 + b"}", "zu tief verschachtelt oder"),
        (b"S\x00", "NUL"),
    ],
)  # fmt: skip
def test_refusals(raw: bytes, told: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read_inventory(raw, "bericht.json")
    assert told in str(caught.value)
    assert str(caught.value).startswith("bericht.json: ")


def test_half_characters_do_not_get_through() -> None:
    found = read_inventory(b'{"deviceid": "x", "content": {"hardware": {"name": "a\\ud800b\\u0000c"}}}')
    assert found.devices[0].name == "a\ufffdbc"
