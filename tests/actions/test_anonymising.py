"""Former contacts: what keeps their names and until when, and that what is taken away is nowhere copied."""

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import anonymising
from actions.invitations import ensure_login
from deployments import cli
from kit import clock
from kit.database import unit_of_work
from kit.errors import ConflictError
from models.access import Login
from models.parties import Contact, Customer, PortalLevel
from models.plumbing import AuditEntry, OutboxMail
from models.service_desk import Ticket
from rules.retention import limitation
from tests import factories as make

LONG_AGO = dt.datetime(2015, 5, 4, 8, tzinfo=dt.UTC)


@pytest.fixture
def loading(database: sa.Connection) -> Iterator[Session]:
    """A mass load, as the command is one: nothing of it enters the trail row by row."""
    with unit_of_work("test", bulk=True) as session:
        yield session


def left(session: Session, customer: Customer, at: dt.datetime = LONG_AGO, **values: object) -> Contact:
    """A contact who came in inactive on that day."""
    return make.contact(session, customer, active=False, created_at=at, phone="+49 221 1", **values)


def sent(session: Session, to: Contact, at: dt.datetime) -> OutboxMail:
    mail = OutboxMail(
        key=f"k{to.id}", kind="service_report", customer_id=to.customer_id, message_id=f"<{to.id}@x.example>", sender="haus@x.example",
        recipients=["andere@kunde.example", to.email], subject="Servicebericht", raw=b"", created_at=at,
    )  # fmt: skip
    session.add(mail)
    session.flush()
    return mail


@pytest.mark.parametrize("day", [dt.date(2026, 1, 1), dt.date(2026, 12, 31)])
def test_claims_are_barred_three_years_after_their_year(day: dt.date) -> None:
    assert limitation(day) == dt.date(2030, 1, 1)


def test_what_keeps_a_name_and_until_when(loading: Session) -> None:
    customer = make.customer(loading)
    gone, on_ticket, mailed = (left(loading, customer) for _ in range(3))
    make.contact(loading, customer)  # still there: never listed
    make.ticket(loading, customer, contact_id=on_ticket.id, received_at=dt.datetime(2020, 3, 1, tzinfo=dt.UTC))
    sent(loading, mailed, dt.datetime(2019, 12, 31, 23, 30, tzinfo=dt.UTC))  # the new year had begun in Berlin
    until = {one.contact_id: one.until for one in anonymising.former(loading, customer.number)}
    assert until == {gone.id: dt.date(2019, 1, 1), on_ticket.id: dt.date(2029, 1, 1), mailed.id: dt.date(2027, 1, 1)}
    assert [one.contact_id for one in anonymising.former(loading)] == [gone.id, mailed.id, on_ticket.id]
    assert anonymising.former(loading, "gibt es nicht") == []


def test_whoever_left_today_stays_for_the_time_of_claims(session: Session) -> None:
    contact = make.contact(session, make.customer(session), created_at=LONG_AGO)
    contact.active = False
    session.flush()
    [one] = anonymising.former(session)
    assert one.until == limitation(clock.today())
    assert one.trail_until is not None
    with pytest.raises(ConflictError, match="anonymisiert ist nichts"):
        anonymising.anonymise(session, one, "test")


def test_what_is_taken_away_is_nowhere_copied(loading: Session, capsys: pytest.CaptureFixture[str]) -> None:
    customer = make.customer(loading)
    contact, kept = left(loading, customer, portal=PortalLevel.INSIGHT), left(loading, customer)
    contact.active = True
    loading.flush()
    ensure_login(loading, contact.email)
    contact.active = False
    ticket = make.ticket(loading, customer, contact_id=contact.id, received_at=LONG_AGO)
    make.ticket(loading, customer, contact_id=kept.id)
    mail = sent(loading, contact, LONG_AGO)
    name, email = contact.last_name, contact.email

    assert cli.run(["forget"]) == 0
    told = capsys.readouterr().out
    assert "1 von 2 können anonymisiert werden; geändert ist nichts." in told
    assert "jetzt fällig" in told
    assert cli.run(["forget", "--apply"]) == 0
    assert "1 anonymisiert" in capsys.readouterr().out

    loading.expire_all()
    assert (contact.name, contact.phone, contact.portal) == ("Ehemaliger Ansprechpartner", None, PortalLevel.NONE)
    assert contact.email == f"ehemals-{contact.id}@anonym.invalid"
    assert loading.get_one(Ticket, ticket.id).contact_id == contact.id
    assert loading.get_one(OutboxMail, mail.id).recipients == ["andere@kunde.example", contact.email]
    assert loading.scalars(sa.select(Login).where(Login.contact_id == contact.id)).all() == []
    assert loading.get_one(Contact, kept.id).last_name == kept.last_name != "Ansprechpartner"
    trail = loading.scalars(sa.select(AuditEntry)).all()
    assert [(entry.row_id, entry.actor) for entry in trail if entry.action == "anonymise"] == [(contact.id, "cli:forget")]
    assert not any(word in str((entry.before, entry.after)) for entry in trail for word in (name, email))
    assert cli.run(["forget", "--json"]) == 0
    assert email not in capsys.readouterr().out
