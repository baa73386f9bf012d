"""Angebot über eine Managed-Services-Leistung: a device by the month, set-up and continuous updates as options (S139, S140)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.documents import text
from integrations.documents.contents import ContactPerson, House, Party
from integrations.documents.engine import engine
from integrations.documents.maintenance import address_lines, frame
from rules.money import vat_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLine:
    """One position; net EUR, once or by the month. An option counts only if the customer ticks it."""

    title: str
    text: str
    net: Decimal
    monthly: bool
    option: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferContent:
    """An offer as it is sent; `vat_rate` in percent."""

    house: House
    customer: Party
    contact: ContactPerson
    number: str
    made_on: dt.date
    valid_until: dt.date
    subject: str
    lines: tuple[OfferLine, ...]
    vat_rate: Decimal


def render_offer(content: OfferContent) -> bytes:
    """PDF/A-3u, tagged; with boxes to tick and a place to sign. Raises: RenderError."""
    values = {
        "c": content,
        "title": f"Angebot {content.number}",
        "subject": text.joined(
            (
                content.subject,
                f"vom {text.day(content.made_on)}",
                f"gültig bis {text.day(content.valid_until)}",
                f"Kundennummer {content.customer.number}",
            )
        ),
        "address": address_lines(content.customer),
        "lines": [_line(line) for line in content.lines],
        "sums": _sums(content),
        "vat": f"Alle Preise sind Nettopreise zuzüglich {content.vat_rate.normalize():f} % Umsatzsteuer.",
        "options": any(line.option for line in content.lines),
    } | frame(content.house, content.contact, "diesem Angebot")
    return engine().pdf("offer", values, made=content.made_on)


def _line(line: OfferLine) -> dict[str, Any]:
    return {
        "box": "□" if line.option else "",
        "title": line.title,
        "text": line.text,
        "price": f"{text.euro(line.net)} {'monatlich' if line.monthly else 'einmalig'}",
    }


def _sums(content: OfferContent) -> list[tuple[str, str]]:
    """What the month costs as it is, and with everything that can be chosen; the same for what is paid once."""
    told: list[tuple[str, str]] = []
    for monthly, word in ((True, "monatlich"), (False, "einmalig")):
        mine = [line for line in content.lines if line.monthly is monthly]
        basis = sum((line.net for line in mine if not line.option), Decimal(0))
        every = sum((line.net for line in mine), Decimal(0))
        if basis:
            told.append((f"{word}", _both(basis, content.vat_rate)))
        if every != basis:
            told.append((f"{word} mit allen Optionen", _both(every, content.vat_rate)))
    return told


def _both(net: Decimal, rate: Decimal) -> str:
    return f"{text.euro(net)} netto, {text.euro(net + vat_of(net, rate))} brutto"
