"""The commands: what a person types, what they read, and what a script gets."""

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from deployments import german
from deployments.cli import application
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from models.maintenance import DueDate
from tests import factories as make
from tests.maintenance.making import plan


@pytest.fixture
def company(committed: None) -> None:
    with unit_of_work("test") as session:
        customer = make.customer(session, number="K1001")
        plan(session, customer, catch_up="all", cadence="FREQ=WEEKLY;BYDAY=MO")


def typed(*words: str) -> Result:
    """Run a command on 2 February 2026."""
    line = ["--today", "2026-02-02", "maintenance", *words]
    return CliRunner().invoke(application(line), line)


def read(*words: str) -> object:
    return json.loads(typed(*words, "--json").stdout)


@pytest.mark.usefixtures("company")
def test_preview_change_and_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.SHIFT_VARIABLE, "0")
    rows = read("preview")
    assert [row["decision"] for row in rows] == ["ticket"] * 5  # type: ignore[attr-defined]
    assert "Diese 5 Tickets würden entstehen." in typed("preview").stdout
    (agreed,) = read("plans", "--customer", "K1001")  # type: ignore[misc]
    assert (agreed["interval"], agreed["next"]) == ("wöchentlich am Montag", "2026-02-02")
    number = str(agreed["plan"])
    shown = typed("pause", number, "--from", "2026-03-01", "--to", "2026-03-31", "--reason", "Umbau")
    assert "5 Termine werden ausgesetzt." in shown.stdout
    assert "Nur Vorschau" in shown.stdout
    assert {row["state"] for row in read("dates", number)} == {"planned"}  # type: ignore[attr-defined]
    assert (
        "Gespeichert."
        in typed("pause", number, "--from", "2026-03-01", "--to", "2026-03-31", "--reason", "Umbau", "--yes").stdout
    )
    assert sum(row["state"] == "skipped" for row in read("dates", number)) == 5  # type: ignore[attr-defined]
    with unit_of_work("test") as session:
        due = session.scalars(sa.select(DueDate.id).where(DueDate.state == "planned").order_by(DueDate.due_on)).all()[-1]
    assert "entfällt: Messe" in typed("date", str(due), "--drop", "--reason", "Messe", "--yes").stdout
    gaps = typed("coverage", "--json")
    assert (gaps.exit_code, {row["kind"] for row in json.loads(gaps.stdout)}) == (3, {"no_technician", "no_agreement"})
    assert (
        "4 Termine aus 1 Plan, 05.01.2026 bis 26.01.2026 werden geschlossen."
        in typed("take-over", "2026-02-01", "--yes").stdout
    )
    assert len(read("preview")) == 1  # type: ignore[arg-type]
    back = typed("take-over", "2026-02-01", "--undo")
    assert "4 Termine aus 1 Plan, 05.01.2026 bis 26.01.2026 werden wieder offen." in back.stdout
    assert len(read("preview")) == 1, "only shown so far"  # type: ignore[arg-type]
    typed("take-over", "2026-02-01", "--undo", "--yes")
    assert len(read("preview")) == 5  # type: ignore[arg-type]
    assert "backup" in typed("catalogue").stdout


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("preview --from 2026-03-02 --to 2026-03-01", "endet vor seinem Beginn"),
        ("preview --to 2076-01-01", "Wählen Sie ein früheres Ende"),
        ("plans --customer K9999", "Kunde K9999: gibt es nicht"),
        ("dates 999", "Plan mit der Nummer 999 gibt es nicht"),
        ("undo 999", "Plan mit der Nummer 999 gibt es nicht"),
        ("move 1 --from 2026-03-02", "Es fehlt --cadence"),
        ("move 1 --from 2026-03-02 --cadence manchmal", "manchmal"),
        ("take-over 2027-01-01", "liegt in der Zukunft"),
        ("pause 999 --reason Umbau", "Es fehlt --from JJJJ-MM-TT"),
        ("date 1", "genau eines angeben"),
        ("closing-day 2026-12-25 Weihnachten", "ohnehin nicht gearbeitet"),
        ("updates X-1 --subject firewall", "Vertrag X-1: gibt es nicht"),
        ("proof K1001 2026-13", "2026-13"),
    ],
)
def test_bad_input_is_refused_in_words(words: str, why: str) -> None:
    result = typed(*words.split())
    assert isinstance(result.exception, DrehkreuzError), result.exception
    assert why in str(result.exception)


def test_a_wrong_day_on_the_command_line_is_told_in_german() -> None:
    told = german.sentence("Invalid value for '--from': Value error, '2026-13-45' does not match the formats '%Y-%m-%d'.")
    assert told.startswith("Ungültiger Wert für '--from': »2026-13-45« ist kein Tag.")
