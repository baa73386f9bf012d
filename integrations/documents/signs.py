"""What sign an invoice's amounts carry: one place for the page and for the structured invoice."""

from dataclasses import replace
from decimal import Decimal

from integrations.documents.contents import InvoiceContent, InvoiceKind, InvoiceLine, Totals


def is_refund(content: InvoiceContent) -> bool:
    """A correction in the customer's favour."""
    return content.kind is InvoiceKind.CORRECTION and content.totals.gross < 0


def negated(content: InvoiceContent) -> InvoiceContent:
    """Quantities, net, VAT and gross with the other sign; prices stay."""
    groups = tuple(replace(g, net=-g.net, vat=-g.vat) for g in content.totals.vat_groups)
    totals = Totals(net=-content.totals.net, vat=-content.totals.vat, gross=-content.totals.gross, vat_groups=groups)
    return replace(content, lines=tuple(map(_negated_line, content.lines)), totals=totals)


def _negated_line(line: InvoiceLine) -> InvoiceLine:
    return replace(line, quantity=-line.quantity, net=-line.net)


def signed(content: InvoiceContent) -> InvoiceContent:
    """As the customer reads it: a cancellation takes back, so its sums are below zero, however they came in."""
    if content.kind is InvoiceKind.CANCELLATION and content.totals.gross > Decimal(0):
        return negated(content)
    return content
