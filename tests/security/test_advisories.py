"""Faults looked up in a downloaded copy: what reaches a version, what is merged, and what broken or hostile copies do."""

import datetime as dt
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

from deployments import advisories, supply, vulnerabilities
from deployments.advisories import AdvisoriesError, Affected, UnclearError
from deployments.cli import run

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
WANTED = {("PyPI", "jinja2"), ("PyPI", "weasy-print")}
LOCK = """jinja2==3.1.6 \\
    --hash=sha256:{0}
Weasy_Print==70.0 \\
    --hash=sha256:{0}
""".format("a" * 64)


def advisory(name: str = "PYSEC-2026-7", **changed: Any) -> dict[str, Any]:
    """One advisory as the databases write it."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": "jinja2"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.7"}]}],
    }
    instants = {"modified": "2026-11-20T10:00:00.123456789Z", "published": "2026-11-19T10:00:00Z"}
    return {"id": name, **instants, "details": "* unwichtig", "affected": [affected], **changed}


def written(folder: Path, *contents: dict[str, Any], suffix: str = "yaml") -> Path:
    """A copy: PyPA's form (YAML below `vulns/<package>/`) or OSV's (JSON)."""
    for content in contents:
        path = folder / "vulns" / "x" / f"{content['id']}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) if suffix == "json" else yaml.safe_dump(content), "utf-8")
    return folder


def looked_up(source: Path, tmp_path: Path, accepted: dict[str, str] | None = None) -> vulnerabilities.LookedUp:
    """What the copy says of a small lock."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK, "utf-8")
    return vulnerabilities.look_up(source, accepted or {}, lock)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.clock._real_now", lambda: NOW)


# --- which versions an advisory reaches ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "reached", "missed"),
    [
        ([("introduced", "0"), ("fixed", "2.0")], ["0.dev0", "1.9", "2.0rc1"], ["2.0", "2.0.post1"]),
        ([("introduced", "1.0"), ("last_affected", "1.5")], ["1.0", "1.5"], ["0.9", "1.5.1", "1.5.post1"]),
        ([("introduced", "0")], ["1", "999"], []),
        # two lines of releases in one range, in any order
        (
            [("fixed", "3.2"), ("introduced", "3.0"), ("introduced", "0"), ("fixed", "2.7")],
            ["2.6", "3.1"],
            ["2.7", "2.9", "3.2"],
        ),
        # where one ends and the next begins at the same version, it is counted as reached
        ([("introduced", "1"), ("fixed", "2"), ("introduced", "2"), ("fixed", "3")], ["1", "2", "2.9"], ["3"]),
        ([("introduced", "0"), ("limit", "1.4")], ["1.3"], ["1.4", "2"]),
        ([("introduced", "0"), ("limit", "*"), ("fixed", "1.10")], ["1.9"], ["1.10", "1.11"]),
        ([("fixed", "2.0")], [], ["1.0", "2.0"]),
        ([("introduced", "1!0")], ["1!1"], ["5"]),
    ],
)
def test_a_range_is_judged_as_osv_says(events: list[tuple[str, str]], reached: list[str], missed: list[str]) -> None:
    one = Affected("X-1", frozenset({"X-1"}), frozenset(), (tuple(events),))
    assert [text for text in reached if not advisories.reaches(one, Version(text))] == []
    assert [text for text in missed if advisories.reaches(one, Version(text))] == []


def test_a_named_version_counts_in_any_spelling_and_old_names_do_not_disturb() -> None:
    one = Affected("X-1", frozenset({"X-1"}), frozenset({"1.0.0", "2004d", "v2.0-rc1"}), ())
    assert advisories.reaches(one, Version("1.0"))
    assert advisories.reaches(one, Version("2.0rc1"))
    assert not advisories.reaches(one, Version("2.0"))


@pytest.mark.parametrize(
    "one",
    [
        Affected("X-1", frozenset(), frozenset(), ()),
        Affected("X-1", frozenset(), frozenset(), ((("introduced", "0"), ("fixed", "nach Ostern")),)),
    ],
    ids=["nothing said", "no version"],
)
def test_what_cannot_be_compared_is_no_all_clear(one: Affected) -> None:
    with pytest.raises(UnclearError):
        advisories.reaches(one, Version("1.0"))


