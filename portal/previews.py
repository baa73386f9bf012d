"""The preview of a month as its page shows it: computed when something changed since, else the one from a moment ago.

What a preview depends on is audited, so the newest number of the audit trail says whether anything may have changed; what
is released is decided by the snapshot alone, never by this.
"""

import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.billing import preview as billing
from actions.billing.preview import Blocked, Preview, PreviewItem
from kit import clock
from models.plumbing import AuditEntry
from portal.queries.billing import one_of_each
from rules.month import Month

_KEPT_SECONDS = 300.0
_MONTHS_KEPT = 4


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One paying part of the month: what it will cost, what it cost last month, and why that differs."""

    customer: str
    name: str
    site: str | None
    entries: int
    invoices: tuple[tuple[str, Decimal], ...]
    net: Decimal
    last_net: Decimal
    reasons: tuple[str, ...]
    hints: tuple[str, ...]
    blocked: tuple[Blocked, ...]
    recipients: tuple[str, ...]
    kontingent: tuple[tuple[str, int], ...]
    """(contract, balance in minutes)."""

    @property
    def difference(self) -> Decimal:
        return self.net - self.last_net

    @property
    def unapproved(self) -> int:
        """Entries that wait for their approval."""
        return sum(1 for blocked in self.blocked if blocked.what == "entry")

    @property
    def other_blocked(self) -> list[dict[str, Any]]:
        """What holds this part up beside missing approvals: one of each kind, and how many are like it."""
        return one_of_each([blocked.as_dict() for blocked in self.blocked if blocked.what != "entry"])

    @property
    def address(self) -> str:
        """Customer and site as one word."""
        return self.customer if self.site is None else f"{self.customer}/{self.site}"


@dataclass(frozen=True, slots=True)
class MonthPreview:
    """The whole month, in the plain values of the page."""

    month: Month
    snapshot: str
    computed_at: float
    state_of_data: int
    taken_at: object
    rows: tuple[PreviewRow, ...]
    reports: int
    invoices: int
    net: Decimal
    vat: Decimal
    gross: Decimal
    last_net: Decimal

    @property
    def blocked(self) -> list[tuple[PreviewRow, Blocked]]:
        """Everything that stays behind, with whom it concerns."""
        return [(row, blocked) for row in self.rows for blocked in row.blocked]

    @property
    def held(self) -> list[PreviewRow]:
        """Parts of which something stays behind, graver things first."""
        return sorted((row for row in self.rows if row.blocked), key=lambda row: (not row.other_blocked, row.customer))

    @property
    def customers(self) -> int:
        return len({row.customer for row in self.rows})


_kept: dict[str, MonthPreview] = {}
_one_at_a_time = threading.Lock()


def _newest_change(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(AuditEntry.id))) or 0


def _fresh(found: MonthPreview | None, state: int) -> bool:
    return found is not None and found.state_of_data == state and time.monotonic() - found.computed_at < _KEPT_SECONDS


def known(session: Session, month: Month) -> MonthPreview | None:
    """The preview, if nothing changed since it was computed."""
    found = _kept.get(str(month))
    return found if _fresh(found, _newest_change(session)) else None


def month_preview(session: Session, month: Month, *, anew: bool = False) -> MonthPreview:
    """The preview of the month, computed if need be; its fingerprint is kept so that a refused release can name changes.

    Raises: ConflictError when the month is released already.
    """
    with _one_at_a_time:
        state = _newest_change(session)
        found = _kept.get(str(month))
        if not anew and found is not None and _fresh(found, state):
            return found
        computed = billing.build(session, month)
        billing.remember(session, computed, clock.now())
        result = _plain(computed, state)
        _kept[str(month)] = result
        while len(_kept) > _MONTHS_KEPT:
            _kept.pop(next(iter(_kept)))
        return result


def forget() -> None:
    """Forget all previews (tests; another database)."""
    _kept.clear()


def _plain(computed: Preview, state: int) -> MonthPreview:
    rows = tuple(_row(item) for item in computed.items)
    drafts = [draft for item in computed.items for draft in item.payer.invoices]
    return MonthPreview(
        month=computed.month,
        snapshot=computed.snapshot,
        computed_at=time.monotonic(),
        state_of_data=state,
        taken_at=clock.now(),
        rows=rows,
        reports=sum(1 for item in computed.items if item.payer.has_report),
        invoices=len(drafts),
        net=sum((draft.net for draft in drafts), Decimal(0)),
        vat=sum((draft.vat for draft in drafts), Decimal(0)),
        gross=sum((draft.gross for draft in drafts), Decimal(0)),
        last_net=sum((row.last_net for row in rows), Decimal(0)),
    )


def _row(item: PreviewItem) -> PreviewRow:
    payer = item.payer
    return PreviewRow(
        customer=item.keys.number,
        name=item.keys.name,
        site=payer.site,
        entries=len(payer.entries),
        invoices=tuple((draft.kind.value, draft.net) for draft in payer.invoices),
        net=payer.net,
        last_net=item.last_month_net,
        reasons=item.reasons,
        hints=tuple(hint.text for hint in payer.hints),
        blocked=item.blocked,
        recipients=item.recipients.emails,
        kontingent=tuple((said.contract, said.balance) for said in payer.kontingente),
    )
