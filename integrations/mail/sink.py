"""The recording mail sink of the demo: a real SMTP server that delivers nothing and keeps everything.

    python -m integrations.mail.sink --dir DIR [--host 127.0.0.1] [--port 0] [--port-file FILE]

Each mail becomes `<arrival>-<id>.eml` (its bytes as received) beside a `.json` with the envelope. The .eml appears last
and by a rename: what is listed is complete, also after a kill.
"""

import argparse
import asyncio
import datetime as dt
import hashlib
import json
import os
import signal
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from kit import clock

SIZE_LIMIT = 50_000_000


@dataclass(frozen=True, slots=True)
class SunkMail:
    """One mail that the sink keeps."""

    id: str
    path: Path
    sender: str
    recipients: tuple[str, ...]
    received_at: dt.datetime
    raw: bytes


class MailSink:
    """The handler that aiosmtpd calls; also usable on its own with `keep`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        content = envelope.original_content or b""
        try:
            ident = self.keep(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        except OSError as fault:
            return f"452 4.3.1 not stored: {fault.strerror}"
        return f"250 2.0.0 Ok: queued as {ident}"

    def keep(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Store one mail; the answer is its id. Raises: OSError when the folder does not take it."""
        now = clock.now()
        ident = uuid.uuid4().hex[:12]
        stem = self.folder / f"{now:%Y%m%dT%H%M%S%f}-{ident}"
        envelope = {
            "id": ident,
            "sender": sender,
            "recipients": recipients,
            "received_at": now.isoformat(),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        _put(stem.with_suffix(".json"), json.dumps(envelope, ensure_ascii=False, indent=1).encode())
        _put(stem.with_suffix(".eml"), content)
        return ident


def _put(path: Path, content: bytes) -> None:
    passing = path.with_suffix(path.suffix + ".part")
    try:
        passing.write_bytes(content)
        passing.replace(path)
    except OSError:
        passing.unlink(missing_ok=True)
        raise


def sunk_mails(folder: Path) -> list[SunkMail]:
    """All mails in the sink, in order of arrival."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> SunkMail:
    envelope = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return SunkMail(
        id=envelope["id"],
        path=path,
        sender=envelope["sender"],
        recipients=tuple(envelope["recipients"]),
        received_at=dt.datetime.fromisoformat(envelope["received_at"]),
        raw=path.read_bytes(),
    )


async def serve(folder: Path, host: str, port: int, port_file: Path | None = None) -> None:
    """Take mails until SIGTERM or SIGINT. The chosen port stands in `port_file` as soon as connections are accepted."""
    sink = MailSink(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=SIZE_LIMIT, hostname="senke.drehkreuz.example", ident="Drehkreuz", loop=loop),
        host,
        port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    chosen = server.sockets[0].getsockname()[1]
    if port_file is not None:
        _put(port_file, str(chosen).encode())
    sys.stdout.write(f"Mailsenke bereit: {host}:{chosen}, Ablage {folder}\n")
    sys.stdout.flush()
    async with server:
        await stop.wait()


def main(arguments: list[str] | None = None) -> int:
    """Entry of `python -m integrations.mail.sink`."""
    parser = argparse.ArgumentParser(
        prog="integrations.mail.sink", description="Nimmt Mails an, legt sie ab, stellt nichts zu."
    )
    parser.add_argument("--dir", type=Path, required=True, help="Ordner für die .eml-Dateien")
    parser.add_argument("--host", default="127.0.0.1", help="Adresse, auf der gehorcht wird")
    parser.add_argument("--port", type=int, default=0, help="Port; 0 = freier Port")
    parser.add_argument("--port-file", type=Path, help="Datei, in die der gewählte Port geschrieben wird")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options.dir, options.host, options.port, options.port_file))
    except OSError as fault:
        sys.stderr.write(
            f"Mailsenke: {options.host}:{options.port} oder {options.dir} lässt sich nicht öffnen ({fault.strerror}); "
            "bitte einen anderen Port oder Ordner angeben.\n"
        )
        return os.EX_UNAVAILABLE
    finally:
        if options.port_file is not None:
            options.port_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