# --- a copy --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "zip"])
def test_both_published_forms_are_read(tmp_path: Path, suffix: str, zipped: bool) -> None:
    other = advisory("GO-1", affected=[{"package": {"ecosystem": "Go", "name": "jinja2"}}])
    source = written(tmp_path / "copy", advisory(), other, suffix=suffix)
    (source / ".github").mkdir()
    (source / ".github" / "check.yml").write_text("{{ no yaml", "utf-8")
    (source / "mkdocs.yml").write_text("site: x\n", "utf-8")
    if zipped:
        with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(source.rglob("*.*")):
                archive.write(path, path.relative_to(source))
        source = tmp_path / "all.zip"
    known = looked_up(source, tmp_path)
    (fault,) = known.found
    assert (fault.package, fault.version, fault.id, fault.fixed) == ("jinja2", "3.1.6", "PYSEC-2026-7", ("3.1.7",))
    assert (known.read, known.named, known.unread, known.days) == (1, 1, [], 7)
    assert known.newest == "PYSEC-2026-7 vom 20.11.2026"


def test_names_are_compared_as_the_index_does_and_a_version_in_yaml_is_text(tmp_path: Path) -> None:
    text = (
        "id: PYSEC-2026-8\nmodified: '2026-11-20T10:00:00Z'\naffected:\n- package: {ecosystem: PyPI, name: WeasyPrint}\n"
        "- package: {ecosystem: PyPI, name: weasy.print}\n  versions: [70.0, 1.10]\n  ranges: null\n"
    )
    (tmp_path / "PYSEC-2026-8.yml").write_text(text, "utf-8")
    known = looked_up(tmp_path, tmp_path)
    assert [(fault.package, fault.version) for fault in known.found] == [("weasy-print", "70.0")]
    assert advisories.read(tmp_path, NOW, WANTED).packages["PyPI", "weasy-print"][0].versions == {"70.0", "1.10"}


def test_the_same_fault_under_several_names_is_one_also_through_a_third(tmp_path: Path) -> None:
    rng = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.0"}, {"fixed": "3.1.0"}]}]
    other = [{"package": {"ecosystem": "PyPI", "name": "Jinja2"}, "ranges": rng, "versions": ["3.1.6"]}]
    source = written(
        tmp_path / "copy",
        advisory("GHSA-a-b-c", aliases=["CVE-2026-1"], affected=other),
        advisory("PYSEC-2026-7", aliases=["CVE-2026-2"]),
        advisory("OSV-5", aliases=["CVE-2026-2", "CVE-2026-1"]),
        advisory("PYSEC-2026-9"),
    )
    known = looked_up(source, tmp_path, {"CVE-2026-1": "reicht nicht zu uns"})
    first, second = known.found
    assert (first.id, first.fixed, first.accepted) == ("PYSEC-2026-7", ("3.1.7", "4.0"), "reicht nicht zu uns")
    assert set(first.aliases) == {"CVE-2026-1", "CVE-2026-2", "GHSA-a-b-c", "OSV-5"}
    assert (second.id, second.accepted) == ("PYSEC-2026-9", "")


def test_a_withdrawn_advisory_says_nothing_and_does_not_make_the_copy_newer(tmp_path: Path) -> None:
    source = written(
        tmp_path / "copy",
        advisory("PYSEC-2026-7", withdrawn="2026-11-21T00:00:00Z"),
        advisory(
            "PYSEC-2020-1", modified="2026-10-01T00:00:00Z", published=None, withdrawn=None, affected=advisory()["affected"]
        ),
    )
    known = looked_up(source, tmp_path)
    assert [fault.id for fault in known.found] == ["PYSEC-2020-1"]
    assert (known.read, known.withdrawn, known.days, known.old) == (2, 1, 57, True)


