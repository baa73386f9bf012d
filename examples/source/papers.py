"""contracts.csv, contract_lines.csv, kontingent_opening.csv and usage.csv."""

import datetime as dt
from collections.abc import Iterator

from examples.source.table import Row, dice

# number, customer, starts, ends, site, hours, price, overdraft, rule, travel, rest, unit, minimum, opening day, opening minutes
_KONTINGENT = """
V-2020-016;K1016;2020-01-01;;;12;104.00;yes;below_months=2;no;;;;2026-07-31;-120
V-2022-017;K1017;2022-01-01;;;6;108.00;no;;no;;;;2026-07-31;60
V-2019-018;K1018;2019-01-01;;;40;99.00;yes;;yes;;15;15;2026-07-31;6000
V-2026-019;K1019;2026-10-15;;;10;106.00;no;;no;;15;15;;
V-2021-020;K1020;2021-10-21;2026-10-20;;8;104.00;yes;;no;;;;2026-07-31;-60
V-2023-021;K1021;2023-11-01;2026-10-31;;5;104.00;no;;no;paid_out;;;2026-07-31;900
V-2018-022;K1022;2018-07-01;;;15;102.00;yes;;yes;;15;15;2026-07-31;240
V-2020-023;K1023;2020-10-01;;;10;118.00;yes;;no;;1;1;2026-07-31;35
V-2021-024;K1024;2021-01-01;;;8;96.00;yes;;no;;5;10;2026-07-31;125
V-2022-025;K1025;2022-05-01;;NUE;6;103.00;yes;;no;;;;2026-07-31;45
V-2023-026;K1026;2023-01-01;;BRU;5;105.00;no;;no;;15;15;2026-07-31;330
V-2023-027;K1026;2023-01-01;;BON;4;105.00;yes;;yes;;5;5;2026-07-31;90
V-2021-028;K1027;2021-04-01;;;10;104.00;yes;after_months=3;no;;;;2026-07-31;30
V-2022-029;K1028;2022-06-01;;;5;104.00;yes;never;no;;;;2026-07-31;-180
V-2019-030;K1029;2019-01-01;;;9;112.00;yes;quarter_end;no;;15;15;2026-09-30;200
V-2024-031;K1030;2024-01-01;2026-12-31;;4;98.00;no;;yes;served;;;2026-07-31;510
V-2023-032;K1031;2023-03-01;;;10;107.00;no;;no;;;;2026-07-31;0
V-2020-033;K1032;2020-07-01;;;11;110.00;yes;;no;;15;15;2026-07-31;-75
V-2024-036;K1036;2024-09-01;;;3;104.00;yes;;yes;;5;10;2026-09-30;-40
V-2023-039;K1039;2023-02-01;;;7;112.00;no;;no;;15;30;2026-07-31;300
"""
# number;customer;kind;starts;ends;site;prenotification days;provider;location
_FLAT = """
M-2023-033;K1033;rental;2023-06-01;2028-05-31;;5;;Serverraum Pflegezentrale
M-2024-034;K1034;rental;2024-05-01;2029-04-30;BRA;14;;Technikraum Brauhaus
M-2025-035;K1035;rental;2025-07-01;2030-06-30;;5;;Technikraum Halle 1
M-2025-036;K1036;rental;2025-09-01;2030-08-31;;5;;Ladenfläche und Büro
R-2022-037;K1037;data_centre;2022-01-01;;;14;Sternwarte Rechenzentrum AG;Hüllenbach, Saal 2
R-2023-038;K1038;data_centre;2023-01-01;;;5;Sternwarte Rechenzentrum AG;Hüllenbach, Saal 1
R-2024-039;K1039;data_centre;2024-04-01;;;5;Sternwarte Rechenzentrum AG;Hüllenbach, Saal 2
R-2025-040;K1040;data_centre;2025-01-01;2027-12-31;;14;Wolkenwerk Rechenzentren GmbH;Nebelstadt, Turm B
S-2024-012;K1012;managed;2024-02-01;;;5;;
S-2023-032;K1032;managed;2023-01-01;;;5;;
S-2022-041;K1041;managed;2022-03-01;;;;;
S-2024-042;K1042;managed;2024-01-01;;;;;
S-2021-043;K1043;managed;2021-01-01;;;;;
S-2026-044;K1044;managed;2026-10-15;;;;;
"""
# contract;line;product;text;meter;quantity;unit price;vat;one time;from;to;covered classes
_LINES = """
M-2023-033;1;MIET;Miete Server, Firewall, Netzwerk und 19 Arbeitsplätze;fixed;1;1890.00;19;no;;;
M-2023-033;2;MIET;Miete Telefonanlage mit 12 Telefonen;fixed;1;214.00;19;no;;;
M-2024-034;1;MIET;Miete IT-Ausstattung Brauhaus;fixed;1;1240.00;19;no;2024-05-01;;
M-2025-035;1;MIET;Miete Server und Firewall einschließlich Entstörung;fixed;1;465.00;19;no;2025-07-01;;server|firewall
M-2025-035;2;MIET;Miete USV;fixed;1;18.50;19;no;2025-07-01;;ups
M-2025-036;1;MIET;Miete Kassen und Arbeitsplätze;devices;11;39.00;19;no;2025-09-01;;workstation|notebook|printer
R-2022-037;1;RZ;Betrieb der Kanzleiumgebung im Rechenzentrum;fixed;18;89.00;19;no;2022-01-01;2026-09-30;
R-2022-037;1;RZ;Betrieb der Kanzleiumgebung im Rechenzentrum;fixed;18;93.00;19;no;2026-10-01;;
R-2022-037;2;MAR;Mail-Archiv;mailboxes;18;2.80;19;no;2022-01-01;;
R-2023-038;1;RZ;Betrieb der Lohnumgebung im Rechenzentrum;fixed;6;95.00;19;no;2023-01-01;;
R-2024-039;1;RZ;Aktenserver im Rechenzentrum;servers;2;310.00;19;no;2024-04-01;;server|nas
R-2024-039;2;MPF;Postfächer;mailboxes;15;6.50;19;no;2024-04-01;;
R-2025-040;1;RZ;Warenwirtschaft und Dateidienste im Rechenzentrum;servers;3;295.00;19;no;2025-01-01;;server
R-2025-040;2;MBG;Online-Sicherung;gigabytes;1400;0.18;19;no;2025-01-01;;
S-2024-012;1;MON;Überwachung der Server;servers;4;29.00;19;no;2024-02-01;;
S-2024-012;2;MEP;Endpoint-Schutz;devices;24;4.90;19;no;2024-02-01;;
S-2023-032;1;MFW;Managed Firewall Torwart 800;fixed;1;79.00;19;no;2023-01-01;;
S-2023-032;2;MPF;Postfächer;mailboxes;17;6.50;19;no;2023-01-01;;
S-2023-032;3;MAR;Mail-Archiv;mailboxes;17;2.80;19;no;2023-01-01;;
S-2022-041;1;MFW;Managed Firewall Torwart 800;fixed;1;79.00;19;no;2022-03-01;;
S-2022-041;2;MEP;Endpoint-Schutz;devices;9;4.90;19;no;2022-03-01;;
S-2022-041;3;MBG;Online-Sicherung;gigabytes;260;0.18;19;no;2022-03-01;2026-09-30;
S-2022-041;3;MBG;Online-Sicherung;gigabytes;260;0.16;19;no;2026-10-01;;
S-2024-042;1;MPF;Postfächer;mailboxes;3;6.50;19;no;2024-01-01;;
S-2021-043;1;MON;Überwachung der Server;servers;5;29.00;19;no;2021-01-01;;
S-2021-043;2;MEP;Endpoint-Schutz;devices;44;4.60;19;no;2021-01-01;;
S-2021-043;3;MBS;Online-Sicherung je Server;servers;5;24.00;19;no;2021-01-01;;
S-2021-043;4;MBG;Online-Sicherung Speicher;gigabytes;3100;0.15;19;no;2021-01-01;;
S-2021-043;5;DOK;Gedruckte Notfallmappe;fixed;3;12.00;7;yes;2026-10-01;;
S-2026-044;1;MFW;Managed Firewall Torwart 800;fixed;1;79.00;19;no;2026-10-15;;
S-2026-044;2;MFW;Einrichtung der Firewall, einmalig;fixed;1;390.00;19;yes;2026-10-15;;
S-2026-044;3;MEP;Endpoint-Schutz;devices;13;4.90;19;no;2026-10-15;;
S-2026-044;4;MON;Überwachung der Server;servers;1;29.00;19;no;2026-10-15;;
"""
_SOURCES = {
    "devices": "endpoint-konsole",
    "mailboxes": "postfach-bericht",
    "gigabytes": "sicherungsportal",
    "servers": "ueberwachung",
}
_K_COLUMNS = [
    "number",
    "customer",
    "starts_on",
    "ends_on",
    "site",
    "kontingent_hours_per_month",
    "kontingent_hour_price",
    "overdraft_allowed",
    "correction_rule",
    "includes_travel",
    "rest_at_end",
    "billing_unit_minutes",
    "billing_minimum_minutes",
    "as_of",
    "opening",
]
_F_COLUMNS = ["number", "customer", "kind", "starts_on", "ends_on", "site", "prenotification_days", "provider", "location"]
_L_COLUMNS = [
    "contract",
    "line",
    "product",
    "text",
    "meter",
    "quantity",
    "unit_price",
    "vat_rate",
    "one_time",
    "valid_from",
    "valid_to",
    "covered_asset_classes",
]


