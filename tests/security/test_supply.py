"""What the program is made of: locked with hashes, under licences that were looked at, asked for known faults."""

import datetime as dt
import json
import re
import subprocess
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.version import Version
from pip_audit._format import JsonFormat
from pip_audit._service.interface import ResolvedDependency, SkippedDependency, VulnerabilityResult

from deployments import licences_page, supply, vulnerabilities
from deployments.bootstrap import DEV_LOCK, LOCK
from deployments.cli import run
from deployments.vulnerabilities import NotAskedError


@pytest.mark.parametrize("lock", [LOCK, DEV_LOCK], ids=["run", "dev"])
def test_every_locked_package_has_its_hashes(lock: Path) -> None:
    packages = supply.locked(lock)
    assert len(packages) > 100
    assert len(packages) == len(re.findall(r"^[A-Za-z0-9._-]+==", lock.read_text("utf-8"), re.MULTILINE))
    assert [package.name for package in packages if not package.hashes] == []


def test_what_runs_is_tested_in_the_same_version() -> None:
    tested = {package.name: package.version for package in supply.locked(DEV_LOCK)}
    assert [package.name for package in supply.locked(LOCK) if tested.get(package.name) != package.version] == []


def test_no_locked_package_calls_itself_abandoned() -> None:
    assert supply.abandoned(DEV_LOCK) == []


def test_no_licence_is_used_unseen() -> None:
    found = supply.licences()
    assert len(found) > 100
    assert [package.name for package in found if not package.fine] == []


def test_exceptions_of_licences_are_still_needed_and_say_why() -> None:
    needed = {package.name for package in supply.licences() if not supply.permitted(package.licence)}
    excepted = supply.exceptions(dt.date.min).licences
    assert set(excepted) == needed
    assert all(choice and len(reason) > 30 for choice, reason in excepted.values())


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("MIT AND LGPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("", False),
        ("(MIT OR GPL-2.0-only) AND ISC", True),
        ("MIT OR", True),
        ("(MIT", False),
        ("BSD-3-Clause, Apache-2.0, dependency licenses", False),
    ],
)
def test_an_expression_is_permitted_by_what_it_asks_for(expression: str, good: bool) -> None:
    assert supply.permitted(expression) is good


def test_the_licence_is_read_from_what_packages_write(tmp_path: Path) -> None:
    def told(lines: str) -> str:
        folder = tmp_path / "x.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: x\nVersion: 1\n{lines}\n", "utf-8")
        return supply.licence_of(Distribution.at(folder).metadata)

    assert told("License-Expression: MIT") == "MIT"
    assert told("Classifier: License :: OSI Approved :: BSD License") == "BSD-3-Clause"
    assert told("License: Apache License 2.0") == "Apache-2.0"
    assert told("Classifier: License :: OSI Approved\nLicense: MIT License") == "MIT"
    assert told("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)").startswith("GNU General")
    assert told("Summary: nothing said") == ""


def test_the_page_of_licences_is_the_one_of_today() -> None:
    assert licences_page.PAGE.read_text("utf-8") == licences_page.page()


def test_what_exceptions_of_faults_rest_on_still_holds() -> None:
    """Each is limited in time, and what its reason says of us is true."""
    faults = tomllib.loads(supply.EXCEPTIONS.read_text("utf-8"))["vulnerability"]
    assert [entry["package"] for entry in faults] == ["prefect", "weasyprint", "postgresql"]
    assert all(entry["until"] <= dt.date(2027, 6, 30) and len(entry["reason"]) > 60 for entry in faults)
    versions = {package.name: Version(package.version) for package in supply.locked(DEV_LOCK)}
    assert "prefect-github" not in versions
    assert versions["weasyprint"] >= Version("69.0")
    (carried,) = [Version(version) for name, version in supply.carried() if name == "postgresql"]
    assert carried < Version("18.7"), "die mitgelieferte PostgreSQL ist neuer: die Ausnahme kann weg"


# --- known faults --------------------------------------------------------------------------------------------------------

HARMLESS = ResolvedDependency("jinja2", "3.1.6")
FAULTY = ResolvedDependency("urllib3", "1.0")
FAULT = VulnerabilityResult(id="PYSEC-2099-1", description="x", fix_versions=["2.0"], aliases={"CVE-2099-1", "GHSA-x"})


def answered(monkeypatch: pytest.MonkeyPatch, found: dict[object, list[object]]) -> None:
    """What pip-audit itself writes for this, in its own format."""
    text = JsonFormat(output_desc=False, output_aliases=True).format(found, [])

    def instead(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, stdout=text, stderr="")

    monkeypatch.setattr("subprocess.run", instead)


def test_a_known_fault_ends_the_audit_with_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answered(monkeypatch, {HARMLESS: [], FAULTY: [FAULT]})
    assert run(["audit"]) == 1
    said = capsys.readouterr()
    assert "urllib3 1.0: PYSEC-2099-1, behoben in 2.0 (OFFEN)" in said.out
    assert "audit_exceptions.toml" in said.err


def test_a_reviewed_fault_is_told_and_accepted_until_its_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed = supply.EXCEPTIONS.read_text("utf-8")
    entry = '\n[[vulnerability]]\nid = "CVE-2099-1"\npackage = "urllib3"\nreason = "nur beim Ausliefern"\nuntil = {}\n'
    monkeypatch.setattr(supply, "EXCEPTIONS", tmp_path / "exceptions.toml")
    answered(monkeypatch, {HARMLESS: [], FAULTY: [FAULT]})
    supply.EXCEPTIONS.write_text(reviewed + entry.format("2199-12-31"), "utf-8")
    assert run(["audit"]) == 0
    assert "angenommen: nur beim Ausliefern" in capsys.readouterr().out
    supply.EXCEPTIONS.write_text(reviewed + entry.format("2020-12-31"), "utf-8")
    assert run(["audit"]) == 1
    assert "Ausnahme abgelaufen: CVE-2099-1" in capsys.readouterr().out


def test_a_mirror_that_knows_no_faults_is_no_all_clear(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit itself ends with 0 and "no known vulnerabilities" when the service knows none of the packages."""
    answered(monkeypatch, {SkippedDependency("jinja2", "Dependency not found on PyPI"): []})
    assert run(["audit"]) == 3
    said = capsys.readouterr().out
    assert "keine Datenbank ist erreichbar" in said
    assert "nichts gesagt" in said


@pytest.mark.parametrize(("stdout", "stderr"), [("", "ConnectionError: no route (x)"), ("kein JSON", "")])
def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str) -> None:
    monkeypatch.setattr("subprocess.run", lambda command, **_: subprocess.CompletedProcess(command, 1, stdout, stderr))
    with pytest.raises(NotAskedError, match="Wiederholen Sie den Befehl"):
        vulnerabilities.ask({})


def test_offline_it_checks_what_it_can_and_writes_the_bill_of_materials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    target = tmp_path / "sbom.json"
    assert run(["audit", "--offline", "--json", "--sbom", str(target)]) == 0
    assert json.loads(capsys.readouterr().out)["asked"] is False
    content = json.loads(target.read_text("utf-8"))
    assert {part["name"] for part in content["components"]} == {package.name for package in supply.locked()}
    assert all(part["hashes"] for part in content["components"])
    try:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(target.read_text("utf-8")) is None
    except ImportError:  # its JSON Schema validator is an extra
        assert content["specVersion"] == "1.6"
