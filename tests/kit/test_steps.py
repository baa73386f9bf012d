"""Flows and steps as plain functions. As Prefect's they are proven in tests/deployments, on a real server."""

import datetime as dt

import pytest
import sqlalchemy as sa

from kit import clock, steps
from kit.errors import AwayError, ConflictError
from kit.steps import Outcome, Progress, flow, step


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps.time, "sleep", lambda _seconds: None)


def failing(times: int, fault: Exception) -> tuple[list[int], object]:
    calls: list[int] = []

    @step(name="Probe", retries=3)
    def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise fault
        return "fertig"

    return calls, work


@pytest.mark.parametrize(
    "fault",
    [ConnectionResetError("weg"), TimeoutError(), sa.exc.OperationalError("select 1", {}, Exception("deadlock"))],
    ids=["connection", "timeout", "database"],
)
def test_a_passing_fault_is_tried_again(fault: Exception) -> None:
    calls, work = failing(2, fault)
    assert work() == "fertig"
    assert len(calls) == 3


def test_it_gives_up_after_the_last_attempt() -> None:
    calls, work = failing(9, ConnectionResetError("weg"))
    with pytest.raises(ConnectionResetError):
        work()
    assert len(calls) == 4


@pytest.mark.parametrize("fault", [ConflictError("Nein."), ValueError("falsch")], ids=["refusal", "mistake"])
def test_what_cannot_pass_is_not_tried_again(fault: Exception) -> None:
    calls, work = failing(9, fault)
    with pytest.raises(type(fault)):
        work()
    assert len(calls) == 1


def test_what_is_away_is_tried_again() -> None:
    calls = []

    @step(name="Probe", retries=2)
    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise AwayError("fort")
        return "da"

    assert work() == "da"


def test_a_flow_without_a_server_is_the_function() -> None:
    @flow(name="Probe", run_name="Probe {word}")
    def probe(word: str = "") -> Outcome:
        assert steps.run_id() == ""
        assert not steps.recording()
        steps.show_table("probe", [{"Wort": word}])
        steps.show_text("probe", word)
        return Outcome(word)

    assert probe("hier") == Outcome("hier")
    assert steps.call(probe, "dort") == Outcome("dort")


def test_progress_is_told_to_who_watches() -> None:
    told: list[tuple[str, int, int]] = []
    with steps.watched(lambda *how_far: told.append(how_far)):
        progress = Progress("Berichte", 3)
        progress.advance()
        progress.advance(2)
    Progress("ungesehen", 1).advance()
    assert told == [("Berichte", 0, 3), ("Berichte", 1, 3), ("Berichte", 3, 3)]


def test_the_date_of_a_run_without_a_schedule_is_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.SHIFT_VARIABLE, "0")
    clock.set_today(dt.date(2027, 2, 1))
    assert steps.run_date() == dt.date(2027, 2, 1)


def test_an_outcome_reads_as_a_list() -> None:
    assert str(Outcome("Fertig.", ("K1: fehlt", "K2: fehlt"))) == "Fertig.\n- K1: fehlt\n- K2: fehlt"


@pytest.mark.parametrize("address", ["", "ftp://x", "http://127.0.0.1:1/api"])
def test_a_server_that_is_not_there_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)
    assert not steps.server_answers(0.5)
