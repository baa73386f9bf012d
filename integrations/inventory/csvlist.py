"""Lists of devices as CSV, by the usual German and English titles. A list never tells that something is gone."""

import csv
import datetime as dt
from collections.abc import Callable

from integrations import charset
from integrations.charset import CharsetError, clean
from integrations.despatch.csvtitles import guess_delimiter, normal, physical_lines
from integrations.inventory.types import Antivirus, Device, Inventory, InventoryError
from integrations.inventory.values import address, flag, mac, told
from rules.asset_class import OTHER, asset_class

ALIASES: dict[str, tuple[str, ...]] = {
    "serial": ("seriennummer", "seriennr", "serial", "serialnumber", "serialno", "sn", "snr", "servicetag"),
    "inventory_no": (
        "inventarnummer",
        "inventarnr",
        "inventar",
        "inventoryno",
        "inventorynumber",
        "assettag",
        "assetnr",
        "assetno",
    ),
    "name": (
        "name",
        "geraetename",
        "geraet",
        "hostname",
        "rechnername",
        "computername",
        "computer",
        "devicename",
        "bezeichnung",
    ),
    "class": ("geraeteart", "geraeteklasse", "art", "typ", "klasse", "kategorie", "class", "type", "category", "assetclass"),
    "manufacturer": ("hersteller", "manufacturer", "vendor", "make"),
    "model": ("modell", "model", "produkt", "product", "geraetetyp"),
    "customer": ("kunde", "kundennummer", "kundennr", "customer", "customerno", "customernumber"),
    "site": ("standort", "niederlassung", "filiale", "site", "location"),
    "system": ("betriebssystem", "operatingsystem", "os"),
    "system_version": ("betriebssystemversion", "osversion", "version"),
    "ip": ("ipadresse", "ip", "ipaddress", "ipv4"),
    "mac": ("macadresse", "mac", "macaddress"),
    "user": ("benutzer", "anwender", "letzterbenutzer", "user", "lastuser"),
    "bought_on": ("kaufdatum", "gekauftam", "anschaffung", "anschaffungsdatum", "boughton", "purchasedate"),
    "warranty_until": ("garantiebis", "garantieende", "garantie", "warrantyuntil", "warrantyend", "warranty"),
    "antivirus": ("virenschutz", "antivirus", "virenscanner", "endpointprotection"),
    "antivirus_enabled": ("virenschutzaktiv", "antivirusaktiv", "antivirusenabled"),
    "antivirus_current": ("virenschutzaktuell", "antivirusaktuell", "signaturaktuell", "antivirusuptodate"),
}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y")
_IDENTITY = ("serial", "inventory_no")


def read(raw: bytes) -> Inventory:
    """A list to an inventory.

    Raises:
        InventoryError: with line, fault and remedy.
    """
    try:
        text, hints = charset.decode(raw)
    except CharsetError as fault:
        raise InventoryError(f"{fault} Bitte speichern Sie die Liste als UTF-8 oder Windows-1252.") from fault
    reader = csv.reader(physical_lines(text), delimiter=guess_delimiter(text), strict=True)
    columns: dict[str, int] | None = None
    devices: list[Device] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _header(cells, reader.line_num)
            else:
                _take(devices, hints, {name: cells[at] for name, at in columns.items() if at < len(cells)}, reader.line_num)
    except csv.Error as fault:
        raise InventoryError(
            f"Zeile {reader.line_num}: Die Liste ist beschädigt (ein Feld in Anführungszeichen). Bitte erzeugen Sie sie neu."
        ) from fault
    if not devices:
        raise InventoryError("Die Liste enthält keine Geräte. Bitte prüfen Sie, ob es die richtige Datei ist.")
    return Inventory(format="csv", devices=tuple(devices), partial=True, hints=tuple(hints[:100]))


def _header(cells: list[str], line: int) -> dict[str, int]:
    titles: dict[str, int] = {}
    for index, cell in enumerate(cells):
        titles.setdefault(normal(cell), index)
    found: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        at = next((titles[alias] for alias in aliases if alias in titles), None)
        if at is not None:
            found[name] = at
    if not any(name in found for name in _IDENTITY):
        shown = ", ".join(clean(cell)[:30] for cell in cells[:15] if cell.strip())
        raise InventoryError(
            f"Zeile {line}: Der Inhalt ist kein Inventar, das gelesen werden kann: In der Kopfzeile fehlt »Seriennummer« oder "
            f"»Inventarnummer« (gefunden: {shown[:300]}). Erwartet wird ein Bericht von glpi-agent (JSON) oder eine CSV-Liste."
        )
    return found


def _take(devices: list[Device], hints: list[str], row: dict[str, str], line: int) -> None:
    place = f"Zeile {line}"
    cells = {name: told(value) for name, value in row.items()}
    if not any(cells.get(name) for name in _IDENTITY):
        hints.append(f"{place}: Ohne Serien- oder Inventarnummer nicht übernommen ({cells.get('name') or 'ohne Namen'}).")
        return
    devices.append(
        Device(
            serial=cells.get("serial", ""),
            name=cells.get("name", ""),
            asset_class=_class(cells),
            manufacturer=cells.get("manufacturer", ""),
            model=cells.get("model", ""),
            inventory_no=cells.get("inventory_no", ""),
            customer=cells.get("customer", ""),
            site=cells.get("site", ""),
            operating_system=cells.get("system", ""),
            operating_system_version=cells.get("system_version", ""),
            ip_addresses=_several(cells.get("ip", ""), address),
            mac_addresses=_several(cells.get("mac", ""), mac),
            antivirus=_antivirus(row),
            last_user=cells.get("user", ""),
            bought_on=_day(cells.get("bought_on", ""), place, hints),
            warranty_until=_day(cells.get("warranty_until", ""), place, hints),
            place=place,
        )
    )


def _class(cells: dict[str, str]) -> str:
    """The list's own word, by the house's names where it is one of them."""
    word = cells.get("class", "")
    found = asset_class(word)
    return word if found == OTHER else found


def _several(value: str, one: Callable[[str], str]) -> tuple[str, ...]:
    found = (one(part) for part in value.replace(";", ",").replace("/", ",").split(","))
    return tuple(dict.fromkeys(part for part in found if part))


def _antivirus(row: dict[str, str]) -> tuple[Antivirus, ...] | None:
    """None without the column or with an empty cell: the list does not say. A word for none is none."""
    name = clean(row.get("antivirus", ""))
    if not name:
        return None
    if flag(name) is False or name.lower() in ("keiner", "kein", "ohne", "none", "-"):
        return ()
    return (Antivirus(name, flag(row.get("antivirus_enabled", "")), flag(row.get("antivirus_current", ""))),)


def _day(value: str, place: str, hints: list[str]) -> dt.date | None:
    if not value:
        return None
    for form in _DATES:
        try:
            return dt.datetime.strptime(value, form).date()  # noqa: DTZ007 - a calendar day as written
        except ValueError:
            continue
    hints.append(f"{place}: »{value[:40]}« ist kein Datum und wurde nicht übernommen.")
    return None
