"""The Servicebericht: entries with technician, ticket, times and reason; money per group; the Kontingent; earlier matters."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from integrations.documents import text
from integrations.documents.address import postal_lines
from integrations.documents.contents import (
    AgreementReference,
    Charge,
    EntryLine,
    GroupLine,
    Kind,
    KontingentStatement,
    Place,
    RelatedTopic,
    ReportContent,
    Unit,
    VatGroup,
)
from integrations.documents.engine import engine
from integrations.documents.graphics import kontingent_chart
from integrations.documents.invoice import EXEMPT, amount_of
from kit.clock import local

LONG = 1500
"""Characters of an entry from which on it may be broken over pages."""
HEAD_OFFICE = "Hauptsitz"
BILLABLE_LEAD = "Links die berechneten Minuten je Eintrag."
FREE_LEAD = (
    "Diese Leistungen stellen wir Ihnen nicht in Rechnung; sie belasten auch kein Kontingent. Links die geleisteten Minuten."
)
_KINDS = {
    Kind.STANDARD: "Arbeitszeit",
    Kind.AFTER_HOURS: "Arbeitszeit außerhalb der Servicezeit",
    Kind.WEEKEND: "Arbeitszeit am Wochenende oder Feiertag",
    Kind.PROJECT_DAY: "Projekttage",
    Kind.TRIP: "Anfahrten",
}
_ENTRY_KINDS = {Kind.AFTER_HOURS: "außerhalb der Servicezeit", Kind.WEEKEND: "Wochenende", Kind.PROJECT_DAY: "Projekttag"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry, ready to print."""

    head: str
    """Minutes, in a column of their own, and the ticket."""
    text: str
    long: bool
    """Too long to be kept on one page."""


@dataclass(frozen=True, slots=True)
class Part:
    """The billable or the other entries of one site."""

    title: str
    lead: str
    entries: list[Shown]
    total: str


def render_report(content: ReportContent, *, tagged: bool = False) -> bytes:
    """PDF/A-3u. The report id stands in title, heading, every page's header, and in the metadata.

    Args:
        content: the report.
        tagged: also PDF/UA-1, for readers who listen to it; costs a tenth more.

    Raises:
        RenderError: the document could not be set.
    """
    return engine().pdf("report", _values(content), made=content.issued_on, tagged=tagged)


def _values(content: ReportContent) -> dict[str, Any]:
    billable = [e for e in content.entries if e.billable]
    free = [e for e in content.entries if not e.billable]
    sites = len({e.site for e in content.entries}) > 1
    totals = content.totals
    return {
        "c": content,
        "subject": _subject(content),
        "keywords": ", ".join((content.number, content.customer.number, text.month(content.month))),
        "address": postal_lines(content.payer),
        "opening": _opening(content),
        "facts": _facts(content, billable, free),
        "parts": [*_parts(billable, content.month, named=sites), *_parts(free, content.month, named=sites)],
        "groups": [_group(g, content.agreement) for g in content.groups],
        "totals": {
            "net": totals.net if totals else Decimal(0),
            "gross": totals.gross if totals else Decimal(0),
            "vat_groups": [{"label": _vat_label(g), "vat": g.vat} for g in totals.vat_groups] if totals else [],
        },
        "after_groups": _price_source(content),
        "kontingent": [_statement(k) for k in content.kontingent],
        "related": [{"topic": r.topic, "text": _history(r)} for r in content.related],
        "hints": _hints(content),
    }


def _vat_label(group: VatGroup) -> str:
    return f"{text.percent(group.rate)} Umsatzsteuer" if group.rate else group.exemption_reason or EXEMPT


def _subject(content: ReportContent) -> str:
    made = f"erstellt am {text.day(content.issued_on)}"
    return text.joined((f"Leistungen im {text.month(content.month)}", f"Kundennummer {content.customer.number}", made))


def _opening(content: ReportContent) -> str:
    if not content.entries:
        return "Guten Tag, in diesem Monat sind keine Leistungen angefallen."
    tail = " Die Rechnung dazu nennt nur noch diese Nummer und den Betrag." if content.groups else ""
    return f"Guten Tag, hier sehen Sie, was wir für Sie getan haben, wer tätig war und wie es abgerechnet wird.{tail}"


def _facts(content: ReportContent, billable: list[EntryLine], free: list[EntryLine]) -> list[dict[str, str]]:
    """The three or four figures that a reader looks for first."""
    facts = []
    if billable:
        facts.append(_fact("Abrechenbar", sum(e.billed_minutes for e in billable), len(billable)))
    if free:
        facts.append(_fact("Nicht abrechenbar", sum(e.raw_minutes for e in free), len(free)))
    facts += [
        {"label": f"Stand Kontingent {statement.contract_number}", "value": text.hours(statement.balance)}
        for statement in content.kontingent[:2]
    ]
    if content.entries:
        gross = content.totals.gross if content.totals else Decimal(0)
        facts.append({"label": "Rechnungsbetrag brutto", "value": text.euro(gross)})
    return facts


