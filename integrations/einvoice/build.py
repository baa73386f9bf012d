"""From an `InvoiceContent` to Cross Industry Invoice XML (CII D16B) through drafthorse. BT and BG: terms of EN 16931."""

import base64
import enum
from decimal import Decimal

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration, TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.references import AdditionalReferencedDocument
from drafthorse.models.tradelines import LineItem

from integrations.documents.contents import (
    ContactPerson,
    DirectDebit,
    House,
    InvoiceContent,
    InvoiceLine,
    Party,
    VatGroup,
)
from integrations.documents.signs import is_refund, negated, signed
from integrations.documents.text import day
from integrations.einvoice.codes import (
    CLEARING,
    DIRECT_DEBIT,
    EXEMPT,
    TRANSFER,
    UNITS,
    category,
    decimal,
    money,
    plain,
    type_code,
)

CURRENCY = "EUR"
BUSINESS_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
EXEMPTION = "Umsatzsteuerfreie Leistung"
_LEITWEG_SCHEME = "0204"


class Profile(enum.StrEnum):
    """The specification that an invoice follows (BT-24)."""

    EN16931 = "urn:cen.eu:en16931:2017"
    XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"


def build_cii(content: InvoiceContent, profile: Profile = Profile.EN16931, *, report_pdf: bytes | None = None) -> bytes:
    """The structured invoice, unchecked: `check` says whether it may leave. The same content gives the same bytes.

    Args:
        content: amounts as the rows say them; a cancellation may name those of the original.
        profile: EN 16931 for ZUGFeRD, XRechnung for public customers.
        report_pdf: the service report; put inside the XML (BT-125) for XRechnung only, a hybrid PDF carries it itself.
    """
    said = negated(content) if is_refund(content) else signed(content)
    document = Document()
    document.context.guideline_parameter.id = profile.value
    document.context.business_parameter.id = BUSINESS_PROCESS
    document.header.id = plain(content.number)
    document.header.type_code = type_code(content)
    document.header.issue_date_time = content.issued_on
    for sentence in filter(None, (content.reason, content.note)):
        note = IncludedNote()
        note.content = plain(sentence)
        document.header.notes.add(note)
    _agreement(document, content, profile, report_pdf if profile is Profile.XRECHNUNG else None)
    _delivery(document, content)
    for position, line in enumerate(said.lines, start=1):
        document.trade.items.add(_line(position, line))
    _payment(document, said, profile)
    _sums(document, said)
    xml: bytes = document.serialize(schema=None)
    return xml


def _agreement(document: Document, content: InvoiceContent, profile: Profile, report_pdf: bytes | None) -> None:
    agreement = document.trade.agreement
    if content.buyer_reference:
        agreement.buyer_reference = plain(content.buyer_reference)
    _seller(agreement.seller, content.house, content.contact)
    _party(agreement.buyer, content.buyer)
    if content.buyer.attention:
        agreement.buyer.contact.person_name = plain(content.buyer.attention)
    if content.buyer.vat_id:
        agreement.buyer.tax_registrations.add(TaxRegistration(id=("VA", plain(content.buyer.vat_id))))
    if profile is Profile.XRECHNUNG and content.buyer_reference:
        agreement.buyer.electronic_address.uri_ID = (_LEITWEG_SCHEME, plain(content.buyer_reference))
    elif content.buyer.email:
        agreement.buyer.electronic_address.uri_ID = ("EM", plain(content.buyer.email))
    if content.order_reference:
        agreement.buyer_order.issuer_assigned_id = plain(content.order_reference)
    if content.contract_number:
        agreement.contract.issuer_assigned_id = plain(content.contract_number)
    for position, number in enumerate(_reports(content)):
        agreement.additional_references.add(_report(number, report_pdf if number == content.report_number else None, position))


def _reports(content: InvoiceContent) -> list[str]:
    """All service reports billed, the main one first."""
    numbers = (content.report_number, *(line.report_number for line in content.lines))
    return list(dict.fromkeys(number for number in numbers if number))


def _report(number: str, pdf: bytes | None, position: int) -> AdditionalReferencedDocument:
    """BG-24. Only the first may have a name or a file: CII readers warn about a second one."""
    reference = AdditionalReferencedDocument()
    reference.issuer_assigned_id = plain(number)
    reference.type_code = "916"
    if position == 0:
        reference.name = f"Servicebericht {plain(number)}"
        if pdf:
            file = f"Servicebericht_{plain(number)}.pdf"
            reference.attached_object = ("application/pdf", file, base64.b64encode(pdf).decode())
    return reference


def _seller(party: TradeParty, house: House, contact: ContactPerson) -> None:
    party.name = plain(house.name)
    register = ", ".join(filter(None, (house.register_court, house.register_no)))
    if register:
        party.description = plain(register)
    if house.register_no:
        party.legal_organization.id = plain(house.register_no)
    party.contact.person_name = plain(contact.name or house.name)
    party.contact.telephone.number = plain(contact.phone or house.phone)
    party.contact.email.address = plain(contact.email or house.email)
    _address(party, house)
    party.electronic_address.uri_ID = ("EM", plain(house.email))
    if house.tax_number:
        party.tax_registrations.add(TaxRegistration(id=("FC", plain(house.tax_number))))
    if house.vat_id:
        party.tax_registrations.add(TaxRegistration(id=("VA", plain(house.vat_id))))


