"""kill -9, again and again, of everything that runs: each end is as if nothing had happened, and the test itself can fail."""

import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from deployments.catalogue import startable
from deployments.commands import crash_test as command
from deployments.crash import report, run
from deployments.crash.episodes import FLOW, Episodes
from deployments.crash.house import CrashTestError, Home, home
from deployments.crash.result import Kill, Result
from deployments.crash.run import Plan, left_over, work
from deployments.crash.scenario import WITHOUT, scenarios
from deployments.crash.services import DATABASE, SERVER, SUPERVISOR
from kit.errors import UsageError


def quiet(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def house() -> Iterator[Home]:
    """Not below pytest's own folder, which another pytest shuts while our database's account works there."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-crash-", ignore_cleanup_errors=True) as folder:
        with home(Path(folder)) as made:
            yield made
        assert left_over(Path(folder) / "home") == []


def loaded(house: Home, *modules: str) -> Home:
    """The home whose processes have these modules loaded first: it is opened anew only when they are others or it is shut."""
    if house.load != modules or house._parent is None:
        house.close()
        house.load = modules
        house.open()
    return house


def test_every_flow_is_killed_somewhere() -> None:
    """A new flow joins with a file in deployments/crash/scenarios/, or says in WITHOUT why it needs none."""
    started = {start.deployment for one in scenarios().values() for start in one.starts}
    assert started.isdisjoint(WITHOUT)
    assert started | set(WITHOUT) == set(startable())
    assert all(WITHOUT.values())


def told(line: object, *_: object) -> None:
    """Shown when the test fails."""
    sys.stderr.write(f"{line}\n")


@pytest.mark.slow
@pytest.mark.promise("S27", "S163", "S18", "S142")
def test_flows_killed_fifty_seven_times_end_as_if_nobody_had_been(house: Home) -> None:
    plan = Plan(rounds=57, seed=7, services=0)
    result = Result(plan.seed, plan.rounds)
    work(loaded(house), plan, result, told, quiet)
    assert result.faults == []
    assert result.killed == 57
    assert {kill.scenario for kill in result.kills} == {one.title for one in scenarios().values()}
    assert {kill.victim for kill in result.kills} == {FLOW}
    assert len({kill.place for kill in result.kills}) >= 8, "boundaries of many kinds, and moments"
    assert result.counted == result.expected


@pytest.mark.slow
def test_services_killed_in_the_middle_of_everything_go_on_by_themselves(house: Home) -> None:
    plan = Plan(rounds=3, seed=7, services=3)
    result = Result(plan.seed, plan.rounds)
    work(loaded(house), plan, result, told, quiet)
    assert result.faults == []
    assert Counter(kill.victim for kill in result.kills.elements()) == {SERVER: 1, DATABASE: 1, SUPERVISOR: 1}
    assert result.counted == result.expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "scenario", "boundary", "seen"),
    [
        ("tests.crash.broken_mail", "mail", "nach Mail", "kam 2-mal an"),
        ("tests.crash.broken_numbers", "expiry", "vor Commit", "Nummernkreis"),
    ],
)
def test_it_goes_red_when_a_law_is_broken(house: Home, broken: str, scenario: str, boundary: str, seen: str) -> None:
    result = Result(seed=1, rounds=1)
    episodes = Episodes(loaded(house, broken), scenarios()[scenario], result, random.Random(1), quiet)
    episodes.begin_with(boundary)
    while episodes.left and not result.faults:
        episodes.run(kills=1)
    assert any(seen in fault for fault in result.faults), result.faults


def test_the_report_tells_who_died_where_and_what_was_counted() -> None:
    result = Result(seed=42, rounds=2, command=Plan(2, 42, ("mail",)).command(), archive="S3-Server (SeaweedFS)")
    result.kills[Kill("Postausgang", FLOW, "nach Mail")] = 2
    result.boundaries["Postausgang"], result.hit["Postausgang"] = 90, {(0, 5), (0, 6)}
    result.count("Postausgang", {"Mails": 8}, {"Mails": 8})
    text = report.markdown(result)
    assert "2 Kills, jeder Endstand gleich" in text
    assert "`./drehkreuz crash-test --rounds 2 --seed 42 --scenario mail`" in text
    assert "| Postausgang | Flow-Prozess | 2 | 2 von 90 | 1 |" in text
    assert "| Flow-Prozess | nach Mail | 2 |" in text
    assert "| Postausgang | Mails | 8 | 8 |" in text
    assert report.as_json(result)["equal"] is True
    result.faults.append("Mail <a@b> kam 2-mal an")
    assert "- Mail <a@b> kam 2-mal an" in report.markdown(result)
    assert report.as_json(result)["equal"] is False


def test_an_unequal_end_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    command._end(Result(seed=1, rounds=1))
    with pytest.raises(command.typer.Exit) as ended:
        command._end(Result(seed=1, rounds=1, faults=["Mail <a@b> kam 2-mal an"]))
    assert ended.value.exit_code == 1
    assert "kam 2-mal an" in capsys.readouterr().err


def _killed_then(end: BaseException) -> Callable[..., None]:
    def one_kill(_house: object, _plan: Plan, result: Result, *_: object) -> None:
        result.kills[Kill("Postausgang", FLOW, "vor Commit")] += 1
        raise end

    return one_kill


def test_what_was_done_is_told_whatever_ends_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "home", lambda *_: nullcontext())
    monkeypatch.setattr(run, "work", _killed_then(CrashTestError("der Speicher antwortet nicht")))
    stopped = run.crash_test(Plan(5, 1), quiet, quiet)
    assert (stopped.killed, stopped.faults) == (1, ["abgebrochen nach 1 Kills: der Speicher antwortet nicht"])

    monkeypatch.setattr(run, "work", lambda _house, _plan, result, *_: _terminated(result))
    ended = run.crash_test(Plan(5, 1), quiet, quiet)
    assert (ended.killed, ended.interrupted, ended.faults) == (1, True, [])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _terminated(result: Result) -> None:
    result.kills[Kill("Postausgang", FLOW, "vor Commit")] += 1
    os.kill(os.getpid(), signal.SIGTERM)


def test_named_victims_take_all_kills() -> None:
    plan = Plan(rounds=8, seed=3, victims=("worker", "relay"))
    assert plan.among_services() == 8
    assert plan.command().endswith("--rounds 8 --seed 3 --victim worker --victim relay")
    assert Plan(rounds=8, services=2, victims=("worker",)).among_services() == 2


def test_wrong_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Vorhanden: .*billing"):
        command.crash_test_command(scenario=["gibtesnicht"])
    with pytest.raises(UsageError, match=r"Vorhanden: server, .*doorbell"):
        command.crash_test_command(victim=["portal"])
    with pytest.raises(UsageError, match="gibt es nicht"):
        command.crash_test_command(report=tmp_path / "fort" / "bericht.md")
