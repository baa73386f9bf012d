"""The option "laufende Aktualisierung" of a managed service: booked, it creates its maintenance schedule (S140)."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.ledger import replan
from kit.errors import ConflictError, NotFoundError, UsageError
from models.assets import Asset
from models.contracts import Contract, ContractKind
from models.maintenance import AgreedCheck, DueDate
from rules.cadence import Shift, parse
from rules.cadence_german import describe
from rules.catch_up import CatchUp

UPDATES = {"firewall": "firewall", "server": "server_updates", "client": "client_updates", "network": "network_firmware"}
"""What can be kept up to date -> the check of the catalogue that does it."""


def book_updates(
    session: Session, contract_id: int, subject: str, today: dt.date, *, asset_id: int | None = None,
    technician_id: int | None = None, begins_on: dt.date | None = None,
) -> AgreedCheck:  # fmt: skip
    """Create the schedule that the option promises, covered by its contract. Again with the same contract changes nothing.

    Args:
        session: the transaction.
        contract_id: the rental, managed or data-centre contract that includes the option.
        subject: a key of `UPDATES`.
        today: the schedule begins on the later of this day and the start of the contract.
        asset_id: the device that is kept up to date, if it is one.
        technician_id: who does it, if known.
        begins_on: not before this day, if the option is booked ahead.

    Raises:
        NotFoundError: no such contract or device.
        UsageError: nothing known about the subject, or a Kontingent, which includes nothing.
        ConflictError: the contract has ended.
    """
    contract = session.get(Contract, contract_id)
    if contract is None:
        raise NotFoundError(f"Einen Vertrag mit der Nummer {contract_id} gibt es nicht.")
    if subject not in UPDATES:
        raise UsageError(f"Option Aktualisierung: »{subject}« ist unbekannt. Möglich sind {', '.join(UPDATES)}.")
    if contract.kind is ContractKind.KONTINGENT:
        raise UsageError(
            f"Vertrag {contract.number}: Ein Kontingent enthält keine Leistung; vereinbaren Sie die Prüfung selbst."
        )
    if contract.ends_on is not None and contract.ends_on < today:
        raise ConflictError(f"Vertrag {contract.number} ist am {contract.ends_on:%d.%m.%Y} ausgelaufen.")
    entry = load_catalogue(session).of(UPDATES[subject])
    if entry is None or not entry.active:
        raise UsageError(f"Prüfkatalog: Die Prüfung »{UPDATES[subject]}« fehlt darin; nehmen Sie sie wieder auf.")
    name = _name(session, contract, entry.title, asset_id)
    known = session.scalar(
        sa.select(AgreedCheck).where(
            AgreedCheck.customer_id == contract.customer_id,
            AgreedCheck.contract_id == contract_id,
            AgreedCheck.check == name,
            sa.or_(AgreedCheck.ends_on.is_(None), AgreedCheck.ends_on >= today),
        )
    )
    if known is not None:
        return known
    plan = AgreedCheck(
        customer_id=contract.customer_id,
        check=name,
        cadence=entry.cadence,
        starts_on=max(today, contract.starts_on, begins_on or today),
        ends_on=contract.ends_on,
        duration_minutes=entry.minutes,
        technician_id=technician_id,
        catch_up=CatchUp.LATEST,
        shift=Shift.NEXT_WORKDAY,
        contract_id=contract_id,
        site_id=contract.site_id,
        asset_id=asset_id,
        checklist=[],
    )
    session.add(plan)
    session.flush()
    replan(session, plan, today)
    return plan


@dataclass(frozen=True, slots=True)
class Booking:
    """What booking the option would do."""

    sentence: str
    dates: list[dt.date]
    """The dates that stand in the ledger then; empty when it is booked already."""


def preview_updates(
    session: Session, contract_id: int, subject: str, today: dt.date, *, asset_id: int | None = None,
    technician_id: int | None = None,
) -> Booking:  # fmt: skip
    """What `book_updates` would do, without doing it. Raises as that."""
    known = set(session.scalars(sa.select(AgreedCheck.id).where(AgreedCheck.contract_id == contract_id)))
    savepoint = session.begin_nested()
    try:
        plan = book_updates(session, contract_id, subject, today, asset_id=asset_id, technician_id=technician_id)
        if plan.id in known:
            return Booking(f"»{plan.check}« ist schon gebucht; es ändert sich nichts.", [])
        statement = sa.select(DueDate.due_on).where(DueDate.agreed_check_id == plan.id).order_by(DueDate.due_on)
        dates = list(session.scalars(statement))
        words = describe(parse(plan.cadence), plan.starts_on)
        until = f" bis {plan.ends_on:%d.%m.%Y}" if plan.ends_on else ""
        sentence = (
            f"»{plan.check}«: {words} ab {plan.starts_on:%d.%m.%Y}{until}, {plan.duration_minutes} Minuten, "
            f"enthalten im Vertrag; {len(dates)} Termine in den nächsten 13 Monaten."
        )
        return Booking(sentence, dates)
    finally:
        savepoint.rollback()
        session.expire_all()


def _name(session: Session, contract: Contract, title: str, asset_id: int | None) -> str:
    if asset_id is None:
        return f"{title} – {contract.number}"
    asset = session.get(Asset, asset_id)
    if asset is None or asset.customer_id != contract.customer_id:
        raise NotFoundError(f"Vertrag {contract.number}: Dieses Gerät gehört nicht zu dem Kunden.")
    return f"{title} – {asset.inventory_no}"
