"""A small house in which every flow has something to do: the same rows at each call, as a company folder."""

import csv
import datetime as dt
from pathlib import Path

MONTH = "2026-10"
TODAY = dt.date(2026, 11, 5)
"""The third working day of November: October can be billed, and its proofs are ripe."""

Rows = list[list[object]]


def write_company(folder: Path, customers: int = 3) -> None:
    """By the hour and Kontingent, letter and e-invoice, agreed checks, orders under way, ends that are near."""
    files: dict[str, Rows] = {**_house(), **_headings()}
    for number in range(customers):
        _customer(files, number)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def _house() -> dict[str, Rows]:
    return {
        "house": [["name", "street", "postal_code", "city", "vat_id", "iban", "email", "phone"],
                  ["Bruchfest GmbH", "Weg 1", "50667", "Köln", "DE136695976", "DE02120300000000202051",
                   "service@bruchfest.example", "+4922147100"]],
        "employees": [["email", "first_name", "last_name", "roles"],
                      ["t@bruchfest.example", "Toni", "Technik", "technician"],
                      ["k@bruchfest.example", "Kim", "Kunde", "account_manager|back_office|dispatcher|materials"]],
        "products": [["code", "name", "kind", "serial_tracked", "warranty_months", "licence_months"],
                     ["NB-1", "Notebook Eins", "hardware", "yes", 36, ""],
                     ["KAB-1", "Netzwerkkabel", "hardware", "no", "", ""],
                     ["LIC-1", "Bürolizenz", "software", "no", "", 12]],
        "suppliers": [["code", "name", "email"], ["L-EINS", "Eins Distribution AG", "avis@eins.example"]],
    }  # fmt: skip


def _headings() -> dict[str, Rows]:
    return {
        "customers": [["number", "name", "street", "postal_code", "city", "delivery", "account_manager"]],
        "contacts": [["customer", "first_name", "last_name", "email", "functions"]],
        "agreements": [["customer", "version", "signed_on", "hour_price", "travel_price"]],
        "contracts": [
            ["number", "customer", "kind", "starts_on", "kontingent_hours_per_month", "kontingent_hour_price"],
        ],
        "tickets": [["number", "customer", "kind", "subject", "received_at", "state"]],
        "service_entries": [["id", "ticket", "technician", "work_date", "minutes", "place", "trips", "text", "billable",
                             "approved_by", "approved_at"]],
        "checks": [["customer", "check", "cadence", "starts_on", "duration_minutes", "catch_up"]],
        "assets": [["customer", "inventory_no", "class", "serial", "bought_on", "delivered_on", "owner", "warranty_until",
                    "firmware_supported_until"]],
        "licences": [["customer", "product", "count", "expires_on"]],
        "purchase_orders": [["number", "supplier", "ordered_on", "customer", "customer_order", "line", "product", "quantity"]],
    }  # fmt: skip


def _customer(files: dict[str, Rows], n: int) -> None:
    key, house_owned = f"K{n}", n % 2 == 0
    files["customers"].append(
        [key, f"Kunde {n}", "Straße 1", "50667", "Köln", "email_einvoice" if n % 2 else "post", "k@bruchfest.example"]
    )
    files["contacts"].append([key, "Karla", "Kontakt", f"k{n}@kunde.example", "service_report|main"])
    files["agreements"].append([key, 1, "2025-01-01", "95.00", "39.00"])
    if n % 2 == 0:
        files["contracts"].append([f"V{n}", key, "kontingent", "2026-09-01", 1, "90.00"])
    files["tickets"].append([f"ALT-{n}", key, "incident", "Drucker druckt nicht", "2026-10-01T08:00", "closed"])
    for e in range(2):
        files["service_entries"].append(
            [f"L{n}-{e}", f"ALT-{n}", "t@bruchfest.example", f"2026-10-{5 + e:02}", 50 + 30 * n, "on_site", 1,
             "Treiber neu.", "yes", "t@bruchfest.example", "2026-10-31T18:00"]
        )  # fmt: skip
    files["checks"].append([key, "Kontrolle der Datensicherung", "FREQ=WEEKLY;BYDAY=MO", "2026-10-05", 15, "all"])
    files["checks"].append([key, "Updates der Server einspielen", "FREQ=MONTHLY;BYMONTHDAY=15", "2026-10-01", 60, "latest"])
    ends = dt.date(2026, 11, 20) + dt.timedelta(days=n)
    files["assets"].append(
        [key, f"SRV-{n}", "server", f"SER-{n}", "2021-11-20", "2021-11-25", "house" if house_owned else "customer", ends, ends]
    )
    files["licences"].append([key, "LIC-1", 5, ends])
    for line, (product, quantity) in enumerate((("NB-1", 2), ("KAB-1", 10)), start=1):
        files["purchase_orders"].append([f"B-{n}", "L-EINS", "2026-10-20", key, f"KA-{n}", line, product, quantity])
    files["purchase_orders"].append([f"N-{n}", "L-EINS", "2026-10-27", key, f"NA-{n}", 1, "KAB-1", 5])
