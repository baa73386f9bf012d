"""Every mail the house sends: all templates are known, complete, escaped, German, and name whom to ask."""

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.documents.contents import ContactPerson, House
from integrations.mail import catalogue
from integrations.mail.compose import compose
from integrations.mail.texts import TEMPLATES, mail_names, render_mail
from integrations.mail.types import Address, BouncedRecipient, MailContentError, MailTexts

HOUSE = House(
    name="Rurtal Systemhaus GmbH",
    street="Am Wehr 3",
    postal_code="52349",
    city="Düren",
    email="service@rurtal.example",
    phone="+49 2421 555010",
    register_court="Amtsgericht Düren",
    register_no="HRB 1234",
    vat_id="DE123456788",
    portal_url="https://portal.rurtal.example",
    creditor_id="DE98ZZZ09999999999",
)
CONTACT = ContactPerson(name="Anna Bell", role="Ihre Kundenbetreuerin", phone="+49 2421 555011", email="bell@rurtal.example")
UNTIL = dt.datetime(2026, 11, 5, 11, tzinfo=dt.UTC)


def report(**changes: object) -> MailTexts:
    values: dict[str, object] = {
        "house": HOUSE,
        "contact": CONTACT,
        "customer": "Müller & Söhne KG",
        "report_id": "SB-2026-000001",
        "month": dt.date(2026, 10, 1),
        "invoice_follows": True,
    }
    return catalogue.service_report_mail(**{**values, **changes})  # type: ignore[arg-type]


def invoice(**changes: object) -> MailTexts:
    values: dict[str, object] = {
        "house": HOUSE,
        "contact": CONTACT,
        "customer": "Müller & Söhne KG",
        "number": "RE-2026-000001",
        "issued_on": dt.date(2026, 11, 2),
        "gross": Decimal("1234.50"),
        "due_on": dt.date(2026, 11, 16),
        "face": "zugferd",
        "report_id": "SB-2026-000001",
    }
    return catalogue.invoice_mail(**{**values, **changes})  # type: ignore[arg-type]


def bounce(**changes: object) -> MailTexts:
    values: dict[str, object] = {
        "house": HOUSE,
        "document": "Servicebericht SB-2026-000001",
        "customer": "Müller & Söhne KG",
        "customer_number": "K1001",
        "bounced_at": UNTIL,
        "recipients": [
            BouncedRecipient("weg@kunde.example", "5.1.1", "550 <b>unknown</b>"),
            BouncedRecipient("a@b.example", "", ""),
        ],
        "holds_invoice": True,
        "mail_url": "https://portal.rurtal.example/postausgang/7",
        "task": "T-2026-000007",
    }
    return catalogue.bounce_notice_mail(**{**values, **changes})  # type: ignore[arg-type]


def invitation(customer: str = "Müller & Söhne KG") -> MailTexts:
    return catalogue.portal_invitation_mail(
        house=HOUSE, contact=CONTACT, name="Jörg Özdemir", customer=customer, link="https://p.example/i/abc", valid_until=UNTIL
    )


def reset() -> MailTexts:
    return catalogue.password_reset_mail(
        house=HOUSE, contact=CONTACT, name="Jörg Özdemir", link="https://p.example/r/abc", valid_until=UNTIL
    )


def changed() -> MailTexts:
    return catalogue.access_changed_mail(
        house=HOUSE, contact=CONTACT, name="Jörg Özdemir", what="Ihr Kennwort wurde geändert", at=UNTIL,
        link="https://p.example/kennwort-vergessen",
    )  # fmt: skip


