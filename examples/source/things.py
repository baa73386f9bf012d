"""assets.csv, licences.csv, checks.csv and purchase_orders.csv."""

import datetime as dt
from collections.abc import Iterator
from functools import cache

from examples.source.clients import BY_NUMBER, CLIENTS, Client
from examples.source.house import mail
from examples.source.papers import contracts
from examples.source.parties import position, site_codes
from examples.source.table import Row, dice

# class, sign in the inventory number, manufacturer, models, warranty months, kind of warranty
_CLASSES: dict[str, tuple[str, str, tuple[str, ...], int, str]] = {
    "server": ("SRV", "Hochwald", ("R310", "R330", "T220"), 60, "Vor-Ort-Service nächster Arbeitstag"),
    "firewall": ("FW", "Torwart", ("400", "800", "1200"), 36, "Vorabaustausch"),
    "switch": ("SW", "Querfeld", ("24 PoE", "48 PoE", "8 Compact"), 60, "Vorabaustausch"),
    "nas": ("NAS", "Hortus", ("4 Schächte", "8 Schächte"), 36, "Einsendung"),
    "ups": ("USV", "Dauerlauf", ("1000 VA", "1500 VA", "3000 VA"), 24, "Einsendung"),
    "access_point": ("AP", "Querfeld", ("AP 450", "AP 650"), 24, "Einsendung"),
    "printer": ("DR", "Schwarzweiss", ("320 dn", "420 dn", "520 Farbe"), 12, "Einsendung"),
    "workstation": ("PC", "Falkenau", ("Mini 5", "Mini 7", "Turm 9"), 36, "Vor-Ort-Service nächster Arbeitstag"),
    "notebook": ("NB", "Falkenau", ("13 Air", "14 Pro", "16 Max"), 36, "Vor-Ort-Service nächster Arbeitstag"),
    "phone_system": ("TEL", "Rufzeichen", ("T20", "T60"), 24, "Einsendung"),
}


def _counts(client: Client) -> dict[str, int]:
    """How many devices of each class a customer of this size has."""
    pcs = client.pcs
    return {
        "server": 0 if pcs < 4 else 1 + pcs // 14,
        "firewall": 0 if pcs < 3 else 1,
        "switch": 0 if pcs < 4 else 1 + pcs // 16,
        "nas": 1 if 3 <= pcs < 30 else 2 if pcs >= 30 else 0,
        "ups": 1 if pcs >= 6 else 0,
        "access_point": pcs // 8,
        "printer": 1 + pcs // 9,
        "workstation": max(1, round(pcs * 0.4)),
        "notebook": max(1, round(pcs * 0.25)),
        "phone_system": 1 if pcs >= 12 else 0,
    }


def _contract_of(client: Client, kind: str) -> tuple[str, bool]:
    """The flat contract a device belongs to, and whether the house owns it."""
    covered = {"K1035": {"server", "firewall", "ups"}, "K1036": {"workstation", "notebook", "printer"}}.get(client.number)
    for row in contracts():
        if row["customer"] != client.number:
            continue
        if row["kind"] == "rental" and (covered is None or kind in covered):
            return str(row["number"]), True
        if row["kind"] == "data_centre" and kind == "server":
            return str(row["number"]), client.number == "K1040"
        if row["kind"] == "managed" and kind == "firewall" and client.number in {"K1032", "K1041"}:
            return str(row["number"]), True
    return "", False


