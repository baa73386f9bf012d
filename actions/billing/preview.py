"""The whole run before anything is kept: amounts, difference to last month with its reasons, blockers, the snapshot."""

import datetime as dt
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from actions.billing import fingerprint
from actions.billing.inputs import CustomerKeys, billing_customers, load_months
from actions.billing.recipients import Person, Recipients, choose, persons_of
from kit.errors import ConflictError, UsageError
from kit.process import no_cycle_search
from models.billing import BillingRun, Invoice, InvoiceKind, InvoiceLine, InvoiceState, PreviewFingerprint
from models.parties import House
from rules import monthly_types as rule
from rules.differences import ChargedLine, effects, euro
from rules.month import Month
from rules.monthly import bill_month
from rules.snapshot import customer_digest, month_snapshot

Progress = Callable[[int, int], None]
"""Called with (done, total) customers."""


def quiet(_done: int, _total: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """What cannot go on, why, and which role can solve it."""

    what: str
    id: str
    why: str
    role: str

    def as_dict(self) -> dict[str, str]:
        return {"what": self.what, "id": self.id, "why": self.why, "role": self.role}


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One paying site's part of the previewed month."""

    keys: CustomerKeys
    given: rule.CustomerMonth
    bill: rule.CustomerBill
    payer: rule.PayerBill
    recipients: Recipients
    blocked: tuple[Blocked, ...]
    last_month_net: Decimal
    reasons: tuple[str, ...]

    @property
    def difference(self) -> Decimal:
        """Net of this month less net of last month."""
        return self.payer.net - self.last_month_net


@dataclass(slots=True)
class Preview:
    """The month as it would be released. `snapshot` stands for every input and every result of it."""

    month: Month
    items: list[PreviewItem] = field(default_factory=list)
    snapshot: str = ""
    fingerprint: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def blocked(self) -> list[tuple[PreviewItem, Blocked]]:
        """Everything that is left out or will wait, with whom it concerns."""
        return [(item, blocked) for item in self.items for blocked in item.blocked]


def parse_month(text: str) -> Month:
    """`YYYY-MM` as a month; a German sentence when it is none."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _last_month_lines(session: Session, month: Month, ids: Sequence[int]) -> dict[tuple[int, int | None], list[ChargedLine]]:
    """Charged lines of last month's live invoices per customer and paying site."""
    statement = (
        sa.select(
            Invoice.customer_id,
            Invoice.paying_site_id,
            InvoiceLine.kind,
            InvoiceLine.quantity,
            InvoiceLine.net,
            InvoiceLine.unit,
        )
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.customer_id.in_(ids),
            Invoice.month == str(month.plus(-1)),
            Invoice.kind.in_((InvoiceKind.SERVICE, InvoiceKind.KONTINGENT, InvoiceKind.CORRECTION)),
            Invoice.state != InvoiceState.CANCELLED,
        )
    )
    lines: dict[tuple[int, int | None], list[ChargedLine]] = defaultdict(list)
    for customer_id, site_id, kind, quantity, net, unit in session.execute(statement):
        lines[(customer_id, site_id)].append(ChargedLine(kind, quantity, net, unit))
    return lines


def _reasons(payer: rule.PayerBill, before: Iterable[ChargedLine], month: Month) -> tuple[str, ...]:
    now = [
        ChargedLine(line.kind.value, line.quantity, line.net, line.unit.value) for inv in payer.invoices for line in inv.lines
    ]
    last = list(before)
    if not last and now:
        return ("Im Vormonat wurde hier nichts abgerechnet.", *(e.text for e in effects(now, last)))
    reasons = [effect.text for effect in effects(now, last)]
    late = [e for e in payer.entries if e.late and e.billable]
    if late:
        months = ", ".join(sorted({f"{e.work_date:%m/%Y}" for e in late}))
        count = "eine nachgereichte Leistung" if len(late) == 1 else f"{len(late)} nachgereichte Leistungen"
        reasons.append(f"darin {count} aus {months}")
    if not reasons and now:
        reasons.append(f"unverändert gegenüber {month.plus(-1)}")
    return tuple(reasons)


def _blocked(payer: rule.PayerBill, recipients: Recipients, who: str) -> tuple[Blocked, ...]:
    blocked = [Blocked(b.what, b.id, b.why, b.role) for b in payer.blockers]
    if payer.has_report and not recipients.emails:
        blocked.append(no_recipient(who))
    return tuple(blocked)


def no_recipient(who: str) -> Blocked:
    """Nobody can receive the report, so no invoice can follow (U9, U17)."""
    return Blocked(
        "recipient",
        who,
        f"{who}: Es gibt keinen Empfänger für den Servicebericht. Hinterlegen Sie einen Ansprechpartner mit der Funktion "
        "»Empfänger der Serviceberichte« oder »Hauptansprechpartner«.",
        "account_manager",
    )


