"""An offer is accepted: what the customer ticked becomes contract, positions and maintenance schedule, shown before, undoable.

What a signed offer is: a rental (S139) with a monthly rent, a set-up fee once and a fee for continuous updates by the month,
the last with its maintenance schedule (S140). Which of the options count is what the customer has ticked, nothing else.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.assets.sold_services import PREFIX, next_line
from actions.maintenance.options import book_updates
from actions.numbers import next_numbers
from kit import clock
from kit.errors import ConflictError, NotFoundError, UsageError
from models.contracts import Contract, ContractKind, ContractLine, Meter
from models.maintenance import AgreedCheck, DueDate, PlanChange
from models.offers import Offer
from rules.asset_class import OTHER, asset_class
from rules.cadence import parse
from rules.cadence_german import describe
from rules.differences import german
from rules.due_ledger import DueState

CLASSES = {"firewall": "firewall", "server": "server", "client": "workstation", "network": "switch"}
"""What is kept up to date -> the class of the rented device, where its title does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What the customer has signed.

    Args:
        by: the person who signed.
        on: the day of the signature.
        setup: whether the set-up was ticked.
        updates: whether the continuous updates were ticked.
        starts_on: first day of the rent.
        contract_id: the running contract that takes it in; None = a contract of its own.
        technician_id: who keeps it up to date, if known.
    """

    by: str
    on: dt.date
    setup: bool
    updates: bool
    starts_on: dt.date
    contract_id: int | None = None
    technician_id: int | None = None


@dataclass(slots=True)
class Effects:
    """What accepting, or taking it back, does: sentences for the page, and the dates of the schedule."""

    sentences: list[str] = field(default_factory=list)
    dates: list[dt.date] = field(default_factory=list)


def offer_by_number(session: Session, number: str) -> Offer:
    """One offer, held until the transaction ends. Raises: NotFoundError."""
    statement = sa.select(Offer).where(Offer.number == number).with_for_update()
    row = session.scalar(statement.execution_options(populate_existing=True))
    if row is None:
        raise NotFoundError(f"Angebot {number}: gibt es nicht.")
    return row


def preview_acceptance(session: Session, number: str, told: Acceptance, today: dt.date) -> Effects:
    """What `accept` would do, without doing it: no number is taken, nothing stays. Raises as that."""
    savepoint = session.begin_nested()
    try:
        return accept(session, number, told, today)
    finally:
        savepoint.rollback()
        session.expire_all()


def accept(session: Session, number: str, told: Acceptance, today: dt.date) -> Effects:
    """Put a signed offer into force: contract, positions, schedule. It can be taken back as long as nothing came of it.

    Raises:
        NotFoundError: no such offer.
        ConflictError: it is accepted already, or the contract cannot take it in.
        UsageError: an option that was not offered, a signature from the future or after the offer had run out, no name.
    """
    offer = offer_by_number(session, number)
    _refuse(offer, told, today)
    effects = Effects()
    contract = _contract(session, offer, told, effects)
    classes = _classes(session, contract, offer)
    offer.line_ids = []
    for text, price, once, covered in _positions(offer, told, classes):
        line = ContractLine(
            customer_id=offer.customer_id, contract_id=contract.id, line=next_line(session, contract), text=text,
            meter=Meter.FIXED, quantity=Decimal(1), unit_price=price, vat_rate=offer.vat_rate, one_time=once,
            valid_from=told.starts_on, covered_asset_classes=covered,
        )  # fmt: skip
        session.add(line)
        session.flush()
        offer.line_ids = [*offer.line_ids, line.id]
        effects.sentences.append(f"Position {line.line}: {text}, {german(price)} € {'einmalig' if once else 'monatlich'}.")
    offer.accepted_on, offer.accepted_by, offer.contract_id = told.on, told.by.strip(), contract.id
    offer.entered_by = str(session.info.get("actor", "system"))
    if told.updates:
        _schedule(session, offer, contract, told, today=today, effects=effects)
    session.flush()
    return effects


def _refuse(offer: Offer, told: Acceptance, today: dt.date) -> None:
    where = f"Angebot {offer.number}"
    if offer.accepted_on is not None:
        raise ConflictError(f"{where} ist seit dem {offer.accepted_on:%d.%m.%Y} angenommen.")
    if not told.by.strip():
        raise UsageError(f"{where}: Bitte nennen Sie, wer für den Kunden unterschrieben hat.")
    if told.on > today or told.on < offer.made_on:
        raise UsageError(f"{where}: Die Unterschrift liegt zwischen dem {offer.made_on:%d.%m.%Y} und heute.")
    if told.on > offer.valid_until:
        raise UsageError(
            f"{where} galt bis zum {offer.valid_until:%d.%m.%Y}; unterschrieben wurde danach. Erstellen Sie ein neues Angebot."
        )
    if told.starts_on < told.on:
        raise UsageError(f"{where}: Die Miete beginnt nicht vor der Unterschrift.")
    for ticked, price, name in ((told.setup, offer.setup, "Einrichtung"), (told.updates, offer.updates, "Aktualisierung")):
        if ticked and price is None:
            raise UsageError(f"{where}: Die Option »{name}« steht nicht darin.")


def _contract(session: Session, offer: Offer, told: Acceptance, effects: Effects) -> Contract:
    if told.contract_id is None:
        (number,) = next_numbers(session, PREFIX[ContractKind.RENTAL], clock.local(clock.now()).year, 1)
        contract = Contract(
            customer_id=offer.customer_id, number=number, kind=ContractKind.RENTAL, starts_on=told.starts_on
        )  # fmt: skip
        session.add(contract)
        session.flush()
        offer.new_contract = True
        effects.sentences.append(f"Ein Mietvertrag entsteht, ab {told.starts_on:%d.%m.%Y}.")
        return contract
    statement = sa.select(Contract).where(Contract.id == told.contract_id, Contract.customer_id == offer.customer_id)
    found = session.scalar(statement.with_for_update(key_share=True))
    if found is None or found.kind is ContractKind.KONTINGENT:
        raise ConflictError(f"Angebot {offer.number}: Diesen Vertrag kann es nicht ergänzen.")
    if not (found.starts_on <= told.starts_on and (found.ends_on is None or told.starts_on <= found.ends_on)):
        raise ConflictError(f"Angebot {offer.number}: Vertrag {found.number} läuft am {told.starts_on:%d.%m.%Y} nicht.")
    offer.new_contract = False
    effects.sentences.append(f"Vertrag {found.number} wird ergänzt, ab {told.starts_on:%d.%m.%Y}.")
    return found


def _classes(session: Session, contract: Contract, offer: Offer) -> list[str]:
    """The class of the device that the rent covers (S119).

    A contract that so far names none carries everything of its site; a first class would narrow it, so that one stays as it is.
    """
    named = asset_class(offer.title)
    mine = [named if named != OTHER else CLASSES[offer.subject]]
    lines = session.scalars(sa.select(ContractLine.covered_asset_classes).where(ContractLine.contract_id == contract.id)).all()
    return mine if not lines or any(lines) else []


def _positions(offer: Offer, told: Acceptance, classes: list[str]) -> list[tuple[str, Decimal, bool, list[str]]]:
    """Text, net price, whether once, classes: the rent, and what was ticked."""
    rows: list[tuple[str, Decimal, bool, list[str]]] = [(offer.title, offer.monthly, False, classes)]
    if told.setup and offer.setup is not None:
        rows.append((f"Einrichtung {offer.title}", offer.setup, True, []))
    if told.updates and offer.updates is not None:
        rows.append((f"Laufende Aktualisierung {offer.title}", offer.updates, False, []))
    return rows


def _schedule(
    session: Session, offer: Offer, contract: Contract, told: Acceptance, *, today: dt.date, effects: Effects
) -> None:
    known = set(session.scalars(sa.select(AgreedCheck.id).where(AgreedCheck.contract_id == contract.id)))
    plan = book_updates(session, contract.id, offer.subject, today, technician_id=told.technician_id, begins_on=told.starts_on)
    if plan.id in known:
        effects.sentences.append(f"»{plan.check}« läuft schon; der Wartungsplan bleibt, wie er ist.")
        return
    offer.plan_id = plan.id
    effects.dates = list(
        session.scalars(sa.select(DueDate.due_on).where(DueDate.agreed_check_id == plan.id).order_by(DueDate.due_on))
    )
    effects.sentences.append(
        f"Wartungsplan »{plan.check}« entsteht: {describe(parse(plan.cadence), plan.starts_on).rstrip('.')}, "
        f"{len(effects.dates)} Termine in den nächsten 13 Monaten; die Arbeit ist enthalten."
    )


def preview_withdrawal(session: Session, number: str) -> Effects:
    """What `withdraw` would do, without doing it. Raises as that."""
    savepoint = session.begin_nested()
    try:
        return withdraw(session, number)
    finally:
        savepoint.rollback()
        session.expire_all()


def withdraw(session: Session, number: str) -> Effects:
    """Take an acceptance back: schedule, positions and a contract of its own go again, the offer is open once more.

    Raises:
        NotFoundError: no such offer.
        ConflictError: it is not accepted, or something has come of it already: a ticket, a change, a delivery, another line.
    """
    offer = offer_by_number(session, number)
    if offer.accepted_on is None or offer.contract_id is None:
        raise ConflictError(f"Angebot {number} ist nicht angenommen.")
    contract, effects = session.get_one(Contract, offer.contract_id), Effects()
    plan = session.get(AgreedCheck, offer.plan_id) if offer.plan_id is not None else None
    line_ids, own = list(offer.line_ids), offer.new_contract
    offer.accepted_on = offer.accepted_by = offer.entered_by = offer.contract_id = offer.plan_id = None
    offer.line_ids, offer.new_contract = [], False
    session.flush()
    if plan is not None:
        _drop_plan(session, number, plan, effects)
    try:
        with session.begin_nested():
            for line in session.scalars(sa.select(ContractLine).where(ContractLine.id.in_(line_ids)).order_by(ContractLine.id)):
                effects.sentences.append(f"Position {line.line} entfällt: {line.text}.")
                session.delete(line)
            session.flush()
            if own:
                effects.sentences.append(f"Mietvertrag {contract.number} entfällt; seine Nummer bleibt vergeben.")
                session.delete(contract)
            session.flush()
    except IntegrityError:
        raise ConflictError(
            f"Angebot {number}: Vertrag {contract.number} wird schon verwendet (weitere Positionen, Lieferungen, Pläne, "
            "Abrechnung). Beenden Sie ihn stattdessen zu einem Tag."
        ) from None
    return effects


def _drop_plan(session: Session, number: str, plan: AgreedCheck, effects: Effects) -> None:
    used = sa.select(DueDate.id).where(DueDate.agreed_check_id == plan.id, DueDate.state != DueState.PLANNED)
    changed = sa.select(PlanChange.id).where(PlanChange.agreed_check_id == plan.id)
    if any(session.scalar(each.limit(1)) is not None for each in (used, changed)):
        raise ConflictError(
            f"Angebot {number}: Der Wartungsplan »{plan.check}« läuft schon (Tickets, verlegte Termine, Änderungen). "
            "Beenden Sie die Serie stattdessen."
        )
    dates = sa.select(sa.func.count()).select_from(DueDate).where(DueDate.agreed_check_id == plan.id)
    effects.sentences.append(f"Wartungsplan »{plan.check}« entfällt mit {session.scalar(dates)} Terminen.")
    session.execute(
        sa.delete(DueDate).where(DueDate.agreed_check_id == plan.id), execution_options={"synchronize_session": False}
    )
    session.delete(plan)
    session.flush()
