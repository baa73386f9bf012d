"""A clock that jumps ahead and back: numbers keep their year, nobody stays locked out, sessions end in time."""

import datetime as dt

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from actions import queues
from actions.numbers import next_numbers
from deployments.keeper import Patience, waited
from kit import clock
from models.access import LoginAttempt
from models.billing import ReportState
from portal.security.lockout import FAILURES, LockedOutError, record_attempt
from tests import factories as make

NOW = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
AHEAD = NOW + dt.timedelta(days=400)


def test_a_number_carries_the_year_of_its_day_and_no_range_is_disturbed(session: Session) -> None:
    with time_machine.travel(NOW, tick=False) as now:
        assert next_numbers(session, "RE", clock.today().year, 1) == ["RE-2026-000001"]
        now.move_to(AHEAD)
        assert next_numbers(session, "RE", clock.today().year, 1) == ["RE-2027-000001"]
        now.move_to(NOW)
        assert next_numbers(session, "RE", clock.today().year, 1) == ["RE-2026-000002"]


def test_failures_of_a_clock_that_was_ahead_lock_nobody_out(session: Session) -> None:
    with time_machine.travel(AHEAD, tick=False) as now:
        for _ in range(FAILURES):
            record_attempt(session, "a@haus.example", "192.0.2.1")
        with pytest.raises(LockedOutError):
            record_attempt(session, "a@haus.example", "192.0.2.1")
        now.move_to(NOW)
        record_attempt(session, "a@haus.example", "192.0.2.1")
        assert session.scalar(sa.select(sa.func.count(LoginAttempt.id))) == 1, "those of the future are gone"


def test_documents_of_a_clock_that_was_ahead_are_named(session: Session) -> None:
    with time_machine.travel(NOW, tick=False) as now:
        make.house(session)
        of = make.item(session, make.customer(session), make.run(session))
        issued = {"state": ReportState.ISSUED, "archive_key": "reports/a", "issued_at": AHEAD}
        make.report(session, of, number="SB-2027-000001", **issued)
        assert queues.issued_in_the_future(session) == ["SB-2027-000001"]
        now.move_to(AHEAD)
        assert queues.issued_in_the_future(session) == []


def test_the_keeper_takes_a_state_of_the_future_for_an_old_one() -> None:
    run = {"state": {"timestamp": AHEAD.isoformat()}}
    assert waited(run, NOW) > Patience().pending
    assert waited(run, AHEAD + dt.timedelta(seconds=7)) == dt.timedelta(seconds=7)
