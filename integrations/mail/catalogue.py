"""Every mail the house sends by itself, as a function with the values it needs: the typed side of `templates/mail/`."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from integrations.documents.contents import ContactPerson, House
from integrations.mail.texts import render_mail
from integrations.mail.types import BouncedRecipient, MailTexts


def service_report_mail(
    *, house: House, contact: ContactPerson, customer: str, report_id: str, month: dt.date, invoice_follows: bool
) -> MailTexts:
    """Servicebericht, before any invoice (S163). Subject and body hold its id, so that a mailbox search finds it (S165)."""
    return render_mail(
        "service_report",
        {
            "house": house,
            "contact": contact,
            "customer": customer,
            "report_id": report_id,
            "month": month,
            "invoice_follows": invoice_follows,
        },
    )


def invoice_mail(
    *,
    house: House,
    contact: ContactPerson,
    customer: str,
    number: str,
    issued_on: dt.date,
    gross: Decimal,
    due_on: dt.date,
    face: Literal["zugferd", "xrechnung"],
    report_id: str = "",
    cancels: str = "",
    collect_on: dt.date | None = None,
    mandate_reference: str = "",
    also_by_post: bool = False,
) -> MailTexts:
    """Rechnung or, with `cancels`, Stornorechnung. The subject names its number only, never the report.

    `collect_on` announces the direct debit (pre-notification with day and amount).
    """
    return render_mail(
        "invoice",
        {
            "house": house,
            "contact": contact,
            "customer": customer,
            "number": number,
            "issued_on": issued_on,
            "gross": gross,
            "due_on": due_on,
            "face": face,
            "report_id": report_id,
            "cancels": cancels,
            "collect_on": collect_on,
            "mandate_reference": mandate_reference,
            "also_by_post": also_by_post,
        },
    )


def bounce_notice_mail(
    *,
    house: House,
    document: str,
    customer: str,
    customer_number: str,
    bounced_at: dt.datetime,
    recipients: Sequence[BouncedRecipient],
    holds_invoice: bool,
    mail_url: str,
    task: str,
) -> MailTexts:
    """To the account manager: a document came back, somebody must find the right address (U9, U17)."""
    return render_mail(
        "bounce_notice",
        {
            "house": house,
            "document": document,
            "customer": customer,
            "customer_number": customer_number,
            "bounced_at": bounced_at,
            "recipients": recipients,
            "holds_invoice": holds_invoice,
            "mail_url": mail_url,
            "task": task,
        },
    )


def portal_invitation_mail(
    *, house: House, contact: ContactPerson, name: str, customer: str, link: str, valid_until: dt.datetime
) -> MailTexts:
    """Invitation to the portal: the link lets the person choose a password once. `customer` is "" for our own people."""
    return render_mail(
        "portal_invitation",
        {"house": house, "contact": contact, "name": name, "customer": customer, "link": link, "valid_until": valid_until},
    )


def password_reset_mail(*, house: House, contact: ContactPerson, name: str, link: str, valid_until: dt.datetime) -> MailTexts:
    """The answer to "Kennwort vergessen"; harmless for whoever did not ask."""
    return render_mail(
        "password_reset", {"house": house, "contact": contact, "name": name, "link": link, "valid_until": valid_until}
    )


def access_changed_mail(*, house: House, contact: ContactPerson, name: str, what: str, at: dt.datetime, link: str) -> MailTexts:
    """What opens the portal was changed: whoever did not do it hears of it at once. `link` leads to a new password."""
    return render_mail(
        "access_changed", {"house": house, "contact": contact, "name": name, "what": what, "at": at, "link": link}
    )
