"""Archivprüfung: seals the chain of archived objects, reads them again and compares (GoBD)."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from integrations.archive.port import ArchiveUnavailableError
from kit import clock
from kit.database import lock
from kit.errors import DrehkreuzError
from models.plumbing import ArchivedObject

START = "0" * 64
"""What the first link stands on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An object that is not what was put there."""

    key: str
    why: str


def link(previous: str, sha256: str) -> str:
    """One link of the chain: SHA-256 over the link before and the object's hash."""
    return hashlib.sha256(f"{previous}{sha256}".encode()).hexdigest()


def seal(session: Session, limit: int = 5_000) -> int:
    """Give objects their link, in order of their ids; returns how many. One sealer at a time."""
    lock(session, "archive:seal")
    row = ArchivedObject
    previous = session.scalar(sa.select(row.chain).where(row.chain.is_not(None)).order_by(row.id.desc()).limit(1)) or START
    waiting = session.scalars(sa.select(row).where(row.chain.is_(None)).order_by(row.id).limit(limit)).all()
    for each in waiting:
        previous = each.chain = link(previous, each.sha256)
    session.flush()
    return len(waiting)


def broken_links(session: Session) -> list[Fault]:
    """Objects whose link does not follow from the one before: a row was changed, added or taken away in between."""
    faults, previous = [], START
    rows = session.execute(
        sa.select(ArchivedObject.key, ArchivedObject.sha256, ArchivedObject.chain)
        .where(ArchivedObject.chain.is_not(None))
        .order_by(ArchivedObject.id)
        .execution_options(yield_per=5_000)
    )
    for key, sha256, chain in rows.tuples():
        if link(previous, sha256) != chain:
            faults.append(Fault(key, "Die Kette der archivierten Belege ist hier unterbrochen."))
        previous = chain or ""
    return faults


def verify(session: Session, limit: int = 200) -> tuple[int, list[Fault]]:
    """Read the objects again that were looked at longest ago; returns how many, and what is wrong.

    Raises:
        ArchiveUnavailableError: the store does not answer; nothing is said about the objects then.
    """
    row, today = ArchivedObject, clock.at_local(clock.today())
    waiting = session.scalars(
        sa.select(row)
        .where(sa.or_(row.verified_at.is_(None), row.verified_at < today))
        .order_by(row.verified_at.asc().nulls_first(), row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    faults = []
    for each in waiting:
        each.fault = _fault_of(session, each)
        each.verified_at = clock.now()
        if each.fault:
            faults.append(Fault(each.key, each.fault))
    session.flush()
    return len(waiting), faults


def _fault_of(session: Session, row: ArchivedObject) -> str | None:
    try:
        archive.read(session, row.key)
    except ArchiveUnavailableError:
        raise
    except DrehkreuzError as fault:
        return str(fault)
    return None


def known_faults(session: Session) -> list[Fault]:
    """All objects that the last look found wrong."""
    rows = session.execute(
        sa.select(ArchivedObject.key, ArchivedObject.fault).where(ArchivedObject.fault.is_not(None)).order_by(ArchivedObject.id)
    )
    return [Fault(key, fault) for key, fault in rows.tuples() if fault]
