"""A disk that is full: a German sentence, nothing half, and on it goes as soon as there is room."""

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.backup.contents import free_or_raise
from deployments.backup.postgres import BackupError
from deployments.faults import explained
from integrations.archive.folder import FolderArchive
from integrations.archive.port import ArchiveUnavailableError
from integrations.mail.sink import MailSink

UNTIL = dt.date(2037, 1, 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system of one's own needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_archive_keeps_nothing_half_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    archive = FolderArchive(small_disk / "archive")
    first = archive.put_once("invoices/2026/RE-2026-000001/a.pdf", b"a" * 500_000, "application/pdf", UNTIL)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    second = "invoices/2026/RE-2026-000002/b.pdf"
    with pytest.raises(ArchiveUnavailableError, match=r"voll.*Platz schaffen"):
        archive.put_once(second, b"b" * 500_000, "application/pdf", UNTIL)
    assert [key for key in archive.keys() if "000002" in key] == []  # noqa: SIM118 - a store is no dict
    assert list(small_disk.rglob("*.part")) == []
    archive.verify(first)
    ballast.unlink()
    archive.verify(archive.put_once(second, b"b" * 300_000, "application/pdf", UNTIL))


def test_a_backup_onto_a_full_disk_is_refused_before_it_begins(small_disk: Path) -> None:
    with pytest.raises(BackupError, match=r"sind 1 MB frei, nötig sind etwa 50 MB"):
        free_or_raise(small_disk, 50_000_000, "Sicherung")


def test_the_database_says_it_in_german() -> None:
    import psycopg
    from sqlalchemy.exc import OperationalError

    full = OperationalError("insert", {}, psycopg.errors.DiskFull("could not extend file"))
    assert "Datenträger ist voll" in explained(full)
    away = OperationalError("select", {}, psycopg.OperationalError("connection refused"))
    assert "antwortet nicht" in explained(away)
    assert explained(ValueError("x")) == ""
    assert MailSink is not None
