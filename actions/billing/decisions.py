"""What a run decided and why, one row per customer: the table that an operator reads beside the run in Prefect."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import words
from actions.billing import overview
from actions.billing.preview import Blocked, Preview, difference_text, who_is
from models.billing import BillingItem, BillingRun, ItemState
from models.parties import Customer, Site
from rules.differences import NAMES, german
from rules.money import ZERO
from rules.month import Month

_UNITS = {"hour": "Std.", "day": "Tage", "trip": "Fahrten"}


def of_preview(seen: Preview) -> list[dict[str, str]]:
    """The preview's rows: blocked customers first, then by the size of their difference to last month."""
    return [
        {
            "Kunde": who_is(item.keys.number, item.payer.site),
            "Name": item.keys.name,
            "Netto €": german(item.payer.net),
            "Vormonat €": german(item.last_month_net),
            "Differenz": difference_text(item),
            "Warum": "; ".join(item.reasons),
            "Blockiert": blockers(blocked.as_dict() for blocked in item.blocked),
        }
        for item in sorted(seen.items, key=lambda i: (not i.blocked, -abs(i.difference)))
    ]


def of_run(session: Session, month: Month) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The run as `billing show` tells it, and its rows: blocked customers first, then by number."""
    told = overview.show(session, month)
    beside = _beside(session, month)
    rows = [_decision(customer, beside[customer["number"], customer["site"]]) for customer in told["customers"]]
    return told, sorted(rows, key=lambda row: not row["Blockiert"])


def _beside(session: Session, month: Month) -> Mapping[tuple[str, str | None], Any]:
    """Name, net of last month and the reasons of the difference, by customer and paying site."""
    statement = (
        sa.select(Customer.number, Site.code, Customer.name, BillingItem.last_month_net, BillingItem.reasons)
        .join(BillingRun, BillingRun.id == BillingItem.run_id)
        .join(Customer, Customer.id == BillingItem.customer_id)
        .outerjoin(Site, Site.id == BillingItem.paying_site_id)
        .where(BillingRun.month == str(month), BillingItem.state != ItemState.WITHDRAWN)
    )
    return {(row.number, row.code): row for row in session.execute(statement)}


def _decision(customer: dict[str, Any], beside: Any) -> dict[str, str]:
    report, invoices = customer["report"], customer["invoices"]
    net = sum((Decimal(invoice["net"]) for invoice in invoices), ZERO)
    return {
        "Kunde": who_is(customer["number"], customer["site"]),
        "Name": beside.name,
        "Servicebericht": _report(report) if report else "–",
        "Rechnungen": ", ".join(_invoice(invoice) for invoice in invoices) or "–",
        "Netto €": german(net),
        "Vormonat €": german(beside.last_month_net),
        "Warum dieser Betrag": "; ".join([*_amounts(report, customer), *beside.reasons]),
        "Blockiert": blockers(customer["blocked"]),
    }


def _report(report: dict[str, Any]) -> str:
    return f"{report['id'] or '–'} ({words.REPORT_STATES.get(report['state'], report['state'])})"


def _invoice(invoice: dict[str, Any]) -> str:
    kind = words.INVOICE_KINDS.get(invoice["kind"], invoice["kind"])
    return f"{invoice['number']} ({kind}, {words.INVOICE_STATES.get(invoice['state'], invoice['state'])})"


def _amounts(report: dict[str, Any] | None, customer: dict[str, Any]) -> Iterable[str]:
    """Quantity times price of each group, where each Kontingent stands, and what other contracts cover."""
    for group in report["groups"] if report else ():
        quantity, unit = german(Decimal(group["quantity"])), _UNITS.get(group["unit"], group["unit"])
        price, net = german(Decimal(group["price"])), german(Decimal(group["net"]))
        yield f"{NAMES.get(group['kind'], group['kind'])}: {quantity} {unit} × {price} € = {net} €"
    for said in customer["kontingent"]:
        used, balance = said["used"], said["balance"]
        yield f"Kontingent {said['contract']}: {used} von {said['granted']} Min. verbraucht, Stand {balance} Min."
    excluded = sorted({entry["contract"] for entry in customer["excluded"]})
    if excluded:
        yield f"nicht berechnet, weil gedeckt durch {', '.join(excluded)}"


def blockers(blocked: Iterable[dict[str, str]]) -> str:
    """What stops it and who can solve it; the same reason of many entries once, with their number."""
    return "; ".join(f"{why} (zuständig: {words.role(who)})" for why, who in grouped_reasons(blocked))


def grouped_reasons(blocked: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Reason and role per kind of obstacle: of several alike the first one, and how many more there are."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in blocked:
        found.setdefault((item["what"], item["role"]), []).append(item["why"])
    return [
        (whys[0] if len(whys) == 1 else f"{whys[0]} (und {len(whys) - 1} weitere)", who) for (_, who), whys in found.items()
    ]


def open_points(blocked: Iterable[tuple[str, Blocked]]) -> list[str]:
    """What waits for a person, a line per customer and reason."""
    by_customer: dict[str, list[dict[str, str]]] = {}
    for who, item in blocked:
        by_customer.setdefault(who, []).append(item.as_dict())
    return [
        f"**{who}**: {_sentence(why.removeprefix(f'{who}: '))} Lösen kann das: {words.role(role)}."
        for who, items in by_customer.items()
        for why, role in grouped_reasons(items)
    ]


def told(who: str, blocked: Blocked) -> str:
    """One obstacle in one line that names its customer once."""
    return f"{who}: {blocked.why.removeprefix(f'{who}: ')}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
