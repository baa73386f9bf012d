"""Whatever changes a bill, its way or its words after the preview stops the release; what does not, stops nothing.

The walk takes every column of the tables behind a month, so a new one has to be thought about here.
"""

import datetime as dt
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing import preview, release
from kit import clock
from models.agreements import CooperationAgreement
from models.assets import Asset
from models.billing import InvoiceLine, KontingentEntry, LedgerKind, PreviewFingerprint
from models.contracts import Contract, ContractKind, ContractLine, KontingentOpening
from models.parties import Contact, Customer, House, Site
from models.service_desk import Ticket
from models.work import ServiceEntry
from rules.month import Month
from tests import factories as make

OCTOBER = Month(2026, 10)
KEYS = {"id", "created_at", "updated_at", "customer_id"}
NO_MATTER: dict[type[Any], set[str]] = {
    House: {"singleton", "portal_url"},
    Customer: KEYS
    | {"lifecycle", "datev_consultant_no", "account_manager_id", "house_site_id", "customer_since", "technicians_keep_assets"}
    | {"iban", "mandate_reference", "mandate_signed_on", "mandate_kind"},  # direct debits belong to recurring billing
    Site: {"receives_goods", "receives_services"},
    Contact: {"first_name", "last_name", "phone", "portal"},
    CooperationAgreement: {"signed_by", "purpose", "service_hours", "reaction_hours", "backup_responsible"},
    Contract: {"prenotification_days", "provider", "location"},
    ContractLine: {"line", "product_id", "text", "meter", "quantity", "unit_price", "vat_rate", "one_time"},  # never billed here
    KontingentOpening: set(),
    Ticket: {
        "kind", "state", "priority", "received_at", "contact_id", "assignee_id", "topic", "role", "dedup_key", "due_at",
        "resolved_at", "closed_at",
    },
    ServiceEntry: {"approved_by", "approved_at", "returned_reason", "report_id"},
    Asset: set(Asset.__table__.columns.keys()) - {"asset_class"},
}  # fmt: skip
"""Columns that no paper of the month shows and no amount depends on."""

OTHER: dict[str, Any] = {
    "kind": "weekend", "place": "on_site", "state": "captured", "billing": "per_site", "delivery": "email_einvoice",
    "rest_at_end": "served", "functions": ["ticket_created"], "covered_asset_classes": ["printer"], "asset_class": "printer",
    "correction_rule": "after_months=3", "billable": False, "minutes": 615, "country": "AT", "valid_to": dt.date(2026, 9, 30),
    "ends_on": dt.date(2026, 12, 31), "reported_elsewhere": "ALT-1",
}  # fmt: skip


@dataclass
class Given:
    """The rows of one house, one of each table, and what was seen of them."""

    rows: dict[type[Any], Any]
    snapshot: str = ""


@pytest.fixture
def given(session: Session) -> Given:
    """One customer with everything: a branch, a Kontingent with a booking, a rental, an asset, work of its own kinds."""
    clock.set_today(dt.date(2026, 11, 2))
    house = make.house(session)
    customer = make.customer(
        session, number="K1", delivery="post", invoice_email="buch@kunde.example", leitweg_id="04011000-1-1"
    )
    other = make.site(session, customer, code="ZWEI")
    site = make.site(session, customer, code="EINS", travel_price=Decimal(30), bills_to_id=other.id)
    contact = make.contact(session, customer, email="empfang@kunde.example", functions=["service_report"])
    agreement = make.agreement(session, customer)
    contract = make.contract(session, customer, number="V-1", site_id=other.id, overdraft_allowed=True)
    opening = KontingentOpening(customer_id=customer.id, contract_id=contract.id, as_of=dt.date(2026, 8, 31), minutes=600)
    rental = make.contract(
        session, customer, number="V-2", kind=ContractKind.RENTAL, kontingent_hours_per_month=None, kontingent_hour_price=None
    )
    line = ContractLine(
        customer_id=customer.id, contract_id=rental.id, line="1", text="Server", quantity=Decimal(1), unit_price=Decimal(9),
        vat_rate=Decimal(19), valid_from=dt.date(2026, 1, 1), covered_asset_classes=["server"],
    )  # fmt: skip
    asset = Asset(customer_id=customer.id, inventory_no="A-1", asset_class="server")
    session.add_all([opening, line, asset])
    session.flush()
    technician = make.employee(session)
    ticket = make.ticket(session, customer, site_id=site.id)
    entry = make.entry(session, customer, technician, ticket, key="L-1", minutes=50, trips=1, started_at=at(9), ended_at=at(10))
    on_asset = make.ticket(session, customer, asset_id=asset.id)
    make.entry(session, customer, technician, on_asset, key="L-2", minutes=30)
    rows = (house, customer, site, contact, agreement, contract, line, opening, ticket, entry, asset)
    return remembered(session, Given({type(row): row for row in rows}))


