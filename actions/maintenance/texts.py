"""What a maintenance ticket says, in German: subject and worksheet of the technician."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from actions.maintenance.planbook import Plan
from kit import clock
from models.contracts import ContractKind
from rules.catch_up import CatchUp

_PROOF = (
    "Abschließen lässt sich das Ticket erst, wenn jeder Termin sein Ergebnis hat: erledigt, fehlgeschlagen oder ausgelassen, "
    "mit Grund."
)
_MANY = 40
"""So many missed dates are listed by day; beyond that the first and the last are named."""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What is known about a ticket when it is written."""

    plan: Plan
    dates: Sequence[dt.date]
    """The due dates that it covers, earliest first."""
    owed: Sequence[dt.date]
    """Their days by the rule."""
    today: dt.date
    technician: str
    agreed_technician: bool
    slot: dt.datetime | None
    why: str


def day(value: dt.date) -> str:
    """02.11.2026"""
    return f"{value:%d.%m.%Y}"


def subject(plan: Plan, dates: Sequence[dt.date], today: dt.date) -> str:
    """E.g. `Wartung: USV-Selbsttest (fällig 31.08.2026, nachgeholt)`."""
    if len(dates) > 1:
        return f"Wartung: {plan.title} ({len(dates)} Termine {day(dates[0])} bis {day(dates[-1])})"
    late = ", nachgeholt" if dates[0] < today else ""
    return f"Wartung: {plan.title} (fällig {day(dates[0])}{late})"


def worksheet(sheet: Worksheet) -> str:
    """The internal note with everything that the technician needs; customers never see it."""
    plan = sheet.plan
    blocks = [
        "\n".join(line for line in _head(sheet) if line),
        "\n".join(["Prüfpunkte:", *(f"☐ {item}" for item in plan.checklist)]) if plan.checklist else "",
        "\n".join(["Messwerte:", *(f"- {r.label}{f' ({r.unit})' if r.unit else ''}" for r in plan.entry.readings)])
        if plan.entry and plan.entry.readings
        else "",
        _PROOF,
    ]
    return "\n\n".join(block for block in blocks if block)


def _head(sheet: Worksheet) -> list[str]:
    plan = sheet.plan
    return [
        f"{plan.title}, {plan.interval}, {plan.customer_name}" + (f", {plan.site_name}" if plan.site_name else ""),
        plan.entry.purpose if plan.entry else "",
        _dates(sheet),
        _window(plan),
        f"Vereinbarte Dauer: {plan.minutes} Minuten",
        _who(sheet),
        _cover(sheet),
        f"Grundlage: {plan.agreed or (plan.cover.german if plan.cover else 'noch ohne unterschriebene Bedarfsanalyse')}",
    ]


def _dates(sheet: Worksheet) -> str:
    late = [value for value in sheet.dates if value < sheet.today]
    if len(sheet.dates) == 1:
        return f"Fällig am {day(sheet.dates[0])}" + (", wird nachgeholt" if late else "")
    shown = [day(value) for value in sheet.dates]
    if len(shown) > _MANY:
        shown = [shown[0], f"… {len(shown) - 2} weitere …", shown[-1]]
    return f"Dieses Ticket fasst {len(sheet.dates)} Termine zusammen: {', '.join(shown)}"


def _window(plan: Plan) -> str:
    opens, closes = plan.row.window_opens, plan.row.window_closes
    if opens is None or closes is None:
        return "Kein Wartungsfenster vereinbart: vor Arbeitsbeginn anrufen."
    return f"Wartungsfenster {opens:%H:%M}–{closes:%H:%M} Uhr; es ersetzt den Anruf vor Arbeitsbeginn."


def _who(sheet: Worksheet) -> str:
    if not sheet.technician:
        return "Techniker: noch niemand eingeteilt"
    at = f", ab {clock.local(sheet.slot):%d.%m.%Y %H:%M} Uhr" if sheet.slot else ", das Fenster ist an dem Tag schon voll"
    if sheet.agreed_technician:
        return f"Techniker: {sheet.technician}{at}"
    return f"Vorschlag: {sheet.technician}{at} ({sheet.why})"


def _cover(sheet: Worksheet) -> str:
    cover = sheet.plan.cover
    if cover is None:
        return "Abrechnung: nach Aufwand, wie mit dem Kunden vereinbart"
    owed = cover.kind is not ContractKind.KONTINGENT and any(cover.in_force(on) for on in sheet.owed)
    if not owed and not cover.in_force(sheet.today):
        return f"Abrechnung: {cover.german} läuft nicht mehr; nach Aufwand"
    if cover.kind is ContractKind.KONTINGENT:
        return f"Abrechnung: zu Lasten von {cover.german}"
    return f"Abrechnung: in {cover.german} enthalten, nicht berechenbar"


def skip_reason(policy: CatchUp, with_date: dt.date | None) -> str:
    """Why a missed date gets no ticket of its own (U25)."""
    if policy is CatchUp.LATEST and with_date is not None:
        return f"Versäumt; mit dem Termin vom {day(with_date)} erledigt (nur der jüngste wird nachgeholt)"
    return "Versäumt; nach Vereinbarung wird nicht nachgeholt"
