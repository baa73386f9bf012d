"""Parteien: our own house, its sites and people, the customers with their sites and contacts."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Price, Record, TextList, same_customer


class House(Record):
    """The house itself (one row): the issuer of every document."""

    __tablename__ = "house"
    __table_args__ = (sa.CheckConstraint("singleton", name="one_house"), sa.UniqueConstraint("singleton"))
    singleton: Mapped[bool] = mapped_column(default=True)
    name: Mapped[str]
    street: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    tax_number: Mapped[str | None]
    vat_id: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    creditor_id: Mapped[str | None]
    register_court: Mapped[str | None]
    register_no: Mapped[str | None]
    email: Mapped[str]
    phone: Mapped[str | None]
    portal_url: Mapped[str | None]


class HouseSite(Record):
    """Standort des Hauses with its hotline numbers (E.164) and the tariff text (S48-S54)."""

    __tablename__ = "house_site"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    hotline: Mapped[TextList]
    tariff_text: Mapped[str | None]
    main: Mapped[bool] = mapped_column(default=False)


class StaffRole(enum.StrEnum):
    """What a person of the house does; decides pages and powers."""

    TECHNICIAN = "technician"
    DISPATCHER = "dispatcher"
    ACCOUNT_MANAGER = "account_manager"
    BACK_OFFICE = "back_office"
    MATERIALS = "materials"
    MONITORING = "monitoring"
    SERVICE_HEAD = "service_head"
    OPERATOR = "operator"


class Employee(Record):
    """Mitarbeiter des Hauses."""

    __tablename__ = "employee"
    __table_args__ = (
        sa.CheckConstraint("roles <@ ARRAY[" + ",".join(f"'{r.value}'" for r in StaffRole) + "]::text[]", name="known_roles"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )
    email: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str | None]
    roles: Mapped[TextList]
    skills: Mapped[TextList]
    house_site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("house_site.id"))
    weekly_hours: Mapped[Price | None]
    active: Mapped[bool] = mapped_column(default=True)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Lifecycle(enum.StrEnum):
    PROSPECT = "prospect"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    CLOSED = "closed"


class BillingMode(enum.StrEnum):
    """Abrechnung über die Zentrale oder dezentral (S36)."""

    CENTRAL = "central"
    PER_SITE = "per_site"


class Delivery(enum.StrEnum):
    """How the customer gets the invoice (U30)."""

    POST = "post"
    EMAIL_EINVOICE = "email_einvoice"
    XRECHNUNG = "xrechnung"


class MandateKind(enum.StrEnum):
    CORE = "core"
    B2B = "b2b"


class Customer(Record):
    """Kunde, with head office address and the agreed billing terms (S8, S15)."""

    __tablename__ = "customer"
    __table_args__ = (
        sa.CheckConstraint(
            "datev_consultant_no IS NULL OR datev_consultant_no BETWEEN 1001 AND 9999999", name="datev_consultant_range"
        ),
        sa.CheckConstraint("payment_days >= 0", name="payment_days_positive"),
        sa.CheckConstraint("delivery <> 'xrechnung' OR leitweg_id IS NOT NULL", name="xrechnung_needs_leitweg"),
    )
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    street: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    country: Mapped[str] = mapped_column(sa.String(2), default="DE")
    vat_id: Mapped[str | None]
    lifecycle: Mapped[Lifecycle] = mapped_column(default=Lifecycle.ACTIVE)
    billing: Mapped[BillingMode] = mapped_column(default=BillingMode.CENTRAL)
    datev_consultant_no: Mapped[int | None] = mapped_column(sa.Integer)
    account_manager_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employee.id"))
    house_site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("house_site.id"))
    delivery: Mapped[Delivery] = mapped_column(default=Delivery.POST)
    leitweg_id: Mapped[str | None]
    invoice_email: Mapped[str | None]
    payment_days: Mapped[int] = mapped_column(sa.Integer, default=14)
    iban: Mapped[str | None]
    mandate_reference: Mapped[str | None] = mapped_column(sa.String(35), unique=True)
    mandate_signed_on: Mapped[dt.date | None]
    mandate_kind: Mapped[MandateKind | None]
    customer_since: Mapped[dt.date | None]
    sap_card_code: Mapped[str | None]
    debtor_account: Mapped[str | None]
    technicians_keep_assets: Mapped[bool] = mapped_column(default=False)  # S19, opt-in


class Site(CustomerScoped):
    """Niederlassung. The head office is the customer itself; a site without `bills_to` is paid by the head office."""

    __tablename__ = "site"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "code"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("bills_to_id", "site"),
    )
    code: Mapped[str]
    name: Mapped[str]
    street: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    receives_goods: Mapped[bool] = mapped_column(default=True)
    receives_services: Mapped[bool] = mapped_column(default=True)
    travel_price: Mapped[Price | None]
    bills_to_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class ContactFunction(enum.StrEnum):
    """What a contact is asked or told (questions 3-5 of the onboarding)."""

    SERVICE_REPORT = "service_report"
    TICKET_CREATED = "ticket_created"
    TICKET_STATUS = "ticket_status"
    CREDENTIAL_RELEASE = "credential_release"
    INVOICE = "invoice"
    MAIN = "main"


class PortalLevel(enum.StrEnum):
    NONE = "none"
    REPORTER = "reporter"
    INSIGHT = "insight"
    ADMIN = "admin"


class Contact(CustomerScoped):
    """Ansprechpartner of a customer or of one of its sites (S14)."""

    __tablename__ = "contact"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "email"),
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("site_id", "site"),
        sa.CheckConstraint(
            "functions <@ ARRAY[" + ",".join(f"'{f.value}'" for f in ContactFunction) + "]::text[]", name="known_functions"
        ),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )
    site_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str] = mapped_column(index=True)
    phone: Mapped[str | None]
    functions: Mapped[TextList]
    portal: Mapped[PortalLevel] = mapped_column(default=PortalLevel.NONE)
    active: Mapped[bool] = mapped_column(default=True)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"
