"""A clamd that speaks INSTREAM as the real one does (clamd(8)): one command per connection, chunks with their length, one verdict."""

import socketserver
import threading
from types import TracebackType
from typing import Self

SIGNATURE = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file that every scanner must find; in two parts, so that no scanner finds this one."""


class _Handler(socketserver.StreamRequestHandler):
    server: "ClamdServer"

    def handle(self) -> None:
        """Read one stream and answer."""
        if self._until_zero() != b"zINSTREAM":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            if len(content) + length > self.server.limit:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
            content += self.rfile.read(length)
        self.server.seen.append(content)
        self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0" if SIGNATURE in content else b"stream: OK\0")

    def _until_zero(self) -> bytes:
        command = b""
        while (sign := self.rfile.read(1)) not in (b"\0", b""):
            command += sign
        return command


class ClamdServer(socketserver.ThreadingTCPServer):
    """On a free port of this machine. `seen`: the files it was shown; `limit`: its StreamMaxLength."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, limit: int = 25_000_000) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[bytes] = []
        self.limit = limit
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """As `DREHKREUZ_CLAMD` names it."""
        return f"tcp://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self.shutdown()
        self._thread.join(10)
        self.server_close()
