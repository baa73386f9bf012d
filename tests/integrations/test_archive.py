"""Both stores keep the same promises; only S3 enforces them against its owner."""

import datetime as dt
import hashlib
import itertools
import json
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from integrations.archive.folder import FolderArchive
from integrations.archive.keys import archived_key, checked_key
from integrations.archive.null import NullArchive
from integrations.archive.port import (
    Archive,
    ArchiveConflictError,
    ArchiveDamagedError,
    ArchivedRef,
    ArchiveMissingError,
    ArchiveSettingsError,
    ArchiveUnavailableError,
)
from integrations.archive.s3 import S3Archive, S3Target
from tests.servers import S3Server, free_ports

UNTIL = dt.date(2035, 1, 1)
KEY = "invoices/2026/RE-2026-000001/abc.pdf"
_buckets = itertools.count(1)


def _s3_archive(server: S3Server) -> S3Archive:
    archive = S3Archive(server.target(f"archiv-{os.getpid()}-{next(_buckets)}"))
    archive.create_bucket()
    return archive


@pytest.fixture(params=["folder", "s3", "null"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "folder":
        return FolderArchive(tmp_path / "archive")
    if request.param == "null":
        return NullArchive()
    return _s3_archive(request.getfixturevalue("s3"))


@pytest.fixture
def s3_archive(s3: S3Server) -> S3Archive:
    return _s3_archive(s3)


# --- the same in every store ---------------------------------------------------------------------------------------


def test_what_was_put_comes_back(archive: Archive) -> None:
    ref = archive.put_once(KEY, b"%PDF-1.7 \x00\xff", "application/pdf", UNTIL)

    assert (ref.key, ref.size) == (KEY, 11)
    assert ref.sha256 == hashlib.sha256(b"%PDF-1.7 \x00\xff").hexdigest()
    assert archive.get(KEY) == b"%PDF-1.7 \x00\xff"
    assert archive.get(KEY, ref.version) == b"%PDF-1.7 \x00\xff"
    assert archive.retained_until(KEY) == UNTIL
    archive.verify(ref)
    archive.check()


def test_the_same_bytes_again_change_nothing(archive: Archive) -> None:
    first = archive.put_once(KEY, b"one", "application/pdf", UNTIL)

    assert archive.put_once(KEY, b"one", "application/pdf", UNTIL) == first
    assert archive.put_once(KEY, b"one", "application/pdf", dt.date(2030, 1, 1)) == first
    assert archive.retained_until(KEY) == UNTIL


def test_the_same_bytes_with_a_later_day_stay_longer(archive: Archive) -> None:
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    archive.put_once(KEY, b"one", "application/pdf", dt.date(2037, 1, 1))

    assert archive.retained_until(KEY) == dt.date(2037, 1, 1)


def test_other_bytes_under_the_same_key_are_refused(archive: Archive) -> None:
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)

    with pytest.raises(ArchiveConflictError, match="anderer Inhalt"):
        archive.put_once(KEY, b"two", "application/pdf", UNTIL)
    assert archive.get(KEY) == b"one"


def test_an_empty_object_is_an_object(archive: Archive) -> None:
    archive.put_once(KEY, b"", "text/plain", UNTIL)

    assert archive.get(KEY) == b""


def test_nothing_there_is_said_so(archive: Archive) -> None:
    for call in (lambda: archive.get(KEY), lambda: archive.retained_until(KEY), lambda: archive.retain(KEY, UNTIL)):
        with pytest.raises(ArchiveMissingError, match="liegt nichts"):
            call()
    with pytest.raises(ArchiveMissingError):
        archive.verify(ArchivedRef(KEY, "0" * 64, 1, ""))


def test_a_row_that_remembers_another_hash_is_found_out(archive: Archive) -> None:
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)

    with pytest.raises(ArchiveDamagedError, match="beschädigt"):
        archive.verify(ArchivedRef(KEY, hashlib.sha256(b"two").hexdigest(), 3, ""))


