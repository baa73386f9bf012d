"""Who runs the services on a database: one home at a time, wherever it stands.

The lock in a home's folder keeps a second `up` out of that home. This one keeps it out of the database: a session of its own
holds an advisory lock and is signed with machine and folder, so that whoever comes second can be told whom to end. Two homes
on one database would double nothing, but each has an archive folder and a key of its own: what one keeps, the other could
not read. A house on several machines runs parts (`drehkreuz serve`), which do not ask for it.
"""

import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import sqlalchemy as sa

from deployments.readiness import SERVICES, listening_homes, place_of, signature
from kit.database import LOST_PEER, Role, url
from kit.errors import ConflictError, DrehkreuzError

_LOCK = 7_310_002
"""Beside the one that keeps two from migrating at once (`models/schema.py`)."""
_OWN_LEFTOVER = 10.0
"""Seconds in which the database notices that a predecessor in the same home was killed."""
_HOLDER = (
    "select a.application_name from pg_locks l join pg_stat_activity a using (pid) join pg_database d on d.oid = l.database "
    "where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = %s and d.datname = current_database()"
)


class Tenure:
    """The right of one home to run services on its database, held by a session until `release` or death.

    Args:
        folder: the home.
    """

    def __init__(self, folder: Path) -> None:
        self.signed = signature(SERVICES, folder)
        self.folder = folder
        self._session: psycopg.Connection[Any] | None = None

    def take(self) -> None:
        """Hold it from now on. Raises: ConflictError that names the home which has it."""
        deadline = time.monotonic() + _OWN_LEFTOVER
        while (holder := self._try()) is not None:
            if holder not in (self.signed, "") or time.monotonic() > deadline:
                raise _taken([place_of(holder)] if holder else [])
            time.sleep(0.1)  # "": it was let go between the two questions
        others: list[str] = []
        with contextlib.suppress(sa.exc.SQLAlchemyError):  # an empty database has no role that could listen
            others = listening_homes(besides=self.folder)
        if others:
            self.release()
            raise _taken(others)

    def _try(self) -> str | None:
        """None when it is ours now, else the signature of the holder."""
        if self._session is None:
            address = url(Role.OWNER).set(drivername="postgresql").render_as_string(hide_password=False)
            self._session = psycopg.connect(
                address, autocommit=True, connect_timeout=10, application_name=self.signed, options=LOST_PEER
            )
        answer = self._session.execute("select pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if answer and answer[0]:
            return None
        found = self._session.execute(_HOLDER, [_LOCK]).fetchone()
        return str(found[0] or "") if found else ""

    def keep(self) -> str:
        """Take it again when the database was away.

        Returns: empty, or in German who took it meanwhile. While the database is away nobody has it, and nothing is said.
        """
        try:
            if self._session is not None and not self._session.closed:
                self._session.execute("select 1")
                return ""
        except psycopg.Error:
            self.release()
        try:
            self.take()
        except ConflictError as fault:
            self.release()
            return str(fault)
        except (psycopg.Error, DrehkreuzError):
            self.release()
        return ""

    def release(self) -> None:
        """Let others have it."""
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):
                self._session.close()
        self._session = None

    def __enter__(self) -> Self:
        try:
            self.take()
        except BaseException:
            self.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def _taken(others: list[str]) -> ConflictError:
    where = f" in {', '.join(others)}" if others else ""
    return ConflictError(
        f"Dienste: Auf dieser Datenbank laufen sie bereits{where} (Rechner:Heimordner). Beenden Sie sie dort, oder nennen Sie "
        "hier in DREHKREUZ_DATABASE_URL eine andere Datenbank. Ist jener Rechner ausgefallen, gibt die Datenbank sie nach "
        "einer Minute frei (docs/runbooks/zweimal-gestartet.md)."
    )
