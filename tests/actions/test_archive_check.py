"""What was archived is read again; a changed byte and a changed row are both found."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import archive
from actions import archive_check as check
from flows.archive_check import archive_check
from kit.database import Role, engine, unit_of_work


@pytest.fixture
def three(committed: None) -> list[str]:
    with unit_of_work("test") as session:
        kept = archive.keep(
            session, *(archive.Document("reports", f"SB-2026-00000{n}", f"Bericht {n}".encode()) for n in (1, 2, 3))
        )
    return [place.key for place in kept]


@pytest.mark.promise("S153")
def test_an_untouched_archive_has_no_faults_and_a_second_look_changes_nothing(three: list[str]) -> None:
    assert archive_check().open_items == ()
    with unit_of_work("test") as session:
        chains = list(session.scalars(sa.text("SELECT chain FROM archived_object ORDER BY id")))
    assert len(set(chains)) == 3
    assert archive_check().open_items == ()
    with unit_of_work("test") as session:
        assert list(session.scalars(sa.text("SELECT chain FROM archived_object ORDER BY id"))) == chains


def test_a_changed_byte_is_found(three: list[str], home: Path) -> None:
    path = home / "archive" / three[1]
    path.chmod(0o644)
    path.write_bytes(b"Bericht X")
    assert [item.partition(":")[0] for item in archive_check().open_items] == [three[1]]


def test_a_row_that_was_taken_out_breaks_the_chain(three: list[str]) -> None:
    archive_check()
    with engine(Role.OWNER).begin() as connection:
        connection.execute(sa.text("ALTER TABLE archived_object DISABLE TRIGGER frozen"))
        connection.execute(sa.text("DELETE FROM archived_object WHERE key = :key"), {"key": three[1]})
        connection.execute(sa.text("ALTER TABLE archived_object ENABLE TRIGGER frozen"))
    with unit_of_work("test") as session:
        assert [fault.key for fault in check.broken_links(session)] == [three[2]]
