"""A mail server that misbehaves on purpose: refuses, puts off, stalls, hangs up at any place.

In a test: `with HostileSmtp([Plan(after_dot="drop-taken"), Plan()]) as server:` - one plan per mail in turn, the last one for
all further mails. As a process: `python -m tests.hostile_smtp --dir DIR --port-file FILE --plans '[{"after_dot": "stall"}, {}]'`,
which keeps what it took like the recording sink does.
"""

import argparse
import base64
import contextlib
import json
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from integrations.mail.sink import MailSink


@dataclass(frozen=True)
class Plan:
    """How one mail is treated. A reply is a full SMTP line; "drop" closes the connection, "stall" says nothing for ever."""

    mail: str = "250 2.1.0 ok"
    rcpt: dict[str, str] = field(default_factory=dict)
    """Reply per recipient; others get 250."""
    data: str = "354 go on"
    body: str = ""
    """"drop" or "stall" while the content comes in."""
    after_dot: str = "250 2.0.0 Ok: queued as {id}"
    """Also: "drop-taken" (kept, then hung up), "drop-lost" (thrown away, then hung up), "stall-taken", "reset-taken"."""


@dataclass(frozen=True)
class Taken:
    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class _HangUpError(Exception):
    """The plan ends the connection."""


class HostileSmtp:
    """Threads on loopback; `taken` holds what a real server would now deliver."""

    def __init__(
        self,
        plans: Sequence[Plan] = (),
        *,
        greeting: str = "220 mx.example ESMTP",
        extensions: Sequence[str] = ("SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES"),
        mails_per_connection: int = 1_000_000,
        login: tuple[str, str] | None = None,
        tls: tuple[Path, Path] | None = None,
        implicit_tls: bool = False,
        keep: MailSink | None = None,
    ) -> None:
        self.plans = list(plans) or [Plan()]
        self.greeting = greeting
        self.extensions = list(extensions)
        self.mails_per_connection = mails_per_connection
        self.login = login
        self.implicit_tls = implicit_tls
        self.keep = keep
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.connections = 0
        self.begun = 0
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
            if not implicit_tls:
                self.extensions.append("STARTTLS")
        if login:
            self.extensions.append("AUTH PLAIN LOGIN")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            _close(connection)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.implicit_tls and self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            _Conversation(self, connection).run()
        except (OSError, _HangUpError, ValueError):
            pass
        finally:
            _close(connection)

    def plan(self) -> Plan:
        with self._lock:
            self.begun += 1
            return self.plans[min(self.begun, len(self.plans)) - 1]

    def take(self, mail: Taken) -> str:
        with self._lock:
            self.taken.append(mail)
            if self.keep:
                return self.keep.keep(mail.sender, list(mail.recipients), mail.raw)
            return f"H{len(self.taken):04d}"

    def stall(self) -> None:
        self._over.wait(60)
        raise _HangUpError

    def secure(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            raise _HangUpError
        wrapped = self._context.wrap_socket(connection, server_side=True)
        self._open.append(wrapped)
        return wrapped


class _Conversation:
    """One connection."""

    def __init__(self, server: HostileSmtp, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.file: IO[bytes] = connection.makefile("rb")
        self.sender = ""
        self.recipients: list[str] = []
        self.current = Plan()
        self.mails = 0
        self.logged_in = server.login is None

    def run(self) -> None:
        self.say(self.server.greeting)
        while line := self.file.readline(5000):
            text = line.decode("utf-8", "replace").strip()
            self.server.commands.append(text)
            verb, _, argument = text.partition(" ")
            handler = getattr(self, f"on_{verb.lower()}", None)
            if handler is None:
                self.say("502 5.5.1 what?")
            else:
                handler(argument)

    def say(self, reply: str) -> None:
        if reply == "stall":
            self.server.stall()
        if reply == "drop":
            raise _HangUpError
        self.connection.sendall(reply.encode() + b"\r\n")
        if reply.startswith("421"):
            raise _HangUpError

    def on_ehlo(self, _argument: str) -> None:
        lines = ["mx.example", *self.server.extensions]
        self.say("\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{line}" for i, line in enumerate(lines)))

    def on_starttls(self, _argument: str) -> None:
        self.say("220 go ahead")
        self.connection = self.server.secure(self.connection)
        self.file = self.connection.makefile("rb")
        self.server.extensions = [e for e in self.server.extensions if e != "STARTTLS"]

    def on_auth(self, argument: str) -> None:
        method, _, initial = argument.partition(" ")
        if method != "PLAIN":
            self.say("504 5.5.4 no")
            return
        _, user, password = base64.b64decode(initial).decode().split("\x00")
        self.logged_in = (user, password) == self.server.login
        self.say("235 2.7.0 ok" if self.logged_in else "535 5.7.8 authentication failed")

    def on_mail(self, argument: str) -> None:
        if not self.logged_in:
            self.say("530 5.7.0 authentication required")
            return
        self.mails += 1
        if self.mails > self.server.mails_per_connection:
            self.say("421 4.7.0 too many mails on this connection")
        self.current = self.server.plan()
        self.sender = argument.partition("<")[2].partition(">")[0]
        self.recipients = []
        self.say(self.current.mail)

    def on_rcpt(self, argument: str) -> None:
        recipient = argument.partition("<")[2].partition(">")[0]
        reply = self.current.rcpt.get(recipient, "250 2.1.5 ok")
        if reply.startswith("250"):
            self.recipients.append(recipient)
        self.say(reply)

    def on_rset(self, _argument: str) -> None:
        self.say("250 2.0.0 ok")

    def on_noop(self, _argument: str) -> None:
        self.say("250 2.0.0 ok")

    def on_quit(self, _argument: str) -> None:
        self.say("221 2.0.0 bye")
        raise _HangUpError

    def on_data(self, _argument: str) -> None:
        self.say(self.current.data)
        if not self.current.data.startswith("354"):
            return
        lines: list[bytes] = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise _HangUpError
            lines.append(line[1:] if line.startswith(b".") else line)
            if self.current.body and len(lines) >= 3:
                self.say(self.current.body)
        self.answer(Taken(self.sender, tuple(self.recipients), b"".join(lines)))

    def answer(self, mail: Taken) -> None:
        how = self.current.after_dot
        if how.startswith("250") or how.endswith("-taken"):
            ident = self.server.take(mail)
        else:
            ident = ""
        if how == "reset-taken":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            raise _HangUpError
        self.say(how.partition("-")[0] if how.startswith(("drop", "stall")) else how.format(id=ident))


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--plans", type=json.loads, default=[])
    options = parser.parse_args(arguments)
    plans: list[dict[str, Any]] = options.plans
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with HostileSmtp([Plan(**p) for p in plans], keep=MailSink(options.dir)) as server:
        options.port_file.write_text(str(server.port))
        over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
