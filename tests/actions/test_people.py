"""A question is one task, also when two visits of a run ask it at the same moment."""

import threading

import pytest
import sqlalchemy as sa

from actions.people import Question, ask
from kit.database import unit_of_work
from models.service_desk import Ticket
from tests import factories as make
from tests.servers import wait_until


@pytest.mark.usefixtures("committed")
def test_two_visits_ask_once() -> None:
    with unit_of_work("test") as session:
        question = Question("probe:1", make.customer(session).id, "account_manager", "Kontingent zu knapp", "Bitte besprechen.")
    answers: list[str | None] = []

    def second() -> None:
        with unit_of_work("test") as session:
            answers.append(ask(session, question))

    thread = threading.Thread(target=second)
    with unit_of_work("test") as session:
        first = ask(session, question)
        thread.start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        wait_until(lambda: session.scalar(waiting) == 1, "the second visit waits for the first one's answer")
    thread.join(30)
    assert answers == [first]
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(Ticket.number).where(Ticket.dedup_key == question.key)).all() == [first]
