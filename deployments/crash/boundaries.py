"""Boundaries of a process: before and after each commit, each mail, each put into the archive, each SAP document.

Installed by a child of the crash test only; it listens to what the program does anyway and changes nothing of it.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session


class Boundaries:
    """Counts boundaries, writes their names down, and kills this process with -9 at a chosen one.

    Args:
        kill_at: the boundary to die at, counted from 1; 0 = none.
        kind: count only boundaries of this name (`after mail`); empty = all.
        log: where the names go.
    """

    def __init__(self, kill_at: int, kind: str, log: Path) -> None:
        self.passed = 0
        self._of_kind = 0
        self._kill_at, self._kind = kill_at, kind
        self._log = log.open("a", encoding="utf-8", buffering=1)

    def reach(self, name: str) -> None:
        """One boundary; at the chosen one the process is gone."""
        self.passed += 1
        self._of_kind += self._kind in ("", name)
        if self._of_kind == self._kill_at and self._kind in ("", name):
            self._log.write(f"KILL {self.passed} {name}\n")
            self._log.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self._log.write(f"pass {self.passed} {name}\n")


def install(boundaries: Boundaries) -> None:
    """Listen to commits, and stand before and after every effect on the outside world."""

    @sa.event.listens_for(Session, "before_commit")
    def _before(session: Session) -> None:
        if session.in_nested_transaction():
            return
        boundaries.reach("before commit")

    @sa.event.listens_for(Session, "after_commit")
    def _after(_session: Session) -> None:
        boundaries.reach("after commit")

    from integrations.archive.folder import FolderArchive
    from integrations.archive.s3 import S3Archive
    from integrations.mail.smtp import SmtpSender
    from integrations.sap.files import FilesBook
    from integrations.sap.service_layer import ServiceLayerBook

    for owner, method, name in (
        (SmtpSender, "send", "mail"),
        (FolderArchive, "put_once", "archive"),
        (S3Archive, "put_once", "archive"),
        (FilesBook, "post", "sap"),
        (ServiceLayerBook, "post", "sap"),
    ):
        setattr(owner, method, _framed(getattr(owner, method), name, boundaries))


def _framed(effect: Callable[..., Any], name: str, boundaries: Boundaries) -> Callable[..., Any]:
    def framed(*args: Any, **kwargs: Any) -> Any:
        boundaries.reach(f"before {name}")
        result = effect(*args, **kwargs)
        boundaries.reach(f"after {name}")
        return result

    return framed
