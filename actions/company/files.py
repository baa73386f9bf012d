"""The files of the company folder and their columns: the one place that import, export and the office's page read.

In the order of writing: whatever a row names stands in a file before it.
"""

import enum
from typing import Any

from actions.company.cells import NAME_LENGTH as _NAME_LENGTH
from actions.company.cells import Choice, Code, Day, Instant, Integer, Listed, Number, Text, VatRate, YesNo
from actions.company.spec import Column, File, Linked, Ref
from actions.company.terms import (
    Bic,
    Cadence,
    Correction,
    Country,
    CreditorId,
    Email,
    Iban,
    LeitwegId,
    MandateReference,
    Person,
    Phone,
    ReactionHours,
    ServiceHours,
    VatId,
    WebAddress,
)
from models.agreements import BackupResponsible, CooperationAgreement
from models.assets import Asset, Licence, Location, Owner
from models.base import Record
from models.billing import ServiceReport
from models.catalogue import ListPrice, Product, ProductKind, Unit
from models.contracts import Contract, ContractKind, ContractLine, KontingentOpening, Meter, RestAtEnd, UsageReading
from models.goods import DespatchFormat, PurchaseOrderLine, Supplier
from models.maintenance import AgreedCheck
from models.parties import (
    BillingMode,
    Contact,
    ContactFunction,
    Customer,
    Delivery,
    Employee,
    House,
    HouseSite,
    MandateKind,
    PortalLevel,
    Site,
    StaffRole,
)
from models.service_desk import Priority, Ticket, TicketKind, TicketState
from models.work import Place, ServiceEntry, WorkKind
from rules.cadence import Shift
from rules.catch_up import CatchUp

CODE = Code()
NAME = Text(_NAME_LENGTH, lines=False)
TEXT = Text()
EMAIL = Email()
PHONE = Phone()
DAY = Day()
INSTANT = Instant()
YES_NO = YesNo()
PRICE = Number("0", "99999999", places=4, shown=2, unit="EUR netto")
QUANTITY = Number("0", "99999999", places=4)
HOURS = Number("0", "100000", places=4, unit="Stunden")
PERCENT = Number("0", "1000", places=2, unit="Prozent")
VAT_RATE = VatRate()


def _choice(words: type[enum.StrEnum]) -> Choice:
    return Choice(word.value for word in words)


def _list(words: type[enum.StrEnum]) -> Listed:
    return Listed(_choice(words))


def _ref(name: str, ref: Ref, meaning: str, *, required: bool = False) -> Column:
    cell = EMAIL if ref.attr == "email" else CODE
    return Column(name, cell, meaning, required=required, ref=ref)


def _employee(target: str) -> Ref:
    return Ref(Employee, "email", target, "employees.csv", "Mitarbeiter")


def _own(model: type[Record], attr: str, target: str, file: str, word: str) -> Ref:
    return Ref(model, attr, target, file, word, scoped=True)


OF_CUSTOMER = _ref("customer", Ref(Customer, "number", "customer_id", "customers.csv", "Kunde"), "Kundennummer", required=True)
CONTRACT = Ref(Contract, "number", "contract_id", "contracts.csv", "Vertrag")
OWN_CONTRACT = _own(Contract, "number", "contract_id", "contracts.csv", "Vertrag")
OF_CONTRACT = _ref("contract", CONTRACT, "Vertragsnummer", required=True)
HOUSE_SITE = Ref(HouseSite, "code", "house_site_id", "house_sites.csv", "Standort des Hauses")
PRODUCT = Ref(Product, "code", "product_id", "products.csv", "Artikel")
SITE = _own(Site, "code", "site_id", "sites.csv", "Niederlassung")
ASSET = _own(Asset, "inventory_no", "asset_id", "assets.csv", "Gerät")
ADDRESS = (
    Column("street", NAME, "Straße und Hausnummer", required=True),
    Column("postal_code", Code(20), "Postleitzahl", required=True),
    Column("city", NAME, "Ort", required=True),
)


def _file(
    name: str, title: str, model: type[Record], key: str, *columns: Column, owner: str = "", fixed_owner: bool = False
) -> File:
    return File(name, title, model, tuple(key.split()), columns, owner, fixed_owner)


def _flag(name: str, meaning: str, default: Any) -> Column:
    return Column(name, YES_NO, meaning, default=default)


