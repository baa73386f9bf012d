"""Prices come from the agreement version in force on the work date. Page: docs/rules/preise.md"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from rules.money import cents
from rules.monthly_types import Agreement, ServiceKind, Site

AFTER_HOURS_PERCENT = Decimal(50)
WEEKEND_PERCENT = Decimal(100)
HOURS_PER_DAY = 8


def agreement_on(agreements: Iterable[Agreement], day: dt.date) -> Agreement | None:
    """The version with the latest `signed_on` up to the day (same day: the higher version), else the first version.

    A version without `signed_on` is in force only as that first version. None: there is no agreement at all.
    """
    best: Agreement | None = None
    first: Agreement | None = None
    for version in agreements:
        if first is None or version.version < first.version:
            first = version
        if version.signed_on is None or version.signed_on > day:
            continue
        if best is None or best.signed_on is None or (version.signed_on, version.version) > (best.signed_on, best.version):
            best = version
    return best or first


def surcharge_percent(agreement: Agreement | None, kind: ServiceKind) -> Decimal:
    """Surcharge of a kind in percent: after hours 50 and weekend 100 unless agreed otherwise, else 0."""
    if kind is ServiceKind.AFTER_HOURS:
        agreed = agreement.after_hours_percent if agreement else None
        return AFTER_HOURS_PERCENT if agreed is None else agreed
    if kind is ServiceKind.WEEKEND:
        agreed = agreement.weekend_percent if agreement else None
        return WEEKEND_PERCENT if agreed is None else agreed
    return Decimal(0)


def hour_price(agreement: Agreement, kind: ServiceKind) -> Decimal:
    """Net price of one hour of that kind; with a surcharge rounded half up to cents."""
    if kind in (ServiceKind.AFTER_HOURS, ServiceKind.WEEKEND):
        return cents(agreement.hour_price * (100 + surcharge_percent(agreement, kind)) / 100)
    return agreement.hour_price


def day_price(agreement: Agreement) -> Decimal:
    """Net price of one project day: the agreed one, else eight hours."""
    return HOURS_PER_DAY * agreement.hour_price if agreement.day_price is None else agreement.day_price


def travel_price(site: Site | None, agreement: Agreement | None) -> Decimal | None:
    """Net price of one trip: the site's, else the agreement's. None = nothing agreed, so nothing is charged."""
    if site is not None and site.travel_price is not None:
        return site.travel_price
    return agreement.travel_price if agreement else None
