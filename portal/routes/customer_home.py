"""Startseite of a customer: who is there for them, and how to reach the house."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response

from models.parties import Customer, Employee, House, HouseSite
from portal.modules import NavEntry, Section
from portal.pages import Crumb, page
from portal.security.person import CustomerSession, Person, need

router = APIRouter()
NAV = (NavEntry(Section.OVERVIEW, "Start", "/start", "home", ("kunde.start",), order=1, bottom=True),)


@router.get("/start")
def start(request: Request, person: Annotated[Person, Depends(need("kunde.start"))], session: CustomerSession) -> Response:
    """All rows come through the role that sees only this customer's."""
    customer = session.scalars(sa.select(Customer).where(Customer.id == person.customer_id)).one()
    manager = session.execute(
        sa.select(Employee.first_name, Employee.last_name).where(Employee.id == customer.account_manager_id)
    ).one_or_none()
    house = session.execute(
        sa.select(House.name, House.email, House.phone, House.street, House.postal_code, House.city)
    ).one_or_none()
    sites = session.execute(
        sa.select(HouseSite.id, HouseSite.name, HouseSite.hotline, HouseSite.tariff_text).order_by(
            sa.case((HouseSite.id == customer.house_site_id, 0), else_=1), HouseSite.main.desc(), HouseSite.name
        )
    ).all()
    return page(
        request,
        "customer_home.html",
        crumbs=(Crumb("Start"),),
        customer=customer,
        manager=manager,
        house=house,
        sites=sites,
    )
