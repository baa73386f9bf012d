"""Logging: lines for people on the terminal, one JSON object per line in `<home>/log/` for machines.

Business keys (customer, report, invoice, run) are bound for the time of a block and stand in every line written in it:

    with bound(customer="K1001", report="SB-2026-000001"):
        log.info("Bericht erstellt")

What happens to one item of many (a mail, a ticket, an invoice) is one line of the file alone, by `item`: thousands of
them would hide what people read on the terminal and in Prefect.
"""

import contextlib
import contextvars
import json
import logging
import logging.handlers
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit import clock
from kit.errors import UsageError
from kit.settings import home, settings

Work = Callable[[], object]

FILE_LIMIT, FILES_KEPT = 5_000_000, 3

_keys: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("keys", default=None)


@contextlib.contextmanager
def bound(**keys: Any) -> Iterator[None]:
    """Put business keys on every line of the block."""
    token = _keys.set({**(_keys.get() or {}), **keys})
    try:
        yield
    finally:
        _keys.reset(token)


_items = logging.getLogger("items")


def item(message: str, *, fault: str | None = None, **keys: Any) -> None:
    """One line about one item with its business keys; a fault, told instead of the message, is a warning."""
    with bound(**keys):
        _items.log(logging.WARNING if fault else logging.INFO, "%s", fault or message)


class _Bind(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.keys = _keys.get() or {}
        return True


class JsonLines(logging.Formatter):
    """One object per line: at, level, logger, message, the business keys; the trace of an error unless `trace` is False."""

    def __init__(self, *, trace: bool = True) -> None:
        super().__init__()
        self.trace = trace

    def format(self, record: logging.LogRecord) -> str:
        content = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "keys", {}),
        }
        if record.exc_info and self.trace:
            content["trace"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False, default=str)


_UNSEEN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {0x2028: "\\u2028", 0x2029: "\\u2029"}


def one_line(text: str) -> str:
    """The text without control characters: what somebody else wrote cannot begin a line of its own or steer a terminal."""
    return text.translate(_UNSEEN)


class _Readable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        keys = " ".join(f"{name}={value}" for name, value in getattr(record, "keys", {}).items())
        told = one_line(record.getMessage() + (f"  [{keys}]" if keys else ""))
        line = f"{clock.local(clock.now()):%H:%M:%S} {told}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _forwarded(name: str) -> logging.Handler | None:
    """Lines for the log service that `DREHKREUZ_LOG_SYSLOG` names (RFC 3164, the JSON line as its text), or None.

    Only what never waits: a socket of this machine or UDP. A service that is away costs its lines there, never work here; the
    files have them all, and the traces, which are too long for a datagram.
    """
    try:
        wanted = settings().log_syslog.strip()
    except UsageError:
        return None  # whoever reads the settings next says what is wrong
    if not wanted:
        return None
    place = urlsplit(wanted)
    try:
        address = wanted if place.scheme != "udp" or not place.hostname else (place.hostname, place.port or 514)
        if isinstance(address, str) and not Path(address).is_socket():
            raise FileNotFoundError(address)
        handler = _Syslog(address, facility=logging.handlers.SysLogHandler.LOG_DAEMON)
    except (OSError, ValueError) as fault:
        sys.stderr.write(f"Einstellung DREHKREUZ_LOG_SYSLOG={wanted}: nicht erreichbar ({fault}); Protokolle nur in Dateien.\n")
        return None
    handler.ident, handler.append_nul = f"drehkreuz-{name}: ", False
    handler.setFormatter(JsonLines(trace=False))
    handler.addFilter(_Bind())
    handler.setLevel(logging.INFO)
    return handler


class _Syslog(logging.handlers.SysLogHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        """The line stands in the file; a trace on the terminal for each lost datagram would hide it."""


def also_to_file(name: str) -> None:
    """Write JSON lines to `<home>/log/<name>.jsonl` too, beside whatever this process logs to already (Prefect's own handlers).

    Several processes write to the file, each line whole; it is turned over when one of them starts.
    """
    path = home() / "log" / f"{name}.jsonl"
    if any(getattr(handler, "baseFilename", "") == str(path) for handler in logging.getLogger().handlers):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > FILE_LIMIT:
            path.replace(path.with_suffix(".jsonl.1"))
    handler = logging.handlers.WatchedFileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonLines())
    handler.addFilter(_Bind())
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    if (forwarded := _forwarded(name)) is not None:
        logging.getLogger().addHandler(forwarded)
    _items.setLevel(logging.INFO)  # the root of Prefect's processes says less


def configure(name: str, level: int = logging.INFO, *, terminal: bool = True) -> None:
    """Set up this process: JSON lines in `<home>/log/<name>.jsonl`, readable lines on stderr unless `terminal` is False."""
    folder = home() / "log"
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / f"{name}.jsonl", maxBytes=FILE_LIMIT, backupCount=FILES_KEPT, encoding="utf-8"
    )
    file.setFormatter(JsonLines())
    handlers: list[logging.Handler] = [file]
    if terminal:
        readable = logging.StreamHandler(sys.stderr)
        readable.setFormatter(_Readable())
        readable.addFilter(lambda record: record.name != _items.name or record.levelno > logging.INFO)
        handlers.append(readable)
    for handler in handlers:
        handler.addFilter(_Bind())
    if (forwarded := _forwarded(name)) is not None:
        handlers.append(forwarded)
    root = logging.getLogger()
    for replaced in root.handlers:
        if isinstance(replaced, logging.handlers.RotatingFileHandler | logging.handlers.WatchedFileHandler):
            replaced.close()  # the file of an earlier call in this process
    root.handlers = handlers
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncio", "prefect.client", "fontTools", "weasyprint"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
