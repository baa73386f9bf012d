"""ClamAV: what somebody uploads is shown to `clamd` before it is kept (protocol: clamd(8), INSTREAM)."""

import socket
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from kit.errors import DrehkreuzError

CHUNK = 64 * 1024
_ANSWER = 4096
_SECONDS = 30.0


class ScannerAwayError(DrehkreuzError):
    """clamd did not answer, or could not look at the file: nothing is known about it."""


class InfectedError(DrehkreuzError):
    """The file holds something that does harm."""


class Readable(Protocol):
    """An open file; read from its beginning and left there."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...


class NoScanner:
    """Without clamd every file passes."""

    def check(self, name: str, content: Readable) -> None:
        """Nothing is looked at."""


@dataclass(frozen=True, slots=True)
class Clamd:
    """A clamd at `address`: the path of its socket on this machine, or `tcp://host:3310`."""

    address: str
    seconds: float = _SECONDS

    def check(self, name: str, content: Readable) -> None:
        """Return when the file is clean.

        Raises:
            InfectedError: with the name of what was found.
            ScannerAwayError: no answer, or the file is larger than clamd's StreamMaxLength.
        """
        try:
            answer = self._ask(content)
        except OSError as fault:
            raise ScannerAwayError(
                f"»{name}« wurde nicht angenommen: Die Virenprüfung antwortet nicht. Bitte versuchen Sie es später noch einmal."
            ) from fault
        verdict = answer.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
        if verdict.endswith(" FOUND"):
            found = verdict.removesuffix(" FOUND")
            raise InfectedError(f"»{name}« wurde nicht angenommen: Die Virenprüfung fand »{found}«. Gespeichert ist nichts.")
        if verdict != "OK":
            said = verdict or "keine Antwort"
            raise ScannerAwayError(f"»{name}« wurde nicht angenommen: Die Virenprüfung konnte die Datei nicht prüfen ({said}).")

    def _ask(self, content: Readable) -> bytes:
        with self._connected() as clamd:
            clamd.sendall(b"zINSTREAM\0")
            content.seek(0)
            try:
                while chunk := content.read(CHUNK):
                    clamd.sendall(len(chunk).to_bytes(4, "big") + chunk)
                clamd.sendall(bytes(4))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it stops reading what is too large, and says so
            finally:
                content.seek(0)
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < _ANSWER and (part := clamd.recv(_ANSWER)):
                answer += part
            return answer

    def _connected(self) -> socket.socket:
        place = urlsplit(self.address)
        if place.scheme == "tcp" and place.hostname:
            return socket.create_connection((place.hostname, place.port or 3310), self.seconds)
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            local.settimeout(self.seconds)
            local.connect(self.address)
        except OSError:
            local.close()
            raise
        return local
