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

IN_HAND = " (Mail in der Hand)"
"""Between the commit that says `in_flight` and the one that says what became of it: only here a kill may leave doubt."""


class Boundaries:
    """Counts boundaries, writes their names down, and kills this process with -9 at a chosen one.

    Args:
        kill_at: the boundary to die at, counted from 1; 0 = none.
        kind: count only boundaries of this name (`after mail`); empty = all.
        log: where the names go; the last line is the last boundary passed or died at.
    """

    def __init__(self, kill_at: int, kind: str, log: Path) -> None:
        self.passed = 0
        self.in_hand = False
        self._of_kind = 0
        self._kill_at, self._kind = kill_at, kind
        self._log = log.open("w", encoding="utf-8", buffering=1)

    def reach(self, name: str) -> None:
        """One boundary; at the chosen one the process is gone."""
        self.passed += 1
        self._of_kind += self._kind in ("", name)
        self._log.write(f"{name}{IN_HAND if self.in_hand else ''}\n")
        if self._of_kind == self._kill_at and self._kind in ("", name):
            os.kill(os.getpid(), signal.SIGKILL)


def install(boundaries: Boundaries) -> None:
    """Listen to commits, and stand before and after every effect on the outside world."""
    sending = {"handed over": False}

    @sa.event.listens_for(Session, "before_commit")
    def _before(session: Session) -> None:
        if not session.in_nested_transaction():
            boundaries.reach("vor Commit")

    @sa.event.listens_for(Session, "after_commit")
    def _after(_session: Session) -> None:
        if sending["handed over"]:
            boundaries.in_hand = sending["handed over"] = False
        boundaries.reach("nach Commit")

    from integrations.archive.folder import FolderArchive
    from integrations.archive.s3 import S3Archive
    from integrations.mail.smtp import SmtpSender
    from integrations.sap.files import FilesBook
    from integrations.sap.service_layer import ServiceLayerBook

    def mail_begins() -> None:
        boundaries.in_hand = True

    def mail_ends() -> None:
        sending["handed over"] = True

    vars_of = (
        (SmtpSender, "send", "Mail", mail_begins, mail_ends),
        (FolderArchive, "put_once", "Archiv", None, None),
        (S3Archive, "put_once", "Archiv", None, None),
        (FilesBook, "post", "SAP", None, None),
        (ServiceLayerBook, "post", "SAP", None, None),
    )
    for owner, method, name, begins, ends in vars_of:
        setattr(owner, method, _framed(getattr(owner, method), name, boundaries, begins, ends))


def _framed(
    effect: Callable[..., Any],
    name: str,
    boundaries: Boundaries,
    begins: Callable[[], None] | None,
    ends: Callable[[], None] | None,
) -> Callable[..., Any]:
    def framed(*args: Any, **kwargs: Any) -> Any:
        boundaries.reach(f"vor {name}")
        if begins is not None:
            begins()
        result = effect(*args, **kwargs)
        boundaries.reach(f"nach {name}")
        if ends is not None:
            ends()
        return result

    return framed
