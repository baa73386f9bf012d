"""Fictional contents of documents of every kind, for tests and the benchmark."""

import datetime as dt
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.documents.contents import (
    AgreementReference,
    Charge,
    ContactPerson,
    DirectDebit,
    EarlierDocument,
    EntryLine,
    ExcludedHint,
    Face,
    GroupLine,
    House,
    InvoiceContent,
    InvoiceKind,
    InvoiceLine,
    InvoiceReference,
    Kind,
    KontingentMonth,
    KontingentStatement,
    Party,
    Place,
    PostalItem,
    PostalListContent,
    RelatedTopic,
    ReportContent,
    Totals,
    Transfer,
    Unit,
    VatGroup,
)
from kit.clock import at_local

OCTOBER = dt.date(2026, 10, 1)
OCTOBER_END = dt.date(2026, 10, 31)
REPORT = "SB-2026-000417"

HOUSE = House(
    name="Turmblick IT-Systemhaus GmbH",
    street="Am Wehr 4",
    postal_code="52349",
    city="Düren",
    tax_number="207/5713/0421",
    vat_id="DE811907980",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
    creditor_id="DE98ZZZ09999999999",
    register_court="Amtsgericht Düren",
    register_no="HRB 9041",
    email="service@turmblick.example",
    phone="+49 2421 55010",
    portal_url="https://portal.turmblick.example",
)
CUSTOMER = Party(
    number="K1001",
    name="Möbelwerkstätten Überländer GmbH & Co. KG",
    street="Gewerbestraße 17a",
    postal_code="52351",
    city="Düren",
    vat_id="DE123456789",
    email="rechnung@ueberlaender.example",
    attention="Buchhaltung",
)
BRANCH = Party(
    number="K1001",
    name=CUSTOMER.name,
    street="Hafenbecken 2",
    postal_code="41460",
    city="Neuss",
    site_code="NE",
    site_name="Lager Neuss",
    email="neuss@ueberlaender.example",
)
CONTACT = ContactPerson(
    name="Jana Krüger", role="Ihre Kundenbetreuerin", phone="+49 2421 55010-23", email="jana.krueger@turmblick.example"
)
AGREEMENT = AgreementReference(
    version=2,
    signed_on=dt.date(2025, 3, 14),
    hour_price=Decimal(95),
    day_price=Decimal(760),
    travel_price=Decimal(45),
    after_hours_percent=Decimal(50),
    weekend_percent=Decimal(100),
)
DEBIT = DirectDebit(mandate_reference="TB-2021-0042", iban="DE02500105170137075030", collect_on=dt.date(2026, 11, 18))
LEITWEG = "04011000-12345-03"

TECHNICIANS = ("Jonas Weidenbrück", "Aylin Öztürk", "Friederike Schäfer-Lindemann", "Marek Nowak")
SUBJECTS = ("Drucker im Versand druckt nicht", "Outlook startet nicht", "VPN-Zugang Zweigstelle", "Sicherung prüfen")
TEXTS = (
    "Drucker neu angebunden und Treiber auf der aktuellen Version eingerichtet, Testseite in Ordnung.",
    "Postfach repariert, Regeln geprüft.",
    (
        "Firewall-Regel für die Zweigstelle ergänzt, VPN-Verbindung mit Frau Größner am Telefon getestet; Protokoll im "
        "Ticket abgelegt. Die alte Regel wurde nach Rücksprache gelöscht."
    ),
    "Datensicherung der Nacht geprüft und fehlgeschlagenen Auftrag neu gestartet.",
)
MINUTES = (20, 50, 95, 15)


def totals(*nets: tuple[int, str]) -> Totals:
    """From (rate, net) pairs."""
    groups = tuple(
        VatGroup(
            rate=Decimal(rate),
            net=Decimal(net),
            vat=(Decimal(net) * Decimal(rate) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP),
        )
        for rate, net in nets
    )
    net, vat = sum((g.net for g in groups), Decimal(0)), sum((g.vat for g in groups), Decimal(0))
    return Totals(net=net, vat=vat, gross=net + vat, vat_groups=groups)


# --- reports ---------------------------------------------------------------------------------------------------------------


