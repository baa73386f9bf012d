"""Invoices for the SAP suites."""

import datetime as dt
from decimal import Decimal
from typing import Any

from integrations.sap.port import SapInvoice, SapKind, SapLine


def line(net: str = "95.00", rate: int = 19, text: str = "IT-Dienstleistungen gemäß SB-2026-000001") -> SapLine:
    return SapLine(text, Decimal(net), Decimal(rate), {19: "8400", 7: "8300", 0: "8200"}[rate])


def invoice(key: str = "6f1c", **changes: object) -> SapInvoice:
    values: dict[str, Any] = {
        "key": key,
        "number": "RE-2026-000001",
        "kind": SapKind.INVOICE,
        "card_code": "C10023",
        "customer_name": "Müller & Söhne KG",
        "issued_on": dt.date(2026, 11, 2),
        "supplied_until": dt.date(2026, 10, 31),
        "due_on": dt.date(2026, 11, 16),
        "lines": (line(),),
        "net": Decimal("95.00"),
        "vat": Decimal("18.05"),
        "gross": Decimal("113.05"),
        "month": "10/2026",
        "report_id": "SB-2026-000001",
    }
    return SapInvoice(**{**values, **changes})


def storno(key: str = "9a2b") -> SapInvoice:
    return invoice(key, number="RE-2026-000009", kind=SapKind.CANCELLATION, cancels="RE-2026-000001", cancels_key="6f1c")
