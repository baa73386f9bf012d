"""Write the example company: `python -m examples.make_company [FOLDER]` (default: the folder `examples`).

Always writes the same bytes. The story behind the rows is told in `examples/README.md`.
"""

import sys
from pathlib import Path

from examples.source import desk, despatch, house, mails, papers, parties, things
from examples.source.table import Row, write_table

COLUMNS: dict[str, str] = {
    "house": "name street postal_code city tax_number vat_id iban bic creditor_id register_court register_no email "
    "phone portal_url",
    "house_sites": "code name hotline tariff_text main",
    "employees": "email first_name last_name roles skills house_site weekly_hours",
    "prices": "code name unit net_price vat_rate valid_from account",
    "products": "code name kind serial_tracked warranty_months licence_months price_code",
    "customers": "number name street postal_code city country vat_id billing datev_consultant_no account_manager "
    "house_site delivery leitweg_id invoice_email payment_days iban mandate_reference mandate_signed_on "
    "mandate_kind customer_since sap_card_code debtor_account",
    "sites": "customer code name street postal_code city receives_goods receives_services travel_price bills_to",
    "contacts": "customer site first_name last_name email phone functions portal",
    "agreements": "customer version signed_on signed_by purpose service_hours reaction_hours_by_priority "
    "backup_responsible hour_price day_price travel_price after_hours_percent weekend_percent",
    "contracts": "number customer kind starts_on ends_on site kontingent_hours_per_month kontingent_hour_price "
    "overdraft_allowed correction_rule includes_travel rest_at_end billing_unit_minutes "
    "billing_minimum_minutes prenotification_days provider location",
    "contract_lines": "contract line product text meter quantity unit_price vat_rate one_time valid_from valid_to "
    "covered_asset_classes",
    "kontingent_opening": "contract as_of minutes",
    "tickets": "number customer site contact kind subject received_at state priority assignee topic asset",
    "service_entries": "id ticket technician work_date started_at ended_at minutes place trips kind text billable "
    "non_billable_reason approved_by approved_at reported_elsewhere",
    "usage": "contract line day quantity source",
    "checks": "customer check cadence starts_on duration_minutes technician catch_up shift covered_by_contract",
    "assets": "customer site inventory_no class manufacturer model serial bought_on delivered_on owner "
    "warranty_until warranty_kind firmware_supported_until location contract",
    "licences": "customer product count key expires_on asset",
    "purchase_orders": "number supplier ordered_on customer customer_order line product quantity expected_on",
    "suppliers": "code name email despatch_format",
}


def tables(service: desk.Desk) -> dict[str, list[Row]]:
    """All rows by file name."""
    return {
        "house": house.HOUSE,
        "house_sites": house.SITES,
        "employees": house.employees(),
        "prices": house.prices(),
        "products": house.products(),
        "customers": list(parties.customers()),
        "sites": list(parties.sites()),
        "contacts": list(parties.contacts()),
        "agreements": list(parties.agreements()),
        "contracts": list(papers.contracts()),
        "contract_lines": list(papers.contract_lines()),
        "kontingent_opening": list(papers.openings()),
        "tickets": service.tickets,
        "service_entries": service.entries,
        "usage": list(papers.usage()),
        "checks": list(things.checks()),
        "assets": list(things.assets()),
        "licences": list(things.licences()),
        "purchase_orders": list(things.purchase_orders()),
        "suppliers": house.SUPPLIERS,
    }


def write(folder: Path) -> None:
    """The company folder, the despatch advices and the mails below `folder`."""
    service = desk.build()
    company = folder / "company"
    company.mkdir(parents=True, exist_ok=True)
    for name, rows in tables(service).items():
        write_table(company / f"{name}.csv", COLUMNS[name].split(), rows)
    for place, files in (("despatch", despatch.files()), ("mails", mails.files(service.by_number))):
        (folder / place).mkdir(exist_ok=True)
        for name, content in files:
            (folder / place / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
