"""Everyone sees only what is theirs: the guard in the session, the policies in the database, and both together."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session, aliased

from kit.database import ALL, Role, unit_of_work
from models import guard
from models.guard import ForbiddenError
from models.parties import Contact, Customer, Site
from models.service_desk import Message, MessageDirection, Ticket
from models.work import ServiceEntry
from tests import factories as make
from tests.portal.conftest import Portal
from tests.portal.world import World

assert guard.narrow


@pytest.fixture
def two(real_portal: Portal) -> World:
    return real_portal.world


@pytest.fixture
def own(two: World) -> Iterator[Session]:
    """A session of the first customer, in the customer's role."""
    with unit_of_work("contact:test", Role.PORTAL_CUSTOMER, two.customers[0].id) as session:
        yield session


def everything(session: Session) -> dict[str, set[int]]:
    """What each way of asking for tickets finds: the customers of the rows."""
    alias = aliased(Ticket)
    inner = sa.select(Ticket).subquery()
    cte = sa.select(Ticket.id, Ticket.customer_id).cte()
    ways = {
        "entity": sa.select(Ticket.customer_id),
        "alias": sa.select(alias.customer_id),
        "subquery": sa.select(inner.c.customer_id).select_from(inner),
        "cte": sa.select(cte.c.customer_id).join(Ticket, Ticket.id == cte.c.id),
        "exists": sa.select(Customer.id).where(sa.exists(sa.select(Ticket.id).where(Ticket.customer_id == Customer.id))),
        "in": sa.select(Customer.id).where(Customer.id.in_(sa.select(Ticket.customer_id))),
        "union": sa.select(Ticket.customer_id).union(sa.select(ServiceEntry.customer_id)),
        "join": sa.select(ServiceEntry.customer_id).join(Ticket, Ticket.id == ServiceEntry.ticket_id),
        "outer": sa.select(Ticket.customer_id).outerjoin(ServiceEntry, ServiceEntry.ticket_id == Ticket.id),
    }
    return {name: set(session.scalars(statement)) for name, statement in ways.items()}


def test_every_way_of_asking_finds_own_rows_only(own: Session, two: World) -> None:
    mine = {two.customers[0].id}
    for name, found in everything(own).items():
        assert found == mine, name
    counted = own.scalars(sa.select(sa.func.count(Ticket.id))).one()
    with unit_of_work("test") as house:
        assert counted < house.scalars(sa.select(sa.func.count(Ticket.id))).one()


def test_rows_of_others_do_not_exist(own: Session, two: World) -> None:
    with unit_of_work("test") as house:
        foreign = house.scalars(sa.select(Ticket.id).where(Ticket.customer_id == two.customers[1].id)).first()
    assert own.get(Ticket, foreign) is None
    assert own.get(Customer, two.customers[1].id) is None
    with pytest.raises(ProgrammingError, match="permission denied"), own.begin_nested():
        own.execute(sa.update(Ticket).where(Ticket.id == foreign).values(subject="x"))


def test_the_guard_narrows_changes_as_well(two: World) -> None:
    with unit_of_work("test") as session:
        narrowed = Session(bind=session.connection(), info={"scope": two.customers[0].id})
        changed = narrowed.scalars(sa.update(Ticket).values(subject="x").returning(Ticket.customer_id)).all()
        assert set(changed) == {two.customers[0].id}
        assert (
            narrowed.scalars(sa.delete(Contact).where(Contact.email == "kontakt2@kunde.example").returning(Contact.id)).all()
            == []
        )


def test_the_guard_alone_holds_too(two: World) -> None:
    """On the house's own connection, where no policy binds: as in tests, or with a role set wrongly."""
    with unit_of_work("test") as session:
        narrowed = Session(bind=session.connection(), info={"scope": two.customers[0].id})
        for name, found in everything(narrowed).items():
            assert found == {two.customers[0].id}, name


def test_nothing_said_is_nothing_seen(two: World) -> None:
    with unit_of_work("test", Role.PORTAL_CUSTOMER) as session:
        assert all(found == set() for found in everything(session).values())
    with unit_of_work("test") as session:
        silent = Session(bind=session.connection())
        assert all(found == set() for found in everything(silent).values())


