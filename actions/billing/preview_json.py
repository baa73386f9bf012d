"""The preview as `billing preview --json` prints it."""

from decimal import Decimal
from typing import Any

from actions.billing.overview import amount, rate
from actions.billing.preview import Preview, PreviewItem
from rules import monthly_types as rule


def _this_month(item: PreviewItem) -> dict[str, Any]:
    payer = item.payer
    report = None
    if payer.has_report:
        report = {
            "recipients": list(item.recipients.emails),
            "entries": [_entry(line) for line in payer.entries],
            "groups": [_group(line) for line in payer.groups],
        }
    return {
        "number": item.keys.number,
        "site": payer.site,
        "report": report,
        "kontingent": [
            {
                "contract": said.contract,
                "carried": said.carried,
                "granted": said.granted,
                "used": said.used,
                "corrected": said.corrected,
                "balance": said.balance,
                "correction_proposed": said.correction_proposed,
            }
            for said in payer.kontingente
        ],
        "invoices": [
            {
                "kind": draft.kind.value,
                "net": amount(draft.net),
                "vat": amount(draft.vat),
                "gross": amount(draft.gross),
                "face": item.keys.delivery,
            }
            for draft in payer.invoices
        ],
        "excluded": [{"entry": e.entry_id, "contract": e.contract} for e in payer.excluded],
        "blocked": [blocked.as_dict() for blocked in item.blocked],
    }


def _entry(line: rule.EntryLine) -> dict[str, Any]:
    return {
        "id": line.entry_id,
        "raw_minutes": line.raw_minutes,
        "billed_minutes": line.billed_minutes,
        "billable": line.billable,
        "kind": line.kind.value,
        "charge": line.charge.value,
    }


def _group(line: rule.MoneyLine) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "quantity": amount(line.quantity),
        "unit": line.unit.value,
        "price": amount(line.price),
        "vat_rate": rate(line.vat_rate),
        "net": amount(line.net),
    }


def as_json(preview: Preview) -> dict[str, Any]:
    """The whole preview with the keys that scripts rely on; `hints` come on top."""
    drafts = [draft for item in preview.items for draft in item.payer.invoices]
    sums = {key: sum((getattr(draft, key) for draft in drafts), Decimal("0.00")) for key in ("net", "vat", "gross")}
    return {
        "month": str(preview.month),
        "snapshot": preview.snapshot,
        "customers": [
            {
                "number": item.keys.number,
                "site": item.payer.site,
                "this_month": _this_month(item),
                "last_month": {"net": amount(item.last_month_net)},
                "difference": amount(item.difference),
                "reasons": list(item.reasons),
                "hints": [hint.text for hint in item.payer.hints],
            }
            for item in preview.items
        ],
        "blocked": [
            {**blocked.as_dict(), "customer": item.keys.number, "site": item.payer.site} for item, blocked in preview.blocked
        ],
        "totals": {
            "reports": sum(1 for item in preview.items if item.payer.has_report),
            "invoices": len(drafts),
            **{key: str(value) for key, value in sums.items()},
        },
    }
