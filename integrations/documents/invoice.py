"""Invoices as people see them: one short page with report id and amount, the particulars that § 14 UStG asks for, no more."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from integrations.documents import text
from integrations.documents.address import envelope
from integrations.documents.address import postal_lines as postal_lines  # noqa: PLC0414 - other letters ask here too
from integrations.documents.contents import (
    DirectDebit,
    Face,
    InvoiceContent,
    InvoiceKind,
    InvoiceLine,
    Party,
    Unit,
    VatGroup,
)
from integrations.documents.engine import EmbeddedFile, engine
from integrations.documents.graphics import girocode, girocode_payload
from integrations.documents.signs import is_refund, signed

EXEMPT = "Umsatzsteuerfreie Leistung"
COPY_NOTE = "Kopie – das Original ging Ihnen als elektronische Rechnung per E-Mail zu."
_UNITS = {
    Unit.HOUR: "Std.",
    Unit.DAY: "Tage",
    Unit.TRIP: "Anfahrten",
    Unit.PIECE: "Stück",
    Unit.GB: "GB",
    Unit.MONTH: "Monate",
}
_ONE = {Unit.DAY: "Tag", Unit.TRIP: "Anfahrt", Unit.MONTH: "Monat"}


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    rate: Decimal
    net: Decimal
    quantity: str = ""
    detail: str = ""


def amount_of(quantity: Decimal, unit: Unit) -> str:
    """12.5, hour -> 12,50 Std.; 1, trip -> 1 Anfahrt"""
    whole = unit is not Unit.HOUR and quantity == quantity.to_integral_value()
    shown = text.number(quantity, 0) if whole else text.quantity(quantity)
    name = _ONE.get(unit, _UNITS[unit]) if abs(quantity) == 1 else _UNITS[unit]
    return f"{shown}\u00a0{name}"


def title_of(content: InvoiceContent) -> str:
    if content.kind is InvoiceKind.CANCELLATION:
        return "Stornorechnung"
    return "Rechnungskorrektur" if is_refund(content) else "Rechnung"


def _rows(content: InvoiceContent) -> list[Row]:
    """Service work: one row per report and VAT rate, naming only the report (S162). Everything else: line by line."""
    grouped: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    rows = []
    for line in content.lines:
        if content.kind is InvoiceKind.SERVICE or (content.kind is InvoiceKind.CANCELLATION and line.report_number):
            grouped[line.report_number or content.report_number, line.vat_rate] += line.net
        else:
            rows.append(_line_row(line))
    served = [
        Row(text=f"IT-Dienstleistungen gemäß Servicebericht {report}" if report else "IT-Dienstleistungen", rate=rate, net=net)
        for (report, rate), net in grouped.items()
    ]
    return served + rows


def _line_row(line: InvoiceLine) -> Row:
    return Row(
        text=line.name,
        detail=line.description,
        quantity=f"{amount_of(line.quantity, line.unit)}\u00a0× {text.price(line.price)}",
        rate=line.vat_rate,
        net=line.net,
    )


def _vat_label(group: VatGroup) -> str:
    if group.rate == 0:
        return f"{group.exemption_reason or EXEMPT}, {text.euro(group.net)}"
    return f"{text.percent(group.rate)} Umsatzsteuer auf {text.euro(group.net)}"


def _subject(content: InvoiceContent) -> str:
    served = f"Leistungszeitraum {text.period(content.supply_from, content.supply_to)}"
    about = {
        InvoiceKind.SERVICE: f"Servicebericht {content.report_number}" if content.report_number else "IT-Dienstleistungen",
        InvoiceKind.KONTINGENT: f"Kontingent {content.contract_number}".strip(),
        InvoiceKind.CORRECTION: f"Korrektur zum Kontingent {content.contract_number}".strip(),
        InvoiceKind.RECURRING: f"Vertrag {content.contract_number}".strip(),
        InvoiceKind.CANCELLATION: f"zu Rechnung {content.cancels.number}" if content.cancels else "Storno",
    }[content.kind]
    return f"{about} · {served}"


def _info(content: InvoiceContent) -> list[tuple[str, str]]:
    rows = [
        ("Rechnungsnummer", content.number),
        ("Datum", text.day(content.issued_on)),
        ("Leistungszeitraum", text.period(content.supply_from, content.supply_to)),
        ("Kundennummer", content.buyer.number),
        ("Ihre USt-IdNr.", content.buyer.vat_id if content.buyer.country not in {"DE", ""} else ""),
        ("Servicebericht", content.report_number),
        ("Vertrag", content.contract_number),
        ("Ihre Bestellung", content.order_reference),
        ("Ihre Referenz", content.buyer_reference),
        ("Leistungsort", _branch(content.ship_to)),
    ]
    if content.cancels:
        rows.append(("Bezug", f"{content.cancels.number} vom {text.day(content.cancels.issued_on)}"))
    return [(label, value) for label, value in rows if value]


def _branch(party: Party | None) -> str:
    return text.joined((party.site_name or party.name, party.city), ", ") if party else ""


def _opening(content: InvoiceContent) -> list[str]:
    if content.kind is InvoiceKind.CANCELLATION:
        original = f" {content.cancels.number} vom {text.day(content.cancels.issued_on)}" if content.cancels else ""
        first = f"hiermit heben wir unsere Rechnung{original} in voller Höhe auf."
    elif is_refund(content):
        first = "wir berichtigen unsere Abrechnung zu Ihren Gunsten wie folgt."
    elif content.kind is InvoiceKind.SERVICE:
        first = "für unsere Leistungen berechnen wir Ihnen den Betrag aus dem genannten Servicebericht."
    elif content.kind is InvoiceKind.KONTINGENT:
        first = "für Ihr Kontingent berechnen wir Ihnen den vereinbarten, gleichbleibenden Betrag."
    elif content.kind is InvoiceKind.CORRECTION:
        first = "Ihr Kontingent war überbucht. Wir berechnen Ihnen die fehlenden Stunden zum Stundenpreis Ihres Vertrags."
    else:
        first = "für die vereinbarten Leistungen berechnen wir Ihnen:"
    return ["Sehr geehrte Damen und Herren,", first, *([f"Grund: {content.reason}"] if content.reason else [])]


def _amount_label(content: InvoiceContent) -> str:
    """Not "Gutschrift": in tax law that is an invoice which the customer writes (§ 14 Abs. 2 UStG)."""
    if content.kind is InvoiceKind.CANCELLATION:
        return "Stornobetrag"
    return "Erstattungsbetrag" if content.totals.gross < 0 else "Rechnungsbetrag"


def _payment(content: InvoiceContent) -> list[str]:
    """How it is paid, line by line."""
    due, gross = text.day(content.due_on), text.euro(abs(content.totals.gross))
    if content.kind is InvoiceKind.CANCELLATION and content.totals.gross < 0:
        paid = f"Haben Sie die Rechnung schon bezahlt, verrechnen wir den Betrag von {gross} mit offenen Rechnungen oder "
        return [f"{paid}überweisen ihn Ihnen. Sonst brauchen Sie nichts zu tun."]
    if content.totals.gross < 0:
        return [f"Den Betrag von {gross} verrechnen wir mit offenen Rechnungen oder überweisen ihn Ihnen."]
    if isinstance(content.payment, DirectDebit):
        on = text.day(content.payment.collect_on or content.due_on)
        account = text.masked_iban(content.payment.iban)
        return [
            f"Den Betrag von {gross} ziehen wir am {on} mit SEPA-Lastschrift von Ihrem Konto {account} ein.",
            f"Mandatsreferenz {content.payment.mandate_reference}, Gläubiger-Identifikationsnummer {content.house.creditor_id}",
        ]
    bank = (text.iban(content.house.iban), f"BIC {content.house.bic}" if content.house.bic else "")
    return [
        f"Bitte überweisen Sie {gross} bis zum {due} ohne Abzug.",
        f"IBAN {text.joined(bank, ', ')}",
        f"Empfänger {content.house.name}",
        f"Verwendungszweck {content.number}",
    ]


def _closing(content: InvoiceContent) -> list[str]:
    sentences = []
    if content.kind is InvoiceKind.SERVICE and content.report_number:
        where = f" und im Service-Portal ({content.house.portal_url})" if content.house.portal_url else ""
        sentences.append(
            f"Alle Einzelheiten stehen im Servicebericht {content.report_number}. Sie haben ihn bereits per E-Mail erhalten "
            f"und finden ihn unter dieser Nummer in Ihrem Posteingang{where}."
        )
    if content.note:
        sentences.append(content.note)
    return sentences


def _girocode(content: InvoiceContent) -> Markup | None:
    if isinstance(content.payment, DirectDebit) or content.totals.gross <= 0 or not content.house.iban:
        return None
    payload = girocode_payload(
        name=text.clean(content.house.name),
        iban=content.house.iban,
        bic=content.house.bic,
        amount=content.totals.gross,
        reference=content.number,
    )
    return girocode(payload)


def _values(original: InvoiceContent, *, copy: bool) -> dict[str, Any]:
    content = signed(original)
    rows = _rows(content)
    title = title_of(content)
    groups = [{"label": _vat_label(group), "vat": group.vat} for group in content.totals.vat_groups]
    return {
        "c": content,
        "title": title,
        "subject": _subject(content),
        "keywords": ", ".join(k for k in (content.number, content.report_number, content.buyer.number) if k),
        "about": "dieser Rechnung" if content.kind is not InvoiceKind.CANCELLATION else "dieser Stornorechnung",
        "address": envelope(content.postal_address or content.buyer),
        "info": _info(content),
        "opening": _opening(content),
        "rows": rows,
        "with_rate": len({row.rate for row in rows}) > 1,
        "with_quantity": any(row.quantity for row in rows),
        "totals": {"net": content.totals.net, "gross": content.totals.gross, "vat_groups": groups},
        "amount_label": _amount_label(content),
        "payment": _payment(content),
        "closing": _closing(content),
        "girocode": _girocode(content),
        "copy_note": COPY_NOTE if copy else "",
    }


def render_invoice(content: InvoiceContent, xml: bytes, report_pdf: bytes | None = None) -> bytes:
    """The hybrid invoice: PDF/A-3u and PDF/UA-1 with the structured invoice and the service report inside.

    Args:
        content: what the page shows.
        xml: the checked structured invoice (`integrations.einvoice`); becomes factur-x.xml, or xrechnung.xml.
        report_pdf: the service report as it was mailed, if the invoice bills one.
    """
    xrechnung = content.face is Face.XRECHNUNG
    name = "xrechnung.xml" if xrechnung else "factur-x.xml"
    files = [EmbeddedFile(name, xml, "Alternative", f"Strukturierte Rechnung {content.number}")]
    if report_pdf:
        report = content.report_number or content.number
        files.append(EmbeddedFile(f"Servicebericht_{report}.pdf", report_pdf, "Supplement", f"Servicebericht {report}"))
    level = "XRECHNUNG" if xrechnung else "EN 16931"
    return engine().pdf("invoice", _values(content, copy=False), made=content.issued_on, files=files, factur_x=level)


def render_paper_face(content: InvoiceContent) -> bytes:
    """The letter: the same page, for the postal batch; marked as a copy when a structured invoice exists (§ 14c UStG)."""
    return engine().pdf("invoice", _values(content, copy=content.einvoice_exists), made=content.issued_on)
