"""The house itself: address, sites, people, price list, articles, suppliers."""

from examples.source.table import Row, ascii_name, iban, vat_id

DOMAIN = "suelzbogen.example"
HOUSE: list[Row] = [
    {
        "name": "Sülzbogen Systemhaus GmbH",
        "street": "Am Sülzbogen 12",
        "postal_code": "51103",
        "city": "Köln",
        "tax_number": "218/5799/0420",
        "vat_id": vat_id(99812040),
        "iban": iban("37099900", 4711000012),
        "bic": "SZBGDE3KXXX",
        "creditor_id": "DE98ZZZ09999999999",
        "register_court": "Amtsgericht Köln",
        "register_no": "HRB 999412",
        "email": f"service@{DOMAIN}",
        "phone": "+492214710100",
        "portal_url": f"https://portal.{DOMAIN}",
    }
]
SITES: list[Row] = [
    {
        "code": "KOE",
        "name": "Köln",
        "hotline": "+492214710100|+493023125100",
        "main": "yes",
        "tariff_text": "Ortstarif aus dem deutschen Festnetz. Die Ausweichnummer 030 23125 100 bleibt auch dann erreichbar, "
        "wenn der Hauptstandort vollständig ausfällt.",
    },
    {"code": "BGL", "name": "Bergisch Gladbach", "hotline": "+492214710120", "main": "no"},
    {"code": "SIE", "name": "Siegburg", "hotline": "+492214710140", "main": "no"},
    {
        "code": "GUM",
        "name": "Gummersbach",
        "hotline": "+492214710160|+4917604069016",
        "main": "no",
        "tariff_text": "Zweite Nummer: Bereitschaft im Mobilfunk, Kosten nach Ihrem Tarif.",
    },
]
# first name, last name, roles, skills, site, weekly hours
_PEOPLE = """
Henrike;Oberländer;service_head|account_manager;Eskalation|Prozesse;KOE;40
Britta;Mühlhausen;dispatcher;Disposition;KOE;38.5
Tarek;Yıldırım;dispatcher|technician;Disposition|Arbeitsplatz|Telefonie;KOE;38.5
Jonas;Kübler;technician;Server|Virtualisierung|Datensicherung;KOE;40
Mirella;D'Angelo;technician;Netzwerk|Firewall|WLAN;KOE;40
Sören;Ahlgrimm;technician;Arbeitsplatz|Drucker|Kassen;GUM;40
Aylin;Demirtaş;technician;E-Mail|Microsoft 365|Arbeitsplatz;BGL;40
Piotr;Wiśniewski;technician;Server|Netzwerk|Fachanwendung;SIE;40
Lena;Großkreutz;technician;Arbeitsplatz|E-Mail|Dokumentation;SIE;30
Bastian;Vöcking;technician|monitoring;Datensicherung|Monitoring|Firewall;KOE;40
Corinna;Feldhüter;account_manager;Verträge|Kanzleien;KOE;40
Rasmus;Thorvaldsen;account_manager;Verträge|Gewerbe;BGL;40
Gudrun;Späth;back_office;Abrechnung|SAP;KOE;25
Emil;Kaczmarek;materials;Lager|Versand|Werkstatt;KOE;40
Ngọc Anh;Trần;monitoring;Monitoring;KOE;40
Valentin;Roßbach;operator|back_office;Abläufe|Abrechnung;KOE;40
"""


def mail(first: str, last: str) -> str:
    """Mail address of a person of the house."""
    return f"{ascii_name(first)}.{ascii_name(last)}@{DOMAIN}"


def employees() -> list[Row]:
    rows: list[Row] = []
    for line in _PEOPLE.strip().splitlines():
        first, last, roles, skills, site, hours = line.split(";")
        rows.append(
            {"email": mail(first, last), "first_name": first, "last_name": last, "roles": roles, "skills": skills}
            | {"house_site": site, "weekly_hours": hours}
        )
    return rows


