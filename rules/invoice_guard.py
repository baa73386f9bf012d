"""Which face of an invoice the law allows from 2027 on (§ 14, § 27 Abs. 38 UStG, § 33 UStDV). Page: docs/rules/rechnungsform.md

Paper (or a plain PDF) alone is an invoice to a domestic business only while issue date and every supply date lie in the
same window of the transition. So December's bill that is issued in January 2027 already needs the e-invoice.
"""

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal

SMALL_AMOUNT = Decimal(250)
"""Gross EUR up to which an invoice may stay on paper (Kleinbetragsrechnung, § 33 UStDV)."""
_LAST_FREE_DAY = dt.date(2026, 12, 31)
_LAST_SMALL_HOUSE_DAY = dt.date(2027, 12, 31)


class Delivery(enum.StrEnum):
    """How the customer wants invoices."""

    POST = "post"
    EMAIL_EINVOICE = "email_einvoice"
    XRECHNUNG = "xrechnung"


class Face(enum.StrEnum):
    """A form in which the invoice leaves the house."""

    POST = "post"
    EINVOICE = "einvoice"
    XRECHNUNG = "xrechnung"


@dataclass(frozen=True, slots=True)
class GuardedInvoice:
    """What the law asks about an invoice.

    `supplied_from`, `supplied_to`: first and last day of supply. `large_turnover`: the house's turnover of the year
    before the issue was above 800 000 EUR. `domestic_business`: the recipient is a business seated in Germany.
    """

    issued_on: dt.date
    supplied_from: dt.date
    supplied_to: dt.date
    gross: Decimal
    large_turnover: bool
    domestic_business: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the e-invoice is mandatory, and why or why not, in German."""

    einvoice_required: bool
    reason: str


def judge(invoice: GuardedInvoice) -> Verdict:
    """Decide whether paper alone is still an invoice; whoever wants the e-invoice may always have it."""
    if not invoice.domestic_business:
        return Verdict(einvoice_required=False, reason="Der Empfänger ist kein inländischer Unternehmer.")
    if abs(invoice.gross) <= SMALL_AMOUNT:
        return Verdict(einvoice_required=False, reason="Kleinbetragsrechnung bis 250 Euro brutto (§ 33 UStDV).")
    days = (invoice.issued_on, invoice.supplied_from, invoice.supplied_to)
    if max(days) <= _LAST_FREE_DAY:
        return Verdict(einvoice_required=False, reason="Ausgestellt und geleistet bis 31.12.2026 (§ 27 Abs. 38 Nr. 1 UStG).")
    if min(days) > _LAST_FREE_DAY and max(days) <= _LAST_SMALL_HOUSE_DAY and not invoice.large_turnover:
        reason = "Ausgestellt und geleistet 2027, Vorjahresumsatz bis 800.000 Euro (§ 27 Abs. 38 Nr. 2 UStG)."
        return Verdict(einvoice_required=False, reason=reason)
    reason = (
        "Ausstellung und Leistung liegen nicht gemeinsam in einer Übergangsfrist: E-Rechnung ist Pflicht (§ 14 Abs. 2 UStG)."
    )
    return Verdict(einvoice_required=True, reason=reason)


def faces(delivery: Delivery, verdict: Verdict) -> tuple[Face, ...]:
    """The forms that leave the house: the customer's choice, and beside paper the e-invoice where the law demands it."""
    if delivery is Delivery.XRECHNUNG:
        return (Face.XRECHNUNG,)
    if delivery is Delivery.EMAIL_EINVOICE:
        return (Face.EINVOICE,)
    return (Face.POST, Face.EINVOICE) if verdict.einvoice_required else (Face.POST,)