@cache
def assets() -> tuple[dict[str, str], ...]:
    """All devices in service; bought between 2019 and 2026, so that some warranties end in the months of the demo."""
    rows = []
    for client in CLIENTS:
        roll = dice("assets", client.number)
        codes = ["", *site_codes(client)]
        for kind, number in _counts(client).items():
            sign, maker, models, months, warranty = _CLASSES[kind]
            for index in range(1, number + 1):
                bought = dt.date(2020, 1, 7) + dt.timedelta(days=roll.randrange(0, 2_300))
                ends = bought.replace(year=bought.year + months // 12, day=min(bought.day, 28))
                contract, ours = _contract_of(client, kind)
                central = kind in {"server", "phone_system"} or client.number == "K1034"
                rows.append(
                    {
                        "customer": client.number,
                        "site": "BRA" if client.number == "K1034" and ours else "" if central else roll.choice(codes),
                        "inventory_no": f"{client.short}-{sign}{index:02d}",
                        "class": kind,
                        "manufacturer": maker,
                        "model": f"{maker} {roll.choice(models)}",
                        "serial": f"{maker[:2].upper()}{roll.randrange(10**7, 10**8)}",
                        "bought_on": bought.isoformat(),
                        "delivered_on": (bought + dt.timedelta(days=roll.randrange(2, 12))).isoformat(),
                        "owner": "house" if ours else "",
                        "warranty_until": ends.isoformat(),
                        "warranty_kind": warranty,
                        "firmware_supported_until": f"{bought.year + 6}-12-31" if kind in {"firewall", "switch"} else "",
                        "location": "data_centre" if contract.startswith("R-") else "on_site",
                        "contract": contract,
                    }
                )
    return tuple(rows)


@cache
def devices(client: Client, kind: str) -> tuple[str, ...]:
    return tuple(r["inventory_no"] for r in assets() if r["customer"] == client.number and r["class"] == kind)


def licences() -> Iterator[Row]:
    for client in CLIENTS:
        roll = dice("licences", client.number)
        block = [f"{roll.randrange(16**4):04X}" for _ in range(4)]
        if client.pcs >= 3:
            ends = dt.date(2026, 10, 1) + dt.timedelta(days=roll.randrange(0, 400))
            yield {
                "customer": client.number,
                "product": "LIC-FW12",
                "count": 1,
                "key": "-".join(["FW", *block]),
                "expires_on": ends,
            } | {"asset": next(iter(devices(client, "firewall")), "")}
        yield {
            "customer": client.number,
            "product": "LIC-BUR",
            "count": client.pcs,
            "expires_on": f"2027-0{1 + position(client) % 9}-01",
        }
        if position(client) % 3 == 0:
            yield {"customer": client.number, "product": "LIC-EP", "count": client.pcs + 2, "expires_on": "2026-12-31"}
        for server in devices(client, "server")[:1]:
            yield {
                "customer": client.number,
                "product": "LIC-SRV",
                "count": 1,
                "key": "-".join(["SV", *block[::-1]]),
                "asset": server,
            }


# check; RRULE; first date; minutes; catch up; shift: what can be chosen, by name
_CATALOGUE = """
Kontrolle der Datensicherung;FREQ=WEEKLY;BYDAY=MO,WE,FR;2026-08-03;10;one_listing;next_workday
Rücksicherung zur Probe;FREQ=MONTHLY;BYMONTHDAY=15;2026-08-15;60;latest;next_workday
Virenschutz: Stand und Funde prüfen;FREQ=WEEKLY;BYDAY=TU;2026-08-04;15;latest;next_workday
Firewall: Firmware und Regeln prüfen;FREQ=MONTHLY;BYDAY=1TH;2026-08-06;30;all;next_workday
Updates der Server einspielen;FREQ=MONTHLY;BYDAY=3WE;2026-08-19;90;all;none
Speicherplatz und Ereignisprotokolle;FREQ=WEEKLY;INTERVAL=2;BYDAY=TH;2026-08-06;20;latest;previous_workday
USV-Selbsttest;FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1;2026-08-31;20;skip;previous_workday
Monatsbericht Überwachung;FREQ=MONTHLY;BYMONTHDAY=-1;2026-08-31;15;all;previous_workday
Ablauf von Zertifikaten und Domänen;FREQ=MONTHLY;BYMONTHDAY=1;2026-09-01;15;latest;next_workday
Benutzerkonten und Berechtigungen;FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=10;2026-08-10;45;latest;next_workday
Switch- und WLAN-Firmware;FREQ=MONTHLY;INTERVAL=6;BYDAY=2TU;2026-08-11;60;latest;next_workday
Mail-Archiv: Stichprobe;FREQ=MONTHLY;BYMONTHDAY=20;2026-08-20;20;latest;next_workday
Klima und Staub im Serverraum;FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=30;2026-09-30;30;latest;previous_workday
Notfallhandbuch durchsehen;FREQ=YEARLY;BYMONTH=10;BYDAY=2MO;2026-10-12;60;all;next_workday
Druckerzähler und Verschleißteile;FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;2026-08-31;15;skip;none
"""
_NOBODY = frozenset({("K1005", "Monatsbericht Überwachung"), ("K1018", "Monatsbericht Überwachung"),
                     ("K1036", "Speicherplatz und Ereignisprotokolle")})  # fmt: skip
"""Checks that nobody is agreed for; elsewhere it is one of these."""
_TECHS = ("Jonas Kübler", "Mirella D'Angelo", "Piotr Wiśniewski", "Bastian Vöcking", "Lena Großkreutz", "Sören Ahlgrimm")


def _technician(customer: str, check: str, drawn: str) -> str:
    if (customer, check) in _NOBODY:
        return ""
    return mail(*(drawn or _TECHS[(int(customer[1:]) + len(check)) % len(_TECHS)]).split(" "))


@cache
def checks() -> tuple[dict[str, str], ...]:
    """Agreed checks of about half of the customers; the cadence holds semicolons, so the catalogue is cut from both ends."""
    rows = []
    for client in CLIENTS:
        roll = dice("checks", client.number)
        wanted = 0 if client.pcs < 9 and client.number != "K1033" else min(8, 2 + client.pcs // 5)
        entries = roll.sample(_CATALOGUE.strip().splitlines(), wanted)
        covering = [str(r["number"]) for r in contracts() if r["customer"] == client.number and not r.get("site")]
        for entry in sorted(entries):
            name, rest = entry.split(";", 1)
            cadence, start, minutes, catch_up, shift = rest.rsplit(";", 4)
            rows.append(
                {
                    "customer": client.number,
                    "check": name,
                    "cadence": cadence,
                    "starts_on": start,
                    "duration_minutes": minutes,
                    "technician": _technician(client.number, name, roll.choice(_TECHS) if roll.random() < 0.85 else ""),
                    "catch_up": "" if catch_up == "latest" and roll.random() < 0.5 else catch_up,
                    "shift": shift,
                    "covered_by_contract": covering[0] if covering and roll.random() < 0.7 else "",
                }
            )
    return tuple(rows)


# number;supplier;ordered;customer;customer order;line;product;quantity;expected
_ORDERS = """
B-2026-0418;L-FALKE;2026-10-19;K1002;KA-2026-0307;1;NB-1450;4;2026-10-29
B-2026-0418;L-FALKE;2026-10-19;K1002;KA-2026-0307;2;DOCK-11;4;2026-10-29
B-2026-0418;L-FALKE;2026-10-19;K1002;KA-2026-0307;3;MON-2701;8;2026-10-29
B-2026-0419;L-QUER;2026-10-20;K1004;KA-2026-0311;1;SW-2448;3;2026-10-30
B-2026-0419;L-QUER;2026-10-20;K1004;KA-2026-0311;2;AP-0650;5;2026-10-30
B-2026-0421;L-HOCH;2026-10-21;K1016;KA-2026-0315;1;SRV-3300;2;2026-11-03
B-2026-0421;L-HOCH;2026-10-21;K1016;KA-2026-0315;2;LIC-SRV;2;2026-11-03
B-2026-0421;L-HOCH;2026-10-21;K1005;KA-2026-0318;3;USV-1500;2;2026-11-03
B-2026-0423;L-KLEIN;2026-10-26;K1024;KA-2026-0320;1;KAB-0003;40;2026-10-30
B-2026-0423;L-KLEIN;2026-10-26;K1024;KA-2026-0320;2;AP-0650;4;2026-10-30
B-2026-0424;L-FALKE;2026-10-27;K1033;KA-2026-0322;1;PC-0710;6;2026-11-05
B-2026-0424;L-FALKE;2026-10-27;K1041;KA-2026-0323;2;FW-0800;1;2026-11-05
B-2026-0424;L-FALKE;2026-10-27;K1041;KA-2026-0323;3;LIC-FW12;1;2026-11-05
B-2026-0425;L-QUER;2026-10-28;K1043;KA-2026-0325;1;SW-2448;2;2026-11-09
"""


@cache
def purchase_orders() -> tuple[dict[str, str], ...]:
    names = ["number", "supplier", "ordered_on", "customer", "customer_order", "line", "product", "quantity", "expected_on"]
    rows = tuple(dict(zip(names, line.split(";"), strict=True)) for line in _ORDERS.strip().splitlines())
    unknown = [row["customer"] for row in rows if row["customer"] not in BY_NUMBER]
    if unknown:
        raise ValueError(f"Bestellung für unbekannte Kunden: {unknown}")
    return rows
