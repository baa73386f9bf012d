"""From rows to the plain values that the rules compute with; set-based, some hundred customers at a time."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.fingerprint import Parts, parts_of, party_values
from kit.settings import settings
from models.agreements import CooperationAgreement
from models.assets import Asset
from models.billing import KontingentEntry
from models.billing import LedgerKind as StoredKind
from models.contracts import Contract, ContractKind, ContractLine, KontingentOpening
from models.parties import Customer, Site
from models.service_desk import Ticket
from models.work import EntryState, ServiceEntry
from rules import monthly_types as rule
from rules.month import Month

CUSTOMERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CustomerKeys:
    """Database ids behind the business keys of one customer's month."""

    customer_id: int
    number: str
    name: str
    delivery: str
    party: Parts
    """Who pays and how the bill travels, as named hashes (`fingerprint.party_values`)."""
    sites: dict[str, int]
    contracts: dict[str, int]
    entries: dict[str, int]
    agreements: dict[int, int]
    printed: dict[str, str]
    """What the report prints of each entry beside the figures (text, ticket's subject, technician, end), as a short hash."""


def billing_customers(session: Session, month: Month) -> list[int]:
    """Customers with anything that the month could touch, in order of their number."""
    last = month.last_day
    work = (
        sa.select(ServiceEntry.customer_id)
        .where(ServiceEntry.report_id.is_(None), ServiceEntry.reported_elsewhere.is_(None), ServiceEntry.work_date <= last)
        .distinct()
    )
    kontingent = sa.select(Contract.customer_id).where(Contract.kind == ContractKind.KONTINGENT, Contract.starts_on <= last)
    statement = sa.select(Customer.id).where(Customer.id.in_(work.union(kontingent))).order_by(Customer.number)
    return list(session.scalars(statement))


def load_months(
    session: Session, month: Month, customer_ids: Sequence[int]
) -> Iterator[tuple[CustomerKeys, rule.CustomerMonth]]:
    """The month of each customer as the rules want it, in the given order."""
    for start in range(0, len(customer_ids), CUSTOMERS_AT_ONCE):
        yield from _load_batch(session, month, customer_ids[start : start + CUSTOMERS_AT_ONCE])


