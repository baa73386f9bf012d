"""Services that were sold become lines of the customer's contract by themselves (S82, S139)."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.numbers import next_numbers
from actions.people import Question, answered, ask
from kit import clock
from models.catalogue import ListPrice, Product, ProductKind
from models.contracts import Contract, ContractKind, ContractLine, Meter
from models.goods import Delivery, DeliveryLine
from models.parties import StaffRole
from rules.asset_class import asset_class

PREFIX = {ContractKind.RENTAL: "MI", ContractKind.MANAGED: "MS"}


def list_price(session: Session, product: Product, day: dt.date) -> ListPrice | None:
    """The list price of a product that holds on a day."""
    if not product.price_code:
        return None
    return session.scalar(
        sa.select(ListPrice)
        .where(ListPrice.code == product.price_code, ListPrice.valid_from <= day)
        .order_by(ListPrice.valid_from.desc())
        .limit(1)
    )


def contract_for(session: Session, customer_id: int, kind: ContractKind, day: dt.date) -> Contract:
    """The customer's contract of that kind on a day, locked; a new one when there is none."""
    contract = session.scalar(
        sa.select(Contract)
        .where(
            Contract.customer_id == customer_id,
            Contract.kind == kind,
            Contract.starts_on <= day,
            sa.or_(Contract.ends_on.is_(None), Contract.ends_on >= day),
        )
        .order_by(Contract.site_id.is_not(None), Contract.id)
        .limit(1)
        .with_for_update()
    )
    if contract is None:
        number = next_numbers(session, PREFIX[kind], clock.local(clock.now()).year, 1)[0]
        contract = Contract(customer_id=customer_id, number=number, kind=kind, starts_on=day)
        session.add(contract)
        session.flush()
    return contract


def _covered(session: Session, contract: Contract, product: Product) -> list[str]:
    """A rented device's class is named on its line (S119). A contract that so far names none carries everything of its site;
    that stays so, since a first class would narrow it and make other work billable (docs/rules/abdeckung.md).
    """
    if product.kind is not ProductKind.RENTAL:
        return []
    lines = session.scalars(sa.select(ContractLine.covered_asset_classes).where(ContractLine.contract_id == contract.id)).all()
    return [asset_class(product.name)] if not lines or any(lines) else []


def next_line(session: Session, contract: Contract) -> str:
    """The next free line number of a contract."""
    taken = session.scalars(sa.select(ContractLine.line).where(ContractLine.contract_id == contract.id))
    return str(max((int(line) for line in taken if line.isdigit()), default=0) + 1)


def add_contract_line(session: Session, delivery: Delivery, line: DeliveryLine, product: Product, day: dt.date) -> int | None:
    """Write the line with the list price of the day. Without a price the back office is asked, and the gate stays shut."""
    key = f"goods:{line.id}:price"
    price = list_price(session, product, day)
    if price is None:
        text = (
            f"{product.name} ({product.code}) ist verkauft, hat aber am {day:%d.%m.%Y} keinen gültigen Listenpreis. "
            "Bitte den Preis nachtragen; die Vertragsposition entsteht beim nächsten Lauf von selbst."
        )
        ask(
            session,
            Question(key, delivery.customer_id, StaffRole.BACK_OFFICE.value, f"Preis für {product.code} fehlt", text),
        )
        return None
    kind = ContractKind.RENTAL if product.kind is ProductKind.RENTAL else ContractKind.MANAGED
    contract = contract_for(session, delivery.customer_id, kind, day)
    row = ContractLine(
        customer_id=delivery.customer_id,
        contract_id=contract.id,
        line=next_line(session, contract),
        product_id=product.id,
        text=product.name,
        meter=Meter.FIXED,
        quantity=line.quantity,
        unit_price=price.net_price,
        vat_rate=price.vat_rate,
        one_time=product.kind is ProductKind.SERVICE,
        valid_from=day,
        covered_asset_classes=_covered(session, contract, product),
    )
    session.add(row)
    session.flush()
    answered(session, key)
    return row.id