def test_the_policies_alone_hold_too(two: World) -> None:
    """Plain SQL past the session's guard."""
    with unit_of_work("test", Role.PORTAL_CUSTOMER, two.customers[0].id) as session:
        connection = session.connection()
        for table in ("ticket", "service_entry", "contract", "contact", "cooperation_agreement"):
            found = connection.execute(sa.text(f"SELECT DISTINCT customer_id FROM {table}")).scalars().all()
            assert set(found) <= {two.customers[0].id}, table
        assert connection.execute(sa.text("SELECT id FROM customer")).scalars().all() == [two.customers[0].id]


@pytest.mark.parametrize(
    "table", ["login", "login_session", "mail_token", "api_token", "audit_entry", "outbox_mail", "billing_run", "sap_document"]
)
def test_tables_of_the_house_are_closed_to_customers(own: Session, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), own.begin_nested():
        own.connection().execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1"))


def test_writing_for_others_is_refused_by_both(own: Session, two: World) -> None:
    other = two.customers[1].id
    own.add(Site(customer_id=other, code="X", name="x", street="x", postal_code="1", city="x"))
    with pytest.raises(ForbiddenError):
        own.flush()
    own.expunge_all()
    for refused in (
        sa.insert(Site).values(customer_id=other, code="X", name="x", street="x", postal_code="1", city="x"),
        sa.update(Ticket).values(customer_id=other),
        sa.text("SELECT 1"),
        sa.select(Ticket.__table__),
    ):
        with pytest.raises(ForbiddenError):
            own.execute(refused)
    with pytest.raises(DBAPIError), own.begin_nested():
        own.connection().execute(
            sa.text(
                "INSERT INTO site (customer_id, code, name, street, postal_code, city) VALUES (:c, 'X', 'x', 'x', '1', 'x')"
            ),
            {"c": other},
        )


def test_internal_notes_stay_inside(two: World) -> None:
    with unit_of_work("test") as house:
        ticket = house.scalars(sa.select(Ticket).where(Ticket.customer_id == two.customers[0].id)).first()
        for direction in MessageDirection:
            house.add(
                Message(
                    customer_id=ticket.customer_id,
                    ticket_id=ticket.id,
                    direction=direction,
                    author="x",
                    at=ticket.received_at,
                    text=direction.value,
                )
            )
    with unit_of_work("test", Role.PORTAL_CUSTOMER, two.customers[0].id) as session:
        assert set(session.scalars(sa.select(Message.text))) == {"in", "out"}
        plain = session.connection().execute(sa.text("SELECT text FROM message")).scalars().all()
        assert set(plain) == {"in", "out"}


def test_plans_without_a_number_are_not_documents_yet(two: World) -> None:
    from models.billing import Invoice, ServiceReport

    with unit_of_work("test") as house:
        report = make.report(house, make.item(house, two.customers[0], make.run(house)))
        make.invoice(house, report)
    with unit_of_work("test", Role.PORTAL_CUSTOMER, two.customers[0].id) as session:
        assert session.scalars(sa.select(ServiceReport.id)).all() == []
        assert session.scalars(sa.select(Invoice.id)).all() == []


def test_the_house_sees_all(two: World) -> None:
    for role in (Role.APP, Role.PORTAL_STAFF):
        with unit_of_work("test", role) as session:
            assert session.info["scope"] is ALL
            assert len(set(session.scalars(sa.select(Contact.customer_id)))) == 2


def test_a_customers_page_shows_the_own_house_only(real_portal: Portal) -> None:
    page = real_portal.browser(real_portal.world.contact_email).get("/start")
    assert page.status_code == 200
    assert real_portal.world.customers[0].name in page.text
    assert "Karin Kamp" in page.text
    assert all(customer.name not in page.text for customer in real_portal.world.customers[1:])


def test_the_portal_never_goes_past_its_session() -> None:
    """No route takes the connection out of the session or writes SQL as text: the guard would not see it."""
    found = []
    for path in Path("portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"connection", "get_bind", "exec_driver_sql", "text"}:
                owner = getattr(node.value, "id", "")
                if node.attr != "text" or owner in {"sa", "sqlalchemy"}:
                    found.append(f"{path}:{node.lineno} {node.attr}")
    assert found == []