# code;name;unit;net price;VAT;valid from;account
_PRICES = """
STD;Technikerstunde Standard;hour;112.00;19;2025-01-01;4400
STD;Technikerstunde Standard;hour;118.00;19;2026-10-01;4400
TAG;Projekttag Techniker;day;860.00;19;2025-01-01;4400
ANF;Anfahrtspauschale Zone 1;trip;39.00;19;2025-01-01;4401
ANF2;Anfahrtspauschale Zone 2;trip;59.00;19;2025-01-01;4401
KON;Kontingentstunde;hour;104.00;19;2025-01-01;4402
MFW;Managed Firewall, Gerät je Monat;month;79.00;19;2025-01-01;4410
MEP;Managed Endpoint-Schutz, je Gerät und Monat;piece;4.90;19;2025-01-01;4411
MBS;Managed Online-Sicherung, je Server und Monat;piece;24.00;19;2025-01-01;4412
MBG;Managed Online-Sicherung, je Gigabyte und Monat;gb;0.18;19;2025-01-01;4412
MBG;Managed Online-Sicherung, je Gigabyte und Monat;gb;0.16;19;2026-10-01;4412
MPF;Postfach im Rechenzentrum, je Monat;piece;6.50;19;2025-01-01;4413
MAR;Mail-Archiv, je Postfach und Monat;piece;2.80;19;2025-01-01;4414
MON;Überwachung rund um die Uhr, je Server und Monat;piece;29.00;19;2025-01-01;4415
DOK;Schulungsunterlage, gedruckt;piece;12.00;7;2025-01-01;4300
"""
# code;name;kind;serial_tracked;warranty months;licence months;price code
_PRODUCTS = """
NB-1450;Notebook Falkenau 14 Pro, 16 GB, 512 GB;hardware;yes;36;;
PC-0710;Arbeitsplatz-PC Falkenau Mini 7;hardware;yes;36;;
MON-2701;Bildschirm Klarsicht 27 Zoll, höhenverstellbar;hardware;yes;36;;
SRV-3300;Server Hochwald R330, 64 GB, 4 x 1,92 TB;hardware;yes;60;;
SW-2448;Switch Querfeld 24 Ports PoE;hardware;yes;60;;
FW-0800;Firewall Torwart 800;hardware;yes;36;;
AP-0650;Access-Point Querfeld 650;hardware;yes;24;;
USV-1500;USV Dauerlauf 1500 VA;hardware;yes;24;;
NAS-0402;Netzspeicher Hortus 4 Schächte;hardware;yes;36;;
DR-0420;Laserdrucker Schwarzweiss 420 dn;hardware;yes;12;;
KAB-0003;Netzwerkkabel Cat 6A, 3 m, grau;hardware;no;;;
DOCK-11;Dockingstation USB-C 11-fach;hardware;yes;24;;
LIC-FW12;Torwart Schutzpaket, 12 Monate;software;no;;12;
LIC-BUR;Büropaket Business, Jahreslizenz;software;no;;12;
LIC-EP;Endpoint-Schutz Jahreslizenz;software;no;;12;
LIC-SRV;Server-Betriebssystem Standard 16 Kerne;software;no;;;
MFW;Managed Firewall;managed_service;no;;;MFW
MEP;Managed Endpoint-Schutz;managed_service;no;;;MEP
MBS;Managed Online-Sicherung Server;managed_service;no;;;MBS
MBG;Managed Online-Sicherung Speicher;managed_service;no;;;MBG
MPF;Postfach im Rechenzentrum;managed_service;no;;;MPF
MAR;Mail-Archiv;managed_service;no;;;MAR
MON;Überwachung rund um die Uhr;managed_service;no;;;MON
DOK;Notfallmappe, gedruckt;service;no;;;DOK
MIET;Miete IT-Ausstattung;rental;no;;;
RZ;Rechenzentrumsbetrieb;service;no;;;
"""
SUPPLIERS: list[Row] = [
    {"code": "L-FALKE", "name": "Falkenau Distribution AG", "despatch_format": "opentrans", "email": "avis@falkenau.example"},
    {"code": "L-QUER", "name": "Querfeld Netzwerktechnik GmbH", "despatch_format": "ubl", "email": "versand@querfeld.example"},
    {"code": "L-HOCH", "name": "Hochwald Serverwerk KG", "despatch_format": "desadv", "email": "edi@hochwald.example"},
    {"code": "L-KLEIN", "name": "Kleinteile Küppers e. K.", "despatch_format": "csv", "email": "lager@kueppers.example"},
]


def _rows(text: str, columns: str) -> list[Row]:
    names = columns.split()
    return [dict(zip(names, line.split(";"), strict=True)) for line in text.strip().splitlines()]


def prices() -> list[Row]:
    return _rows(_PRICES, "code name unit net_price vat_rate valid_from account")


def products() -> list[Row]:
    return _rows(_PRODUCTS, "code name kind serial_tracked warranty_months licence_months price_code")