def _grouped(rows: Sequence[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.customer_id].append(row)
    return groups


def _entries(session: Session, ids: Sequence[int], last: dt.date) -> dict[int, list[Any]]:
    """Unreported entries up to the month's end, and for customers with a Kontingent those reported elsewhere."""
    has_kontingent = sa.exists(
        sa.select(Contract.id).where(Contract.customer_id == ServiceEntry.customer_id, Contract.kind == ContractKind.KONTINGENT)
    )
    statement = (
        sa.select(
            ServiceEntry.id,
            ServiceEntry.customer_id,
            ServiceEntry.key,
            ServiceEntry.work_date,
            ServiceEntry.started_at,
            ServiceEntry.ended_at,
            ServiceEntry.technician_id,
            ServiceEntry.text,
            ServiceEntry.minutes,
            ServiceEntry.kind,
            ServiceEntry.place,
            ServiceEntry.trips,
            ServiceEntry.billable,
            ServiceEntry.non_billable_reason,
            ServiceEntry.state,
            ServiceEntry.reported_elsewhere,
            Ticket.number.label("ticket"),
            Ticket.subject,
            Site.code.label("site"),
            Asset.asset_class,
        )
        .join(Ticket, Ticket.id == ServiceEntry.ticket_id)
        .outerjoin(Site, Site.id == Ticket.site_id)
        .outerjoin(Asset, Asset.id == Ticket.asset_id)
        .where(
            ServiceEntry.customer_id.in_(ids),
            ServiceEntry.work_date <= last,
            ServiceEntry.report_id.is_(None),
            sa.or_(ServiceEntry.reported_elsewhere.is_(None), has_kontingent),
        )
    )
    return _grouped(session.execute(statement).all())


def _entry(row: Any) -> rule.ServiceEntry:
    return rule.ServiceEntry(
        id=row.key,
        ticket=row.ticket,
        site=row.site,
        work_date=row.work_date,
        minutes=row.minutes,
        started_at=row.started_at,
        kind=rule.ServiceKind(row.kind.value),
        place=row.place.value,
        trips=row.trips,
        billable=row.billable,
        non_billable_reason=row.non_billable_reason,
        approved=row.state is not EntryState.CAPTURED,
        reported=False,
        reported_elsewhere=row.reported_elsewhere is not None,
        asset_class=row.asset_class,
    )


def _printed(row: Any) -> str:
    ended = row.ended_at.timestamp() if row.ended_at else None
    return hashlib.sha256(repr((row.text, row.subject, row.technician_id, ended)).encode()).hexdigest()[:12]


def _known(versions: Sequence[Any], last: dt.date) -> Iterator[Any]:
    """The versions that can state a price up to the day: signed by then, or the first. A later one is no input of the month."""
    first = min((version.version for version in versions), default=None)
    for version in versions:
        if version.version == first or (version.signed_on is not None and version.signed_on <= last):
            yield version


def _ledger(rows: Sequence[Any], contract: str) -> tuple[rule.LedgerEntry, ...]:
    kinds = {StoredKind.GRANT, StoredKind.USAGE, StoredKind.CORRECTION}
    return tuple(
        rule.LedgerEntry(contract, row.day, rule.LedgerKind(row.kind.value), row.minutes, row.key)
        for row in rows
        if row.kind in kinds
    )


def _kontingent(row: Any, site: str | None, opening: Any, ledger: Sequence[Any]) -> rule.KontingentContract:
    return rule.KontingentContract(
        number=row.number,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        hours_per_month=row.kontingent_hours_per_month,
        hour_price=row.kontingent_hour_price,
        site=site,
        overdraft_allowed=row.overdraft_allowed,
        correction_rule=row.correction_rule,
        includes_travel=row.includes_travel,
        rest_at_end=rule.RestAtEnd(row.rest_at_end.value),
        billing_minimum_minutes=row.billing_minimum_minutes,
        billing_unit_minutes=row.billing_unit_minutes,
        opening=rule.Opening(opening.as_of, opening.minutes) if opening else None,
        ledger=_ledger(ledger, row.number),
    )


def _flat(row: Any, site: str | None, lines: Sequence[Any]) -> rule.FlatContract:
    return rule.FlatContract(
        number=row.number,
        kind=rule.FlatKind(row.kind.value),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        site=site,
        lines=tuple(rule.FlatLine(li.valid_from, li.valid_to, tuple(sorted(li.covered_asset_classes))) for li in lines),
    )


def _by_contract(rows: Sequence[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.contract_id].append(row)
    return groups


def _load_batch(session: Session, month: Month, ids: Sequence[int]) -> Iterator[tuple[CustomerKeys, rule.CustomerMonth]]:
    vat_rate = Decimal(settings().service_vat_rate)

    def of(entity: type[Any]) -> dict[int, list[Any]]:
        return _grouped(session.scalars(sa.select(entity).where(entity.customer_id.in_(ids)).order_by(entity.id)).all())

    customers = {c.id: c for c in session.scalars(sa.select(Customer).where(Customer.id.in_(ids)))}
    sites, agreements, contracts = of(Site), of(CooperationAgreement), of(Contract)
    openings = {o.contract_id: o for rows in of(KontingentOpening).values() for o in rows}
    lines = _by_contract([line for rows in of(ContractLine).values() for line in rows])
    ledger_rows = session.execute(
        sa.select(
            KontingentEntry.contract_id, KontingentEntry.day, KontingentEntry.kind, KontingentEntry.minutes, ServiceEntry.key
        )
        .outerjoin(ServiceEntry, ServiceEntry.id == KontingentEntry.entry_id)
        .where(KontingentEntry.customer_id.in_(ids))
        .order_by(KontingentEntry.id)
    ).all()
    ledger = _by_contract(ledger_rows)
    entries = _entries(session, ids, month.last_day)

    for customer_id in ids:
        customer = customers[customer_id]
        code = {s.id: s.code for s in sites[customer_id]}
        own_contracts = [c for c in contracts[customer_id] if c.starts_on <= month.last_day]
        yield (
            CustomerKeys(
                customer_id=customer_id,
                number=customer.number,
                name=customer.name,
                delivery=customer.delivery.value,
                party=parts_of(party_values(customer, sites[customer_id])),
                sites={s.code: s.id for s in sites[customer_id]},
                contracts={c.number: c.id for c in own_contracts},
                entries={e.key: e.id for e in entries[customer_id]},
                agreements={a.version: a.id for a in agreements[customer_id]},
                printed={e.key: _printed(e) for e in entries[customer_id] if e.reported_elsewhere is None},
            ),
            rule.CustomerMonth(
                customer=customer.number,
                month=month,
                billing=rule.BillingMode(customer.billing.value),
                vat_rate=vat_rate,
                sites=tuple(rule.Site(s.code, code.get(s.bills_to_id), s.travel_price) for s in sites[customer_id]),
                agreements=tuple(
                    rule.Agreement(
                        a.version,
                        a.signed_on,
                        a.hour_price,
                        a.day_price,
                        a.travel_price,
                        a.after_hours_percent,
                        a.weekend_percent,
                    )
                    for a in _known(agreements[customer_id], month.last_day)
                ),
                kontingente=tuple(
                    _kontingent(c, code.get(c.site_id), openings.get(c.id), ledger[c.id])
                    for c in own_contracts
                    if c.kind is ContractKind.KONTINGENT
                ),
                flat_contracts=tuple(
                    _flat(c, code.get(c.site_id), lines[c.id])
                    for c in own_contracts
                    if c.kind in (ContractKind.RENTAL, ContractKind.DATA_CENTRE)
                ),
                entries=tuple(_entry(e) for e in entries[customer_id]),
            ),
        )