def test_a_program_that_a_package_carries_is_judged_by_its_own_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = supply.carried()
    assert [(name, Version(version).major) for name, version in carried] == [("postgresql", 18)]
    monkeypatch.setattr(vulnerabilities, "carried", lambda: [("postgresql", "18.4")])
    rng = [{"type": "SEMVER", "events": [{"introduced": "18.0.0"}, {"fixed": "18.7.0"}]}]
    one = [{"package": {"ecosystem": "Bitnami", "name": "postgresql"}, "ranges": rng}]
    source = written(tmp_path / "copy", advisory("BIT-postgresql-2026-6460", aliases=["CVE-2026-6460"], affected=one))
    (fault,) = looked_up(source, tmp_path).found
    assert (fault.package, fault.version, fault.fixed) == ("postgresql", "18.4", ("18.7.0",))
    assert looked_up(written(tmp_path / "other", advisory()), tmp_path).unknown == ["postgresql 18.4"]


# --- broken, hostile, huge -----------------------------------------------------------------------------------------------

LAUGHS = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
BROKEN = {
    "cut.json": ('{"id": "X", "affe', "kein JSON (Zeile 1)"),
    "cut.yaml": ("id: X\naffected:\n- {a: [\n", "kein YAML (Zeile"),
    "twice.yaml": ("id: X\n---\nid: Y\n", "2 Dokumente statt eines"),
    "nothing.yaml": ("", "0 Dokumente statt eines"),
    "keys.yaml": ("? [a, b]\n: 1\n", "ein Schlüssel ist kein Text"),
    "deep.yaml": ("[" * 300_000, "zu tief verschachtelt"),
    "deep.json": ("[" * 300_000, "zu tief verschachtelt"),
    "laughs.yaml": (LAUGHS, "Verweise"),
    "huge.json": (" " * (advisories.FILE_BYTES + 1), "größer als 8 MiB"),
    "future.json": (json.dumps(advisory(modified="2999-01-01T00:00:00Z")), "Datum in der Zukunft (01.01.2999)"),
    "undated.json": (json.dumps(advisory(modified="gestern")), "»modified« ist kein Zeitpunkt"),
    "nameless.json": (json.dumps(advisory() | {"id": None}), "»id« ist keine Kennung"),
    "terminal.json": (json.dumps(advisory("\x1b]0;x\x07")), "»id« ist keine Kennung"),
    "alias.json": (json.dumps(advisory(aliases=["\x1b[2J"])), "»aliases« ist keine Kennung"),
    "list.json": (json.dumps(advisory(affected={"package": 1})), "»affected« ist keine Liste von Einträgen"),
    "event.json": (
        json.dumps(
            advisory(affected=[advisory()["affected"][0] | {"ranges": [{"type": "SEMVER", "events": [{"from": "1"}]}]}])
        ),
        "unbekanntes Ereignis »from«",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_or_hostile_file_is_named_and_the_others_are_read(tmp_path: Path, name: str) -> None:
    text, fault = BROKEN[name]
    source = written(tmp_path / "copy", advisory())
    (source / name).write_text(text, "utf-8")
    known = looked_up(source, tmp_path)
    assert [found.id for found in known.found] == ["PYSEC-2026-7"]
    (told,) = known.unread
    assert told.startswith(f"{name}: ")
    assert fault in told


def test_bytes_that_are_no_text_and_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path / "copy", advisory())
    (source / "latin.json").write_bytes('{"id": "Ä"}'.encode("latin-1"))
    (source / "secret.yaml").write_text("id: X\n", "utf-8")
    opened = Path.open

    def refused(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "secret.yaml":
            raise PermissionError
        return opened(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refused)
    assert advisories.read(source, NOW, WANTED).broken == [
        "latin.json: kein UTF-8",
        "secret.yaml: nicht lesbar (PermissionError)",
    ]


def test_a_zip_that_lies_or_swells_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "all.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("PYSEC-2026-7.json", json.dumps(advisory()))
        archive.writestr("vulns/\x1b[31mbomb.json", b" " * (advisories.FILE_BYTES * 4))
    copy = advisories.read(source, NOW, WANTED)
    assert copy.read == 1
    assert copy.broken == ["vulns/?[31mbomb.json: größer als 8 MiB"]
    raw = bytearray(source.read_bytes())
    raw[45] ^= 0xFF  # inside the first member
    source.write_bytes(raw)
    assert any("im Zip nicht lesbar" in told or "kein" in told for told in advisories.read(source, NOW, WANTED).broken)
    monkeypatch.setattr(advisories, "TOTAL_BYTES", advisories.FILE_BYTES)
    with pytest.raises(AdvisoriesError, match="keine Sammlung von Meldungen"):
        advisories.read(source, NOW, WANTED)
    monkeypatch.setattr(advisories, "FILES", 1)
    with pytest.raises(AdvisoriesError, match="mehr als 1 Dateien"):
        advisories.read(source, NOW, WANTED)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("missing", None, "gibt es nicht"),
        ("text.zip", b"<html>404</html>", "weder ein Ordner noch ein lesbares Zip"),
        ("cut.zip", b"PK\x05\x06" + b"\x00" * 12 + b"\xff" * 6, "Laden Sie die Datei noch einmal herunter|Meldung"),
    ],
)
def test_what_is_no_copy_is_refused_with_a_remedy(tmp_path: Path, name: str, content: bytes | None, fault: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AdvisoriesError, match=fault):
        advisories.read(tmp_path / name, NOW, WANTED)