def _table(text: str, columns: list[str]) -> list[dict[str, str]]:
    return [dict(zip(columns, line.split(";"), strict=True)) for line in text.strip().splitlines()]


def kontingente() -> list[dict[str, str]]:
    """The Kontingent contracts with their opening balances in two extra columns."""
    return _table(_KONTINGENT, _K_COLUMNS)


def contracts() -> Iterator[Row]:
    for row in kontingente():
        yield {"kind": "kontingent", **{k: v for k, v in row.items() if k not in {"as_of", "opening"}}}
    yield from _table(_FLAT, _F_COLUMNS)


def contract_lines() -> list[dict[str, str]]:
    return _table(_LINES, _L_COLUMNS)


def openings() -> Iterator[Row]:
    for row in kontingente():
        if row["as_of"]:
            yield {"contract": row["number"], "as_of": row["as_of"], "minutes": row["opening"]}


def usage() -> Iterator[Row]:
    """Daily readings of August to October; one meter falls silent for a week, one has two sources at a day."""
    starts = {row["number"]: str(row["starts_on"]) for row in _table(_FLAT, _F_COLUMNS)}
    seen: set[tuple[str, str]] = set()
    for line in contract_lines():
        key = (line["contract"], line["line"])
        if line["meter"] == "fixed" or key in seen:
            continue
        seen.add(key)
        roll = dice("usage", *key)
        quantity = float(line["quantity"])
        for number in range(92):
            day = dt.date(2026, 8, 1) + dt.timedelta(days=number)
            if line["meter"] == "gigabytes":
                quantity += quantity * roll.uniform(-0.0015, 0.0035)
            elif roll.random() < 0.04:
                quantity = max(1, quantity + roll.choice((-1, 1, 1)))
            silent = key == ("S-2021-043", "2") and dt.date(2026, 10, 12) <= day <= dt.date(2026, 10, 18)
            if silent or day.isoformat() < starts[key[0]]:
                continue
            shown = f"{quantity:.1f}" if line["meter"] == "gigabytes" else str(int(quantity))
            row: Row = {"contract": key[0], "line": key[1], "day": day, "quantity": shown, "source": _SOURCES[line["meter"]]}
            yield row
            if key == ("S-2024-012", "2") and day == dt.date(2026, 10, 9):
                yield {**row, "quantity": str(int(quantity) + 2), "source": "inventur"}
