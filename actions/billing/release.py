"""Freigabe: exactly the previewed month becomes rows. From here on nothing of it is computed again."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing.preview import Blocked, Preview, PreviewItem, build, changes_since
from actions.billing.sharing import DEPLOYMENT, ask_for_help
from kit import clock
from kit.bulk import ROWS_AT_ONCE, insert_rows
from kit.database import lock, notify
from kit.errors import ConflictError
from models.billing import (
    BillingExclusion,
    BillingItem,
    BillingRun,
    CorrectionProposal,
    Face,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    ItemState,
    KontingentEntry,
    RunState,
    ServiceReport,
    ServiceReportGroup,
    ServiceReportLine,
)
from models.plumbing import OutboxEvent
from models.work import ServiceEntry
from rules import monthly_types as rule
from rules.money import hour_amount
from rules.month import Month
from rules.pricing import agreement_on

RULE_VERSION = "2026-1"
"""Version of the minute and price rules; stored beside every billed minute."""


@dataclass(frozen=True, slots=True)
class Released:
    """What a release did: whether it was this call, how many parts, and what waits for a person."""

    month: str
    snapshot: str
    new: bool
    parts: int
    blocked: tuple[Blocked, ...]


class ChangedSinceError(ConflictError):
    """The month is not what was previewed."""


def release(session: Session, month: Month, snapshot: str, actor: str) -> Released:
    """Release exactly the preview with this snapshot; a second call with the same snapshot changes nothing.

    Raises:
        ChangedSinceError: something changed since the preview; the message says what.
        ConflictError: the month was released with another snapshot.
    """
    lock(session, f"billing:{month}")
    run = session.scalar(sa.select(BillingRun).where(BillingRun.month == str(month)))
    if run is not None and run.snapshot is not None:
        if run.snapshot != snapshot:
            raise ConflictError(
                f"Rechnungslauf {month}: schon am {clock.local(run.released_at or clock.now()):%d.%m.%Y %H:%M} freigegeben, "
                f"mit einer anderen Vorschau. Den Stand zeigt »drehkreuz billing show {month}«."
            )
        return Released(str(month), snapshot, new=False, parts=0, blocked=_still_blocked(session, run.id))
    _hold_still(session)
    preview = build(session, month)
    if preview.snapshot != snapshot:
        raise ChangedSinceError(_what_changed(session, preview, snapshot))
    if run is None:
        run = BillingRun(month=str(month))
        session.add(run)
    run.state, run.snapshot = RunState.RELEASED, snapshot
    run.released_at, run.released_by = clock.now(), actor
    session.flush()
    _write(session, run, preview)
    session.add(OutboxEvent(deployment=DEPLOYMENT, parameters={"month": str(month)}, key=f"billing-release:{month}"))
    ask_for_help(session, month, len(preview.items))
    notify(session, "outbox_event")
    blocked = tuple(blocked for _, blocked in preview.blocked)
    return Released(str(month), snapshot, new=True, parts=len(preview.items), blocked=blocked)


def _still_blocked(session: Session, run_id: int) -> tuple[Blocked, ...]:
    """What waits for a person in a run that was released before."""
    rows = session.scalars(
        sa.select(BillingItem.blocked)
        .where(BillingItem.run_id == run_id, BillingItem.state != ItemState.WITHDRAWN)
        .order_by(BillingItem.id)
    )
    return tuple(Blocked(**blocked) for row in rows for blocked in row)


def _hold_still(session: Session) -> None:
    """Nobody changes what the month is computed from while it becomes rows; readers go on."""
    session.execute(
        sa.text(
            "LOCK TABLE service_entry, cooperation_agreement, contract, contract_line, kontingent_opening, site, contact, "
            "customer, kontingent_entry IN SHARE ROW EXCLUSIVE MODE"
        )
    )


def _what_changed(session: Session, preview: Preview, snapshot: str) -> str:
    changes = changes_since(session, preview, snapshot)
    head = f"Rechnungslauf {preview.month}: nicht freigegeben, seit der Vorschau hat sich etwas geändert."
    if not changes:
        changes = ["Diese Vorschau ist hier nicht bekannt."]
    shown = changes[:20] + ([f"… und {len(changes) - 20} weitere"] if len(changes) > 20 else [])
    lines = "\n".join(f"  {change}" for change in shown)
    return f"{head}\n{lines}\nSehen Sie die neue Vorschau an und geben Sie deren Prüfsumme frei: {preview.snapshot}"


def _insert(session: Session, entity: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    now = clock.now()
    insert_rows(session, entity, [{"created_at": now, **row} for row in rows])


def _insert_ids(session: Session, entity: type[Any], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert and answer the new ids in the order of the rows."""
    now = clock.now()
    ids: list[int] = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        batch = [{"created_at": now, **row} for row in rows[start : start + ROWS_AT_ONCE]]
        statement = sa.insert(entity).returning(entity.id, sort_by_parameter_order=True)
        ids.extend(session.scalars(statement, batch, execution_options={"render_nulls": True}).all())  # else a None splits it
    return ids


