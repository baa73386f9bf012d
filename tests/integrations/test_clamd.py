"""The virus check: clean passes, infected and unchecked do not, whatever clamd says or does not say."""

import io
import socket
from pathlib import Path

import pytest

from integrations.clamd import CHUNK, Clamd, InfectedError, ScannerAwayError
from tests.clamd_server import SIGNATURE, ClamdServer


def test_a_clean_file_passes_whole_and_can_be_read_again() -> None:
    content = io.BytesIO(b"x" * (CHUNK * 2 + 7))
    with ClamdServer() as server:
        Clamd(server.address).check("plan.pdf", content)
        Clamd(server.address).check("leer.txt", io.BytesIO())
    assert server.seen == [content.getvalue(), b""]
    assert content.tell() == 0


def test_what_is_found_is_refused_by_name() -> None:
    with ClamdServer() as server, pytest.raises(InfectedError, match=r"»rechnung\.pdf«.*»Eicar-Test-Signature«"):
        Clamd(server.address).check("rechnung.pdf", io.BytesIO(b"a" * (CHUNK - 5) + SIGNATURE))


def test_what_is_too_large_for_it_stays_unchecked_and_is_refused() -> None:
    with ClamdServer(limit=1000) as server, pytest.raises(ScannerAwayError, match="size limit exceeded"):
        Clamd(server.address).check("gross.pdf", io.BytesIO(b"x" * 2000))


def test_a_scanner_that_is_away_or_silent_lets_nothing_pass(tmp_path: Path) -> None:
    with pytest.raises(ScannerAwayError, match="antwortet nicht"):
        Clamd(str(tmp_path / "clamd.ctl")).check("a.pdf", io.BytesIO(b"x"))
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(ScannerAwayError, match="antwortet nicht"):
        Clamd(f"tcp://127.0.0.1:{deaf.getsockname()[1]}", seconds=0.2).check("a.pdf", io.BytesIO(b"x"))
