"""After a restore the database is older than reality: mails have left and numbers were given that it knows nothing of.

So a restored home is *held*: nothing is sent, handed over or numbered until a person has reconciled it with what was really
sent (`drehkreuz mail reconcile`) and lets it go again (`drehkreuz mail resume`). Why so: docs/adr/0021-backup-and-restore.md
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import ConflictError
from models.billing import BillingItem, BillingRun, ItemState, RunState
from models.parties import Customer
from models.plumbing import ArchivedObject
from models.restoration import LostNumber, Restoration

REMEDY = "drehkreuz mail reconcile, dann drehkreuz mail resume (docs/runbooks/rueckspielung.md)"

DOCUMENTS = ("SB-", "RE-")
"""Ranges whose lost numbers hold up the whole range: nobody is billed twice."""


class HeldError(ConflictError):
    """The home was restored and not yet reconciled."""


def current(session: Session) -> Restoration | None:
    """The restore that holds this home; None in normal operation."""
    return session.scalar(sa.select(Restoration).where(Restoration.lifted_at.is_(None)))


def why_held(session: Session) -> str:
    """One German sentence; empty when the home is not held."""
    row = current(session)
    if row is None:
        return ""
    return (
        f"Versand angehalten: Dieses Heim wurde am {clock.local(row.restored_at):%d.%m.%Y %H:%M} aus der Sicherung vom "
        f"{clock.local(row.backup_made_at):%d.%m.%Y %H:%M} zurückgespielt. Bis zum Abgleich mit der gesendeten Post wird "
        f"nichts versendet und keine Nummer vergeben: {REMEDY}."
    )


def refuse_if_held(session: Session) -> None:
    """Raises: HeldError."""
    if why := why_held(session):
        raise HeldError(why)


def hold(session: Session, backup_made_at: dt.datetime, backup: str) -> None:
    """Hold the home. An older hold is replaced by this one."""
    now = clock.now()
    session.execute(
        sa.update(Restoration).where(Restoration.lifted_at.is_(None)).values(lifted_at=now, lifted_by="Rückspielung")
    )
    session.add(Restoration(backup=backup, backup_made_at=backup_made_at, restored_at=now, detail={}))
    session.flush()


def statements(backup_made_at: dt.datetime, backup: str, now: dt.datetime) -> list[str]:
    """The same as SQL, for the transaction of the restore itself: at no instant is a restored home free to send."""
    instant, made, name = _quoted(now.isoformat()), _quoted(backup_made_at.isoformat()), _quoted(backup)
    row = f"{name}, {made}, {instant}, '{{}}', {instant}"
    return [
        f"SET LOCAL drehkreuz.now = {instant}",
        "SET LOCAL drehkreuz.actor = 'cli:restore'",
        f"UPDATE public.restoration SET lifted_at = {instant}, lifted_by = 'Rückspielung' WHERE lifted_at IS NULL",  # noqa: S608 - quoted
        f"INSERT INTO public.restoration (backup, backup_made_at, restored_at, detail, created_at) VALUES ({row})",  # noqa: S608
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def registered(session: Session) -> Sequence[ArchivedObject]:
    """What the register of the archive names."""
    return session.scalars(sa.select(ArchivedObject).order_by(ArchivedObject.id)).all()


def why_documents_wait(session: Session) -> str:
    """One German sentence while lost numbers of reports or invoices are undecided; else empty."""
    numbers = [row.number for row in undecided(session) if row.number.startswith(DOCUMENTS)]
    if not numbers:
        return ""
    return (
        f"Verlorene Nummern: Über {', '.join(numbers[:5])}{' …' if len(numbers) > 5 else ''} ist noch nicht entschieden. "
        "Diese Belege sind schon draußen; bis dahin wird kein Bericht und keine Rechnung nummeriert, damit niemand "
        "zweimal zahlt: drehkreuz mail lost."
    )


def refuse_number(session: Session, prefix: str) -> None:
    """Raises: HeldError when no number of this range may be given now."""
    refuse_if_held(session)
    if f"{prefix}-" in DOCUMENTS and (why := why_documents_wait(session)):
        raise HeldError(why)


def undecided(session: Session) -> Sequence[LostNumber]:
    """Lost numbers that wait for a person."""
    return session.scalars(sa.select(LostNumber).where(LostNumber.decided_at.is_(None)).order_by(LostNumber.number)).all()


def still_to_bill(session: Session) -> dict[str, list[str]]:
    """Customers by month (»2026-10«) that a released run will bill as soon as numbers are given again."""
    found: dict[str, list[str]] = {}
    rows = session.execute(
        sa.select(BillingRun.month, Customer.number)
        .distinct()
        .join(BillingItem, BillingItem.run_id == BillingRun.id)
        .join(Customer, Customer.id == BillingItem.customer_id)
        .where(BillingRun.state != RunState.OPEN, BillingItem.state == ItemState.PLANNED)
        .order_by(BillingRun.month, Customer.number)
    )
    for month, number in rows:
        found.setdefault(month, []).append(number)
    return found
