"""A small house that is billed in this process, and further homes beside it in the same test server."""

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from actions.billing import overview, preview, release
from flows.monthly_billing import monthly_billing
from kit import clock
from kit.database import Role, dispose_engines, engine, owner_url, unit_of_work
from kit.steps import Outcome
from models.parties import Customer, Employee
from models.service_desk import Ticket
from rules.month import Month
from tests import factories as make

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


def settle_in() -> None:
    """A house with a customer by the hour (post) and one with ten hours a month (e-invoice), each with work in October."""
    with unit_of_work("test") as session:
        make.house(session)
        technician = make.employee(session)
        hourly = make.customer(session, number="K1", name="Stundenkunde GmbH")
        make.contact(session, hourly, email="empfang@stundenkunde.example")
        make.agreement(session, hourly)
        make.entry(session, hourly, technician, make.ticket(session, hourly), key="L-1", minutes=50, trips=1)
        prepaid = make.customer(
            session,
            number="K2",
            name="Kontingentkunde GmbH",
            delivery="email_einvoice",
            invoice_email="buch@kontingent.example",
        )
        make.contact(session, prepaid, email="chefin@kontingent.example")
        make.agreement(session, prepaid)
        make.contract(session, prepaid, number="V-1", starts_on=dt.date(2026, 10, 1), overdraft_allowed=True)
        make.entry(session, prepaid, technician, make.ticket(session, prepaid), key="L-2", minutes=90)


def work_in_november() -> None:
    """An hour for the first customer."""
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1")).one()
        ticket = session.scalars(sa.select(Ticket).where(Ticket.customer_id == customer.id)).first()
        technician = session.scalars(sa.select(Employee)).one()
        assert ticket is not None
        make.entry(session, customer, technician, ticket, key="L-3", minutes=60, work_date=dt.date(2026, 11, 10))


def release_only(month: Month) -> None:
    """Preview and release."""
    with unit_of_work("test") as session:
        seen = preview.build(session, month)
        preview.remember(session, seen, clock.now())
    with unit_of_work("test") as session:
        release.release(session, month, seen.snapshot, "Ina Innendienst")


def bill(month: Month) -> Outcome:
    """Preview, release, and one visit."""
    release_only(month)
    return monthly_billing(str(month))


def shown(month: Month) -> dict[str, Any]:
    """The month as `billing show` tells it."""
    with unit_of_work("test") as session:
        return overview.show(session, month)


@contextlib.contextmanager
def another_home(folder: Path, name: str) -> Iterator[Path]:
    """This process looks at an empty home whose database `name` is a new one in the same server."""
    address = owner_url()
    kept = {key: os.environ.get(key) for key in ("DREHKREUZ_HOME", "DREHKREUZ_DATABASE_URL")}
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    os.environ["DREHKREUZ_HOME"] = str(folder)
    os.environ["DREHKREUZ_DATABASE_URL"] = address.set(database=name).render_as_string(hide_password=False)
    try:
        yield folder
    finally:
        for role in Role:
            engine(role).dispose()
        dispose_engines()
        for key, value in kept.items():
            os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)
        with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
            for role in (Role.APP, Role.PORTAL_STAFF, Role.PORTAL_CUSTOMER):
                connection.execute(sa.text(f'DROP ROLE IF EXISTS "{name}_{role.value}"'))