def test_a_day_is_only_ever_made_later(archive: Archive) -> None:
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    archive.retain(KEY, dt.date(2036, 1, 1))

    assert archive.retained_until(KEY) == dt.date(2036, 1, 1)
    with pytest.raises(ArchiveConflictError, match=r"01\.01\.2036"):
        archive.retain(KEY, UNTIL)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/../b",
        "a/./b",
        ".hidden",
        "a/",
        "a b",
        "ä.pdf",
        "a\\b",
        "a\nb",
        "a/.part",
        "x.meta.json",
        "a" * 600,
    ],
)
def test_keys_that_could_leave_the_store_are_refused(archive: Archive, key: str) -> None:
    with pytest.raises(ArchiveSettingsError, match="nicht erlaubt"):
        archive.put_once(key, b"one", "text/plain", UNTIL)
    with pytest.raises(ArchiveSettingsError):
        checked_key(key)


def test_many_writers_of_one_key_leave_one_object(archive: Archive) -> None:
    outcomes: list[str] = []

    def write(content: bytes) -> None:
        try:
            archive.put_once(KEY, content, "text/plain", UNTIL)
            outcomes.append(content.decode())
        except ArchiveConflictError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(f"writer {n % 3}".encode(),)) for n in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = archive.get(KEY).decode()
    assert sorted(outcomes) == sorted([kept] * 3 + ["refused"] * 6)


def test_key_of_a_document() -> None:
    assert archived_key("invoices", 2026, "RE-2026-000001", "ab12", "pdf") == "invoices/2026/RE-2026-000001/ab12.pdf"


# --- folder --------------------------------------------------------------------------------------------------------


def test_folder_does_not_claim_to_enforce(tmp_path: Path) -> None:
    assert FolderArchive(tmp_path).enforced is False


