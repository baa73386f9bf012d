"""`drehkreuz import` and `drehkreuz export` as a person calls them."""

from pathlib import Path

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner, Result

from deployments.commands import company as commands
from kit.database import unit_of_work
from kit.errors import UsageError
from models.parties import Customer
from models.plumbing import AuditEntry
from tests.company.helpers import BASE, company, row, write_folder

pytestmark = pytest.mark.usefixtures("committed")


def call(*arguments: str | Path) -> Result:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def customers() -> int:
    with unit_of_work("test") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0


def test_import_and_export(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", BASE)
    checked = call("import", folder, "--check")
    assert (checked.exit_code, customers()) == (0, 0)
    assert "nur geprüft" in checked.stdout
    done = call("import", folder)
    assert (done.exit_code, customers()) == (0, 2)
    assert "customers.csv               2 Zeilen: 2 neu, 0 geändert, 0 unverändert" in done.stdout
    phases = dict.fromkeys(line.partition(":")[0] for line in done.stderr.splitlines())
    assert list(phases) == ["lesen", "prüfen", "schreiben"]
    out = call("export", tmp_path / "out")
    assert out.exit_code == 0
    assert "geschrieben" in out.stdout
    again = call("import", tmp_path / "out")
    assert again.exit_code == 0
    assert "0 neu, 0 geändert, 2 unverändert" in again.stdout
    with unit_of_work("test") as session:
        assert set(session.scalars(sa.select(AuditEntry.actor))) == {"import"}


def test_errors_go_to_stderr_and_end_with_one(tmp_path: Path) -> None:
    rows = [row("service_entries", id=f"L{n}", minutes="x") for n in range(300)]
    refused = call("import", write_folder(tmp_path, company(service_entries=rows)))
    assert refused.exit_code == 1
    assert refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert sum(line.startswith("service_entries.csv:") for line in lines) == 200
    assert "… und 100 weitere Fehler" in lines
    assert any("300 Fehler, es wurde nichts übernommen" in line for line in lines)
    assert customers() == 0


def test_wrong_calls(tmp_path: Path) -> None:
    assert call("import").exit_code == 2
    assert call("import", tmp_path, "--chek").exit_code == 2
    missing = call("import", tmp_path / "nowhere")
    assert isinstance(missing.exception, UsageError)
    assert missing.exception.exit_code == 2