def _fact(label: str, minutes: int, count: int) -> dict[str, str]:
    return {"label": f"{label}, {'1 Eintrag' if count == 1 else f'{count} Einträge'}", "value": text.hours(minutes)}


def _parts(entries: list[EntryLine], month: dt.date, *, named: bool) -> list[Part]:
    """Entries of one sort, grouped by site: sites in order of first appearance, entries in the order given."""
    order = list(dict.fromkeys(e.site for e in entries))
    parts: list[Part] = []
    for site, found in groupby(sorted(entries, key=_position(order)), key=lambda e: e.site):
        mine = list(found)
        billable, where = mine[0].billable, site or HEAD_OFFICE
        title = "Abrechenbare Leistungen" if billable else "Nicht abrechenbare Leistungen"
        whose = f" für {where}" if named or site else ""
        minutes = sum(e.billed_minutes if billable else e.raw_minutes for e in mine)
        parts.append(
            Part(
                title=f"{title} · {where}" if named or site else title,
                lead=BILLABLE_LEAD if billable else FREE_LEAD,
                entries=[_shown(e, month) for e in mine],
                total=f"{'Berechnet' if billable else 'Geleistet'}{whose}: {text.hours(minutes)}",
            )
        )
    return parts


def _position(order: list[str]) -> Callable[[EntryLine], int]:
    rank = {site: index for index, site in enumerate(order)}
    return lambda entry: rank[entry.site]


def _shown(entry: EntryLine, month: dt.date) -> Shown:
    done = f"{_when(entry, month)}, geleistet {_minutes(entry.raw_minutes)}" if entry.billable else _when(entry, month)
    lines = [text.joined((done, entry.technician, *_circumstances(entry, month), _charge(entry))), *text.paragraphs(entry.text)]
    if not entry.billable:
        lines.append(f"Nicht berechnet: {entry.reason}")
    minutes = entry.billed_minutes if entry.billable else entry.raw_minutes
    return Shown(
        # figure spaces are as wide as digits: the minutes stand in a column that costs no table
        head=f"{minutes:\u2007>4}\u00a0min\u2002\u2002{text.joined((entry.ticket_number, entry.ticket_subject))}",
        text="".join(f"\n{line}" for line in lines),
        long=sum(map(len, lines)) > LONG,
    )


def _late(entry: EntryLine, month: dt.date) -> bool:
    return (entry.work_date.year, entry.work_date.month) != (month.year, month.month)


def _when(entry: EntryLine, month: dt.date) -> str:
    """Do 01.10. 09:10–10:00; with the year when it is not the month of the report."""
    day = text.day(entry.work_date) if _late(entry, month) else f"{entry.work_date:%d.%m.}"
    shown = f"{text.weekday(entry.work_date)} {day}"
    if entry.started_at is None:
        return shown
    start = f"{local(entry.started_at):%H:%M}"
    return f"{shown} {start}–{local(entry.ended_at):%H:%M}" if entry.ended_at else f"{shown} ab {start}"


def _circumstances(entry: EntryLine, month: dt.date) -> Iterable[str]:
    yield "vor Ort" if entry.place is Place.ON_SITE else "Fernwartung"
    if entry.kind in _ENTRY_KINDS:
        yield _ENTRY_KINDS[entry.kind]
    if entry.trips:
        yield "1 Anfahrt" if entry.trips == 1 else f"{entry.trips} Anfahrten"
    if _late(entry, month):
        yield f"Nachtrag zum {text.month(entry.work_date)}"


def _minutes(minutes: int) -> str:
    return f"{minutes:,}\u00a0min".replace(",", ".")


def _charge(entry: EntryLine) -> str:
    """Where it is charged; nothing for what is not billed."""
    kontingent = f"Kontingent {entry.contract_number}".strip()
    if entry.charge is Charge.KONTINGENT and entry.kontingent_minutes not in (0, entry.billed_minutes):
        return f"{_minutes(entry.kontingent_minutes)} {kontingent}"
    if entry.charge is Charge.SPLIT:
        return f"{_minutes(entry.kontingent_minutes)} {kontingent}, {_minutes(entry.invoiced_minutes)} Rechnung"
    return {Charge.INVOICE: "Rechnung", Charge.KONTINGENT: kontingent}.get(entry.charge, "")