def test_a_copy_of_another_ecosystem_is_refused(tmp_path: Path) -> None:
    npm = advisory("GHSA-x", affected=[{"package": {"ecosystem": "npm", "name": "jinja2"}}])
    with pytest.raises(AdvisoriesError, match=r"keine Meldung zu unseren Paketen.*all\.zip"):
        advisories.read(written(tmp_path / "copy", npm), NOW, WANTED)


# --- the command ---------------------------------------------------------------------------------------------------------


def test_the_command_says_what_reaches_us_how_old_the_copy_is_and_what_it_could_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.run", _no_network(monkeypatch))
    harmless = advisory("PYSEC-2026-1", modified="2026-10-02T00:00:00Z", published=None)
    harmless["affected"][0]["ranges"][0]["events"][1] = {"fixed": "2.0"}
    source = written(tmp_path / "copy", harmless)
    assert run(["audit", "--advisories", str(source)]) == 0
    said = capsys.readouterr().out
    assert "die neueste PYSEC-2026-1 vom 02.10.2026, 56 Tage alt" in said
    assert "Die Sammlung ist nicht aktuell" in said
    assert "postgresql 18." in said
    assert "Bekannte Schwachstellen: 0" in said
    (source / "broken.json").write_text("{", "utf-8")
    assert run(["audit", "--advisories", str(source)]) == 3
    assert "nicht geprüft: broken.json: kein JSON (Zeile 1)" in capsys.readouterr().out
    written(source, advisory())
    assert run(["audit", "--advisories", str(source)]) == 1
    said = capsys.readouterr().out
    assert "jinja2 3.1.6: PYSEC-2026-7, behoben in 3.1.7 (OFFEN)" in said
    assert "nicht aktuell" not in said


def test_the_packages_of_the_tests_are_judged_on_request_and_json_holds_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    source = written(
        tmp_path / "copy", advisory(affected=[{"package": {"ecosystem": "PyPI", "name": "pytest"}, "ranges": rng}])
    )
    assert run(["audit", "--advisories", str(source)]) == 0
    capsys.readouterr()
    assert run(["audit", "--advisories", str(source), "--with-tests", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(fault["package"], fault["fixed"]) for fault in told["vulnerabilities"]] == [("pytest", [])]
    assert {key: told["advisories"][key] for key in ("read", "named", "days", "old", "unread")} == {
        "read": 1, "named": 1, "days": 7, "old": False, "unread": [],
    }  # fmt: skip


def _no_network(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everything but pip-audit may be called."""
    import subprocess

    real = subprocess.run

    def instead(command: Any, **named: Any) -> Any:
        assert "pip_audit" not in command
        return real(command, **named)

    return instead
