import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.maintenance import DueDate
from models.service_desk import Message, Ticket
from tests import factories as make
from tests.maintenance.making import ledger, plan, round_on, tickets, write

D = dt.date


def test_smoke(session: Session) -> None:
    p = plan(session)
    n = round_on(session, D(2026, 1, 5))
    assert n == 1
    assert round_on(session, D(2026, 1, 5)) == 0
    print(session.scalar(sa.select(Message.text)))
    print(session.scalar(sa.select(Ticket.subject)))
    print(tickets(session, p))