def test_files_are_read_only_and_no_part_is_left(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    archive.retain(KEY, dt.date(2036, 1, 1))

    files = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["abc.pdf", "abc.pdf.meta.json"]
    assert not any(p.stat().st_mode & 0o222 for p in tmp_path.rglob("*") if p.is_file())  # who may read it, says the umask
    assert json.loads((tmp_path / f"{KEY}.meta.json").read_text()) == {
        "content_type": "application/pdf",
        "retain_until": "2036-01-01",
        "sha256": hashlib.sha256(b"one").hexdigest(),
        "size": 3,
    }


@pytest.mark.parametrize("content", [b"", b"onf", b"one more"])
def test_changed_bytes_are_found_on_read(tmp_path: Path, content: bytes) -> None:
    archive = FolderArchive(tmp_path)
    ref = archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    (tmp_path / KEY).chmod(0o644)
    (tmp_path / KEY).write_bytes(content)

    with pytest.raises(ArchiveDamagedError, match="beschädigt"):
        archive.get(KEY)
    with pytest.raises(ArchiveDamagedError):
        archive.verify(ref)


@pytest.mark.parametrize("damage", ["lost", "{", '{"sha256": 1}', '{"sha256": "", "retain_until": "2035-01-01"}'])
def test_a_lost_or_broken_sidecar_is_named(tmp_path: Path, damage: str) -> None:
    archive = FolderArchive(tmp_path)
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    sidecar = tmp_path / f"{KEY}.meta.json"
    sidecar.unlink()
    if damage != "lost":
        sidecar.write_text(damage)

    with pytest.raises(ArchiveDamagedError, match="Begleitdatei"):
        archive.get(KEY)


def test_a_crash_between_object_and_sidecar_is_mended_by_the_next_put(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    (tmp_path / f"{KEY}.meta.json").unlink()

    with pytest.raises(ArchiveConflictError):
        archive.put_once(KEY, b"two", "application/pdf", UNTIL)
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    assert archive.get(KEY) == b"one"


def test_a_key_below_a_document_is_refused(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put_once("a/b", b"one", "text/plain", UNTIL)

    with pytest.raises(ArchiveSettingsError, match="selbst ein Dokument"):
        archive.put_once("a/b/c", b"one", "text/plain", UNTIL)


def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("")
    archive = FolderArchive(tmp_path / "archive")

    with pytest.raises(ArchiveSettingsError):
        archive.check()


def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = FolderArchive(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("integrations.archive.folder.os.fsync", full)
        with pytest.raises(ArchiveUnavailableError, match="der Datenträger ist voll"):
            archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    assert archive.get(KEY) == b"one"


def test_folder_url_is_the_file(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put_once(KEY, b"one", "application/pdf", UNTIL)

    with urllib.request.urlopen(archive.url(KEY)) as answer:
        assert answer.read() == b"one"


# --- S3 ------------------------------------------------------------------------------------------------------------


def test_s3_enforces_against_its_owner(s3: S3Server, s3_archive: S3Archive) -> None:
    ref = s3_archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    bucket = s3_archive._target.bucket
    owner = _client(s3)

    assert s3_archive.enforced is True
    assert ref.version
    for forbidden in (
        lambda: owner.delete_object(Bucket=bucket, Key=KEY, VersionId=ref.version),
        lambda: owner.delete_object(Bucket=bucket, Key=KEY, VersionId=ref.version, BypassGovernanceRetention=True),
        lambda: owner.put_object_retention(
            Bucket=bucket, Key=KEY, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}
        ),
        lambda: owner.put_object_retention(
            Bucket=bucket, Key=KEY, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": dt.datetime(2036, 1, 1, tzinfo=dt.UTC)}
        ),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied|403|denied"):
            forbidden()
    assert s3_archive.get(KEY, ref.version) == b"one"


def test_an_overwrite_past_us_leaves_the_archived_version(s3: S3Server, s3_archive: S3Archive) -> None:
    ref = s3_archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    _client(s3).put_object(Bucket=s3_archive._target.bucket, Key=KEY, Body=b"forged", Metadata={"sha256": ref.sha256})

    s3_archive.verify(ref)
    assert s3_archive.get(KEY, ref.version) == b"one"
    with pytest.raises(ArchiveDamagedError):
        s3_archive.get(KEY)


def test_the_day_is_midnight_in_berlin(s3: S3Server, s3_archive: S3Archive) -> None:
    s3_archive.put_once(KEY, b"one", "application/pdf", UNTIL)

    kept = _client(s3).head_object(Bucket=s3_archive._target.bucket, Key=KEY)
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] == dt.datetime(2034, 12, 31, 23, tzinfo=dt.UTC)
    assert kept["ContentType"] == "application/pdf"


def test_signed_url_reads_once_it_is_ours_and_not_when_tampered(s3_archive: S3Archive) -> None:
    s3_archive.put_once(KEY, b"one", "application/pdf", UNTIL)
    url = s3_archive.url(KEY, filename="Rechnung Müller.pdf", seconds=60)

    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"one"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="Rechnung_M_ller.pdf"'
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(url.replace("Expires=60", "Expires=6000"))
    refused.value.close()


def test_a_bucket_without_lock_is_not_accepted(s3: S3Server) -> None:
    _client(s3).create_bucket(Bucket="ohne-sperre")

    with pytest.raises(ArchiveSettingsError, match="Object Lock"):
        S3Archive(s3.target("ohne-sperre")).check()


@pytest.mark.parametrize("call", ["check", "put"])
def test_a_missing_bucket_and_a_wrong_key_are_settings_errors(s3: S3Server, s3_archive: S3Archive, call: str) -> None:
    target = s3.target("gibt-es-nicht")
    wrong = S3Target(s3_archive._target.bucket, s3.endpoint_url, "falsch", "falsch")
    for archive in (S3Archive(target), S3Archive(wrong)):
        with pytest.raises(ArchiveSettingsError, match="DREHKREUZ_S3_BUCKET"):
            archive.check() if call == "check" else archive.put_once(KEY, b"one", "text/plain", UNTIL)


def test_a_server_that_is_away_is_a_matter_of_time() -> None:
    archive = S3Archive(S3Target("archiv", f"http://127.0.0.1:{free_ports(1)[0]}", "a", "b", timeout=1))

    for call in (lambda: archive.put_once(KEY, b"one", "text/plain", UNTIL), lambda: archive.get(KEY), archive.check):
        with pytest.raises(ArchiveUnavailableError, match="später erneut"):
            call()


def test_objects_survive_a_kill_of_the_server(tmp_path: Path) -> None:
    server = S3Server(tmp_path / "data").start()
    try:
        archive = _s3_archive(server)
        refs = [archive.put_once(f"a/{n}", f"content {n}".encode() * 1000, "text/plain", UNTIL) for n in range(5)]
        server.stop()
        with pytest.raises(ArchiveUnavailableError):
            archive.get("a/0")
        server.start()
        for ref in refs:
            archive.verify(ref)
            archive.put_once(ref.key, archive.get(ref.key), "text/plain", UNTIL)
    finally:
        server.stop()


def _client(server: S3Server):
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
