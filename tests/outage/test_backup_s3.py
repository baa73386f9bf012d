"""A house whose archive is in S3 and whose bucket is lost: from a backup with the objects every document comes back."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import archive, archive_check
from actions.billing import documents
from deployments.backup import making, restoring
from deployments.backup.contents import Phase
from deployments.instance import instance
from integrations.archive.s3 import S3Archive
from kit.database import unit_of_work
from models.plumbing import ArchivedObject
from tests.outage import world
from tests.outage.test_backup import yes
from tests.servers import S3Server, SinkProcess, s3_server

pytestmark = [pytest.mark.slow, pytest.mark.needs("s3")]


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with s3_server(tmp_path / "s3") as server:
        target = server.target("erster")
        for name, value in {
            "ARCHIVE": "s3", "S3_ENDPOINT_URL": target.endpoint_url, "S3_ACCESS_KEY": target.access_key,
            "S3_SECRET_KEY": target.secret_key,
        }.items():  # fmt: skip
            monkeypatch.setenv(f"DREHKREUZ_{name}", value)
        work_with(server, "erster", monkeypatch)
        yield server


def work_with(server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    S3Archive(server.target(bucket)).create_bucket()
    monkeypatch.setenv("DREHKREUZ_S3_BUCKET", bucket)


def register() -> dict[str, tuple[str, dt.date]]:
    with unit_of_work("test") as session:
        rows = session.execute(sa.select(ArchivedObject.key, ArchivedObject.sha256, ArchivedObject.retain_until)).tuples()
        return {key: (sha256, until) for key, sha256, until in rows}


def test_a_lost_bucket_comes_back_from_a_backup_with_its_objects(
    s3: S3Server, billed: SinkProcess, tmp_path: Path, phase: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, kept = tmp_path / "backups", register()
    listed = making.make(store, phase)
    assert not list(listed.backup.folder.glob("archive/**/*.pdf")), "without --objects only the list"
    full = making.make(store, phase, with_objects=True)
    again = making.make(store, phase, with_objects=True)
    assert (full.linked, again.linked) == (0, len(kept))
    assert [made.troubles for made in (listed, full, again)] == [[], [], []]
    with world.another_home(tmp_path / "leer", "ohneobjekte"):
        work_with(s3, "zweiter", monkeypatch)
        done = restoring.restore(listed.backup.folder, instance(), phase, agree=yes)
        assert done is not None
        assert len(done.troubles) == len(kept), "each object that is nowhere is named"
    with world.another_home(tmp_path / "neu", "mitobjekten"):
        work_with(s3, "dritter", monkeypatch)
        done = restoring.restore(store, instance(), phase, agree=yes)
        assert done is not None
        assert done.troubles == []
        assert register() == kept
        with unit_of_work("test") as session:
            for key, (_, until) in kept.items():
                assert archive.read(session, key)
                assert archive.store().retained_until(key) == until
            assert archive_check.verify(session) == (len(kept), [])
            assert len(documents.write(session, world.OCTOBER, tmp_path / "out")) >= 6
