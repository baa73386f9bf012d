"""The example company obeys the import format to the letter: columns, required fields, keys, references, allowed values."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from tests.examples.company import FOLDER, by, read

# file: columns in order, `*` required, and after `:` what a filled field may hold
FORMAT = """
house: name* street* postal_code* city* tax_number vat_id iban:iban bic creditor_id register_court register_no email*:mail phone:phone portal_url
house_sites: code* name* hotline*:phones tariff_text main:yes|no
employees: email*:mail first_name* last_name* roles*:roles skills house_site:>house_sites.code weekly_hours:number
prices: code* name* unit*:hour|day|trip|piece|gb|month net_price*:number vat_rate*:19|7|0 valid_from*:date account
products: code* name* kind*:hardware|software|managed_service|rental|service serial_tracked:yes|no warranty_months:number licence_months:number price_code:>prices.code
customers: number* name* street* postal_code* city* country vat_id billing:central|per_site datev_consultant_no:number account_manager:>employees.email house_site:>house_sites.code delivery:post|email_einvoice|xrechnung leitweg_id invoice_email:mail payment_days:number iban:iban mandate_reference mandate_signed_on:date mandate_kind:core|b2b customer_since:date sap_card_code debtor_account
sites: customer*:>customers.number code* name* street* postal_code* city* receives_goods:yes|no receives_services:yes|no travel_price:number bills_to:site
contacts: customer*:>customers.number site:site first_name* last_name* email*:mail phone:phone functions:functions portal:none|reporter|insight|admin
agreements: customer*:>customers.number version*:number signed_on:date signed_by purpose service_hours:hours reaction_hours_by_priority:reactions backup_responsible:customer|house hour_price*:number day_price:number travel_price:number after_hours_percent:number weekend_percent:number
contracts: number* customer*:>customers.number kind*:kontingent|rental|data_centre|managed starts_on*:date ends_on:date site:site kontingent_hours_per_month:number kontingent_hour_price:number overdraft_allowed:yes|no correction_rule:rule includes_travel:yes|no rest_at_end:paid_out|served billing_unit_minutes:number billing_minimum_minutes:number prenotification_days:number provider location
contract_lines: contract*:>contracts.number line* product:>products.code text* meter:fixed|devices|mailboxes|gigabytes|servers quantity:number unit_price*:number vat_rate:19|7|0 one_time:yes|no valid_from:date valid_to:date covered_asset_classes
kontingent_opening: contract*:>contracts.number as_of*:date minutes*:number
tickets: number* customer*:>customers.number site:site contact:contact kind*:incident|request|maintenance|pick_and_pack|alert|onboarding|documentation|replacement|task subject* received_at*:instant state*:new|open|waiting|resolved|closed priority:high|normal|low assignee:>employees.email topic asset:asset
service_entries: id* ticket*:>tickets.number technician*:>employees.email work_date*:date started_at:instant ended_at:instant minutes*:number place:remote|on_site trips:number kind:standard|after_hours|weekend|project_day text* billable*:yes|no non_billable_reason approved_by:>employees.email approved_at:instant reported_elsewhere
usage: contract*:>contracts.number line* day*:date quantity*:number source*
checks: customer*:>customers.number check* cadence*:rrule starts_on*:date duration_minutes:number technician:>employees.email catch_up:all|latest|one_listing|skip shift:none|next_workday|previous_workday covered_by_contract:>contracts.number
assets: customer*:>customers.number site:site inventory_no* class* manufacturer model serial bought_on:date delivered_on:date owner:customer|house warranty_until:date warranty_kind firmware_supported_until:date location:on_site|data_centre contract:>contracts.number
licences: customer*:>customers.number product*:>products.code count:number key expires_on:date asset:asset
purchase_orders: number* supplier*:>suppliers.code ordered_on*:date customer*:>customers.number customer_order* line* product*:>products.code quantity*:number expected_on:date
suppliers: code* name* email:mail despatch_format:opentrans|ubl|desadv|csv
"""
KEYS = {
    "house": "name",
    "house_sites": "code",
    "employees": "email",
    "prices": "code valid_from",
    "products": "code",
    "customers": "number",
    "sites": "customer code",
    "contacts": "customer email",
    "agreements": "customer version",
    "contracts": "number",
    "contract_lines": "contract line valid_from",
    "kontingent_opening": "contract as_of",
    "tickets": "number",
    "service_entries": "id",
    "usage": "contract line day source",
    "checks": "customer check starts_on",
    "assets": "customer inventory_no",
    "licences": "customer product expires_on",
    "purchase_orders": "number line",
    "suppliers": "code",
}
ROLES = {"technician", "dispatcher", "account_manager", "back_office", "materials", "monitoring", "service_head", "operator"}
FUNCTIONS = {"service_report", "ticket_created", "ticket_status", "credential_release", "invoice", "main"}
FICTION = re.compile(r"\+49(3023125\d{3}|4066969\d{3}|2214710\d{3}|6990009\d{3}|8999998\d{3}|176040690\d{2})")
FILES = {line.split(":", 1)[0]: line.split(":", 1)[1].split() for line in FORMAT.strip().splitlines()}


def columns(name: str) -> list[str]:
    return [field.split(":")[0].rstrip("*") for field in FILES[name]]


def iban_is_right(text: str) -> bool:
    return len(text) == 22 and int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def of_customer(file: str, column: str, row: dict[str, str], value: str) -> bool:
    owner = row.get("customer") or by("contracts", "number")[row["contract"]]["customer"]
    return any(r["customer"] == owner and r[column] == value for r in read(file))


def allowed(rule: str, value: str, row: dict[str, str]) -> bool:
    checks = {
        "date": lambda: dt.date.fromisoformat(value).isoformat() == value,
        "instant": lambda: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", value)) and bool(dt.datetime.fromisoformat(value)),
        "number": lambda: Decimal(value).is_finite() and ("," not in value),
        "mail": lambda: bool(re.fullmatch(r"[a-z0-9.\-]+@[a-z0-9\-]+\.example", value)),
        "phone": lambda: bool(FICTION.fullmatch(value)),
        "phones": lambda: all(FICTION.fullmatch(v) for v in value.split("|")),
        "iban": lambda: iban_is_right(value),
        "roles": lambda: set(value.split("|")) <= ROLES,
        "functions": lambda: set(value.split("|")) <= FUNCTIONS,
        "hours": lambda: all(re.fullmatch(r"[a-z]{2}-?[a-z]{0,2} \d\d:\d\d-\d\d:\d\d", v) for v in value.split("|")),
        "reactions": lambda: bool(re.fullmatch(r"high=\d+\|normal=\d+\|low=\d+", value)),
        "rule": lambda: bool(re.fullmatch(r"never|quarter_end|(after|below)_months=[1-9]\d*", value)),
        "rrule": lambda: bool(re.fullmatch(r"FREQ=(WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[-+A-Z0-9,]+)*", value)),
        "site": lambda: of_customer("sites", "code", row, value),
        "contact": lambda: of_customer("contacts", "email", row, value),
        "asset": lambda: of_customer("assets", "inventory_no", row, value),
    }
    if rule.startswith(">"):
        file, column = rule[1:].split(".")
        return value in by(file, column)
    return checks[rule]() if rule in checks else value in rule.split("|")


def test_every_file_of_the_format_is_there_and_no_other() -> None:
    assert {p.stem for p in (FOLDER / "company").iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_columns_are_those_of_the_format_in_its_order(name: str) -> None:
    assert list(read(name)[0]) == columns(name)


@pytest.mark.parametrize("name", FILES)
def test_required_fields_are_filled_and_values_are_allowed(name: str) -> None:
    faults = []
    for number, row in enumerate(read(name), 2):
        for field in FILES[name]:
            column, _, rule = field.partition(":")
            value = row[column.rstrip("*")]
            if not value and column.endswith("*"):
                faults.append(f"{name}.csv:{number}: {column} is empty")
            elif value and (value != value.strip() or (rule and not allowed(rule, value, row))):
                faults.append(f"{name}.csv:{number}: {column} {value!r} is not {rule}")
    assert not faults, faults[:20]


@pytest.mark.parametrize("name", FILES)
def test_keys_are_unique(name: str) -> None:
    keys = [tuple(row[column] for column in KEYS[name].split()) for row in read(name)]
    assert len(keys) == len(set(keys))


def test_kontingent_terms_stand_in_kontingent_contracts_only() -> None:
    for row in read("contracts"):
        assert (row["kind"] == "kontingent") == bool(row["kontingent_hours_per_month"] and row["kontingent_hour_price"])
        assert not row["ends_on"] or row["ends_on"] >= row["starts_on"]


def test_billable_or_reason() -> None:
    assert all((e["billable"] == "yes") != bool(e["non_billable_reason"]) for e in read("service_entries"))


def test_mandates_are_whole() -> None:
    for row in read("customers"):
        parts = [row["iban"], row["mandate_reference"], row["mandate_signed_on"], row["mandate_kind"]]
        assert all(parts) or not any(parts)


def test_german_check_digits() -> None:
    for number in [row["vat_id"] for row in read("customers") + read("house") if row["vat_id"]]:
        product = 10
        for digit in number[2:10]:
            product = ((int(digit) + product) % 10 or 10) * 2 % 11
        assert number == f"{number[:10]}{(11 - product) % 10}"


def test_datev_consultant_numbers_are_in_range() -> None:
    numbers = [int(row["datev_consultant_no"]) for row in read("customers") if row["datev_consultant_no"]]
    assert len(numbers) >= 4
    assert all(1001 <= n <= 9_999_999 for n in numbers)