def _party(party: TradeParty, of: Party) -> None:
    party.id = plain(f"{of.number}-{of.site_code}" if of.site_code else of.number)
    party.name = plain(of.name)
    _address(party, of)
    if of.site_name:
        party.address.line_two = plain(of.site_name)


def _address(party: TradeParty, of: House | Party) -> None:
    party.address.postcode = plain(of.postal_code)
    party.address.line_one = plain(of.street)
    party.address.city_name = plain(of.city)
    party.address.country_id = of.country or "DE"


def _delivery(document: Document, content: InvoiceContent) -> None:
    """BG-13: the branch that was served, else the buyer (the group must not be empty); BT-72 or the period of BG-14."""
    _party(document.trade.delivery.ship_to, content.ship_to or content.buyer)
    if content.supply_from == content.supply_to:
        document.trade.delivery.event.occurrence = content.supply_to
    period = document.trade.settlement.period
    period.start, period.end = content.supply_from, content.supply_to


def _line(position: int, line: InvoiceLine) -> LineItem:
    item = LineItem()
    item.document.line_id = str(position)
    if line.agreement is not None:
        note = IncludedNote()
        signed_on = f" vom {day(line.agreement.signed_on)}" if line.agreement.signed_on else ""
        note.content = f"Preis nach Kooperationsvereinbarung, Fassung {line.agreement.version}{signed_on}"
        item.document.notes.add(note)
    item.product.name = plain(line.name)
    if line.description:
        item.product.description = plain(line.description)
    item.agreement.net.amount = money(line.price)
    item.delivery.billed_quantity = (decimal(line.quantity), UNITS[line.unit])
    _rate(item.settlement.trade_tax, line.vat_rate)
    if line.period_from is not None:
        item.settlement.period.start = line.period_from
    if line.period_to is not None:
        item.settlement.period.end = line.period_to
    item.settlement.monetary_summation.total_amount = money(line.net)
    if line.report_number:  # BT-128: which report the line comes from
        item.settlement.additional_referenced_document.issuer_assigned_id = plain(line.report_number)
        item.settlement.additional_referenced_document.type_code = "130"
    return item


def _rate(tax: ApplicableTradeTax, rate: Decimal) -> None:
    tax.type_code = "VAT"
    tax.category_code = category(rate)
    tax.rate_applicable_percent = decimal(rate, 2)


def _payment(document: Document, content: InvoiceContent, profile: Profile) -> None:
    settlement, house = document.trade.settlement, content.house
    settlement.payment_reference = plain(content.number)
    settlement.currency_code = CURRENCY
    means, terms = PaymentMeans(), PaymentTerms()
    if is_refund(content) or content.totals.gross < 0 or type_code(content) != "380":
        means.type_code = CLEARING
        terms.description = "Der Betrag wird mit offenen Rechnungen verrechnet oder überwiesen."
    elif isinstance(content.payment, DirectDebit):
        means.type_code = DIRECT_DEBIT
        means.payer_account.iban = _compact(content.payment.iban)
        settlement.creditor_reference_id = plain(house.creditor_id)
        terms.debit_mandate_id = plain(content.payment.mandate_reference)
        terms.due = content.payment.collect_on or content.due_on
        terms.description = f"Einzug durch SEPA-Lastschrift am {day(content.payment.collect_on or content.due_on)}"
    else:
        means.type_code = TRANSFER
        means.payee_account.iban = _compact(house.iban)
        means.payee_account.account_name = plain(house.name)
        if house.bic and profile is Profile.EN16931:
            means.payee_institution.bic = _compact(house.bic)
        terms.due = content.due_on
        terms.description = f"Zahlbar bis {day(content.due_on)} ohne Abzug"
    settlement.payment_means.add(means)
    settlement.terms.add(terms)
    if content.cancels is not None:  # BT-25, BT-26
        settlement.invoice_referenced_document.issuer_assigned_id = plain(content.cancels.number)
        settlement.invoice_referenced_document.issue_date_time = content.cancels.issued_on


def _compact(value: str) -> str:
    return plain(value).replace(" ", "").upper()


def _sums(document: Document, content: InvoiceContent) -> None:
    settlement, totals = document.trade.settlement, content.totals
    for group in totals.vat_groups:
        settlement.trade_tax.add(_breakdown(group))
    sums = settlement.monetary_summation
    sums.line_total = money(sum((line.net for line in content.lines), Decimal(0)))
    sums.tax_basis_total = (money(totals.net), None)
    sums.tax_total = (money(totals.vat), CURRENCY)
    sums.grand_total = (money(totals.gross), None)
    sums.due_amount = money(totals.gross)


def _breakdown(group: VatGroup) -> ApplicableTradeTax:
    """BG-23."""
    tax = ApplicableTradeTax()
    tax.calculated_amount = money(group.vat)
    tax.basis_amount = money(group.net)
    _rate(tax, group.rate)
    if category(group.rate) == EXEMPT:
        tax.exemption_reason = plain(group.exemption_reason or EXEMPTION)
    return tax