def at(hour: int) -> dt.datetime:
    return clock.at_local(dt.date(2026, 10, 5), dt.time(hour))


def remembered(session: Session, given: Given) -> Given:
    session.expire_all()  # what was written as text comes back as what it is
    seen = preview.build(session, OCTOBER)
    preview.remember(session, seen, clock.now())
    given.snapshot = seen.snapshot
    return given


def refusal(session: Session, given: Given) -> str:
    """What the release says; empty when it goes through. Nothing of it stays."""
    session.flush()
    session.expire_all()
    with session.begin_nested() as attempt:
        try:
            release.release(session, OCTOBER, given.snapshot, "Ina")
        except release.ChangedSinceError as refused:
            return str(refused)
        finally:
            attempt.rollback()
    return ""


def otherwise(name: str, value: Any) -> Any:
    """Another value of the same kind."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | Decimal):
        return value + 1
    if isinstance(value, dt.date | dt.datetime):
        return value + dt.timedelta(days=1)
    return f"{value}1" if isinstance(value, str) else value


UNSET: dict[str, Any] = {
    "signed_on": dt.date(2025, 2, 1), "billing_unit_minutes": 30, "billing_minimum_minutes": 60, "day_price": Decimal(700),
    "after_hours_percent": Decimal(60), "weekend_percent": Decimal(60), "non_billable_reason": "Kulanz",
}  # fmt: skip
"""Values for columns that are empty in the house given."""


def changed(entity: type[Any], name: str, row: Any, rows: dict[type[Any], Any]) -> dict[str, Any]:
    """What to write into a column, with what the constraints want beside it."""
    if name == "site_id":
        return {name: rows[Site].id if row.site_id is None else None}
    if name in ("bills_to_id", "asset_id", "entry_id"):
        return {name: {"bills_to_id": None, "asset_id": rows[Asset].id, "entry_id": rows[ServiceEntry].id}[name]}
    if name == "kind" and entity is Contract:
        return {name: ContractKind.MANAGED}
    if name == "billable":
        return {name: False, "non_billable_reason": "Kulanz"}
    value = getattr(row, name)
    if value is None and name not in OTHER:
        return {name: UNSET.get(name, "DE999")}
    return {name: otherwise(name, value)}


REFERENCES = {"ticket_id", "technician_id", "contract_id"}
"""Need a second row of the other table; tried by hand below."""


def columns(entity: type[Any]) -> list[str]:
    skipped = KEYS | NO_MATTER[entity] | REFERENCES
    return [column.key for column in sa.inspect(entity).column_attrs if column.key not in skipped]


@pytest.mark.promise("S25", "U15")
def test_every_column_that_matters_stops_the_release(session: Session, given: Given) -> None:
    passed, unnamed = [], []
    for entity, row in given.rows.items():
        for name in columns(entity):
            with session.begin_nested() as tried:
                values = changed(entity, name, row, given.rows)
                session.execute(sa.update(entity).where(entity.id == row.id).values(values))
                session.expire_all()
                said = refusal(session, given)
                tried.rollback()
            session.expire_all()
            if not said:
                passed.append(f"{entity.__name__}.{name}")
            elif "  K1: " not in said and "  Eigenes Haus: " not in said:
                unnamed.append(f"{entity.__name__}.{name}: {said}")
    assert passed == [], "released although nobody has seen it"
    assert unnamed == []
    assert refusal(session, given) == "", "and all of it put back, the seen month can be released"


def test_what_does_not_matter_stops_nothing(session: Session, given: Given) -> None:
    customer, contact, contract = given.rows[Customer], given.rows[Contact], given.rows[Contract]
    customer.account_manager_id, customer.iban = make.employee(session).id, "DE02120300000000202051"
    contact.phone, contract.location, given.rows[House].portal_url = "0221 1", "Keller", "https://haus.example"
    make.entry(session, customer, make.employee(session), given.rows[Ticket], key="L-9", work_date=dt.date(2026, 11, 1))
    make.agreement(session, customer, version=2, signed_on=dt.date(2026, 11, 1), hour_price=Decimal(200))
    session.flush()
    assert refusal(session, given) == ""


def booking(of: Given) -> KontingentEntry:
    contract = of.rows[Contract]
    return KontingentEntry(
        customer_id=contract.customer_id, contract_id=contract.id, day=dt.date(2026, 9, 30), kind=LedgerKind.CORRECTION,
        minutes=60, month="2026-09",
    )  # fmt: skip


Change = Callable[[Session, Given], Any]
SAID: list[tuple[str, Change]] = [
    ("K1: Adresse für Rechnungen geändert", lambda s, of: setattr(of.rows[Customer], "invoice_email", "neu@kunde.example")),
    ("K1: Leitweg-ID geändert", lambda s, of: setattr(of.rows[Customer], "leitweg_id", "04011000-1-9")),
    ("K1: Zahlungsziel geändert", lambda s, of: setattr(of.rows[Customer], "payment_days", 30)),
    ("K1: Name oder Anschrift geändert", lambda s, of: setattr(of.rows[Customer], "street", "Neue Straße 1")),
    ("K1: Name oder Anschrift der Niederlassung EINS geändert", lambda s, of: setattr(of.rows[Site], "city", "Unna")),
    ("K1: Zustellung der Rechnung geändert", lambda s, of: setattr(of.rows[Customer], "delivery", "xrechnung")),
    ("K1: Empfänger des Serviceberichts geändert", lambda s, of: setattr(of.rows[Contact], "email", "neu@kunde.example")),
    ("K1: Leistung L-1 geändert", lambda s, of: setattr(of.rows[Ticket], "subject", "Anderer Betreff")),
    ("K1: Anfangsbestand des Kontingents V-1 geändert", lambda s, of: setattr(of.rows[KontingentOpening], "minutes", 0)),
    ("K1: Kontingent-Buchungen zu V-1 neu", lambda s, of: s.add(booking(of))),
    ("K1: Vertrag V-2 geändert", lambda s, of: setattr(of.rows[ContractLine], "valid_to", dt.date(2026, 10, 10))),
    ("Eigenes Haus: Bankverbindung geändert", lambda s, of: setattr(of.rows[House], "bic", "BYLADEM1001")),
    (
        "K1: Kooperationsvereinbarung, Fassung 1, geändert; netto ",
        lambda s, of: setattr(of.rows[CooperationAgreement], "hour_price", Decimal(100)),
    ),
    (
        "K1: Vertrag V-3 neu; netto ",
        lambda s, of: make.contract(s, of.rows[Customer], number="V-3"),
    ),
    ("K1: Leistung L-3 neu", lambda s, of: make.entry(s, of.rows[Customer], make.employee(s), of.rows[Ticket], key="L-3")),
    ("K1: Leistung L-1 entfallen", lambda s, of: s.delete(of.rows[ServiceEntry])),
    ("K1: Leistung L-1 geändert", lambda s, of: setattr(of.rows[ServiceEntry], "technician_id", make.employee(s).id)),
    (
        "K1: Leistung L-1 geändert",
        lambda s, of: setattr(of.rows[ServiceEntry], "ticket_id", make.ticket(s, of.rows[Customer]).id),
    ),
]


def test_the_refusal_says_what(session: Session, given: Given) -> None:
    for sentence, change in SAID:
        with session.begin_nested() as tried:
            change(session, given)
            assert f"  {sentence}" in refusal(session, given)
            tried.rollback()
        session.expire_all()


def test_another_vat_rate_is_named(session: Session, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_SERVICE_VAT_RATE", "20")
    assert "K1: Umsatzsteuersatz geändert" in refusal(session, given)


def test_a_cancelled_invoice_of_last_month_is_named(session: Session, given: Given) -> None:
    before = make.report(session, make.item(session, given.rows[Customer], make.run(session, month="2026-09")), month="2026-09")
    invoice = make.invoice(session, before, month="2026-09")
    session.add(
        InvoiceLine(
            customer_id=invoice.customer_id, invoice_id=invoice.id, position=1, kind="standard", description="Arbeit",
            quantity=Decimal(1), unit="hour", price=Decimal(95), vat_rate=Decimal(19), net=Decimal(95),
        )
    )  # fmt: skip
    session.flush()
    assert "K1: Vergleich mit dem Vormonat geändert" in refusal(session, given)


def test_a_preview_of_an_earlier_release_is_refused_in_words(session: Session, given: Given) -> None:
    """Its fingerprint named no parts: it says which work changed, and that the rest is not known."""
    row = session.scalars(sa.select(PreviewFingerprint)).one()
    old = json.loads(zlib.decompress(row.content))
    del old[""], old["K1"]["parts"]
    old["K1"]["hash"] = "früher"
    given.snapshot = "0" * 64
    stored = PreviewFingerprint(month="2026-10", snapshot=given.snapshot, content=zlib.compress(json.dumps(old).encode()))
    session.add(stored)
    session.flush()
    assert "  Die Vorschau stammt von einem früheren Stand des Programms" in refusal(session, given)
    old["K1"]["entries"]["L-1"] = "anders"
    stored.content = zlib.compress(json.dumps(old).encode())
    session.flush()
    assert "  K1: Leistung L-1 geändert\n" in refusal(session, given)