ALL = {
    "service_report": report,
    "invoice": invoice,
    "bounce_notice": bounce,
    "portal_invitation": invitation,
    "password_reset": reset,
    "access_changed": changed,
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_mail_is_complete_and_can_be_sent(name: str) -> None:
    texts = ALL[name]()  # type: ignore[operator]

    assert texts.subject
    assert "\n" not in texts.subject
    assert texts.text.startswith("Guten Tag")
    assert "<!DOCTYPE html>" in texts.html
    assert "{{" not in texts.text + texts.html + texts.subject
    assert "\n\n\n" not in texts.text
    assert "-- \nRurtal Systemhaus GmbH" in texts.text  # what follows is the signature (RFC 3676)
    assert "http://" not in texts.html
    assert "<img" not in texts.html
    compose(key=name, date=UNTIL, sender=Address(HOUSE.email), to=[Address("a@b.example")], texts=texts)


def test_folders_and_functions_match() -> None:
    ours = {
        name.removesuffix("_mail")
        for name, value in vars(catalogue).items()
        if name.endswith("_mail") and name != "render_mail"
    }
    assert ours <= set(mail_names())
    assert set(ALL) == ours
    for name in mail_names():
        assert {p.name for p in (TEMPLATES / name).iterdir()} == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.promise("S165")
def test_the_report_id_stands_in_subject_and_both_bodies() -> None:
    texts = report()
    assert texts.subject == "Servicebericht SB-2026-000001 für Oktober 2026"
    assert "SB-2026-000001" in texts.text
    assert "SB-2026-000001" in texts.html


@pytest.mark.promise("S173")
@pytest.mark.parametrize("make", [report, invoice, invitation, reset, changed])
def test_customers_always_read_whom_to_ask(make: object) -> None:
    texts = make()  # type: ignore[operator]
    for body in (texts.text, texts.html):
        assert all(word in body for word in ("Anna Bell", "Ihre Kundenbetreuerin", "+49 2421 555011", "bell@rurtal.example"))


def test_a_report_without_charges_promises_no_invoice() -> None:
    assert "Die Rechnung folgt gesondert" in report().text
    assert "es folgt keine Rechnung" in report(invoice_follows=False).text
    assert "Die Rechnung folgt" not in report(invoice_follows=False).html


def test_without_a_portal_none_is_mentioned() -> None:
    assert "Portal" not in report(house=dataclasses.replace(HOUSE, portal_url="")).text


def test_the_invoice_subject_names_its_number_only() -> None:
    assert invoice().subject == "Rechnung RE-2026-000001"
    assert "1.234,50\u00a0€" in invoice().text
    assert "02.11.2026" in invoice().text
    assert "bis zum 16.11.2026" in invoice().text


def test_a_direct_debit_is_announced_with_day_and_amount() -> None:
    texts = invoice(collect_on=dt.date(2026, 11, 17), mandate_reference="M-1001-1")
    for body in (texts.text, texts.html):
        assert "1.234,50\u00a0€ am 17.11.2026 per SEPA-Lastschrift" in body
        assert "Mandat M-1001-1, Gläubiger-ID DE98ZZZ09999999999" in body
        assert "überweisen" not in body


def test_a_cancellation_says_what_it_takes_back() -> None:
    texts = invoice(number="RE-2026-000009", cancels="RE-2026-000001", report_id="")
    assert texts.subject == "Stornorechnung RE-2026-000009"
    assert "hebt die Rechnung RE-2026-000001" in texts.text
    assert "überweisen" not in texts.text


@pytest.mark.parametrize(("face", "words"), [("zugferd", "ZUGFeRD"), ("xrechnung", "XRechnung")])
def test_the_format_is_named(face: str, words: str) -> None:
    assert words in invoice(face=face).text
    assert words in invoice(face=face).html


def test_a_printed_copy_is_not_to_be_paid_twice() -> None:
    assert "nur einmal" in invoice(also_by_post=True).text
    assert "nur einmal" not in invoice().text
    storno = invoice(cancels="RE-2026-000001", also_by_post=True, face="xrechnung")
    for body in (storno.text, storno.html):
        assert "nur einmal" not in body
        assert "er ist nur eine Kopie" in body
        assert "Die Stornorechnung liegt im Format XRechnung" in body


def test_foreign_text_is_escaped_in_html_and_plain_in_text() -> None:
    assert "Müller &amp; Söhne KG" in report().html
    assert "Müller & Söhne KG" in report().text
    assert "&lt;b&gt;unknown" in bounce().html
    assert "550 <b>unknown</b>" in bounce().text


def test_staff_reads_which_addresses_failed_and_what_waits() -> None:
    texts = bounce()
    assert texts.subject == "Unzustellbar: Servicebericht SB-2026-000001 an Müller & Söhne KG (K1001)"
    assert "- weg@kunde.example (5.1.1): 550" in texts.text
    assert "- a@b.example\n" in texts.text
    assert "05.11.2026, 12:00 Uhr" in texts.text
    assert "Die Rechnung dazu wartet" in texts.text
    assert "Die Rechnung dazu wartet" not in bounce(holds_invoice=False).text
    assert "https://portal.rurtal.example/postausgang/7" in texts.text
    assert "Aufgabe T-2026-000007" in texts.text


def test_links_are_valid_once_and_until() -> None:
    assert "https://p.example/i/abc" in invitation().text
    assert "einmal und bis zum 05.11.2026, 12:00 Uhr" in invitation().text
    assert "()" not in invitation(customer="").text
    assert "brauchen Sie nichts zu tun" in reset().text


def test_a_missing_value_and_a_missing_template_are_errors(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for part in ("subject.txt", "body.txt", "body.html"):
        (tmp_path / "x" / part).write_text("{{ missing }}")
    with pytest.raises(MailContentError, match="missing"):
        render_mail("x", {}, tmp_path)
    with pytest.raises(MailContentError, match="templates/mail/y"):
        render_mail("y", {}, tmp_path)


def test_a_customer_name_with_a_line_break_cannot_forge_a_header() -> None:
    texts = bounce(customer="Böse\r\nBcc: x@y.example")
    with pytest.raises(MailContentError, match="Zeilenumbruch"):
        compose(key="x", date=UNTIL, sender=Address(HOUSE.email), to=[Address("a@b.example")], texts=texts)
