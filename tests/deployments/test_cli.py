"""The command line: German help, exit codes, reasons in one line."""

import datetime as dt
import errno
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments import cli, local_run
from deployments.catalogue import Startable, split_parameters
from deployments.german import sentence
from kit import clock
from kit.errors import DrehkreuzError, UsageError
from kit.settings import settings
from kit.steps import Outcome

ENGLISH = re.compile(r"\b(Usage|Options|Commands|Arguments|Show this|exit\.|default|required|Missing|No such|Error)\b")
PROBE = Startable("probe", "tests.deployments.probe_flows", "probe", "")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own; the log that a call opens there is closed again."""
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(clock.SHIFT_VARIABLE, "0")
    root = logging.getLogger()
    kept = root.handlers, root.level
    yield
    for handler in root.handlers:
        if handler not in kept[0]:
            handler.close()
    root.handlers, root.level = kept


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["up", "-h"], ["doctor", "--help"], ["test", "--help"]])
def test_the_help_is_german(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 0
    text = capsys.readouterr().out
    assert "Aufruf: drehkreuz" in text
    assert not ENGLISH.search(text.replace("[OPTIONS]", "")), text


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["--help"])
    text = capsys.readouterr().out
    assert all(f" {command} " in text for command in cli.MODULES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "gibt_es_nicht"], "monthly_billing"),
        (["run", "monthly_billing", "--param", "month"], "name=wert"),
        (["run"], "Es fehlt"),
        (["up", "--foo"], "Die Option --foo gibt es nicht."),
        (["fliegen"], "gibt es nicht"),
        (["up", "jetzt"], "Überzählige Angabe: jetzt"),
        (["--today", "gestern", "up"], "JJJJ-MM-TT"),
        (["billing", "preview", "2026-13", "--json"], "2026-13"),
    ],
)
def test_wrong_usage_is_2_and_said_in_german(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert "Traceback" not in told.err


def test_a_refusal_is_1_and_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_arguments: list[str]) -> None:
        raise DrehkreuzError("Lager: voll. Räumen Sie auf.")

    monkeypatch.setattr(cli, "application", refuse)
    assert cli.run([]) == 1
    assert capsys.readouterr().err == "Lager: voll. Räumen Sie auf.\n"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "/weg"), "/weg: Diesen Ort gibt es nicht."),
        (OSError(errno.ENOSPC, "No space left on device"), "Auf dem Datenträger ist kein Platz mehr. Schaffen Sie Platz"),
    ],
)
def test_files_and_disks_are_named_in_german(
    fault: OSError, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(_arguments: list[str]) -> None:
        raise fault

    monkeypatch.setattr(cli, "application", break_down)

    assert cli.run(["doctor"]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SMTP_PORT", "abc", "DREHKREUZ_SMTP_PORT=abc ist nicht erlaubt; erlaubt ist eine ganze Zahl"),
        ("PORTAL_PORT", "99999", "eine Zahl bis 65535"),
        ("REPORT_GRACE_DAYS", "-1", "eine Zahl ab 0"),
        ("SMTP_TLS", "maybe", "eines von required, starttls, none"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DREHKREUZ_{name}", value)
    with pytest.raises(UsageError, match="Einstellung DREHKREUZ_") as refused:
        settings()
    assert words in str(refused.value)


def test_an_unexpected_fault_is_one_line_and_its_trace_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def break_down(_arguments: list[str]) -> None:
        raise ZeroDivisionError("durch null")

    monkeypatch.setattr(cli, "application", break_down)
    monkeypatch.setattr(cli.logging, "getLogger", cli.logging.getLogger)
    assert cli.run([]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "durch null" in told
    assert "ZeroDivisionError" in (tmp_path / "home" / "log" / "cli.jsonl").read_text()


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "application", interrupt)
    assert cli.run([]) == 130


def test_today_moves_the_clock_for_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--today", "2031-05-06", "run", "gibt_es_nicht"]) == 2
    assert clock.today() == dt.date(2031, 5, 6)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "Invalid value for 'PLAN': Input should be a valid integer, unable to parse string as an integer",
            "Ungültiger Wert für 'PLAN': Bitte eine ganze Zahl angeben.",
        ),
        (
            "Invalid value for '--rounds': Input should be greater than or equal to 1",
            "Ungültiger Wert für '--rounds': Er muss mindestens 1 sein.",
        ),
        (
            "No such option: --snapshoot (Possible options: --snapshot)",
            "Die Option --snapshoot gibt es nicht; gemeint vielleicht: --snapshot",
        ),
        ("Missing argument 'FLOW'.", "Es fehlt das Argument 'FLOW'."),
        ("something else", "something else"),
    ],
)
def test_sentences(english: str, german: str) -> None:
    assert sentence(english) == german


def test_parameters_are_split_at_the_first_equals_sign() -> None:
    assert split_parameters(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.fixture
def _no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_run, "_with_mail", lambda outcome: outcome)


@pytest.mark.usefixtures("_no_mail")
def test_a_local_run_needs_no_server_and_takes_typed_parameters(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    told: list[tuple[str, int, int]] = []
    outcome = local_run.run_locally(PROBE, {"word": "hier", "open_items": "1"}, lambda *how_far: told.append(how_far))
    assert outcome == Outcome("Geschrieben.", ("Punkt 1",))
    assert (tmp_path / "home" / "probe.txt").read_text() == "begin hier\nend hier\n"
    assert told[-1] == ("Schritte", 2, 2)


@pytest.mark.usefixtures("_no_mail")
@pytest.mark.parametrize("given", [{"wort": "x"}, {"open_items": "viele"}])
def test_a_local_run_refuses_wrong_parameters(given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="probe"):
        local_run.run_locally(PROBE, given, lambda *_: None)
