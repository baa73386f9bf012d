"""One advice that says a little of everything; fictional."""

import datetime as dt
from decimal import Decimal

from integrations.despatch.types import DespatchAdvice, DespatchLine, Package, SupplierHint

ADVICE = DespatchAdvice(
    format="",
    delivery_note="LS-4711",
    lines=(
        DespatchLine("1", Decimal(2), "C62", "FW-0800", "FW-0800", "4012345000016", "Firewall Torwart 800", ("A1", "A2"),
                     order_number="B-2026-0501", order_line="1", packages=("P-1",)),
        DespatchLine("2", Decimal("3.5"), "MTR", "KAB-1", "", "", "Kabel, grün", (), order_number="B-2026-0501", order_line="2",
                     packages=("P-1",)),
    ),
    supplier=SupplierHint(name="Falkenau Distribution AG", gln="4012345000108"),
    despatched_on=dt.date(2026, 11, 2),
    orders=("B-2026-0501",),
    packages=(Package("P-1"),),
    shipment="S-9",
    note="Teillieferung",
)  # fmt: skip
