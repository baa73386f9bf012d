"""When an end has to be told of: warranty, licence, firmware support, rental life-cycle, direct-debit mandate. Pure."""

import datetime as dt
import enum
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta

RENTAL_YEARS = 5
"""Life of a rented device, counted from the day it was bought."""
MANDATE_MONTHS = 36
"""A direct-debit mandate that was not used for so long has lapsed (SEPA Core and B2B rulebooks, section 4.1)."""
PAST_DAYS = 31
"""An end that lies further back than this when it is first met is noted without a ticket: nobody can act in time."""


class ExpiryKind(enum.StrEnum):
    """What ends."""

    WARRANTY = "warranty"
    LICENCE = "licence"
    FIRMWARE = "firmware"
    LIFECYCLE = "lifecycle"
    MANDATE = "mandate"


class NoticeState(enum.StrEnum):
    """`planned` waits for its day, `told` has its ticket, `past` was over when first met, `void` is no longer true."""

    PLANNED = "planned"
    TOLD = "told"
    PAST = "past"
    VOID = "void"


LEAD_DAYS = {
    ExpiryKind.WARRANTY: 60,
    ExpiryKind.LICENCE: 45,
    ExpiryKind.FIRMWARE: 180,
    ExpiryKind.LIFECYCLE: 180,
    ExpiryKind.MANDATE: 60,
}
"""Days before the end on which the house is told: long enough to order, install and have the old one back."""


@dataclass(frozen=True, slots=True)
class End:
    """One thing that ends."""

    kind: ExpiryKind
    object_id: int
    ends_on: dt.date


def notice_on(end: End) -> dt.date:
    """The day on which it is told."""
    return end.ends_on - dt.timedelta(days=LEAD_DAYS[end.kind])


def first_state(end: End, today: dt.date) -> NoticeState:
    """The state in which a newly met end enters the ledger."""
    return NoticeState.PAST if (today - end.ends_on).days > PAST_DAYS else NoticeState.PLANNED


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day so many months on; the last day of the month where it has none such."""
    return day + relativedelta(months=months)


def rental_end(bought_on: dt.date) -> dt.date:
    """The end of a rented device's life."""
    return months_later(bought_on, RENTAL_YEARS * 12)


def mandate_end(last_used: dt.date) -> dt.date:
    """The day on which an unused mandate lapses."""
    return months_later(last_used, MANDATE_MONTHS)