def _write(session: Session, run: BillingRun, preview: Preview) -> None:
    """All rows of the run, a table at a time."""
    items = preview.items
    item_ids = _insert_ids(session, BillingItem, [_item_row(run.id, item) for item in items])
    reported = [(item, item_id) for item, item_id in zip(items, item_ids, strict=True) if item.payer.has_report]
    report_ids = _insert_ids(session, ServiceReport, [_report_row(item, item_id) for item, item_id in reported])
    report_of = {item_id: report_id for (_, item_id), report_id in zip(reported, report_ids, strict=True)}
    _write_lines(session, run.id, [(item, report_of[item_id]) for item, item_id in reported])
    groups = [
        (item, report_of[item_id], position, line)
        for item, item_id in reported
        for position, line in enumerate(item.payer.groups, 1)
    ]
    group_ids = _insert_ids(session, ServiceReportGroup, [_group_row(*group) for group in groups])
    group_of = {(report_id, line.key): group_id for (_, report_id, _, line), group_id in zip(groups, group_ids, strict=True)}
    _write_invoices(session, list(zip(items, item_ids, strict=True)), report_of, group_of)
    _write_ledger(session, items, item_ids)
    _insert(session, BillingExclusion, [row for item in items for row in _exclusion_rows(run.id, item)])


def _site_id(item: PreviewItem) -> int | None:
    return item.keys.sites[item.payer.site] if item.payer.site is not None else None


def _item_row(run_id: int, item: PreviewItem) -> dict[str, Any]:
    payer = item.payer
    return {
        "customer_id": item.keys.customer_id,
        "run_id": run_id,
        "paying_site_id": _site_id(item),
        "state": ItemState.PLANNED,
        "reasons": list(item.reasons),
        "last_month_net": item.last_month_net,
        "blocked": [b.as_dict() for b in item.blocked],
        "statement": {
            "kontingent": [_statement(k) for k in payer.kontingente],
            "hints": [hint.text for hint in payer.hints],
            "excluded": [{"entry": e.entry_id, "contract": e.contract} for e in payer.excluded],
            "left_out": [{"what": b.what, "id": b.id, "why": b.why, "role": b.role} for b in payer.blockers],
        },
    }


def _statement(said: rule.KontingentStatement) -> dict[str, Any]:
    return {
        "contract": said.contract,
        "carried": said.carried,
        "granted": said.granted,
        "used": said.used,
        "corrected": said.corrected,
        "balance": said.balance,
        "correction_proposed": said.correction_proposed,
    }


def _report_row(item: PreviewItem, item_id: int) -> dict[str, Any]:
    return {
        "customer_id": item.keys.customer_id,
        "item_id": item_id,
        "month": str(item.given.month),
        "paying_site_id": _site_id(item),
    }


def _write_lines(session: Session, run_id: int, reported: Sequence[tuple[PreviewItem, int]]) -> None:
    """The lines of all reports; from here on their entries are locked."""
    rows = []
    for item, report_id in reported:
        keys = item.keys
        for position, line in enumerate(item.payer.entries, start=1):
            rows.append(
                {
                    "customer_id": keys.customer_id,
                    "report_id": report_id,
                    "entry_id": keys.entries[line.entry_id],
                    "position": position,
                    "raw_minutes": line.raw_minutes,
                    "billed_minutes": line.billed_minutes,
                    "usage_minutes": line.usage_minutes,
                    "charged_minutes": line.charged_minutes,
                    "charged_days": line.days,
                    "charged_trips": line.charged_trips,
                    "charge": line.charge.value,
                    "contract_id": keys.contracts[line.contract] if line.contract else None,
                    "rule_version": RULE_VERSION,
                }
            )
    _insert(session, ServiceReportLine, rows)
    written = ServiceReportLine
    session.execute(
        sa.update(ServiceEntry)
        .where(
            ServiceEntry.id == written.entry_id,
            written.report_id == ServiceReport.id,
            ServiceReport.item_id == BillingItem.id,
            BillingItem.run_id == run_id,
            ServiceEntry.report_id.is_(None),
        )
        .values(report_id=written.report_id),
        execution_options={"synchronize_session": False},
    )


def _group_row(item: PreviewItem, report_id: int, position: int, line: rule.MoneyLine) -> dict[str, Any]:
    days = [e.work_date for e in item.payer.entries if line.key in (e.group, e.trip_group)]
    agreement = agreement_on(item.given.agreements, max(days)) if days else None
    return {
        "customer_id": item.keys.customer_id,
        "report_id": report_id,
        "position": position,
        "kind": line.kind.value,
        "quantity": line.quantity,
        "unit": line.unit.value,
        "price": line.price,
        "vat_rate": line.vat_rate,
        "net": line.net,
        "agreement_id": item.keys.agreements[agreement.version] if agreement else None,
    }


def _supply(item: PreviewItem, draft: rule.InvoiceDraft) -> tuple[dt.date, dt.date]:
    """First and last day of supply (BT-73/74): of the charged work, or the contract's days in the month."""
    month = item.given.month
    if draft.kind is rule.InvoiceKind.SERVICE:
        days = [e.work_date for e in item.payer.entries if e.group or e.trip_group]
        return min(days), max(days)
    contract = next(k for k in item.given.kontingente if k.number == draft.contract)
    last = min(month.last_day, contract.ends_on) if contract.ends_on else month.last_day
    return max(month.first_day, contract.starts_on), last