def _group(group: GroupLine, current: AgreementReference | None) -> dict[str, str]:
    label, agreement = _KINDS[group.kind], group.agreement
    if agreement is not None and (current is None or agreement.version != current.version):
        label = f"{label} (Vereinbarung Fassung {agreement.version})"
    amount = text.number(group.quantity, 0) if group.unit is Unit.TRIP else amount_of(group.quantity, group.unit)
    return {
        "label": f"{label}, {amount} × {text.price(group.price)}",
        "net": text.euro(group.net),
    }


def _price_source(content: ReportContent) -> list[str]:
    """Where each price comes from (S96, S104)."""
    agreement = content.agreement
    if agreement is None or not content.groups:
        return []
    signed = f" vom {text.day(agreement.signed_on)}" if agreement.signed_on else ""
    kinds = {g.kind for g in content.groups}
    stated = []
    if agreement.hour_price is not None and kinds & {Kind.STANDARD, Kind.AFTER_HOURS, Kind.WEEKEND}:
        stated.append(f"{text.price(agreement.hour_price)} je Stunde")
    if agreement.after_hours_percent is not None and Kind.AFTER_HOURS in kinds:
        stated.append(f"{text.percent(agreement.after_hours_percent)} Zuschlag außerhalb der Servicezeit")
    if agreement.weekend_percent is not None and Kind.WEEKEND in kinds:
        stated.append(f"{text.percent(agreement.weekend_percent)} Zuschlag am Wochenende")
    if agreement.day_price is not None and Kind.PROJECT_DAY in kinds:
        stated.append(f"{text.price(agreement.day_price)} je Projekttag")
    for trip in (g for g in content.groups if g.kind is Kind.TRIP):
        own = "" if trip.price == agreement.travel_price else " (Preis Ihrer Niederlassung)"
        stated.append(f"{text.price(trip.price)} je Anfahrt{own}")
    what = f": {', '.join(stated)}, jeweils netto" if stated else ""
    return [f"Preise nach der Kooperationsvereinbarung, Fassung {agreement.version}{signed}{what}."]


def _statement(statement: KontingentStatement) -> dict[str, Any]:
    where = f" · {statement.site}" if statement.site else ""
    parts = [f"Übertrag {text.hours(statement.carried)}", f"+ Gutschrift {text.hours(statement.granted)}"]
    parts.append(f"− Verbrauch {text.hours(statement.used)}")
    if statement.corrected:
        parts.append(f"+ Korrektur {text.hours(statement.corrected)}")
    return {
        "title": f"Kontingent {statement.contract_number}{where}",
        "calculation": f"{' '.join(parts)} = ",
        "balance": f"Stand am Monatsende {text.hours(statement.balance)}",
        "chart": kontingent_chart(statement.history) if len(statement.history) > 1 else None,
        "sentences": list(_statement_sentences(statement)),
    }


def _statement_sentences(statement: KontingentStatement) -> Iterable[str]:
    if statement.balance > 0:
        yield f"Der Rest von {text.hours(statement.balance)} bleibt Ihnen ohne Verfall erhalten."
    if statement.balance < 0 and not statement.correction_proposed:
        yield f"Das Kontingent ist um {text.hours(-statement.balance)} überbucht; kommende Gutschriften gleichen das aus."
    if statement.correction_proposed:
        rate = f" zum Stundenpreis von {text.price(statement.hour_price)} netto" if statement.hour_price is not None else ""
        yield (
            f"Das Kontingent ist um {text.hours(statement.correction_proposed)} überbucht. Wir prüfen, ob diese Stunden{rate} "
            "ausgeglichen werden; berechnet wird erst, was danach freigegeben ist."
        )
    if not statement.includes_travel:
        yield "Anfahrten sind im Kontingent nicht enthalten."


def _history(topic: RelatedTopic) -> str:
    parts = []
    if topic.tickets:
        label = "Ticket" if len(topic.tickets) == 1 else "Tickets"
        parts.append(f"{label} {', '.join(topic.tickets)}")
    for document in topic.documents:
        invoice = f" mit Rechnung {document.invoice_number}" if document.invoice_number else ""
        parts.append(f"Servicebericht {document.report_number} vom {text.day(document.issued_on)}{invoice}")
    return "; ".join(parts)


def _hints(content: ReportContent) -> list[str]:
    hints = list(content.hints)
    for excluded in content.excluded:
        amount = "Ein Eintrag ist" if excluded.count == 1 else f"{excluded.count} Einträge sind"
        hints.append(
            f"{amount} durch {excluded.contract_kind} {excluded.contract_number} gedeckt und hier nicht aufgeführt; "
            "Sie finden das in der Abrechnung zu diesem Vertrag."
        )
    return hints
