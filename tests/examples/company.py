"""Reading the example company and working out its Kontingent accounts, written apart from the product's own arithmetic."""

import csv
import datetime as dt
from collections import defaultdict
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples"
Row = dict[str, str]


@cache
def read(name: str) -> list[Row]:
    with (FOLDER / "company" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def by(name: str, key: str) -> dict[str, Row]:
    return {row[key]: row for row in read(name)}


def entries(customer: str, month: str = "2026-10") -> list[Row]:
    """Service entries of a customer with a work date in the month, in the order of the ledger."""
    rows = [e for e in read("service_entries") if ticket(e)["customer"] == customer and e["work_date"].startswith(month)]
    return sorted(rows, key=lambda e: (e["work_date"], e["started_at"], e["id"]))


def ticket(entry: Row) -> Row:
    return by("tickets", "number")[entry["ticket"]]


def kind(entry: Row) -> str:
    return entry["kind"] or "standard"


def contracts(customer: str, which: str = "kontingent") -> list[Row]:
    return [c for c in read("contracts") if c["customer"] == customer and c["kind"] == which]


def agreement(customer: str, day: str) -> Row | None:
    versions = sorted((a for a in read("agreements") if a["customer"] == customer), key=lambda a: a["signed_on"])
    return next((a for a in reversed(versions) if a["signed_on"] <= day), versions[0] if versions else None)


def in_flat_contract(entry: Row) -> Row | None:
    """The rental or data-centre contract that covers the entry, if there is one."""
    case = ticket(entry)
    classes = {(a["customer"], a["inventory_no"]): a["class"] for a in read("assets")}
    for contract in contracts(case["customer"], "rental") + contracts(case["customer"], "data_centre"):
        if contract["site"] and contract["site"] != case["site"]:
            continue
        if contract["starts_on"] > entry["work_date"] or (contract["ends_on"] and contract["ends_on"] < entry["work_date"]):
            continue
        named = {
            c
            for line in read("contract_lines")
            if line["contract"] == contract["number"]
            for c in line["covered_asset_classes"].split("|")
            if c
        }
        if not named or classes.get((case["customer"], case["asset"])) in named:
            return contract
    return None


def used(entry: Row, contract: Row) -> int:
    """Minutes that an entry takes from the Kontingent."""
    if kind(entry) == "project_day":
        return -(-int(entry["minutes"]) // 240) * 240
    unit, least = int(contract["billing_unit_minutes"] or 15), int(contract["billing_minimum_minutes"] or 15)
    billed = -(-max(int(entry["minutes"]), least) // unit) * unit
    terms = agreement(contract["customer"], entry["work_date"]) or {}
    percent = {"after_hours": terms.get("after_hours_percent") or "50", "weekend": terms.get("weekend_percent") or "100"}
    return -(-billed * (100 + int(percent.get(kind(entry), "0"))) // 100)


def covered(contract: Row) -> list[Row]:
    return [
        e
        for month in ("2026-08", "2026-09", "2026-10")
        for e in entries(contract["customer"], month)
        if e["billable"] == "yes"
        and contract["starts_on"] <= e["work_date"] <= (contract["ends_on"] or "9999")
        and (not contract["site"] or contract["site"] == ticket(e)["site"])
        and not in_flat_contract(e)
    ]


def grants(contract: Row) -> dict[str, int]:
    """Minutes granted in each of the three months, first and last month by calendar days."""
    found = {}
    for month, length in ((8, 31), (9, 30), (10, 31)):
        first, last = dt.date(2026, month, 1), dt.date(2026, month, length)
        start = max(first, dt.date.fromisoformat(contract["starts_on"]))
        end = min(last, dt.date.fromisoformat(contract["ends_on"] or "9999-12-31"))
        days = max(0, (end - start).days + 1)
        full = int(float(contract["kontingent_hours_per_month"]) * 60)
        found[f"2026-{month:02d}"] = int(full * days / length + 0.5)
    return found


def closings(contract: Row) -> dict[str, int]:
    """Balance at the end of August, September and October as the business knows it now, unapproved work left out."""
    opening = next((o for o in read("kontingent_opening") if o["contract"] == contract["number"]), None)
    since, balance = (opening["as_of"], int(opening["minutes"])) if opening else ("0000", 0)
    moves: dict[str, int] = defaultdict(int)
    for month, minutes in grants(contract).items():
        moves[month] += minutes if f"{month}-01" > since else 0
    for entry in covered(contract):
        if not entry["approved_at"] or (entry["work_date"] <= since and entry["reported_elsewhere"]):
            continue
        moves["2026-10" if entry["work_date"] <= since else entry["work_date"][:7]] -= used(entry, contract)
    found = {}
    for month in ("2026-08", "2026-09", "2026-10"):
        balance += moves[month]
        found[month] = balance
    return found