def _write_invoices(
    session: Session,
    items: Sequence[tuple[PreviewItem, int]],
    report_of: dict[int, int],
    group_of: dict[tuple[int, str], int],
) -> None:
    drafts = [(item, item_id, draft) for item, item_id in items for draft in item.payer.invoices]
    rows = []
    for item, item_id, draft in drafts:
        supply_from, supply_to = _supply(item, draft)
        rows.append(
            {
                "customer_id": item.keys.customer_id,
                "item_id": item_id,
                "kind": InvoiceKind(draft.kind.value),
                "month": str(item.given.month),
                "report_id": report_of[item_id] if draft.kind is rule.InvoiceKind.SERVICE else None,
                "contract_id": item.keys.contracts[draft.contract] if draft.contract else None,
                "paying_site_id": _site_id(item),
                "face": Face(item.keys.delivery),
                "supply_from": supply_from,
                "supply_to": supply_to,
                "net": draft.net,
                "vat": draft.vat,
                "gross": draft.gross,
            }
        )
    ids = _insert_ids(session, Invoice, rows)
    lines = [
        invoice_line(item.keys.customer_id, invoice_id, position, line, group_of.get((report_of.get(item_id, 0), line.key)))
        for (item, item_id, draft), invoice_id in zip(drafts, ids, strict=True)
        for position, line in enumerate(draft.lines, start=1)
    ]
    _insert(session, InvoiceLine, lines)


LINE_TEXTS = {
    "standard": "IT-Dienstleistungen",
    "after_hours": "IT-Dienstleistungen außerhalb der Servicezeit",
    "weekend": "IT-Dienstleistungen am Wochenende",
    "project_day": "IT-Projekttage",
    "trip": "Anfahrten",
    "kontingent": "Service-Kontingent",
    "correction": "Überbuchte Stunden des Service-Kontingents",
}


def invoice_line(
    customer_id: int, invoice_id: int, position: int, line: rule.MoneyLine, group_id: int | None
) -> dict[str, Any]:
    """A line of an invoice: the very row of the report's group where there is one."""
    return {
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "group_id": group_id,
        "position": position,
        "kind": line.kind.value,
        "description": LINE_TEXTS[line.kind.value],
        "quantity": line.quantity,
        "unit": line.unit.value,
        "price": line.price,
        "vat_rate": line.vat_rate,
        "net": line.net,
    }


def _write_ledger(session: Session, items: Sequence[PreviewItem], item_ids: Sequence[int]) -> None:
    """New bookings stand at the part that carries the contract's statement; over-bookings are proposed, never billed here."""
    home: dict[tuple[int, str], int] = {}
    """(customer, contract) -> the part that states it; a contract that nobody states goes with the customer's first part."""
    for item, item_id in zip(items, item_ids, strict=True):
        home.update({(item.keys.customer_id, said.contract): item_id for said in item.payer.kontingente})
    bookings: list[dict[str, Any]] = []
    seen: set[int] = set()
    for item, item_id in zip(items, item_ids, strict=True):
        if item.keys.customer_id in seen:
            continue
        seen.add(item.keys.customer_id)
        bookings.extend(
            _booking(item, home.get((item.keys.customer_id, row.contract), item_id), row) for row in item.bill.new_ledger
        )
    _insert(session, KontingentEntry, bookings)
    proposals = [
        _proposal(item, item_id, said)
        for item, item_id in zip(items, item_ids, strict=True)
        for said in item.payer.kontingente
        if said.correction_proposed > 0
    ]
    _insert(session, CorrectionProposal, proposals)


def _booking(item: PreviewItem, item_id: int, row: rule.LedgerEntry) -> dict[str, Any]:
    return {
        "customer_id": item.keys.customer_id,
        "contract_id": item.keys.contracts[row.contract],
        "day": row.day,
        "kind": row.kind.value,
        "minutes": row.minutes,
        "month": str(Month.of(row.day)),
        "entry_id": item.keys.entries[row.entry_id] if row.entry_id else None,
        "item_id": item_id,
    }


def _proposal(item: PreviewItem, item_id: int, said: rule.KontingentStatement) -> dict[str, Any]:
    contract = next(k for k in item.given.kontingente if k.number == said.contract)
    net = hour_amount(said.correction_proposed, contract.hour_price)
    return {
        "customer_id": item.keys.customer_id,
        "contract_id": item.keys.contracts[said.contract],
        "item_id": item_id,
        "month": str(item.given.month),
        "minutes": said.correction_proposed,
        "price": contract.hour_price,
        "net": net,
        "rule": contract.correction_rule,
    }


def _exclusion_rows(run_id: int, item: PreviewItem) -> Iterator[dict[str, Any]]:
    for excluded in item.payer.excluded:
        yield {
            "customer_id": item.keys.customer_id,
            "run_id": run_id,
            "entry_id": item.keys.entries[excluded.entry_id],
            "contract_id": item.keys.contracts[excluded.contract],
        }
