"""S3 answers 503 for a while: nothing is lost, the same documents are there afterwards, each once."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import archive
from actions.mail import outbox
from actions.mail.outbox import NewMail
from integrations.archive.port import ArchiveUnavailableError
from integrations.archive.s3 import S3Archive, S3Target
from integrations.mail.types import MailTexts
from kit.database import unit_of_work
from models.parties import House
from models.plumbing import ArchivedObject, OutboxMail
from tasks import mail_dispatch as post
from tests import factories as make
from tests.servers import S3Server, SinkProcess, s3_server


class Front(http.server.ThreadingHTTPServer):
    """Stands before the real server: passes everything on, or says 503 to all."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.away, self.refused = behind, False, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.away:
            self.server.refused += 1
            self._send(503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        asked = urllib.request.Request(self.server.behind + self.path, body or None, dict(self.headers), method=self.command)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                self._send(answer.status, answer.getheaders(), answer.read())
        except urllib.error.HTTPError as no:
            self._send(no.code, list(no.headers.items()), no.read())

    def _send(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = _answer  # noqa: N815 - names of the library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """The archive of this house is in S3, behind a door that can be shut."""
    with s3_server(tmp_path / "s3") as real, Front(real.endpoint_url) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        S3Archive(S3Target("archiv", door.url, S3Server.access_key, S3Server.secret_key)).create_bucket()
        for name, value in {
            "ARCHIVE": "s3",
            "S3_ENDPOINT_URL": door.url,
            "S3_BUCKET": "archiv",
            "S3_ACCESS_KEY": S3Server.access_key,
            "S3_SECRET_KEY": S3Server.secret_key,
        }.items():
            monkeypatch.setenv(f"DREHKREUZ_{name}", value)
        yield door
        door.shutdown()


@pytest.mark.slow
def test_a_store_that_says_503_is_tried_again_later_and_nothing_is_lost(sink: SinkProcess, front: Front) -> None:
    with unit_of_work("test") as session:
        make.house(session)
        house = session.scalars(sa.select(House)).one()
        texts = MailTexts("Bericht", "x\n", "<p>x</p>")
        outbox.queue(session, house, [NewMail(f"report:{n}", "report", ("a@kunde.example",), texts) for n in range(3)])
    assert post.send_queued().accepted == 3, "mail leaves without the archive"
    front.away = True
    with pytest.raises(ArchiveUnavailableError, match="antwortet nicht"):
        archive.store().check()
    with pytest.raises(ArchiveUnavailableError, match="später erneut"):
        post.archive_sent()
    assert front.refused >= 3, "tried more than once"
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count(OutboxMail.id)).where(OutboxMail.raw.is_not(None))) == 3
    front.away = False
    assert post.archive_sent() == 3
    assert post.archive_sent() == 0
    with unit_of_work("test") as session:
        for mail in session.scalars(sa.select(OutboxMail)):
            assert outbox.raw_of(session, mail.id)
        assert session.scalar(sa.select(sa.func.count(ArchivedObject.id))) == 3
