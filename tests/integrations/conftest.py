"""Fixtures of the outside world: an S3 server for the session, sinks per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import S3Server, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server with Object Lock for the whole session; tests take buckets of their own."""
    with s3_server(tmp_path_factory.mktemp("s3") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def certificate_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    from tests.servers import certificate

    return certificate(tmp_path_factory.mktemp("tls"))
