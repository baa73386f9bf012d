"""Faults of the machine in words: what people read instead of a program's exception."""

import errno

from sqlalchemy.exc import DBAPIError, OperationalError

_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DISK_FULL = (
    "Der Datenträger ist voll, es ist nichts halb geschrieben. Schaffen Sie Platz (docs/runbooks/platte-voll.md) und starten "
    "Sie noch einmal; jeder Lauf setzt fort, wo er stand."
)
DATABASE_AWAY = (
    "Datenbank: Sie antwortet nicht. Die Dienste starten sie selbst wieder; sonst hilft »drehkreuz doctor« und "
    "docs/runbooks/datenbank-fort.md. Es ist nichts verloren, starten Sie danach noch einmal."
)


def explained(fault: BaseException) -> str:
    """A German sentence for a full disk or a database that is away; empty for everything else."""
    if isinstance(fault, OSError) and fault.errno in _SPACE:
        return DISK_FULL
    if isinstance(fault, DBAPIError):
        state = str(getattr(fault.orig, "sqlstate", "") or "")
        if state in ("53100", "58030"):  # disk_full, io_error
            return f"Datenbank: {DISK_FULL}"
        refused = not state and isinstance(fault, OperationalError)
        if fault.connection_invalidated or refused or state.startswith(("08", "57P")):
            return DATABASE_AWAY
    return ""
