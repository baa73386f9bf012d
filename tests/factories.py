"""The smallest valid objects; a test names only what matters to it."""

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models.agreements import CooperationAgreement
from models.billing import BillingItem, BillingRun, Invoice, InvoiceKind, ServiceReport
from models.contracts import Contract, ContractKind
from models.parties import Contact, Customer, Employee, House, Site
from models.service_desk import Ticket, TicketKind
from models.work import EntryState, Place, ServiceEntry

T = TypeVar("T")
_count = itertools.count(1)


def _add(session: Session, row: T) -> T:
    session.add(row)
    session.flush()
    return row


def house(session: Session, **values: Any) -> House:
    """The house (once per database)."""
    return _add(
        session,
        House(
            **{
                "name": "Probehaus GmbH",
                "street": "Werkstraße 1",
                "postal_code": "48231",
                "city": "Warendorf",
                "email": "service@probehaus.example",
                "vat_id": "DE123456789",
                "iban": "DE02120300000000202051",
            }
            | values
        ),
    )


def employee(session: Session, **values: Any) -> Employee:
    """A technician."""
    n = next(_count)
    return _add(
        session,
        Employee(
            **{
                "email": f"technik{n}@probehaus.example",
                "first_name": "Tina",
                "last_name": f"Technik{n}",
                "roles": ["technician"],
            }
            | values
        ),
    )


def customer(session: Session, **values: Any) -> Customer:
    """An active customer without contract, billed centrally, by post."""
    n = next(_count)
    return _add(
        session,
        Customer(
            **{
                "number": f"K{n:05}",
                "name": f"Kunde {n} GmbH",
                "street": "Hauptstraße 1",
                "postal_code": "48231",
                "city": "Warendorf",
            }
            | values
        ),
    )


def site(session: Session, of: Customer, **values: Any) -> Site:
    """A branch of a customer."""
    n = next(_count)
    return _add(
        session,
        Site(
            customer_id=of.id,
            **{"code": f"S{n}", "name": f"Filiale {n}", "street": "Ring 2", "postal_code": "48231", "city": "Warendorf"}
            | values,
        ),
    )


def contact(session: Session, of: Customer, **values: Any) -> Contact:
    """A contact who receives the service reports."""
    n = next(_count)
    return _add(
        session,
        Contact(
            customer_id=of.id,
            **{
                "first_name": "Karla",
                "last_name": f"Kontakt{n}",
                "email": f"kontakt{n}@kunde.example",
                "functions": ["service_report", "main"],
            }
            | values,
        ),
    )


def agreement(session: Session, of: Customer, **values: Any) -> CooperationAgreement:
    """A signed agreement: 95.00 EUR per hour, 49.00 EUR per trip."""
    return _add(
        session,
        CooperationAgreement(
            customer_id=of.id,
            **{
                "version": 1,
                "signed_on": dt.date(2025, 1, 1),
                "signed_by": "Karla Kontakt",
                "reaction_hours": {},
                "hour_price": Decimal("95.00"),
                "travel_price": Decimal("49.00"),
            }
            | values,
        ),
    )


def contract(session: Session, of: Customer, **values: Any) -> Contract:
    """A Kontingent of ten hours at 90.00 EUR from the start of 2026."""
    n = next(_count)
    return _add(
        session,
        Contract(
            customer_id=of.id,
            **{
                "number": f"V{n:05}",
                "kind": ContractKind.KONTINGENT,
                "starts_on": dt.date(2026, 1, 1),
                "kontingent_hours_per_month": Decimal(10),
                "kontingent_hour_price": Decimal(90),
            }
            | values,
        ),
    )


def ticket(session: Session, of: Customer, **values: Any) -> Ticket:
    """An open incident."""
    n = next(_count)
    return _add(
        session,
        Ticket(
            customer_id=of.id,
            **{
                "number": f"T-2026-{n:06}",
                "kind": TicketKind.INCIDENT,
                "subject": "Drucker druckt nicht",
                "received_at": dt.datetime(2026, 10, 1, 8, tzinfo=dt.UTC),
            }
            | values,
        ),
    )


def entry(session: Session, of: Customer, by: Employee, on: Ticket, **values: Any) -> ServiceEntry:
    """One approved, billable hour of remote work."""
    n = next(_count)
    return _add(
        session,
        ServiceEntry(
            customer_id=of.id,
            ticket_id=on.id,
            technician_id=by.id,
            **{
                "key": f"L-{n}",
                "work_date": dt.date(2026, 10, 5),
                "minutes": 60,
                "place": Place.REMOTE,
                "text": "Treiber erneuert.",
                "billable": True,
                "state": EntryState.APPROVED,
                "approved_by": "innendienst@probehaus.example",
                "approved_at": dt.datetime(2026, 10, 6, 8, tzinfo=dt.UTC),
            }
            | values,
        ),
    )


def run(session: Session, **values: Any) -> BillingRun:
    """An open run of October 2026."""
    return _add(session, BillingRun(**{"month": "2026-10"} | values))


def item(session: Session, of: Customer, in_run: BillingRun, **values: Any) -> BillingItem:
    """One customer's part of a run."""
    return _add(
        session, BillingItem(customer_id=of.id, run_id=in_run.id, **{"last_month_net": Decimal(0), "statement": {}} | values)
    )


def report(session: Session, of: BillingItem, **values: Any) -> ServiceReport:
    """A planned service report."""
    return _add(session, ServiceReport(customer_id=of.customer_id, item_id=of.id, **{"month": "2026-10"} | values))


def invoice(session: Session, of: ServiceReport, **values: Any) -> Invoice:
    """A planned service invoice over 95.00 EUR net."""
    return _add(
        session,
        Invoice(
            customer_id=of.customer_id,
            item_id=of.item_id,
            report_id=of.id,
            **{
                "kind": InvoiceKind.SERVICE,
                "month": "2026-10",
                "face": "post",
                "supply_from": dt.date(2026, 10, 1),
                "supply_to": dt.date(2026, 10, 31),
                "net": Decimal("95.00"),
                "vat": Decimal("18.05"),
                "gross": Decimal("113.05"),
            }
            | values,
        ),
    )