HOUSE = _file(
    "house.csv", "Ihr Haus (eine Zeile)", House, "",
    Column("name", NAME, "Firma", required=True),
    *ADDRESS,
    Column("tax_number", Code(30), "Steuernummer"),
    Column("vat_id", VatId(), "Umsatzsteuer-Identifikationsnummer"),
    Column("iban", Iban(), "Konto für Zahlungen Ihrer Kunden"),
    Column("bic", Bic(), "BIC dieses Kontos"),
    Column("creditor_id", CreditorId(), "Gläubiger-Identifikationsnummer für Lastschriften"),
    Column("register_court", NAME, "Registergericht"),
    Column("register_no", NAME, "Registernummer"),
    Column("email", EMAIL, "Absender- und Antwortadresse", required=True),
    Column("phone", PHONE, "Telefon"),
    Column("portal_url", WebAddress(), "öffentliche Adresse des Portals"),
)  # fmt: skip
HOUSE_SITES = _file(
    "house_sites.csv", "Ihre Standorte", HouseSite, "code",
    Column("code", CODE, "Kürzel des Standorts", required=True),
    Column("name", NAME, "Name", required=True),
    Column("hotline", Listed(Phone(strict=True)), "Rufnummern der Störungsannahme", required=True),
    Column("tariff_text", Text(2000), "Hinweis zu den Verbindungskosten"),
    _flag("main", "Hauptstandort", default=False),
)  # fmt: skip
EMPLOYEES = _file(
    "employees.csv", "Ihre Mitarbeiter", Employee, "email",
    Column("email", EMAIL, "Mailadresse, zugleich Schlüssel", required=True),
    Column("first_name", NAME, "Vorname", required=True),
    Column("last_name", NAME, "Nachname", required=True),
    Column("roles", _list(StaffRole), "Rollen", required=True),
    Column("skills", Listed(Text(200, lines=False)), "Kenntnisse", default=[]),
    _ref("house_site", HOUSE_SITE, "Standort"),
    Column("weekly_hours", Number("0", "168", places=4, unit="Stunden"), "Wochenarbeitszeit"),
)  # fmt: skip
PRICES = _file(
    "prices.csv", "Preisliste", ListPrice, "code valid_from",
    Column("code", CODE, "Preisschlüssel", required=True),
    Column("name", NAME, "Bezeichnung", required=True),
    Column("unit", _choice(Unit), "Einheit", required=True),
    Column("net_price", PRICE, "Nettopreis", required=True),
    Column("vat_rate", VAT_RATE, "Umsatzsteuersatz", required=True),
    Column("valid_from", DAY, "gültig ab, bis zum nächsten Preis desselben Schlüssels", required=True),
    Column("account", Code(20), "Erlöskonto"),
)  # fmt: skip
PRODUCTS = _file(
    "products.csv", "Artikel", Product, "code",
    Column("code", CODE, "Artikelnummer", required=True),
    Column("name", NAME, "Bezeichnung", required=True),
    Column("kind", _choice(ProductKind), "Art", required=True),
    _flag("serial_tracked", "wird mit Seriennummer geführt", default=False),
    Column("warranty_months", Integer(0, 600, "Monate"), "Gewährleistung"),
    Column("licence_months", Integer(0, 600, "Monate"), "Laufzeit der Lizenz"),
    Column("price_code", CODE, "Preisschlüssel aus prices.csv"),
)  # fmt: skip
SUPPLIERS = _file(
    "suppliers.csv", "Lieferanten", Supplier, "code",
    Column("code", CODE, "Lieferantennummer", required=True),
    Column("name", NAME, "Name", required=True),
    Column("email", EMAIL, "Mailadresse"),
    Column("despatch_format", _choice(DespatchFormat), "Format der Lieferavise"),
)  # fmt: skip
CUSTOMERS = _file(
    "customers.csv", "Kunden", Customer, "number",
    Column("number", CODE, "Kundennummer", required=True),
    Column("name", NAME, "Firma oder Name", required=True),
    *ADDRESS,
    Column("country", Country(), "Land", default="DE"),
    Column("vat_id", VatId(), "Umsatzsteuer-Identifikationsnummer"),
    Column("billing", _choice(BillingMode), "Abrechnung über die Zentrale oder je Niederlassung", default="central"),
    Column("datev_consultant_no", Integer(1001, 9_999_999), "DATEV-Beraternummer"),
    _ref("account_manager", _employee("account_manager_id"), "Kundenbetreuer"),
    _ref("house_site", HOUSE_SITE, "zuständiger Standort"),
    Column("delivery", _choice(Delivery), "Weg der Rechnung", default="post"),
    Column("leitweg_id", LeitwegId(), "Leitweg-ID, nötig bei xrechnung"),
    Column("invoice_email", EMAIL, "Mailadresse für Rechnungen"),
    Column("payment_days", Integer(0, 365, "Tage"), "Zahlungsziel", default=14),
    Column("iban", Iban(), "Konto des Kunden"),
    Column("mandate_reference", MandateReference(), "Mandatsreferenz; die drei Mandatsfelder und iban gehören zusammen"),
    Column("mandate_signed_on", DAY, "Mandat unterschrieben am"),
    Column("mandate_kind", _choice(MandateKind), "Art des Mandats"),
    Column("customer_since", Day(1900), "Kunde seit"),
    Column("sap_card_code", CODE, "Geschäftspartner in SAP"),
    Column("debtor_account", Code(20), "Debitorenkonto"),
)  # fmt: skip
SITES = _file(
    "sites.csv", "Niederlassungen der Kunden", Site, "customer code",
    OF_CUSTOMER,
    Column("code", CODE, "Kürzel, je Kunde einmal", required=True),
    Column("name", NAME, "Name", required=True),
    *ADDRESS,
    _flag("receives_goods", "nimmt Ware an", default=True),
    _flag("receives_services", "nimmt Dienstleistungen an", default=True),
    Column("travel_price", PRICE, "Preis je Anfahrt"),
    _ref("bills_to", _own(Site, "code", "bills_to_id", "sites.csv", "Niederlassung"), "wer zahlt, leer = Zentrale"),
    owner="customer",
)  # fmt: skip
CONTACTS = _file(
    "contacts.csv", "Ansprechpartner", Contact, "customer email",
    OF_CUSTOMER,
    _ref("site", SITE, "Niederlassung, leer = Zentrale"),
    Column("first_name", NAME, "Vorname", required=True),
    Column("last_name", NAME, "Nachname", required=True),
    Column("email", EMAIL, "Mailadresse, je Kunde einmal", required=True),
    Column("phone", PHONE, "Telefon"),
    Column("functions", _list(ContactFunction), "Aufgaben", default=[]),
    Column("portal", _choice(PortalLevel), "Stufe im Portal; eingeladen wird gesondert", default="none"),
    owner="customer",
)  # fmt: skip
AGREEMENTS = _file(
    "agreements.csv", "Kooperationsvereinbarungen", CooperationAgreement, "customer version",
    OF_CUSTOMER,
    Column("version", Integer(1, 10_000), "Fassung", required=True),
    Column("signed_on", DAY, "unterschrieben am; ab dann gelten die Preise"),
    Column("signed_by", NAME, "unterschrieben von"),
    Column("purpose", Text(5000), "Zweck"),
    Column("service_hours", ServiceHours(), "Servicezeiten"),
    Column("reaction_hours_by_priority", ReactionHours(), "Reaktionszeiten", default={}, attr="reaction_hours"),
    Column("backup_responsible", _choice(BackupResponsible), "verantwortlich für die Datensicherung"),
    Column("hour_price", PRICE, "Preis je Stunde", required=True),
    Column("day_price", PRICE, "Preis je Projekttag"),
    Column("travel_price", PRICE, "Preis je Anfahrt"),
    Column("after_hours_percent", PERCENT, "Zuschlag außerhalb der Servicezeiten, leer = 50"),
    Column("weekend_percent", PERCENT, "Zuschlag am Wochenende, leer = 100"),
    owner="customer",
)  # fmt: skip
CONTRACTS = _file(
    "contracts.csv", "Verträge", Contract, "number",
    Column("number", CODE, "Vertragsnummer", required=True),
    OF_CUSTOMER,
    Column("kind", _choice(ContractKind), "Art", required=True),
    Column("starts_on", DAY, "erster Tag", required=True),
    Column("ends_on", DAY, "letzter Tag, leer = unbefristet"),
    _ref("site", SITE, "Niederlassung, leer = ganzer Kunde"),
    Column("kontingent_hours_per_month", HOURS, "Stunden je Monat, nötig bei kontingent"),
    Column("kontingent_hour_price", PRICE, "Preis je Stunde, nötig bei kontingent"),
    _flag("overdraft_allowed", "darf überzogen werden", default=False),
    Column("correction_rule", Correction(), "wann eine Überbuchung vorgeschlagen wird", default="quarter_end"),
    _flag("includes_travel", "enthält Anfahrten", default=False),
    Column("rest_at_end", _choice(RestAtEnd), "was am Vertragsende mit dem Rest geschieht", default="paid_out"),
    Column("billing_unit_minutes", Integer(1, 1440, "Minuten"), "Takt, leer = 15"),
    Column("billing_minimum_minutes", Integer(0, 1440, "Minuten"), "Mindestdauer, leer = 15"),
    Column("prenotification_days", Integer(0, 60, "Tage"), "Frist der Lastschriftankündigung"),
    Column("provider", NAME, "Anbieter (Rechenzentrum)"),
    Column("location", NAME, "Standort (Rechenzentrum)"),
    owner="customer", fixed_owner=True,
)  # fmt: skip
CONTRACT_LINES = _file(
    "contract_lines.csv", "Vertragspositionen", ContractLine, "contract line valid_from",
    OF_CONTRACT,
    Column("line", CODE, "Position", required=True),
    _ref("product", PRODUCT, "Artikel"),
    Column("text", Text(5000), "Text der Position", required=True),
    Column("meter", _choice(Meter), "wonach gezählt wird", default="fixed"),
    Column("quantity", QUANTITY, "Menge"),
    Column("unit_price", PRICE, "Preis je Einheit", required=True),
    Column("vat_rate", VAT_RATE, "Umsatzsteuersatz", default=19),
    _flag("one_time", "einmalig", default=False),
    Column("valid_from", DAY, "gültig ab"),
    Column("valid_to", DAY, "gültig bis einschließlich"),
    Column("covered_asset_classes", Listed(CODE), "nur diese Geräteklassen sind abgedeckt", default=[]),
    owner="contract",
)  # fmt: skip
OPENINGS = _file(
    "kontingent_opening.csv", "Anfangsbestände der Kontingente", KontingentOpening, "contract",
    OF_CONTRACT,
    Column("as_of", DAY, "Stichtag; der Bestand ersetzt alles bis zu diesem Tag einschließlich", required=True),
    Column("minutes", Integer(-10_000_000, 10_000_000, "Minuten"), "Bestand", required=True),
    owner="contract",
)  # fmt: skip
ASSETS = _file(
    "assets.csv", "Geräte", Asset, "customer inventory_no",
    OF_CUSTOMER,
    _ref("site", SITE, "Niederlassung, leer = Zentrale"),
    Column("inventory_no", CODE, "Inventarnummer, je Kunde einmal", required=True),
    Column("class", CODE, "Geräteklasse", required=True, attr="asset_class"),
    Column("manufacturer", NAME, "Hersteller"),
    Column("model", NAME, "Modell"),
    Column("serial", Code(200), "Seriennummer"),
    Column("bought_on", DAY, "gekauft am"),
    Column("delivered_on", DAY, "geliefert am"),
    Column("owner", _choice(Owner), "Eigentümer", default="customer"),
    Column("warranty_until", DAY, "Gewährleistung bis"),
    Column("warranty_kind", NAME, "Art der Gewährleistung"),
    Column("firmware_supported_until", DAY, "Firmware wird gepflegt bis"),
    Column("location", _choice(Location), "Ort"),
    _ref("contract", OWN_CONTRACT, "Vertrag, zu dem das Gerät gehört"),
    owner="customer",
)  # fmt: skip
TICKETS = _file(
    "tickets.csv", "Tickets", Ticket, "number",
    Column("number", CODE, "Ticketnummer", required=True),
    OF_CUSTOMER,
    _ref("site", SITE, "Niederlassung, leer = Zentrale"),
    _ref("contact", _own(Contact, "email", "contact_id", "contacts.csv", "Ansprechpartner"), "wer gemeldet hat"),
    Column("kind", _choice(TicketKind), "Art", required=True),
    Column("subject", Text(2000, lines=False), "Betreff", required=True),
    Column("received_at", INSTANT, "Eingang", required=True),
    Column("state", _choice(TicketState), "Stand", required=True),
    Column("priority", _choice(Priority), "Priorität", default="normal"),
    _ref("assignee", _employee("assignee_id"), "zuständig"),
    Column("topic", NAME, "Thema"),
    _ref("asset", ASSET, "betroffenes Gerät"),
    owner="customer", fixed_owner=True,
)  # fmt: skip
ENTRIES = _file(
    "service_entries.csv", "Leistungen", ServiceEntry, "id",
    Column("id", CODE, "Schlüssel der Leistung", required=True, attr="key"),
    _ref("ticket", Ref(Ticket, "number", "ticket_id", "tickets.csv", "Ticket"), "Ticketnummer", required=True),
    _ref("technician", _employee("technician_id"), "wer gearbeitet hat", required=True),
    Column("work_date", DAY, "Arbeitstag", required=True),
    Column("started_at", INSTANT, "Beginn"),
    Column("ended_at", INSTANT, "Ende"),
    Column("minutes", Integer(0, 100_000, "Minuten"), "geleistete Minuten, ungerundet", required=True),
    Column("place", _choice(Place), "Fernwartung oder vor Ort", default="remote"),
    Column("trips", Integer(0, 1000), "Anfahrten", default=0),
    Column("kind", _choice(WorkKind), "Art der Arbeit", default="standard"),
    Column("text", TEXT, "was getan wurde", required=True),
    Column("billable", YES_NO, "wird berechnet", required=True),
    Column("non_billable_reason", Text(2000), "Grund, nötig wenn nicht berechnet wird"),
    Column("approved_by", Person(), "freigegeben von", prefix="employee:"),
    Column("approved_at", INSTANT, "freigegeben am; leer = noch nicht freigegeben"),
    Column(
        "reported_elsewhere", CODE,
        "Berichtsnummer eines anderen Systems: wird hier nie berechnet; der Export setzt unsere ein",
        linked=Linked(ServiceReport, "report_id", "number"),
    ),
    owner="ticket",
)  # fmt: skip
USAGE = _file(
    "usage.csv", "Zählerstände", UsageReading, "contract line day source",
    OF_CONTRACT,
    Column("line", CODE, "Position des Vertrags", required=True),
    Column("day", DAY, "Tag", required=True),
    Column("quantity", QUANTITY, "Menge", required=True),
    Column("source", CODE, "Quelle", required=True),
    owner="contract",
)  # fmt: skip
CHECKS = _file(
    "checks.csv", "Vereinbarte Prüfungen", AgreedCheck, "customer check starts_on",
    OF_CUSTOMER,
    Column("check", Text(200, lines=False), "Prüfung", required=True),
    Column("cadence", Cadence(), "Turnus", required=True),
    Column("starts_on", DAY, "erster Tag der Reihe", required=True),
    Column("duration_minutes", Integer(1, 10_000, "Minuten"), "Dauer"),
    _ref("technician", _employee("technician_id"), "Techniker"),
    Column("catch_up", _choice(CatchUp), "was nach einem Ausfall nachgeholt wird", default="latest"),
    Column("shift", _choice(Shift), "Verschiebung von freien Tagen", default="none"),
    _ref("covered_by_contract", OWN_CONTRACT, "Vertrag, der die Arbeit abdeckt"),
    owner="customer",
)  # fmt: skip
LICENCES = _file(
    "licences.csv", "Lizenzen", Licence, "customer product expires_on",
    OF_CUSTOMER,
    _ref("product", PRODUCT, "Artikel", required=True),
    Column("count", QUANTITY, "Anzahl"),
    Column("key", Text(2000), "Lizenzschlüssel"),
    Column("expires_on", DAY, "läuft ab am"),
    _ref("asset", ASSET, "Gerät"),
    owner="customer",
)  # fmt: skip
PURCHASE_ORDERS = _file(
    "purchase_orders.csv", "Bestellungen", PurchaseOrderLine, "number line",
    Column("number", CODE, "Bestellnummer", required=True),
    _ref("supplier", Ref(Supplier, "code", "supplier_id", "suppliers.csv", "Lieferant"), "Lieferant", required=True),
    Column("ordered_on", DAY, "bestellt am", required=True),
    OF_CUSTOMER,
    Column("customer_order", CODE, "Auftrag des Kunden", required=True),
    Column("line", CODE, "Position", required=True),
    _ref("product", PRODUCT, "Artikel", required=True),
    Column("quantity", QUANTITY, "Menge", required=True),
    Column("expected_on", DAY, "erwartet am"),
    owner="customer", fixed_owner=True,
)  # fmt: skip

FILES: tuple[File, ...] = (
    HOUSE, HOUSE_SITES, EMPLOYEES, PRICES, PRODUCTS, SUPPLIERS, CUSTOMERS, SITES, CONTACTS, AGREEMENTS, CONTRACTS,
    CONTRACT_LINES, OPENINGS, ASSETS, TICKETS, ENTRIES, USAGE, CHECKS, LICENCES, PURCHASE_ORDERS,
)  # fmt: skip
BY_NAME: dict[str, File] = {file.name: file for file in FILES}
