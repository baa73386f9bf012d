"""What surrounds the documents of some customers: addresses, contacts, agreements; loaded once per batch."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.documents import contents as doc
from kit.errors import NotFoundError
from kit.phone import international
from models.agreements import CooperationAgreement
from models.contracts import Contract
from models.parties import Customer, Employee, House, HouseSite, Site
from rules.money import vat_of


def the_house(session: Session) -> House:
    """The issuer; an error that says what to do when it is not known yet."""
    house = session.scalar(sa.select(House))
    if house is None:
        raise NotFoundError("Stammdaten: Das eigene Haus ist nicht erfasst. Importieren Sie house.csv.")
    return house


def house_content(house: House) -> doc.House:
    """The issuer as documents and mails name it."""
    return doc.House(
        name=house.name,
        street=house.street,
        postal_code=house.postal_code,
        city=house.city,
        tax_number=house.tax_number or "",
        vat_id=house.vat_id or "",
        iban=house.iban or "",
        bic=house.bic or "",
        creditor_id=house.creditor_id or "",
        register_court=house.register_court or "",
        register_no=house.register_no or "",
        email=house.email,
        phone=international(house.phone),
        portal_url=house.portal_url or "",
    )


@dataclass(frozen=True, slots=True)
class Around:
    """Everything beside the amounts that documents of some customers name."""

    house: House
    customers: dict[int, Customer]
    sites: dict[int, Site]
    managers: dict[int, Employee]
    hotlines: dict[int, str]
    agreements: dict[int, CooperationAgreement]
    by_customer: dict[int, list[CooperationAgreement]]
    contracts: dict[int, Contract]

    def party(self, customer_id: int, site_id: int | None = None) -> doc.Party:
        """A customer's head office, or one of its sites, as an address."""
        customer = self.customers[customer_id]
        if site_id is None:
            return doc.Party(
                number=customer.number,
                name=customer.name,
                street=customer.street,
                postal_code=customer.postal_code,
                city=customer.city,
                country=customer.country,
                vat_id=customer.vat_id or "",
                email=customer.invoice_email or "",
            )
        site = self.sites[site_id]
        return doc.Party(
            number=customer.number,
            name=customer.name,
            street=site.street,
            postal_code=site.postal_code,
            city=site.city,
            country=customer.country,
            vat_id=customer.vat_id or "",
            email=customer.invoice_email or "",
            site_code=site.code,
            site_name=site.name,
        )

    def site_name(self, site_id: int | None) -> str:
        return self.sites[site_id].name if site_id is not None else ""

    def contact(self, customer_id: int) -> doc.ContactPerson:
        """Who answers questions (S173): the account manager, else the service team. Never a technician (S67)."""
        customer = self.customers[customer_id]
        phone = international(self.hotlines.get(customer.house_site_id or 0) or self.house.phone)
        manager = self.managers.get(customer.account_manager_id or 0)
        if manager is None:
            return doc.ContactPerson(name="Unser Service-Team", role="", phone=phone, email=self.house.email)
        return doc.ContactPerson(name=manager.name, phone=international(manager.phone) or phone, email=manager.email)

    def agreement(self, agreement_id: int | None) -> doc.AgreementReference | None:
        row = self.agreements.get(agreement_id or 0)
        return reference(row) if row else None

    def agreement_on(self, customer_id: int, day: dt.date) -> doc.AgreementReference | None:
        """The version in force on a day: latest signed up to it, else the first."""
        rows = self.by_customer.get(customer_id, [])
        signed = [row for row in rows if row.signed_on is not None and row.signed_on <= day]
        row = max(signed, key=lambda r: (r.signed_on or dt.date.min, r.version)) if signed else (rows[0] if rows else None)
        return reference(row) if row else None


def reference(row: CooperationAgreement) -> doc.AgreementReference:
    """The agreement version that states a price (S104)."""
    return doc.AgreementReference(
        version=row.version,
        signed_on=row.signed_on,
        hour_price=row.hour_price,
        day_price=row.day_price,
        travel_price=row.travel_price,
        after_hours_percent=row.after_hours_percent,
        weekend_percent=row.weekend_percent,
    )


def load_around(session: Session, customer_ids: Iterable[int]) -> Around:
    """Load what surrounds the documents of these customers."""
    ids = sorted(set(customer_ids))

    def of(entity: type[Any]) -> list[Any]:
        return list(session.scalars(sa.select(entity).where(entity.customer_id.in_(ids)).order_by(entity.id)))

    customers = {c.id: c for c in session.scalars(sa.select(Customer).where(Customer.id.in_(ids)))}
    manager_ids = {c.account_manager_id for c in customers.values() if c.account_manager_id}
    agreements = sorted(of(CooperationAgreement), key=lambda a: a.version)
    by_customer: dict[int, list[CooperationAgreement]] = defaultdict(list)
    for agreement in agreements:
        by_customer[agreement.customer_id].append(agreement)
    return Around(
        house=the_house(session),
        customers=customers,
        sites={s.id: s for s in of(Site)},
        managers={e.id: e for e in session.scalars(sa.select(Employee).where(Employee.id.in_(manager_ids)))},
        hotlines={h.id: h.hotline[0] for h in session.scalars(sa.select(HouseSite)) if h.hotline},
        agreements={a.id: a for a in agreements},
        by_customer=by_customer,
        contracts={c.id: c for c in of(Contract)},
    )


def grouped(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return groups


def totals_of(lines: Iterable[Any]) -> doc.Totals:
    """Net, VAT per rate from its net sum, gross."""
    nets: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        nets[line.vat_rate] += line.net
    groups = tuple(doc.VatGroup(rate=rate, net=net, vat=vat_of(net, rate)) for rate, net in sorted(nets.items(), reverse=True))
    net, vat = sum((g.net for g in groups), Decimal("0.00")), sum((g.vat for g in groups), Decimal("0.00"))
    return doc.Totals(net=net, vat=vat, gross=net + vat, vat_groups=groups)