def entry(index: int, **changes: Any) -> EntryLine:
    """A plausible entry; every sixth is not billable, every third draws on the Kontingent."""
    free, which = index % 6 == 5, index % 4
    charge = Charge.NONE if free else Charge.KONTINGENT if index % 3 == 0 else Charge.INVOICE
    day = OCTOBER + dt.timedelta(days=index % 28)
    values: dict[str, Any] = {
        "id": f"L-{index}",
        "work_date": day,
        "started_at": at_local(day, dt.time(9 + index % 7, 10)),
        "ended_at": at_local(day, dt.time(10 + index % 7, 0)),
        "technician": TECHNICIANS[which],
        "ticket_number": f"T-2026-{1000 + index:06d}",
        "ticket_subject": SUBJECTS[which],
        "text": TEXTS[which],
        "place": Place.ON_SITE if which == 2 else Place.REMOTE,
        "kind": Kind.AFTER_HOURS if index == 4 else Kind.STANDARD,
        "raw_minutes": MINUTES[which],
        "billed_minutes": 0 if free else -(-MINUTES[which] // 15) * 15,
        "billable": not free,
        "reason": "Fehlalarm der Überwachung" if free else "",
        "charge": charge,
        "contract_number": "V-2041" if charge is Charge.KONTINGENT else "",
        "trips": 1 if which == 2 else 0,
    }
    return EntryLine(**(values | changes))


def history(months: int = 12) -> tuple[KontingentMonth, ...]:
    used = (480, 620, 700, 300, 560, 640, 720, 690, 580, 910, 610, 600)
    found, balance = [], 300
    for index in range(months):
        year, month = divmod(2025 * 12 + 10 + index, 12)
        balance += 600 - used[index % 12]
        found.append(KontingentMonth(month=dt.date(year, month + 1, 1), granted=600, used=used[index % 12], balance=balance))
    return tuple(found)


def statement(**changes: Any) -> KontingentStatement:
    values: dict[str, Any] = {
        "contract_number": "V-2041",
        "carried": 90,
        "granted": 600,
        "used": 600,
        "corrected": 0,
        "balance": 90,
        "overdraft_allowed": True,
        "hour_price": Decimal(88),
        "history": history(),
    }
    return KontingentStatement(**(values | changes))


def group(kind: Kind, quantity: str, unit: Unit, price: str, net: str, rate: str = "19", **changes: Any) -> GroupLine:
    values: dict[str, Any] = {"agreement": AGREEMENT} | changes
    return GroupLine(
        kind=kind,
        quantity=Decimal(quantity),
        unit=unit,
        price=Decimal(price),
        vat_rate=Decimal(rate),
        net=Decimal(net),
        **values,
    )


GROUPS = (
    group(Kind.STANDARD, "12.25", Unit.HOUR, "95", "1163.75"),
    group(Kind.AFTER_HOURS, "1.5", Unit.HOUR, "142.50", "213.75"),
    group(Kind.TRIP, "2", Unit.TRIP, "45", "90"),
)


def report(count: int = 20, **changes: Any) -> ReportContent:
    """A full report: billable and other work, money, a Kontingent with its history, earlier matters, an exclusion."""
    values: dict[str, Any] = {
        "number": REPORT,
        "month": OCTOBER,
        "issued_on": dt.date(2026, 11, 2),
        "house": HOUSE,
        "customer": CUSTOMER,
        "payer": CUSTOMER,
        "contact": CONTACT,
        "entries": tuple(entry(i) for i in range(count)),
        "groups": GROUPS,
        "totals": totals((19, "1467.50")),
        "kontingent": (statement(),),
        "excluded": (ExcludedHint(contract_number="V-3310", contract_kind="Mietvertrag", count=2),),
        "related": (
            RelatedTopic(
                topic="Drucker im Versand",
                tickets=("T-2026-000731", "T-2026-000802"),
                documents=(
                    EarlierDocument(
                        report_number="SB-2026-000355", issued_on=dt.date(2026, 9, 2), invoice_number="RE-2026-000260"
                    ),
                ),
            ),
        ),
        "agreement": AGREEMENT,
    }
    return ReportContent(**(values | changes))


# --- invoices --------------------------------------------------------------------------------------------------------------


def line(name: str, quantity: str, unit: Unit, price: str, net: str, rate: str = "19", **changes: Any) -> InvoiceLine:
    values: dict[str, Any] = {"period_from": OCTOBER, "period_to": OCTOBER_END} | changes
    return InvoiceLine(
        name=name,
        quantity=Decimal(quantity),
        unit=unit,
        price=Decimal(price),
        vat_rate=Decimal(rate),
        net=Decimal(net),
        **values,
    )


def service_line(name: str, quantity: str, unit: Unit, price: str, net: str) -> InvoiceLine:
    return line(f"{name} gemäß Servicebericht {REPORT}", quantity, unit, price, net, report_number=REPORT, agreement=AGREEMENT)


SERVICE_LINES = (
    service_line("IT-Dienstleistungen (Arbeitszeit)", "12.25", Unit.HOUR, "95.00", "1163.75"),
    service_line("IT-Dienstleistungen (außerhalb der Servicezeit)", "1.5", Unit.HOUR, "142.50", "213.75"),
    service_line("Anfahrten", "2", Unit.TRIP, "45.00", "90.00"),
)


def invoice(**changes: Any) -> InvoiceContent:
    """The service invoice to `report`."""
    values: dict[str, Any] = {
        "number": "RE-2026-000311",
        "kind": InvoiceKind.SERVICE,
        "issued_on": dt.date(2026, 11, 3),
        "supply_from": OCTOBER,
        "supply_to": OCTOBER_END,
        "due_on": dt.date(2026, 11, 17),
        "house": HOUSE,
        "buyer": CUSTOMER,
        "contact": CONTACT,
        "lines": SERVICE_LINES,
        "totals": totals((19, "1467.50")),
        "payment": Transfer(),
        "report_number": REPORT,
    }
    return InvoiceContent(**(values | changes))


def kontingent_invoice(**changes: Any) -> InvoiceContent:
    values: dict[str, Any] = {
        "number": "RE-2026-000312",
        "kind": InvoiceKind.KONTINGENT,
        "report_number": "",
        "contract_number": "V-2041",
        "lines": (line("IT-Service-Kontingent 10/2026", "10", Unit.HOUR, "88.00", "880.00"),),
        "totals": totals((19, "880.00")),
        "payment": DEBIT,
    }
    return invoice(**(values | changes))


def correction(**changes: Any) -> InvoiceContent:
    values: dict[str, Any] = {
        "number": "RE-2026-000313",
        "kind": InvoiceKind.CORRECTION,
        "lines": (line("Überbuchte Stunden zum Kontingent V-2041", "4.25", Unit.HOUR, "88.00", "374.00"),),
        "totals": totals((19, "374.00")),
        "payment": Transfer(),
    }
    return kontingent_invoice(**(values | changes))


def refund(**changes: Any) -> InvoiceContent:
    values: dict[str, Any] = {
        "number": "RE-2026-000314",
        "lines": (line("Überbuchte Stunden, zurückgenommen", "-1", Unit.HOUR, "88.00", "-88.00"),),
        "totals": totals((19, "-88.00")),
        "cancels": InvoiceReference(number="RE-2026-000313", issued_on=dt.date(2026, 11, 3)),
        "reason": "Eine Stunde war doppelt erfasst.",
    }
    return correction(**(values | changes))


def recurring(**changes: Any) -> InvoiceContent:
    """Three VAT rates, units of every sort, a price with four decimals."""
    values: dict[str, Any] = {
        "number": "RE-2026-000315",
        "kind": InvoiceKind.RECURRING,
        "report_number": "",
        "contract_number": "V-3310",
        "lines": (
            line("Mietserver", "1", Unit.MONTH, "289.00", "289.00", description="Seriennummer CZ12345678, Standort Düren"),
            line("Verwaltete Firewall mit Überwachung", "2", Unit.PIECE, "49.90", "99.80"),
            line("Sicherung im Rechenzentrum", "1284.5", Unit.GB, "0.0825", "105.97", description="Verbrauch im Oktober"),
            line("Fachbuch Datenschutz", "3", Unit.PIECE, "39.80", "119.40", "7"),
            line("Schulung nach § 4 Nr. 21 UStG", "1", Unit.DAY, "900.00", "900.00", "0"),
        ),
        "totals": totals((19, "494.77"), (7, "119.40"), (0, "900.00")),
    }
    return invoice(**(values | changes))


def cancellation(**changes: Any) -> InvoiceContent:
    values: dict[str, Any] = {
        "number": "RE-2026-000400",
        "kind": InvoiceKind.CANCELLATION,
        "issued_on": dt.date(2026, 11, 9),
        "cancels": InvoiceReference(number="RE-2026-000311", issued_on=dt.date(2026, 11, 3)),
        "reason": "Falscher Leistungszeitraum; Sie erhalten eine neue Rechnung.",
    }
    return invoice(**(values | changes))


def public(**changes: Any) -> InvoiceContent:
    """XRechnung to a branch that pays for itself."""
    values: dict[str, Any] = {
        "number": "RE-2026-000317",
        "buyer": BRANCH,
        "face": Face.XRECHNUNG,
        "buyer_reference": LEITWEG,
        "order_reference": "B 4711/26",
        "contract_number": "V-2041",
    }
    return invoice(**(values | changes))


def every_invoice() -> dict[str, InvoiceContent]:
    """Kind -> content, one of each sort that leaves the house."""
    return {
        "service": invoice(),
        "kontingent": kontingent_invoice(),
        "correction": correction(),
        "refund": refund(),
        "recurring": recurring(),
        "cancellation": cancellation(),
        "branch": invoice(number="RE-2026-000316", ship_to=BRANCH, payment=DEBIT),
        "public": public(),
        "public-debit": public(number="RE-2026-000318", payment=DEBIT),
        "public-cancellation": public(
            number="RE-2026-000401", kind=InvoiceKind.CANCELLATION, cancels=cancellation().cancels, reason="Doppelt gestellt."
        ),
        "foreign": invoice(number="RE-2026-000319", buyer=replace(CUSTOMER, name="Etablissements Dubois SA", country="BE")),
    }


def postal_list(letters: int = 3) -> PostalListContent:
    return PostalListContent(
        batch="2026-10/1",
        month=OCTOBER,
        issued_on=dt.date(2026, 11, 3),
        house=HOUSE,
        items=tuple(
            PostalItem(
                invoice_number=f"RE-2026-{311 + i:06d}",
                customer_number="K1001",
                recipient=CUSTOMER,
                report_number=REPORT,
                gross=Decimal("1746.33"),
            )
            for i in range(letters)
        ),
    )