def who_is(number: str, site: str | None) -> str:
    """Customer and paying site as blockers name them: `K1001` or `K1001/S2`."""
    return number if site is None else f"{number}/{site}"


def build(session: Session, month: Month, progress: Progress = quiet) -> Preview:
    """Compute the month for everybody. Nothing is written.

    Raises:
        ConflictError: the month is released already; its numbers stand in `billing show`.
    """
    run_state = session.scalar(
        sa.select(BillingRun.state).where(BillingRun.month == str(month), BillingRun.snapshot.is_not(None))
    )
    if run_state is not None:
        raise ConflictError(f"Rechnungslauf {month}: schon freigegeben. Den Stand zeigt »drehkreuz billing show {month}«.")
    return compute(session, month, billing_customers(session, month), progress)


def compute(session: Session, month: Month, ids: Sequence[int], progress: Progress = quiet) -> Preview:
    """The month of the named customers."""
    result = Preview(month)
    digests: dict[str, str] = {}
    background = _Background(_last_month_lines(session, month, ids), persons_of(session, ids))
    with no_cycle_search():
        for position, (keys, given) in enumerate(load_months(session, month, ids), start=1):
            bill = bill_month(given)
            items = [_item(keys, given, bill, payer, background) for payer in bill.payers]
            if items:
                digests[keys.number] = customer_digest(given, bill)
                result.fingerprint[keys.number] = _fingerprint(digests[keys.number], bill, items)
                result.items.extend(items)
            progress(position, len(ids))
    house = fingerprint.parts_of(fingerprint.house_values(session.scalar(sa.select(House))))
    result.fingerprint[fingerprint.HOUSE] = {"hash": fingerprint.short(house), "net": "0", "entries": {}, "parts": house}
    result.snapshot = month_snapshot(month, digests, {number: told["hash"] for number, told in result.fingerprint.items()})
    return result


def _fingerprint(digest: str, bill: rule.CustomerBill, items: Sequence[PreviewItem]) -> dict[str, Any]:
    """What is kept of a customer's month to name a change: no amounts but the net sum."""
    keys, given = items[0].keys, items[0].given
    parts = fingerprint.parts(
        given,
        keys.party,
        {item.payer.site or "": item.recipients.emails for item in items},
        {item.payer.site or "": item.last_month_net for item in items},
    )
    return {
        "hash": f"{digest} {fingerprint.short([parts, keys.printed])}",
        "net": str(bill.net),
        "entries": {entry.id: fingerprint.short([entry, keys.printed.get(entry.id)]) for entry in given.entries},
        "parts": parts,
    }


@dataclass(frozen=True, slots=True)
class _Background:
    """What was loaded once for all customers."""

    last_lines: dict[tuple[int, int | None], list[ChargedLine]]
    people: dict[int, list[Person]]


def _item(
    keys: CustomerKeys, given: rule.CustomerMonth, bill: rule.CustomerBill, payer: rule.PayerBill, background: _Background
) -> PreviewItem:
    site_id = keys.sites[payer.site] if payer.site is not None else None
    before = background.last_lines.get((keys.customer_id, site_id), [])
    recipients = choose(background.people.get(keys.customer_id, []), site_id)
    return PreviewItem(
        keys=keys,
        given=given,
        bill=bill,
        payer=payer,
        recipients=recipients,
        blocked=_blocked(payer, recipients, who_is(keys.number, payer.site)),
        last_month_net=sum((line.net for line in before), Decimal("0.00")),
        reasons=_reasons(payer, before, given.month),
    )


def remember(session: Session, preview: Preview, now: dt.datetime) -> None:
    """Keep the fingerprint of what was seen (no amounts of the run itself), so that a later refusal can name changes."""
    content = zlib.compress(json.dumps(preview.fingerprint, sort_keys=True).encode())
    session.execute(
        insert(PreviewFingerprint)
        .values(month=str(preview.month), snapshot=preview.snapshot, content=content, created_at=now)
        .on_conflict_do_nothing()
    )


def changes_since(session: Session, preview: Preview, snapshot: str) -> list[str]:
    """German sentences on what differs from the preview with that snapshot; empty when it is not known."""
    content = session.scalar(
        sa.select(PreviewFingerprint.content).where(
            PreviewFingerprint.month == str(preview.month), PreviewFingerprint.snapshot == snapshot
        )
    )
    if content is None:
        return []
    return fingerprint.changes(json.loads(zlib.decompress(content)), preview.fingerprint)


def difference_text(item: PreviewItem) -> str:
    """The signed difference in German."""
    return euro(item.difference)
