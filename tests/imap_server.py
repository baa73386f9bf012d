"""A real IMAP server on loopback for tests (pymap, in memory), one in front of it that speaks TLS, and one that misbehaves."""

import contextlib
import datetime as dt
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from imapclient import IMAPClient

from deployments.crash.servers import Process, free_ports, wait_until

USER = "service@haus.example"
PASSWORD = "Grün/Rot#7% :@"
QUOTED = "Gr%C3%BCn%2FRot%237%25%20%3A%40"
"""The password as it stands in an address."""


class ImapServer:
    """Forgets everything when it stops."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_ports(1)[0]
        self._process: Process | None = None
        self._client: IMAPClient | None = None

    @property
    def url(self) -> str:
        return f"imap://{USER.replace('@', '%40')}:{QUOTED}@127.0.0.1:{self.port}/INBOX"

    def start(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "from pymap.main import main; main()"]
        command += [f"--no-service={name}" for name in ("admin", "managesieve", "swim")]
        command += ["--host=127.0.0.1", f"--port={self.port}", "--no-tls"]
        command += ["dict", f"--demo-user={USER}", f"--demo-password={PASSWORD}"]
        self._process = Process(command, self._folder / "imap.log")
        wait_until(self._answers, "IMAP server")
        return self

    def stop(self) -> None:
        if self._client is not None:
            self._client.logout()
            self._client = None
        if self._process is not None:
            self._process.end()
            self._process = None

    def _answers(self) -> bool:
        if self._process is not None and not self._process.alive:
            raise RuntimeError(f"IMAP server ended: {(self._folder / 'imap.log').read_text()[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as there:
                return there.recv(4) == b"* OK"
        except OSError:
            return False

    @property
    def client(self) -> IMAPClient:
        """A person's mail program, connected all the time (a login costs this server a third of a second)."""
        if self._client is None:
            self._client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
            self._client.plain_login(USER, PASSWORD)
        return self._client

    def deliver(self, raw: bytes, at: dt.datetime | None = None) -> None:
        self.client.append("INBOX", raw, (), at)

    def mails(self, folder: str = "INBOX") -> list[bytes]:
        if not self.client.folder_exists(folder):
            return []
        self.client.select_folder(folder)
        found = self.client.fetch(self.client.search("ALL"), ["BODY.PEEK[]", "FLAGS"])
        self.client.close_folder()
        assert not any(b"\\Seen" in mail[b"FLAGS"] for mail in found.values()), "whoever looks leaves no mark"
        return [mail[b"BODY[]"] for _, mail in sorted(found.items())]

    def empty(self) -> None:
        for folder in ("INBOX", "Verarbeitet"):
            if self.client.folder_exists(folder):
                self.client.select_folder(folder)
                self.client.delete_messages(self.client.search("ALL"))
                self.client.close_folder()
        if self.client.folder_exists("Verarbeitet"):
            self.client.delete_folder("Verarbeitet")


@contextlib.contextmanager
def tls_in_front(port: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """A port that speaks TLS from the first byte and hands on to `port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve(plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            plain,
            context.wrap_socket(plain, server_side=True) as outer,
            socket.create_connection(("127.0.0.1", port)) as inner,
        ):
            back = threading.Thread(target=_pump, args=(inner, outer))
            back.start()
            _pump(outer, inner)
            back.join(10)

    with _listening(serve) as own:
        yield own


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def scripted(replies: Sequence[tuple[str, str]]) -> Iterator[int]:
    """A server that answers by script: (word in the command, reply); `{tag}` is the command's. "drop" hangs up, "stall" is mute.

    A reply that begins with "+" asks for one line more, `{said}` repeats it.
    """

    def serve(there: socket.socket) -> None:
        with contextlib.suppress(OSError), there, there.makefile("rwb", buffering=0) as wire:
            wire.write(b"* OK ready\r\n")
            while line := wire.readline().decode():
                tag, _, command = line.partition(" ")
                reply = next((text for word, text in replies if word in command.upper()), "{tag} OK done")
                if reply == "drop":
                    return
                if reply.startswith("+"):
                    wire.write(b"+ \r\n")
                    reply = reply.removeprefix("+").replace("{said}", wire.readline().decode().strip())
                if reply != "stall":
                    wire.write(reply.format(tag=tag).replace("\n", "\r\n").encode() + b"\r\n")

    with _listening(serve) as own:
        yield own


@contextlib.contextmanager
def _listening(serve: object) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads: list[threading.Thread] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threads.append(threading.Thread(target=serve, args=(server.accept()[0],), daemon=True))  # type: ignore[arg-type]
                    threads[-1].start()

        gate = threading.Thread(target=accept, daemon=True)
        gate.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    gate.join(10)
    for thread in threads:
        thread.join(10)
