"""A throw-away home that the crash test drives through processes alone: filled once, set back before each episode."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from deployments.crash.company import write_company
from deployments.crash.scenario import scenarios
from deployments.crash.servers import ROOT, WEED, S3Server, SinkProcess, mail_sink, s3_server
from kit.postgres import EmbeddedPostgres
from kit.postgres_layout import DATABASE, OWNER, SUPERUSER
from kit.process import die_with_parent

STOCKED = "stocked"
"""The database as it was filled; each episode begins with a copy."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a start ended. `place` is the last boundary that its process reached."""

    killed: bool
    place: str
    boundaries: int
    seconds: float
    cpu: float
    places: tuple[str, ...] = ()
    value: Any = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A home at the end: see deployments/crash/tally.py."""

    state: dict[str, Any]
    faults: list[str]
    counted: dict[str, int]


class CrashTestError(RuntimeError):
    """The crash test itself cannot go on: a start failed otherwise than by being killed."""


BUCKETS_PER_SERVER = 25
"""Then the server starts empty: each bucket takes volumes of its own, and what is locked in one cannot be deleted."""


@dataclass(slots=True)
class Home:
    """The home and its outside world.

    Args:
        folder: an empty folder; the home is `home/` below it, the sink `sink/`.
        sink: the mail server.
        s3: the archive; None = the folder archive.
        load: modules that the processes load first (tests break something by them).
    """

    folder: Path
    sink: SinkProcess
    s3: S3Server | None = None
    load: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    bucket: str = ""
    _buckets: int = 0
    _parent: subprocess.Popen[str] | None = None

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def environment(self) -> dict[str, str]:
        """Nothing of the operator's own settings reaches the test."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DREHKREUZ_", "PREFECT_"))}
        archive = {
            "DREHKREUZ_ARCHIVE": "s3",
            "DREHKREUZ_S3_ENDPOINT_URL": self.s3.endpoint_url,
            "DREHKREUZ_S3_ACCESS_KEY": self.s3.access_key,
            "DREHKREUZ_S3_SECRET_KEY": self.s3.secret_key,
            "DREHKREUZ_S3_BUCKET": self.bucket,
        } if self.s3 else {}  # fmt: skip
        return clean | archive | {
            "DREHKREUZ_HOME": str(self.home),
            "DREHKREUZ_SMTP_HOST": "127.0.0.1",
            "DREHKREUZ_SMTP_PORT": str(self.sink.port),
            "DREHKREUZ_SMTP_TLS": "none",
            "DREHKREUZ_REPORT_GRACE_DAYS": "0",
            "DREHKREUZ_RENDER_PROCESSES": "1",
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    # --- the parent of all starts ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the parent; comes back when it has everything loaded and the database runs."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "deployments.crash.child", "--log", str(self.folder / "boundaries")]
        flows = sorted({start.place().partition(":")[0] for one in scenarios().values() for start in one.starts})
        for module in (*flows, *self.load):
            command += ["--load", module]
        with (self.folder / "errors.log").open("ab") as errors:
            self._parent = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True, start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip
        if self._parent.stdout is None or not self._parent.stdout.readline():
            raise CrashTestError(f"Das Heim lässt sich nicht öffnen:\n{self._words()}")

    def close(self) -> None:
        """End the parent; the database ends with it."""
        parent, self._parent = self._parent, None
        if parent is not None and parent.stdin and parent.stdout:
            with contextlib.suppress(BrokenPipeError):
                parent.stdin.close()
            try:
                parent.wait(timeout=60)
            finally:
                parent.kill()
                parent.wait()
                parent.stdout.close()

    def order(self, call: str, arguments: dict[str, Any] | None = None, **where: Any) -> Ended:
        """One process of the home. Raises: CrashTestError when it failed by itself."""
        parent = self._parent
        if parent is None or parent.stdin is None or parent.stdout is None:
            raise CrashTestError("Das Heim ist nicht geöffnet.")
        environment = {"DREHKREUZ_S3_BUCKET": self.bucket}
        parent.stdin.write(json.dumps({"call": call, "arguments": arguments or {}, "environment": environment, **where}) + "\n")
        parent.stdin.flush()
        line = parent.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"code": "kein Elternprozess", "hung": False}
        if answer["code"] not in (0, -signal.SIGKILL) or answer["hung"]:
            raise CrashTestError(f"{call} scheiterte ({'hing' if answer['hung'] else answer['code']}):\n{self._words()}")
        killed = answer["code"] != 0
        return Ended(
            killed, answer["place"], answer["boundaries"] or 0, answer["seconds"], answer["cpu"], tuple(answer["places"]),
            answer["value"],
        )  # fmt: skip

    def _words(self) -> str:
        return (self.folder / "errors.log").read_text("utf-8")[-3000:]

    # --- the same beginning, again and again ---------------------------------------------------------------------------

    def fill(self) -> None:
        """Load the company and keep a copy of the database."""
        write_company(self.folder / "company")
        self.facts = self.order("deployments.crash.stock:fill", {"folder": str(self.folder / "company")}).value
        self._copy(DATABASE, STOCKED)

    def set_back(self) -> None:
        """The filled database, an empty archive, an empty sink."""
        self._copy(STOCKED, DATABASE)
        for name in ("archive", "sap", "mail", "goods-inbox"):
            shutil.rmtree(self.home / name, ignore_errors=True)
        for path in self.sink.folder.iterdir():
            if path.suffix in {".eml", ".json"}:
                path.unlink()
        if self.s3 is not None:
            self._buckets += 1
            if self._buckets % BUCKETS_PER_SERVER == 0:
                self.s3.start_empty()
            self.bucket = f"crash-{uuid.uuid4().hex[:12]}"
            self.order("deployments.crash.stock:make_bucket")

    def _copy(self, source: str, target: str) -> None:
        server = EmbeddedPostgres(self.home)
        names = {"target": sql.Identifier(target), "source": sql.Identifier(source), "owner": sql.Identifier(OWNER)}
        with psycopg.connect(server.url("postgres", SUPERUSER, driver=""), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {target} with (force)").format(**names))
            connection.execute(sql.SQL("create database {target} template {source} owner {owner}").format(**names))

    # --- what is there ---------------------------------------------------------------------------------------------------

    def look(self) -> Looked:
        """What is there, what is wrong whatever the undisturbed run says, and what a person would count."""
        value = self.order("deployments.crash.tally:look", {"sink": str(self.sink.folder)}).value
        return Looked(value["state"], value["faults"], value["counted"])

    def decide_about_mails(self) -> int:
        """Do with unclear mails what the runbook tells a person: look into the mail server's log, decide. Their number."""
        waiting = self.order("deployments.crash.stock:unclear").value
        if waiting:
            log = b"\n".join(path.read_bytes() for path in self.sink.folder.glob("*.eml"))
            for mail in waiting:
                arrived = mail["message_id"].encode() in log
                self.order("deployments.crash.stock:resolve", {"mail": mail["id"], "arrived": arrived})
        return len(waiting)


@contextlib.contextmanager
def home(folder: Path, load: tuple[str, ...] = (), *, s3: bool | None = None) -> Iterator[Home]:
    """A filled home with its servers, ended at the end of the block. `s3` None: when the server is installed."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(s3_server(folder / "s3")) if (WEED.exists() if s3 is None else s3) else None
        made = Home(folder, stack.enter_context(mail_sink(folder / "sink")), store, load)
        stack.callback(made.close)
        made.bucket = "crash-before" if store else ""
        made.open()
        made.fill()
        yield made
